/* Layout: boundary, components, start. See layout.h. */
#include "layout.h"

#include "components.h"
#include "memory.h"
#include "status.h"

/* Vertices sorted by strong component, ascending; `start` (n + 1) is scratch. */
static void sort_by_component(int64_t n, const int32_t *strong, uint32_t *start, uint32_t *sorted)
{
    for (int64_t c = 0; c <= n; c++) {
        start[c] = 0;
    }
    for (int64_t v = 0; v < n; v++) {
        start[strong[v] + 1]++;
    }
    for (int64_t c = 0; c < n; c++) {
        start[c + 1] += start[c];
    }
    for (int64_t v = 0; v < n; v++) {
        sorted[start[strong[v]]++] = (uint32_t)v;
    }
}

/* level[component] = edges between components on the longest path to the boundary. `sorted` gives
 * downstream components first. Returns the number of levels. */
static uint32_t find_levels(const ptd_graph_view *graph, const int32_t *strong,
                            const uint32_t *sorted, uint32_t *level)
{
    uint32_t n_levels = 1;
    for (int64_t c = 0; c < graph->n_vertices; c++) {
        level[c] = 0;
    }
    for (int64_t k = 0; k < graph->n_vertices; k++) {
        const uint32_t v = sorted[k];
        for (int64_t e = graph->edge_start[v]; e < graph->edge_start[v + 1]; e++) {
            const int32_t to = strong[graph->edge_to[e]];
            if (to != strong[v] && level[to] >= level[strong[v]]) {
                level[strong[v]] = level[to] + 1;
            }
        }
        if (level[strong[v]] >= n_levels) {
            n_levels = level[strong[v]] + 1;
        }
    }
    return n_levels;
}

/* Numbers the strong components that are solved by level, in a level by their first vertex, the
 * start's last: what a component needs was then computed a short while ago and is in the cache.
 * `first` (n_levels + 1) is scratch. */
static void number_components(const ptd_graph_view *graph, const int32_t *strong,
                              const uint32_t *level, uint32_t n_levels, uint32_t *first,
                              uint32_t *number, ptd_layout *layout)
{
    const int64_t n = graph->n_vertices;
    for (uint32_t l = 0; l <= n_levels; l++) {
        first[l] = 0;
    }
    for (int64_t c = 0; c < n; c++) {
        number[c] = PTD_NONE;
    }
    for (int64_t v = 0; v < n; v++) {
        const int32_t c = strong[v];
        if (graph->vertex_class[v] == PTD_VERTEX_TRANSIENT && number[c] == PTD_NONE) {
            number[c] = 0;
            first[level[c] + 1]++;
        }
    }
    for (uint32_t l = 0; l < n_levels; l++) {
        first[l + 1] += first[l];
    }
    const uint32_t count = first[n_levels];
    for (int64_t c = 0; c < n; c++) {
        number[c] = PTD_NONE;
    }
    for (int64_t v = 0; v < n; v++) {
        const int32_t c = strong[v];
        if (graph->vertex_class[v] == PTD_VERTEX_TRANSIENT && number[c] == PTD_NONE) {
            number[c] = first[level[c]]++;
        }
    }
    number[strong[0]] = count;
    layout->n_components = (int64_t)count + 1;
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
    uint32_t *level = NULL;
    uint32_t *sorted = NULL;
    uint32_t *scratch = NULL;
    int32_t n_strong = 0;
    *layout = (ptd_layout){.n_vertices = graph->n_vertices};
    strong = ptd_allocate(n, sizeof *strong);
    number = ptd_allocate(n, sizeof *number);
    level = ptd_allocate(n, sizeof *level);
    sorted = ptd_allocate(n, sizeof *sorted);
    scratch = ptd_allocate(n + 1, sizeof *scratch);
    layout->vertex = ptd_allocate(n, sizeof *layout->vertex);
    layout->place = ptd_allocate(n, sizeof *layout->place);
    layout->component = ptd_allocate(n, sizeof *layout->component);
    if (!strong || !number || !level || !sorted || !scratch || !layout->vertex || !layout->place ||
        !layout->component) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    status = ptd_strong_components((int32_t)n, graph->edge_start, graph->edge_to, strong, &n_strong,
                                   error);
    if (status != PTD_OK) {
        goto out;
    }
    sort_by_component((int64_t)n, strong, scratch, sorted);
    const uint32_t n_levels = find_levels(graph, strong, sorted, level);
    number_components(graph, strong, level, n_levels, scratch, number, layout);
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
    ptd_release(level);
    ptd_release(sorted);
    ptd_release(scratch);
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
