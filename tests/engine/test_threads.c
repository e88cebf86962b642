/* Threads: one trace read by several, and a graph built, recorded and evaluated by each, give what
 * one thread gives, bit for bit. Under the thread sanitizer, a race in any of it is seen. */
#include "ptd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "models.h"
#include "recorded.h"

enum { THREADS = 3, ORDER = 2, MOST_PARAMETERS = 4, ROWS = 9, MOST_VERTICES = 2000 };

typedef struct {
    model (*make)(void);
    const ptd_elimination_trace *trace;
    double moments[ROWS * ORDER];
    double gradient[ROWS * ORDER * MOST_PARAMETERS];
    double transform[ROWS];
    double slopes[ROWS * MOST_PARAMETERS];
    double hessians[ORDER * MOST_PARAMETERS * MOST_PARAMETERS];
} work;

static model islands(void)
{
    return model_islands(2, 5);
}

static model tandem(void)
{
    return model_tandem(8, 8);
}

static model birth_death(void)
{
    return model_birth_death(30);
}

static model (*const MODELS[THREADS])(void) = {islands, tandem, birth_death};

static void evaluate(const ptd_elimination_trace *trace, work *w)
{
    const ptd_workspace_options options = {.max_order = ORDER, .gradient = 1, .n_thetas = ROWS};
    double thetas[ROWS * MOST_PARAMETERS];
    ptd_workspace *workspace = NULL;
    CHECK(ptd_elimination_trace_meta(trace)->n_parameters <= MOST_PARAMETERS);
    for (int k = 0; k < ROWS * MOST_PARAMETERS; k++) {
        thetas[k] = 0.25 + 0.5 * (k % 7);
    }
    CHECK(ptd_workspace_create(trace, &options, &workspace, NULL) == PTD_OK);
    CHECK(ptd_moments(workspace, ROWS, thetas, NULL, ORDER, w->moments, w->gradient, NULL) ==
          PTD_OK);
    CHECK(ptd_elimination_trace_meta(trace)->n_vertices <= MOST_VERTICES);
    double shifts[MOST_VERTICES];
    for (int v = 0; v < MOST_VERTICES; v++) {
        shifts[v] = 0.5 + v % 3;
    }
    CHECK(ptd_transform(workspace, ROWS, thetas, 1, shifts, w->transform, w->slopes, NULL) ==
          PTD_OK);
    CHECK(ptd_moment_hessians(workspace, 1, thetas, NULL, ORDER, w->hessians, NULL) == PTD_OK);
    ptd_workspace_destroy(workspace);
}

static void *work_on_shared_trace(void *argument)
{
    work *w = argument;
    evaluate(w->trace, w);
    return NULL;
}

static void *work_on_own_graph(void *argument)
{
    work *w = argument;
    ptd_elimination_trace *trace = recorded_trace(w->make());
    evaluate(trace, w);
    ptd_elimination_trace_destroy(trace);
    return NULL;
}

static void run_together(void *(*run)(void *), work works[THREADS])
{
    pthread_t threads[THREADS];
    for (int k = 0; k < THREADS; k++) {
        CHECK(pthread_create(&threads[k], NULL, run, &works[k]) == 0);
    }
    for (int k = 0; k < THREADS; k++) {
        CHECK(pthread_join(threads[k], NULL) == 0);
    }
}

static int same(const work *a, const work *b)
{
    return memcmp(a->moments, b->moments, sizeof a->moments) == 0 &&
           memcmp(a->gradient, b->gradient, sizeof a->gradient) == 0 &&
           memcmp(a->transform, b->transform, sizeof a->transform) == 0 &&
           memcmp(a->slopes, b->slopes, sizeof a->slopes) == 0 &&
           memcmp(a->hessians, b->hessians, sizeof a->hessians) == 0;
}

static void test_one_trace(void)
{
    static work alone;
    static work together[THREADS];
    ptd_elimination_trace *trace = recorded_trace(tandem());
    evaluate(trace, &alone);
    CHECK(alone.moments[0] > 0.0);
    for (int k = 0; k < THREADS; k++) {
        together[k].trace = trace;
    }
    run_together(work_on_shared_trace, together);
    for (int k = 0; k < THREADS; k++) {
        CHECK(same(&together[k], &alone));
    }
    ptd_elimination_trace_destroy(trace);
}

static void test_graph_each(void)
{
    static work alone[THREADS];
    static work together[THREADS];
    for (int k = 0; k < THREADS; k++) {
        alone[k].make = MODELS[k];
        together[k].make = MODELS[k];
        work_on_own_graph(&alone[k]);
    }
    run_together(work_on_own_graph, together);
    for (int k = 0; k < THREADS; k++) {
        CHECK(same(&together[k], &alone[k]));
    }
    CHECK(!same(&alone[0], &alone[1]));
}

int main(void)
{
    test_one_trace();
    test_graph_each();
    return check_result();
}
