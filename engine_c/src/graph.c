/* Graph: vertices and edges as they are added. freeze.c makes the canonical graph of them. */
#include "graph.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "status.h"

/* Vertex numbers are stored in 32 bits, signed; edge numbers in 32 bits, PTD_NONE excepted. */
static const int64_t MOST_VERTICES = INT32_MAX - 1;
static const int64_t MOST_EDGES = (int64_t)UINT32_MAX - 1;

enum { FIRST_CAPACITY = 16 };

ptd_status ptd_graph_create(ptd_kind kind, int32_t n_parameters, int32_t state_length,
                            ptd_graph **graph, ptd_error *error)
{
    *graph = NULL;
    if (kind != PTD_CONTINUOUS && kind != PTD_DISCRETE) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 0, (double)kind);
    }
    if (n_parameters < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, (double)n_parameters);
    }
    if (state_length < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, (double)state_length);
    }
    ptd_graph *made = ptd_allocate_zero(1, sizeof *made);
    if (!made) {
        goto no_memory;
    }
    made->kind = kind;
    made->n_parameters = n_parameters;
    made->state_length = state_length;
    made->n_vertices = 1;
    made->vertex_capacity = 1;
    made->states = ptd_allocate_zero((size_t)state_length, sizeof *made->states);
    made->all_parameters = ptd_allocate((size_t)n_parameters, sizeof *made->all_parameters);
    if (!made->states || !made->all_parameters) {
        goto no_memory;
    }
    for (int32_t p = 0; p < n_parameters; p++) {
        made->all_parameters[p] = (uint32_t)p;
    }
    *graph = made;
    return PTD_OK;
no_memory:
    ptd_graph_destroy(made);
    return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
}

void ptd_frozen_clear(ptd_frozen *frozen)
{
    ptd_release(frozen->states);
    ptd_release(frozen->vertex_class);
    ptd_release(frozen->added_order);
    ptd_release(frozen->edge_start);
    ptd_release(frozen->edge_to);
    ptd_release(frozen->edge_form);
    ptd_release(frozen->form_base);
    ptd_release(frozen->form_start);
    ptd_release(frozen->form_parameter);
    ptd_release(frozen->form_coefficient);
    memset(frozen, 0, sizeof *frozen);
}

void ptd_graph_destroy(ptd_graph *graph)
{
    if (graph) {
        ptd_release(graph->states);
        ptd_release(graph->edge_from);
        ptd_release(graph->edge_to);
        ptd_release(graph->edge_form);
        ptd_release(graph->all_parameters);
        ptd_forms_clear(&graph->forms);
        ptd_frozen_clear(&graph->frozen);
        ptd_release(graph);
    }
}

int64_t ptd_graph_vertex_count(const ptd_graph *graph)
{
    return graph->n_vertices;
}

/* At least `needed`, growing by half so that adding one by one stays linear. */
static int64_t grown_capacity(int64_t capacity, int64_t needed)
{
    int64_t grown = capacity + capacity / 2;
    if (grown < FIRST_CAPACITY) {
        grown = FIRST_CAPACITY;
    }
    return grown < needed ? needed : grown;
}

ptd_status ptd_graph_add_vertices(ptd_graph *graph, int64_t count, const int32_t *states,
                                  ptd_error *error)
{
    if (graph->is_frozen) {
        return ptd_fail(error, PTD_GRAPH_FROZEN, -1, 0);
    }
    if (count < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, (double)count);
    }
    if (count > MOST_VERTICES - graph->n_vertices) {
        return ptd_fail(error, PTD_GRAPH_TOO_LARGE, -1, (double)MOST_VERTICES);
    }
    size_t row = (size_t)graph->state_length * sizeof *states;
    if (row > 0 && count > 0) {
        if (!states) {
            return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, 0);
        }
        int64_t needed = graph->n_vertices + count;
        if (needed > graph->vertex_capacity) {
            int64_t capacity = grown_capacity(graph->vertex_capacity, needed);
            int32_t *grown = ptd_reallocate(graph->states, (size_t)capacity, row);
            if (!grown) {
                return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
            }
            graph->states = grown;
            graph->vertex_capacity = capacity;
        }
        memcpy(graph->states + graph->n_vertices * graph->state_length, states,
               (size_t)count * row);
    }
    graph->n_vertices += count;
    return PTD_OK;
}

static ptd_status reserve_edges(ptd_graph *graph, int64_t count, ptd_error *error)
{
    if (count > MOST_EDGES - graph->n_edges) {
        return ptd_fail(error, PTD_GRAPH_TOO_LARGE, -1, (double)MOST_EDGES);
    }
    int64_t needed = graph->n_edges + count;
    if (needed <= graph->edge_capacity) {
        return PTD_OK;
    }
    int64_t capacity = grown_capacity(graph->edge_capacity, needed);
    uint32_t **arrays[] = {&graph->edge_from, &graph->edge_to, &graph->edge_form};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
        uint32_t *grown = ptd_reallocate(*arrays[k], (size_t)capacity, sizeof *grown);
        if (!grown) {
            return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
        }
        *arrays[k] = grown;
    }
    graph->edge_capacity = capacity;
    return PTD_OK;
}

