/* Series and their Poisson mixtures. See series.h. */
#include "series.h"

#include <string.h>

#include "memory.h"
#include "status.h"

enum { BLOCK = PTD_SERIES_BLOCK, MIDDLE = BLOCK / 2 };

/* Logarithms of bounds are raised by this, far more than their rounding. */
static const double SLACK = 0x1p-20;

/* Beyond this ratio of neighbouring weights each is computed for itself. */
static const double STEEP = 0x1p20;

static void extent_release(ptd_series_extent *extent)
{
    ptd_release(extent->top);
    ptd_release(extent->before);
    ptd_release(extent->behind);
}

void ptd_series_release(ptd_series *series)
{
    ptd_release(series->values);
    ptd_release(series->shift);
    ptd_release(series->lost);
    ptd_release(series->constant);
    extent_release(&series->value);
    extent_release(&series->slope);
    memset(series, 0, sizeof *series);
}

static int regrow(double **array, size_t count)
{
    double *larger = ptd_reallocate(*array, count, sizeof *larger);
    if (larger) {
        *array = larger;
    }
    return larger != NULL;
}

static int extent_regrow(ptd_series_extent *extent, size_t blocks)
{
    return regrow(&extent->top, blocks) && regrow(&extent->before, blocks + 1) &&
           regrow(&extent->behind, blocks + 1);
}

ptd_status ptd_series_reserve(ptd_series *series, ptd_error *error)
{
    if (series->n_blocks < series->capacity) {
        return PTD_OK;
    }
    const size_t blocks = (size_t)series->capacity + (size_t)series->capacity / 2 + 64;
    if (!regrow(&series->values, blocks * BLOCK * (size_t)series->jets) ||
        !regrow(&series->shift, blocks) || !regrow(&series->lost, blocks) ||
        !regrow(&series->constant, blocks) || !extent_regrow(&series->value, blocks) ||
        !extent_regrow(&series->slope, blocks)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0,
                        (double)blocks * BLOCK * series->jets * sizeof(double));
    }
    series->capacity = (int64_t)blocks;
    return PTD_OK;
}

/* Takes the largest number of block b, stored times 2^shift. */
static void extend(ptd_series_extent *extent, int64_t b, double largest, double shift)
{
    extent->top[b] = largest > 0 ? log2(largest) - shift + SLACK : -INFINITY;
    extent->before[b + 1] = b > 0 ? fmax(extent->before[b], extent->top[b]) : extent->top[b];
    extent->before[0] = -INFINITY;
}

void ptd_series_append(ptd_series *series, double shift, double log2_lost)
{
    const int64_t b = series->n_blocks++;
    double value = 0, slope = 0;
    const int jets = series->jets;
    const double *values = series->values + b * BLOCK * jets;
    for (int i = 0; i < BLOCK * jets; i += jets) {
        value = fmax(value, values[i]);
        for (int c = 1; c < jets; c++) {
            slope = fmax(slope, fabs(values[i + c]));
        }
    }
    series->shift[b] = shift;
    series->lost[b] = log2_lost;
    series->constant[b] = ptd_poisson_constant((double)(b * BLOCK + MIDDLE));
    extend(&series->value, b, value, shift);
    extend(&series->slope, b, slope, shift);
}

static void close_extent(ptd_series_extent *extent, int64_t n_blocks, double beyond)
{
    extent->behind[n_blocks] = beyond;
    for (int64_t b = n_blocks - 1; b >= 0; b--) {
        extent->behind[b] = fmax(extent->behind[b + 1], extent->top[b]);
    }
}

void ptd_series_close(ptd_series *series, double log2_beyond)
{
    close_extent(&series->value, series->n_blocks, log2_beyond + SLACK);
    close_extent(&series->slope, series->n_blocks, -INFINITY);
}

/* ---- where to begin: uphill over blocks, with strides that double and halve */

static double height(const ptd_series *series, const ptd_series_extent *extent,
                     const ptd_poisson_mean *mean, int64_t b)
{
    if (extent->top[b] == -INFINITY) {
        return -INFINITY;
    }
    const double deviance = ptd_poisson_deviance((double)(b * BLOCK + MIDDLE), mean);
    return extent->top[b] - (deviance + series->constant[b]) * 1.4426950408889634;
}

