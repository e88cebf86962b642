/* Uniformisation: density, distribution and survival of a chain, with a certified bound.
 *
 * With q the largest rate of leaving, P = I + S / q is a stochastic matrix (with what it exits),
 * and the chain is P watched at the jumps of a Poisson process of rate q (Jensen 1953). One sweep
 * v_0 = alpha, v_{k+1} = v_k P serves any number of times:
 *     density       sum_k P_k(q t) a_k,                  a_k = v_k . exit,
 *     survival      sum_k P_k(q t) m_k,                  m_k = v_k . 1,
 *     distribution  sum_k P_k(q t) sum_{j < k} a_j / q,  without the atom at 0.
 * Discrete chains: P is their matrix, a_{k-1} the probability of k, m_k and sum_{j < k} a_j
 * survival and distribution. Nothing is subtracted, so the answers are right in relative terms, in
 * both tails.
 *
 * The bound, relative, u = 2^-53, is the sum of
 * - truncation: an inequality about what the sweep has not reached and what the mixture left out
 *   (series.h). Later a_j are at most max exit times m_k, later m_j at most m_k;
 * - steps: each new value is a sum of s non-negative products (s: the most that any state has), and
 *   its relative error against the exact v P of the stored v is at most E: in doubles (s + 1) u,
 *   one rounding for each product and sum and one for the rate. All numbers being non-negative,
 *   relative errors pass through a step unchanged, so that v_k is right to (1 + E)^k - 1, and a
 *   mixture to the mean of that over its terms: E mean_k (1 + second order);
 * - exact steps: where that is more than the tolerance allows, v and P are double-doubles. Then
 *   products and sums are exact but for 4 s roundings of the collected error terms, which are at
 *   most (s + 3) u of the value together: E = 4 (s + 4)^2 u^2, which also covers the rounding of
 *   P, 1 - out / q below 2^-100 that is taken as 0, and the product of low parts;
 * - the sums a_k and m_k over states, the weights, the sum of the mixture (poisson.h, series.c),
 *   and for the distribution the running sum, which is a double-double;
 * - lost: mass that was flushed as denormal. What was lost by step k takes at most as much from
 *   m_k, and max exit times as much from a_k;
 * - the logarithm: its rounding, less than 2 u |log2|, is relative in the value;
 * - once each: the initial distribution and the rates into absorption as doubles.
 * Rates and rates of leaving are double-doubles (chain.h), so that the bound is about the graph at
 * theta and not about rounded rates, whose errors would grow with q t.
 */
#include "density.h"

#include <string.h>

#include "flush.h"
#include "memory.h"
#include "series.h"
#include "status.h"
#include "sweep.h"

enum { BLOCK = PTD_SERIES_BLOCK };
_Static_assert((int)BLOCK <= (int)PTD_SWEEP_STEPS, "a block is prepared once");

static const double UNIT = 0x1p-53;

/* Numbers that a series may hold: 1 GB. */
static const double MOST_NUMBERS = 0x1p27;

typedef struct {
    const ptd_chain *chain;
    ptd_question *question;
    ptd_tiles tiles;
    ptd_sweep sweep;
    ptd_series series;
    ptd_double_double *absorbed; /* jets: sum of a_j so far, times 2^(shift - exit_scale) */
    double *leaving;             /* jets */
    double most_steps;           /* that may be taken */
} uniformisation;

/* What a time costs beside the steps, in visits of edges: by the square root of its steps, which is
 * how many weights of Poisson's law count. */
static const double MIX_TIME = 200;
static const double MIX_WEIGHT = 100;

/* Steps that answer a time, about. */
static double steps_for(const ptd_chain *chain, double time)
{
    const double x = chain->discrete ? time : chain->fastest * time;
    return chain->discrete ? time + 1 : x + 8 * sqrt(x) + 2 * BLOCK;
}

