/* Powers of a chain's step matrix, by non-negative scaling and squaring (Moler & Van Loan, Nineteen
 * dubious ways to compute the exponential of a matrix, 2003, method 3, without its subtractions).
 *
 * A step matrix is stochastic: P = [T a b; 0 1 0; 0 0 1] with the transitions T between states,
 * absorption a in the target and b elsewhere. Of a continuous chain it is exp(Q h); of a discrete
 * one the transition matrix or its third power. Squaring only adds and multiplies non-negative
 * numbers, but an error of the diagonal doubles with each squaring. So rows are restored to the sum
 * one: the diagonal is set to what the others leave (Grassmann, Taksar & Heyman 1985), or, where
 * most of the mass leaves, the row is scaled. All errors are then relative ones of the rates
 * between states, to which the answers of the chain are well conditioned however stiff it is.
 *
 * The step exp(Q h0), h0 = h / 2^14, is the uniformised series cut after the eighth power. Each
 * path of D events in N steps loses the share C(D, 9) / N^8 of its probability thereby (nine events
 * in one step): below 1e-18 from the 14th squaring on for all paths whose probability is in range.
 *
 * T is kept as power x 2^exponent, with the largest entry near 2^PTD_POWER_SCALE: products then
 * reach 1e-400 before they underflow, and T may shrink for ever. a and b are kept times
 * 2^PTD_POWER_SCALE. What underflows all the same is accounted for in `lost`.
 */
#ifndef PTD_DENSE_POWER_H
#define PTD_DENSE_POWER_H

#include "chain.h"

enum { PTD_POWER_SCALE = 440 };

/* Products of matrices that the base step of a continuous chain takes. */
enum { PTD_DENSE_BASE_TERMS = 8, PTD_DENSE_BASE_SQUARINGS = 14 };

/* Events of the uniformised chain during h, on average. */
#define PTD_DENSE_EVENTS 0.5

/* What is squared. `parts`: the value, and with derivatives one slope a parameter. */
typedef struct {
    const ptd_chain *chain;
    int parts;
    int multiple; /* discrete: steps of the chain in one of ours, 1 or 3 */
    double scale; /* rates times this are probabilities of an event, less than 1/2 of leaving a
                     state; discrete: 1 */
    const double *slope_scale; /* parts: slopes are derivatives times this, so as to be in range */
} ptd_dense_step;

typedef struct {
    int64_t n;
    int64_t rows;   /* n, padded */
    int64_t stride; /* n, padded */
    int parts;
    double exponent;   /* T = power 2^exponent, of the slopes too */
    double *power;     /* parts x rows x stride */
    double *absorbed;  /* parts x rows */
    double *elsewhere; /* parts x rows */

    double norm;          /* largest sum of a row of the value, as stored */
    double least;         /* smallest positive number in it */
    double lost;          /* underflowed from a row's sum at most, as stored */
    double lost_absorbed; /* underflowed from an entry of `absorbed` at most */
    double *memory;
} ptd_dense_matrix;

typedef struct {
    ptd_dense_matrix current;
    ptd_dense_matrix spare;
    double *panel;
} ptd_dense_power;

/* power->current is the step; after each squaring twice as many steps. */
PTD_MUST_CHECK ptd_status ptd_dense_power_create(const ptd_dense_step *step, ptd_dense_power *power,
                                                 ptd_error *error);
void ptd_dense_power_square(ptd_dense_power *power);
/* Accepts a power of zeros. */
void ptd_dense_power_release(ptd_dense_power *power);

/* 2^x; 0 where x is far below the range. */
double ptd_two_to(double x);

#endif
