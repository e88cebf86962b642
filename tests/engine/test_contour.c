/* Contours against closed forms: body and both tails, stiffness, derivatives, rewards, targets, and
 * the spectra that they must refuse. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "density.h"
#include "long_double.h"
#include "small_graphs.h"

enum { MOST_TIMES = 64, MOST_JETS = 6 };

typedef struct {
    double times[MOST_TIMES];
    double log_value[MOST_TIMES];
    double bound[MOST_TIMES];
    double log_jet[MOST_TIMES * (MOST_JETS - 1)];
    int n;
} answers;

static void spread_times(answers *a, double from, double to, int n)
{
    a->n = n;
    for (int k = 0; k < n; k++) {
        a->times[k] = from * pow(to / from, (double)k / (n - 1));
    }
}

static void ask(const ptd_elimination_trace *trace, const double *theta,
                const ptd_chain_options *options, ptd_function function, answers *a)
{
    ptd_chain *chain = NULL;
    ptd_error error = {0};
    CHECK(ptd_chain_create(trace, theta, options, &chain, &error) == PTD_OK);
    ptd_question question = {.function = function,
                             .tolerance = 1e-12,
                             .max_work = INFINITY,
                             .n_times = a->n,
                             .times = a->times,
                             .log_value = a->log_value,
                             .bound = a->bound,
                             .log_jet = options->order ? a->log_jet : NULL};
    CHECK(ptd_contour_applies(chain));
    CHECK(ptd_contour(chain, &question, &error) == PTD_OK);
    CHECK(question.kind == PTD_VERIFIED);
    ptd_chain_destroy(chain);
}

/* Each within its bound (and what the last digit of log_value allows), each bound below `most`. */
static void check_answers(const answers *a, const long double *expected, double most)
{
    for (int k = 0; k < a->n; k++) {
        const double off = fabs((double)((long double)a->log_value[k] - expected[k]));
        CHECK(a->bound[k] < most);
        CHECK(off <= a->bound[k] + 2 * DBL_EPSILON * fabs(a->log_value[k]) ||
              !long_doubles_are_long());
    }
}

static const ptd_chain_options plain = {.target = -1};

/* `stages` vertices in a row, each left at rate theta0 scaled by `rate`. */
static ptd_elimination_trace *erlang(int stages, double rate)
{
    small_edge *edges = calloc((size_t)stages + 1, sizeof *edges);
    if (!edges) {
        exit(2);
    }
    edges[0] = (small_edge){0, 1, 1, {0, 0}};
    for (int k = 1; k <= stages; k++) {
        edges[k] = (small_edge){k, k + 1, 0, {rate, 0}};
    }
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, stages + 2, edges, stages + 1, 0);
    free(edges);
    return trace;
}

static void test_erlang(int stages, double from, double to)
{
    ptd_elimination_trace *trace = erlang(stages, stages);
    const double theta[2] = {1, 0};
    const ptd_chain_options twice = {.target = -1, .order = 2};
    answers a;
    long double expected[MOST_TIMES];
    spread_times(&a, from, to, 40);
    for (int k = 0; k < a.n; k++) {
        const long double t = a.times[k];
        expected[k] = stages * logl(stages) + (stages - 1) * logl(t) - stages * t -
                      lgammal((long double)stages);
    }
    ask(trace, theta, &plain, PTD_DENSITY, &a);
    check_answers(&a, expected, 1e-11);
    ask(trace, theta, &twice, PTD_DENSITY, &a);
    check_answers(&a, expected, 1e-11);
    for (int k = 0; k < a.n; k++) {
        const double first = stages * (1 - a.times[k]);
        const double second = first * first - stages;
        CHECK(fabs(a.log_jet[5 * k] - first) <= 1e-11 * (stages + fabs(first)));
        CHECK(fabs(a.log_jet[5 * k + 2] - second) <= 1e-10 * (stages + first * first));
        CHECK(a.log_jet[5 * k + 1] == 0 && a.log_jet[5 * k + 3] == 0);
    }
    ptd_elimination_trace_destroy(trace);
}

