/* Minimum degree in stages, on an undirected graph. */
#ifndef PTD_MINIMUM_DEGREE_H
#define PTD_MINIMUM_DEGREE_H

#include "undirected.h"

/* order[k] is the vertex eliminated k-th. `stage` (or NULL: one stage) holds n numbers from 0 on:
 * every vertex of a stage comes before every vertex of the next. Hubs are an exception: they come
 * last of all, so that the work stays bounded.
 * *multiply_adds receives the cost of the order on the symmetric pattern, -1 where there are hubs
 * (then it is not known). */
PTD_MUST_CHECK ptd_status ptd_minimum_degree(const ptd_undirected *graph, const int32_t *stage,
                                             int32_t *order, int64_t *multiply_adds,
                                             ptd_error *error);

#endif
