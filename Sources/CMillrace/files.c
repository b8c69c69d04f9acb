#define _GNU_SOURCE
#include "CMillrace.h"
#include <fcntl.h>

int millrace_direct_flag(void) { return O_DIRECT; }
