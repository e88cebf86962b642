/* Moments and their gradients against closed forms. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "small_graphs.h"

/* Two exponential phases of rates theta0 and theta1, after a start weight of 3. */
static ptd_elimination_trace *two_phases(void)
{
    const small_edge edges[] = {
        {0, 1, 3.0, {0, 0}},
        {1, 2, 0, {1, 0}},
        {2, 3, 0, {0, 1}},
    };
    return small_trace(PTD_CONTINUOUS, 4, edges, 3, 0);
}

static void test_hypoexponential(void)
{
    ptd_elimination_trace *trace = two_phases();
    ptd_workspace *ws = workspace_for(trace, 6, 1, 1, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {2.0, 5.0};
    const double a = 0.5, b = 0.2;
    double moments[6], gradient[12];
    CHECK(ptd_moments(ws, 1, theta, NULL, 6, moments, gradient, &error) == PTD_OK);
    double factorial = 1;
    for (int k = 1; k <= 6; k++) {
        /* E T^k = k! sum_j a^j b^(k-j), and its derivatives by theta0 = 1/a, theta1 = 1/b */
        double sum = 0, by_a = 0, by_b = 0;
        factorial *= k;
        for (int j = 0; j <= k; j++) {
            sum += pow(a, j) * pow(b, k - j);
            by_a += j * pow(a, j - 1) * pow(b, k - j);
            by_b += (k - j) * pow(a, j) * pow(b, k - j - 1);
        }
        CHECK(close_to(moments[k - 1], factorial * sum, 1e-14));
        CHECK(close_to(gradient[2 * (k - 1)], -a * a * factorial * by_a, 1e-13));
        CHECK(close_to(gradient[2 * (k - 1) + 1], -b * b * factorial * by_b, 1e-13));
    }
    const double rewards[4] = {9, 0, 4, 9}; /* only phase 2 counts: 4 Exp(5) */
    CHECK(ptd_moments(ws, 1, theta, rewards, 2, moments, gradient, &error) == PTD_OK);
    CHECK(close_to(moments[0], 0.8, 1e-15) && close_to(moments[1], 2 * 0.64, 1e-15));
    CHECK(gradient[0] == 0 && close_to(gradient[1], -0.16, 1e-15));
    double by_vertex[4], slopes[8];
    CHECK(ptd_vertex_moments(ws, 1, theta, NULL, 2, by_vertex, slopes, &error) == PTD_OK);
    CHECK(close_to(by_vertex[1], 2 * (a * a + a * b + b * b), 1e-15));
    for (int v = 0; v < 2; v++) {
        CHECK(close_to(slopes[2 * v], -2 * a * a * (2 * a + b), 1e-14));
        CHECK(close_to(slopes[2 * v + 1], -2 * b * b * (a + 2 * b), 1e-14));
    }
    CHECK(slopes[4] == 0 && close_to(slopes[5], -4 * b * b * b, 1e-14));
    CHECK(slopes[6] == 0 && slopes[7] == 0);
    CHECK(ptd_vertex_moments(ws, 1, theta, NULL, 1, by_vertex, NULL, &error) == PTD_OK);
    CHECK(close_to(by_vertex[0], a + b, 1e-15) && close_to(by_vertex[1], a + b, 1e-15));
    CHECK(close_to(by_vertex[2], b, 1e-15) && by_vertex[3] == 0);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* Success with probability theta0 in each step. */
static void test_geometric(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},
        {1, 1, 1, {-1, 0}},
        {1, 2, 0, {1, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, 3, edges, 3, 0);
    ptd_workspace *ws = workspace_for(trace, 3, 1, 1, 1, NULL);
    ptd_error error = {0};
    const double p = 0.25;
    const double theta[2] = {p, 0};
    double moments[3], gradient[6], factorial[5], slopes[10];
    CHECK(ptd_moments(ws, 1, theta, NULL, 3, moments, gradient, &error) == PTD_OK);
    CHECK(close_to(moments[0], 1 / p, 1e-14));
    CHECK(close_to(moments[1], (2 - p) / (p * p), 1e-14));
    CHECK(close_to(moments[2], (6 - 6 * p + p * p) / (p * p * p), 1e-14));
    CHECK(close_to(gradient[0], -1 / (p * p), 1e-14));
    CHECK(close_to(gradient[2], (p - 4) / (p * p * p), 1e-13));
    CHECK(gradient[1] == 0);
    CHECK(ptd_factorial_moments(ws, 1, theta, 5, factorial, slopes, &error) == PTD_OK);
    double expected = 1 / p;
    for (int k = 1; k <= 5; k++) {
        CHECK(close_to(factorial[k - 1], expected, 1e-13));
        /* of k! (1 - p)^(k - 1) / p^k */
        const double slope = -expected * ((k - 1) / (1 - p) + k / p);
        CHECK(close_to(slopes[2 * (k - 1)], slope, 1e-13) && slopes[2 * k - 1] == 0);
        expected *= (k + 1) * (1 - p) / p;
    }
    /* Nearly certain success: E[T (T - 1)] is small and keeps its digits. */
    const double almost[2] = {1 - 0x1p-30, 0};
    CHECK(ptd_factorial_moments(ws, 1, almost, 2, factorial, NULL, &error) == PTD_OK);
    CHECK(close_to(factorial[1], 2 * 0x1p-30 / pow(1 - 0x1p-30, 2), 1e-14));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* Half of the starts end in a closed class. */
static void test_improper(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 1, {0, 0}}, {1, 3, 1, {0, 0}},
        {2, 4, 1, {0, 0}}, {4, 2, 1, {0, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 5, 1);
    ptd_workspace *ws = workspace_for(trace, 2, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {0, 0};
    const double finite[5] = {0, 1, 0, 0, 0};
    double moments[2];
    CHECK(ptd_moments(ws, 1, theta, NULL, 2, moments, NULL, &error) == PTD_OK);
    CHECK(isinf(moments[0]) && isinf(moments[1]));
    CHECK(ptd_moments(ws, 1, theta, finite, 2, moments, NULL, &error) == PTD_OK);
    CHECK(close_to(moments[0], 0.5, 1e-15));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

static void test_arguments(void)
{
    ptd_elimination_trace *trace = two_phases();
    ptd_workspace *ws = workspace_for(trace, 2, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {1, 1};
    const double rewards[4] = {1, -1, 1, 1};
    double moments[3], gradient[6];
    CHECK(ptd_moments(ws, 1, theta, NULL, 3, moments, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_moments(ws, 1, theta, NULL, 0, moments, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_moments(ws, 1, theta, NULL, 1, moments, gradient, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_moments(ws, 1, theta, rewards, 1, moments, NULL, &error) == PTD_REWARD_INVALID);
    CHECK(error.index == 1 && error.value == -1);
    CHECK(ptd_factorial_moments(ws, 1, theta, 1, moments, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_moments(ws, 0, theta, NULL, 1, moments, NULL, &error) == PTD_OK);
    const double overflowing[2] = {1e-200, 1};
    CHECK(ptd_moments(ws, 1, overflowing, NULL, 2, moments, NULL, &error) == PTD_RESULT_OVERFLOW);
    CHECK(ptd_workspace_failed_theta(ws) == 0);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_hypoexponential();
    test_geometric();
    test_improper();
    test_arguments();
    return check_result();
}
