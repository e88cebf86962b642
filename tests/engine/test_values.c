/* A function of the density family at any times: order, repetition, limits, atoms, logarithms near
 * 1, derivatives; against closed forms of small graphs. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "small_graphs.h"

enum { N_TIMES = 8 };

/* Start: to vertex 1 with weight 3, at once to the end (2) with weight 1; 1 -> 2 at theta0. */
static ptd_elimination_trace *exponential_with_atom(void)
{
    const small_edge edges[] = {{0, 1, 3, {0}}, {0, 2, 1, {0}}, {1, 2, 0, {1, 0}}};
    return small_trace(PTD_CONTINUOUS, 3, edges, 3, 0);
}

static ptd_values_options ask(ptd_function function, int order, int logarithm)
{
    return (ptd_values_options){function, PTD_METHOD_AUTO, 1e-9, order, logarithm};
}

static const double TIMES[N_TIMES] = {0.5, -1, 2, 0, 0.5, INFINITY, 1e-3, -INFINITY};

/* The function at t, its first and second derivative in theta0, at theta0 = a. */
static void closed_form(ptd_function function, double a, double t, double found[3])
{
    const double later = t > 0 && isfinite(t) ? 0.75 * exp(-a * t) : 0;
    const double at_zero[] = {0.75 * a, 0.25, 0.75};
    const double beyond[] = {0, 1, 0}, before[] = {0, 0, 1};
    memset(found, 0, 3 * sizeof *found);
    if (t < 0) {
        found[0] = before[function];
    } else if (t == 0) {
        found[0] = at_zero[function];
        found[1] = function == PTD_DENSITY ? 0.75 : 0;
    } else if (isinf(t)) {
        found[0] = beyond[function];
    } else if (function == PTD_DENSITY) {
        found[0] = a * later;
        found[1] = (1 - a * t) * later;
        found[2] = (a * t - 2) * t * later;
    } else {
        const double sign = function == PTD_SURVIVAL ? 1 : -1;
        found[0] = function == PTD_SURVIVAL ? later : 0.25 - 0.75 * expm1(-a * t);
        found[1] = -sign * t * later;
        found[2] = sign * t * t * later;
    }
}

static void test_values_and_derivatives(void)
{
    ptd_elimination_trace *trace = exponential_with_atom();
    const double theta[2] = {1.5, 0};
    double values[N_TIMES], gradient[N_TIMES][2], hessian[N_TIMES][2][2], expected[3];
    ptd_error error = {0};
    for (int f = 0; f <= PTD_SURVIVAL; f++) {
        const ptd_values_options options = ask((ptd_function)f, 2, 0);
        CHECK(ptd_density_values(trace, theta, NULL, &options, N_TIMES, TIMES, values, gradient[0],
                                 hessian[0][0], &error) == PTD_OK);
        for (int k = 0; k < N_TIMES; k++) {
            closed_form((ptd_function)f, theta[0], TIMES[k], expected);
            CHECK(close_to(values[k], expected[0], 1e-11));
            CHECK(close_to(gradient[k][0], expected[1], 1e-10) && gradient[k][1] == 0);
            CHECK(close_to(hessian[k][0][0], expected[2], 1e-10));
            CHECK(hessian[k][0][1] == 0 && hessian[k][1][0] == 0 && hessian[k][1][1] == 0);
        }
        CHECK(values[0] == values[4]);
    }
    ptd_elimination_trace_destroy(trace);
}

