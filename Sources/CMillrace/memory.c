#define _GNU_SOURCE
#include "CMillrace.h"
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void millrace_memory_keep_small(void) {
    mallopt(M_ARENA_MAX, 2);
    // A batch comes from the heap, not from a mapping of its own that is filled with zeros each time.
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

static int forget_code(struct dl_phdr_info *object, size_t size, void *page_bytes) {
    (void)size;
    if (strstr(object->dlpi_name, "vdso")) return 0;
    const uintptr_t page = *(const uintptr_t *)page_bytes;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *const part = &object->dlpi_phdr[i];
        // Never written, so nothing is lost: what is needed again comes from the page cache.
        if (part->p_type != PT_LOAD || part->p_flags & PF_W) continue;
        const uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
        const uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_filesz) & ~(page - 1);
        if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void millrace_memory_give_back(void) {
    malloc_trim(0);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(forget_code, &page);
}
