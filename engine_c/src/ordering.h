/* Ordering: in which order the vertices of one strong component are eliminated.
 *
 * The pattern is unsymmetric: edge i -> j is an entry in row i. Eliminating v joins every remaining
 * predecessor to every remaining successor of v. The cost of an order is the number of
 * multiply-adds of that elimination, off-diagonal and exit updates (every vertex is taken to have
 * an exit): for each v, predecessors x (successors + 1) - (pairs with predecessor == successor).
 */
#ifndef PTD_ORDERING_H
#define PTD_ORDERING_H

#include "ptd.h"

/* Changes whenever any order may change: it is part of the trace key. */
enum { PTD_ORDERING_VERSION = 1 };

typedef struct {
    int32_t n;             /* vertices, >= 2 */
    const int64_t *start;  /* n + 1 */
    const int32_t *column; /* start[n] columns, sorted in each row, no diagonal */
} ptd_pattern;

/* order[k] is the vertex eliminated k-th. Deterministic: the same pattern gives the same order on
 * every machine (no clocks, no thread counts, no addresses). */
PTD_MUST_CHECK ptd_status ptd_order_component(const ptd_pattern *pattern, int32_t *order,
                                              ptd_error *error);

#endif