/* Three rates over seven decades. */
static void test_hyperexponential(void)
{
    const small_edge edges[] = {
        {0, 1, 3, {0, 0}},    {0, 2, 4, {0, 0}}, {0, 3, 3, {0, 0}},
        {1, 4, 1e-4, {0, 0}}, {2, 4, 1, {0, 0}}, {3, 4, 1e3, {0, 0}},
    };
    const long double weight[3] = {0.3L, 0.4L, 0.3L};
    const long double rate[3] = {1e-4, 1, 1e3};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 6, 0);
    const double theta[2] = {0, 0};
    for (int function = PTD_DENSITY; function <= PTD_SURVIVAL; function++) {
        answers a;
        long double expected[MOST_TIMES];
        spread_times(&a, 1e-9, 6.5e6, 50);
        for (int k = 0; k < a.n; k++) {
            long double sum = 0;
            for (int i = 0; i < 3; i++) {
                const long double x = rate[i] * a.times[k];
                sum += weight[i] * (function == PTD_DENSITY        ? rate[i] * expl(-x)
                                    : function == PTD_DISTRIBUTION ? -expm1l(-x)
                                                                   : expl(-x));
            }
            expected[k] = logl(sum);
        }
        ask(trace, theta, &plain, (ptd_function)function, &a);
        check_answers(&a, expected, 1e-11);
    }
    ptd_elimination_trace_destroy(trace);
}

/* Two states that exchange at rate `fast`, left at rate 1 from the second: q t is 1e12 and more. */
static void test_exchange(double fast, int derive)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 1, 0, {1, 0}}, {2, 3, 0, {0, 1}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
    const double theta[2] = {fast, 1};
    const ptd_chain_options options = {.target = -1, .order = derive};
    answers a;
    long double expected[MOST_TIMES];
    /* the eigenvalues' product is `fast`, their sum 2 fast + 1 */
    const long double f = fast;
    const long double root = sqrtl(4 * f * f + 1);
    const long double quick = (2 * f + 1 + root) / 2;
    const long double slow = f / quick;
    spread_times(&a, 1e-3, 1e3, 30);
    for (int k = 0; k < a.n; k++) {
        expected[k] = logl(f / root) - slow * a.times[k] + log1pl(-expl(-root * a.times[k]));
    }
    ask(trace, theta, &options, PTD_DENSITY, &a);
    check_answers(&a, expected, derive ? 1e-7 : 1e-11);
    /* Euler: f(t; c theta) = c f(c t; theta) */
    for (int k = 0; k < a.n && derive; k++) {
        const long double rest = expl(-root * a.times[k]);
        const long double in_time = -slow + root * rest / (1 - rest);
        const long double scaled = a.log_jet[2 * k] * f + a.log_jet[2 * k + 1];
        CHECK(fabsl(scaled - (1 + a.times[k] * in_time)) <=
              (1e-11L + a.bound[k]) * (1 + fabsl(a.times[k] * in_time)));
    }
    ptd_elimination_trace_destroy(trace);
}

/* Competing exits, one of them the target; a start that is not the graph's. */
static void test_target(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 2, {0, 0}}, {2, 3, 3, {0, 0}}, {2, 4, 1, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 4, 0);
    const double theta[2] = {0, 0};
    const double start[5] = {0, 0, 0.25, 0, 0};
    const ptd_chain_options options = {.target = 3, .start = start};
    answers a;
    long double expected[MOST_TIMES];
    spread_times(&a, 1e-6, 150, 30);
    for (int k = 0; k < a.n; k++) {
        expected[k] = logl(0.25L * 0.75L * -expm1l(-4 * (long double)a.times[k]));
    }
    ask(trace, theta, &options, PTD_DISTRIBUTION, &a);
    check_answers(&a, expected, 1e-11);
    ptd_elimination_trace_destroy(trace);
}

/* The middle of three vertices passes in no time, or leads back to the first; from the first the
 * reward 2 is collected. Y is 2 Exp(theta0 / 2): leaving takes an Exp(1 - 1/2) number of rounds. */
