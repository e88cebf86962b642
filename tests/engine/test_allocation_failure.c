/* Every function of the interface when memory runs out: the n-th allocation fails, for each n until
 * none is left that can. Each time the answer is PTD_NO_MEMORY and no output appears; that nothing
 * leaks or crashes is seen by the sanitizers. Evaluation must not allocate at all.
 *
 * With an argument a bug is planted, which the program (or the sanitizer that watches it) must
 * report: `unchecked`, `leak`, `swallowed`, `other-status`, `evaluation`.
 */
#include "ptd.h"

#include <math.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "folders.h"
#include "memory.h"
#include "models.h"
#include "recorded.h"

static int64_t allocations;
static int64_t failing = -1; /* the allocation that fails, from 0; -1: none */
static int failed_to_shrink; /* giving memory back may fail without harm */

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
    if (fails()) {
        failed_to_shrink = pointer && malloc_usable_size(pointer) >= bytes;
        return NULL;
    }
    return realloc(pointer, bytes);
}

void *ptd_test_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : aligned_alloc(alignment, bytes);
}

/* What the steps start from; made while memory lasts. */
typedef struct {
    model chain;
    ptd_graph *graph;
    ptd_graph *discrete_graph;
    ptd_elimination_trace *trace;
    ptd_elimination_trace *discrete_trace;
    uint8_t *bytes; /* the trace's file */
    int64_t length;
    uint8_t key[PTD_HASH_BYTES];
    char folder[64];
    char file[128];
    int planted_evaluation;
} inputs;

/* One piece of work with all its clean-up; the status of the first call that failed. */
typedef ptd_status step(inputs *in, ptd_error *error);

enum { ORDER = 3, REWARDS = 2, PARAMETERS = 3, THETAS = 9, MOST_VERTICES = 256 };

static ptd_status index_states(inputs *in, ptd_error *error)
{
    enum { STATES = 300, LENGTH = 3 };
    static int32_t states[STATES * LENGTH];
    static int64_t ids[STATES];
    ptd_state_index *index = NULL;
    (void)in;
    for (int32_t k = 0; k < STATES * LENGTH; k++) {
        states[k] = k * k % 101;
    }
    ptd_status status = ptd_state_index_create(LENGTH, 1000, &index, error);
    CHECK((status == PTD_OK) == (index != NULL));
    if (status == PTD_OK) {
        status = ptd_state_index_insert(index, STATES, states, ids, error);
    }
    ptd_state_index_destroy(index);
    return status;
}

static ptd_status build_graph(inputs *in, ptd_error *error)
{
    ptd_graph *graph = NULL;
    ptd_graph_view view;
    uint8_t hash[PTD_HASH_BYTES];
    ptd_status status = recorded_graph(&in->chain, PTD_CONTINUOUS, &graph, error);
    if (status == PTD_OK) {
        status = ptd_graph_get_view(graph, &view, error);
    }
    if (status == PTD_OK) {
        status = ptd_graph_content_hash(graph, hash, error);
    }
    if (status == PTD_OK) {
        status = ptd_graph_trace_key(graph, hash, error);
        CHECK(status != PTD_OK || memcmp(hash, in->key, sizeof hash) == 0);
    }
    ptd_graph_destroy(graph);
    return status;
}

static ptd_status add_edges(inputs *in, ptd_error *error)
{
    enum { EDGES = 400 };
    static int64_t from[EDGES];
    static int64_t to[EDGES];
    static double base[EDGES];
    static double coefficients[2 * EDGES];
    ptd_graph *graph = NULL;
    (void)in;
    for (int64_t k = 0; k < EDGES; k++) {
        from[k] = k ? 1 + k % 40 : 0;
        to[k] = 1 + (k * 7 + 1) % 41;
        base[k] = 1.0;
        coefficients[2 * k] = (double)k;
    }
    ptd_status status = ptd_graph_create(PTD_CONTINUOUS, 2, 0, &graph, error);
    if (status == PTD_OK) {
        status = ptd_graph_add_vertices(graph, 41, NULL, error);
    }
    if (status == PTD_OK) {
        status = ptd_graph_add_edges(graph, EDGES, from, to, base, coefficients, error);
    }
    if (status == PTD_OK) {
        status = ptd_graph_freeze(graph, 1, error);
    }
    ptd_graph_destroy(graph);
    return status;
}

