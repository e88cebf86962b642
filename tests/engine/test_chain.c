/* Chains at one theta: states, rates, rewards and derivatives against values worked out by hand. */
#include "chain.h"

#include <math.h>
#include <string.h>

#include "check.h"
#include "small_graphs.h"

/* 1 -> 2 at theta0, 2 -> 1 at theta1, 2 -> 3 (absorbing) at 2, 1 -> 4 (absorbing) at theta0; the
 * start leads to 1 with weight 1, to 2 with weight theta1, to 3 with weight 2. */
static ptd_elimination_trace *pair(ptd_kind kind, double scale)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},         {0, 2, 0, {0, 1}},     {0, 3, 2, {0, 0}},
        {1, 2, 0, {scale, 0}},     {1, 4, 0, {scale, 0}}, {2, 1, 0, {0, scale}},
        {2, 3, 2 * scale, {0, 0}},
    };
    return small_trace(kind, 5, edges, 7, 0);
}

static ptd_chain *chain_of(const ptd_elimination_trace *trace, int order, const double *rewards,
                           int64_t target, const double *start)
{
    const double theta[2] = {3, 5};
    const ptd_chain_options options = {
        .order = order, .rewards = rewards, .target = target, .start = start};
    ptd_chain *chain = NULL;
    ptd_error error = {0};
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_OK);
    if (!chain) {
        fprintf(stderr, "a chain: %s\n", ptd_status_name(error.status));
        exit(2);
    }
    return chain;
}

static void test_states_and_rates(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS, 1);
    ptd_chain *chain = chain_of(trace, 0, NULL, -1, NULL);
    ptd_chain_view view;
    double atom;
    ptd_chain_get_view(chain, &view);
    CHECK(view.n == 2 && view.n_edges == 2 && view.trap == -1 && view.jets == 1);
    CHECK(view.vertex[0] == 1 && view.vertex[1] == 2 && !view.stay);
    CHECK(close_to(view.alpha[0], 1.0 / 8, 1e-15) && close_to(view.alpha[1], 5.0 / 8, 1e-15));
    CHECK(view.out[0] == 6 && view.out[1] == 7);
    CHECK(view.exit[0] == 3 && view.exit[1] == 2);
    CHECK(view.in_from[0] == 1 && view.in_rate[0] == 5);
    CHECK(view.in_from[1] == 0 && view.in_rate[1] == 3);
    CHECK(ptd_chain_fastest(chain) == 7 && !chain->acyclic);
    ptd_chain_at_zero(chain, PTD_DISTRIBUTION, &atom);
    CHECK(close_to(atom, 2.0 / 8, 1e-15));
    ptd_chain_destroy(chain);
    chain = chain_of(trace, 0, NULL, 4, NULL);
    CHECK(chain->exit[0] == 3 && chain->exit[1] == 0 && chain->out[1] == 7 && chain->atom[0] == 0);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

static void test_derivatives(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS, 1);
    ptd_chain *chain = chain_of(trace, 2, NULL, -1, NULL);
    CHECK(chain->jets == 6);
    /* alpha_2 = b / (3 + b), b = theta1 = 5: derivatives 3 / (3 + b)^2, -6 / (3 + b)^3 */
    const double *alpha = chain->alpha + 6;
    CHECK(close_to(alpha[0], 5.0 / 8, 1e-15) && alpha[1] == 0);
    CHECK(close_to(alpha[2], 3.0 / 64, 1e-15) && close_to(alpha[5], -6.0 / 512, 1e-14));
    CHECK(alpha[3] == 0 && alpha[4] == 0);
    /* out of 1: 2 theta0 */
    CHECK(chain->out[0] == 6 && chain->out[1] == 2 && chain->out[2] == 0 && chain->out[3] == 0);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

