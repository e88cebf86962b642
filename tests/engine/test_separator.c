/* Separators: no edge joins the sides, sides are even, and on known graphs separators are small. */
#include "check.h"
#include "digraphs.h"
#include "separator.h"

/* Both directions of every edge, weights 1. */
static ptd_weighted_graph weighted(digraph *g)
{
    size_t n = (size_t)g->n;
    ptd_weighted_graph w = {.n = g->n, .total = g->n};
    w.start = model_allocate((n + 1) * sizeof *w.start);
    w.neighbour = model_allocate(n * n * sizeof *w.neighbour);
    w.joint = model_allocate(n * n * sizeof *w.joint);
    w.weight = model_allocate(n * sizeof *w.weight);
    int32_t entries = 0;
    w.start[0] = 0;
    for (int32_t i = 0; i < g->n; i++) {
        w.weight[i] = 1;
        for (int32_t j = 0; j < g->n; j++) {
            if (*digraph_edge(g, i, j) || *digraph_edge(g, j, i)) {
                w.joint[entries] = 1;
                w.neighbour[entries++] = j;
            }
        }
        w.start[i + 1] = entries;
    }
    return w;
}

/* Destroys the graph; returns the size of the separator. */
static int32_t check_separator(digraph g, int32_t trials)
{
    ptd_weighted_graph w = weighted(&g);
    uint8_t *side = model_allocate((size_t)g.n);
    uint8_t *again = model_allocate((size_t)g.n);
    int64_t work = 0;
    int32_t size[3] = {0, 0, 0};
    CHECK(ptd_find_separator(&w, trials, 5, side, &work, NULL) == PTD_OK);
    CHECK(ptd_find_separator(&w, trials, 5, again, &work, NULL) == PTD_OK);
    CHECK(memcmp(side, again, (size_t)g.n) == 0);
    for (int32_t v = 0; v < g.n; v++) {
        CHECK(side[v] <= PTD_SEPARATOR);
        size[side[v]]++;
        for (int32_t e = w.start[v]; e < w.start[v + 1]; e++) {
            CHECK(side[v] == PTD_SEPARATOR || side[w.neighbour[e]] == PTD_SEPARATOR ||
                  side[v] == side[w.neighbour[e]]);
        }
    }
    if (size[PTD_FIRST_SIDE] > 0 && size[PTD_SECOND_SIDE] > 0) {
        CHECK(5 * size[PTD_FIRST_SIDE] <= 3 * g.n + 5);
        CHECK(5 * size[PTD_SECOND_SIDE] <= 3 * g.n + 5);
    }
    free(w.start);
    free(w.neighbour);
    free(w.joint);
    free(w.weight);
    free(side);
    free(again);
    digraph_destroy(&g);
    return size[PTD_SEPARATOR];
}

static void test_known_graphs(void)
{
    CHECK(check_separator(digraph_chain(500), 1) == 1);
    CHECK(check_separator(digraph_ring(500), 1) == 2);
    CHECK(check_separator(digraph_star(300), 1) == 1);
    CHECK(check_separator(digraph_grid(10), 1) <= 10);
    CHECK(check_separator(digraph_grid(30), 1) <= 33);
    CHECK(check_separator(digraph_grid(30), 4) <= 31);
    CHECK(check_separator(digraph_create(300), 1) == 0); /* no edges */
}

static void test_random_graphs(void)
{
    digraph_random r = {15};
    for (int32_t trial = 0; trial < 60; trial++) {
        int32_t n = 3 + (int32_t)digraph_draw(&r, 400);
        check_separator(digraph_scatter(n, (int32_t)digraph_draw(&r, 3), &r), 2);
    }
    check_separator(digraph_complete(150), 1);
}

int main(void)
{
    test_known_graphs();
    test_random_graphs();
    return check_result();
}