static ptd_status record_graph(const ptd_graph *graph, const ptd_record_options *options,
                               const ptd_elimination_trace *expected, ptd_error *error)
{
    ptd_elimination_trace *trace = NULL;
    ptd_status status = ptd_record_elimination_trace(graph, options, &trace, error);
    CHECK((status == PTD_OK) == (trace != NULL));
    if (status == PTD_OK) {
        CHECK(ptd_elimination_trace_bytes(trace) == ptd_elimination_trace_bytes(expected));
    }
    ptd_elimination_trace_destroy(trace);
    return status;
}

static ptd_status record(inputs *in, ptd_error *error)
{
    return record_graph(in->graph, NULL, in->trace, error);
}

static ptd_status record_discrete(inputs *in, ptd_error *error)
{
    return record_graph(in->discrete_graph, NULL, in->discrete_trace, error);
}

/* Twice: the first recording writes plans, the second finds them. */
static ptd_status record_with_plans(inputs *in, ptd_error *error)
{
    char plans[128];
    snprintf(plans, sizeof plans, "%s/plans", in->folder);
    const ptd_record_options options = {.plan_directory = plans, .plan_min_vertices = 2};
    ptd_status status = record_graph(in->graph, &options, in->trace, error);
    if (status == PTD_OK) {
        status = record_graph(in->graph, &options, in->trace, error);
    }
    empty_folder(plans);
    rmdir(plans);
    return status;
}

static ptd_status trace_from_arrays(inputs *in, ptd_error *error)
{
    ptd_array arrays[PTD_TRACE_ARRAY_COUNT];
    ptd_elimination_trace *trace = NULL;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_elimination_trace_array(in->trace, (ptd_trace_array_id)id, &arrays[id]);
    }
    ptd_status status =
        ptd_elimination_trace_create(ptd_elimination_trace_meta(in->trace), arrays, &trace, error);
    CHECK((status == PTD_OK) == (trace != NULL));
    ptd_elimination_trace_destroy(trace);
    return status;
}

static ptd_status graph_of_trace(inputs *in, ptd_error *error)
{
    ptd_graph *graph = NULL;
    ptd_status status = ptd_elimination_trace_graph(in->trace, &graph, error);
    CHECK((status == PTD_OK) == (graph != NULL));
    ptd_graph_destroy(graph);
    return status;
}

static ptd_status encode(inputs *in, ptd_error *error)
{
    uint8_t *bytes = NULL;
    int64_t length = 0;
    ptd_status status = ptd_elimination_trace_encode(in->trace, &bytes, &length, error);
    CHECK((status == PTD_OK) == (bytes != NULL));
    CHECK(status != PTD_OK || length == in->length);
    ptd_buffer_release(bytes);
    return status;
}

static ptd_status decode(inputs *in, ptd_error *error)
{
    ptd_elimination_trace *trace = NULL;
    ptd_status status = ptd_elimination_trace_decode(in->bytes, in->length, &trace, error);
    CHECK((status == PTD_OK) == (trace != NULL));
    ptd_elimination_trace_destroy(trace);
    return status;
}

static ptd_status keep_in_cache(inputs *in, ptd_error *error)
{
    char cache[128];
    char temporary[192];
    char name[256];
    ptd_elimination_trace *trace = NULL;
    snprintf(cache, sizeof cache, "%s/cache", in->folder);
    snprintf(temporary, sizeof temporary, "%s/.tmp", cache);
    ptd_status status = ptd_save_trace_to_cache(in->trace, cache, error);
    if (status == PTD_OK) {
        status = ptd_load_trace_from_cache(cache, in->key, &trace, error);
        CHECK((status == PTD_OK) == (trace != NULL));
    }
    ptd_elimination_trace_destroy(trace);
    CHECK(list_folder(temporary, name) <= 0);
    rmdir(temporary);
    empty_folder(cache);
    rmdir(cache);
    return status;
}