static void test_rewards_divide_rates_and_zeros_are_passed(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS, 1);
    const double rewards[5] = {0, 2, 0, 0, 0};
    ptd_chain *chain = chain_of(trace, 1, rewards, -1, NULL);
    /* 2 is left for 1 with probability b / (b + 2) = 5/7: from 1 nothing but absorption is left, at
     * (theta0 + theta0 2 / (b + 2)) / 2, the return being no transition. */
    CHECK(chain->n == 1 && chain->n_edges == 0);
    CHECK(close_to(chain->exit[0], (3 + 3 * 2.0 / 7) / 2, 1e-15));
    CHECK(close_to(chain->out[0], chain->exit[0], 1e-15));
    /* d/db: theta0 2 / 2 * -1 / (b + 2)^2; d/dtheta0: (1 + 2/7) / 2 */
    CHECK(close_to(chain->exit[2], -3.0 / 49, 1e-14));
    CHECK(close_to(chain->exit[1], (1 + 2.0 / 7) / 2, 1e-15));
    CHECK(close_to(chain->alpha[0], 1.0 / 8 + 5.0 / 8 * 5 / 7, 1e-15));
    CHECK(close_to(chain->atom[0], 2.0 / 8 + 5.0 / 8 * 2 / 7, 1e-15));
    ptd_chain_destroy(chain);
    const double none[5] = {0};
    chain = chain_of(trace, 0, none, -1, NULL);
    CHECK(chain->n == 0 && close_to(chain->atom[0], 1, 1e-15));
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

static void test_discrete_rewards_unfold(void)
{
    ptd_elimination_trace *trace = pair(PTD_DISCRETE, 0.1);
    const double rewards[5] = {0, 3, 0, 0, 0};
    ptd_chain *chain = chain_of(trace, 0, NULL, -1, NULL);
    CHECK(chain->n == 2);
    CHECK(close_to(chain->stay[0], 0.4, 1e-15) && close_to(chain->stay[1], 0.3, 1e-15));
    ptd_chain_destroy(chain);
    chain = chain_of(trace, 0, rewards, -1, NULL);
    /* three states in a row; the last returns to the first: 0.4 and 0.3 * 5/7 */
    CHECK(chain->n == 3 && chain->vertex[2] == 1);
    CHECK(chain->out[0] == 1 && chain->out[1] == 1 && chain->exit[1] == 0);
    CHECK(close_to(chain->exit[2], 0.3 + 0.3 * 2.0 / 7, 1e-15));
    CHECK(chain->in_from[0] == 2 && close_to(chain->in_rate[0], 0.4 + 0.3 * 5.0 / 7, 1e-15));
    CHECK(close_to(chain->out[2], 1, 1e-15) && chain->stay[2] == 0);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

static void test_another_start(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS, 1);
    const double start[5] = {0, 0.25, 0, 0.125, 0};
    ptd_chain *chain = chain_of(trace, 1, NULL, -1, start);
    CHECK(chain->n == 2 && chain->alpha[0] == 0.25 && chain->alpha[1] == 0);
    CHECK(chain->atom[0] == 0.125);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

/* Two derivatives in theta, then one in a direction of the start. */
static void test_a_start_with_derivatives(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS, 1);
    const double theta[2] = {3, 5};
    const double start[5] = {0, 0.25, 0, 0.125, 0};
    const double slope[15] = {0, 0, 0, 1, 2, -3, 0, 0, 4, 0, 0, -5, 0, 0, 0};
    ptd_chain_options options = {
        .order = 1, .target = -1, .start = start, .n_directions = 1, .start_slope = slope};
    ptd_chain *chain = NULL;
    ptd_error error = {0};
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_OK);
    CHECK(chain && chain->jets == 4 && chain->n == 2);
    const double alpha[8] = {0.25, 1, 2, -3, 0, 0, 0, 4};
    CHECK(!memcmp(chain->alpha, alpha, sizeof alpha));
    CHECK(chain->atom[0] == 0.125 && chain->atom[3] == -5);
    CHECK(chain->out[4] == 7 && chain->out[6] == 1 && chain->out[7] == 0);
    CHECK(chain->has_mass && chain->is_ending);
    ptd_chain_destroy(chain);
    options.order = 2;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_INVALID_ARGUMENT);
    options.order = 1;
    options.start = NULL;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_INVALID_ARGUMENT);
    options.start = start;
    options.n_directions = -1;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_INVALID_ARGUMENT);
    const double of_the_start[15] = {1};
    options.n_directions = 1;
    options.start_slope = of_the_start;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_INVALID_ARGUMENT);
    ptd_elimination_trace_destroy(trace);
}

