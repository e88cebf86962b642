/* Layout: the sequence in which a graph is solved, as far as its components decide it.
 *
 * First the boundary (absorbing vertices, then dropped ones, each in canonical order), then the
 * strong components of the transient vertices level by level (downstream first), the start last, as
 * a component of its own. Here a component's vertices stand in canonical order; the plan permutes
 * them inside it. Nothing but the canonical graph decides the result.
 */
#ifndef PTD_LAYOUT_H
#define PTD_LAYOUT_H

#include "ptd.h"

typedef struct {
    int64_t n_vertices;
    int64_t n_absorbing;
    int64_t n_boundary;   /* absorbing and dropped */
    int64_t n_components; /* of transient vertices, and the start */
    uint32_t *start;      /* n_components + 1, into vertex; start[0] == n_boundary */
    uint32_t *vertex;     /* n_vertices */
    uint32_t *place;      /* n_vertices: the inverse of vertex */
    uint32_t *component;  /* n_vertices: PTD_NONE on the boundary */
} ptd_layout;

PTD_MUST_CHECK ptd_status ptd_layout_create(const ptd_graph_view *graph, ptd_layout *layout,
                                            ptd_error *error);
/* Accepts a zeroed struct; zeroes it. */
void ptd_layout_destroy(ptd_layout *layout);

#endif
