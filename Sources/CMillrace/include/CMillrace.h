#ifndef CMILLRACE_H
#define CMILLRACE_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `count` bytes, continuing from `crc` (0 to begin). Uses the CPU's instruction where it has one.
uint32_t millrace_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same sum by table alone, for CPUs without the instruction and for tests that compare the two.
uint32_t millrace_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#endif
