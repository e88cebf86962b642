/* Occupation of states against closed forms. */
#include <math.h>

#include "chains.h"
#include "check.h"
#include "long_double.h"

static void check_near(double value, long double truth, double bound)
{
    CHECK(fabsl((long double)value - truth) <= (long double)bound * truth + 1e-270L ||
          !long_doubles_are_long());
}

/* 0 -> 1 -> end with rates a, b. */
static void test_two_in_a_row(double t)
{
    const long double a = 5, b = 0.125L;
    const double rates[2] = {5, 0.125};
    transition row[2];
    ptd_elimination_trace trace = {.meta.n_vertices = 4};
    double probability[4], accumulated[4], bound;
    ptd_bound_kind kind;
    ptd_error error = {0};
    row_of_states(2, rates, 1, row);
    ptd_chain *chain = chain_of(2, 0, 0, 0, row, 2);
    chain->trace = &trace;
    chain->vertex[0] = 3;
    chain->vertex[1] = 1;
    CHECK(ptd_chain_occupation(chain, t, probability, accumulated, &bound, &kind, &error) ==
          PTD_OK);
    CHECK(bound <= 2e-14);
    const long double first = expl(-a * t), second = expl(-b * t);
    long double later = a / (a - b) * (second - first);
    long double spent = a / (a - b) * (-expm1l(-b * t) / b + expm1l(-a * t) / a);
    if (t < 1e-6) { /* where those cancel */
        later = a * t * (1 - (a + b) * t / 2);
        spent = a * t * t / 2 * (1 - (a + b) * t / 3);
    }
    check_near(probability[3], first, bound);
    check_near(probability[1], later, bound);
    check_near(accumulated[3], -expm1l(-a * t) / a, bound);
    check_near(accumulated[1], spent, bound);
    CHECK(probability[0] == 0 && probability[2] == 0);
    CHECK(accumulated[0] == 0 && accumulated[2] == 0);
    chain_free(chain);
}

/* Stays with probability 1/4, moves on with 1/2, ends with 1/4; the second state always ends. */
static void test_discrete(double steps)
{
    const transition t[3] = {{0, 1, {0.5}}, {0, CHAIN_ENDS, {0.25}}, {1, CHAIN_ENDS, {1}}};
    ptd_elimination_trace trace = {.meta.n_vertices = 2};
    double probability[2], accumulated[2], bound;
    ptd_bound_kind kind;
    ptd_error error = {0};
    ptd_chain *chain = chain_of(2, 1, 0, 0, t, 3);
    chain->trace = &trace;
    CHECK(ptd_chain_occupation(chain, steps, probability, accumulated, &bound, &kind, &error) ==
          PTD_OK);
    CHECK(bound <= 2e-14);
    const long double left = powl(0.25L, steps);
    check_near(probability[0], left, bound);
    check_near(probability[1], steps > 0 ? left * 2 : 0, bound);
    check_near(accumulated[0], (1 - left) / 0.75L, bound);
    check_near(accumulated[1], steps > 0 ? (1 - left * 4) / 1.5L : 0, bound);
    chain_free(chain);
}

