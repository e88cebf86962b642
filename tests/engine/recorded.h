/* Traces of the test models, recorded by the engine. */
#ifndef RECORDED_H
#define RECORDED_H

#include "models.h"
#include "ptd.h"

/* Vertices: the start, the model's states, absorption (whose state is all -1). The start leads to
 * the first state. */
static inline ptd_status recorded_graph(const model *m, ptd_kind kind, ptd_graph **graph,
                                        ptd_error *error)
{
    const double zero_base = 0.0;
    const double one = 1.0;
    int32_t absorbed[MODEL_MAX_LENGTH];
    ptd_status status = ptd_graph_create(kind, m->n_parameters, m->state_length, graph, error);
    for (int k = 0; k < MODEL_MAX_LENGTH; k++) {
        absorbed[k] = -1;
    }
    if (status == PTD_OK) {
        status = ptd_graph_add_vertices(*graph, m->n, m->states, error);
    }
    if (status == PTD_OK) {
        status = ptd_graph_add_vertices(*graph, 1, absorbed, error);
    }
    if (status == PTD_OK) {
        status = ptd_graph_add_edge(*graph, 0, 1, one, NULL, error);
    }
    for (int32_t v = 0; v < m->n; v++) {
        for (int64_t e = m->start[v]; e < m->start[v + 1] && status == PTD_OK; e++) {
            status = ptd_graph_add_edge(*graph, v + 1, m->to[e] + 1, zero_base,
                                        m->coefficient + e * m->n_parameters, error);
        }
    }
    return status == PTD_OK ? ptd_graph_freeze(*graph, 0, error) : status;
}

/* Takes the model. */
static inline ptd_elimination_trace *recorded_trace(model m)
{
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {0};
    ptd_status status = recorded_graph(&m, PTD_CONTINUOUS, &graph, &error);
    if (status == PTD_OK) {
        status = ptd_record_elimination_trace(graph, NULL, &trace, &error);
    }
    if (status != PTD_OK) {
        fprintf(stderr, "recording a test model: %s\n", ptd_status_name(status));
        exit(2);
    }
    ptd_graph_destroy(graph);
    model_destroy(&m);
    return trace;
}

#endif
