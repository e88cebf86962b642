/* Greedy orderings of an undirected graph: least degree or least fill first, in stages. */
#ifndef PTD_QUOTIENT_GRAPH_H
#define PTD_QUOTIENT_GRAPH_H

#include "undirected.h"

/* What the next vertex has least of, both up to approximations that keep the work near-linear. */
typedef enum {
    PTD_LEAST_DEGREE, /* remaining neighbours */
    PTD_LEAST_FILL    /* pairs of neighbours that its elimination would join anew */
} ptd_greedy_rule;

/* order[k] is the vertex eliminated k-th. `stage` (or NULL: one stage) holds n numbers from 0 on:
 * every vertex of a stage comes before every vertex of the next. Hubs are an exception: they come
 * last of all, so that the work stays bounded.
 * *multiply_adds receives the cost of the order on the symmetric pattern without its hubs.
 * *work grows by the number of list entries looked at. */
PTD_MUST_CHECK ptd_status ptd_greedy_order(const ptd_undirected *graph, ptd_greedy_rule rule,
                                           const int32_t *stage, int32_t *order,
                                           int64_t *multiply_adds, int64_t *work, ptd_error *error);

#endif
