/* Poisson weights exp(-x) x^k / k! to a few roundings, at any k and x, by the saddle-point formula
 * (C. Loader, Fast and accurate computation of binomial probabilities, 2000):
 *     exp(-constant(k) - deviance(k, x)),
 *     constant(k) = log(k! e^k / k^k),  deviance(k, x) = k log(k / x) + x - k >= 0.
 * The constant does not depend on x, and the deviance is computed without cancellation.
 *
 * Errors, u = 2^-53: of the constant 3 u (1 + constant), of the deviance 16 u deviance; the
 * elementary functions of libm are taken to be right to one unit in the last place.
 */
#ifndef PTD_POISSON_H
#define PTD_POISSON_H

#include "double_double.h"

typedef struct {
    ptd_double_double x; /* > 0, or too small for a double: */
    double log;          /* its logarithm */
} ptd_poisson_mean;

/* The mean q t. */
ptd_poisson_mean ptd_poisson_mean_of(ptd_double_double q, double t);
double ptd_poisson_constant(double k);
double ptd_poisson_deviance(double k, const ptd_poisson_mean *mean);
/* exp(a) as mantissa in (0.7, 1.42) and power of two. */
double ptd_split_exp(double a, double *exponent);

#endif