static void test_timeless(void)
{
    const small_edge edges[] = {{0, 1, 1, {0, 0}}, {0, 2, 1, {0, 0}}, {1, 2, 0, {1, 0}},
                                {2, 1, 1, {0, 0}}, {2, 3, 1, {0, 0}}, {3, 4, 7, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 5, edges, 6, 0);
    const double theta[2] = {3, 0};
    const double rewards[5] = {0, 2, 0, 0, 0};
    const ptd_chain_options options = {.target = -1, .rewards = rewards, .order = 1};
    answers a;
    long double expected[MOST_TIMES];
    spread_times(&a, 1e-8, 900, 40);
    for (int k = 0; k < a.n; k++) {
        expected[k] = logl(0.75L * 0.75L) - 0.75L * a.times[k];
    }
    ask(trace, theta, &options, PTD_DENSITY, &a);
    check_answers(&a, expected, 1e-11);
    for (int k = 0; k < a.n; k++) {
        const double expected_slope = 1.0 / 3 - a.times[k] / 4;
        CHECK(fabs(a.log_jet[2 * k] - expected_slope) <= 1e-10 * (1 + fabs(expected_slope)));
    }
    ptd_elimination_trace_destroy(trace);
}

/* A ring of 20 at rate 1, left from one place: its eigenvalues come close to the imaginary axis,
 * and until e^{Re(lambda) t} has damped them no contour may answer. */
static void test_ring(void)
{
    enum { PLACES = 20 };
    small_edge edges[PLACES + 2];
    for (int k = 1; k <= PLACES; k++) {
        edges[k] = (small_edge){k, k % PLACES + 1, 1, {0, 0}};
    }
    edges[0] = (small_edge){0, 1, 1, {0, 0}};
    edges[PLACES + 1] = (small_edge){1, PLACES + 1, 0.01, {0, 0}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, PLACES + 2, edges, PLACES + 2, 0);
    const double theta[2] = {0, 0};
    answers a;
    spread_times(&a, 40, 200, 20);
    ask(trace, theta, &plain, PTD_SURVIVAL, &a);
    for (int k = 0; k < a.n; k++) {
        CHECK(isinf(a.bound[k]));
        CHECK(a.log_value[k] == -INFINITY);
    }
    /* Later one eigenvalue is left: the root of (1.01 + z) (1 + z)^19 = 1 */
    long double z = 0;
    for (int k = 0; k < 60; k++) {
        const long double rest = powl(1 + z, PLACES - 1);
        const long double slope = rest + (1.01L + z) * (PLACES - 1) * rest / (1 + z);
        z -= ((1.01L + z) * rest - 1) / slope;
    }
    spread_times(&a, 2000, 9000, 20);
    ask(trace, theta, &plain, PTD_SURVIVAL, &a);
    for (int k = 1; k < a.n; k++) {
        const long double slope = (a.log_value[k] - a.log_value[0]) / (a.times[k] - a.times[0]);
        CHECK(a.bound[k] < 1e-11);
        CHECK(fabsl(slope - z) <= 1e-11L * fabsl(z));
    }
    ptd_elimination_trace_destroy(trace);
}

/* No mass that moves: the functions are 0, and certain. */
static void test_nothing(void)
{
    const small_edge edges[] = {{0, 1, 0, {1, 0}}, {0, 2, 1, {0, 0}}, {1, 2, 1, {0, 0}}};
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 3, edges, 3, 0);
    const double theta[2] = {0, 0};
    answers a;
    spread_times(&a, 1, 2, 2);
    ask(trace, theta, &plain, PTD_DENSITY, &a);
    CHECK(a.log_value[0] == -INFINITY && a.bound[0] == 0);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_erlang(1, 1e-8, 690);
    test_erlang(3, 1e-30, 230);
    test_erlang(100, 1e-3, 9);
    test_erlang(1000, 0.24, 2.5);
    test_hyperexponential();
    test_exchange(1, 1);
    test_exchange(1e3, 1);
    test_exchange(1e9, 0);
    test_target();
    test_timeless();
    test_ring();
    test_nothing();
    return check_result();
}
