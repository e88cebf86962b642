/* Plan: which components are factored, in which order, with which fill.
 *
 * Components of two or more vertices with the same weights (the same edges between vertices in
 * canonical order, the same forms on them, the same exit sums) share one block. Blocks that agree
 * in their edges alone share the work of finding an order and its fill. The plan knows how many
 * bytes the blocks will take, so that a recording that is too large stops early.
 */
#ifndef PTD_PLAN_H
#define PTD_PLAN_H

#include "exits.h"
#include "layout.h"
#include "plan_store.h"
#include "progress.h"
#include "symbolic.h"

typedef struct {
    uint32_t component;   /* the first one with this pattern */
    int64_t n_components; /* so many have it */
    int64_t n_blocks;     /* so many blocks have it */
    int64_t n_edges;
    int32_t *order; /* order[k]: place, in canonical order, of the vertex eliminated k-th */
    ptd_symbolic symbolic;
} ptd_plan_pattern;

typedef struct {
    int64_t n_blocks;
    int64_t n_patterns;
    uint32_t *component_block; /* n_components; PTD_NONE: a single vertex */
    uint32_t *block_component; /* n_blocks: the first one with these weights, ascending */
    uint32_t *block_pattern;   /* n_blocks */
    ptd_plan_pattern *patterns;
    int64_t n_rows; /* of all blocks, as the three below */
    int64_t n_slots;
    int64_t n_entries;
    int64_t bytes; /* of the blocks' arrays without their programs */
} ptd_plan;

/* `max_bytes` bounds `bytes`; beyond it PTD_TRACE_TOO_LARGE with the bytes needed at least in
 * value. Adds every vertex of the layout to `progress`. `store` may be NULL. */
PTD_MUST_CHECK ptd_status ptd_plan_create(const ptd_graph_view *graph, const ptd_layout *layout,
                                          const ptd_exits *exits, const ptd_plan_store *store,
                                          int64_t max_bytes, ptd_progress_meter *progress,
                                          ptd_plan *plan, ptd_error *error);
/* Accepts a zeroed struct; zeroes it. */
void ptd_plan_destroy(ptd_plan *plan);

#endif
