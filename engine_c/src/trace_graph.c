/* Graph of a trace: the frozen graph that was recorded, read back from the arrays.
 *
 * A trace keeps every edge of its graph, by position and class; two stable counting sorts, by
 * target and then by source, put them back into canonical order. Nothing is classified or merged
 * again: the positions say what each vertex is. So the content hash of a trace from anywhere costs
 * a few linear passes and the hashing.
 */
#include "trace_graph.h"

#include "content_key.h"
#include "graph.h"
#include "memory.h"
#include "status.h"

#include <string.h>

static ptd_status allocate_frozen(const ptd_trace_meta *meta, int64_t n_entries, ptd_frozen *frozen,
                                  ptd_error *error)
{
    const size_t n = (size_t)meta->n_vertices;
    const size_t m = (size_t)meta->n_edges;
    const size_t n_forms = (size_t)meta->n_forms;
    frozen->vertex_class = ptd_allocate(n, sizeof *frozen->vertex_class);
    frozen->added_order = ptd_allocate(n, sizeof *frozen->added_order);
    frozen->edge_start = ptd_allocate_zero(n + 1, sizeof *frozen->edge_start);
    frozen->edge_to = ptd_allocate(m, sizeof *frozen->edge_to);
    frozen->edge_form = ptd_allocate(m, sizeof *frozen->edge_form);
    frozen->form_base = ptd_allocate(n_forms, sizeof *frozen->form_base);
    frozen->form_start = ptd_allocate(n_forms + 1, sizeof *frozen->form_start);
    frozen->form_parameter = ptd_allocate((size_t)n_entries, sizeof *frozen->form_parameter);
    frozen->form_coefficient = ptd_allocate((size_t)n_entries, sizeof *frozen->form_coefficient);
    if (!frozen->vertex_class || !frozen->added_order || !frozen->edge_start || !frozen->edge_to ||
        !frozen->edge_form || !frozen->form_base || !frozen->form_start ||
        !frozen->form_parameter || !frozen->form_coefficient) {
        return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
    }
    return PTD_OK;
}

static void read_vertices(const ptd_trace_meta *meta, const ptd_array *arrays, ptd_frozen *frozen)
{
    const uint32_t *vertex = ptd_array_u32(arrays, PTD_POSITION_VERTEX);
    frozen->n_dropped = meta->n_dropped;
    for (int64_t p = 0; p < meta->n_vertices; p++) {
        frozen->added_order[p] = p;
        frozen->vertex_class[vertex[p]] = p < meta->n_absorbing ? PTD_VERTEX_ABSORBING
                                          : p < meta->n_absorbing + meta->n_dropped
                                              ? PTD_VERTEX_DROPPED
                                          : p < meta->n_vertices - 1 ? PTD_VERTEX_TRANSIENT
                                                                     : PTD_VERTEX_START;
    }
}

static void read_forms(const ptd_trace_meta *meta, const ptd_array *arrays, int64_t n_entries,
                       ptd_frozen *frozen)
{
    const uint32_t *start = ptd_array_u32(arrays, PTD_FORM_START);
    frozen->n_forms = meta->n_forms;
    memcpy(frozen->form_base, arrays[PTD_FORM_BASE].data,
           (size_t)meta->n_forms * sizeof *frozen->form_base);
    for (int64_t f = 0; f <= meta->n_forms; f++) {
        frozen->form_start[f] = start[f];
    }
    if (n_entries > 0) {
        memcpy(frozen->form_parameter, arrays[PTD_FORM_PARAMETER].data,
               (size_t)n_entries * sizeof *frozen->form_parameter);
        memcpy(frozen->form_coefficient, arrays[PTD_FORM_COEFFICIENT].data,
               (size_t)n_entries * sizeof *frozen->form_coefficient);
    }
}

/* From counts in start[1..n] to first places in start[0..n]. */
static void counts_to_starts(int64_t *start, int64_t n)
{
    for (int64_t v = 0; v < n; v++) {
        start[v + 1] += start[v];
    }
}

