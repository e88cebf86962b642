/* Uniformisation against closed forms, body and tails; jets against derivatives of closed forms;
 * bounds against errors. */
#include <math.h>

#include "chains.h"
#include "check.h"
#include "density.h"
#include "long_double.h"

enum { MOST_TIMES = 64 };

typedef struct {
    double log_value[MOST_TIMES], bound[MOST_TIMES], log_jet[MOST_TIMES * 5];
    double work;
} answers;

static answers ask_within(const ptd_chain *chain, ptd_function function, int n_times,
                          const double *times, double tolerance, double max_work)
{
    answers a;
    ptd_error error = {0};
    ptd_question question = {.function = function,
                             .tolerance = tolerance,
                             .max_work = max_work,
                             .n_times = n_times,
                             .times = times,
                             .log_value = a.log_value,
                             .bound = a.bound,
                             .log_jet = chain->order ? a.log_jet : NULL};
    CHECK(ptd_uniformise(chain, &question, &error) == PTD_OK);
    CHECK(question.kind == PTD_CERTIFIED);
    a.work = question.work;
    return a;
}

static answers ask(const ptd_chain *chain, ptd_function function, int n_times, const double *times,
                   double tolerance)
{
    return ask_within(chain, function, n_times, times, tolerance, 1e12);
}

/* The truth here is in long doubles and right to about 1e-16 of what goes in. */
static void check_answer(const answers *a, int at, long double log_truth, double most)
{
    const double error = (double)fabsl(expm1l((long double)a->log_value[at] - log_truth));
    const double slack = 4e-18 * (double)fabsl(log_truth) + 2e-16;
    CHECK(a->bound[at] <= most);
    CHECK(error <= a->bound[at] + slack || !long_doubles_are_long());
}

static long double log_poisson(long double x, int k)
{
    return (long double)k * logl(x) - x - lgammal((long double)k + 1);
}

static long double log_erlang(ptd_function function, int k, long double x, long double rate)
{
    if (function == PTD_DENSITY) {
        return log_poisson(x, k - 1) + logl(rate);
    }
    long double sum = 0;
    if (function == PTD_SURVIVAL) {
        for (int i = k - 1; i >= 0; i--) {
            sum += expl(log_poisson(x, i) - log_poisson(x, k - 1));
        }
        return log_poisson(x, k - 1) + logl(sum);
    }
    long double term = 1;
    for (int i = k; term > 1e-24L * sum; i++) {
        sum += term;
        term *= x / (long double)(i + 1);
    }
    return log_poisson(x, k) + logl(sum);
}

/* Body and both tails, to e^-700 and beyond. */
static void test_erlang(int k)
{
    static const double share[] = {1e-7, 1e-3, 0.02, 0.3, 0.8, 1, 1.1, 1.7, 2.5, 4};
    enum { TIMES = sizeof share / sizeof *share };
    const double rate = 3;
    double *rates = calloc((size_t)k, sizeof *rates);
    transition *row = calloc((size_t)k, sizeof *row);
    double times[TIMES];
    for (int s = 0; s < k; s++) {
        rates[s] = rate;
    }
    for (int i = 0; i < TIMES; i++) {
        times[i] = share[i] * k / rate;
    }
    row_of_states(k, rates, 1, row);
    ptd_chain *chain = chain_of(k, 0, 0, 0, row, k);
    for (int function = PTD_DENSITY; function <= PTD_SURVIVAL; function++) {
        for (int exact = 0; exact < 2; exact++) {
            const answers a =
                ask(chain, (ptd_function)function, TIMES, times, exact ? 1e-13 : 1e-9);
            for (int i = 0; i < TIMES; i++) {
                const long double x = (long double)rate * (long double)times[i];
                const long double truth = log_erlang((ptd_function)function, k, x, rate);
                const double most = exact ? 6e-12 : 1e-9;
                check_answer(&a, i, truth, most);
            }
        }
    }
    chain_free(chain);
    free(rates);
    free(row);
}

