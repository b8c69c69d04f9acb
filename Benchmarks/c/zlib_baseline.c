// The yardstick for gzip batches: zlib itself, a file deflated in blocks with one stream that is reset between them.

#include "common.h"
#include <zlib.h>

static const char usage[] =
    "usage: zlib_baseline [-l LEVEL] [-b BLOCK] FILE\n"
    "\n"
    "Deflates FILE in blocks (gzip framing, one stream reset for each) and prints the bytes and the CPU seconds. The output is\n"
    "thrown away; reading is part of the time, as it is for an agent.\n"
    "\n"
    "  -l LEVEL  1 to 9 (6)\n"
    "  -b BLOCK  bytes of a block (1m)\n"
    "\n"
    "example: zlib_baseline -l 1 -b 1m access.log\n";

int main(int count, char **arguments) {
    int level = 6;
    size_t block = 1 << 20;
    for (int option; (option = getopt(count, arguments, "l:b:h")) != -1;) {
        if (option == 'l') level = atoi(optarg);
        else if (option == 'b') block = parse_size(optarg);
        else return fputs(usage, option == 'h' ? stdout : stderr), option == 'h' ? 0 : 2;
    }
    if (optind + 1 != count || level < 1 || level > 9 || block < 1) return fputs(usage, stderr), 2;
    FILE *const file = fopen(arguments[optind], "r");
    if (!file) die("%s: %s", arguments[optind], strerror(errno));
    setvbuf(file, NULL, _IONBF, 0);

    z_stream stream = {0};
    const int gzip_framing = 16;
    if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + gzip_framing, 8, Z_DEFAULT_STRATEGY) != Z_OK) die("no memory");
    const size_t room = deflateBound(&stream, block);
    uint8_t *const in = malloc(block), *const out = malloc(room);
    size_t read_bytes = 0, written = 0, blocks = 0;
    const double cpu = cpu_seconds();
    for (size_t got; (got = fread(in, 1, block, file)) > 0; blocks++) {
        deflateReset(&stream);
        stream.next_in = in;
        stream.avail_in = (uInt)got;
        stream.next_out = out;
        stream.avail_out = (uInt)room;
        if (deflate(&stream, Z_FINISH) != Z_STREAM_END) die("a block did not fit its bound");
        read_bytes += got;
        written += stream.total_out;
    }
    const double used = cpu_seconds() - cpu, megabytes = (double)read_bytes / 1e6;
    printf("zlib %s level %d  blocks %zu of %zu B  in %zu  out %zu  cpu %.3f s  %.1f MB/s\n", zlibVersion(), level, blocks,
           block, read_bytes, written, used, used > 0 ? megabytes / used : 0);
}