/* A bad entry: damaged, seen, moved aside. */
static ptd_status quarantine(inputs *in, ptd_error *error)
{
    char cache[128];
    char hidden[192];
    char name[256];
    char entry[512];
    const int64_t armed = failing;
    ptd_elimination_trace *trace = NULL;
    snprintf(cache, sizeof cache, "%s/cache", in->folder);
    failing = -1;
    CHECK(ptd_save_trace_to_cache(in->trace, cache, NULL) == PTD_OK);
    snprintf(hidden, sizeof hidden, "%s/.tmp", cache);
    rmdir(hidden);
    CHECK(list_folder(cache, name) == 1);
    path_in(cache, name, entry);
    CHECK(truncate(entry, in->length / 2) == 0);
    allocations = 0;
    failing = armed;
    ptd_status status = ptd_load_trace_from_cache(cache, in->key, &trace, error);
    CHECK(trace == NULL && status != PTD_OK);
    if (status == PTD_FORMAT_TRUNCATED) {
        status = ptd_quarantine_cache_entry(cache, in->key, error);
    }
    snprintf(hidden, sizeof hidden, "%s/.quarantine", cache);
    empty_folder(hidden);
    empty_folder(cache);
    rmdir(cache);
    return status;
}

static ptd_status keep_in_file(inputs *in, ptd_error *error)
{
    ptd_elimination_trace *trace = NULL;
    ptd_status status = ptd_save_trace_to_file(in->trace, in->file, error);
    if (status == PTD_OK) {
        status = ptd_load_trace_from_file(in->file, &trace, error);
        CHECK((status == PTD_OK) == (trace != NULL));
    }
    ptd_elimination_trace_destroy(trace);
    unlink(in->file);
    return status;
}

/* All evaluations at `n` thetas; none may allocate. */
static void evaluate_all(const inputs *in, ptd_workspace *workspace, int64_t n)
{
    enum { MOST = THETAS * MOST_VERTICES * REWARDS * REWARDS * PARAMETERS };
    static double out[MOST];
    static double gradient[MOST];
    static double means[THETAS * REWARDS];
    static double mean_gradients[THETAS * REWARDS * PARAMETERS];
    static double thetas[THETAS * PARAMETERS];
    static double rewards[REWARDS * MOST_VERTICES];
    const int64_t absorbed = in->chain.n + 1;
    const int64_t before = allocations;
    for (int64_t k = 0; k < THETAS * PARAMETERS; k++) {
        thetas[k] = 0.5 + 0.125 * (double)k;
    }
    for (int64_t k = 0; k < REWARDS * MOST_VERTICES; k++) {
        rewards[k] = (double)(k % 3);
    }
    CHECK(ptd_moments(workspace, n, thetas, NULL, ORDER, out, gradient, NULL) == PTD_OK);
    CHECK(ptd_moments(workspace, n, thetas, rewards, ORDER, out, NULL, NULL) == PTD_OK);
    CHECK(ptd_vertex_moments(workspace, n, thetas, rewards, 1, out, NULL, NULL) == PTD_OK);
    CHECK(ptd_covariances(workspace, n, thetas, REWARDS, rewards, means, out, mean_gradients,
                          gradient, NULL) == PTD_OK);
    CHECK(ptd_expected_sojourn(workspace, n, thetas, out, NULL) == PTD_OK);
    /* States are canonical: absorption, whose state is -1, is the first after the start. */
    CHECK(absorbed < MOST_VERTICES);
    const int64_t target = 1;
    CHECK(ptd_absorption_probabilities(workspace, n, thetas, 1, &target, out, gradient, NULL) ==
          PTD_OK);
    CHECK(ptd_defect(workspace, n, thetas, rewards, out, NULL) == PTD_OK);
    CHECK(ptd_transform(workspace, n, thetas, 1, rewards, out, gradient, NULL) == PTD_OK);
    const int32_t powers[REWARDS] = {1, 1};
    CHECK(ptd_joint_moments(workspace, n, thetas, REWARDS, rewards, powers, out, gradient, NULL) ==
          PTD_OK);
    CHECK(ptd_central_moments(workspace, n, thetas, rewards, 1, out, means, NULL, NULL) == PTD_OK);
    if (in->planted_evaluation) {
        ptd_release(ptd_allocate(1, 1));
    }
    CHECK(allocations == before);
}

static ptd_status evaluate(inputs *in, ptd_error *error)
{
    ptd_status status = PTD_OK;
    for (int64_t n = 1; n <= THETAS && status == PTD_OK; n += THETAS - 1) {
        const ptd_workspace_options options = {
            .max_order = ORDER, .max_rewards = REWARDS, .gradient = 1, .n_thetas = n};
        ptd_workspace *workspace = NULL;
        status = ptd_workspace_create(in->trace, &options, &workspace, error);
        CHECK((status == PTD_OK) == (workspace != NULL));
        if (status == PTD_OK) {
            evaluate_all(in, workspace, n);
        }
        ptd_workspace_destroy(workspace);
    }
    return status;
}