/* Rates over seven decades: three states that are entered by nobody. */
static void test_hyperexponential(void)
{
    const double rates[3] = {1e-3, 1, 1e4}, share[3] = {0.25, 0.5, 0.25};
    const double times[] = {1e-9, 1e-5, 1e-3, 0.5, 20, 100};
    transition t[3];
    for (int s = 0; s < 3; s++) {
        t[s] = (transition){s, CHAIN_ENDS, {rates[s]}};
    }
    ptd_chain *chain = chain_of(3, 0, 0, 0, t, 3);
    memcpy(chain->alpha, share, sizeof share);
    const answers density = ask(chain, PTD_DENSITY, 6, times, 1e-12);
    const answers distribution = ask(chain, PTD_DISTRIBUTION, 6, times, 1e-12);
    const answers survival = ask(chain, PTD_SURVIVAL, 6, times, 1e-12);
    for (int i = 0; i < 6; i++) {
        long double f = 0, below = 0, above = 0;
        for (int s = 0; s < 3; s++) {
            const long double x = (long double)rates[s] * (long double)times[i];
            f += (long double)share[s] * (long double)rates[s] * expl(-x);
            below -= (long double)share[s] * expm1l(-x);
            above += (long double)share[s] * expl(-x);
        }
        check_answer(&density, i, logl(f), 1e-12);
        check_answer(&distribution, i, logl(below), 1e-12);
        check_answer(&survival, i, logl(above), 1e-12);
    }
    chain_free(chain);
}

/* Rates 1, 2, 4, 8: the partial fractions cancel where t is small, so only at times of order one.
 */
static void test_hypoexponential(void)
{
    const double rates[4] = {8, 1, 4, 2};
    const double times[] = {1, 2, 5, 20};
    transition row[4];
    row_of_states(4, rates, 1, row);
    ptd_chain *chain = chain_of(4, 0, 0, 0, row, 4);
    const answers density = ask(chain, PTD_DENSITY, 4, times, 1e-13);
    const answers survival = ask(chain, PTD_SURVIVAL, 4, times, 1e-13);
    for (int i = 0; i < 4; i++) {
        long double f = 0, above = 0;
        for (int s = 0; s < 4; s++) {
            long double part = 1;
            for (int other = 0; other < 4; other++) {
                if (other != s) {
                    part *= (long double)rates[other] / ((long double)rates[other] - rates[s]);
                }
            }
            const long double e = expl(-(long double)rates[s] * times[i]);
            f += part * (long double)rates[s] * e;
            above += part * e;
        }
        check_answer(&density, i, logl(f), 1e-13);
        check_answer(&survival, i, logl(above), 1e-13);
    }
    chain_free(chain);
}

/* k failures with probability 1/4 each step: C(t - 1, k - 1) p^k (1 - p)^(t - k). */
static void test_negative_binomial(int k)
{
    enum { TIMES = 5 };
    const double times[TIMES] = {1, 3, 40, 999, 5000};
    const long double p = 0.25L;
    double rates[8];
    transition row[8];
    for (int s = 0; s < k; s++) {
        rates[s] = 0.25;
    }
    row_of_states(k, rates, 1, row);
    ptd_chain *chain = chain_of(k, 1, 0, 0, row, k);
    const answers pmf = ask(chain, PTD_DENSITY, TIMES, times, 1e-12);
    const answers distribution = ask(chain, PTD_DISTRIBUTION, TIMES, times, 1e-12);
    const answers survival = ask(chain, PTD_SURVIVAL, TIMES, times, 1e-12);
    for (int i = 0; i < TIMES; i++) {
        const int t = (int)times[i];
        long double below = 0, above = 0, log_pmf = -INFINITY;
        for (int m = k; m <= t; m++) {
            log_pmf = lgammal((long double)m) - lgammal((long double)k) -
                      lgammal((long double)(m - k) + 1) + (long double)k * logl(p) +
                      (long double)(m - k) * logl(1 - p);
            below += expl(log_pmf);
        }
        for (int m = 0; m < k && m <= t; m++) {
            above += expl(lgammal((long double)t + 1) - lgammal((long double)m + 1) -
                          lgammal((long double)(t - m) + 1) + (long double)m * logl(p) +
                          (long double)(t - m) * logl(1 - p));
        }
        if (t < k) {
            CHECK(pmf.log_value[i] == -INFINITY && pmf.bound[i] == 0);
            CHECK(distribution.log_value[i] == -INFINITY && distribution.bound[i] == 0);
        } else {
            check_answer(&pmf, i, log_pmf, 1e-11);
            check_answer(&distribution, i, logl(below), 1e-12);
        }
        check_answer(&survival, i, logl(above), 1e-11);
    }
    chain_free(chain);
}

