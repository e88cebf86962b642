/* What goes wrong at a theta is told by edge or vertex, and by the row of theta. */
#include <math.h>

#include "check.h"
#include "small_graphs.h"

/* Two vertices; 1 leads to 2 with 0.3 - 3 theta0 and to the end with theta1, 2 to the end with
 * theta0. */
static ptd_elimination_trace *branching(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},
        {1, 2, 0.3, {-3, 0}},
        {1, 3, 0, {0, 1}},
        {2, 3, 0, {1, 0}},
    };
    return small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
}

static void test_weights(void)
{
    ptd_elimination_trace *trace = branching();
    ptd_workspace *ws = workspace_for(trace, 1, 1, 1, 20, NULL);
    ptd_error error = {0};
    double thetas[40], moments[20], gradient[40];
    for (int k = 0; k < 20; k++) {
        thetas[2 * k] = 0.05;
        thetas[2 * k + 1] = 1;
    }
    CHECK(ptd_moments(ws, 20, thetas, NULL, 1, moments, NULL, &error) == PTD_OK);
    thetas[2 * 17] = 0.2;
    CHECK(ptd_moments(ws, 20, thetas, NULL, 1, moments, NULL, &error) == PTD_WEIGHT_NEGATIVE);
    CHECK(ptd_workspace_failed_theta(ws) == 17);
    ptd_array target = {0}, vertex = {0};
    ptd_elimination_trace_array(trace, PTD_EDGE_TARGET, &target);
    ptd_elimination_trace_array(trace, PTD_POSITION_VERTEX, &vertex);
    CHECK(error.index >= 0 && error.index < target.length && close_to(error.value, -0.3, 1e-14));
    CHECK(((const uint32_t *)vertex.data)[((const uint32_t *)target.data)[error.index]] == 2);
    thetas[2 * 17] = 1e308;
    CHECK(ptd_moments(ws, 20, thetas, NULL, 1, moments, NULL, &error) == PTD_WEIGHT_NEGATIVE);
    /* 0.3 - 3 * 0.1 is -5.6e-17 in doubles and meant to be 0. */
    thetas[2 * 17] = 0.1;
    CHECK(ptd_moments(ws, 20, thetas, NULL, 1, moments, gradient, &error) == PTD_OK);
    CHECK(close_to(moments[17], 1, 1e-15));
    thetas[2 * 3 + 1] = INFINITY;
    CHECK(ptd_moments(ws, 20, thetas, NULL, 1, moments, NULL, &error) == PTD_THETA_NOT_FINITE);
    CHECK(ptd_workspace_failed_theta(ws) == 3 && error.index == 1);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

static void test_unreachable(void)
{
    ptd_elimination_trace *trace = branching();
    ptd_workspace *ws = workspace_for(trace, 1, 1, 1, 1, NULL);
    ptd_error error = {0};
    double moments, gradient[2];
    /* 2 is left with rate 0 and entered: no absorption. */
    const double stuck[2] = {0, 1};
    CHECK(ptd_moments(ws, 1, stuck, NULL, 1, &moments, NULL, &error) == PTD_ABSORPTION_UNREACHABLE);
    CHECK(error.index == 2);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
    /* The same vertex when nothing leads to it: forgiven, but there is no gradient. */
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},
        {1, 2, 0, {1, 0}},
        {1, 3, 0, {0, 1}},
        {2, 3, 0, {1, 0}},
    };
    trace = small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
    ws = workspace_for(trace, 1, 1, 1, 1, NULL);
    CHECK(ptd_moments(ws, 1, stuck, NULL, 1, &moments, NULL, &error) == PTD_OK);
    CHECK(moments == 1);
    CHECK(ptd_moments(ws, 1, stuck, NULL, 1, &moments, gradient, &error) ==
          PTD_ABSORPTION_UNREACHABLE);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
    const small_edge weightless[] = {{0, 1, 0, {1, 0}}, {1, 2, 1, {0, 0}}};
    trace = small_trace(PTD_CONTINUOUS, 3, weightless, 2, 0);
    ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    CHECK(ptd_moments(ws, 1, stuck, NULL, 1, &moments, NULL, &error) == PTD_START_WEIGHT_ZERO);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

static void test_probabilities(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},
        {1, 1, 0, {1, 0}},
        {1, 2, 0, {0, 1}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, 3, edges, 3, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_error error = {0};
    double moments;
    const double fine[2] = {0.25, 0.5}, beyond[2] = {0.75, 0.5};
    CHECK(ptd_moments(ws, 1, fine, NULL, 1, &moments, NULL, &error) == PTD_OK && moments == 2);
    CHECK(ptd_moments(ws, 1, beyond, NULL, 1, &moments, NULL, &error) == PTD_PROBABILITY_ABOVE_ONE);
    CHECK(error.index == 1 && error.value == 1.25);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_weights();
    test_unreachable();
    test_probabilities();
    return check_result();
}
