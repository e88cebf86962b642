/* Greedy orders of undirected graphs: the cost that is reported, stages, hubs. */
#include "check.h"
#include "digraphs.h"
#include "quotient_graph.h"

/* The digraph with every edge both ways. */
static void symmetrise(digraph *g)
{
    for (int32_t i = 0; i < g->n; i++) {
        for (int32_t j = 0; j < g->n; j++) {
            if (*digraph_edge(g, i, j)) {
                digraph_join(g, j, i);
            }
        }
    }
}

/* Destroys the graph; returns its cost. */
static int64_t check_order(digraph g, ptd_greedy_rule rule, const int32_t *stage)
{
    symmetrise(&g);
    digraph_rows rows = digraph_to_rows(&g);
    ptd_undirected graph = {0};
    int32_t *order = model_allocate((size_t)g.n * sizeof *order);
    uint8_t *seen = model_allocate((size_t)g.n);
    int64_t cost = -1;
    int64_t work = 0;
    CHECK(ptd_undirected_create(&rows.pattern, &graph, NULL) == PTD_OK);
    CHECK(ptd_greedy_order(&graph, rule, stage, order, &cost, &work, NULL) == PTD_OK);
    memset(seen, 0, (size_t)g.n);
    for (int32_t k = 0; k < g.n; k++) {
        CHECK(order[k] >= 0 && order[k] < g.n && !seen[order[k]]);
        seen[order[k]] = 1;
        CHECK(!stage || k == 0 || stage[order[k - 1]] <= stage[order[k]]);
    }
    CHECK(cost == digraph_eliminate(&g, order));
    CHECK(work > 0);
    free(order);
    free(seen);
    ptd_undirected_destroy(&graph);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
    return cost;
}

/* The reported cost is that of the naive elimination: elements, mass elimination, merging of
 * indistinguishable vertices and compaction of the pool keep the graph what it is. */
static void test_reported_cost(void)
{
    digraph_random r = {13};
    int32_t stage[120];
    for (int32_t trial = 0; trial < 200; trial++) {
        int32_t n = 2 + (int32_t)digraph_draw(&r, 118);
        int32_t degree = (int32_t)digraph_draw(&r, 5);
        ptd_greedy_rule rule = trial % 2 ? PTD_LEAST_FILL : PTD_LEAST_DEGREE;
        for (int32_t v = 0; v < n; v++) {
            stage[v] = (int32_t)digraph_draw(&r, 4) * 2;
        }
        check_order(digraph_scatter(n, degree, &r), rule, trial % 4 < 2 ? NULL : stage);
    }
    check_order(digraph_grid(11), PTD_LEAST_DEGREE, NULL);
    check_order(digraph_grid(11), PTD_LEAST_FILL, NULL);
}

/* Graphs that can be eliminated without fill: trees, and rings, where each pivot but the
 * last two has two neighbours. */
static void test_known_best(void)
{
    for (int rule = PTD_LEAST_DEGREE; rule <= PTD_LEAST_FILL; rule++) {
        CHECK(check_order(digraph_chain(50), (ptd_greedy_rule)rule, NULL) == 49);
        CHECK(check_order(digraph_star(50), (ptd_greedy_rule)rule, NULL) == 49);
        CHECK(check_order(digraph_ring(50), (ptd_greedy_rule)rule, NULL) == 4 * 48 + 1);
    }
}

/* A vertex joined to more than the hub degree comes last. */
static void test_hub_comes_last(void)
{
    enum { N = 1500 };
    digraph g = digraph_star(N);
    digraph_rows rows = digraph_to_rows(&g);
    ptd_undirected graph = {0};
    int32_t *order = model_allocate(N * sizeof *order);
    int64_t cost = -1;
    int64_t work = 0;
    CHECK(ptd_undirected_create(&rows.pattern, &graph, NULL) == PTD_OK);
    CHECK(ptd_hub_degree(N) < N - 1);
    CHECK(ptd_greedy_order(&graph, PTD_LEAST_FILL, NULL, order, &cost, &work, NULL) == PTD_OK);
    CHECK(order[N - 1] == 0);
    CHECK(cost == 0);
    free(order);
    ptd_undirected_destroy(&graph);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
}

int main(void)
{
    test_reported_cost();
    test_known_best();
    test_hub_comes_last();
    return check_result();
}
