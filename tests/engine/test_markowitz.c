/* Markowitz orders: the cost that is reported, in lists and in bits, and giving up. */
#include "check.h"
#include "digraphs.h"
#include "markowitz.h"

static int is_permutation(int32_t n, const int32_t *order)
{
    uint8_t *seen = model_allocate((size_t)n);
    int good = 1;
    memset(seen, 0, (size_t)n);
    for (int32_t k = 0; k < n && good; k++) {
        good = order[k] >= 0 && order[k] < n && !seen[order[k]];
        if (good) {
            seen[order[k]] = 1;
        }
    }
    free(seen);
    return good;
}

/* Destroys the graph; returns its cost. */
static int64_t check_order(digraph g)
{
    digraph_rows rows = digraph_to_rows(&g);
    int32_t *order = model_allocate((size_t)g.n * sizeof *order);
    int64_t cost = INT64_MAX;
    int64_t work = 0;
    CHECK(ptd_markowitz_order(&rows.pattern, INT64_MAX, order, &cost, &work, NULL) == PTD_OK);
    CHECK(is_permutation(g.n, order));

    /* Given up one short of the cost, and one short of the work. */
    int64_t short_cost = cost;
    int64_t short_work = 0;
    CHECK(ptd_markowitz_order(&rows.pattern, INT64_MAX, order, &short_cost, &short_work, NULL) ==
          PTD_OK);
    CHECK(short_cost == -1);
    short_cost = INT64_MAX;
    CHECK(ptd_markowitz_order(&rows.pattern, work - 1, order, &short_cost, &short_work, NULL) ==
          PTD_OK);
    CHECK(short_cost == -1);

    short_cost = cost + 1;
    CHECK(ptd_markowitz_order(&rows.pattern, work, order, &short_cost, &short_work, NULL) ==
          PTD_OK);
    CHECK(short_cost == cost);
    CHECK(cost == digraph_eliminate(&g, order));
    free(order);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
    return cost;
}

/* Up to 96 vertices all is done in bits, beyond it lists come first. */
static void test_reported_cost(void)
{
    digraph_random r = {14};
    for (int32_t trial = 0; trial < 60; trial++) {
        int32_t n = 2 + (int32_t)digraph_draw(&r, 100);
        check_order(digraph_scatter(n, (int32_t)digraph_draw(&r, 4), &r));
    }
    check_order(digraph_scatter(300, 1, &r));
    check_order(digraph_scatter(250, 3, &r));
    check_order(digraph_complete(120));
    check_order(digraph_grid(12));
}

/* Many lead into one vertex that leads out to one: directions make it cheap. A ring with a way back
 * to vertex 0 from everywhere costs at most 3 for each vertex (next, 0, exit). */
static void test_directions_count(void)
{
    enum { N = 200 };
    digraph g = digraph_ring(N);
    for (int32_t i = 1; i < N; i++) {
        digraph_join(&g, i, 0);
    }
    CHECK(check_order(g) <= 3 * N);
    CHECK(check_order(digraph_ring(N)) == 2 * (N - 2) + 1);
    CHECK(check_order(digraph_chain(N)) == N - 1);
}

int main(void)
{
    test_reported_cost();
    test_directions_count();
    return check_result();
}
