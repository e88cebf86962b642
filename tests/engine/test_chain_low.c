/* What the rates of a chain lack as doubles: with it they are those of the graph at theta, also
 * divided by rewards and after elimination. The truth is in long doubles. */
#include <math.h>

#include "chain.h"
#include "check.h"
#include "small_graphs.h"

static const double THETA[2] = {0.1, 0.7};

/* 1 -> 2 at 3 theta0, 2 -> 1 at theta0 + 0.2 theta1, 2 -> 3 (absorbing) at theta1. */
static ptd_elimination_trace *pair(ptd_kind kind)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {3, 0}}, {2, 1, 0, {1, 0.2}}, {2, 3, 0, {0, 1}}};
    return small_trace(kind, 4, edges, 4, 0);
}

static ptd_chain *chain_at(const ptd_elimination_trace *trace, const double *rewards)
{
    const ptd_chain_options options = {.rewards = rewards, .target = -1};
    ptd_chain *chain = NULL;
    ptd_error error = {0};
    CHECK(ptd_chain_create(trace, THETA, &options, &chain, &error) == PTD_OK);
    if (!chain) {
        exit(2);
    }
    return chain;
}

static void check_value(double high, double low, long double truth)
{
    CHECK(fabsl((long double)high + (long double)low - truth) <= 3e-19L * truth);
    CHECK(fabs(low) <= 2e-16 * high);
}

static void test_rates(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS);
    ptd_chain *chain = chain_at(trace, NULL);
    const long double on = 3 * (long double)THETA[0];
    const long double back = (long double)THETA[0] + 0.2 * (long double)THETA[1];
    CHECK(chain->in_from[0] == 1 && chain->in_from[1] == 0);
    check_value(chain->in_rate[0], chain->in_low[0], back);
    check_value(chain->in_rate[1], chain->in_low[1], on);
    check_value(chain->out[0], chain->out_low[0], on);
    check_value(chain->out[1], chain->out_low[1], back + (long double)THETA[1]);
    CHECK(chain->in_low[1] != 0); /* 3 x 0.1 is no double */
    ptd_chain_destroy(chain);
    const double rewards[4] = {0, 7, 1, 0};
    chain = chain_at(trace, rewards);
    check_value(chain->in_rate[1], chain->in_low[1], on / 7);
    check_value(chain->out[0], chain->out_low[0], on / 7);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

/* Without reward in 2: from 1 to the end at 3 theta0 theta1 / (theta0 + 1.2 theta1). */
static void test_elimination(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS);
    const double rewards[4] = {0, 1, 0, 0};
    ptd_chain *chain = chain_at(trace, rewards);
    const long double on = 3 * (long double)THETA[0];
    const long double back = (long double)THETA[0] + 0.2 * (long double)THETA[1];
    const long double end = THETA[1];
    CHECK(chain->n == 1);
    check_value(chain->out[0], chain->out_low[0], on * (end / (back + end)));
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

/* Discrete: what is left of 1 stays, and what comes back at once stays too. */
static void test_staying(void)
{
    ptd_elimination_trace *trace = pair(PTD_DISCRETE);
    ptd_chain *chain = chain_at(trace, NULL);
    const long double on = 3 * (long double)THETA[0];
    const long double back = (long double)THETA[0] + 0.2 * (long double)THETA[1];
    const long double end = THETA[1];
    check_value(chain->stay[0], chain->stay_low[0], 1 - on);
    check_value(chain->stay[1], chain->stay_low[1], 1 - (back + end));
    ptd_chain_destroy(chain);
    const double rewards[4] = {0, 1, 0, 0};
    chain = chain_at(trace, rewards);
    check_value(chain->stay[0], chain->stay_low[0], 1 - on + on * (back / (back + end)));
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_rates();
    test_elimination();
    test_staying();
    return check_result();
}
