/* Samples: a path is a function of seed and number; times, rewards, ends and paths tell of the same
 * one; traps, stays, mass at zero; moments beside closed forms. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "random.h"
#include "small_graphs.h"

enum { COUNT = 2000, MOST_LENGTH = 4096 };

static const double THETA[2] = {0.7, 1.3};

static ptd_sampler *sampler_of(const ptd_elimination_trace *trace, const char *instruction_set)
{
    ptd_sampler *sampler = NULL;
    ptd_error error = {0};
    CHECK(ptd_sampler_create(trace, THETA, instruction_set, &sampler, &error) == PTD_OK);
    return sampler;
}

/* Six vertices with cycles, two ends (7, 8), some mass at zero and an edge that vanishes. */
static ptd_elimination_trace *cyclic(ptd_kind kind)
{
    const small_edge edges[] = {
        {0, 1, 3, {0, 0}},   {0, 4, 1, {0, 0}},    {0, 8, 1, {0, 0}},    {1, 2, 0, {0.2, 0}},
        {1, 3, 0, {0, 0.1}}, {2, 1, 0.3, {0, 0}},  {2, 4, 0.05, {0, 0}}, {3, 3, 0.2, {0, 0}},
        {3, 5, 0.5, {0, 0}}, {4, 5, 0, {0, 0.6}},  {5, 6, 0.4, {0, 0}},  {5, 1, 0.01, {0, 0}},
        {6, 7, 0.5, {0, 0}}, {6, 8, 0, {0.3, 0}},  {6, 5, 0.1, {0, 0}},  {2, 7, 0.1, {0, 0}},
        {4, 7, 0.1, {0, 0}}, {1, 7, -0.7, {1, 0}}, {5, 8, 0.3, {0, 0}},
    };
    return small_trace(kind, 9, edges, sizeof edges / sizeof *edges, 0);
}

/* From 1 to 2 or absorption (6) with probability a half; 2 goes to the ring 3, 4 that never ends,
 * or to 5, which does. */
static ptd_elimination_trace *trap(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 1, {0, 0}}, {1, 6, 1, {0, 0}}, {2, 3, 3, {0, 0}},
        {2, 5, 1, {0, 0}}, {3, 4, 1, {0, 0}}, {4, 3, 1, {0, 0}}, {5, 6, 1, {0, 0}},
    };
    return small_trace(PTD_CONTINUOUS, 7, edges, sizeof edges / sizeof *edges, 1);
}

static void test_any_split_gives_the_same(ptd_kind kind)
{
    static double whole[2 * COUNT], parts[2 * COUNT];
    static int64_t ends[COUNT], part_ends[COUNT];
    const double rewards[18] = {0, 1, 0, 2, 0.5, 0, 1, 0, 0, 9, 0, 1, 0, 0, 3, 0, 5, 5};
    ptd_elimination_trace *trace = cyclic(kind);
    const char *const sets[] = {NULL, "avx512", "avx2", "baseline"};
    const int64_t first = 1000;
    for (int n_rewards = 0; n_rewards <= 2; n_rewards++) {
        const size_t columns = n_rewards > 1 ? 2 : 1;
        const double *given = n_rewards ? rewards : NULL;
        for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
            ptd_sampler *sampler = sampler_of(trace, sets[k]);
            double *out = k ? parts : whole;
            int64_t *out_ends = k ? part_ends : ends;
            int64_t done = 0;
            for (int64_t part = k ? 1 : COUNT; done < COUNT; part = part * 3 / 2 + 1) {
                const int64_t count = part < COUNT - done ? part : COUNT - done;
                CHECK(ptd_sample_times(sampler, 77, first + done, count, n_rewards, given,
                                       out + columns * (size_t)done, out_ends + done,
                                       NULL) == PTD_OK);
                done += count;
            }
            CHECK(memcmp(whole, out, columns * COUNT * sizeof *out) == 0);
            CHECK(memcmp(ends, out_ends, sizeof ends) == 0);
            ptd_sampler_destroy(sampler);
        }
    }
    ptd_elimination_trace_destroy(trace);
}

