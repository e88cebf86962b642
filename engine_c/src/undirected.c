/* Undirected view of a pattern: each row merged with the same row of the transpose. */
#include "undirected.h"

#include "memory.h"
#include "status.h"

enum { LEAST_HUB = 1000, HUB_FACTOR = 10 };

static void transpose(const ptd_pattern *pattern, int64_t *start, int32_t *column)
{
    /* `start` has n + 2 places, cleared: counted two places on, filling leaves the starts. */
    int64_t *next = start + 1;
    int64_t entries = pattern->start[pattern->n];
    for (int64_t p = 0; p < entries; p++) {
        next[pattern->column[p] + 1]++;
    }
    for (int32_t i = 0; i < pattern->n; i++) {
        next[i + 1] += next[i];
    }
    for (int32_t i = 0; i < pattern->n; i++) {
        for (int64_t p = pattern->start[i]; p < pattern->start[i + 1]; p++) {
            column[next[pattern->column[p]]++] = i;
        }
    }
}

/* The union of two ascending lists; returns its length. */
static int64_t merge(const int32_t *a, const int32_t *a_end, const int32_t *b, const int32_t *b_end,
                     int32_t *into)
{
    int32_t *out = into;
    while (a < a_end && b < b_end) {
        int32_t x = *a;
        int32_t y = *b;
        *out++ = x < y ? x : y;
        a += x <= y;
        b += y <= x;
    }
    while (a < a_end) {
        *out++ = *a++;
    }
    while (b < b_end) {
        *out++ = *b++;
    }
    return out - into;
}

ptd_status ptd_undirected_create(const ptd_pattern *pattern, ptd_undirected *graph,
                                 ptd_error *error)
{
    ptd_status status = PTD_OK;
    size_t n = (size_t)pattern->n;
    size_t entries = (size_t)pattern->start[n];
    int64_t *reverse_start = NULL;
    int32_t *reverse = NULL;
    *graph = (ptd_undirected){.n = pattern->n};
    reverse_start = ptd_allocate_zero(n + 2, sizeof *reverse_start);
    reverse = ptd_allocate(entries, sizeof *reverse);
    graph->start = ptd_allocate(n + 1, sizeof *graph->start);
    graph->neighbour = ptd_allocate(2 * entries, sizeof *graph->neighbour);
    if (!reverse_start || !reverse || !graph->start || !graph->neighbour) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    transpose(pattern, reverse_start, reverse);
    graph->start[0] = 0;
    for (size_t i = 0; i < n; i++) {
        graph->start[i + 1] =
            graph->start[i] + merge(pattern->column + pattern->start[i],
                                    pattern->column + pattern->start[i + 1],
                                    reverse + reverse_start[i], reverse + reverse_start[i + 1],
                                    graph->neighbour + graph->start[i]);
    }
    graph->is_symmetric = graph->start[n] == pattern->start[n];
out:
    ptd_release(reverse_start);
    ptd_release(reverse);
    if (status != PTD_OK) {
        ptd_undirected_destroy(graph);
    }
    return status;
}

void ptd_undirected_destroy(ptd_undirected *graph)
{
    ptd_release(graph->start);
    ptd_release(graph->neighbour);
    *graph = (ptd_undirected){0};
}

int64_t ptd_hub_degree(int32_t n)
{
    int64_t root = 1;
    while ((root + 1) * (root + 1) <= n) {
        root++;
    }
    return HUB_FACTOR * root > LEAST_HUB ? HUB_FACTOR * root : LEAST_HUB;
}
