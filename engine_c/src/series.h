/* Series: what a sweep yields at each step, and its Poisson mixtures sum_k P_k(x) c_k.
 *
 * The c_k >= 0 (with derivatives) are kept in blocks of 16. A mixture starts where its terms are
 * largest and takes blocks on both sides until what is left out is small against what has been
 * summed, by an inequality: the terms k >= R are together at most
 *     max_{k >= R} c_k  P_R(x) / (1 - x / (R + 1)),  R + 1 > x,
 * because ratios P_{k+1} / P_k = x / (k + 1) fall; likewise P_L / (1 - L / x) for k <= L < x; and
 * all weights together are at most 1. Truncation is therefore relative to the answer, however small
 * that is.
 */
#ifndef PTD_SERIES_H
#define PTD_SERIES_H

#include "poisson.h"
#include "ptd.h"

enum { PTD_SERIES_BLOCK = 16 };

typedef struct {
    int jets;
    int64_t n_blocks;
    int64_t capacity;
    double *values;   /* by k, jets each, times 2^shift of the block */
    double *shift;    /* by block */
    double *lost;     /* log2 of mass lost by the end of a block */
    double *top;      /* log2 of the largest value of a block */
    double *before;   /* n_blocks + 1: of all blocks below a block */
    double *behind;   /* n_blocks + 1: of the block and all above, those not yet known included */
    double *constant; /* of the Poisson weight in the middle of a block */
} ptd_series;

typedef struct {
    double value, exponent; /* the sum is value x 2^exponent */
    double truncation;      /* relative: what is left out, at most */
    double rounding;        /* relative: of weights and sums, in u */
    double mean_steps;      /* the mean of k under the terms, or a little more */
    double log2_lost;       /* by the last block taken */
} ptd_mixture;

void ptd_series_release(ptd_series *series);
/* Room for one more block; its values are the caller's to fill in. */
PTD_MUST_CHECK ptd_status ptd_series_reserve(ptd_series *series, ptd_error *error);
/* Takes the block that has been filled in. */
void ptd_series_append(ptd_series *series, double shift, double log2_lost);
/* log2 of a bound on all values that have not been appended; before mixtures are asked for. */
void ptd_series_close(ptd_series *series, double log2_beyond);

/* The derivatives alone (jets - 1), of a value that is 0: of all terms that are known. */
void ptd_series_mix_slopes(const ptd_series *series, const ptd_poisson_mean *mean,
                           double *derivatives);
/* `target`: the truncation at which to stop, if it can be reached. `derivatives` (jets - 1) are
 * divided by the value; 0 where the value is. */
ptd_mixture ptd_series_mix(const ptd_series *series, const ptd_poisson_mean *mean, double target,
                           double *derivatives);

#endif