static inline ptd_status check_ends(const ptd_graph *graph, int64_t from, int64_t to, int64_t index,
                                    ptd_error *error)
{
    if (from < 0 || from >= graph->n_vertices) {
        return ptd_fail(error, PTD_GRAPH_VERTEX_RANGE, index, (double)from);
    }
    if (to < 0 || to >= graph->n_vertices) {
        return ptd_fail(error, PTD_GRAPH_VERTEX_RANGE, index, (double)to);
    }
    if (to == 0) {
        return ptd_fail(error, PTD_GRAPH_START_ENTERED, index, (double)from);
    }
    return PTD_OK;
}

static ptd_status check_weight(double base, int64_t length, const double *coefficient,
                               int64_t index, ptd_error *error)
{
    if (!isfinite(base)) {
        return ptd_fail(error, PTD_GRAPH_WEIGHT_NOT_FINITE, index, base);
    }
    int constant = 1;
    for (int64_t k = 0; k < length; k++) {
        if (!isfinite(coefficient[k])) {
            return ptd_fail(error, PTD_GRAPH_WEIGHT_NOT_FINITE, index, coefficient[k]);
        }
        constant &= coefficient[k] == 0.0;
    }
    if (constant && base < 0.0) {
        return ptd_fail(error, PTD_GRAPH_WEIGHT_NEGATIVE, index, base);
    }
    return PTD_OK;
}

static void append_edge(ptd_graph *graph, int64_t from, int64_t to, uint32_t form)
{
    graph->edge_from[graph->n_edges] = (uint32_t)from;
    graph->edge_to[graph->n_edges] = (uint32_t)to;
    graph->edge_form[graph->n_edges] = form;
    graph->n_edges++;
}

ptd_status ptd_graph_add_edges(ptd_graph *graph, int64_t count, const int64_t *from,
                               const int64_t *to, const double *base, const double *coefficients,
                               ptd_error *error)
{
    if (graph->is_frozen) {
        return ptd_fail(error, PTD_GRAPH_FROZEN, -1, 0);
    }
    if (count < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, (double)count);
    }
    ptd_status status = reserve_edges(graph, count, error);
    if (status != PTD_OK) {
        return status;
    }
    int64_t length = coefficients ? graph->n_parameters : 0;
    int64_t edges_before = graph->n_edges;
    const double *last = NULL; /* coefficients of the edge before, whose form is `form` */
    uint32_t form = PTD_NONE;
    for (int64_t k = 0; k < count; k++) {
        status = check_ends(graph, from[k], to[k], k, error);
        if (status != PTD_OK) {
            goto undo;
        }
        const double *own = length > 0 ? coefficients + k * length : NULL;
        int repeated = form != PTD_NONE && base[k] == base[k - 1];
        for (int64_t p = 0; repeated && p < length; p++) {
            repeated = own[p] == last[p];
        }
        if (!repeated) {
            status = check_weight(base[k], length, own, k, error);
            if (status != PTD_OK) {
                goto undo;
            }
            status = ptd_forms_insert(&graph->forms, base[k], length, graph->all_parameters, own,
                                      &form, error);
            if (status != PTD_OK) {
                goto undo;
            }
        }
        last = own;
        append_edge(graph, from[k], to[k], form);
    }
    return PTD_OK;
undo:
    graph->n_edges = edges_before;
    return status;
}

ptd_status ptd_graph_add_edge(ptd_graph *graph, int64_t from, int64_t to, double base,
                              const double *coefficients, ptd_error *error)
{
    return ptd_graph_add_edges(graph, 1, &from, &to, &base, coefficients, error);
}

ptd_status ptd_graph_get_view(const ptd_graph *graph, ptd_graph_view *view, ptd_error *error)
{
    if (!graph->is_frozen) {
        return ptd_fail(error, PTD_GRAPH_NOT_FROZEN, -1, 0);
    }
    const ptd_frozen *frozen = &graph->frozen;
    *view = (ptd_graph_view){
        .kind = graph->kind,
        .n_parameters = graph->n_parameters,
        .state_length = graph->state_length,
        .n_vertices = graph->n_vertices,
        .n_edges = frozen->n_edges,
        .n_forms = frozen->n_forms,
        .n_dropped = frozen->n_dropped,
        .states = frozen->states,
        .vertex_class = frozen->vertex_class,
        .added_order = frozen->added_order,
        .edge_start = frozen->edge_start,
        .edge_to = frozen->edge_to,
        .edge_form = frozen->edge_form,
        .form_base = frozen->form_base,
        .form_start = frozen->form_start,
        .form_parameter = frozen->form_parameter,
        .form_coefficient = frozen->form_coefficient,
    };
    return PTD_OK;
}