/* The path of a number has the time, the rewards and the end that are sampled for that number. */
static void test_paths(const ptd_elimination_trace *trace, const double *rewards, int discrete)
{
    static double times[COUNT], amounts[COUNT], entered[MOST_LENGTH];
    static int64_t ends[COUNT], vertices[MOST_LENGTH];
    ptd_sampler *sampler = sampler_of(trace, NULL);
    const uint64_t seed = UINT64_MAX - 5;
    int64_t passed = 0;
    CHECK(ptd_sample_times(sampler, seed, 0, COUNT, 0, NULL, times, ends, NULL) == PTD_OK);
    CHECK(ptd_sample_times(sampler, seed, 0, COUNT, 1, rewards, amounts, NULL, NULL) == PTD_OK);
    for (int64_t k = 0; k < COUNT; k++) {
        int64_t length = 0;
        double amount = 0;
        CHECK(ptd_sample_path(sampler, seed, k, MOST_LENGTH, vertices, entered, &length, NULL) ==
              PTD_OK);
        CHECK(length >= 1 && length < MOST_LENGTH && entered[0] == 0);
        for (int64_t step = 0; step + 1 < length; step++) {
            const double stay = entered[step + 1] - entered[step];
            CHECK(vertices[step] != vertices[step + 1]);
            CHECK(discrete ? stay >= 1 && stay == floor(stay) : stay >= 0);
            amount += stay * rewards[vertices[step]];
        }
        passed += length;
        if (ends[k] < 0) {
            CHECK(times[k] == INFINITY);
            CHECK(amounts[k] == INFINITY || close_to(amount, amounts[k], 1e-12));
        } else {
            CHECK(ends[k] == vertices[length - 1] && times[k] == entered[length - 1]);
            CHECK(close_to(amount, amounts[k], 1e-12));
        }
        /* of a path that does not fit, the beginning */
        int64_t again = 0;
        int64_t beginning[2] = {-7, -7};
        double start[2] = {-7, -7};
        CHECK(ptd_sample_path(sampler, seed, k, 1, beginning, start, &again, NULL) == PTD_OK);
        CHECK(again == length && beginning[0] == vertices[0] && beginning[1] == -7);
        CHECK(start[0] == 0 && start[1] == -7);
    }
    /* the standard deviation of a path's length is below 12 in these chains */
    CHECK(fabs((double)passed / COUNT - ptd_sampler_expected_moves(sampler)) < 1);
    ptd_sampler_destroy(sampler);
}

static void test_all_paths(void)
{
    const double rewards[9] = {5, 1, 0, 2, 0.5, 0, 1, 3, 3};
    ptd_elimination_trace *trace = cyclic(PTD_CONTINUOUS);
    test_paths(trace, rewards, 0);
    ptd_elimination_trace_destroy(trace);
    trace = cyclic(PTD_DISCRETE);
    test_paths(trace, rewards, 1);
    ptd_elimination_trace_destroy(trace);
    const double trapped[7] = {0, 1, 1, 0, 2, 0, 0};
    const double before[7] = {0, 1, 1, 0, 0, 2, 0};
    trace = trap();
    test_paths(trace, trapped, 0);
    test_paths(trace, before, 0);
    ptd_elimination_trace_destroy(trace);
}

static void test_traps(void)
{
    static double times[COUNT], amounts[2 * COUNT];
    static int64_t ends[COUNT];
    ptd_elimination_trace *trace = trap();
    ptd_sampler *sampler = sampler_of(trace, NULL);
    int never = 0;
    const double rewards[14] = {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0};
    CHECK(ptd_sample_times(sampler, 3, 0, COUNT, 0, NULL, times, ends, NULL) == PTD_OK);
    CHECK(ptd_sample_times(sampler, 3, 0, COUNT, 2, rewards, amounts, NULL, NULL) == PTD_OK);
    for (int k = 0; k < COUNT; k++) {
        never += ends[k] == -1;
        CHECK(ends[k] == -1 ? times[k] == INFINITY : ends[k] == 6 && times[k] < INFINITY);
        CHECK(amounts[2 * k] > 0 && amounts[2 * k] < INFINITY);
        CHECK(amounts[2 * k + 1] == (ends[k] == -1 ? INFINITY : 0));
    }
    /* probability 3/8: five standard deviations are 0.054 */
    CHECK(fabs((double)never / COUNT - 0.375) < 0.054);
    ptd_sampler_destroy(sampler);
    ptd_elimination_trace_destroy(trace);
}

