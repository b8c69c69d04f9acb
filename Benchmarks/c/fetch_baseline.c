// The yardstick for catch-up fetches: the least that must be done to hand out what stands in a file. One connection, one thread: read a small
// request, answer with its length and a stretch of the file by sendfile.

#include "common.h"
#include <fcntl.h>
#include <sys/sendfile.h>

static const char usage[] =
    "usage: fetch_baseline [-l HOST:PORT] FILE\n"
    "\n"
    "Takes one connection of fetch_load (with -r), and answers each request (position u64, bytes u32) with those bytes of FILE, until the\n"
    "peer closes. Then prints the bytes and the CPU seconds.\n"
    "\n"
    "  -l HOST:PORT  where to listen (127.0.0.1:9192)\n"
    "\n"
    "example: fetch_baseline /tmp/segment.log & fetch_load -r -a 127.0.0.1:9192 -b 4g\n";

int main(int count, char **arguments) {
    const char *address = "127.0.0.1:9192";
    for (int option; (option = getopt(count, arguments, "l:h")) != -1;) {
        if (option == 'l') address = optarg;
        else return fputs(usage, option == 'h' ? stdout : stderr), option == 'h' ? 0 : 2;
    }
    if (optind + 1 != count) return fputs(usage, stderr), 2;
    const int file = open(arguments[optind], O_RDONLY);
    if (file < 0) die("%s: %s", arguments[optind], strerror(errno));
    const off_t size = lseek(file, 0, SEEK_END);

    const int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct addrinfo *const where = parse_address(address);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, where->ai_addr, where->ai_addrlen) || listen(listener, 1)) die("%s: %s", address, strerror(errno));
    const int peer = accept(listener, NULL, NULL);
    if (peer < 0) die("accept: %s", strerror(errno));
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    uint8_t request[12], length[4];
    unsigned long long sent = 0;
    size_t have = 0, requests = 0;
    const double cpu = cpu_seconds(), wall = wall_seconds();
    for (;;) {
        const ssize_t got = read(peer, request + have, sizeof request - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) die("read: %s", strerror(errno));
        if (got == 0) break;
        have += (size_t)got;
        if (have < sizeof request) continue;
        have = 0;
        off_t position = (off_t)get(request, 8);
        size_t bytes = get(request + 8, 4);
        if (position > size) position = size;
        if ((off_t)bytes > size - position) bytes = (size_t)(size - position);
        put(length, bytes, 4);
        send(peer, length, sizeof length, MSG_MORE);
        for (size_t left = bytes; left > 0;) {
            const ssize_t done = sendfile(peer, file, &position, left);
            if (done <= 0 && errno != EINTR) die("sendfile: %s", strerror(errno));
            if (done > 0) left -= (size_t)done;
        }
        sent += bytes;
        requests++;
    }
    const double used = cpu_seconds() - cpu, passed = wall_seconds() - wall, gigabytes = (double)sent / 1e9;
    printf("requests %zu  bytes %llu  wall %.3f s  cpu %.3f s  cpu/GB %.3f s\n", requests, sent, passed, used,
           gigabytes > 0 ? used / gigabytes : 0);
}