static ptd_status evaluate_discrete(inputs *in, ptd_error *error)
{
    const ptd_workspace_options options = {.max_order = ORDER, .n_thetas = 1};
    const double theta[PARAMETERS] = {0.0};
    double moments[ORDER];
    ptd_workspace *workspace = NULL;
    ptd_status status = ptd_workspace_create(in->discrete_trace, &options, &workspace, error);
    CHECK((status == PTD_OK) == (workspace != NULL));
    if (status == PTD_OK) {
        const int64_t before = allocations;
        CHECK(ptd_factorial_moments(workspace, 1, theta, ORDER, moments, NULL, NULL) == PTD_OK);
        CHECK(allocations == before);
    }
    ptd_workspace_destroy(workspace);
    return status;
}

static ptd_status open_evaluation(inputs *in, ptd_error *error)
{
    const ptd_workspace_options options = {.n_thetas = 1};
    const double theta[PARAMETERS] = {1.0, 2.0, 1.5};
    ptd_workspace *workspace = NULL;
    ptd_trace_result *result = NULL;
    ptd_status status = ptd_workspace_create(in->trace, &options, &workspace, error);
    if (status == PTD_OK) {
        status = ptd_evaluate_trace(workspace, theta, &result, error);
        CHECK((status == PTD_OK) == (result != NULL));
    }
    ptd_trace_result_destroy(result);
    ptd_workspace_destroy(workspace);
    return status;
}

static ptd_status sample(inputs *in, ptd_error *error)
{
    const double theta[PARAMETERS] = {1.0, 2.0, 1.5};
    static const double rewards[MOST_VERTICES];
    double values[THETAS];
    double times[THETAS];
    int64_t vertices[THETAS];
    int64_t length = 0;
    ptd_sampler *sampler = NULL;
    ptd_status status = ptd_sampler_create(in->trace, theta, NULL, &sampler, error);
    CHECK((status == PTD_OK) == (sampler != NULL));
    if (status == PTD_OK) {
        const int64_t before = allocations;
        CHECK(ptd_sample_times(sampler, 1, 0, THETAS, 0, NULL, values, NULL, NULL) == PTD_OK);
        CHECK(ptd_sample_path(sampler, 1, 0, THETAS, vertices, times, &length, NULL) == PTD_OK);
        CHECK(allocations == before);
        status = ptd_sample_times(sampler, 1, 0, THETAS, 1, rewards, values, NULL, error);
    }
    ptd_sampler_destroy(sampler);
    return status;
}

/* By each method, few times and many, with rewards of which some are 0. */
static ptd_status density(inputs *in, ptd_error *error)
{
    enum { TIMES = 300 };
    static const ptd_method methods[] = {PTD_METHOD_UNIFORMISE, PTD_METHOD_CONTOUR,
                                         PTD_METHOD_DENSE};
    static double times[TIMES], values[TIMES], bounds[TIMES], jets[TIMES * PARAMETERS];
    static uint8_t used[TIMES], kinds[TIMES];
    static double rewards[MOST_VERTICES], where[MOST_VERTICES], spent[MOST_VERTICES],
        errors[MOST_VERTICES];
    const double theta[PARAMETERS] = {1.0, 2.0, 1.5};
    ptd_status status = PTD_OK;
    for (int k = 0; k < TIMES; k++) {
        times[k] = 0.5 + 0.001 * k;
    }
    for (int k = 0; k < MOST_VERTICES; k++) {
        rewards[k] = k % 3 ? 1 : 0;
    }
    for (int rewarded = 0; rewarded < 2 && status == PTD_OK; rewarded++) {
        const ptd_chain_options options = {
            .order = rewarded, .rewards = rewarded ? rewards : NULL, .target = -1};
        ptd_chain *chain = NULL;
        status = ptd_chain_create(in->trace, theta, &options, &chain, error);
        CHECK((status == PTD_OK) == (chain != NULL));
        for (size_t m = 0; m < sizeof methods / sizeof *methods && status == PTD_OK; m++) {
            const ptd_density_options asked = {
                .function = PTD_DENSITY, .method = methods[m], .tolerance = 0.5};
            for (int64_t n = 3; n <= TIMES && status == PTD_OK; n += TIMES - 3) {
                status = ptd_density_evaluate(chain, &asked, n, times, values, bounds, used, kinds,
                                              rewarded ? jets : NULL, error);
                /* the contour need not apply */
                status = status == PTD_DENSITY_REFUSED ? PTD_OK : status;
            }
        }
        if (status == PTD_OK && !rewarded) {
            ptd_bound_kind kind;
            status = ptd_chain_occupation(chain, 0.75, where, spent, errors, &kind, error);
        }
        ptd_chain_destroy(chain);
    }
    return status;
}

