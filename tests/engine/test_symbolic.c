/* Symbolic elimination against elimination done on a matrix of booleans. */
#include "check.h"
#include "digraphs.h"
#include "symbolic.h"

static void check_symbolic(digraph *g, const int32_t *order)
{
    int32_t n = g->n;
    digraph_rows rows = digraph_to_rows(g);
    ptd_symbolic symbolic = {0};
    CHECK(ptd_symbolic_create(&rows.pattern, order, INT64_MAX, &symbolic, NULL) == PTD_OK);
    CHECK(symbolic.n == n);
    CHECK(symbolic.multiply_adds == digraph_eliminate(g, order));
    int64_t p = 0;
    for (int32_t i = 0; i < n; i++) {
        CHECK(symbolic.start[i] == p);
        int64_t first = p;
        for (int32_t j = 0; j < n; j++) {
            if (*digraph_edge(g, order[i], order[j])) {
                CHECK(p < symbolic.start[n] && symbolic.column[p] == j);
                p++;
            }
            if (j == i) {
                CHECK(symbolic.lower[i] == p - first);
            }
        }
    }
    CHECK(symbolic.start[n] == p);

    ptd_symbolic bounded = {0};
    CHECK(ptd_symbolic_create(&rows.pattern, order, p, &bounded, NULL) == PTD_OK);
    ptd_symbolic_destroy(&bounded);
    ptd_error error = {0};
    CHECK(ptd_symbolic_create(&rows.pattern, order, p - 1, &bounded, &error) ==
          PTD_TRACE_TOO_LARGE);
    CHECK(error.status == PTD_TRACE_TOO_LARGE && error.value >= (double)p);
    CHECK(bounded.column == NULL);
    ptd_symbolic_destroy(&symbolic);
    CHECK(symbolic.column == NULL && symbolic.start == NULL);
    ptd_symbolic_destroy(&symbolic);
    digraph_rows_destroy(&rows);
}

static void check_shuffled(digraph g, digraph_random *r)
{
    int32_t *order = digraph_shuffle(g.n, r);
    check_symbolic(&g, order);
    free(order);
    digraph_destroy(&g);
}

static void test_random_digraphs(void)
{
    digraph_random r = {2};
    for (int32_t trial = 0; trial < 300; trial++) {
        int32_t n = 2 + (int32_t)digraph_draw(&r, 39);
        int32_t degree = (int32_t)digraph_draw(&r, 5);
        check_shuffled(digraph_scatter(n, degree, &r), &r);
    }
}

static void test_families(void)
{
    digraph_random r = {3};
    for (int32_t n = 2; n < 12; n++) {
        check_shuffled(digraph_ring(n), &r);
        check_shuffled(digraph_chain(n), &r);
        check_shuffled(digraph_star(n), &r);
        check_shuffled(digraph_complete(n), &r);
        check_shuffled(digraph_grid(n), &r);
    }
}

/* n (n - 1) entries and sum of k^2 multiply-adds. */
static void test_complete_graph_in_closed_form(void)
{
    int32_t order[6] = {5, 4, 3, 2, 1, 0};
    digraph g = digraph_complete(6);
    digraph_rows rows = digraph_to_rows(&g);
    ptd_symbolic symbolic = {0};
    CHECK(ptd_symbolic_create(&rows.pattern, order, 30, &symbolic, NULL) == PTD_OK);
    CHECK(symbolic.start[6] == 30);
    CHECK(symbolic.multiply_adds == 25 + 16 + 9 + 4 + 1);
    ptd_symbolic_destroy(&symbolic);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
}

int main(void)
{
    test_random_digraphs();
    test_families();
    test_complete_graph_in_closed_form();
    return check_result();
}
