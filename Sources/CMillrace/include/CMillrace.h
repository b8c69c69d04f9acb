#ifndef CMILLRACE_H
#define CMILLRACE_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `count` bytes, continuing from `crc` (0 to begin). Uses the CPU's instruction where it has one.
uint32_t millrace_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The sum of two stretches of bytes, one after the other, from the sum of each; `second_count` is the number of bytes in the second.
uint32_t millrace_crc32c_join(uint32_t first, uint32_t second, uint64_t second_count);

/// The flag of open(2) by which a file's bytes go past the page cache.
int millrace_direct_flag(void);

/// What statx(2) tells of a file; `born` is 0 where the file system doesn't tell. Times in nanoseconds since 1970.
typedef struct {
    uint32_t mode;
    int64_t size;
    uint64_t device;
    uint64_t inode;
    int64_t modified;
    int64_t born;
} millrace_status;

/// Of a path, or of an open file where `path` is null. Returns -1 and sets errno where it can't be told.
int millrace_status_of(int descriptor, const char *path, millrace_status *status);

/// Sets the allocator up for a small process: two arenas, and batches from the heap. To be called before threads are started.
void millrace_memory_keep_small(void);

/// Gives back what starting and quiet hours leave behind: free memory of the heap, and pages of program code, which come back from the page
/// cache when they are run again.
void millrace_memory_give_back(void);

/// The same sum by table alone, for CPUs without the instruction and for tests that compare the two.
uint32_t millrace_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

/// A record batch that is being built: its records stand behind room for the header.
typedef struct {
    uint8_t *bytes;
    size_t size;      // bytes used, header included
    size_t limit;     // `size` may not pass this: the end of the memory, or the batch's own limit
    size_t capacity;  // the memory behind `bytes`
    int32_t count;    // records
    int64_t base_timestamp;
    int64_t max_timestamp;
} millrace_batch;

/// Lines to be appended to a batch, and how far that went.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    int64_t timestamp;
    const uint8_t *key_field;  // the key's length and the key, as they stand in a record
    size_t key_field_count;
    const uint8_t *headers;  // the header count and the headers, as they stand in a record
    size_t headers_count;
    size_t taken_lines;  // out
    size_t taken_bytes;  // out: newlines included
    size_t needed;       // out: the bytes by which the batch is too small for the next line; 0 where no whole line is left
} millrace_lines;

/// Appends every line (a run of bytes that ends in a newline, which is left out) as one record, until the batch's limit.
/// Bytes between `size` and `limit` may be overwritten also where no line was taken.
void millrace_append_lines(millrace_batch *batch, millrace_lines *lines);

/// The same without vector instructions, for other CPUs and for tests that compare the two.
void millrace_append_lines_portable(millrace_batch *batch, millrace_lines *lines);

/// Whether the byte of a file at `position` can be read without waiting for a disk: 0 where it can't, 1 where it can, also where that can't be told
/// or where the file ends before it.
int millrace_byte_is_cached(int descriptor, int64_t position);

/// Asks the kernel to forget the clean pages of a stretch of a file.
void millrace_drop_from_cache(int descriptor, int64_t position, int64_t count);

/// Fetches the cache line of an address that will be read soon.
static inline void millrace_prefetch(const void *address) { __builtin_prefetch(address); }

/// Makes all that was written to the file system of an open file durable (syncfs(2)). 0, or -1 and errno.
int millrace_sync_file_system(int descriptor);

/// The calling thread's reads and writes wait for everybody else's (ioprio_set(2), the idle class), where the disk's scheduler heeds that.
void millrace_thread_idle_io(void);

#endif
