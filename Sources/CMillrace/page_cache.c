#define _GNU_SOURCE
#include "CMillrace.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

int millrace_byte_is_cached(int descriptor, int64_t position) {
    char byte;
    struct iovec vector = {&byte, 1};
    return preadv2(descriptor, &vector, 1, position, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

void millrace_drop_from_cache(int descriptor, int64_t position, int64_t count) {
    posix_fadvise(descriptor, position, count, POSIX_FADV_DONTNEED);
}

void millrace_thread_idle_io(void) {
    // IOPRIO_WHO_PROCESS, this thread; class 3 (idle) stands in the upper bits.
    syscall(SYS_ioprio_set, 1, 0, 3 << 13);
}

int millrace_sync_file_system(int descriptor) { return syncfs(descriptor); }
