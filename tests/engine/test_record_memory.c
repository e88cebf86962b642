/* Recording when memory runs out: whichever allocation fails, nothing is lost and nothing kept. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "folders.h"
#include "trace_reading.h"

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

/* Pairs and a wheel, some alike, some with exits of mixed sign. */
static ptd_graph *build_graph(void)
{
    enum { PAIRS = 70, RIM = 12 };
    const double mixed[2] = {1.0, -1.0};
    const double plain[2] = {0.0, 1.0};
    ptd_graph *graph = NULL;
    int64_t hub = 1 + 2 * PAIRS;
    int64_t absorbing = hub + 1 + RIM;
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 2, 0, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, absorbing, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 0, 1, 1.0, NULL, NULL) == PTD_OK);
    for (int64_t k = 0; k < PAIRS; k++) {
        int64_t v = 1 + 2 * k;
        int64_t next = v + 2;
        CHECK(ptd_graph_add_edge(graph, v, v + 1, (double)(k / 2), plain, NULL) == PTD_OK);
        CHECK(ptd_graph_add_edge(graph, v + 1, v, 1.0, NULL, NULL) == PTD_OK);
        CHECK(ptd_graph_add_edge(graph, v, next, 1.0, k % 3 ? plain : mixed, NULL) == PTD_OK);
        CHECK(ptd_graph_add_edge(graph, v, absorbing, 2.0, plain, NULL) == PTD_OK);
    }
    for (int64_t k = 0; k < RIM; k++) {
        int64_t v = hub + 1 + k;
        CHECK(ptd_graph_add_edge(graph, hub, v, 1.0, plain, NULL) == PTD_OK);
        CHECK(ptd_graph_add_edge(graph, v, hub, 1.0, plain, NULL) == PTD_OK);
        CHECK(ptd_graph_add_edge(graph, v, hub + 1 + (k + 1) % RIM, 1.0, NULL, NULL) == PTD_OK);
    }
    CHECK(ptd_graph_add_edge(graph, hub, absorbing, 1.0, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    return graph;
}

int main(void)
{
    char directory[] = "/tmp/ptd-record-memory-XXXXXX";
    ptd_graph *graph = build_graph();
    ptd_elimination_trace *whole = NULL;
    CHECK(ptd_record_elimination_trace(graph, NULL, &whole, NULL) == PTD_OK);
    ptd_status status = PTD_NO_MEMORY;
    int64_t nth = 0;
    for (; status != PTD_OK; nth++) {
        ptd_elimination_trace *trace = NULL;
        ptd_error error = {0};
        allocations = 0;
        failing = nth;
        status = ptd_record_elimination_trace(graph, NULL, &trace, &error);
        failing = -1;
        if (status == PTD_OK) {
            CHECK(allocations <= nth);
            CHECK(traces_equal(whole, trace));
        } else {
            CHECK(status == PTD_NO_MEMORY && error.status == PTD_NO_MEMORY);
            CHECK(trace == NULL);
        }
        ptd_elimination_trace_destroy(trace);
    }
    CHECK(nth > 50);
    /* The plan store only saves time: that it has no memory costs nothing else. */
    const ptd_record_options options = {.plan_directory = mkdtemp(directory)};
    int64_t succeeded = 0;
    for (int64_t k = 0; k < 2 * nth; k++) {
        ptd_elimination_trace *trace = NULL;
        allocations = 0;
        failing = k;
        status = ptd_record_elimination_trace(graph, &options, &trace, NULL);
        failing = -1;
        if (status == PTD_OK) {
            CHECK(traces_equal(whole, trace));
            succeeded += allocations > k;
        } else {
            CHECK(status == PTD_NO_MEMORY && trace == NULL);
        }
        ptd_elimination_trace_destroy(trace);
    }
    CHECK(succeeded > 0);
    ptd_elimination_trace_destroy(whole);
    ptd_graph_destroy(graph);
    empty_folder(directory);
    rmdir(directory);
    return check_result();
}