static int needs_exact_steps(const ptd_chain *chain, const ptd_question *question)
{
    uint32_t most = 0;
    for (int64_t s = 0; s < chain->n; s++) {
        const uint32_t degree = chain->in_start[s + 1] - chain->in_start[s];
        most = degree > most ? degree : most;
    }
    const double steps = steps_for(chain, question->times[question->n_times - 1]);
    return !((most + 2) * UNIT * steps <= question->tolerance / 2);
}

static double step_work(const ptd_chain *chain, int exactly)
{
    const ptd_tiles size = {.planes = chain->jets,
                            .visits = (double)(chain->n + chain->n_edges) * chain->jets};
    return ptd_sweep_step_work(&size, exactly);
}

double ptd_uniformise_work(const ptd_chain *chain, const ptd_question *question)
{
    if (question->n_times == 0) {
        return 0;
    }
    const double steps = steps_for(chain, question->times[question->n_times - 1]);
    const double mixing = MIX_TIME + MIX_WEIGHT * sqrt(steps);
    return steps * step_work(chain, needs_exact_steps(chain, question)) +
           mixing * (double)question->n_times;
}

/* Whether there are only derivatives to be found. */
static int is_zero(const uniformisation *u)
{
    return !u->chain->discrete && ptd_chain_is_zero(u->chain, u->question->function);
}

/* ---- the sweep, block by block */

/* What has been absorbed: sum of a_j / q so far, times 2^shift of the sweep. */
static double share_absorbed(const uniformisation *u, size_t plane)
{
    int scale;
    const double fastest = frexp(u->tiles.fastest.high, &scale);
    return ldexp(u->absorbed[plane].high / fastest, u->tiles.exit_scale - scale);
}

/* c_k and its derivatives from v_k; a_k comes times 2^-exit_scale. */
static void yield(uniformisation *u, double *values)
{
    const size_t jets = (size_t)u->tiles.planes;
    if (u->question->function == PTD_SURVIVAL) {
        memcpy(values, u->sweep.mass, jets * sizeof *values);
        return;
    }
    ptd_sweep_leaving(&u->sweep, u->leaving);
    if (u->question->function == PTD_DENSITY) {
        memcpy(values, u->leaving, jets * sizeof *values);
        return;
    }
    for (size_t c = 0; c < jets; c++) {
        values[c] = share_absorbed(u, c);
        u->absorbed[c] = ptd_dd_add(u->absorbed[c], u->leaving[c]);
    }
}

static ptd_status extend(uniformisation *u, int64_t blocks, ptd_error *error)
{
    const size_t jets = (size_t)u->tiles.planes;
    ptd_status status = PTD_OK;
    const ptd_flush_state floating = ptd_flush_begin();
    while (u->series.n_blocks < blocks && !status) {
        status = ptd_series_reserve(&u->series, error);
        if (status) {
            break;
        }
        /* Beside what has been absorbed the mass may shrink as it likes. */
        ptd_sweep_prepare(&u->sweep, !is_zero(u) && (u->question->function != PTD_DISTRIBUTION ||
                                                     u->absorbed[0].high == 0));
        double *values = u->series.values + (size_t)u->series.n_blocks * BLOCK * jets;
        for (size_t k = 0; k < BLOCK; k++) {
            yield(u, values + k * jets);
            ptd_sweep_step(&u->sweep);
        }
        ptd_series_append(&u->series, u->sweep.shift, log2(u->sweep.lost) - u->sweep.shift);
    }
    ptd_flush_end(floating);
    return status;
}

/* log2 of a bound on all c_k to come; the factor 2 is for the rounding of what is known. */
static double log2_beyond(const uniformisation *u)
{
    double most = 2 * u->sweep.mass[0];
    if (is_zero(u) || (u->tiles.fastest_exit == 0 && u->question->function != PTD_SURVIVAL)) {
        return -INFINITY;
    }
    if (u->question->function == PTD_DISTRIBUTION) {
        most += 2 * share_absorbed(u, 0);
    }
    if (!(most > 0)) {
        return -INFINITY;
    }
    const double factor = u->question->function == PTD_DENSITY ? log2(u->tiles.fastest_exit) : 0;
    return log2(most) + factor - u->sweep.shift;
}

