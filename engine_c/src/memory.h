/* Memory: every allocation of the engine passes here, so that tests can make the n-th one fail.
 *
 * Sizes are checked for overflow; a count and an item size are always given apart. In a build with
 * PTD_TEST_ALLOCATOR the three functions at the bottom come from the test program.
 */
#ifndef PTD_MEMORY_H
#define PTD_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* count * size bytes, not cleared; NULL on overflow, on failure; a valid pointer for count 0. */
void *ptd_allocate(size_t count, size_t size);
/* The same, cleared. */
void *ptd_allocate_zero(size_t count, size_t size);
/* The same, cleared, aligned to 64 bytes (vector lanes). Release with ptd_release. */
void *ptd_allocate_aligned(size_t count, size_t size);
/* Grows or shrinks; on failure returns NULL and leaves `pointer` valid. Never for aligned memory.
 */
void *ptd_reallocate(void *pointer, size_t count, size_t size);
/* Accepts NULL. */
void ptd_release(void *pointer);

#ifdef PTD_TEST_ALLOCATOR
void *ptd_test_malloc(size_t bytes);
void *ptd_test_realloc(void *pointer, size_t bytes);
void *ptd_test_aligned_alloc(size_t alignment, size_t bytes);
#endif

#endif
