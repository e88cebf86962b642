/* Small digraphs for tests of orderings and patterns, and their elimination done naively on a
 * matrix of booleans. */
#ifndef DIGRAPHS_H
#define DIGRAPHS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"
#include "ordering.h"

typedef struct {
    int32_t n;
    uint8_t *edge; /* n x n */
} digraph;

/* A generator of its own, so that every machine draws the same graphs (xorshift64*). */
typedef struct {
    uint64_t state;
} digraph_random;

static inline uint32_t digraph_draw(digraph_random *r, uint32_t below)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return (uint32_t)((r->state * 2685821657736338717u) >> 33) % below;
}

static inline digraph digraph_create(int32_t n)
{
    digraph g = {n, model_allocate((size_t)n * (size_t)n)};
    memset(g.edge, 0, (size_t)n * (size_t)n);
    return g;
}

static inline void digraph_destroy(digraph *g)
{
    free(g->edge);
    *g = (digraph){0};
}

static inline uint8_t *digraph_edge(digraph *g, int32_t from, int32_t to)
{
    return &g->edge[(size_t)from * (size_t)g->n + (size_t)to];
}

static inline void digraph_join(digraph *g, int32_t from, int32_t to)
{
    *digraph_edge(g, from, to) = from != to;
}

/* ---- families; all are strongly connected */

static inline digraph digraph_ring(int32_t n)
{
    digraph g = digraph_create(n);
    for (int32_t i = 0; i < n; i++) {
        digraph_join(&g, i, (i + 1) % n);
    }
    return g;
}

static inline digraph digraph_chain(int32_t n)
{
    digraph g = digraph_create(n);
    for (int32_t i = 0; i + 1 < n; i++) {
        digraph_join(&g, i, i + 1);
        digraph_join(&g, i + 1, i);
    }
    return g;
}

static inline digraph digraph_star(int32_t n)
{
    digraph g = digraph_create(n);
    for (int32_t i = 1; i < n; i++) {
        digraph_join(&g, 0, i);
        digraph_join(&g, i, 0);
    }
    return g;
}

static inline digraph digraph_complete(int32_t n)
{
    digraph g = digraph_create(n);
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < n; j++) {
            digraph_join(&g, i, j);
        }
    }
    return g;
}

static inline digraph digraph_grid(int32_t side)
{
    digraph g = digraph_create(side * side);
    for (int32_t i = 0; i < side; i++) {
        for (int32_t j = 0; j + 1 < side; j++) {
            digraph_join(&g, i * side + j, i * side + j + 1);
            digraph_join(&g, i * side + j + 1, i * side + j);
            digraph_join(&g, j * side + i, (j + 1) * side + i);
            digraph_join(&g, (j + 1) * side + i, j * side + i);
        }
    }
    return g;
}

/* A random ring through all vertices and about `degree` random edges a vertex. */
static inline digraph digraph_scatter(int32_t n, int32_t degree, digraph_random *r)
{
    digraph g = digraph_create(n);
    int32_t *ring = model_allocate((size_t)n * sizeof *ring);
    for (int32_t i = 0; i < n; i++) {
        ring[i] = i;
    }
    for (int32_t i = n - 1; i > 0; i--) {
        int32_t j = (int32_t)digraph_draw(r, (uint32_t)i + 1);
        int32_t swapped = ring[i];
        ring[i] = ring[j];
        ring[j] = swapped;
    }
    for (int32_t i = 0; i < n; i++) {
        digraph_join(&g, ring[i], ring[(i + 1) % n]);
    }
    free(ring);
    for (int32_t k = 0; k < n * degree; k++) {
        int32_t from = (int32_t)digraph_draw(r, (uint32_t)n);
        digraph_join(&g, from, (int32_t)digraph_draw(r, (uint32_t)n));
    }
    return g;
}

/* A permutation of 0 .. n - 1; free it. */
static inline int32_t *digraph_shuffle(int32_t n, digraph_random *r)
{
    int32_t *order = model_allocate((size_t)n * sizeof *order);
    for (int32_t i = 0; i < n; i++) {
        int32_t j = (int32_t)digraph_draw(r, (uint32_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

/* ---- as a pattern */

typedef struct {
    ptd_pattern pattern;
    int64_t *start;
    int32_t *column;
} digraph_rows;

static inline digraph_rows digraph_to_rows(digraph *g)
{
    digraph_rows rows = {.start = model_allocate(((size_t)g->n + 1) * sizeof *rows.start),
                         .column =
                             model_allocate((size_t)g->n * (size_t)g->n * sizeof *rows.column)};
    int64_t entries = 0;
    rows.start[0] = 0;
    for (int32_t i = 0; i < g->n; i++) {
        for (int32_t j = 0; j < g->n; j++) {
            if (*digraph_edge(g, i, j)) {
                rows.column[entries++] = j;
            }
        }
        rows.start[i + 1] = entries;
    }
    rows.pattern = (ptd_pattern){g->n, rows.start, rows.column};
    return rows;
}

static inline void digraph_rows_destroy(digraph_rows *rows)
{
    free(rows->start);
    free(rows->column);
    *rows = (digraph_rows){0};
}

/* ---- elimination by the definition in ordering.h; edges become the filled pattern */

static inline int64_t digraph_eliminate(digraph *g, const int32_t *order)
{
    int64_t multiply_adds = 0;
    uint8_t *gone = model_allocate((size_t)g->n);
    for (int32_t v = 0; v < g->n; v++) {
        gone[v] = 0;
    }
    for (int32_t k = 0; k < g->n; k++) {
        int32_t v = order[k];
        gone[v] = 1;
        for (int32_t i = 0; i < g->n; i++) {
            if (gone[i] || !*digraph_edge(g, i, v)) {
                continue;
            }
            multiply_adds++;
            for (int32_t j = 0; j < g->n; j++) {
                if (!gone[j] && *digraph_edge(g, v, j) && i != j) {
                    multiply_adds++;
                    digraph_join(g, i, j);
                }
            }
        }
    }
    free(gone);
    return multiply_adds;
}

#endif
