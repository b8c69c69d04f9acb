// What the C yardsticks share: big-endian fields, CPU seconds, addresses, errors that end the program.

#ifndef COMMON_H
#define COMMON_H

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static inline uint8_t *put(uint8_t *place, uint64_t value, int bytes) {
    while (bytes--) *place++ = (uint8_t)(value >> (8 * bytes));
    return place;
}

static inline uint8_t *put_string(uint8_t *place, const char *text) {
    const size_t length = strlen(text);
    place = put(place, length, 2);
    memcpy(place, text, length);
    return place + length;
}

static inline uint64_t get(const uint8_t *place, int bytes) {
    uint64_t value = 0;
    while (bytes--) value = value << 8 | *place++;
    return value;
}

static inline double wall_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/// User and system time of this process.
static inline double cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/// `1048576`, `64k`, `2m` or `1g`.
static inline size_t parse_size(const char *text) {
    char *end;
    size_t size = strtoull(text, &end, 10);
    if (*end == 'k' || *end == 'K') size <<= 10, end++;
    else if (*end == 'm' || *end == 'M') size <<= 20, end++;
    else if (*end == 'g' || *end == 'G') size <<= 30, end++;
    if (*end || end == text) die("not a size: %s", text);
    return size;
}

/// The address behind `HOST:PORT`.
static inline struct addrinfo *parse_address(const char *text) {
    char host[256];
    const char *const colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host) die("expected HOST:PORT, found %s", text);
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    const int status = getaddrinfo(host, colon + 1, &hints, &found);
    if (status) die("%s: %s", text, gai_strerror(status));
    return found;
}

static inline void write_all(int socket, const uint8_t *bytes, size_t count) {
    while (count) {
        const ssize_t written = write(socket, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) die("write: %s", strerror(errno));
        bytes += written;
        count -= (size_t)written;
    }
}

static inline void read_all(int socket, uint8_t *bytes, size_t count) {
    while (count) {
        const ssize_t got = read(socket, bytes, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) die("the peer closed the connection%s%s", got ? ": " : "", got ? strerror(errno) : "");
        bytes += got;
        count -= (size_t)got;
    }
}

#endif
