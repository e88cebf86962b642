/* Validation of exit sums: arrays whose graph and indices are right and whose sums are not. */
#include "validate.h"

#include "check.h"
#include "trace.h"

#include <stdint.h>

/* start -> 1; 1 -> 2, 1 -> 3 with the given bases and coefficients; 2 -> 3; 3 is absorbing. */
static ptd_elimination_trace *two_ways(double base, const double coefficient[2])
{
    const double one = 1.0;
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 1, 0, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, 3, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 0, 1, 1.0, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 2, 0.0, &coefficient[0], NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 3, base, &coefficient[1], NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 2, 3, 0.0, &one, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    CHECK(ptd_record_elimination_trace(graph, NULL, &trace, NULL) == PTD_OK);
    CHECK(ptd_trace_validate(&trace->meta, trace->arrays, NULL) == PTD_OK);
    ptd_graph_destroy(graph);
    return trace;
}

static int is_refused(const ptd_elimination_trace *trace, ptd_trace_array_id id)
{
    ptd_error error = {0};
    return ptd_trace_validate(&trace->meta, trace->arrays, &error) == PTD_TRACE_INVALID &&
           error.index == (int64_t)id;
}

static void *data_of(const ptd_elimination_trace *trace, ptd_trace_array_id id)
{
    return (void *)(uintptr_t)trace->arrays[id].data;
}

static void test_folded_sum(void)
{
    const double coefficient[] = {1.0, 2.0};
    ptd_elimination_trace *trace = two_ways(0.5, coefficient);
    const int64_t last = trace->arrays[PTD_FORM_BASE].length - 1;
    double *base = data_of(trace, PTD_FORM_BASE);
    double *folded = data_of(trace, PTD_FORM_COEFFICIENT);
    folded += ptd_array_u32(trace->arrays, PTD_FORM_START)[last];
    CHECK(last == trace->meta.n_forms && base[last] == 0.5 && *folded == 3.0);
    *folded = 6.0;
    CHECK(is_refused(trace, PTD_EXIT_OF_POSITION));
    *folded = 3.0;
    base[last] = 0.25;
    CHECK(is_refused(trace, PTD_EXIT_OF_POSITION));
    ptd_elimination_trace_destroy(trace);
}

static void test_listed_sum(void)
{
    const double coefficient[] = {1.0, -1.0};
    ptd_elimination_trace *trace = two_ways(1.0, coefficient);
    const uint32_t *start = data_of(trace, PTD_EXIT_START);
    uint32_t *form = data_of(trace, PTD_EXIT_FORM);
    const int64_t n_exits = trace->arrays[PTD_EXIT_START].length - 1;
    int64_t pair = 0;
    while (pair < n_exits && start[pair + 1] - start[pair] != 2) {
        pair++;
    }
    CHECK(pair < n_exits);
    form[start[pair]] = form[start[pair] + 1];
    CHECK(is_refused(trace, PTD_EXIT_OF_POSITION));
    ptd_elimination_trace_destroy(trace);
}

static void test_other_exit(void)
{
    const double coefficient[] = {1.0, 2.0};
    ptd_elimination_trace *trace = two_ways(0.0, coefficient);
    uint32_t *exit = data_of(trace, PTD_EXIT_OF_POSITION);
    const uint32_t first = exit[1];
    CHECK(exit[1] != exit[2]);
    exit[1] = exit[2];
    CHECK(is_refused(trace, PTD_EXIT_OF_POSITION));
    exit[1] = first;
    CHECK(ptd_trace_validate(&trace->meta, trace->arrays, NULL) == PTD_OK);
    ptd_elimination_trace_destroy(trace);
}

/* The absorbing vertex, called dropped. */
static void test_end_called_dropped(void)
{
    const double coefficient[] = {1.0, 2.0};
    ptd_elimination_trace *trace = two_ways(0.0, coefficient);
    trace->meta.n_absorbing = 0;
    trace->meta.n_dropped = 1;
    CHECK(is_refused(trace, PTD_EDGE_START));
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_folded_sum();
    test_listed_sum();
    test_other_exit();
    test_end_called_dropped();
    return check_result();
}
