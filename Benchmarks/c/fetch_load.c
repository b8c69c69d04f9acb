// Reads a partition from its beginning as a consumer that catches up does: one Fetch v4 after another, over one connection.

#include "common.h"

static const char usage[] =
    "usage: fetch_load [-a HOST:PORT] [-t TOPIC] [-p PARTITION] [-b BYTES] [-s BYTES] [-r]\n"
    "\n"
    "Fetches BYTES of record batches, beginning at offset 0 again where the partition ends, looks at nothing but the batches' headers, and\n"
    "prints the throughput. The broker addressed must lead the partition, and have records in it.\n"
    "\n"
    "  -a HOST:PORT  the broker (127.0.0.1:9092)\n"
    "  -t TOPIC      (bench)\n"
    "  -p PARTITION  (0)\n"
    "  -b BYTES      in all, as 512m or 4g (1g)\n"
    "  -s BYTES      of an answer at most (1m)\n"
    "  -r            talk to fetch_baseline instead\n"
    "\n"
    "example: fetch_load -a 127.0.0.1:9092 -t bench -b 4g\n";

static struct {
    const char *address, *topic;
    size_t bytes, answer;
    int partition, raw;
} options = {"127.0.0.1:9092", "bench", 1 << 30, 1 << 20, 0, 0};

static uint32_t correlation;

static size_t build_request(uint8_t *request, uint64_t offset) {
    uint8_t *place = request + 4;
    place = put(place, 1, 2);  // Fetch
    place = put(place, 4, 2);
    place = put(place, ++correlation, 4);
    place = put_string(place, "fetch_load");
    place = put(place, UINT64_MAX, 4);  // no replica
    place = put(place, 1000, 4);        // max wait
    place = put(place, 1, 4);           // min bytes
    place = put(place, options.answer, 4);
    place = put(place, 0, 1);  // read uncommitted
    place = put(place, 1, 4);
    place = put_string(place, options.topic);
    place = put(place, 1, 4);
    place = put(place, (uint64_t)options.partition, 4);
    place = put(place, offset, 8);
    place = put(place, options.answer, 4);
    put(request, (uint64_t)(place - request - 4), 4);
    return (size_t)(place - request);
}

/// Moves `offset` behind the whole batches of an answer; returns their bytes.
static size_t take_answer(const uint8_t *answer, size_t count, uint64_t *offset) {
    if (get(answer, 4) != correlation) die("expected answer %u", correlation);
    const uint8_t *place = answer + 4 + 4 + 4;   // correlation, throttle, number of topics
    place += 2 + get(place, 2) + 4 + 4;          // name, number of partitions, index
    const int error = (int16_t)get(place, 2);
    if (error) die("the broker answered error %d at offset %llu", error, (unsigned long long)*offset);
    place += 2 + 8 + 8;                          // error, high watermark, last stable offset
    const int32_t aborted = (int32_t)get(place, 4);
    place += 4 + (aborted > 0 ? 16 * aborted : 0);
    const size_t bytes = get(place, 4);
    place += 4;
    if (place + bytes > answer + count) die("records reach beyond their answer");
    for (const uint8_t *end = place + bytes; end - place >= 61;) {
        const size_t batch = 12 + get(place + 8, 4);
        if (batch > (size_t)(end - place)) break;
        *offset = get(place, 8) + get(place + 23, 4) + 1;
        place += batch;
    }
    return bytes;
}

static void parse_options(int count, char **arguments) {
    for (int option; (option = getopt(count, arguments, "a:t:p:b:s:rh")) != -1;) switch (option) {
        case 'a': options.address = optarg; break;
        case 't': options.topic = optarg; break;
        case 'p': options.partition = atoi(optarg); break;
        case 'b': options.bytes = parse_size(optarg); break;
        case 's': options.answer = parse_size(optarg); break;
        case 'r': options.raw = 1; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(2);
        }
    if (optind != count) fputs(usage, stderr), exit(2);
}

int main(int count, char **arguments) {
    parse_options(count, arguments);
    const int on = 1, peer = socket(AF_INET, SOCK_STREAM, 0);
    struct addrinfo *const where = parse_address(options.address);
    if (connect(peer, where->ai_addr, where->ai_addrlen)) die("%s: %s", options.address, strerror(errno));
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    const size_t room = 2 * options.answer + 4096;
    uint8_t request[512], *const answer = malloc(room);
    uint64_t place = 0;
    size_t fetched = 0, requests = 0;
    const double cpu = cpu_seconds(), wall = wall_seconds();
    while (fetched < options.bytes) {
        size_t bytes;
        if (options.raw) {
            put(put(request, place, 8), options.answer, 4);
            write_all(peer, request, 12);
        } else {
            write_all(peer, request, build_request(request, place));
        }
        read_all(peer, answer, 4);
        const size_t length = get(answer, 4);
        if (length > room) die("an answer of %zu bytes", length);
        read_all(peer, answer, length);
        const uint64_t before = place;
        bytes = length;
        if (options.raw) place += length;
        else bytes = take_answer(answer, length, &place);
        if (place == before) {
            if (!place) die("there is nothing to fetch");
            place = 0;
        }
        fetched += bytes;
        requests++;
    }
    const double passed = wall_seconds() - wall, gigabytes = (double)fetched / 1e9;
    printf("fetches %zu  bytes %zu  wall %.3f s  %.1f MB/s  own cpu %.3f s\n", requests, fetched, passed,
           gigabytes * 1000 / passed, cpu_seconds() - cpu);
}
