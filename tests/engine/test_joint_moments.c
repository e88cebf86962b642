/* Joint moments and their gradients against closed forms. */
#include <math.h>

#include "check.h"
#include "small_graphs.h"

/* Phases of rates theta0 and theta1, one after the other: independent exponentials A and B. */
static void test_independent_phases(void)
{
    const small_edge edges[] = {{0, 1, 3, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 3, 0, {0, 1}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 3, 0);
    const double rewards[8] = {0, 2, 0, 0, 0, 0, 1, 0};
    const double thetas[6] = {2, 5, 0.5, 3, 4, 0.25};
    for (int64_t lanes = 1; lanes <= 8; lanes += 7) {
        ptd_workspace *ws = workspace_for(trace, 11, 1, 1, lanes, NULL);
        ptd_error error = {0};
        const int32_t powers[2] = {3, 2};
        double moments[3], gradient[6];
        CHECK(ptd_joint_moments(ws, 3, thetas, 2, rewards, powers, moments, gradient, &error) ==
              PTD_OK);
        for (int t = 0; t < 3; t++) {
            /* E[(2 A)^3 B^2] = 8 3! / theta0^3 2! / theta1^2 */
            const double a = thetas[2 * t], b = thetas[2 * t + 1];
            const double exact = 96 / (a * a * a * b * b);
            CHECK(close_to(moments[t], exact, 1e-14));
            CHECK(close_to(gradient[2 * t], -3 * exact / a, 1e-13));
            CHECK(close_to(gradient[2 * t + 1], -2 * exact / b, 1e-13));
        }
        const int32_t none[2] = {0, 0};
        CHECK(ptd_joint_moments(ws, 1, thetas, 2, rewards, none, moments, gradient, &error) ==
              PTD_OK);
        CHECK(moments[0] == 1 && gradient[0] == 0 && gradient[1] == 0);
        const int32_t one[2] = {0, 1};
        CHECK(ptd_joint_moments(ws, 1, thetas, 2, rewards, one, moments, gradient, &error) ==
              PTD_OK);
        CHECK(close_to(moments[0], 0.2, 1e-15) && close_to(gradient[1], -0.04, 1e-14));
        ptd_workspace_destroy(ws);
    }
    ptd_elimination_trace_destroy(trace);
}

/* N visits of 1, from which theta0 leads out each time; the second reward is twice the first:
 * E[N^2 (2 N)] = 2 E[N^3]. And with a visit of 2 before the end: E[N^2 2] and E[N 2^2]. */
static void test_visits(void)
{
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 3, 1, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, 4, edges, 3, 0);
    ptd_workspace *ws = workspace_for(trace, 11, 1, 1, 1, NULL);
    ptd_error error = {0};
    const double p = 0.25;
    const double theta[2] = {p, 0};
    const double rewards[12] = {0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0};
    double moment, gradient[2];
    const int32_t same[3] = {2, 1, 0};
    CHECK(ptd_joint_moments(ws, 1, theta, 3, rewards, same, &moment, gradient, &error) == PTD_OK);
    CHECK(close_to(moment, 2 * (6 - 6 * p + p * p) / (p * p * p), 1e-14));
    CHECK(close_to(gradient[0], 2 * (-18 + 12 * p - p * p) / (p * p * p * p), 1e-13));
    const int32_t apart[3] = {2, 0, 1};
    CHECK(ptd_joint_moments(ws, 1, theta, 3, rewards, apart, &moment, gradient, &error) == PTD_OK);
    CHECK(close_to(moment, 2 * (2 - p) / (p * p), 1e-14));
    CHECK(close_to(gradient[0], 2 * (p - 4) / (p * p * p), 1e-13));
    const int32_t other[3] = {1, 0, 2};
    CHECK(ptd_joint_moments(ws, 1, theta, 3, rewards, other, &moment, gradient, &error) == PTD_OK);
    CHECK(close_to(moment, 4 / p, 1e-14) && close_to(gradient[0], -4 / (p * p), 1e-13));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

static void test_arguments(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 1, {0, 0}}, {1, 3, 1, {0, 0}},
        {2, 4, 1, {0, 0}}, {4, 2, 1, {0, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 5, 1);
    ptd_workspace *ws = workspace_for(trace, 3, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {1, 1};
    const double finite[10] = {0, 1, 0, 0, 0, 0, 2, 0, 0, 0};
    const double endless[10] = {0, 1, 0, 0, 0, 0, 2, 1, 0, 0};
    const double wrong[10] = {0, 1, 0, 0, 0, 0, -2, 1, 0, 0};
    const int32_t powers[2] = {1, 1};
    const int32_t negative[2] = {1, -1};
    const int32_t many[2] = {3, 1};
    const int32_t first[2] = {1, 0};
    double moment, gradient[2];
    CHECK(ptd_joint_moments(ws, 1, theta, 2, finite, powers, &moment, NULL, &error) == PTD_OK);
    CHECK(close_to(moment, 2 * 2 * 0.25, 1e-15)); /* E[A 2 A], A of rate 2 */
    CHECK(ptd_joint_moments(ws, 1, theta, 2, endless, first, &moment, NULL, &error) == PTD_OK);
    CHECK(ptd_joint_moments(ws, 1, theta, 2, endless, powers, &moment, NULL, &error) ==
          PTD_ABSORPTION_UNREACHABLE);
    CHECK(ptd_joint_moments(ws, 1, theta, 2, wrong, powers, &moment, NULL, &error) ==
          PTD_REWARD_INVALID);
    CHECK(ptd_joint_moments(ws, 1, theta, 2, finite, negative, &moment, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_joint_moments(ws, 1, theta, 2, finite, many, &moment, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_joint_moments(ws, 1, theta, 2, finite, powers, &moment, gradient, &error) ==
          PTD_INVALID_ARGUMENT);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_independent_phases();
    test_visits();
    test_arguments();
    return check_result();
}
