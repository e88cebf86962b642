/* Strong components against reachability found by plain closure. */
#include "check.h"
#include "components.h"
#include "digraphs.h"

/* reached[i * n + j]: a path leads from i to j (Warshall). */
static uint8_t *reachability(digraph *g)
{
    size_t n = (size_t)g->n;
    uint8_t *reached = model_allocate(n * n);
    memcpy(reached, g->edge, n * n);
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; reached[i * n + k] && j < n; j++) {
                reached[i * n + j] |= reached[k * n + j];
            }
        }
    }
    return reached;
}

static void check_components(digraph *g)
{
    size_t n = (size_t)g->n;
    digraph_rows rows = digraph_to_rows(g);
    uint8_t *reached = reachability(g);
    int32_t *component = model_allocate(n * sizeof *component);
    int32_t n_components = -1;
    CHECK(ptd_strong_components(g->n, rows.start, rows.column, component, &n_components, NULL) ==
          PTD_OK);
    int32_t largest = -1;
    for (size_t i = 0; i < n; i++) {
        largest = component[i] > largest ? component[i] : largest;
        for (size_t j = 0; j < n; j++) {
            int together = i == j || (reached[i * n + j] && reached[j * n + i]);
            CHECK((component[i] == component[j]) == together);
            CHECK(!reached[i * n + j] || component[j] <= component[i]);
        }
    }
    CHECK(n_components == largest + 1);
    free(component);
    free(reached);
    digraph_rows_destroy(&rows);
}

static void test_random_digraphs(void)
{
    digraph_random r = {1};
    for (int32_t trial = 0; trial < 200; trial++) {
        int32_t n = 1 + (int32_t)digraph_draw(&r, 30);
        int32_t edges = (int32_t)digraph_draw(&r, (uint32_t)(3 * n));
        digraph g = digraph_create(n);
        for (int32_t k = 0; k < edges; k++) {
            int32_t from = (int32_t)digraph_draw(&r, (uint32_t)n);
            digraph_join(&g, from, (int32_t)digraph_draw(&r, (uint32_t)n));
        }
        check_components(&g);
        digraph_destroy(&g);
    }
}

static void test_families(void)
{
    digraph families[] = {digraph_ring(12), digraph_chain(9), digraph_star(7), digraph_complete(5),
                          digraph_grid(4)};
    for (size_t k = 0; k < sizeof families / sizeof *families; k++) {
        check_components(&families[k]);
        digraph_destroy(&families[k]);
    }
}

static void test_no_vertices(void)
{
    const int64_t start[1] = {0};
    int32_t n_components = -1;
    CHECK(ptd_strong_components(0, start, NULL, NULL, &n_components, NULL) == PTD_OK);
    CHECK(n_components == 0);
}

/* A path of a million vertices, closed to a ring or not: the search may not recurse. */
static void test_long_path(int closed)
{
    int32_t n = 1000000;
    int64_t *start = model_allocate(((size_t)n + 1) * sizeof *start);
    int32_t *column = model_allocate((size_t)n * sizeof *column);
    int32_t *component = model_allocate((size_t)n * sizeof *component);
    int32_t n_components = -1;
    for (int32_t i = 0; i < n; i++) {
        start[i] = i;
        column[i] = (i + 1) % n;
    }
    start[n] = closed ? n : n - 1;
    CHECK(ptd_strong_components(n, start, column, component, &n_components, NULL) == PTD_OK);
    CHECK(n_components == (closed ? 1 : n));
    CHECK(component[n - 1] == 0);
    CHECK(component[0] == n_components - 1);
    free(start);
    free(column);
    free(component);
}

int main(void)
{
    test_random_digraphs();
    test_families();
    test_no_vertices();
    test_long_path(0);
    test_long_path(1);
    return check_result();
}
