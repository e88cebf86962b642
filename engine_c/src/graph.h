/* Graph: what the files that build, freeze and record a graph see of it. See ptd.h.
 *
 * Before freezing, vertices and edges lie in the order they were added in, and an edge is 12 bytes:
 * its ends and the number of its form. Freezing replaces them by the canonical arrays.
 */
#ifndef PTD_GRAPH_H
#define PTD_GRAPH_H

#include "forms.h"
#include "ptd.h"

/* The arrays behind a ptd_graph_view. A zeroed struct holds nothing. */
typedef struct {
    int64_t n_edges;
    int64_t n_forms;
    int64_t n_dropped;
    int32_t *states;
    uint8_t *vertex_class;
    int64_t *added_order;
    int64_t *edge_start;
    int32_t *edge_to;
    uint32_t *edge_form;
    double *form_base;
    int64_t *form_start;
    uint32_t *form_parameter;
    double *form_coefficient;
} ptd_frozen;

struct ptd_graph {
    ptd_kind kind;
    int32_t n_parameters;
    int32_t state_length;
    int32_t is_frozen;
    int64_t n_vertices;

    /* As added; released when frozen. */
    int64_t vertex_capacity;
    int64_t n_edges;
    int64_t edge_capacity;
    int32_t *states;
    uint32_t *edge_from;
    uint32_t *edge_to;
    uint32_t *edge_form;
    ptd_forms forms;
    uint32_t *all_parameters; /* 0, 1, .., n_parameters - 1 */

    ptd_frozen frozen;
};

/* Releases what it holds and empties it. */
void ptd_frozen_clear(ptd_frozen *frozen);

#endif
