/* Every kernel gives the same bits: any number of lanes, any instruction set, two threads. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "check.h"
#include "kernel.h"
#include "recorded.h"
#include "small_graphs.h"

enum { THETAS = 67, ORDER = 6 };

typedef struct {
    double *moments;   /* THETAS x ORDER */
    double *gradient;  /* THETAS x ORDER x parameters */
    double *sojourn;   /* THETAS x vertices */
    double *transform; /* THETAS x POINTS */
    double *slopes;    /* THETAS x POINTS x parameters */
} answers;

enum { POINTS = 3 };

/* By vertex: an even one, an uneven one, and one that kills some. */
static double *shift_table(int64_t n_vertices)
{
    double *shifts = calloc((size_t)(POINTS * n_vertices), sizeof *shifts);
    for (int64_t v = 0; v < n_vertices; v++) {
        shifts[v] = 0.75;
        shifts[n_vertices + v] = (double)(v % 5) / 3;
        shifts[2 * n_vertices + v] = v % 29 == 17 ? INFINITY : 0.25;
    }
    return shifts;
}

static double *theta_table(int64_t n_parameters)
{
    double *thetas = calloc((size_t)(THETAS * n_parameters), sizeof *thetas);
    for (int64_t k = 0; k < THETAS * n_parameters; k++) {
        thetas[k] = 0.3 + (double)(k * 7919 % 1009) / 100.0;
    }
    return thetas;
}

static answers answer(const ptd_elimination_trace *trace, const double *thetas, int64_t at_once,
                      const char *instruction_set)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const int64_t P = meta->n_parameters, n = meta->n_vertices;
    answers a = {
        calloc(THETAS * ORDER, sizeof(double)),
        calloc((size_t)(THETAS * ORDER * P), sizeof(double)),
        calloc((size_t)(THETAS * n), sizeof(double)),
        calloc((size_t)(THETAS * POINTS), sizeof(double)),
        calloc((size_t)(THETAS * POINTS * P), sizeof(double)),
    };
    double *shifts = shift_table(n);
    ptd_workspace *ws = workspace_for(trace, ORDER, 1, 1, at_once, instruction_set);
    ptd_error error = {0};
    for (int64_t first = 0; first < THETAS; first += at_once) {
        const int64_t count = THETAS - first < at_once ? THETAS - first : at_once;
        CHECK(ptd_moments(ws, count, thetas + first * P, NULL, ORDER, a.moments + first * ORDER,
                          a.gradient + first * ORDER * P, &error) == PTD_OK);
        CHECK(ptd_expected_sojourn(ws, count, thetas + first * P, a.sojourn + first * n, &error) ==
              PTD_OK);
        CHECK(ptd_transform(ws, count, thetas + first * P, POINTS, shifts,
                            a.transform + first * POINTS, a.slopes + first * POINTS * P,
                            &error) == PTD_OK);
    }
    ptd_workspace_destroy(ws);
    free(shifts);
    return a;
}

static void release(answers a)
{
    free(a.moments);
    free(a.gradient);
    free(a.sojourn);
    free(a.transform);
    free(a.slopes);
}

static void check_equal(const ptd_elimination_trace *trace, answers a, answers b)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    CHECK(memcmp(a.moments, b.moments, THETAS * ORDER * sizeof(double)) == 0);
    CHECK(memcmp(a.gradient, b.gradient,
                 (size_t)(THETAS * ORDER * meta->n_parameters) * sizeof(double)) == 0);
    CHECK(memcmp(a.sojourn, b.sojourn, (size_t)(THETAS * meta->n_vertices) * sizeof(double)) == 0);
    CHECK(memcmp(a.transform, b.transform, THETAS * POINTS * sizeof(double)) == 0);
    CHECK(memcmp(a.slopes, b.slopes,
                 (size_t)(THETAS * POINTS * meta->n_parameters) * sizeof(double)) == 0);
}

