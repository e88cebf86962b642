/* Components, orders and patterns when memory runs out: whichever allocation fails, the call says
 * so, and leaves nothing behind (address sanitizer watches). */
#include "check.h"
#include "components.h"
#include "digraphs.h"
#include "memory.h"
#include "ordering.h"
#include "symbolic.h"

static int64_t allocations;
static int64_t failing = -1; /* the allocation that fails, from 0; -1: none */

static int fails(void)
{
    return allocations++ == failing;
}

void *ptd_test_malloc(size_t bytes)
{
    return fails() ? NULL : malloc(bytes);
}

void *ptd_test_realloc(void *pointer, size_t bytes)
{
    return fails() ? NULL : realloc(pointer, bytes);
}

void *ptd_test_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : aligned_alloc(alignment, bytes);
}

/* All three on one pattern, of which `order` receives the order. */
static ptd_status run(const ptd_pattern *pattern, int32_t *component, int32_t *order,
                      ptd_error *error)
{
    int32_t n_components = 0;
    ptd_symbolic symbolic = {0};
    ptd_status status = ptd_strong_components(pattern->n, pattern->start, pattern->column,
                                              component, &n_components, error);
    if (status == PTD_OK) {
        status = ptd_order_component(pattern, order, error);
    }
    if (status == PTD_OK) {
        status = ptd_symbolic_create(pattern, order, INT64_MAX, &symbolic, error);
    }
    CHECK((status == PTD_OK) == (symbolic.column != NULL));
    ptd_symbolic_destroy(&symbolic);
    return status;
}

/* Destroys the graph. */
static void check_every_failure(const char *name, digraph g)
{
    size_t n = (size_t)g.n;
    digraph_rows rows = digraph_to_rows(&g);
    int32_t *component = model_allocate(n * sizeof *component);
    int32_t *order = model_allocate(n * sizeof *order);
    int32_t *expected = model_allocate(n * sizeof *expected);
    allocations = 0;
    CHECK(run(&rows.pattern, component, expected, NULL) == PTD_OK);
    int64_t needed = allocations;
    printf("%-12s %lld allocations\n", name, (long long)needed);
    for (failing = 0; failing < needed; failing++) {
        ptd_error error = {0};
        allocations = 0;
        CHECK(run(&rows.pattern, component, order, &error) == PTD_NO_MEMORY);
        CHECK(error.status == PTD_NO_MEMORY);
    }
    failing = -1;
    CHECK(run(&rows.pattern, component, order, NULL) == PTD_OK);
    CHECK(memcmp(order, expected, n * sizeof *order) == 0);
    free(component);
    free(order);
    free(expected);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
}

static digraph both_ways(digraph g)
{
    for (int32_t i = 0; i < g.n; i++) {
        for (int32_t j = 0; j < g.n; j++) {
            if (*digraph_edge(&g, i, j)) {
                digraph_join(&g, j, i);
            }
        }
    }
    return g;
}

int main(void)
{
    digraph_random r = {17};
    check_every_failure("small", digraph_scatter(40, 3, &r));
    check_every_failure("directed", digraph_scatter(210, 2, &r));
    check_every_failure("dissected", both_ways(digraph_scatter(260, 3, &r)));
    digraph hub = digraph_star(1200);
    for (int32_t i = 1; i + 1 < hub.n; i++) {
        digraph_join(&hub, i, i + 1);
    }
    check_every_failure("hub", hub);
    return check_result();
}
