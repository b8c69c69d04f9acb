// Drives a broker as hard as one connection can: Produce v7 requests with one record batch each, several in flight.

#include "CMillrace.h"
#include "common.h"

static const char usage[] =
    "usage: broker_load [-a HOST:PORT] [-t TOPIC] [-p PARTITION] [-b BYTES] [-s BATCH] [-d DEPTH] [-k ACKS] [-P PID] [-r]\n"
    "\n"
    "Sends BYTES of uncompressed record batches over one connection to any Kafka broker, without idempotence, and prints the\n"
    "throughput, the CPU seconds and the latencies. The topic is created where the broker creates topics by itself; the broker\n"
    "addressed must lead the partition.\n"
    "\n"
    "  -a HOST:PORT  the broker (127.0.0.1:9092)\n"
    "  -t TOPIC      (bench)\n"
    "  -p PARTITION  (0)\n"
    "  -b BYTES      in all, as 512m or 4g (1g)\n"
    "  -s BATCH      bytes of a batch at most (64k)\n"
    "  -v VALUE      bytes of a record's value (230)\n"
    "  -d DEPTH      requests in flight (8)\n"
    "  -k ACKS       1 or -1 (1)\n"
    "  -P PID        also print what CPU that process used meanwhile: the broker\n"
    "  -r            send no Metadata request first: for broker_baseline\n"
    "\n"
    "example: broker_load -a 127.0.0.1:9092 -t bench -b 4g -P $(pidof millrace)\n";

static struct {
    const char *address, *topic;
    size_t bytes, batch, value;
    int partition, depth, acks, pid, raw;
} options = {"127.0.0.1:9092", "bench", 1 << 30, 64 << 10, 230, 0, 8, 1, 0, 0};

static uint32_t correlation;