static void test_what_is_never_reached(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 3, 1, {0, 0}}, {1, 4, 1, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 4, 0);
    const double zero[2] = {0, 0}, one[2] = {1, 0}, nowhere[5] = {0};
    ptd_chain_options options = {.order = 1, .target = 3};
    ptd_chain *chain = NULL;
    ptd_error error = {0};
    CHECK(ptd_chain_create(trace, zero, &options, &chain, &error) == PTD_OK);
    CHECK(chain && chain->n == 2 && chain->has_mass && !chain->is_ending);
    CHECK(ptd_chain_is_zero(chain, PTD_DENSITY) && !ptd_chain_is_zero(chain, PTD_SURVIVAL));
    ptd_chain_destroy(chain);
    CHECK(ptd_chain_create(trace, one, &options, &chain, &error) == PTD_OK);
    CHECK(chain && chain->is_ending);
    ptd_chain_destroy(chain);
    options.start = nowhere;
    CHECK(ptd_chain_create(trace, one, &options, &chain, &error) == PTD_OK);
    CHECK(chain && !chain->has_mass && ptd_chain_is_zero(chain, PTD_SURVIVAL));
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

static void test_a_trap_is_a_state_of_its_own(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 1, {0, 0}}, {1, 3, 3, {0, 0}},
        {3, 4, 1, {0, 0}}, {4, 3, 1, {0, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 5, 1);
    ptd_chain *chain = chain_of(trace, 0, NULL, -1, NULL);
    CHECK(chain->n == 2 && chain->trap == 1 && chain->vertex[1] == PTD_NONE);
    CHECK(chain->out[0] == 4 && chain->exit[0] == 1 && chain->out[1] == 0);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

static void test_what_is_refused(void)
{
    ptd_elimination_trace *trace = pair(PTD_CONTINUOUS, 1);
    ptd_elimination_trace *discrete = pair(PTD_DISCRETE, 0.1);
    const double theta[2] = {3, 5};
    const double cut[2] = {3, 0};
    const double negative[2] = {-1, 1};
    const double half[5] = {0, 0.5, 1, 0, 0};
    const double less[5] = {0, -1, 1, 0, 0};
    const double tiny[5] = {0, 1e-320, 1e-320, 0, 0};
    const double at_start[5] = {1, 0, 0, 0, 0};
    ptd_chain *chain = NULL;
    ptd_error error = {0};
    ptd_chain_options options = {.target = -1};
    CHECK(ptd_chain_create(trace, cut, &options, &chain, &error) == PTD_OK);
    ptd_chain_destroy(chain);
    CHECK(ptd_chain_create(trace, negative, &options, &chain, &error) == PTD_WEIGHT_NEGATIVE);
    CHECK(!chain);
    options.order = 3;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_INVALID_ARGUMENT);
    options = (ptd_chain_options){.target = 1};
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_INVALID_ARGUMENT);
    options = (ptd_chain_options){.target = -1, .rewards = less};
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_REWARD_INVALID);
    CHECK(error.index == 1 && error.value == -1);
    options.rewards = tiny;
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_RESULT_OVERFLOW);
    options.rewards = half;
    CHECK(ptd_chain_create(discrete, theta, &options, &chain, &error) == PTD_REWARD_NOT_WHOLE);
    options = (ptd_chain_options){.target = -1, .start = at_start};
    CHECK(ptd_chain_create(trace, theta, &options, &chain, &error) == PTD_INVALID_ARGUMENT);
    ptd_elimination_trace_destroy(trace);
    ptd_elimination_trace_destroy(discrete);
}

static void test_absorption_out_of_reach(void)
{
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 2, 1, {0, 0}}, {2, 3, 0, {1, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 3, 0);
    const double zero[2] = {0, 0};
    ptd_chain *chain = NULL;
    ptd_error error = {0};
    ptd_chain_options options = {.target = -1};
    CHECK(ptd_chain_create(trace, zero, &options, &chain, &error) == PTD_ABSORPTION_UNREACHABLE);
    CHECK(error.index == 1);
    options.unending = 1;
    CHECK(ptd_chain_create(trace, zero, &options, &chain, &error) == PTD_OK);
    CHECK(chain && chain->n == 2 && chain->exit[1] == 0);
    ptd_chain_destroy(chain);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_states_and_rates();
    test_derivatives();
    test_rewards_divide_rates_and_zeros_are_passed();
    test_discrete_rewards_unfold();
    test_another_start();
    test_a_start_with_derivatives();
    test_what_is_never_reached();
    test_a_trap_is_a_state_of_its_own();
    test_what_is_refused();
    test_absorption_out_of_reach();
    return check_result();
}