/* ---- answers */

/* Everything in the bound but the mixture's own part, in units of the value; `unit`: log2 of what
 * a value of the series stands for. */
static double sweep_error(const uniformisation *u, const ptd_mixture *mixture, double log2_value,
                          double unit)
{
    const double step = ptd_sweep_step_error(&u->sweep) * UNIT * (u->sweep.exactly ? UNIT : 1);
    const double lost = u->question->function == PTD_DENSITY
                            ? mixture->log2_lost + log2(u->tiles.fastest_exit)
                            : mixture->log2_lost;
    return step * mixture->mean_steps + exp2(lost - log2_value) +
           UNIT * (ptd_sweep_sum_error(&u->tiles) + 2 * fabs(log2_value + unit) + 16);
}

/* log2 of what a value of the series stands for: exits are stored scaled. */
static int unit_of(const uniformisation *u)
{
    return u->question->function == PTD_DENSITY ? u->tiles.exit_scale : 0;
}

static void answer(uniformisation *u, int64_t at, const ptd_mixture *mixture)
{
    ptd_question *question = u->question;
    int scale;
    const double value = frexp(mixture->value, &scale);
    const double exponent = mixture->exponent + scale;
    const double unit = unit_of(u);
    double bound = mixture->truncation;
    question->log_value[at] = -INFINITY;
    if (value > 0) {
        question->log_value[at] = log(value) + (exponent + unit) * 0.693147180559945309417;
        bound += mixture->rounding * UNIT + sweep_error(u, mixture, log2(value) + exponent, unit);
    }
    /* Products of errors are below a tenth of their sum where that is below a tenth. */
    question->bound[at] = bound <= 0.1 ? 1.1 * bound : INFINITY;
}

/* Whether what the sweep has reached answers the time within the tolerance. */
static int mix(uniformisation *u, int64_t at, double target)
{
    ptd_question *question = u->question;
    const size_t rest = (size_t)u->tiles.planes - 1;
    const ptd_poisson_mean mean = ptd_poisson_mean_of(u->tiles.fastest, question->times[at]);
    double *log_jet = rest > 0 ? question->log_jet + (size_t)at * rest : NULL;
    const ptd_mixture mixture = ptd_series_mix(&u->series, &mean, target, log_jet);
    answer(u, at, &mixture);
    for (size_t c = 0; c < rest && !(mixture.value > 0); c++) {
        log_jet[c] = ldexp(log_jet[c], unit_of(u));
    }
    if (!mixture.slopes_known || !mixture.slopes_finite) {
        question->bound[at] = INFINITY;
    }
    return mixture.truncation <= 2 * target && mixture.slopes_known;
}

/* Discrete chains have their answer in the series itself. */
static void look_up(uniformisation *u, int64_t at)
{
    ptd_question *question = u->question;
    const size_t jets = (size_t)u->tiles.planes;
    const int64_t k = (int64_t)question->times[at] - (question->function == PTD_DENSITY);
    const double *values = u->series.values + (size_t)k * jets;
    const ptd_mixture mixture = {.value = values[0],
                                 .exponent = -u->series.shift[k / BLOCK],
                                 .log2_lost = u->series.lost[k / BLOCK],
                                 .mean_steps = (double)k};
    answer(u, at, &mixture);
    for (size_t c = 1; c < jets; c++) {
        question->log_jet[(size_t)at * (jets - 1) + c - 1] =
            values[0] > 0 ? values[c] / values[0]
                          : ldexp(values[c], (int)mixture.exponent + unit_of(u));
    }
}

