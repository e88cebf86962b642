/* Small graphs written out edge by edge, for tests of evaluation. */
#ifndef SMALL_GRAPHS_H
#define SMALL_GRAPHS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ptd.h"

typedef struct {
    int64_t from; /* 0: the start */
    int64_t to;
    double base;
    double coefficient[2];
} small_edge;

/* Vertices 1..n_vertices - 1 keep their numbers, as they have no states. Two parameters. */
static inline ptd_elimination_trace *small_trace(ptd_kind kind, int64_t n_vertices,
                                                 const small_edge *edges, int64_t n_edges,
                                                 int32_t improper)
{
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {0};
    ptd_status status = ptd_graph_create(kind, 2, 0, &graph, &error);
    if (!status) {
        status = ptd_graph_add_vertices(graph, n_vertices - 1, NULL, &error);
    }
    for (int64_t e = 0; e < n_edges && !status; e++) {
        status = ptd_graph_add_edge(graph, edges[e].from, edges[e].to, edges[e].base,
                                    edges[e].coefficient, &error);
    }
    if (!status) {
        status = ptd_graph_freeze(graph, improper, &error);
    }
    if (!status) {
        status = ptd_record_elimination_trace(graph, NULL, &trace, &error);
    }
    if (status) {
        fprintf(stderr, "a small graph: %s\n", ptd_status_name(status));
        exit(2);
    }
    ptd_graph_destroy(graph);
    return trace;
}

static inline ptd_workspace *workspace_for(const ptd_elimination_trace *trace, int32_t max_order,
                                           int32_t max_rewards, int32_t gradient, int64_t n_thetas,
                                           const char *instruction_set)
{
    const ptd_workspace_options options = {
        .max_order = max_order,
        .max_rewards = max_rewards,
        .gradient = gradient,
        .n_thetas = n_thetas,
        .instruction_set = instruction_set,
    };
    ptd_workspace *workspace = NULL;
    ptd_error error = {0};
    if (ptd_workspace_create(trace, &options, &workspace, &error)) {
        fprintf(stderr, "a workspace: %s\n", ptd_status_name(error.status));
        exit(2);
    }
    return workspace;
}

static inline int close_to(double found, double expected, double relative)
{
    return fabs(found - expected) <= relative * fabs(expected);
}

#endif
