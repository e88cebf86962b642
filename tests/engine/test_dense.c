/* The dense method against closed forms, far into both tails, and on chains that are stiff, nearly
 * decomposable, discrete, or beyond it. */
#include "check.h"
#include "density.h"
#include "memory.h"
#include "small_chains.h"

#include <math.h>

enum { MOST_TIMES = 8 };

static int64_t allocations;
static int64_t failing = -1; /* the allocation that fails, from 0; -1: none */

static int fails(void)
{
    return allocations++ == failing;
}

void *ptd_test_malloc(size_t bytes)
{
    return fails() ? NULL : malloc(bytes);
}

void *ptd_test_realloc(void *pointer, size_t bytes)
{
    return fails() ? NULL : realloc(pointer, bytes);
}

void *ptd_test_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : aligned_alloc(alignment, bytes);
}

static double log_value[MOST_TIMES];
static double bound[MOST_TIMES];
static double log_jet[MOST_TIMES];

static ptd_question question(const struct ptd_chain *chain, ptd_function function, int64_t n_times,
                             const double *times)
{
    const ptd_question q = {.function = function,
                            .tolerance = 1e-10,
                            .max_work = 1e12,
                            .n_times = n_times,
                            .times = times,
                            .log_value = log_value,
                            .bound = bound,
                            .log_jet = chain->order > 0 ? log_jet : NULL,
                            .kind = PTD_CERTIFIED};
    return q;
}

static void answer(const struct ptd_chain *chain, ptd_function function, int64_t n_times,
                   const double *times)
{
    ptd_question q = question(chain, function, n_times, times);
    ptd_error error;
    CHECK(ptd_dense(chain, &q, &error) == PTD_OK);
    CHECK(q.kind == PTD_VERIFIED);
    CHECK(q.work > 0 && q.work <= q.max_work);
}

/* Within its bound (and what rounds in the expected value), and that is small. */
static int meets(int64_t k, double expected)
{
    const double slack = 4e-16 * (1 + fabs(expected));
    const int good = fabs(log_value[k] - expected) <= bound[k] + slack &&
                     bound[k] <= 1e-13 * (10 + fabs(expected));
    if (!good) {
        fprintf(stderr, "%.17g, expected %.17g, bound %g\n", log_value[k], expected, bound[k]);
    }
    return good;
}

/* One state: exp(-t theta), with theta = 3; from 1e-300 to beyond the range of double. */
static void check_exponential(void)
{
    const double times[] = {1e-300, 1e-9, 0.5, 40, 1e3, 1e9};
    small_chain s = small_chain_new(1, 1, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, 3, 1);
    const struct ptd_chain *chain = small_chain_finish(&s, 0);
    answer(chain, PTD_DENSITY, 6, times);
    for (int k = 0; k < 6; k++) {
        CHECK(meets(k, log(3) - 3 * times[k]));
        CHECK(fabs(log_jet[k] - (1. / 3 - times[k])) <= 1e-13 * (1 + times[k]));
    }
    answer(chain, PTD_SURVIVAL, 6, times);
    for (int k = 0; k < 6; k++) {
        CHECK(meets(k, -3 * times[k]));
        CHECK(fabs(log_jet[k] + times[k]) <= 1e-13 * times[k]);
    }
    const double beyond[] = {1e200, 1e308};
    answer(chain, PTD_SURVIVAL, 2, beyond);
    CHECK(bound[0] == INFINITY && bound[1] == INFINITY); /* its slope is out of range */
    small_chain alone = small_chain_new(1, 0, 0);
    small_chain_start(&alone, 0, 1);
    small_chain_edge(&alone, 0, 1, 3, 0);
    answer(small_chain_finish(&alone, 0), PTD_SURVIVAL, 2, beyond);
    CHECK(fabs(log_value[0] + 3e200) <= bound[0] && bound[0] < 1e188);
    CHECK(bound[1] == INFINITY);
    small_chain_free(&alone);
    answer(chain, PTD_DISTRIBUTION, 6, times);
    for (int k = 0; k < 6; k++) {
        CHECK(meets(k, log(-expm1(-3 * times[k]))));
        const double slope = times[k] / expm1(3 * times[k]);
        CHECK(fabs(log_jet[k] - slope) <= 1e-13 * fmax(slope, 1. / 3));
    }
    small_chain_free(&s);
}

/* Erlang: log f = log q + (n - 1) log(q t) - q t - log (n - 1)!. */
static void check_erlang(int n)
{
    const double rate = 7;
    const double times[] = {1e-3, 1e-2, 3, 9, 60, 400};
    small_chain s = small_chain_new(n, 0, 0);
    small_chain_start(&s, 0, 1);
    for (int i = 0; i < n; i++) {
        small_chain_edge(&s, i, i + 1, rate, 0);
    }
    answer(small_chain_finish(&s, 0), PTD_DENSITY, 6, times);
    for (int k = 0; k < 6; k++) {
        const double x = rate * times[k];
        CHECK(meets(k, log(rate) + (n - 1) * log(x) - x - lgamma(n)));
    }
    small_chain_free(&s);
}

