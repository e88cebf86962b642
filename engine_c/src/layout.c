/* Layout: boundary, components, start. See layout.h. */
#include "layout.h"

#include "components.h"
#include "memory.h"
#include "status.h"

/* Numbers the strong components that are solved, in the order found; the start's is the last. */
static void number_components(const ptd_graph_view *graph, const int32_t *strong, uint32_t *number,
                              ptd_layout *layout)
{
    int64_t n = graph->n_vertices;
    for (int64_t v = 0; v < n; v++) {
        if (graph->vertex_class[v] == PTD_VERTEX_TRANSIENT) {
            number[strong[v]] = 0;
        }
    }
    uint32_t count = 0;
    for (int64_t c = 0; c < n; c++) {
        if (number[c] != PTD_NONE) {
            number[c] = count++;
        }
    }
    number[strong[0]] = count++;
    layout->n_components = count;
    for (int64_t v = 0; v < n; v++) {
        layout->component[v] = number[strong[v]];
    }
}

static void place_boundary(const ptd_graph_view *graph, ptd_layout *layout)
{
    uint32_t next = 0;
    for (int64_t v = 0; v < graph->n_vertices; v++) {
        if (graph->vertex_class[v] == PTD_VERTEX_ABSORBING) {
            layout->vertex[next++] = (uint32_t)v;
        }
    }
    layout->n_absorbing = next;
    for (int64_t v = 0; v < graph->n_vertices; v++) {
        if (graph->vertex_class[v] == PTD_VERTEX_DROPPED) {
            layout->vertex[next++] = (uint32_t)v;
        }
    }
    layout->n_boundary = next;
}

/* Counting sort by component: vertices stay in canonical order inside one. */
static void place_components(ptd_layout *layout)
{
    int64_t n = layout->n_vertices;
    int64_t n_components = layout->n_components;
    uint32_t *start = layout->start;
    for (int64_t c = 0; c <= n_components; c++) {
        start[c] = 0;
    }
    for (int64_t v = 0; v < n; v++) {
        if (layout->component[v] != PTD_NONE) {
            start[layout->component[v]]++;
        }
    }
    uint32_t next = (uint32_t)layout->n_boundary;
    for (int64_t c = 0; c <= n_components; c++) {
        uint32_t size = start[c];
        start[c] = next;
        next += size;
    }
    for (int64_t v = 0; v < n; v++) {
        if (layout->component[v] != PTD_NONE) {
            layout->vertex[start[layout->component[v]]++] = (uint32_t)v;
        }
    }
    for (int64_t c = n_components; c > 0; c--) {
        start[c] = start[c - 1];
    }
    start[0] = (uint32_t)layout->n_boundary;
}

ptd_status ptd_layout_create(const ptd_graph_view *graph, ptd_layout *layout, ptd_error *error)
{
    ptd_status status = PTD_OK;
    size_t n = (size_t)graph->n_vertices;
    int32_t *strong = NULL;
    uint32_t *number = NULL;
    int32_t n_strong = 0;
    *layout = (ptd_layout){.n_vertices = graph->n_vertices};
    strong = ptd_allocate(n, sizeof *strong);
    number = ptd_allocate(n, sizeof *number);
    layout->vertex = ptd_allocate(n, sizeof *layout->vertex);
    layout->place = ptd_allocate(n, sizeof *layout->place);
    layout->component = ptd_allocate(n, sizeof *layout->component);
    if (!strong || !number || !layout->vertex || !layout->place || !layout->component) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    status = ptd_strong_components((int32_t)n, graph->edge_start, graph->edge_to, strong, &n_strong,
                                   error);
    if (status != PTD_OK) {
        goto out;
    }
    for (size_t c = 0; c < n; c++) {
        number[c] = PTD_NONE;
    }
    number_components(graph, strong, number, layout);
    layout->start = ptd_allocate((size_t)layout->n_components + 1, sizeof *layout->start);
    if (!layout->start) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    place_boundary(graph, layout);
    place_components(layout);
    for (size_t p = 0; p < n; p++) {
        layout->place[layout->vertex[p]] = (uint32_t)p;
    }
out:
    ptd_release(strong);
    ptd_release(number);
    if (status != PTD_OK) {
        ptd_layout_destroy(layout);
    }
    return status;
}

void ptd_layout_destroy(ptd_layout *layout)
{
    ptd_release(layout->start);
    ptd_release(layout->vertex);
    ptd_release(layout->place);
    ptd_release(layout->component);
    *layout = (ptd_layout){0};
}
