/* The trace object: made from arrays, looked into, and turned back into its graph. */
#include "trace.h"

#include "check.h"
#include "memory.h"
#include "recorded.h"
#include "sample_trace.h"

static int64_t allocations_left = -1; /* -1: no limit */

static int allocation_fails(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *ptd_test_malloc(size_t bytes)
{
    return allocation_fails() ? NULL : malloc(bytes);
}

void *ptd_test_realloc(void *pointer, size_t bytes)
{
    return allocation_fails() ? NULL : realloc(pointer, bytes);
}

void *ptd_test_aligned_alloc(size_t alignment, size_t bytes)
{
    return allocation_fails() ? NULL : aligned_alloc(alignment, bytes);
}

static void check_tables(void)
{
    CHECK(strcmp(ptd_trace_array_name(PTD_STATES), "states") == 0);
    CHECK(strcmp(ptd_trace_array_name(PTD_PROGRAM), "program") == 0);
    CHECK(ptd_trace_array_name(PTD_TRACE_ARRAY_COUNT) == NULL);
    CHECK(ptd_trace_array_dtype(PTD_FORM_BASE) == PTD_FLOAT64);
    CHECK(ptd_trace_array_dtype(PTD_PROGRAM) == PTD_UINT16);
    CHECK(ptd_dtype_bytes(PTD_INT32) == 4 && ptd_dtype_bytes(PTD_UINT32) == 4);
    CHECK(ptd_dtype_bytes(PTD_UINT16) == 2 && ptd_dtype_bytes(PTD_FLOAT64) == 8);
}

static void check_same_numbers(const void *a, const void *b, int64_t count, size_t bytes)
{
    CHECK(count == 0 || memcmp(a, b, (size_t)count * bytes) == 0);
}

static void check_same_graph(const ptd_graph *a, const ptd_graph *b)
{
    ptd_graph_view x;
    ptd_graph_view y;
    ptd_error error;
    CHECK(ptd_graph_get_view(a, &x, &error) == PTD_OK);
    CHECK(ptd_graph_get_view(b, &y, &error) == PTD_OK);
    CHECK(x.kind == y.kind && x.n_parameters == y.n_parameters);
    CHECK(x.state_length == y.state_length && x.n_dropped == y.n_dropped);
    CHECK(x.n_vertices == y.n_vertices && x.n_edges == y.n_edges && x.n_forms == y.n_forms);
    if (x.n_vertices != y.n_vertices || x.n_edges != y.n_edges || x.n_forms != y.n_forms) {
        return;
    }
    const int64_t entries = x.form_start[x.n_forms];
    check_same_numbers(x.states, y.states, x.n_vertices * x.state_length, sizeof *x.states);
    check_same_numbers(x.vertex_class, y.vertex_class, x.n_vertices, sizeof *x.vertex_class);
    check_same_numbers(x.edge_start, y.edge_start, x.n_vertices + 1, sizeof *x.edge_start);
    check_same_numbers(x.edge_to, y.edge_to, x.n_edges, sizeof *x.edge_to);
    check_same_numbers(x.edge_form, y.edge_form, x.n_edges, sizeof *x.edge_form);
    check_same_numbers(x.form_base, y.form_base, x.n_forms, sizeof *x.form_base);
    check_same_numbers(x.form_start, y.form_start, x.n_forms + 1, sizeof *x.form_start);
    check_same_numbers(x.form_parameter, y.form_parameter, entries, sizeof *x.form_parameter);
    check_same_numbers(x.form_coefficient, y.form_coefficient, entries, sizeof *x.form_coefficient);
}

/* The trace's graph is the one recorded, and names the trace by the same hashes. */
static void check_graph_of(const ptd_elimination_trace *trace, const ptd_graph *recorded)
{
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    uint8_t expected[PTD_HASH_BYTES];
    ptd_error error;
    ptd_graph *graph = NULL;
    ptd_elimination_trace_hash(trace, content, key);
    CHECK(ptd_graph_content_hash(recorded, expected, &error) == PTD_OK);
    CHECK(memcmp(content, expected, PTD_HASH_BYTES) == 0);
    CHECK(ptd_graph_trace_key(recorded, expected, &error) == PTD_OK);
    CHECK(memcmp(key, expected, PTD_HASH_BYTES) == 0);
    CHECK(ptd_elimination_trace_graph(trace, &graph, &error) == PTD_OK);
    check_same_graph(graph, recorded);
    ptd_graph_destroy(graph);
}

static void check_create(void)
{
    sample_trace sample;
    ptd_elimination_trace *trace = NULL;
    ptd_graph *graph = NULL;
    ptd_error error = {0};
    sample_make(&sample);
    CHECK(ptd_elimination_trace_create(&sample.meta, sample.arrays, &trace, &error) == PTD_OK);
    CHECK(memcmp(ptd_elimination_trace_meta(trace), &sample.meta, sizeof sample.meta) == 0);
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_array array;
        ptd_elimination_trace_array(trace, (ptd_trace_array_id)id, &array);
        CHECK(array.length == sample.arrays[id].length && array.dtype == sample.arrays[id].dtype);
        CHECK(array.data != sample.arrays[id].data);
        check_same_numbers(array.data, sample.arrays[id].data, array.length,
                           ptd_dtype_bytes(array.dtype));
    }
    CHECK(sample_graph(&graph, &error) == PTD_OK);
    check_graph_of(trace, graph);
    ptd_graph_destroy(graph);
    ptd_elimination_trace_destroy(trace);
    ptd_elimination_trace_destroy(NULL);
    sample_release(&sample);
}