/* Steps after which a mixture gains nothing: every path has been walked once, and the Poisson
 * weights of mean x beyond are nothing (e^-1000) beside what doubles hold of them. Where truncation
 * is not small by then, the values that it is compared to have left the range of doubles. */
static double steps_that_tell(const ptd_chain *chain, double x)
{
    return chain->discrete ? INFINITY : (double)chain->n + x + 60 * sqrt(x) + 2000;
}

static ptd_status answer_all(uniformisation *u, ptd_error *error)
{
    ptd_question *question = u->question;
    const double target = fmax(fmin(question->tolerance / 16, PTD_DENSITY_AIM), 0x1p-56);
    int64_t at = question->n_times - 1;
    while (at >= 0 && steps_for(u->chain, question->times[at]) > u->most_steps) {
        at--;
    }
    if (at < 0) {
        return PTD_OK;
    }
    const double x = u->tiles.fastest.high * question->times[at];
    /* Of what is 0 nothing but a walk says how long a path its derivatives are on. */
    const int zero = is_zero(u);
    const double first = zero ? ptd_series_slope_terms(x) + (double)u->chain->n : x;
    const double most_steps =
        zero ? u->most_steps : fmin(u->most_steps, steps_that_tell(u->chain, x));
    const int64_t most_blocks = (int64_t)(most_steps / BLOCK);
    int64_t blocks = (int64_t)(fmin(first, u->most_steps) / BLOCK) + 1;
    ptd_status status = extend(u, blocks, error);
    while (at >= 0 && !status) {
        if (u->chain->discrete) {
            look_up(u, at--);
            continue;
        }
        ptd_series_close(&u->series, log2_beyond(u));
        /* Largest time first: it needs the most steps. */
        while (at >= 0 && (mix(u, at, target) || blocks >= most_blocks)) {
            at--;
        }
        if (at >= 0) {
            blocks += 4 + (int64_t)(sqrt(x) / (2 * BLOCK)) + blocks / 32;
            blocks = blocks < most_blocks ? blocks : most_blocks;
            status = extend(u, blocks, error);
        }
    }
    return status;
}

ptd_status ptd_uniformise(const ptd_chain *chain, ptd_question *question, ptd_error *error)
{
    uniformisation u = {.chain = chain, .question = question};
    const size_t jets = (size_t)chain->jets;
    question->kind = PTD_CERTIFIED;
    question->work = 0;
    for (int64_t k = 0; k < question->n_times; k++) {
        question->log_value[k] = -INFINITY;
        question->bound[k] = INFINITY;
    }
    if (jets > 1) {
        memset(question->log_jet, 0,
               (size_t)question->n_times * (jets - 1) * sizeof *question->log_jet);
    }
    if (question->n_times == 0) {
        return PTD_OK;
    }
    const int exactly = needs_exact_steps(chain, question);
    const double work = step_work(chain, exactly);
    u.most_steps = fmin(question->max_work / work, MOST_NUMBERS / (double)jets);
    if (steps_for(chain, question->times[0]) > u.most_steps) {
        return PTD_OK;
    }
    u.series.jets = (int)jets;
    u.absorbed = ptd_allocate_zero(jets, sizeof *u.absorbed);
    u.leaving = ptd_allocate(jets, sizeof *u.leaving);
    ptd_status status = PTD_OK;
    if (!u.absorbed || !u.leaving) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)jets);
        goto out;
    }
    status = ptd_tiles_create(chain, &u.tiles, error);
    if (status) {
        goto out;
    }
    status =
        ptd_sweep_create(chain, &u.tiles, ptd_sweep_kernel_select(NULL), exactly, &u.sweep, error);
    if (status) {
        goto out;
    }
    status = answer_all(&u, error);
    question->work = work * (double)u.sweep.steps;
out:
    ptd_series_release(&u.series);
    ptd_sweep_release(&u.sweep);
    ptd_tiles_release(&u.tiles);
    ptd_release(u.absorbed);
    ptd_release(u.leaving);
    return status;
}