static int64_t highest_block(const ptd_series *series, const ptd_series_extent *extent,
                             const ptd_poisson_mean *mean)
{
    const int64_t last = series->n_blocks - 1;
    int64_t b = mean->x.high < (double)(last * BLOCK) ? (int64_t)mean->x.high / BLOCK : last;
    while (b < last && extent->top[b] == -INFINITY) {
        b++;
    }
    while (b > 0 && extent->top[b] == -INFINITY) {
        b--;
    }
    double here = height(series, extent, mean, b);
    int64_t stride = 1;
    while (stride != 0) {
        const int64_t next = b + stride;
        const double there =
            next >= 0 && next <= last ? height(series, extent, mean, next) : -INFINITY;
        if (there > here) {
            b = next;
            here = there;
            stride *= 2;
        } else {
            stride = stride == 1 ? -1 : stride / 2;
        }
    }
    return b;
}

/* ---- sums */

typedef struct {
    const ptd_series *series;
    const ptd_series_extent *extent;
    const ptd_poisson_mean *mean;
    ptd_double_double sum; /* to be multiplied by 2^exponent, as all here */
    double exponent;
    double *derivatives; /* NULL: values are mixed; else the sum is of the largest, by block */
    double steps;        /* sum of k times terms */
    double rounding;     /* sum of errors in u times terms */
} mixing;

/* A weight as mantissa and power of two. */
typedef struct {
    double mantissa, exponent;
} weight;

static void refer_to(mixing *m, double exponent)
{
    const double by = exp2(fmax(fmin(m->exponent - exponent, 900), -2000));
    m->sum.high *= by;
    m->sum.low *= by;
    m->steps *= by;
    m->rounding *= by;
    for (int c = 0; m->derivatives && c < m->series->jets - 1; c++) {
        m->derivatives[c] *= by;
    }
    m->exponent = exponent;
}

/* What terms times 2^exponent, of which the first is number `first`, are to be multiplied by. */
static double scale_of(mixing *m, int64_t first, double exponent, int any)
{
    exponent -= m->series->shift[first / BLOCK];
    if ((m->sum.high == 0 && any) || exponent > m->exponent + 300) {
        refer_to(m, exponent);
    }
    return exponent < m->exponent - 2000 ? 0 : exp2(exponent - m->exponent);
}

/* Derivatives of the terms; to the sum, the largest of them. */
static void add_slopes(mixing *m, int64_t first, int count, const double *weights, double exponent)
{
    const int jets = m->series->jets;
    const double *values = m->series->values + first * jets;
    const double by = scale_of(m, first, exponent, m->extent->top[first / BLOCK] > -INFINITY);
    double largest = 0;
    for (int c = 1; c < jets; c++) {
        double derivative = 0;
        for (int i = 0; i < count; i++) {
            derivative += weights[i] * values[i * jets + c];
        }
        m->derivatives[c - 1] += derivative * by;
        largest = fmax(largest, fabs(derivative));
    }
    m->sum.high += largest * by;
}

/* Adds weights[i] c_k, k = first + i, times 2^exponent; each weight with `error` roundings. */
static void add_terms(mixing *m, int64_t first, int count, const double *weights, double exponent,
                      double error)
{
    const int jets = m->series->jets;
    const double *values = m->series->values + first * jets;
    double sum = 0;
    if (m->derivatives) {
        add_slopes(m, first, count, weights, exponent);
        return;
    }
    for (int i = 0; i < count; i++) {
        sum += weights[i] * values[i * jets];
    }
    sum *= scale_of(m, first, exponent, sum > 0);
    m->sum = ptd_dd_add(m->sum, sum);
    m->steps += sum * (double)(first + count - 1);
    m->rounding += sum * (error + count + 2);
}

/* Returns the error of the weight in u. */
static double weigh(const mixing *m, int64_t k, double constant, weight *w)
{
    const double deviance = ptd_poisson_deviance((double)k, m->mean);
    w->mantissa = ptd_split_exp(-(constant + deviance), &w->exponent);
    return 4 * constant + 18 * deviance + 12;
}

/* Each weight for itself, where neighbours differ by orders of magnitude. */
static void add_steep_block(mixing *m, int64_t b, weight *first, weight *last)
{
    for (int64_t k = b * BLOCK; k < (b + 1) * BLOCK; k++) {
        const double error = weigh(m, k, ptd_poisson_constant((double)k), last);
        add_terms(m, k, 1, &last->mantissa, last->exponent, error);
        if (k == b * BLOCK) {
            *first = *last;
        }
    }
}