/* Two states that are nearly one: down rate a, up rate b, exit c from the second, with a, b = 1 and
 * c = 1e-12. The survival is (r2 e^(-r1 t) - r1 e^(-r2 t)) / (r2 - r1) with the roots of
 * r^2 - (a + b + c) r + a c = 0, the small one as a c / r2. */
static void check_nearly_decomposable(void)
{
    const double times[] = {1e-3, 1, 1e3, 1e12, 1e14, 1e15};
    const double c = 1e-12;
    small_chain s = small_chain_new(2, 1, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, 1, 0);
    small_chain_edge(&s, 1, 0, 1, 0);
    small_chain_edge(&s, 1, 2, c, 1);
    const double r2 = ((2 + c) + sqrt((2 + c) * (2 + c) - 4 * c)) / 2;
    const double r1 = c / r2;
    const struct ptd_chain *chain = small_chain_finish(&s, 0);
    answer(chain, PTD_SURVIVAL, 6, times);
    for (int k = 0; k < 6; k++) {
        const double t = times[k];
        const double inner = t < 1e3 ? -r1 / r2 * exp(-r2 * t) : 0;
        CHECK(meets(k, -r1 * t + log1p(inner) - log1p(-r1 / r2)));
    }
    answer(chain, PTD_DENSITY, 6, times);
    for (int k = 0; k < 6; k++) {
        const double t = times[k];
        CHECK(meets(k, log(c) - r1 * t + log(-expm1(-(r2 - r1) * t)) - log(r2 - r1)));
    }
    /* dr1/dc = (1 - r1) / (2 + c - 2 r1) is 1/2 but for 1e-12. */
    CHECK(fabs(log_jet[5] * c - (1 - times[5] * c / 2)) <= 1e-9 * times[5] * c);
    small_chain_free(&s);
}

/* Rates 1e-6 and 1e6 in a row: log f far left and far right. */
static void check_stiff(void)
{
    const double times[] = {1e-12, 1e-3, 1e6, 5e8};
    const double slow = 1e-6, fast = 1e6;
    small_chain s = small_chain_new(2, 0, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, slow, 0);
    small_chain_edge(&s, 1, 2, fast, 0);
    answer(small_chain_finish(&s, 0), PTD_DENSITY, 4, times);
    for (int k = 0; k < 4; k++) {
        const double t = times[k];
        CHECK(
            meets(k, log(slow) - log1p(-slow / fast) - slow * t + log(-expm1((slow - fast) * t))));
    }
    small_chain_free(&s);
}

/* Exit rates 1 and 2 into two ends: P(Y <= t, target) = (1 - e^(-3 t)) / 3. A share of 1e-14 that
 * goes elsewhere still counts after 1e14. */
static void check_target(void)
{
    const double times[] = {1e-20, 0.1, 5};
    const double late[] = {1e14, 3e14};
    small_chain s = small_chain_new(1, 0, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, 1, 0);
    small_chain_edge(&s, 0, 2, 2, 0);
    answer(small_chain_finish(&s, 1), PTD_DISTRIBUTION, 3, times);
    for (int k = 0; k < 3; k++) {
        CHECK(meets(k, log(-expm1(-3 * times[k]) / 3)));
    }
    small_chain_free(&s);

    s = small_chain_new(2, 0, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, 1, 0);
    small_chain_edge(&s, 1, 0, 1, 0);
    small_chain_edge(&s, 0, 2, 1e-14, 0);
    small_chain_edge(&s, 0, 3, 3e-14, 0);
    const struct ptd_chain *chain = small_chain_finish(&s, 1);
    answer(chain, PTD_SURVIVAL, 2, late);
    for (int k = 0; k < 2; k++) {
        CHECK(fabs(log_value[k] + 2e-14 * late[k]) <= 1e-12);
    }
    answer(chain, PTD_DISTRIBUTION, 2, late);
    for (int k = 0; k < 2; k++) {
        CHECK(fabs(log_value[k] - log(-expm1(-2e-14 * late[k]) / 4)) <= 1e-12);
    }
    small_chain_free(&s);
}

/* A target that the start cannot reach: the value is 0 and known to be. */
static void check_unreachable(void)
{
    const double times[] = {1e-3, 10, 1e6};
    small_chain s = small_chain_new(2, 0, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 3, 1, 0);
    small_chain_edge(&s, 1, 2, 1, 0);
    const struct ptd_chain *chain = small_chain_finish(&s, 1);
    answer(chain, PTD_DENSITY, 3, times);
    for (int k = 0; k < 3; k++) {
        CHECK(log_value[k] == -INFINITY && bound[k] == 0);
    }
    small_chain_free(&s);
}

