/* Memory: overflow-checked allocation with a hook for tests. See memory.h. */
#include "memory.h"

#include <string.h>

#ifdef PTD_TEST_ALLOCATOR
#define SYSTEM_MALLOC        ptd_test_malloc
#define SYSTEM_REALLOC       ptd_test_realloc
#define SYSTEM_ALIGNED_ALLOC ptd_test_aligned_alloc
#else
#define SYSTEM_MALLOC        malloc
#define SYSTEM_REALLOC       realloc
#define SYSTEM_ALIGNED_ALLOC aligned_alloc
#endif

enum { LANE_ALIGNMENT = 64 };

static int product_overflows(size_t count, size_t size, size_t *bytes)
{
    return __builtin_mul_overflow(count, size, bytes) || *bytes > SIZE_MAX / 2;
}

void *ptd_allocate(size_t count, size_t size)
{
    size_t bytes;
    if (product_overflows(count, size, &bytes)) {
        return NULL;
    }
    return SYSTEM_MALLOC(bytes ? bytes : 1);
}

void *ptd_allocate_zero(size_t count, size_t size)
{
    void *pointer = ptd_allocate(count, size);
    if (pointer) {
        memset(pointer, 0, count * size);
    }
    return pointer;
}

void *ptd_allocate_aligned(size_t count, size_t size)
{
    size_t bytes;
    if (product_overflows(count, size, &bytes)) {
        return NULL;
    }
    bytes = (bytes / LANE_ALIGNMENT + 1) * LANE_ALIGNMENT;
    void *pointer = SYSTEM_ALIGNED_ALLOC(LANE_ALIGNMENT, bytes);
    if (pointer) {
        memset(pointer, 0, bytes);
    }
    return pointer;
}

void *ptd_reallocate(void *pointer, size_t count, size_t size)
{
    size_t bytes;
    if (product_overflows(count, size, &bytes)) {
        return NULL;
    }
    return SYSTEM_REALLOC(pointer, bytes ? bytes : 1);
}

void ptd_release(void *pointer)
{
    free(pointer);
}
