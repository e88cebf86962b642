/* Times, ends and defects against closed forms. */
#include <math.h>

#include "check.h"
#include "small_graphs.h"

/* Gambler's ruin on 0..4 (vertices 5, 1, 2, 3, 4 absorbing ends 4 and 5), up theta0, down theta1,
 * from 2. */
static ptd_elimination_trace *ruin(void)
{
    const small_edge edges[] = {
        {0, 2, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {1, 5, 0, {0, 1}}, {2, 3, 0, {1, 0}},
        {2, 1, 0, {0, 1}}, {3, 4, 0, {1, 0}}, {3, 2, 0, {0, 1}},
    };
    return small_trace(PTD_CONTINUOUS, 6, edges, 7, 0);
}

static void test_ruin(void)
{
    ptd_elimination_trace *trace = ruin();
    ptd_workspace *ws = workspace_for(trace, 1, 1, 1, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {1, 3};
    const int64_t targets[2] = {5, 4};
    double probability[2], gradient[4], sojourn[6];
    CHECK(ptd_absorption_probabilities(ws, 1, theta, 2, targets, probability, gradient, &error) ==
          PTD_OK);
    /* q = theta1 / theta0: P(4 before 0 from 2) = 1 / (1 + q^2) */
    CHECK(close_to(probability[1], 0.1, 1e-15) && close_to(probability[0], 0.9, 1e-15));
    /* d/dq 1 / (1 + q^2) = -2 q / (1 + q^2)^2 = -0.06 */
    CHECK(close_to(gradient[2], 0.18, 1e-14) && close_to(gradient[3], -0.06, 1e-14));
    CHECK(close_to(gradient[0], -0.18, 1e-14) && close_to(gradient[1], 0.06, 1e-14));
    CHECK(ptd_expected_sojourn(ws, 1, theta, sojourn, &error) == PTD_OK);
    /* visits to 2 are geometric with return probability 2 * 3/16: 1.6 visits of mean 1/4 */
    CHECK(close_to(sojourn[2], 0.4, 1e-15) && close_to(sojourn[1], 0.3, 1e-15));
    CHECK(close_to(sojourn[3], 0.1, 1e-15));
    CHECK(sojourn[0] == 0 && sojourn[4] == 0 && sojourn[5] == 0);
    const int64_t transient[1] = {2};
    CHECK(ptd_absorption_probabilities(ws, 1, theta, 1, transient, probability, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

static void test_defect(void)
{
    const small_edge edges[] = {
        {0, 3, 1, {0, 0}}, {0, 1, 3, {0, 0}}, {1, 2, 1, {0, 0}},
        {2, 1, 1, {0, 0}}, {2, 3, 3, {0, 0}}, {1, 3, 1, {0, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 6, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {0, 0};
    double defect;
    CHECK(ptd_defect(ws, 1, theta, NULL, &defect, &error) == PTD_OK);
    CHECK(close_to(defect, 0.25, 1e-15));
    const double second[4] = {0, 0, 1, 0};
    CHECK(ptd_defect(ws, 1, theta, second, &defect, &error) == PTD_OK);
    CHECK(close_to(defect, 0.25 + 0.75 * 0.5, 1e-15));
    const double none[4] = {1, 0, 0, 1};
    CHECK(ptd_defect(ws, 1, theta, none, &defect, &error) == PTD_OK);
    CHECK(close_to(defect, 1, 1e-15));
    /* The factors of another question must not leak into the next. */
    double mean;
    CHECK(ptd_moments(ws, 1, theta, NULL, 1, &mean, NULL, &error) == PTD_OK);
    CHECK(close_to(mean, 0.75 * (0.5 + 0.5 * 0.25) / (1 - 0.125), 1e-15));
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_ruin();
    test_defect();
    return check_result();
}
