/* Undirected view of a pattern: i and j are neighbours when i -> j or j -> i is an entry. */
#ifndef PTD_UNDIRECTED_H
#define PTD_UNDIRECTED_H

#include "ordering.h"

typedef struct {
    int32_t n;
    int64_t *start;     /* n + 1 */
    int32_t *neighbour; /* start[n], ascending in each row, no diagonal */
    int is_symmetric;   /* the pattern has both directions of every edge */
} ptd_undirected;

PTD_MUST_CHECK ptd_status ptd_undirected_create(const ptd_pattern *pattern, ptd_undirected *graph,
                                                ptd_error *error);
/* A vertex with more neighbours than this is a hub: orderings leave hubs to the end, for they would
 * be met again at nearly every elimination. */
int64_t ptd_hub_degree(int32_t n);
/* Accepts a zeroed struct; zeroes it. */
void ptd_undirected_destroy(ptd_undirected *graph);

#endif