/* Geometric: pmf (1 - p)^(k - 1) p; and a walk of exactly three steps, 0 but at the third. */
static void check_discrete(void)
{
    const double steps[] = {1, 2, 3, 1e6, 1e11};
    const double p = 0x1p-10;
    small_chain s = small_chain_new(1, 1, 1);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, p, 1);
    const struct ptd_chain *chain = small_chain_finish(&s, 0);
    answer(chain, PTD_DENSITY, 5, steps);
    for (int k = 0; k < 5; k++) {
        CHECK(meets(k, log(p) + (steps[k] - 1) * log1p(-p)));
        const double slope = 1 / p - (steps[k] - 1) / (1 - p);
        CHECK(fabs(log_jet[k] - slope) <= 1e-13 * (1 / p + steps[k]));
    }
    answer(chain, PTD_DISTRIBUTION, 4, steps);
    for (int k = 0; k < 4; k++) {
        CHECK(meets(k, log(-expm1(steps[k] * log1p(-p)))));
    }
    small_chain_free(&s);

    s = small_chain_new(3, 0, 1);
    small_chain_start(&s, 0, 1);
    for (int i = 0; i < 3; i++) {
        small_chain_edge(&s, i, i + 1, 1, 0);
    }
    chain = small_chain_finish(&s, 0);
    answer(chain, PTD_DENSITY, 4, steps);
    for (int k = 0; k < 4; k++) {
        CHECK(steps[k] == 3 ? meets(k, 0) : log_value[k] == -INFINITY && bound[k] == 0);
    }
    answer(chain, PTD_SURVIVAL, 4, steps);
    for (int k = 0; k < 4; k++) {
        CHECK(steps[k] < 3 ? meets(k, 0) : log_value[k] == -INFINITY && bound[k] == 0);
    }
    small_chain_free(&s);
}

/* Who asks for what the method does not have gets infinite bounds, not a failure. */
static void check_refusals(void)
{
    const double times[] = {1, 2};
    small_chain s = small_chain_new(PTD_DENSE_STATES + 1, 0, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, PTD_DENSE_STATES + 1, 1, 0);
    const struct ptd_chain *chain = small_chain_finish(&s, 0);
    ptd_question q = question(chain, PTD_DENSITY, 2, times);
    CHECK(ptd_dense_work(chain, &q) == INFINITY);
    CHECK(ptd_dense(chain, &q, NULL) == PTD_OK);
    CHECK(bound[0] == INFINITY && bound[1] == INFINITY);
    small_chain_free(&s);

    s = small_chain_new(2, 0, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, 1, 0);
    small_chain_edge(&s, 1, 2, 1, 0);
    chain = small_chain_finish(&s, 0);
    q = question(chain, PTD_DENSITY, 2, times);
    const double work = ptd_dense_work(chain, &q);
    q.max_work = work / 2;
    CHECK(ptd_dense(chain, &q, NULL) == PTD_OK);
    CHECK(bound[0] == INFINITY && q.work == 0);
    q.max_work = work;
    CHECK(ptd_dense(chain, &q, NULL) == PTD_OK);
    CHECK(bound[0] < 1e-12 && q.work == work);
    s.chain.order = 2;
    CHECK(ptd_dense_work(chain, &q) == INFINITY);
    small_chain_free(&s);
}

static void check_memory(void)
{
    const double times[] = {1, 200};
    small_chain s = small_chain_new(2, 1, 0);
    small_chain_start(&s, 0, 1);
    small_chain_edge(&s, 0, 1, 1, 1);
    small_chain_edge(&s, 1, 2, 1, 0);
    const struct ptd_chain *chain = small_chain_finish(&s, 0);
    allocations = 0;
    answer(chain, PTD_DENSITY, 2, times);
    const int64_t needed = allocations;
    CHECK(needed > 10);
    for (failing = 0; failing < needed; failing++) {
        ptd_question q = question(chain, PTD_DENSITY, 2, times);
        ptd_error error = {0};
        allocations = 0;
        CHECK(ptd_dense(chain, &q, &error) == PTD_NO_MEMORY);
        CHECK(error.status == PTD_NO_MEMORY);
    }
    failing = -1;
    small_chain_free(&s);
}

int main(void)
{
    check_exponential();
    check_erlang(4);
    check_erlang(100);
    check_nearly_decomposable();
    check_stiff();
    check_target();
    check_unreachable();
    check_discrete();
    check_refusals();
    check_memory();
    return check_result();
}
