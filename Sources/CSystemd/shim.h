#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

/// Has the kernel end this process when the thread that started it is gone. (`prctl` is variadic, which Swift can't call.)
static inline int millrace_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

// GNU's, which Swift's Glibc doesn't show.
extern int pipe2(int ends[2], int flags);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
