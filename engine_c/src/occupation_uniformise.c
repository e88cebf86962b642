/* Occupation by uniformisation.
 *
 * With v_k = alpha P^k and C_k = v_0 + .. + v_{k-1} from one sweep (uniformise.c),
 *     probability  sum_k P_k(q t) v_k,      accumulated  sum_k P_k(q t) C_k / q,
 * because the chain jumps k times in [0, t] with probability P_k and rests for 1 / q on average
 * before each jump and after the last. Discrete chains: v_k and C_k themselves. Derivatives are the
 * same sums of the sweep's other planes, q being a constant.
 *
 * Weights follow from the largest by ratios x / (k + 1) in double-double, sums are compensated, and
 * steps of the value are exact, so that its error is a few dozen roundings whatever q t is, state
 * by state. The sum ends where all that follows is below 2^-55 of each value, or of 2^-900: values
 * below that are right in absolute terms only. What this leaves out of a derivative is that part of
 * the value times about q t, as roundings of its own steps are.
 */
#include "occupation.h"

#include <string.h>

#include "flush.h"
#include "memory.h"
#include "poisson.h"
#include "series.h"
#include "status.h"
#include "sweep.h"

static const double TRUNCATION = 0x1p-55;

/* Sums are kept times 2^SCALE, as the vectors of a sweep are at first. */
enum { SCALE = 800, CHECKED_EVERY = PTD_SWEEP_STEPS };

/* A vector of compensated sums, by plane. */
typedef struct {
    double *high, *low;
} sums;

typedef struct {
    ptd_tiles tiles;
    ptd_sweep sweep;
    sums visits, probability, accumulated; /* C_k, and the two mixtures */
    double *weight;                        /* P_k, k below n_weights; 0 below 2^-1000 */
    int64_t n_weights;
} uniformisation;

static void uniformisation_release(uniformisation *o)
{
    ptd_sweep_release(&o->sweep);
    ptd_tiles_release(&o->tiles);
    ptd_release(o->visits.high);
    ptd_release(o->probability.high);
    ptd_release(o->accumulated.high);
    ptd_release(o->weight);
}

static int sums_create(sums *s, size_t count)
{
    s->high = ptd_allocate_zero(2 * count, sizeof *s->high);
    s->low = s->high ? s->high + count : NULL;
    return s->high != NULL;
}

static void add_multiple(sums *s, double factor, const double *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const ptd_double_double sum = ptd_two_sum(s->high[i], factor * v[i]);
        s->high[i] = sum.high;
        s->low[i] += sum.low;
    }
}

static double weight_at(int64_t k, const ptd_poisson_mean *mean)
{
    double exponent;
    const double mantissa = ptd_split_exp(
        -(ptd_poisson_constant((double)k) + ptd_poisson_deviance((double)k, mean)), &exponent);
    return ldexp(mantissa, (int)exponent);
}

/* Weights in both directions from the mode until they are below 2^-1000; `n_weights` is large
 * enough for that. */
static ptd_status fill_weights(uniformisation *o, const ptd_poisson_mean *mean, ptd_error *error)
{
    static const double smallest = 0x1p-1000;
    const double x = mean->x.high;
    const int64_t mode = (int64_t)x;
    o->n_weights = mode + (int64_t)(40 * sqrt(x)) + 200;
    o->weight = ptd_allocate_zero((size_t)o->n_weights, sizeof *o->weight);
    if (!o->weight) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)o->n_weights * sizeof(double));
    }
    o->weight[mode] = x > 0 ? weight_at(mode, mean) : 1;
    ptd_double_double w = {o->weight[mode], 0};
    for (int64_t k = mode; k > 0 && w.high > smallest; k--) {
        w = ptd_dd_multiply(w, ptd_dd_divide((ptd_double_double){(double)k, 0}, mean->x));
        o->weight[k - 1] = w.high > smallest ? w.high : 0;
    }
    w = (ptd_double_double){o->weight[mode], 0};
    for (int64_t k = mode + 1; k < o->n_weights && w.high > smallest; k++) {
        w = ptd_dd_multiply(w, ptd_dd_divide(mean->x, (ptd_double_double){(double)k, 0}));
        o->weight[k] = w.high > smallest ? w.high : 0;
    }
    return PTD_OK;
}

/* Whether all terms after the k-th matter to no entry. Their weights fall by the ratio x / (k + 2)
 * or faster, v_i is at most the mass, and C_i at most C_{k+1} + (i - k) mass. */
