// The yardstick for the broker: the least that must be done with a Produce request. One connection, one thread: receive, check the
// CRC-32C of each batch, write the same bytes to a file, answer.

#include "CMillrace.h"
#include "common.h"
#include <fcntl.h>

static const char usage[] =
    "usage: broker_baseline [-l HOST:PORT] FILE\n"
    "\n"
    "Takes one connection of broker_load (with -r), checks each batch and writes it to FILE (page cache, no fsync), until the\n"
    "peer closes. Then prints the bytes and the CPU seconds.\n"
    "\n"
    "  -l HOST:PORT  where to listen (127.0.0.1:9192)\n"
    "\n"
    "example: broker_baseline /tmp/baseline.log & broker_load -r -a 127.0.0.1:9192 -b 4g\n";

enum { FRAME_BYTES_MAX = 16 << 20, BATCH_HEADER_BYTES = 61, CRC_AT = 17, SUMMED_FROM = 21 };

static int64_t next_offset;
static off_t position;

/// Checks and writes the batches of one partition; returns the first one's offset.
static int64_t append(int file, uint8_t *records, size_t count) {
    const int64_t base = next_offset;
    for (uint8_t *batch = records, *const end = records + count; batch < end;) {
        if (end - batch < BATCH_HEADER_BYTES) die("a batch is cut short");
        const size_t bytes = 12 + get(batch + 8, 4);
        if (bytes < BATCH_HEADER_BYTES || bytes > (size_t)(end - batch)) die("a batch of %zu bytes is cut short", bytes);
        if (millrace_crc32c(0, batch + SUMMED_FROM, bytes - SUMMED_FROM) != get(batch + CRC_AT, 4)) die("wrong CRC");
        put(batch, (uint64_t)next_offset, 8);
        next_offset += (int64_t)get(batch + 23, 4) + 1;
        batch += bytes;
    }
    if (pwrite(file, records, count, position) != (ssize_t)count) die("pwrite: %s", strerror(errno));
    position += (off_t)count;
    return base;
}

/// Reads a string of a request and moves behind it.
static const char *string_at(uint8_t **place, size_t *length) {
    const int16_t stated = (int16_t)get(*place, 2);
    *length = stated < 0 ? 0 : (size_t)stated;
    const char *const text = (const char *)*place + 2;
    *place += 2 + *length;
    return text;
}

/// Answers one Produce v3–v8 request with one topic and one partition, and writes the answer to `answer`.
static size_t handle(int file, uint8_t *frame, size_t count, uint8_t *answer) {
    size_t length;
    uint8_t *place = frame + 8;
    if (get(frame, 2) != 0) die("expected a Produce request, found API %d: give broker_load -r", (int)get(frame, 2));
    string_at(&place, &length);  // client id
    string_at(&place, &length);  // transactional id
    place += 2 + 4 + 4;          // acks, timeout, number of topics
    const char *const topic = string_at(&place, &length);
    place += 4;  // number of partitions
    const uint64_t partition = get(place, 4), bytes = get(place + 4, 4);
    place += 8;
    if (place + bytes > frame + count) die("records reach beyond their request");

    uint8_t *out = put(answer + 4, get(frame + 4, 4), 4);
    out = put(out, 1, 4);
    out = put(out, length, 2);
    memcpy(out, topic, length);
    out = put(out + length, 1, 4);
    out = put(out, partition, 4);
    out = put(out, 0, 2);  // no error
    out = put(out, (uint64_t)append(file, place, bytes), 8);
    out = put(out, UINT64_MAX, 8);  // no log-append time
    out = put(out, 0, 8);           // log start
    out = put(out, 0, 4);           // throttle
    put(answer, (uint64_t)(out - answer - 4), 4);
    return (size_t)(out - answer);
}

int main(int count, char **arguments) {
    const char *address = "127.0.0.1:9192";
    for (int option; (option = getopt(count, arguments, "l:h")) != -1;) {
        if (option == 'l') address = optarg;
        else return fputs(usage, option == 'h' ? stdout : stderr), option == 'h' ? 0 : 2;
    }
    if (optind + 1 != count) return fputs(usage, stderr), 2;
    const int file = open(arguments[optind], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) die("%s: %s", arguments[optind], strerror(errno));

    const int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct addrinfo *const where = parse_address(address);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, where->ai_addr, where->ai_addrlen) || listen(listener, 1)) die("%s: %s", address, strerror(errno));
    const int peer = accept(listener, NULL, NULL);
    if (peer < 0) die("accept: %s", strerror(errno));
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    uint8_t *const buffer = malloc(FRAME_BYTES_MAX), answer[512];
    size_t have = 0, frames = 0;
    const double cpu = cpu_seconds(), wall = wall_seconds();
    for (;;) {
        const ssize_t got = read(peer, buffer + have, (size_t)FRAME_BYTES_MAX - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) die("read: %s", strerror(errno));
        if (got == 0) break;
        have += (size_t)got;
        uint8_t *frame = buffer;
        while (buffer + have - frame >= 4) {
            const size_t bytes = get(frame, 4);
            if (bytes > FRAME_BYTES_MAX - 4) die("a frame of %zu bytes", bytes);
            if ((size_t)(buffer + have - frame) < 4 + bytes) break;
            write_all(peer, answer, handle(file, frame + 4, bytes, answer));
            frame += 4 + bytes;
            frames++;
        }
        have = (size_t)(buffer + have - frame);
        memmove(buffer, frame, have);
    }
    const double used = cpu_seconds() - cpu, passed = wall_seconds() - wall, gigabytes = (double)position / 1e9;
    printf("frames %zu  bytes %lld  wall %.3f s  cpu %.3f s  cpu/GB %.3f s\n", frames, (long long)position, passed, used,
           gigabytes > 0 ? used / gigabytes : 0);
}
