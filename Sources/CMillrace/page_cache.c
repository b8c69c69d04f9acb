#define _GNU_SOURCE
#include "CMillrace.h"

#include <errno.h>
#include <sys/uio.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

int millrace_byte_is_cached(int descriptor, int64_t position) {
    char byte;
    struct iovec vector = {&byte, 1};
    return preadv2(descriptor, &vector, 1, position, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}
