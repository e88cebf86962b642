/* Series: what a sweep yields at each step, and its Poisson mixtures sum_k P_k(x) c_k.
 *
 * The c_k >= 0 (with derivatives) are kept in blocks of 16. A mixture starts where its terms are
 * largest and takes blocks on both sides until what is left out is small against what has been
 * summed, by an inequality: the terms k >= R are together at most
 *     max_{k >= R} c_k  P_R(x) / (1 - x / (R + 1)),  R + 1 > x,
 * because ratios P_{k+1} / P_k = x / (k + 1) fall; likewise P_L / (1 - L / x) for k <= L < x; and
 * all weights together are at most 1. Truncation is therefore relative to the answer, however small
 * that is.
 *
 * Derivatives are mixed apart, from where their own terms are largest, as these need not fall as
 * the values do: what is 0 at theta may be large as soon as it is not. Of c_k' that fall like r^k
 * the terms k >= R have the share P(Poisson(r x) >= R), which is below 1e-25 for all r <= 1 from R
 * = x + 12 sqrt(x) + 60 on: so many are to be known.
 */
#ifndef PTD_SERIES_H
#define PTD_SERIES_H

#include "poisson.h"
#include "ptd.h"

enum { PTD_SERIES_BLOCK = 16 };

/* log2 of the largest number, by block. */
typedef struct {
    double *top;    /* of the block */
    double *before; /* n_blocks + 1: of all blocks below it */
    double *behind; /* n_blocks + 1: of it and all above, those not yet known included */
} ptd_series_extent;

typedef struct {
    int jets;
    int64_t n_blocks;
    int64_t capacity;
    double *values;                 /* by k, jets each, times 2^shift of the block */
    double *shift;                  /* by block */
    double *lost;                   /* log2 of mass lost by the end of a block */
    double *constant;               /* of the Poisson weight in the middle of a block */
    ptd_series_extent value, slope; /* slope: of derivatives, of those that are known */
} ptd_series;

typedef struct {
    double value, exponent; /* the sum is value x 2^exponent */
    double truncation;      /* relative: what is left out, at most */
    double rounding;        /* relative: of weights and sums, in u */
    double mean_steps;      /* the mean of k under the terms, or a little more */
    double log2_lost;       /* by the last block taken */
    int slopes_known;       /* whether all terms are that derivatives need */
    int slopes_finite;      /* whether derivatives, by the value, are in the range of double */
} ptd_mixture;

void ptd_series_release(ptd_series *series);
/* Room for one more block; its values are the caller's to fill in. */
PTD_MUST_CHECK ptd_status ptd_series_reserve(ptd_series *series, ptd_error *error);
/* Takes the block that has been filled in. */
void ptd_series_append(ptd_series *series, double shift, double log2_lost);
/* log2 of a bound on all values that have not been appended; before mixtures are asked for. */
void ptd_series_close(ptd_series *series, double log2_beyond);

/* How many terms derivatives need, of a mean x. */
static inline double ptd_series_slope_terms(double x)
{
    return x + 12 * sqrt(x) + 60;
}
/* `target`: the truncation at which to stop, if it can be reached. `derivatives` (jets - 1) are
 * divided by the value, unless that is 0. */
ptd_mixture ptd_series_mix(const ptd_series *series, const ptd_poisson_mean *mean, double target,
                           double *derivatives);

#endif
