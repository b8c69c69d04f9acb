#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

// A macro with a cast, which Swift doesn't show.
static inline size_t millrace_pcre2_unset(void) { return PCRE2_UNSET; }