/* Stays of a vertex that is left with probability p are geometric, however small p is. */
static void test_geometric_stays(void)
{
    static double times[COUNT];
    const double leaving[] = {1, 0.9, 0.5, 1e-3, 1e-12, 1e-200};
    for (size_t k = 0; k < sizeof leaving / sizeof *leaving; k++) {
        const double p = leaving[k];
        const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 2, p, {0, 0}}};
        ptd_elimination_trace *trace = small_trace(PTD_DISCRETE, 3, edges, 2, 0);
        ptd_sampler *sampler = sampler_of(trace, NULL);
        double sum = 0;
        int ones = 0;
        CHECK(ptd_sample_times(sampler, 11, 0, COUNT, 0, NULL, times, NULL, NULL) == PTD_OK);
        for (int i = 0; i < COUNT; i++) {
            CHECK(times[i] >= 1 && times[i] == floor(times[i]));
            sum += times[i] * p;
            ones += times[i] == 1;
        }
        /* mean 1/p, deviation sqrt(1 - p)/p; five of them */
        CHECK(fabs(sum / COUNT - 1) <= 5 * sqrt((1 - p) / COUNT));
        CHECK(fabs((double)ones / COUNT - p) <= 5 * sqrt(p * (1 - p) / COUNT));
        ptd_sampler_destroy(sampler);
        ptd_elimination_trace_destroy(trace);
    }
}

