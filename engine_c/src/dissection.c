/* Nested dissection (A. George, Nested dissection of a regular finite element mesh, SIAM J. Numer.
 * Anal. 10, 1973): a separator is eliminated after the two parts that it leaves, and the parts are
 * treated alike, until they are small.
 *
 * Only stages are found here; the vertices of a stage are put in order by the greedy rule on the
 * whole graph, which sees what is left of the leaves' surroundings.
 */
#include "dissection.h"

#include <string.h>

#include "memory.h"
#include "separator.h"
#include "status.h"

enum { MAX_DEPTH = 64 };

typedef struct {
    int32_t begin; /* a range of `vertices` */
    int32_t end;
    int32_t depth;
} region;

typedef struct {
    const ptd_undirected *graph;
    int32_t *vertices; /* regions are ranges of it */
    int32_t *local;    /* number inside the region, -1 outside */
    int32_t *depth;    /* of a separator's vertex, -1 in leaves */
    uint8_t *side;
    int32_t *parted;
    ptd_weighted_graph part;
    region waiting[2 * MAX_DEPTH];
    int32_t n_waiting;
} dissection;

static int allocate(dissection *d, const ptd_undirected *graph)
{
    size_t n = (size_t)graph->n;
    size_t entries = (size_t)graph->start[n];
    d->graph = graph;
    d->vertices = ptd_allocate(n, sizeof *d->vertices);
    d->local = ptd_allocate(n, sizeof *d->local);
    d->depth = ptd_allocate(n, sizeof *d->depth);
    d->side = ptd_allocate(n, sizeof *d->side);
    d->parted = ptd_allocate(n, sizeof *d->parted);
    d->part.start = ptd_allocate(n + 1, sizeof *d->part.start);
    d->part.neighbour = ptd_allocate(entries, sizeof *d->part.neighbour);
    d->part.joint = ptd_allocate(entries, sizeof *d->part.joint);
    d->part.weight = ptd_allocate(n, sizeof *d->part.weight);
    return d->vertices && d->local && d->depth && d->side && d->parted && d->part.start &&
           d->part.neighbour && d->part.joint && d->part.weight;
}

static void release(dissection *d)
{
    ptd_release(d->vertices);
    ptd_release(d->local);
    ptd_release(d->depth);
    ptd_release(d->side);
    ptd_release(d->parted);
    ptd_release(d->part.start);
    ptd_release(d->part.neighbour);
    ptd_release(d->part.joint);
    ptd_release(d->part.weight);
}

/* The graph inside a region. */
static void extract(dissection *d, region r)
{
    const ptd_undirected *graph = d->graph;
    ptd_weighted_graph *part = &d->part;
    int32_t entries = 0;
    for (int32_t k = r.begin; k < r.end; k++) {
        d->local[d->vertices[k]] = k - r.begin;
    }
    part->n = r.end - r.begin;
    part->total = part->n;
    part->start[0] = 0;
    for (int32_t k = r.begin; k < r.end; k++) {
        int32_t v = d->vertices[k];
        for (int64_t p = graph->start[v]; p < graph->start[v + 1]; p++) {
            int32_t u = d->local[graph->neighbour[p]];
            if (u >= 0) {
                part->joint[entries] = 1;
                part->neighbour[entries++] = u;
            }
        }
        part->weight[k - r.begin] = 1;
        part->start[k - r.begin + 1] = entries;
    }
    for (int32_t k = r.begin; k < r.end; k++) {
        d->local[d->vertices[k]] = -1;
    }
}

/* Moves the first side to the front of the region and the second behind it, each in its order; the
 * separator, at the end, is done with. */
static void divide(dissection *d, region r)
{
    int32_t n_side[3] = {0, 0, 0};
    for (int32_t k = r.begin; k < r.end; k++) {
        n_side[d->side[k - r.begin]]++;
    }
    int32_t next[3] = {0, n_side[0], n_side[0] + n_side[1]};
    for (int32_t k = r.begin; k < r.end; k++) {
        int side = d->side[k - r.begin];
        d->parted[next[side]++] = d->vertices[k];
        if (side == PTD_SEPARATOR && n_side[0] > 0 && n_side[1] > 0) {
            d->depth[d->vertices[k]] = r.depth;
        }
    }
    memcpy(d->vertices + r.begin, d->parted, (size_t)(r.end - r.begin) * sizeof *d->parted);
    if (n_side[0] == 0 || n_side[1] == 0 || r.depth + 1 >= MAX_DEPTH) {
        return;
    }
    int32_t middle = r.begin + n_side[0];
    d->waiting[d->n_waiting++] = (region){r.begin, middle, r.depth + 1};
    d->waiting[d->n_waiting++] = (region){middle, middle + n_side[1], r.depth + 1};
}

ptd_status ptd_dissect(const ptd_undirected *graph, const ptd_dissection_options *options,
                       int32_t *stage, int32_t *n_stages, int64_t *work, ptd_error *error)
{
    ptd_status status = PTD_OK;
    dissection d = {0};
    uint64_t seed = options->seed;
    int32_t deepest = -1;
    if (!allocate(&d, graph)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    int64_t hub = ptd_hub_degree(graph->n);
    int32_t n = 0;
    for (int32_t v = 0; v < graph->n; v++) {
        d.local[v] = -1;
        d.depth[v] = -1;
        if (graph->start[v + 1] - graph->start[v] <= hub) {
            d.vertices[n++] = v;
        }
    }
    d.waiting[d.n_waiting++] = (region){0, n, 0};
    while (d.n_waiting > 0) {
        region r = d.waiting[--d.n_waiting];
        if (r.end - r.begin <= options->leaf) {
            continue;
        }
        extract(&d, r);
        status = ptd_find_separator(&d.part, options->trials, seed++, d.side, work, error);
        if (status != PTD_OK) {
            goto out;
        }
        divide(&d, r);
    }
    for (int32_t v = 0; v < graph->n; v++) {
        deepest = d.depth[v] > deepest ? d.depth[v] : deepest;
    }
    for (int32_t v = 0; v < graph->n; v++) {
        stage[v] = d.depth[v] < 0 ? 0 : deepest + 1 - d.depth[v];
    }
    *n_stages = deepest + 2;
out:
    release(&d);
    return status;
}