/* Erlang with rate theta_1 theta_2: log f = k log r + (k - 1) log t - r t, at theta = (2, 1.5). */
static void test_jets(ptd_function function)
{
    enum { K = 5, TIMES = 3 };
    const double a = 2, b = 1.5, r = a * b;
    const double jet[6] = {r, b, a, 0, 1, 0};
    const double times[TIMES] = {0.01, 1.7, 30};
    double jets[K * 6];
    transition row[K];
    for (int s = 0; s < K; s++) {
        memcpy(jets + s * 6, jet, sizeof jet);
    }
    row_of_states(K, jets, 6, row);
    ptd_chain *chain = chain_of(K, 0, 2, 2, row, K);
    const answers two = ask(chain, function, TIMES, times, 1e-12);
    for (int i = 0; i < TIMES; i++) {
        const double t = times[i];
        check_answer(&two, i, log_erlang(function, K, (long double)r * (long double)t, r), 1e-12);
        /* first and second derivative in r, divided by the value */
        const double f =
            exp((double)log_erlang(PTD_DENSITY, K, (long double)r * (long double)t, r));
        const double value = exp(two.log_value[i]);
        const double score = (K / r - t);
        double first = score, second = score * score - K / (r * r);
        if (function != PTD_DENSITY) { /* dF/dr = f t / r; f' = f score */
            const double sign = function == PTD_SURVIVAL ? -1 : 1;
            first = sign * f * t / r / value;
            second = sign * f * (score * t / r - t / (r * r)) / value;
        }
        const double truth[5] = {first * b, first * a, second * b * b, first + second * a * b,
                                 second * a * a};
        for (int c = 0; c < 5; c++) {
            const double scale = fabs(second) * 4 + fabs(first) * 2;
            CHECK(fabs(two.log_jet[i * 5 + c] - truth[c]) <= 1e-11 * scale + 1e-13);
        }
    }
    chain_free(chain);
}

/* The derivative of a probability of staying, and of a start that moves. */
static void test_jets_of_discrete(void)
{
    const double p = 0.25, times[2] = {1, 9};
    const transition t = {0, CHAIN_ENDS, {p, 1}};
    ptd_chain *chain = chain_of(1, 1, 1, 1, &t, 1);
    answers pmf = ask(chain, PTD_DENSITY, 2, times, 1e-12);
    answers survival = ask(chain, PTD_SURVIVAL, 2, times, 1e-12);
    for (int i = 0; i < 2; i++) {
        CHECK(fabs(pmf.log_jet[i] - (1 / p - (times[i] - 1) / (1 - p))) <= 1e-13 * 12);
        CHECK(fabs(survival.log_jet[i] + times[i] / (1 - p)) <= 1e-13 * 12);
    }
    chain->alpha[0] = 0.5;
    chain->alpha[1] = 3;
    survival = ask(chain, PTD_SURVIVAL, 2, times, 1e-12);
    CHECK(fabs(survival.log_jet[1] - (6 - times[1] / (1 - p))) <= 1e-12);
    chain_free(chain);
}

/* Times out of reach are said to be so; the others are answered. */
static void test_limits(void)
{
    const double rates[2] = {1, 1000}, times[4] = {0.5, 1, 50, 1e9};
    transition row[2];
    row_of_states(2, rates, 1, row);
    ptd_chain *chain = chain_of(2, 0, 0, 0, row, 2);
    const answers a = ask_within(chain, PTD_SURVIVAL, 4, times, 1e-9, 3 * 3 * 2000);
    CHECK(a.bound[0] <= 1e-9 && a.bound[1] <= 1e-9);
    CHECK(a.bound[2] == INFINITY && a.bound[3] == INFINITY);
    CHECK(a.work > 0 && a.work <= 3 * 3 * 2000);
    ptd_question question = {.tolerance = 1e-9, .n_times = 2, .times = times};
    const double once = ptd_uniformise_work(chain, &question);
    question.n_times = 3;
    CHECK(ptd_uniformise_work(chain, &question) > 10 * once);
    question.n_times = 0;
    CHECK(ptd_uniformise_work(chain, &question) == 0);
    chain_free(chain);
}

/* A density of 1e-600 is beyond what a sweep in doubles holds: that is seen soon, and is no answer.
 */
