/* Second derivatives of moments against closed forms. */
#include <math.h>

#include "check.h"
#include "small_graphs.h"

enum { ORDER = 3 };

/* E[T^k] = k! sum_j a^j b^(k - j) with a = 1 / theta0, b = 1 / theta1. */
static void test_two_phases(void)
{
    const small_edge edges[] = {{0, 1, 3, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 3, 0, {0, 1}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 3, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double thetas[4] = {2, 5, 0.25, 4};
    double hessians[2 * ORDER * 4];
    CHECK(ptd_moment_hessians(ws, 2, thetas, NULL, ORDER, hessians, &error) == PTD_OK);
    for (int t = 0; t < 2; t++) {
        const double a = 1 / thetas[2 * t], b = 1 / thetas[2 * t + 1];
        double factorial = 1;
        for (int k = 1; k <= ORDER; k++) {
            double first = 0, both = 0, second = 0;
            factorial *= k;
            for (int j = 0; j <= k; j++) {
                const int i = k - j;
                const double term = factorial * pow(a, j) * pow(b, i);
                first += j * (j + 1) * term * a * a;
                both += j * i * term * a * b;
                second += i * (i + 1) * term * b * b;
            }
            const double *found = hessians + (t * ORDER + k - 1) * 4;
            CHECK(close_to(found[0], first, 1e-14) && close_to(found[3], second, 1e-14));
            CHECK(fabs(found[1] - both) <= 1e-14 * both && found[1] == found[2]);
        }
    }
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* A rare way out, theta1, of a pair that turns with theta0: E[T] = 2 / theta1 + 1 / theta0. Errors
 * are relative to |E[T] / theta^2|. Twice the pair shares a block. */
static void test_rare_exits(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 1, 0, {1, 0}}, {2, 3, 0, {0, 1}},
        {3, 4, 0, {1, 0}}, {4, 3, 0, {1, 0}}, {4, 5, 0, {0, 1}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 6, edges, 7, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {10, 1e-12};
    double hessian[4];
    CHECK(ptd_moment_hessians(ws, 1, theta, NULL, 1, hessian, &error) == PTD_OK);
    CHECK(close_to(hessian[3], 2 * 4e36, 1e-14));
    CHECK(fabs(hessian[0] - 2 * 2e-3) <= 1e-14 * 4e12 / 100);
    CHECK(fabs(hessian[1]) <= 1e-14 * 4e12 / 10 / 1e-12 && hessian[2] == hessian[1]);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* Success with probability theta0: E[T] = 1 / p, E[T^2] = (2 - p) / p^2. */
static void test_geometric(void)
{
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 1, 1, {-1, 0}}, {1, 2, 0, {1, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, 3, edges, 3, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double p = 0.25;
    const double theta[2] = {p, 0};
    double hessians[8];
    CHECK(ptd_moment_hessians(ws, 1, theta, NULL, 2, hessians, &error) == PTD_OK);
    CHECK(close_to(hessians[0], 2 / (p * p * p), 1e-14));
    CHECK(close_to(hessians[4], (12 - 2 * p) / (p * p * p * p), 1e-13));
    CHECK(hessians[1] == 0 && hessians[3] == 0 && hessians[7] == 0);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

static void test_arguments(void)
{
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 3, edges, 2, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {1, 1};
    const double dead[2] = {0, 1};
    const double tiny[2] = {1e-200, 1};
    const double rewards[3] = {0, -1, 0};
    double hessian[4];
    CHECK(ptd_moment_hessians(ws, 1, theta, NULL, 0, hessian, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_moment_hessians(ws, 1, theta, rewards, 1, hessian, &error) == PTD_REWARD_INVALID);
    CHECK(ptd_moment_hessians(ws, 1, dead, NULL, 1, hessian, &error) == PTD_ABSORPTION_UNREACHABLE);
    CHECK(ptd_moment_hessians(ws, 1, tiny, NULL, 1, hessian, &error) == PTD_RESULT_OVERFLOW);
    CHECK(ptd_workspace_failed_theta(ws) == 0);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_two_phases();
    test_rare_exits();
    test_geometric();
    test_arguments();
    return check_result();
}