static void test_refusals(void)
{
    const transition t = {0, CHAIN_ENDS, {1, 1, 0}};
    ptd_elimination_trace trace = {.meta.n_vertices = 1};
    double probability, accumulated, bound;
    ptd_bound_kind kind;
    ptd_error error = {0};
    ptd_chain *chain = chain_of(1, 0, 2, 1, &t, 1);
    chain->trace = &trace;
    CHECK(ptd_chain_occupation(chain, 1, &probability, &accumulated, &bound, &kind, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(error.index == 0);
    chain_free(chain);
    chain = chain_of(1, 0, 0, 0, &t, 1);
    chain->trace = &trace;
    const double bad[] = {-1, NAN, INFINITY};
    for (int k = 0; k < 3; k++) {
        CHECK(ptd_chain_occupation(chain, bad[k], &probability, &accumulated, &bound, &kind,
                                   &error) == PTD_INVALID_ARGUMENT);
        CHECK(error.index == 1);
    }
    CHECK(ptd_chain_occupation(chain, 1e80, &probability, &accumulated, &bound, &kind, &error) ==
          PTD_DENSITY_REFUSED);
    CHECK(error.value == 1e80);
    chain_free(chain);
}

/* One state left for two ends at rates a, b: d/da and d/db of exp(-(a + b) t) and its integral. */
static void test_slopes(double a, double b, double t)
{
    const transition ends[2] = {{0, CHAIN_ENDS, {a, 1, 0}}, {0, CHAIN_ENDS, {b, 0, 1}}};
    ptd_elimination_trace trace = {.meta.n_vertices = 1};
    double probability[3], accumulated[3], bound;
    ptd_bound_kind kind;
    ptd_error error = {0};
    ptd_chain *chain = chain_of(1, 0, 1, 2, ends, 2);
    chain->trace = &trace;
    CHECK(ptd_chain_occupation(chain, t, probability, accumulated, &bound, &kind, &error) ==
          PTD_OK);
    const long double q = (long double)a + b, left = expl(-q * t), gone = -expm1l(-q * t);
    check_near(probability[0], left, bound);
    check_near(accumulated[0], gone / q, bound);
    for (int p = 1; p < 3; p++) {
        check_near(-probability[p], t * left, 1e-12);
        check_near(-accumulated[p], (gone - q * t * left) / (q * q), 1e-12);
    }
    chain_free(chain);
}

/* Two states that change into each other at rates of 2^60 and 2^59, the second ending at rate
 * theta = 1: after so many events the chain is in them as 1 to 2, and leaves at rate 2 theta / 3.
 * (What is neglected is of the order 2^-59.) */
static void test_stiff(int order, double t)
{
    const transition changes[3] = {
        {0, 1, {0x1p60, 0}}, {1, 0, {0x1p59, 0}}, {1, CHAIN_ENDS, {1, 1}}};
    ptd_elimination_trace trace = {.meta.n_vertices = 2};
    double probability[4], accumulated[4], bound;
    ptd_bound_kind kind;
    ptd_error error = {0};
    ptd_chain *chain = chain_of(2, 0, order, 1, changes, 3);
    chain->trace = &trace;
    CHECK(ptd_chain_occupation(chain, t, probability, accumulated, &bound, &kind, &error) ==
          PTD_OK);
    CHECK(kind == PTD_VERIFIED && bound <= 1e-11);
    const long double rate = 2.0L / 3, left = expl(-rate * t), gone = -expm1l(-rate * t);
    for (int s = 0; s < 2; s++) {
        const long double share = (s + 1) / 3.0L;
        const double *p = probability + s * chain->jets, *c = accumulated + s * chain->jets;
        check_near(p[0], share * left, bound);
        check_near(c[0], share * gone / rate, bound);
        if (order > 0) {
            check_near(-p[1], share * rate * t * left, 1e-11);
            check_near(-c[1], share * (gone - rate * t * left) / rate, 1e-11);
        }
    }
    chain_free(chain);
}

/* A coin of probability 2^-40 ends it. */
static void test_many_steps(double steps)
{
    const double p = 0x1p-40;
    const transition ends = {0, CHAIN_ENDS, {p, 1}};
    ptd_elimination_trace trace = {.meta.n_vertices = 1};
    double probability[2], accumulated[2], bound;
    ptd_bound_kind kind;
    ptd_error error = {0};
    ptd_chain *chain = chain_of(1, 1, 1, 1, &ends, 1);
    chain->trace = &trace;
    CHECK(ptd_chain_occupation(chain, steps, probability, accumulated, &bound, &kind, &error) ==
          PTD_OK);
    CHECK(kind == PTD_VERIFIED && bound <= 1e-12);
    const long double each = log1pl(-(long double)p), left = expl(steps * each);
    const long double slope = steps * left / (1 - (long double)p);
    check_near(probability[0], left, bound);
    check_near(-probability[1], slope, 1e-12);
    check_near(accumulated[0], -expm1l(steps * each) / p, bound);
    check_near(-accumulated[1], (-expm1l(steps * each) / p - slope) / p, 1e-11);
    chain_free(chain);
}

int main(void)
{
    const double times[] = {0, 1e-9, 0.1, 3, 140, 900};
    const double steps[] = {0, 1, 2, 7, 300};
    for (int k = 0; k < 6; k++) {
        test_two_in_a_row(times[k]);
    }
    for (int k = 0; k < 5; k++) {
        test_discrete(steps[k]);
    }
    test_slopes(1, 3, 0.5);
    test_slopes(0.25, 2, 40);
    test_slopes(1, 3, 1e-7);
    for (int order = 0; order < 2; order++) {
        test_stiff(order, 0.75);
        test_stiff(order, 20);
    }
    test_many_steps(0x1p40 + 3);
    test_many_steps(0x1p41 + 1);
    test_refusals();
    return check_result();
}
