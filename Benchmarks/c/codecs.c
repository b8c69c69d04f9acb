// What each codec costs and saves on a file of lines, cut into blocks as an agent cuts batches.

#include "common.h"
#include <libdeflate.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

static const char usage[] =
    "usage: codecs [-b BLOCK] FILE\n"
    "\n"
    "Compresses FILE in blocks with every codec and prints CPU seconds and compressed bytes per GB of input. Reading is not counted.\n"
    "\n"
    "  -b BLOCK  bytes of a block (256k)\n"
    "\n"
    "example: codecs -b 256k access.log\n";

static uint8_t *in, *out;
static size_t size, block, room;

static size_t by_zlib(size_t at, size_t count, int level) {
    static z_stream stream;
    static int made;
    if (made != level) {
        if (made) deflateEnd(&stream);
        if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) die("no memory");
        made = level;
    }
    deflateReset(&stream);
    stream.next_in = in + at, stream.avail_in = (uInt)count, stream.next_out = out, stream.avail_out = (uInt)room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) die("zlib: no room");
    return stream.total_out;
}

static size_t by_libdeflate(size_t at, size_t count, int level) {
    static struct libdeflate_compressor *made;
    static int made_level;
    if (made_level != level) {
        libdeflate_free_compressor(made);
        made = libdeflate_alloc_compressor(made_level = level);
    }
    const size_t written = libdeflate_gzip_compress(made, in + at, count, out, room);
    if (!written) die("libdeflate: no room");
    return written;
}

static size_t by_zstd(size_t at, size_t count, int level) {
    static ZSTD_CCtx *context;
    if (!context) context = ZSTD_createCCtx();
    const size_t written = ZSTD_compressCCtx(context, out, room, in + at, count, level);
    if (ZSTD_isError(written)) die("zstd: %s", ZSTD_getErrorName(written));
    return written;
}

static size_t by_lz4(size_t at, size_t count, int level) {
    LZ4F_preferences_t preferences = {.frameInfo = {.blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max64KB},
                                      .compressionLevel = level};
    const size_t written = LZ4F_compressFrame(out, room, in + at, count, &preferences);
    if (LZ4F_isError(written)) die("lz4: %s", LZ4F_getErrorName(written));
    return written;
}

static void measure(const char *name, size_t (*compress)(size_t, size_t, int), int level) {
    size_t written = 0;
    const double before = cpu_seconds();
    for (size_t at = 0; at < size; at += block) written += compress(at, size - at < block ? size - at : block, level);
    printf("%-12s %2d   %6.2f CPU-s/GB   %6.1f MB/GB\n", name, level, (cpu_seconds() - before) / ((double)size / 1e9),
           (double)written / (double)size * 1e3);
    fflush(stdout);
}

int main(int count, char **arguments) {
    block = 256 << 10;
    for (int option; (option = getopt(count, arguments, "b:h")) != -1;) {
        if (option == 'b') block = parse_size(optarg);
        else return fputs(usage, option == 'h' ? stdout : stderr), option == 'h' ? 0 : 2;
    }
    if (optind + 1 != count || block < 1) return fputs(usage, stderr), 2;
    FILE *const file = fopen(arguments[optind], "r");
    if (!file) die("%s: %s", arguments[optind], strerror(errno));
    fseek(file, 0, SEEK_END);
    size = (size_t)ftell(file);
    rewind(file);
    room = block + block / 2 + 4096;
    in = malloc(size), out = malloc(room);
    if (fread(in, 1, size, file) != size) die("%s: can't be read", arguments[optind]);

    measure("zlib", by_zlib, 1);
    measure("zlib", by_zlib, 6);
    for (int level = 1; level <= 9; level++) measure("libdeflate", by_libdeflate, level);
    for (int level = 1; level <= 3; level++) measure("zstd", by_zstd, level);
    measure("lz4", by_lz4, 1);
}
