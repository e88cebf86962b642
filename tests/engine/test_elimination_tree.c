/* Postorders: the same fill, and subtrees in one run. */
#include "check.h"
#include "digraphs.h"
#include "elimination_tree.h"

/* Parent by the definition: the first later column of the filled row; -1 for roots. */
static void find_parents(digraph *filled, const int32_t *order, int32_t *parent)
{
    for (int32_t k = 0; k < filled->n; k++) {
        parent[k] = -1;
        for (int32_t m = filled->n - 1; m > k; m--) {
            if (*digraph_edge(filled, order[k], order[m])) {
                parent[k] = m;
            }
        }
    }
}

static void check_postorder(digraph g, digraph_random *r)
{
    size_t n = (size_t)g.n;
    digraph_rows rows = digraph_to_rows(&g);
    ptd_undirected graph = {0};
    int32_t *before = digraph_shuffle(g.n, r);
    int32_t *after = model_allocate(n * sizeof *after);
    int32_t *parent = model_allocate(n * sizeof *parent);
    int32_t *size = model_allocate(n * sizeof *size);
    memcpy(after, before, n * sizeof *after);
    CHECK(ptd_undirected_create(&rows.pattern, &graph, NULL) == PTD_OK);
    CHECK(ptd_postorder(&graph, after, NULL) == PTD_OK);

    /* Directed: the same multiply-adds and the same filled pattern. */
    digraph filled[2] = {digraph_create(g.n), digraph_create(g.n)};
    memcpy(filled[0].edge, g.edge, n * n);
    memcpy(filled[1].edge, g.edge, n * n);
    CHECK(digraph_eliminate(&filled[0], before) == digraph_eliminate(&filled[1], after));
    CHECK(memcmp(filled[0].edge, filled[1].edge, n * n) == 0);

    /* Undirected: the vertices of a subtree are those just before its root. */
    for (int32_t i = 0; i < g.n; i++) {
        for (int32_t j = 0; j < g.n; j++) {
            if (*digraph_edge(&g, i, j)) {
                digraph_join(&g, j, i);
            }
        }
    }
    digraph_eliminate(&g, after);
    find_parents(&g, after, parent);
    for (int32_t k = 0; k < g.n; k++) {
        size[k] = 1;
    }
    for (int32_t k = 0; k < g.n; k++) {
        if (parent[k] >= 0) {
            size[parent[k]] += size[k];
        }
    }
    for (int32_t k = 0; k < g.n; k++) {
        CHECK(parent[k] < 0 || k - size[k] >= parent[k] - size[parent[k]]);
    }
    free(before);
    free(after);
    free(parent);
    free(size);
    digraph_destroy(&filled[0]);
    digraph_destroy(&filled[1]);
    digraph_destroy(&g);
    digraph_rows_destroy(&rows);
    ptd_undirected_destroy(&graph);
}

int main(void)
{
    digraph_random r = {16};
    for (int32_t trial = 0; trial < 100; trial++) {
        int32_t n = 2 + (int32_t)digraph_draw(&r, 60);
        check_postorder(digraph_scatter(n, (int32_t)digraph_draw(&r, 3), &r), &r);
    }
    check_postorder(digraph_grid(9), &r);
    check_postorder(digraph_chain(100), &r);
    check_postorder(digraph_create(20), &r); /* a forest of roots */
    return check_result();
}
