/* Dissection: once the separators from a level up are taken away, no edge joins two of the parts
 * they left, and parts are small. */
#include "check.h"
#include "digraphs.h"
#include "dissection.h"

/* Vertices of the largest connected part of stages below `stage_bound`. */
static int32_t largest_part(const ptd_undirected *graph, const int32_t *stage, int32_t stage_bound)
{
    size_t n = (size_t)graph->n;
    uint8_t *seen = model_allocate(n);
    int32_t *reached = model_allocate(n * sizeof *reached);
    int32_t largest = 0;
    memset(seen, 0, n);
    for (int32_t v = 0; v < graph->n; v++) {
        int32_t size = 0;
        if (!seen[v] && stage[v] < stage_bound) {
            seen[v] = 1;
            reached[size++] = v;
        }
        for (int32_t k = 0; k < size; k++) {
            for (int64_t p = graph->start[reached[k]]; p < graph->start[reached[k] + 1]; p++) {
                int32_t u = graph->neighbour[p];
                if (!seen[u] && stage[u] < stage_bound) {
                    seen[u] = 1;
                    reached[size++] = u;
                }
            }
        }
        largest = size > largest ? size : largest;
    }
    free(seen);
    free(reached);
    return largest;
}

static void test_grid(void)
{
    digraph g = digraph_grid(40);
    digraph_rows rows = digraph_to_rows(&g);
    ptd_undirected graph = {0};
    ptd_dissection_options options = {.leaf = 50, .trials = 1, .seed = 3};
    int32_t *stage = model_allocate((size_t)g.n * sizeof *stage);
    int32_t n_stages = 0;
    int64_t work = 0;
    CHECK(ptd_undirected_create(&rows.pattern, &graph, NULL) == PTD_OK);
    CHECK(ptd_dissect(&graph, &options, stage, &n_stages, &work, NULL) == PTD_OK);
    CHECK(work > 0);
    CHECK(n_stages > 5 && n_stages < 12);
    int32_t highest = 0;
    for (int32_t v = 0; v < g.n; v++) {
        CHECK(stage[v] >= 0 && stage[v] < n_stages);
        highest = stage[v] > highest ? stage[v] : highest;
    }
    CHECK(highest == n_stages - 1);
    CHECK(largest_part(&graph, stage, 1) <= options.leaf);
    /* Each level of separators leaves parts of at most three fifths. */
    double most = 3.0 / 5.0 * g.n;
    for (int32_t s = n_stages - 1; s >= 1; s--) {
        CHECK(largest_part(&graph, stage, s) <= (int32_t)most + 1);
        most = 3.0 / 5.0 * (most + 1);
    }
    free(stage);
    ptd_undirected_destroy(&graph);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
}

/* What cannot be parted, or is small, is one leaf. */
static void check_one_leaf(digraph g)
{
    digraph_rows rows = digraph_to_rows(&g);
    ptd_undirected graph = {0};
    ptd_dissection_options options = {.leaf = 50, .trials = 1, .seed = 3};
    int32_t *stage = model_allocate((size_t)g.n * sizeof *stage);
    int32_t n_stages = 0;
    int64_t work = 0;
    CHECK(ptd_undirected_create(&rows.pattern, &graph, NULL) == PTD_OK);
    CHECK(ptd_dissect(&graph, &options, stage, &n_stages, &work, NULL) == PTD_OK);
    CHECK(n_stages == 1);
    for (int32_t v = 0; v < g.n; v++) {
        CHECK(stage[v] == 0);
    }
    free(stage);
    ptd_undirected_destroy(&graph);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
}

int main(void)
{
    test_grid();
    check_one_leaf(digraph_grid(7));
    check_one_leaf(digraph_complete(60));
    return check_result();
}