/* All functions as logarithms, at times that want everything: an atom, limits, digits near 1. */
static ptd_status values_at_any_times(inputs *in, ptd_error *error)
{
    enum { TIMES = 5 };
    static const double times[TIMES] = {2, 0, 1e-6, INFINITY, 2};
    static double values[TIMES], gradient[TIMES * PARAMETERS];
    static double rewards[MOST_VERTICES];
    const double theta[PARAMETERS] = {1.0, 2.0, 1.5};
    ptd_status status = PTD_OK;
    for (int k = 0; k < MOST_VERTICES; k++) {
        rewards[k] = k % 3 ? 1 : 0;
    }
    for (int f = 0; f <= PTD_SURVIVAL && status == PTD_OK; f++) {
        const ptd_values_options options = {(ptd_function)f, PTD_METHOD_AUTO, 0.5, 1, 1};
        status = ptd_density_values(in->trace, theta, rewards, &options, TIMES, times, values,
                                    gradient, NULL, error);
    }
    return status;
}

static ptd_status differentiate_twice(inputs *in, ptd_error *error)
{
    const ptd_workspace_options options = {.max_order = 4, .n_thetas = 1};
    const double theta[PARAMETERS] = {1.0, 2.0, 1.5};
    double hessians[2 * PARAMETERS * PARAMETERS], central[2], bounds[2];
    static double by_vertex[MOST_VERTICES], slopes[MOST_VERTICES * PARAMETERS];
    ptd_workspace *workspace = NULL;
    ptd_status status = ptd_workspace_create(in->trace, &options, &workspace, error);
    if (status == PTD_OK) {
        status = ptd_moment_hessians(workspace, 1, theta, NULL, 2, hessians, error);
    }
    if (status == PTD_OK) {
        status =
            ptd_central_moments(workspace, 1, theta, NULL, 2, central, bounds, hessians, error);
    }
    if (status == PTD_OK) {
        status = ptd_vertex_moments(workspace, 1, theta, NULL, 1, by_vertex, slopes, error);
    }
    ptd_workspace_destroy(workspace);
    return status;
}

/* ---- planted bugs */

static ptd_status plant_unchecked(inputs *in, ptd_error *error)
{
    volatile char *memory = ptd_allocate(1, 1);
    (void)in;
    (void)error;
    *memory = 1;
    ptd_release((void *)memory);
    return PTD_OK;
}

static ptd_status plant_leak(inputs *in, ptd_error *error)
{
    void *first = ptd_allocate(100, 1);
    void *second = first ? ptd_allocate(100, 1) : NULL;
    (void)in;
    if (!second) {
        error->status = PTD_NO_MEMORY;
        return PTD_NO_MEMORY;
    }
    ptd_release(first);
    ptd_release(second);
    return PTD_OK;
}

static ptd_status plant_swallowed(inputs *in, ptd_error *error)
{
    (void)in;
    (void)error;
    ptd_release(ptd_allocate(1, 1));
    return PTD_OK;
}

static ptd_status plant_other_status(inputs *in, ptd_error *error)
{
    void *memory = ptd_allocate(1, 1);
    (void)in;
    error->status = memory ? PTD_OK : PTD_IO_ERROR;
    ptd_release(memory);
    return error->status;
}

/* ---- the run */

typedef struct {
    const char *name;
    step *run;
    int may_do_without; /* the allocation only serves to save time: success is right, too */
} named_step;

static const named_step STEPS[] = {
    {"state index", index_states, 0},
    {"graph", build_graph, 0},
    {"edges", add_edges, 0},
    {"record", record, 0},
    {"record, discrete", record_discrete, 0},
    {"record with plans", record_with_plans, 1},
    {"trace from arrays", trace_from_arrays, 0},
    {"graph of a trace", graph_of_trace, 0},
    {"encode", encode, 0},
    {"decode", decode, 0},
    {"cache", keep_in_cache, 0},
    {"quarantine", quarantine, 0},
    {"file", keep_in_file, 0},
    {"evaluate", evaluate, 0},
    {"evaluate, discrete", evaluate_discrete, 0},
    {"evaluation opened", open_evaluation, 0},
    {"sample", sample, 0},
    {"density", density, 0},
    {"values", values_at_any_times, 0},
    {"hessians", differentiate_twice, 0},
};