/* From the weight in the middle by ratios x / (k + 1) to both sides. */
static void add_block(mixing *m, int64_t b, weight *first, weight *last)
{
    const double x = m->mean->x.high;
    const double k = (double)(b * BLOCK);
    double weights[BLOCK];
    weight middle;
    if (x > STEEP * (k + 1) || k + BLOCK > STEEP * x) {
        add_steep_block(m, b, first, last);
        return;
    }
    const double error = weigh(m, b * BLOCK + MIDDLE, m->series->constant[b], &middle);
    weights[MIDDLE] = middle.mantissa;
    for (int i = MIDDLE; i < BLOCK - 1; i++) {
        weights[i + 1] = weights[i] * (x / (k + i + 1));
    }
    for (int i = MIDDLE; i > 0; i--) {
        weights[i - 1] = weights[i] * ((k + i) / x);
    }
    add_terms(m, b * BLOCK, BLOCK, weights, middle.exponent, error + 3 * MIDDLE);
    *first = (weight){weights[0], middle.exponent};
    *last = (weight){weights[BLOCK - 1], middle.exponent};
}

/* log2 of bounds on what lies below block `low`, whose first weight is known, and from block `high`
 * on, whose predecessor's last weight is known. */
static double left_below(const mixing *m, int64_t low, weight first)
{
    const double x = m->mean->x.high, k = (double)(low * BLOCK) - 1;
    double all = 0;
    if (low > 0 && k < x) {
        all = fmin(0, log2(first.mantissa * ((k + 1) / x) / (1 - k / x)) + first.exponent + SLACK);
    }
    return m->extent->before[low] + all;
}

static double left_above(const mixing *m, int64_t high, weight last)
{
    const double x = m->mean->x.high, k = (double)(high * BLOCK);
    double all = 0;
    if (k + 1 > x) {
        all = fmin(0, log2(last.mantissa * (x / k) / (1 - x / (k + 1))) + last.exponent + SLACK);
    }
    return m->extent->behind[high] + all;
}

/* What is left out below and above, and the last block taken. */
typedef struct {
    double below, above;
    int64_t high;
} rest_of_mix;

/* Takes blocks on both sides of the highest until what is left is below `target` of the sum. */
static rest_of_mix gather(mixing *m, double target)
{
    const ptd_series *series = m->series;
    weight first, last, first_of_next, last_of_next;
    int64_t low = highest_block(series, m->extent, m->mean), high = low + 1;
    add_block(m, low, &first, &last);
    for (;;) {
        const double below = left_below(m, low, first);
        const double above = left_above(m, high, last);
        const double enough = log2(m->sum.high) + m->exponent + log2(target);
        const int can_rise = high < series->n_blocks && above > enough;
        if (low > 0 && below > enough && (below >= above || !can_rise)) {
            add_block(m, --low, &first, &last_of_next);
        } else if (can_rise) {
            add_block(m, high++, &first_of_next, &last);
        } else {
            return (rest_of_mix){below, above, high};
        }
    }
}

/* The derivatives, by the value. */
static void mix_slopes(const mixing *values, double target, double *derivatives,
                       ptd_mixture *mixture)
{
    const ptd_series *series = values->series;
    const double terms = ptd_series_slope_terms(values->mean->x.high);
    mixing m = {.series = series,
                .extent = &series->slope,
                .mean = values->mean,
                .derivatives = derivatives};
    mixture->slopes_known = (double)(series->n_blocks * BLOCK) >= terms;
    mixture->slopes_finite = 1;
    memset(derivatives, 0, (size_t)(series->jets - 1) * sizeof *derivatives);
    (void)gather(&m, target);
    const double exponent =
        fmax(fmin(m.exponent - (values->sum.high > 0 ? values->exponent : 0), 3000), -3000);
    for (int c = 0; c < series->jets - 1; c++) {
        const double by = values->sum.high > 0 ? values->sum.high : 1;
        derivatives[c] = ldexp(derivatives[c] / by, (int)exponent);
        mixture->slopes_finite &= isfinite(derivatives[c]) != 0;
    }
}

ptd_mixture ptd_series_mix(const ptd_series *series, const ptd_poisson_mean *mean, double target,
                           double *derivatives)
{
    mixing m = {.series = series, .extent = &series->value, .mean = mean};
    const rest_of_mix left = gather(&m, target);
    ptd_mixture mixture = {
        .value = m.sum.high, .exponent = m.exponent, .log2_lost = series->lost[left.high - 1]};
    if (m.sum.high > 0) {
        const double sum = log2(m.sum.high) + m.exponent;
        mixture.truncation = exp2(left.below - sum) + exp2(left.above - sum);
        mixture.rounding = m.rounding / m.sum.high;
        mixture.mean_steps = m.steps / m.sum.high;
    } else {
        mixture.truncation = left.below == -INFINITY && left.above == -INFINITY ? 0 : INFINITY;
    }
    mixture.slopes_known = mixture.slopes_finite = 1;
    if (series->jets > 1) {
        mix_slopes(&m, target, derivatives, &mixture);
    }
    return mixture;
}