static int is_complete(const uniformisation *o, int64_t k, double x)
{
    const double ratio = x / ((double)k + 2);
    if (ratio >= 1) {
        return 0;
    }
    /* Derivatives need not fall as values do (series.h); of what is 0 nothing but a walk says how
     * long a path they are on. */
    const double path = o->sweep.mass[0] == 0 ? (double)o->tiles.n : 0;
    if (o->tiles.planes > 1 && (double)k < ptd_series_slope_terms(x) + path) {
        return 0;
    }
    const double next = k + 1 < o->n_weights ? o->weight[k + 1] : 0;
    const double tail = fmax(next, 0x1p-1000) / ((1 - ratio) * (1 - ratio));
    const double mass = o->sweep.mass[0] * exp2(SCALE - o->sweep.shift);
    const double least = ldexp(PTD_SMALLEST_OCCUPATION, SCALE);
    for (int64_t s = 0; s < o->tiles.n; s++) {
        const size_t at = PTD_TILE + (size_t)s;
        if (tail * mass > TRUNCATION * fmax(o->probability.high[at], least) ||
            tail * (o->visits.high[at] + mass) >
                TRUNCATION * fmax(o->accumulated.high[at], least)) {
            return 0;
        }
    }
    return 1;
}

static void sweep_steps(uniformisation *o, int64_t steps, int discrete, double x)
{
    const size_t count = (size_t)o->tiles.stride * (size_t)o->tiles.planes;
    const ptd_flush_state floating = ptd_flush_begin();
    for (int64_t k = 0;; k++) {
        if (k % CHECKED_EVERY == 0) {
            ptd_sweep_prepare(&o->sweep, 1);
        }
        const double factor = exp2(SCALE - o->sweep.shift);
        const double weight = !discrete ? k < o->n_weights ? o->weight[k] : 0 : k == steps ? 1 : 0;
        if (weight > 0) {
            add_multiple(&o->probability, weight * factor, o->sweep.v, count);
            add_multiple(&o->accumulated, weight, o->visits.high, count);
        }
        if (discrete ? k == steps : k % CHECKED_EVERY == 0 && is_complete(o, k, x)) {
            break;
        }
        add_multiple(&o->visits, factor, o->sweep.v, count);
        for (size_t i = 0; i < count; i++) {
            const ptd_double_double sum = ptd_two_sum(o->visits.high[i], o->visits.low[i]);
            o->visits.high[i] = sum.high;
            o->visits.low[i] = sum.low;
        }
        ptd_sweep_step(&o->sweep);
    }
    ptd_flush_end(floating);
}

static void hand_over(const ptd_chain *chain, const uniformisation *o, ptd_occupation *occupation)
{
    const size_t planes = (size_t)o->tiles.planes;
    for (int64_t s = 0; s < chain->n; s++) {
        for (size_t c = 0; c < planes && s != chain->trap; c++) {
            const size_t at = c * (size_t)o->tiles.stride + PTD_TILE + o->tiles.position[s];
            const size_t own = chain->vertex[s] * planes + c;
            occupation->probability[own] =
                ldexp(o->probability.high[at] + o->probability.low[at], -SCALE);
            occupation->accumulated[own] = ldexp(
                (o->accumulated.high[at] + o->accumulated.low[at]) / o->tiles.fastest.high, -SCALE);
        }
    }
}

double ptd_occupation_uniformise_work(const ptd_chain *chain, double time)
{
    const double steps = chain->discrete ? time : chain->fastest * time;
    return steps * (chain->jets + 3) * (double)(chain->n + chain->n_edges);
}

ptd_status ptd_occupation_uniformise(const ptd_chain *chain, double time,
                                     ptd_occupation *occupation, ptd_error *error)
{
    uniformisation o = {0};
    ptd_poisson_mean mean = {{0, 0}, -INFINITY};
    ptd_status status = ptd_tiles_create(chain, &o.tiles, error);
    if (status) {
        goto out;
    }
    status = ptd_sweep_create(chain, &o.tiles, ptd_sweep_kernel_select(NULL), 1, &o.sweep, error);
    if (status) {
        goto out;
    }
    const size_t count = (size_t)o.tiles.stride * (size_t)o.tiles.planes;
    if (!sums_create(&o.visits, count) || !sums_create(&o.probability, count) ||
        !sums_create(&o.accumulated, count)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)count);
        goto out;
    }
    if (!chain->discrete) {
        mean = time > 0 ? ptd_poisson_mean_of(o.tiles.fastest, time) : mean;
        status = fill_weights(&o, &mean, error);
        if (status) {
            goto out;
        }
    }
    sweep_steps(&o, chain->discrete ? (int64_t)time : 0, chain->discrete, mean.x.high);
    hand_over(chain, &o, occupation);
    /* Steps, weights and products; truncation; what was flushed, against the smallest entry. */
    occupation->bound = 1.1 * (ptd_sweep_step_error(&o.sweep) * 0x1p-106 * (double)o.sweep.steps +
                               64 * 0x1p-53 + TRUNCATION +
                               exp2(log2(o.sweep.lost) - o.sweep.shift) *
                                   (double)(o.sweep.steps + 1) / PTD_SMALLEST_OCCUPATION);
out:
    uniformisation_release(&o);
    return status;
}