static void test_out_of_range(void)
{
    const transition t[2] = {{0, 1, {1e-300}}, {1, CHAIN_ENDS, {1e-300}}};
    const transition fast = {1, 0, {1}};
    const transition all[3] = {t[0], t[1], fast};
    const double times[1] = {0.5};
    ptd_chain *chain = chain_of(2, 0, 0, 0, all, 3);
    const answers a = ask(chain, PTD_DENSITY, 1, times, 1e-9);
    CHECK(a.bound[0] == INFINITY && a.log_value[0] == -INFINITY);
    CHECK(a.work < 1e5);
    chain_free(chain);
}

/* Rates of any magnitude: only their product with time matters. */
static void test_rates_far_from_one(void)
{
    static const double rates[] = {1e-300, 1e-200, 1e-60, 1e60, 1e100, 1e200, 1e300};
    enum { K = 4 };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const double rate = rates[i];
        transition row[K];
        double rates_of_states[K];
        for (int s = 0; s < K; s++) {
            rates_of_states[s] = rate;
        }
        row_of_states(K, rates_of_states, 1, row);
        ptd_chain *chain = chain_of(K, 0, 0, 0, row, K);
        const double times[3] = {1e-5 / rate, 2 / rate, 40 / rate};
        for (int function = PTD_DENSITY; function <= PTD_SURVIVAL; function++) {
            const answers a = ask(chain, (ptd_function)function, 3, times, 1e-9);
            for (int k = 0; k < 3; k++) {
                const long double x = (long double)rate * (long double)times[k];
                check_answer(&a, k, log_erlang((ptd_function)function, K, x, rate), 1e-12);
            }
        }
        chain_free(chain);
    }
}

/* State 0 stays where it is: its rate into state 1, which ends at `end`, is 0 and has a derivative.
 */
static void test_slopes_of_what_is_0(void)
{
    const double end = 2, times[3] = {0.01, 1.5, 40};
    const transition t[2] = {{0, 1, {0, 1}}, {1, CHAIN_ENDS, {end, 0}}};
    ptd_chain *chain = chain_of(2, 0, 1, 1, t, 2);
    const answers density = ask(chain, PTD_DENSITY, 3, times, 1e-12);
    const answers distribution = ask(chain, PTD_DISTRIBUTION, 3, times, 1e-12);
    for (int i = 0; i < 3; i++) {
        const double s = times[i];
        CHECK(density.log_value[i] == -INFINITY && density.bound[i] == 0);
        CHECK(distribution.log_value[i] == -INFINITY && distribution.bound[i] == 0);
        /* the integral of end exp(-end (s - u)) over u, and once more */
        const double once = -expm1(-end * s);
        const double twice = i == 0
                                 ? end * s * s / 2 - end * end * pow(s, 3) / 6 +
                                       pow(end, 3) * pow(s, 4) / 24 - pow(end, 4) * pow(s, 5) / 120
                                 : s - once / end;
        CHECK(fabs(density.log_jet[i] - once) <= 1e-13 * once);
        CHECK(fabs(distribution.log_jet[i] - twice) <= (i == 0 ? 1e-9 : 1e-13) * twice);
    }
    chain_free(chain);
}

/* What leaves only by way of others than the target has no density. */
static void test_nothing_leaves(void)
{
    const transition t[2] = {{0, 1, {1}}, {1, 0, {2}}};
    const double times[2] = {0.1, 10};
    ptd_chain *chain = chain_of(2, 0, 0, 0, t, 2);
    for (int function = PTD_DENSITY; function <= PTD_DISTRIBUTION; function++) {
        const answers a = ask(chain, (ptd_function)function, 2, times, 1e-12);
        CHECK(a.log_value[0] == -INFINITY && a.bound[0] == 0);
        CHECK(a.log_value[1] == -INFINITY && a.bound[1] == 0);
    }
    const answers a = ask(chain, PTD_SURVIVAL, 2, times, 1e-12);
    check_answer(&a, 1, 0, 1e-13);
    chain_free(chain);
}

int main(void)
{
    test_erlang(1);
    test_erlang(7);
    test_erlang(100);
    test_hyperexponential();
    test_hypoexponential();
    test_negative_binomial(1);
    test_negative_binomial(8);
    test_jets(PTD_DENSITY);
    test_jets(PTD_DISTRIBUTION);
    test_jets(PTD_SURVIVAL);
    test_jets_of_discrete();
    test_limits();
    test_rates_far_from_one();
    test_out_of_range();
    test_slopes_of_what_is_0();
    test_nothing_leaves();
    return check_result();
}
