/* The undirected view against the matrix of the digraph. */
#include "check.h"
#include "digraphs.h"
#include "undirected.h"

static void check_view(digraph *g)
{
    digraph_rows rows = digraph_to_rows(g);
    ptd_undirected graph = {0};
    int is_symmetric = 1;
    int64_t p = 0;
    CHECK(ptd_undirected_create(&rows.pattern, &graph, NULL) == PTD_OK);
    CHECK(graph.n == g->n);
    for (int32_t i = 0; i < g->n; i++) {
        CHECK(graph.start[i] == p);
        for (int32_t j = 0; j < g->n; j++) {
            is_symmetric &= *digraph_edge(g, i, j) == *digraph_edge(g, j, i);
            if (*digraph_edge(g, i, j) || *digraph_edge(g, j, i)) {
                CHECK(p < graph.start[g->n] && graph.neighbour[p] == j);
                p++;
            }
        }
    }
    CHECK(graph.start[g->n] == p);
    CHECK(!graph.is_symmetric == !is_symmetric);
    ptd_undirected_destroy(&graph);
    CHECK(graph.start == NULL && graph.neighbour == NULL);
    digraph_rows_destroy(&rows);
}

int main(void)
{
    digraph_random r = {11};
    for (int32_t trial = 0; trial < 100; trial++) {
        int32_t n = 2 + (int32_t)digraph_draw(&r, 30);
        digraph g = digraph_scatter(n, (int32_t)digraph_draw(&r, 4), &r);
        check_view(&g);
        digraph_destroy(&g);
    }
    digraph grid = digraph_grid(5);
    check_view(&grid);
    digraph_destroy(&grid);
    CHECK(ptd_hub_degree(4) >= 4);
    CHECK(ptd_hub_degree(1000000) < 100000);
    return check_result();
}
