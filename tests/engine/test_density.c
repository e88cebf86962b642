/* The chooser and interpolation: which method answers, what is refused, and that many times get
 * what few get. Values are those of an Erlang distribution. */
#include "density.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "small_graphs.h"

enum { STAGES = 4, MANY = 3000 };

/* STAGES stages at theta0 each; theta1 has no effect. */
static ptd_elimination_trace *erlang(void)
{
    small_edge edges[STAGES + 1] = {{0, 1, 1, {0, 0}}};
    for (int k = 1; k <= STAGES; k++) {
        edges[k] = (small_edge){k, k + 1, 0, {1, 0}};
    }
    return small_trace(PTD_CONTINUOUS, STAGES + 2, edges, STAGES + 1, 0);
}

static double log_density(double rate, double t)
{
    return STAGES * log(rate) + (STAGES - 1) * log(t) - rate * t - lgamma(STAGES);
}

static ptd_chain *chain_of(const ptd_elimination_trace *trace, int order, double rate)
{
    const double theta[2] = {rate, 1};
    const ptd_chain_options options = {.order = order, .target = -1};
    ptd_chain *chain = NULL;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, NULL) == PTD_OK);
    if (!chain) {
        exit(2);
    }
    return chain;
}

static void test_each_method_and_auto(void)
{
    ptd_elimination_trace *trace = erlang();
    ptd_chain *chain = chain_of(trace, 0, 2);
    const double times[3] = {0.01, 1, 40};
    for (int method = PTD_METHOD_AUTO; method < (int)PTD_METHODS; method++) {
        const ptd_density_options options = {
            .function = PTD_DENSITY, .method = (ptd_method)method, .tolerance = 1e-9};
        double log_value[3], bound[3];
        uint8_t used[3], kind[3];
        CHECK(ptd_density_evaluate(chain, &options, 3, times, log_value, bound, used, kind, NULL,
                                   NULL) == PTD_OK);
        for (int k = 0; k < 3; k++) {
            CHECK(fabs(log_value[k] - log_density(2, times[k])) <= bound[k] + 1e-14);
            CHECK(bound[k] < 1e-11);
            CHECK(method == PTD_METHOD_AUTO ? used[k] != PTD_METHOD_AUTO : used[k] == method);
            CHECK(kind[k] == (used[k] == PTD_METHOD_UNIFORMISE ? PTD_CERTIFIED : PTD_VERIFIED));
        }
    }
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

static void test_refusals(void)
{
    ptd_elimination_trace *trace = erlang();
    ptd_chain *chain = chain_of(trace, 0, 2);
    const double times[2] = {1, 2};
    const double wrong[][2] = {{0, 1}, {2, 1}, {1, INFINITY}, {NAN, 1}, {-1, 1}};
    double log_value[2], bound[2], work[PTD_METHODS];
    uint8_t method[2], kind[2];
    ptd_error error = {0};
    ptd_density_options options = {.function = PTD_DENSITY, .tolerance = 1e-30};
    CHECK(ptd_density_evaluate(chain, &options, 2, times, log_value, bound, method, kind, NULL,
                               &error) == PTD_DENSITY_REFUSED);
    CHECK(error.index == 0 && error.value == bound[0] && bound[0] > 1e-30);
    options = (ptd_density_options){
        .function = PTD_DENSITY, .method = PTD_METHOD_UNIFORMISE, .tolerance = 1e-9, .max_work = 1};
    CHECK(ptd_density_evaluate(chain, &options, 2, times, log_value, bound, method, kind, NULL,
                               &error) == PTD_DENSITY_REFUSED);
    CHECK(isinf(bound[0]) && log_value[0] == -INFINITY);
    options = (ptd_density_options){.function = PTD_DENSITY, .tolerance = 1e-9};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        CHECK(ptd_density_evaluate(chain, &options, 2, wrong[k], log_value, bound, method, kind,
                                   NULL, NULL) == PTD_INVALID_ARGUMENT);
    }
    options.tolerance = 0;
    CHECK(ptd_density_evaluate(chain, &options, 2, times, log_value, bound, method, kind, NULL,
                               NULL) == PTD_INVALID_ARGUMENT);
    options.tolerance = 1e-9;
    CHECK(ptd_density_estimate(chain, &options, 2, times, work, NULL) == PTD_OK);
    CHECK(work[PTD_METHOD_UNIFORMISE] > 0 && work[PTD_METHOD_DENSE] > 0);
    /* Dearer here than uniformisation, and yet it applies. */
    CHECK(work[PTD_METHOD_CONTOUR] > work[PTD_METHOD_UNIFORMISE]);
    CHECK(isfinite(work[PTD_METHOD_CONTOUR]));
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

/* d^2 f / f is beyond double: without finite derivatives there is no answer. */
static void test_derivatives_beyond_double(void)
{
    ptd_elimination_trace *trace = erlang();
    const double times[1] = {1e200};
    double log_value[1], bound[1], log_jet[5];
    uint8_t method[1], kind[1];
    for (int order = 0; order <= 2; order++) {
        ptd_chain *chain = chain_of(trace, order, 1e-200);
        const ptd_density_options options = {.function = PTD_DENSITY, .tolerance = 1e-9};
        const ptd_status status = ptd_density_evaluate(chain, &options, 1, times, log_value, bound,
                                                       method, kind, order ? log_jet : NULL, NULL);
        if (order == 0) {
            CHECK(status == PTD_OK);
            CHECK(fabs(log_value[0] - log_density(1e-200, 1e200)) <= 1e-12);
        } else {
            CHECK(status == PTD_DENSITY_REFUSED && isinf(bound[0]) && log_value[0] == -INFINITY);
        }
        ptd_chain_destroy(chain);
    }
    ptd_elimination_trace_destroy(trace);
}

/* Log-spaced over a factor of 2000, with derivatives: d log f = STAGES / rate - t. */
static void test_many_times_are_interpolated(void)
{
    static double times[MANY], log_value[MANY], bound[MANY], log_jet[2 * MANY];
    static uint8_t method[MANY], kind[MANY];
    ptd_elimination_trace *trace = erlang();
    ptd_chain *chain = chain_of(trace, 1, 3);
    const ptd_density_options options = {.function = PTD_DENSITY, .tolerance = 1e-9};
    for (int k = 0; k < MANY; k++) {
        times[k] = 0.01 * pow(2000, (double)k / (MANY - 1));
    }
    CHECK(ptd_density_evaluate(chain, &options, MANY, times, log_value, bound, method, kind,
                               log_jet, NULL) == PTD_OK);
    int within = 0, slopes = 0, verified = 0;
    for (int k = 0; k < MANY; k++) {
        within += fabs(log_value[k] - log_density(3, times[k])) <= bound[k];
        const double slope = STAGES / 3.0 - times[k];
        slopes +=
            fabs(log_jet[2 * k] - slope) <= 1e-9 * (1 + fabs(slope)) && log_jet[2 * k + 1] == 0;
        verified += kind[k] == PTD_VERIFIED && bound[k] < 1e-10;
    }
    CHECK(within == MANY && slopes == MANY && verified == MANY);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

/* All of many times the same: a window of no width. */
static void test_many_equal_times(void)
{
    static double times[MANY], log_value[MANY], bound[MANY];
    static uint8_t method[MANY], kind[MANY];
    ptd_elimination_trace *trace = erlang();
    ptd_chain *chain = chain_of(trace, 0, 3);
    const ptd_density_options options = {.function = PTD_SURVIVAL, .tolerance = 1e-9};
    for (int k = 0; k < MANY; k++) {
        times[k] = 0.75;
    }
    CHECK(ptd_density_evaluate(chain, &options, MANY, times, log_value, bound, method, kind, NULL,
                               NULL) == PTD_OK);
    double survival = 0;
    for (int k = STAGES - 1; k >= 0; k--) {
        survival += exp(k * log(3 * 0.75) - 3 * 0.75 - lgamma(k + 1));
    }
    CHECK(fabs(log_value[0] - log(survival)) <= bound[0] + 1e-15);
    CHECK(memcmp(&log_value[0], &log_value[MANY - 1], sizeof *log_value) == 0);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

/* Where no rate is positive nothing moves. */
static void test_a_still_chain(void)
{
    ptd_elimination_trace *trace = erlang();
    const double theta[2] = {0, 1};
    const ptd_chain_options options = {.target = -1, .unending = 1};
    const double times[1] = {5};
    ptd_chain *chain = NULL;
    double log_value, bound;
    uint8_t method, kind;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, NULL) == PTD_OK);
    for (int function = PTD_DENSITY; function <= PTD_SURVIVAL; function++) {
        const ptd_density_options asked = {.function = (ptd_function)function, .tolerance = 1e-9};
        CHECK(ptd_density_evaluate(chain, &asked, 1, times, &log_value, &bound, &method, &kind,
                                   NULL, NULL) == PTD_OK);
        CHECK(log_value == (function == PTD_SURVIVAL ? 0 : -INFINITY));
    }
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_each_method_and_auto();
    test_refusals();
    test_derivatives_beyond_double();
    test_many_times_are_interpolated();
    test_many_equal_times();
    test_a_still_chain();
    return check_result();
}
