// The agent's innermost loop: a block of lines becomes records of a batch (message format v2), each line copied once.

#include "CMillrace.h"
#include <string.h>

static inline uint64_t zigzag(int64_t value) { return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63); }

static inline size_t varint_size(uint64_t zigzagged) { return (size_t)(70 - __builtin_clzll(zigzagged | 1)) / 7; }

static inline uint8_t *put_varint(uint8_t *place, uint64_t zigzagged) {
    while (zigzagged >= 0x80) {
        *place++ = (uint8_t)zigzagged | 0x80;
        zigzagged >>= 7;
    }
    *place++ = (uint8_t)zigzagged;
    return place;
}

void millrace_append_lines(millrace_batch *batch, millrace_lines *lines) {
    const uint8_t *line = lines->bytes;
    const uint8_t *const end = line + lines->count;
    uint8_t *place = batch->bytes + batch->size;
    uint8_t *const limit = batch->bytes + batch->limit;
    int32_t count = batch->count;
    const uint64_t timestamp_delta = count ? zigzag(lines->timestamp - batch->base_timestamp) : 0;
    const size_t fixed = 1 + varint_size(timestamp_delta) + lines->key_field_count + lines->headers_count;
    lines->needed = 0;

    while (line < end) {
        const uint8_t *const newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) break;
        const size_t value = (size_t)(newline - line);
        const uint64_t value_length = (uint64_t)value << 1, offset_delta = (uint64_t)(uint32_t)count << 1;
        const size_t body = fixed + varint_size(offset_delta) + varint_size(value_length) + value;
        const size_t total = varint_size((uint64_t)body << 1) + body;
        if (total > (size_t)(limit - place)) {
            lines->needed = total;
            break;
        }
        place = put_varint(place, (uint64_t)body << 1);
        *place++ = 0;  // attributes
        place = put_varint(place, timestamp_delta);
        place = put_varint(place, offset_delta);
        memcpy(place, lines->key_field, lines->key_field_count);
        place = put_varint(place + lines->key_field_count, value_length);
        memcpy(place, line, value);
        memcpy(place + value, lines->headers, lines->headers_count);
        place += value + lines->headers_count;
        line = newline + 1;
        count++;
    }

    if (count > batch->count) {
        if (batch->count == 0) batch->base_timestamp = batch->max_timestamp = lines->timestamp;
        if (lines->timestamp > batch->max_timestamp) batch->max_timestamp = lines->timestamp;
    }
    lines->taken_lines = (size_t)(count - batch->count);
    lines->taken_bytes = (size_t)(line - lines->bytes);
    batch->count = count;
    batch->size = (size_t)(place - batch->bytes);
}
