/* Nested dissection: which vertices of an undirected graph part the others, level by level. */
#ifndef PTD_DISSECTION_H
#define PTD_DISSECTION_H

#include "undirected.h"

typedef struct {
    int32_t leaf;   /* no graph of at most so many vertices is parted */
    int32_t trials; /* for each separator */
    uint64_t seed;
} ptd_dissection_options;

/* stage[n]: 0 for vertices of the leaves, then separators by level, those of the whole graph
 * highest; *n_stages receives one more than that. For ptd_greedy_order. */
PTD_MUST_CHECK ptd_status ptd_dissect(const ptd_undirected *graph,
                                      const ptd_dissection_options *options, int32_t *stage,
                                      int32_t *n_stages, int64_t *work, ptd_error *error);

#endif
