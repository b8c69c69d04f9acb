#define _GNU_SOURCE
#include "CMillrace.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int millrace_direct_flag(void) { return O_DIRECT; }

static int64_t nanoseconds(int64_t seconds, uint32_t rest) { return seconds * 1000000000 + rest; }

int millrace_status_of(int descriptor, const char *path, millrace_status *status) {
    struct statx extended;
    int flags = path == NULL ? AT_EMPTY_PATH : 0;
    int folder = path == NULL ? descriptor : AT_FDCWD;
    if (statx(folder, path == NULL ? "" : path, flags, STATX_BASIC_STATS | STATX_BTIME, &extended) == 0) {
        status->mode = extended.stx_mode;
        status->size = (int64_t)extended.stx_size;
        status->device = makedev(extended.stx_dev_major, extended.stx_dev_minor);
        status->inode = extended.stx_ino;
        status->modified = nanoseconds(extended.stx_mtime.tv_sec, extended.stx_mtime.tv_nsec);
        status->born = extended.stx_mask & STATX_BTIME ? nanoseconds(extended.stx_btime.tv_sec, extended.stx_btime.tv_nsec) : 0;
        return 0;
    }
    // A sandbox may know no statx.
    if (errno != ENOSYS && errno != EPERM) return -1;
    struct stat plain;
    if ((path == NULL ? fstat(descriptor, &plain) : stat(path, &plain)) != 0) return -1;
    status->mode = plain.st_mode;
    status->size = plain.st_size;
    status->device = plain.st_dev;
    status->inode = plain.st_ino;
    status->modified = nanoseconds(plain.st_mtim.tv_sec, (uint32_t)plain.st_mtim.tv_nsec);
    status->born = 0;
    return 0;
}