static const named_step PLANTED[] = {
    {"unchecked", plant_unchecked, 0},
    {"leak", plant_leak, 0},
    {"swallowed", plant_swallowed, 0},
    {"other-status", plant_other_status, 0},
};

/* Fails each allocation of a step in turn; the number of them. */
static int64_t exhaust(const named_step *s, inputs *in)
{
    for (int64_t nth = 0;; nth++) {
        ptd_error error = {0};
        const int failures = check_failures;
        allocations = 0;
        failing = nth;
        failed_to_shrink = 0;
        const ptd_status status = s->run(in, &error);
        const int reached = allocations > nth;
        failing = -1;
        if (!reached) {
            CHECK(status == PTD_OK);
        } else if (!(status == PTD_OK && (s->may_do_without || failed_to_shrink))) {
            CHECK(status == PTD_NO_MEMORY);
            CHECK(error.status == PTD_NO_MEMORY);
        }
        if (check_failures > failures) {
            fprintf(stderr, "  in: %s, allocation %lld, %s\n", s->name, (long long)nth,
                    ptd_status_name(status));
        }
        if (!reached) {
            return nth;
        }
    }
}

/* Ring of `size` vertices with a way out of each. */
static ptd_graph *discrete_ring(int64_t size)
{
    ptd_graph *graph = NULL;
    CHECK(ptd_graph_create(PTD_DISCRETE, 0, 0, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, size + 1, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 0, 1, 1.0, NULL, NULL) == PTD_OK);
    for (int64_t v = 1; v <= size; v++) {
        CHECK(ptd_graph_add_edge(graph, v, v % size + 1, 0.5, NULL, NULL) == PTD_OK);
        CHECK(ptd_graph_add_edge(graph, v, size + 1, 0.25, NULL, NULL) == PTD_OK);
    }
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    return graph;
}

static void prepare(inputs *in)
{
    in->chain = model_tandem(10, 10);
    CHECK(recorded_graph(&in->chain, PTD_CONTINUOUS, &in->graph, NULL) == PTD_OK);
    in->discrete_graph = discrete_ring(12);
    CHECK(ptd_record_elimination_trace(in->graph, NULL, &in->trace, NULL) == PTD_OK);
    CHECK(ptd_record_elimination_trace(in->discrete_graph, NULL, &in->discrete_trace, NULL) ==
          PTD_OK);
    CHECK(ptd_elimination_trace_encode(in->trace, &in->bytes, &in->length, NULL) == PTD_OK);
    CHECK(ptd_graph_trace_key(in->graph, in->key, NULL) == PTD_OK);
    strcpy(in->folder, "/tmp/ptd-allocation-XXXXXX");
    CHECK(mkdtemp(in->folder) != NULL);
    snprintf(in->file, sizeof in->file, "%s/kept.trace", in->folder);
}

static void release(inputs *in)
{
    rmdir(in->folder);
    ptd_buffer_release(in->bytes);
    ptd_elimination_trace_destroy(in->trace);
    ptd_elimination_trace_destroy(in->discrete_trace);
    ptd_graph_destroy(in->graph);
    ptd_graph_destroy(in->discrete_graph);
    model_destroy(&in->chain);
}

int main(int argc, char **argv)
{
    enum { N_STEPS = sizeof STEPS / sizeof *STEPS, N_PLANTED = sizeof PLANTED / sizeof *PLANTED };
    inputs in = {0};
    int64_t failed = 0;
    prepare(&in);
    in.planted_evaluation = argc > 1 && strcmp(argv[1], "evaluation") == 0;
    for (int k = 0; k < N_PLANTED; k++) {
        if (argc > 1 && strcmp(argv[1], PLANTED[k].name) == 0) {
            failed += exhaust(&PLANTED[k], &in);
        }
    }
    for (int k = 0; k < N_STEPS; k++) {
        const int64_t here = exhaust(&STEPS[k], &in);
        CHECK(here > 0);
        printf("%-20s %6lld allocations failed\n", STEPS[k].name, (long long)here);
        failed += here;
    }
    printf("%lld in all\n", (long long)failed);
    release(&in);
    return check_result();
}
