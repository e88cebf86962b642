/* Central moments against closed forms, and their errors against their bounds. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "small_graphs.h"

enum { ORDER = 5 };

/* From the cumulants k2, k3, k4, k5. */
static void central_of(const double *k, double *central)
{
    central[0] = 0;
    central[1] = k[0];
    central[2] = k[1];
    central[3] = k[2] + 3 * k[0] * k[0];
    central[4] = k[3] + 10 * k[0] * k[1];
}

static void check_within(const double *found, const double *bounds, const double *exact,
                         double relative)
{
    for (int k = 0; k < ORDER; k++) {
        CHECK(fabs(found[k] - exact[k]) <= bounds[k]);
        CHECK(bounds[k] <= relative * fmax(fabs(exact[k]), pow(exact[1], 0.5 * (k + 1))));
    }
}

/* A thousand phases: the mean is 32 deviations. */
static void test_erlang(void)
{
    enum { PHASES = 1000 };
    small_edge *edges = calloc(PHASES + 1, sizeof *edges);
    edges[0] = (small_edge){0, 1, 1, {0, 0}};
    for (int64_t v = 1; v <= PHASES; v++) {
        edges[v] = (small_edge){v, v + 1, 0, {1, 0}};
    }
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, PHASES + 2, edges, PHASES + 1, 0);
    const double thetas[4] = {0.5, 0, 3, 0};
    for (int64_t lanes = 1; lanes <= 8; lanes += 7) {
        ptd_workspace *ws = workspace_for(trace, 2 * ORDER, 1, 0, lanes, NULL);
        ptd_error error = {0};
        double moments[2 * ORDER], bounds[2 * ORDER], gradient[4 * ORDER], exact[ORDER];
        CHECK(ptd_central_moments(ws, 2, thetas, NULL, ORDER, moments, bounds, gradient, &error) ==
              PTD_OK);
        for (int t = 0; t < 2; t++) {
            const double a = 1 / thetas[2 * t];
            const double cumulants[4] = {PHASES * a * a, 2 * PHASES * pow(a, 3),
                                         6 * PHASES * pow(a, 4), 24 * PHASES * pow(a, 5)};
            central_of(cumulants, exact);
            check_within(moments + t * ORDER, bounds + t * ORDER, exact, 1e-11);
            for (int k = 1; k <= ORDER; k++) {
                /* theta is a unit of time */
                const double *slope = gradient + 2 * (t * ORDER + k - 1);
                CHECK(close_to(slope[0], -k * exact[k - 1] * a, 1e-10) && slope[1] == 0);
            }
        }
        ptd_workspace_destroy(ws);
    }
    ptd_elimination_trace_destroy(trace);
    free(edges);
}

/* Two queues' worth of cycles: up and down between 1 and 2 before each of them is left. */
static void test_geometric_sum(void)
{
    /* N visits of 1, geometric with p = theta1 / (theta0 + theta1): each takes an exponential of
     * rate theta0 + theta1, and the sum is exponential of rate theta1. */
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 1, 1, {0, 0}}, {1, 3, 0, {0, 1}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
    ptd_workspace *ws = workspace_for(trace, 2 * ORDER, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {1e6, 0.5};
    const double rewards[4] = {0, 1, 0, 0};
    double moments[ORDER], bounds[ORDER], gradient[2 * ORDER], exact[ORDER];
    const double cumulants[4] = {4, 16, 96, 768};
    CHECK(ptd_central_moments(ws, 1, theta, rewards, ORDER, moments, bounds, gradient, &error) ==
          PTD_OK);
    central_of(cumulants, exact);
    check_within(moments, bounds, exact, 1e-11);
    for (int k = 2; k <= ORDER; k++) {
        const double size = exact[k - 1] / theta[0];
        CHECK(fabs(gradient[2 * (k - 1)]) <= 1e-12 * size);
        CHECK(close_to(gradient[2 * k - 1], -k * exact[k - 1] / theta[1], 1e-12));
    }
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* A thousand steps that rarely stay: the mean is 3e4 deviations. */
static void test_negative_binomial(void)
{
    enum { STEPS = 1000 };
    small_edge *edges = calloc(STEPS + 1, sizeof *edges);
    edges[0] = (small_edge){0, 1, 1, {0, 0}};
    for (int64_t v = 1; v <= STEPS; v++) {
        edges[v] = (small_edge){v, v + 1, 0, {1, 0}};
    }
    ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, STEPS + 2, edges, STEPS + 1, 0);
    ptd_workspace *ws = workspace_for(trace, 2 * ORDER, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double q = 0x1p-20;
    const double theta[2] = {1 - q, 0};
    const double p = theta[0];
    double moments[ORDER], bounds[ORDER], gradient[2 * ORDER], exact[ORDER];
    const double cumulants[4] = {STEPS * q / (p * p), STEPS * q * (1 + q) / pow(p, 3),
                                 STEPS * q * (1 + 4 * q + q * q) / pow(p, 4),
                                 STEPS * q * (1 + q) * (1 + 10 * q + q * q) / pow(p, 5)};
    CHECK(ptd_central_moments(ws, 1, theta, NULL, ORDER, moments, bounds, gradient, &error) ==
          PTD_OK);
    CHECK(close_to(gradient[2], -STEPS * (1 + q) / pow(p, 3), 1e-11));
    central_of(cumulants, exact);
    check_within(moments, bounds, exact, 1e-6);
    for (int k = 1; k < ORDER; k++) {
        CHECK(close_to(moments[k], exact[k], 1e-11));
    }
    const double certain[2] = {1, 0};
    CHECK(ptd_central_moments(ws, 1, certain, NULL, ORDER, moments, bounds, NULL, &error) ==
          PTD_OK);
    CHECK(moments[1] == 0 && moments[2] == 0 && moments[3] == 0);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
    free(edges);
}

static void test_arguments(void)
{
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 3, edges, 2, 0);
    ptd_workspace *ws = workspace_for(trace, 4, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {1, 0};
    const double dead[2] = {0, 0};
    double moments[3], bounds[3];
    CHECK(ptd_central_moments(ws, 1, theta, NULL, 0, moments, bounds, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_central_moments(ws, 1, theta, NULL, 3, moments, bounds, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_central_moments(ws, 1, dead, NULL, 2, moments, bounds, NULL, &error) ==
          PTD_ABSORPTION_UNREACHABLE);
    CHECK(ptd_central_moments(ws, 1, theta, NULL, 2, moments, bounds, NULL, &error) == PTD_OK);
    CHECK(moments[0] == 0 && close_to(moments[1], 1, 1e-15));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_erlang();
    test_geometric_sum();
    test_negative_binomial();
    test_arguments();
    return check_result();
}
