// CRC-32C by table, and by the CPU's instruction where it has one.

#include "CMillrace.h"
#include <string.h>

static uint32_t table[8][256];

static void fill_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++) table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 0xff];
}

uint32_t millrace_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *p = bytes;
    crc = ~crc;
    for (; count >= 8; p += 8, count -= 8) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^
              table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    for (; count; p++, count--) crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

// The instruction takes a word a cycle but answers three cycles later, so three stretches of the input are summed side by side.
// Their sums are then joined: a stretch that is followed by n bytes counts x^8n times, and a carry-less product with the
// remainder of that power, reduced by the instruction itself, is that multiplication (Intel, "Fast CRC Computation for iSCSI
// Polynomial Using CRC32 Instruction", 2011).

enum { WIDTHS = 3 };
static const size_t width[WIDTHS] = {2048, 256, 64};  // bytes of a stretch, multiples of 8
static uint32_t skip_one[WIDTHS], skip_two[WIDTHS];    // to move a sum over one and over two stretches

/// x^power modulo the polynomial, bits reflected as everything here.
static uint32_t remainder_of_power(uint32_t power) {
    uint32_t remainder = 0x80000000u;  // x^0
    while (power--) remainder = (remainder >> 1) ^ (0x82f63b78u & -(remainder & 1));
    return remainder;
}

static void fill_skips(void) {
    // The product of two reflected sums stands one bit low, and reducing it multiplies by x^32: 33 powers are in it already.
    for (int w = 0; w < WIDTHS; w++) {
        skip_one[w] = remainder_of_power((uint32_t)width[w] * 8 - 33);
        skip_two[w] = remainder_of_power((uint32_t)width[w] * 16 - 33);
    }
}

static inline uint64_t word_at(const unsigned char *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t moved(uint64_t sum, uint32_t skip) {
    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)sum), _mm_cvtsi64_si128((int64_t)skip), 0));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t hardware(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *p = bytes;
    uint64_t sum = (uint32_t)~crc;
    for (int w = 0; w < WIDTHS; w++) {
        const size_t stretch = width[w];
        for (; count >= 3 * stretch; p += 3 * stretch, count -= 3 * stretch) {
            uint64_t second = 0, third = 0;
            for (size_t i = 0; i < stretch; i += 8) {
                sum = _mm_crc32_u64(sum, word_at(p + i));
                second = _mm_crc32_u64(second, word_at(p + stretch + i));
                third = _mm_crc32_u64(third, word_at(p + 2 * stretch + i));
            }
            sum = _mm_crc32_u64(0, moved(sum, skip_two[w]) ^ moved(second, skip_one[w])) ^ third;
        }
    }
    for (; count >= 8; p += 8, count -= 8) sum = _mm_crc32_u64(sum, word_at(p));
    for (; count; p++, count--) sum = _mm_crc32_u8((uint32_t)sum, *p);
    return ~(uint32_t)sum;
}

static int has_instruction;

__attribute__((constructor)) static void prepare(void) {
    fill_table();
    fill_skips();
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

uint32_t millrace_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return has_instruction ? hardware(crc, bytes, count) : millrace_crc32c_portable(crc, bytes, count);
}
#else
__attribute__((constructor)) static void prepare(void) { fill_table(); }

uint32_t millrace_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return millrace_crc32c_portable(crc, bytes, count);
}
#endif

// Sums are joined as zlib joins its own: the first counts x^(8 × second_count) times, and that power is put together from squares.

static uint32_t product(uint32_t a, uint32_t b) {
    uint32_t sum = 0;
    for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
        if (a & bit) sum ^= b;
        b = (b >> 1) ^ (0x82f63b78u & -(b & 1));
    }
    return sum;
}

uint32_t millrace_crc32c_join(uint32_t first, uint32_t second, uint64_t second_count) {
    uint32_t power = 0x80000000u;   // x^0
    uint32_t square = 0x00800000u;  // x^8
    for (; second_count; second_count >>= 1) {
        if (second_count & 1) power = product(power, square);
        square = product(square, square);
    }
    return product(power, first) ^ second;
}