/* The stay in a vertex is the exponential of its block, scaled: nothing else is drawn. */
static void test_one_vertex(void)
{
    const small_edge edges[] = {{0, 1, 2, {0, 0}}, {1, 2, 4, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 3, edges, 2, 0);
    ptd_sampler *sampler = sampler_of(trace, NULL);
    double times[100];
    CHECK(ptd_sample_times(sampler, 5, 40, 100, 0, NULL, times, NULL, NULL) == PTD_OK);
    for (uint64_t k = 0; k < 100; k++) {
        uint64_t word[2];
        ptd_random_block(5, 40 + k, 1, word);
        CHECK(times[k] == ptd_random_exponential(word[0]) / 4);
    }
    CHECK(ptd_sampler_expected_moves(sampler) == 2);
    ptd_sampler_destroy(sampler);
    ptd_elimination_trace_destroy(trace);
}

/* All of the mass at zero: no lane is ever used. */
static void test_all_at_zero(void)
{
    double times[300];
    int64_t ends[300];
    int64_t length;
    int64_t vertices[2];
    double entered[2];
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {0, 2, 1, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 3, edges, 2, 0);
    ptd_sampler *sampler = sampler_of(trace, NULL);
    int first = 0;
    CHECK(ptd_sample_times(sampler, 5, 0, 300, 0, NULL, times, ends, NULL) == PTD_OK);
    for (int k = 0; k < 300; k++) {
        CHECK(times[k] == 0 && (ends[k] == 1 || ends[k] == 2));
        first += ends[k] == 1;
    }
    CHECK(first > 100 && first < 200);
    CHECK(ptd_sample_path(sampler, 5, 0, 2, vertices, entered, &length, NULL) == PTD_OK);
    CHECK(length == 1 && vertices[0] == ends[0] && entered[0] == 0);
    ptd_sampler_destroy(sampler);
    ptd_elimination_trace_destroy(trace);
}

static void test_refusals(void)
{
    ptd_elimination_trace *trace = cyclic(PTD_CONTINUOUS);
    ptd_sampler *sampler = NULL;
    ptd_error error = {0};
    double values[2];
    int64_t length;
    const double not_finite[2] = {1, NAN};
    const double negative[2] = {-1, 1};
    double rewards[9] = {0};
    CHECK(ptd_sampler_create(trace, not_finite, NULL, &sampler, &error) == PTD_THETA_NOT_FINITE);
    CHECK(!sampler && error.index == 1);
    CHECK(ptd_sampler_create(trace, negative, NULL, &sampler, &error) == PTD_WEIGHT_NEGATIVE);
    CHECK(ptd_sampler_create(trace, THETA, "sse9", &sampler, &error) == PTD_INVALID_ARGUMENT);
    CHECK(!sampler);
    sampler = sampler_of(trace, NULL);
    CHECK(ptd_sample_times(sampler, 0, -1, 1, 0, NULL, values, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_sample_times(sampler, 0, 0, -1, 0, NULL, values, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_sample_times(sampler, 0, INT64_MAX, 1, 0, NULL, values, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_sample_times(sampler, 0, INT64_MAX - 1, 1, 0, NULL, values, NULL, &error) == PTD_OK);
    CHECK(ptd_sample_times(sampler, 0, 0, 0, 0, NULL, NULL, NULL, &error) == PTD_OK);
    CHECK(ptd_sample_times(sampler, 0, 0, 1, 0, rewards, values, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_sample_times(sampler, 0, 0, 1, 1, NULL, values, NULL, &error) ==
          PTD_INVALID_ARGUMENT);
    const double bad[] = {-1, NAN, INFINITY};
    for (int k = 0; k < 3; k++) {
        rewards[4] = bad[k];
        CHECK(ptd_sample_times(sampler, 0, 0, 1, 1, rewards, values, NULL, &error) ==
              PTD_REWARD_INVALID);
        CHECK(error.index == 4);
    }
    CHECK(ptd_sample_path(sampler, 0, -1, 0, NULL, NULL, &length, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_sample_path(sampler, 0, 0, -1, NULL, NULL, &length, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_sample_path(sampler, 0, 0, 0, NULL, NULL, &length, &error) == PTD_OK && length > 0);
    ptd_sampler_destroy(sampler);
    ptd_sampler_destroy(NULL);
    ptd_elimination_trace_destroy(trace);
}

/* Values beyond double are an error, and no infinity or NaN. */
static void test_overflow(void)
{
    static double values[COUNT];
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {1, 2, 1e-307, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 3, edges, 2, 0);
    ptd_sampler *sampler = sampler_of(trace, NULL);
    const double reward[3] = {0, DBL_MAX, 0};
    const double none[3] = {0, 0, 0};
    CHECK(ptd_sample_times(sampler, 0, 0, COUNT, 0, NULL, values, NULL, NULL) == PTD_OK);
    CHECK(ptd_sample_times(sampler, 0, 0, COUNT, 1, none, values, NULL, NULL) == PTD_OK);
    CHECK(ptd_sample_times(sampler, 0, 0, COUNT, 1, reward, values, NULL, NULL) ==
          PTD_RESULT_OVERFLOW);
    ptd_sampler_destroy(sampler);
    ptd_elimination_trace_destroy(trace);
}

/* What no path reaches at theta needs no way out of it. */
static void test_unreached(void)
{
    double time;
    ptd_sampler *sampler = NULL;
    ptd_error error = {0};
    const double zero[2] = {0, 0};
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {1, 3, 1, {0, 0}}, {2, 3, 0, {1, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
    CHECK(ptd_sampler_create(trace, zero, NULL, &sampler, &error) == PTD_OK);
    CHECK(ptd_sample_times(sampler, 0, 0, 1, 0, NULL, &time, NULL, &error) == PTD_OK);
    CHECK(ptd_sampler_expected_moves(sampler) == 2);
    ptd_sampler_destroy(sampler);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_any_split_gives_the_same(PTD_CONTINUOUS);
    test_any_split_gives_the_same(PTD_DISCRETE);
    test_all_paths();
    test_traps();
    test_geometric_stays();
    test_one_vertex();
    test_all_at_zero();
    test_refusals();
    test_overflow();
    test_unreached();
    return check_result();
}
