/* Symbolic elimination of one strong component: where fill appears under a given order.
 *
 * Rows are numbered by elimination position. Row i holds L (columns < i), then U (columns > i),
 * both sorted; the diagonal and the exit are not listed.
 */
#ifndef PTD_SYMBOLIC_H
#define PTD_SYMBOLIC_H

#include "ordering.h"

typedef struct {
    int32_t n;
    int64_t *start;  /* n + 1, into column */
    int32_t *lower;  /* n: how many of the row's columns are < i */
    int32_t *column; /* start[n] */
    int64_t multiply_adds;
} ptd_symbolic;

/* `max_entries` bounds start[n]; beyond it PTD_TRACE_TOO_LARGE with the count reached in value. */
PTD_MUST_CHECK ptd_status ptd_symbolic_create(const ptd_pattern *pattern, const int32_t *order,
                                              int64_t max_entries, ptd_symbolic *symbolic,
                                              ptd_error *error);
/* Accepts a zeroed struct; zeroes it. */
void ptd_symbolic_destroy(ptd_symbolic *symbolic);

#endif