static void test_logarithms_keep_their_digits_near_one(void)
{
    ptd_elimination_trace *trace = exponential_with_atom();
    const double theta[2] = {1.5, 0};
    const double times[] = {1e-9, 25, -1};
    double values[3], gradient[3][2];
    ptd_error error = {0};
    ptd_values_options options = ask(PTD_DISTRIBUTION, 1, 1);
    CHECK(ptd_density_values(trace, theta, NULL, &options, 3, times, values, gradient[0], NULL,
                             &error) == PTD_OK);
    /* log(1 - 3/4 e^-37.5): far below what 1 - it would leave */
    const double lack = 0.75 * exp(-37.5);
    CHECK(close_to(values[1], log1p(-lack), 1e-11));
    CHECK(close_to(gradient[1][0], 25 * lack, 1e-10));
    CHECK(close_to(values[0], log(0.25 + 0.75 * 1.5e-9), 1e-11));
    CHECK(values[2] == -INFINITY && gradient[2][0] == 0);
    options.function = PTD_DENSITY;
    CHECK(ptd_density_values(trace, theta, NULL, &options, 3, times, values, gradient[0], NULL,
                             &error) == PTD_OK);
    CHECK(close_to(values[1], log(0.75 * 1.5) - 37.5, 1e-12));
    CHECK(close_to(gradient[1][0], 1 / 1.5 - 25, 1e-10));
    ptd_elimination_trace_destroy(trace);
}

static void test_steps(void)
{
    const small_edge edges[] = {{0, 1, 1, {0}}, {1, 2, 0, {1, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, 3, edges, 2, 0);
    const double theta[2] = {0.25, 0};
    const double times[] = {3, 2.5, 0, 1, -1, INFINITY};
    double values[6];
    ptd_error error = {0};
    ptd_values_options options = ask(PTD_DENSITY, 0, 0);
    CHECK(ptd_density_values(trace, theta, NULL, &options, 6, times, values, NULL, NULL, &error) ==
          PTD_OK);
    CHECK(close_to(values[0], 0.75 * 0.75 * 0.25, 1e-14) && values[1] == 0 && values[2] == 0);
    CHECK(close_to(values[3], 0.25, 1e-14) && values[4] == 0 && values[5] == 0);
    options.function = PTD_DISTRIBUTION;
    CHECK(ptd_density_values(trace, theta, NULL, &options, 6, times, values, NULL, NULL, &error) ==
          PTD_OK);
    CHECK(close_to(values[1], 1 - 0.75 * 0.75, 1e-14) && values[2] == 0 && values[5] == 1);
    ptd_elimination_trace_destroy(trace);
}

static void test_what_never_is_absorbed(void)
{
    /* 1 -> 2 (absorbing) at 1, 1 -> 3 at theta0, 3 -> 3': a trap of two */
    const small_edge edges[] = {
        {0, 1, 1, {0}}, {1, 2, 1, {0}}, {1, 3, 0, {1, 0}}, {3, 4, 1, {0}}, {4, 3, 1, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 5, 1);
    const double theta[2] = {3, 0}, times[] = {INFINITY, 200};
    double values[2];
    ptd_error error = {0};
    ptd_values_options options = ask(PTD_DISTRIBUTION, 0, 0);
    CHECK(ptd_density_values(trace, theta, NULL, &options, 2, times, values, NULL, NULL, &error) ==
          PTD_OK);
    CHECK(close_to(values[0], 0.25, 1e-14) && close_to(values[1], 0.25, 1e-12));
    options.function = PTD_SURVIVAL;
    CHECK(ptd_density_values(trace, theta, NULL, &options, 1, times, values, NULL, NULL, &error) ==
          PTD_OK);
    CHECK(close_to(values[0], 0.75, 1e-14));
    ptd_elimination_trace_destroy(trace);
}

static void test_errors_say_which_time(void)
{
    ptd_elimination_trace *trace = exponential_with_atom();
    const double theta[2] = {1.5, 0}, times[] = {1, 1e300, NAN};
    double values[3];
    ptd_error error = {0};
    const ptd_values_options options = ask(PTD_SURVIVAL, 0, 1);
    CHECK(ptd_density_values(trace, theta, NULL, &options, 3, times, values, NULL, NULL, &error) ==
              PTD_TIME_NAN &&
          error.index == 2);
    CHECK(ptd_density_values(trace, theta, NULL, &options, 2, times, values, NULL, NULL, &error) ==
              PTD_DENSITY_REFUSED &&
          error.index == 1);
    CHECK(ptd_density_values(trace, theta, NULL, &options, 0, times, values, NULL, NULL, &error) ==
          PTD_OK);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_values_and_derivatives();
    test_logarithms_keep_their_digits_near_one();
    test_steps();
    test_what_never_is_absorbed();
    test_errors_say_which_time();
    return check_result();
}
