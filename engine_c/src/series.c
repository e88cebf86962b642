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

void ptd_series_release(ptd_series *series)
{
    ptd_release(series->values);
    ptd_release(series->shift);
    ptd_release(series->lost);
    ptd_release(series->top);
    ptd_release(series->before);
    ptd_release(series->behind);
    ptd_release(series->constant);
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

ptd_status ptd_series_reserve(ptd_series *series, ptd_error *error)
{
    if (series->n_blocks < series->capacity) {
        return PTD_OK;
    }
    const size_t blocks = (size_t)series->capacity + (size_t)series->capacity / 2 + 64;
    if (!regrow(&series->values, blocks * BLOCK * (size_t)series->jets) ||
        !regrow(&series->shift, blocks) || !regrow(&series->lost, blocks) ||
        !regrow(&series->top, blocks) || !regrow(&series->before, blocks + 1) ||
        !regrow(&series->behind, blocks + 1) || !regrow(&series->constant, blocks)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0,
                        (double)blocks * BLOCK * series->jets * sizeof(double));
    }
    series->capacity = (int64_t)blocks;
    return PTD_OK;
}

void ptd_series_append(ptd_series *series, double shift, double log2_lost)
{
    const int64_t b = series->n_blocks++;
    const double *values = series->values + b * BLOCK * series->jets;
    double largest = 0;
    for (int k = 0; k < BLOCK; k++) {
        largest = fmax(largest, values[k * series->jets]);
    }
    series->shift[b] = shift;
    series->lost[b] = log2_lost;
    series->top[b] = largest > 0 ? log2(largest) - shift + SLACK : -INFINITY;
    series->before[b + 1] = b > 0 ? fmax(series->before[b], series->top[b]) : series->top[b];
    series->before[0] = -INFINITY;
    series->constant[b] = ptd_poisson_constant((double)(b * BLOCK + MIDDLE));
}

void ptd_series_close(ptd_series *series, double log2_beyond)
{
    series->behind[series->n_blocks] = log2_beyond + SLACK;
    for (int64_t b = series->n_blocks - 1; b >= 0; b--) {
        series->behind[b] = fmax(series->behind[b + 1], series->top[b]);
    }
}

/* ---- where to begin: uphill over blocks, with strides that double and halve */

static double height(const ptd_series *series, const ptd_poisson_mean *mean, int64_t b)
{
    if (series->top[b] == -INFINITY) {
        return -INFINITY;
    }
    const double deviance = ptd_poisson_deviance((double)(b * BLOCK + MIDDLE), mean);
    return series->top[b] - (deviance + series->constant[b]) * 1.4426950408889634;
}

static int64_t highest_block(const ptd_series *series, const ptd_poisson_mean *mean)
{
    const int64_t last = series->n_blocks - 1;
    int64_t b = mean->x.high < (double)(last * BLOCK) ? (int64_t)mean->x.high / BLOCK : last;
    while (b < last && series->top[b] == -INFINITY) {
        b++;
    }
    while (b > 0 && series->top[b] == -INFINITY) {
        b--;
    }
    double here = height(series, mean, b);
    int64_t stride = 1;
    while (stride != 0) {
        const int64_t next = b + stride;
        const double there = next >= 0 && next <= last ? height(series, mean, next) : -INFINITY;
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
    const ptd_poisson_mean *mean;
    ptd_double_double sum; /* to be multiplied by 2^exponent, as all here */
    double exponent;
    double *derivatives;
    double steps;    /* sum of k times terms */
    double rounding; /* sum of errors in u times terms */
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
    for (int c = 0; c < m->series->jets - 1; c++) {
        m->derivatives[c] *= by;
    }
    m->exponent = exponent;
}

/* Adds weights[i] c_k, k = first + i, times 2^exponent; each weight with `error` roundings. */
static void add_terms(mixing *m, int64_t first, int count, const double *weights, double exponent,
                      double error)
{
    const int jets = m->series->jets;
    const double *values = m->series->values + first * jets;
    double sum = 0;
    for (int i = 0; i < count; i++) {
        sum += weights[i] * values[i * jets];
    }
    exponent -= m->series->shift[first / BLOCK];
    if ((m->sum.high == 0 && sum > 0) || exponent > m->exponent + 300) {
        refer_to(m, exponent);
    }
    const double by = exponent < m->exponent - 2000 ? 0 : exp2(exponent - m->exponent);
    sum *= by;
    m->sum = ptd_dd_add(m->sum, sum);
    m->steps += sum * (double)(first + count - 1);
    m->rounding += sum * (error + count + 2);
    for (int c = 1; c < jets; c++) {
        double derivative = 0;
        for (int i = 0; i < count; i++) {
            derivative += weights[i] * values[i * jets + c];
        }
        m->derivatives[c - 1] += derivative * by;
    }
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
    return m->series->before[low] + all;
}

static double left_above(const mixing *m, int64_t high, weight last)
{
    const double x = m->mean->x.high, k = (double)(high * BLOCK);
    double all = 0;
    if (k + 1 > x) {
        all = fmin(0, log2(last.mantissa * (x / k) / (1 - x / (k + 1))) + last.exponent + SLACK);
    }
    return m->series->behind[high] + all;
}

ptd_mixture ptd_series_mix(const ptd_series *series, const ptd_poisson_mean *mean, double target,
                           double *derivatives)
{
    mixing m = {.series = series, .mean = mean, .derivatives = derivatives};
    weight first, last;
    for (int c = 0; c < series->jets - 1; c++) {
        derivatives[c] = 0;
    }
    int64_t low = highest_block(series, mean), high = low + 1;
    add_block(&m, low, &first, &last);
    weight first_of_next, last_of_next;
    double below, above, sum;
    for (;;) {
        below = left_below(&m, low, first);
        above = left_above(&m, high, last);
        sum = log2(m.sum.high) + m.exponent;
        const double enough = sum + log2(target);
        const int can_rise = high < series->n_blocks && above > enough;
        if (low > 0 && below > enough && (below >= above || !can_rise)) {
            add_block(&m, --low, &first, &last_of_next);
        } else if (can_rise) {
            add_block(&m, high++, &first_of_next, &last);
        } else {
            break;
        }
    }
    ptd_mixture mixture = {
        .value = m.sum.high, .exponent = m.exponent, .log2_lost = series->lost[high - 1]};
    if (m.sum.high > 0) {
        mixture.truncation = exp2(below - sum) + exp2(above - sum);
        mixture.rounding = m.rounding / m.sum.high;
        mixture.mean_steps = m.steps / m.sum.high;
    } else {
        mixture.truncation = below == -INFINITY && above == -INFINITY ? 0 : INFINITY;
    }
    for (int c = 0; c < series->jets - 1; c++) {
        derivatives[c] = m.sum.high > 0 ? derivatives[c] / m.sum.high : 0;
    }
    return mixture;
}

void ptd_series_mix_slopes(const ptd_series *series, const ptd_poisson_mean *mean,
                           double *derivatives)
{
    const int jets = series->jets;
    const mixing m = {.series = series, .mean = mean};
    memset(derivatives, 0, (size_t)(jets - 1) * sizeof *derivatives);
    for (int64_t k = 0; k < series->n_blocks * BLOCK; k++) {
        weight w;
        weigh(&m, k, ptd_poisson_constant((double)k), &w);
        const double exponent = w.exponent - series->shift[k / BLOCK];
        for (int c = 1; c < jets && exponent > -2000; c++) {
            derivatives[c - 1] += ldexp(w.mantissa * series->values[k * jets + c], (int)exponent);
        }
    }
}
