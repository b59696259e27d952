// Stands before glibc's allocator in a test process and counts what each thread asks for.
// Blocks come from glibc itself, so free() needs no counterpart here.
#include "CAllocationCount.h"
#include <errno.h>
#include <stddef.h>

static __thread uint64_t count;

uint64_t allocation_count(void) { return count; }

// A sanitizer brings an allocator of its own; nothing is counted under it.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t blocks, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
    count += 1;
    return __libc_malloc(bytes);
}

void *calloc(size_t blocks, size_t bytes) {
    count += 1;
    return __libc_calloc(blocks, bytes);
}

void *realloc(void *block, size_t bytes) {
    count += 1;
    return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    count += 1;
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **block, size_t alignment, size_t bytes) {
    *block = aligned_alloc(alignment, bytes);
    return *block == NULL ? ENOMEM : 0;
}
#endif