static void check_refused_create(void)
{
    static const struct {
        ptd_array array;
    } bad[] = {
        {{PTD_UINT16, 5, "0123456789"}},
        {{PTD_UINT32, -1, "0123456789"}},
        {{PTD_UINT32, (int64_t)1 << 40, "0123456789"}},
        {{PTD_UINT32, 5, NULL}},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        sample_trace sample;
        ptd_error error = {0};
        ptd_elimination_trace *trace = (ptd_elimination_trace *)&sample;
        sample_make(&sample);
        sample.arrays[PTD_POSITION_VERTEX] = bad[k].array;
        CHECK(ptd_elimination_trace_create(&sample.meta, sample.arrays, &trace, &error) ==
              PTD_TRACE_INVALID);
        CHECK(error.status == PTD_TRACE_INVALID && error.index == PTD_POSITION_VERTEX);
        CHECK(trace == NULL);
        sample_release(&sample);
    }
}

/* A discrete graph with self-loops, a trap that the start can enter, an unreachable vertex that
 * leads into it, and no states. */
static void check_dropped(void)
{
    static const int64_t from[] = {0, 0, 1, 1, 1, 1, 2, 2, 3, 4, 4, 6, 6, 7};
    static const int64_t to[] = {1, 2, 1, 2, 3, 5, 1, 2, 4, 3, 4, 3, 1, 7};
    static const double base[] = {1,   0.5, 0.25, 0.125, 0.125, 0.25, 0.5,
                                  0.1, 1,   0.5,  0.5,   0.5,   0.25, 1};
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {0};
    CHECK(ptd_graph_create(PTD_DISCRETE, 0, 0, &graph, &error) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, 7, NULL, &error) == PTD_OK);
    CHECK(ptd_graph_add_edges(graph, 14, from, to, base, NULL, &error) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 1, &error) == PTD_OK);
    CHECK(ptd_record_elimination_trace(graph, NULL, &trace, &error) == PTD_OK);
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    CHECK(meta->n_absorbing == 1 && meta->n_dropped == 4 && meta->n_edges == 14);
    check_graph_of(trace, graph);
    ptd_elimination_trace *copy = NULL;
    CHECK(ptd_elimination_trace_create(meta, trace->arrays, &copy, &error) == PTD_OK);
    check_graph_of(copy, graph);
    ptd_elimination_trace_destroy(copy);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

static void check_recorded(model m)
{
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {0};
    CHECK(recorded_graph(&m, PTD_CONTINUOUS, &graph, &error) == PTD_OK);
    CHECK(ptd_record_elimination_trace(graph, NULL, &trace, &error) == PTD_OK);
    check_graph_of(trace, graph);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
    model_destroy(&m);
}

/* Every allocation of making a trace fails once: an error each time and nothing leaked. */
static void check_allocation_failures(void)
{
    sample_trace sample;
    sample_make(&sample);
    int64_t failures = 0;
    for (;; failures++) {
        ptd_elimination_trace *trace = NULL;
        ptd_error error = {0};
        allocations_left = failures;
        const ptd_status status =
            ptd_elimination_trace_create(&sample.meta, sample.arrays, &trace, &error);
        allocations_left = -1;
        if (status == PTD_OK) {
            ptd_elimination_trace_destroy(trace);
            break;
        }
        CHECK(status == PTD_NO_MEMORY && error.status == PTD_NO_MEMORY && trace == NULL);
    }
    CHECK(failures > PTD_TRACE_ARRAY_COUNT); /* the hook is in use */
    sample_release(&sample);
}

int main(void)
{
    check_tables();
    check_create();
    check_refused_create();
    check_dropped();
    check_recorded(model_islands(2, 5));
    check_recorded(model_kingman(12));
    check_recorded(model_birth_death(9));
    check_allocation_failures();
    return check_result();
}