/// CPU seconds that process has used since it began.
static double cpu_of(int pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *const file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) die("%s: %s", path, strerror(errno));
    fclose(file);
    unsigned long user, system;
    // The second field is a name that may hold blanks; utime and stime are the 12th and 13th after it.
    if (sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        die("%s: not understood", path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/// Fills `batch` with log lines up to `limit` bytes; returns what it took.
static size_t build_batch(uint8_t *batch, size_t limit) {
    size_t room = 64 * (options.value + 1), length = 0;
    uint8_t *const lines = malloc(room + options.value + 1);
    while (length < room) {
        for (size_t i = 0; i < options.value; i++) lines[length++] = (uint8_t)(' ' + rand() % 90);
        lines[length++] = '\n';
    }
    static const uint8_t key[] = "\x3aweb1/var/log/nginx/access.log", headers[] = {0};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    millrace_batch state = {.bytes = batch, .size = 61, .limit = limit, .capacity = limit};
    millrace_lines next = {.timestamp = now.tv_sec * 1000, .key_field = key, .key_field_count = sizeof key - 1,
                           .headers = headers, .headers_count = 1};
    do {
        next.bytes = lines;
        next.count = length;
        millrace_append_lines(&state, &next);
    } while (!next.needed);
    free(lines);
    if (!state.count) die("not one record of %zu bytes fits %zu", options.value, limit);

    put(batch, 0, 8);                          // base offset
    put(batch + 8, state.size - 12, 4);        // length
    put(batch + 12, UINT32_MAX, 4);            // leader epoch −1
    put(batch + 16, 2, 1);                     // magic
    put(batch + 21, 0, 2);                     // attributes
    put(batch + 23, (uint64_t)state.count - 1, 4);
    put(batch + 27, (uint64_t)state.base_timestamp, 8);
    put(batch + 35, (uint64_t)state.max_timestamp, 8);
    put(batch + 43, UINT64_MAX, 8);            // no producer id
    put(batch + 51, UINT64_MAX, 2);            // nor epoch
    put(batch + 53, UINT64_MAX, 4);            // nor sequence
    put(batch + 57, (uint64_t)state.count, 4);
    put(batch + 17, millrace_crc32c(0, batch + 21, state.size - 21), 4);
    return state.size;
}

static uint8_t *put_request_header(uint8_t *place, int api, int version) {
    place = put(place, (uint64_t)api, 2);
    place = put(place, (uint64_t)version, 2);
    place = put(place, correlation++, 4);
    return put_string(place, "broker_load");
}

/// Reads a response into `frame`; returns its bytes without the length.
static size_t read_response(int socket, uint8_t *frame, size_t room) {
    read_all(socket, frame, 4);
    const size_t bytes = get(frame, 4);
    if (bytes < 4 || bytes > room) die("a response of %zu bytes", bytes);
    read_all(socket, frame, bytes);
    return bytes;
}

/// Asks for the topic's metadata, which creates it, until the partition has a leader.
static void await_leader(int socket) {
    static uint8_t frame[1 << 20];
    for (int attempt = 0; attempt < 100; attempt++) {
        uint8_t *place = put_request_header(frame + 4, 3, 4);
        place = put(place, 1, 4);
        place = put_string(place, options.topic);
        place = put(place, 1, 1);  // create it
        put(frame, (uint64_t)(place - frame - 4), 4);
        write_all(socket, frame, (size_t)(place - frame));
        read_response(socket, frame, sizeof frame);
        // correlation, throttle, brokers (id, host, port, rack), cluster id, controller, topics (error, name, internal, partitions)
        place = frame + 8;
        int brokers = (int)get(place, 4);
        for (place += 4; brokers-- > 0;) {
            place += 4;
            place += 2 + get(place, 2) + 4;
            const int16_t rack = (int16_t)get(place, 2);
            place += 2 + (rack > 0 ? rack : 0);
        }
        const int16_t cluster = (int16_t)get(place, 2);
        place += 2 + (cluster > 0 ? cluster : 0) + 4 + 4;
        int error = (int16_t)get(place, 2);
        place += 2 + 2 + get(place + 2, 2) + 1;
        int partitions = (int)get(place, 4);
        place += 4;
        while (!error && partitions-- > 0) {
            const int code = (int16_t)get(place, 2), index = (int)get(place + 2, 4), leader = (int32_t)get(place + 6, 4);
            if (index == options.partition && !code && leader >= 0) return;
            place += 10;
            place += 4 + 4 * get(place, 4);  // replicas
            place += 4 + 4 * get(place, 4);  // in sync
        }
        usleep(100000);
    }
    die("%s-%d has no leader", options.topic, options.partition);
}

/// Reads one Produce response and makes sure that it is a good one.
static void read_ack(int socket, uint32_t expected) {
    uint8_t frame[1024];
    read_response(socket, frame, sizeof frame);
    if (get(frame, 4) != expected) die("expected response %u, found %u", expected, (unsigned)get(frame, 4));
    const uint8_t *const partition = frame + 8 + 2 + get(frame + 8, 2) + 4;
    const int error = (int16_t)get(partition + 4, 2);
    if (error) die("the broker answered error %d", error);
}

static int later(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void parse_options(int count, char **arguments) {
    for (int option; (option = getopt(count, arguments, "a:t:p:b:s:v:d:k:P:rh")) != -1;) switch (option) {
        case 'a': options.address = optarg; break;
        case 't': options.topic = optarg; break;
        case 'p': options.partition = atoi(optarg); break;
        case 'b': options.bytes = parse_size(optarg); break;
        case 's': options.batch = parse_size(optarg); break;
        case 'v': options.value = parse_size(optarg); break;
        case 'd': options.depth = atoi(optarg); break;
        case 'k': options.acks = atoi(optarg); break;
        case 'P': options.pid = atoi(optarg); break;
        case 'r': options.raw = 1; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(2);
        }
    if (optind != count || options.depth < 1 || options.acks == 0) fputs(usage, stderr), exit(2);
}

int main(int count, char **arguments) {
    parse_options(count, arguments);
    const int on = 1, peer = socket(AF_INET, SOCK_STREAM, 0);
    struct addrinfo *const where = parse_address(options.address);
    if (connect(peer, where->ai_addr, where->ai_addrlen)) die("%s: %s", options.address, strerror(errno));
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!options.raw) await_leader(peer);

    uint8_t *const request = malloc(options.batch + 1024);
    const uint32_t first = correlation;
    uint8_t *place = put_request_header(request + 4, 0, 7);
    place = put(place, UINT64_MAX, 2);  // no transaction
    place = put(place, (uint64_t)options.acks, 2);
    place = put(place, 30000, 4);
    place = put(place, 1, 4);
    place = put_string(place, options.topic);
    place = put(place, 1, 4);
    place = put(place, (uint64_t)options.partition, 4);
    const size_t batch = build_batch(place + 4, options.batch);
    put(place, batch, 4);
    const size_t bytes = (size_t)(place + 4 + batch - request);
    put(request, bytes - 4, 4);

    const size_t requests = (options.bytes + batch - 1) / batch;
    double *const sent_at = malloc(requests * sizeof(double));
    const double broker_cpu = options.pid ? cpu_of(options.pid) : 0, cpu = cpu_seconds(), wall = wall_seconds();
    for (size_t sent = 0, acked = 0; acked < requests;) {
        if (sent < requests && sent - acked < (size_t)options.depth) {
            put(request + 8, first + sent, 4);
            sent_at[sent++] = wall_seconds();
            write_all(peer, request, bytes);
        } else {
            read_ack(peer, first + (uint32_t)acked);
            sent_at[acked] = wall_seconds() - sent_at[acked];
            acked++;
        }
    }
    const double passed = wall_seconds() - wall, used = cpu_seconds() - cpu, gigabytes = (double)(requests * batch) / 1e9;
    qsort(sent_at, requests, sizeof(double), later);
    printf("batches %zu of %zu B  bytes %zu  acks %d  depth %d  wall %.3f s  %.1f MB/s  latency p50 %.3f ms p99 %.3f ms  own cpu %.3f s\n",
           requests, batch, requests * batch, options.acks, options.depth, passed, gigabytes * 1000 / passed,
           sent_at[requests / 2] * 1000, sent_at[requests * 99 / 100] * 1000, used);
    if (options.pid) {
        const double spent = cpu_of(options.pid) - broker_cpu;
        printf("broker (pid %d) cpu %.3f s  cpu/GB %.3f s\n", options.pid, spent, spent / gigabytes);
    }
}