static ptd_status read_edges(const ptd_trace_meta *meta, const ptd_array *arrays,
                             ptd_frozen *frozen, ptd_error *error)
{
    const int64_t n = meta->n_vertices;
    const size_t m = (size_t)meta->n_edges;
    const uint32_t *vertex = ptd_array_u32(arrays, PTD_POSITION_VERTEX);
    const uint32_t *start = ptd_array_u32(arrays, PTD_EDGE_START);
    const uint32_t *target = ptd_array_u32(arrays, PTD_EDGE_TARGET);
    const uint32_t *form = ptd_array_u32(arrays, PTD_EDGE_FORM);
    ptd_status status = PTD_OK;
    int64_t *to_start = ptd_allocate_zero((size_t)n + 1, sizeof *to_start);
    uint32_t *by_to_from = ptd_allocate(m, sizeof *by_to_from);
    uint32_t *by_to_form = ptd_allocate(m, sizeof *by_to_form);
    if (!to_start || !by_to_from || !by_to_form) {
        status = ptd_fail(error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    frozen->n_edges = meta->n_edges;
    for (int64_t p = 0; p < n; p++) {
        frozen->edge_start[vertex[p] + 1] = start[p + 1] - start[p];
    }
    for (size_t e = 0; e < m; e++) {
        to_start[vertex[target[e]] + 1]++;
    }
    counts_to_starts(frozen->edge_start, n);
    counts_to_starts(to_start, n);
    for (int64_t p = 0; p < n; p++) {
        for (uint32_t e = start[p]; e < start[p + 1]; e++) {
            const int64_t at = to_start[vertex[target[e]]]++;
            by_to_from[at] = vertex[p];
            by_to_form[at] = form[e];
        }
    }
    int64_t at = 0;
    for (int64_t to = 0; to < n; to++) {
        for (; at < to_start[to]; at++) {
            const int64_t place = frozen->edge_start[by_to_from[at]]++;
            frozen->edge_to[place] = (int32_t)to;
            frozen->edge_form[place] = by_to_form[at];
        }
    }
    memmove(frozen->edge_start + 1, frozen->edge_start, (size_t)n * sizeof *frozen->edge_start);
    frozen->edge_start[0] = 0;
done:
    ptd_release(to_start);
    ptd_release(by_to_from);
    ptd_release(by_to_form);
    return status;
}

/* The graph but for its states. */
static ptd_status graph_without_states(const ptd_trace_meta *meta,
                                       const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                       ptd_graph **graph, ptd_error *error)
{
    const int64_t n_entries = ptd_array_u32(arrays, PTD_FORM_START)[meta->n_forms];
    ptd_graph *made = ptd_allocate_zero(1, sizeof *made);
    ptd_status status = PTD_OK;
    if (!made) {
        status = ptd_fail(error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    made->kind = (ptd_kind)meta->kind;
    made->n_parameters = (int32_t)meta->n_parameters;
    made->state_length = (int32_t)meta->state_length;
    made->n_vertices = meta->n_vertices;
    made->is_frozen = 1;
    status = allocate_frozen(meta, n_entries, &made->frozen, error);
    if (status != PTD_OK) {
        goto done;
    }
    read_vertices(meta, arrays, &made->frozen);
    read_forms(meta, arrays, n_entries, &made->frozen);
    status = read_edges(meta, arrays, &made->frozen, error);
    if (status != PTD_OK) {
        goto done;
    }
    *graph = made;
    made = NULL;
done:
    ptd_graph_destroy(made);
    return status;
}

ptd_status ptd_trace_graph(const ptd_trace_meta *meta,
                           const ptd_array arrays[PTD_TRACE_ARRAY_COUNT], ptd_graph **graph,
                           ptd_error *error)
{
    const size_t row = (size_t)meta->state_length * sizeof(int32_t);
    ptd_graph *made = NULL;
    ptd_status status = graph_without_states(meta, arrays, &made, error);
    if (status != PTD_OK) {
        return status;
    }
    made->frozen.states = ptd_allocate((size_t)meta->n_vertices, row);
    if (!made->frozen.states) {
        ptd_graph_destroy(made);
        return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
    }
    if (row > 0) {
        memcpy(made->frozen.states, arrays[PTD_STATES].data, (size_t)meta->n_vertices * row);
    }
    *graph = made;
    return PTD_OK;
}

ptd_status ptd_elimination_trace_graph(const ptd_elimination_trace *trace, ptd_graph **graph,
                                       ptd_error *error)
{
    *graph = NULL;
    return ptd_trace_graph(&trace->meta, trace->arrays, graph, error);
}

ptd_status ptd_trace_hash(const ptd_trace_meta *meta, const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                          uint8_t content[PTD_HASH_BYTES], uint8_t key[PTD_HASH_BYTES],
                          ptd_error *error)
{
    ptd_graph *graph = NULL;
    ptd_status status = graph_without_states(meta, arrays, &graph, error);
    if (status == PTD_OK) {
        /* They are most of a large trace, of which all processes that have it mapped share the
         * pages: no copy is made to hash it. */
        graph->frozen.states = (int32_t *)(uintptr_t)arrays[PTD_STATES].data;
        status = ptd_graph_content_hash(graph, content, error);
        graph->frozen.states = NULL;
    }
    if (status == PTD_OK) {
        ptd_trace_key_of_content(content, (uint32_t)meta->ordering_version, key);
    }
    ptd_graph_destroy(graph);
    return status;
}
