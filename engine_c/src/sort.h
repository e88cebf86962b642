/* Sorting of 64-bit keys, ascending, in place: insertion for the short runs that edge lists are,
 * heap sort (J. W. J. Williams, Comm. ACM 7, 1964) above, so that no input is quadratic. */
#ifndef PTD_SORT_H
#define PTD_SORT_H

#include <stddef.h>
#include <stdint.h>

void ptd_sort_keys(uint64_t *keys, size_t count);

#endif
