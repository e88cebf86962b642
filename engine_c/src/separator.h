/* Vertex separators: a small set of vertices whose removal falls an undirected graph apart. */
#ifndef PTD_SEPARATOR_H
#define PTD_SEPARATOR_H

#include "ptd.h"

/* Neighbours of vertex v: neighbour[start[v] .. start[v + 1]], each edge in both rows. */
typedef struct {
    int32_t n;
    int32_t *start;     /* n + 1 */
    int32_t *neighbour; /* start[n] */
    int32_t *joint;     /* start[n]: weight of the edge */
    int32_t *weight;    /* n: of the vertex, > 0 */
    int32_t total;      /* of the vertices */
} ptd_weighted_graph;

enum { PTD_FIRST_SIDE = 0, PTD_SECOND_SIDE = 1, PTD_SEPARATOR = 2 };

/* side[n] receives PTD_FIRST_SIDE, PTD_SECOND_SIDE or PTD_SEPARATOR; no edge joins the two sides.
 * A side can be empty where the graph cannot be parted. The best of `trials` attempts; `seed`
 * decides ties. *work grows by the number of edges looked at. */
PTD_MUST_CHECK ptd_status ptd_find_separator(const ptd_weighted_graph *graph, int32_t trials,
                                             uint64_t seed, uint8_t *side, int64_t *work,
                                             ptd_error *error);

#endif