static void test_same_bits(ptd_elimination_trace *trace)
{
    static const char *const sets[] = {"baseline", "avx2", "avx512"};
    static const int64_t at_once[] = {1, 2, 8, 9, 33, THETAS};
    double *thetas = theta_table(ptd_elimination_trace_meta(trace)->n_parameters);
    const answers one = answer(trace, thetas, 1, "baseline");
    for (size_t s = 0; s < 3; s++) {
        for (size_t k = 0; k < sizeof at_once / sizeof *at_once; k++) {
            const answers other = answer(trace, thetas, at_once[k], sets[s]);
            check_equal(trace, one, other);
            release(other);
        }
    }
    release(one);
    free(thetas);
    ptd_elimination_trace_destroy(trace);
}

typedef struct {
    const ptd_elimination_trace *trace;
    const double *thetas;
    answers result;
} task;

static void *run_task(void *argument)
{
    task *t = argument;
    t->result = answer(t->trace, t->thetas, 8, NULL);
    return NULL;
}

static void test_threads(void)
{
    ptd_elimination_trace *trace = recorded_trace(model_islands(3, 7));
    double *thetas = theta_table(ptd_elimination_trace_meta(trace)->n_parameters);
    task tasks[2] = {{.trace = trace, .thetas = thetas}, {.trace = trace, .thetas = thetas}};
    pthread_t threads[2];
    for (int k = 0; k < 2; k++) {
        CHECK(pthread_create(&threads[k], NULL, run_task, &tasks[k]) == 0);
    }
    for (int k = 0; k < 2; k++) {
        CHECK(pthread_join(threads[k], NULL) == 0);
    }
    const answers alone = answer(trace, thetas, 8, NULL);
    check_equal(trace, alone, tasks[0].result);
    check_equal(trace, alone, tasks[1].result);
    release(alone);
    release(tasks[0].result);
    release(tasks[1].result);
    free(thetas);
    ptd_elimination_trace_destroy(trace);
}

/* A hub with 70,000 leaves has rows of more than 65,535 slots: mean and gradient in closed form.
 * From the hub to each leaf with theta0, back with theta1, out of the hub with 1. */
static void test_wide_rows(void)
{
    enum { LEAVES = 70000 };
    static small_edge edges[2 * LEAVES + 2];
    int64_t count = 0;
    edges[count++] = (small_edge){0, 1, 1, {0, 0}};
    edges[count++] = (small_edge){1, 2, 1, {0, 0}};
    for (int64_t leaf = 3; leaf < LEAVES + 3; leaf++) {
        edges[count++] = (small_edge){1, leaf, 0, {1, 0}};
        edges[count++] = (small_edge){leaf, 1, 0, {0, 1}};
    }
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, LEAVES + 3, edges, count, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 1, 8, NULL);
    ptd_error error = {0};
    double thetas[16], moments[8], gradient[16];
    for (int k = 0; k < 8; k++) {
        thetas[2 * k] = 0.5 + k;
        thetas[2 * k + 1] = 2.0;
    }
    CHECK(ptd_moments(ws, 8, thetas, NULL, 1, moments, gradient, &error) == PTD_OK);
    for (int k = 0; k < 8; k++) {
        const double a = thetas[2 * k], b = thetas[2 * k + 1];
        CHECK(close_to(moments[k], 1 + LEAVES * a / b, 1e-11));
        CHECK(close_to(gradient[2 * k], LEAVES / b, 1e-10));
        CHECK(close_to(gradient[2 * k + 1], -LEAVES * a / (b * b), 1e-10));
    }
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    CHECK(strcmp(ptd_kernel_select("baseline")->instruction_set, "baseline") == 0);
    test_same_bits(recorded_trace(model_islands(3, 8)));
    test_same_bits(recorded_trace(model_tandem(6, 5)));
    test_same_bits(recorded_trace(model_two_locus(6)));
    test_same_bits(recorded_trace(model_site_frequency(9)));
    test_threads();
    test_wide_rows();
    return check_result();
}
