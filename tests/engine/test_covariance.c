/* Covariances and their gradients against closed forms. */
#include <string.h>

#include "check.h"
#include "small_graphs.h"

/* Phase 1 (rate theta0), then with weights 1 : theta1 phase 2 (rate 3) or the end. */
static void test_two_rewards(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 3, 0, {1, 0}},
        {2, 4, 0, {0, 1}}, {3, 4, 3, {0, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 5, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 3, 1, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {2, 6};
    /* X: time in 1. Y: 5 times the time in 3. Z: X + Y. X and Y are independent. */
    const double rewards[15] = {0, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 1, 0, 5, 0};
    double means[3], covariances[9], mean_gradients[6], gradients[18];
    CHECK(ptd_covariances(ws, 1, theta, 3, rewards, means, covariances, mean_gradients, gradients,
                          &error) == PTD_OK);
    const double p = 2.0 / 8.0;
    const double variance_x = 1.0 / 4.0;
    const double variance_y = 25 * (2 * p - p * p) / 9.0;
    CHECK(close_to(means[0], 0.5, 1e-15) && close_to(means[1], 5 * p / 3, 1e-15));
    CHECK(close_to(covariances[0], variance_x, 1e-14));
    CHECK(close_to(covariances[4], variance_y, 1e-14));
    CHECK(fabs(covariances[1]) < 1e-15 && covariances[1] == covariances[3]);
    CHECK(close_to(covariances[8], variance_x + variance_y, 1e-14));
    CHECK(close_to(covariances[2], variance_x, 1e-14));
    CHECK(close_to(mean_gradients[0], -0.25, 1e-14) && mean_gradients[1] == 0);
    /* dp/dtheta = (theta1, -theta0) / (theta0 + theta1)^2 */
    const double by_p = 25 * (2 - 2 * p) / 9.0;
    CHECK(close_to(gradients[0], -2.0 / 8.0, 1e-14) && fabs(gradients[1]) < 1e-15);
    CHECK(close_to(gradients[8], by_p * 6 / 64, 1e-13));
    CHECK(close_to(gradients[9], -by_p * 2 / 64, 1e-13));
    CHECK(ptd_covariances(ws, 1, theta, 4, rewards, means, covariances, NULL, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* The variance of a sum of 1,000 exponentials is a thousandth of the squared mean. */
static void test_erlang(void)
{
    enum { PHASES = 1000 };
    static small_edge edges[PHASES + 1];
    for (int64_t k = 0; k <= PHASES; k++) {
        edges[k] = (small_edge){k, k + 1, k == 0, {k > 0, 0}};
    }
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, PHASES + 2, edges, PHASES + 1, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 1, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {1e-3, 0};
    double mean, variance, mean_gradient[2], gradient[2];
    CHECK(ptd_covariances(ws, 1, theta, 1, NULL, &mean, &variance, mean_gradient, gradient,
                          &error) == PTD_OK);
    CHECK(close_to(mean, 1e6, 1e-12) && close_to(variance, 1e9, 1e-14));
    CHECK(close_to(gradient[0], -2e12, 1e-12));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* A fast switch of rates 1e8 before an exit of rate 1: both formulas of covariance.c are needed. */
static void test_fast_switch(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},
        {1, 2, 0, {1, 0}},
        {2, 1, 0, {1, 0}},
        {2, 3, 0, {0, 1}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double fast = 1e8, exit = 1.0;
    const double theta[2] = {1e8, 1.0};
    double mean, variance;
    CHECK(ptd_covariances(ws, 1, theta, 1, NULL, &mean, &variance, NULL, NULL, &error) == PTD_OK);
    CHECK(close_to(mean, (2 * fast + exit) / (fast * exit), 1e-14));
    /* Geometric number of visits: variance from the moments of the 2-state chain. */
    const double expected =
        (4 * fast * fast + 2 * fast * exit + exit * exit) / (fast * fast * exit * exit);
    CHECK(close_to(variance, expected, 1e-12));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

static void test_discrete(void)
{
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, 3, edges, 2, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 1, 1, NULL);
    ptd_error error = {0};
    const double p = 0.125;
    const double theta[2] = {0.125, 0};
    double mean, variance, mean_gradient[2], gradient[2];
    CHECK(ptd_covariances(ws, 1, theta, 1, NULL, &mean, &variance, mean_gradient, gradient,
                          &error) == PTD_OK);
    CHECK(close_to(mean, 8, 1e-15) && close_to(variance, (1 - p) / (p * p), 1e-14));
    CHECK(close_to(gradient[0], (p - 2) / (p * p * p), 1e-13));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_two_rewards();
    test_erlang();
    test_fast_switch();
    test_discrete();
    return check_result();
}
