/* Double-double: a number as the sum of two doubles, about 106 bits.
 *
 * Error-free transformations (Møller 1965; Knuth 1969; Dekker 1971; Ogita, Rump & Oishi 2005): the
 * rounding error of a sum or of a product of doubles is itself a double, and these functions find
 * it. They hold unless a result or an error leaves the range of normal doubles.
 */
#ifndef PTD_DOUBLE_DOUBLE_H
#define PTD_DOUBLE_DOUBLE_H

#include <math.h>

typedef struct {
    double high, low; /* |low| <= ulp(high) / 2 */
} ptd_double_double;

/* a + b, exactly. */
static inline ptd_double_double ptd_two_sum(double a, double b)
{
    const double sum = a + b;
    const double of_b = sum - a;
    return (ptd_double_double){sum, (a - (sum - of_b)) + (b - of_b)};
}

/* The same where |a| >= |b| or a is 0. */
static inline ptd_double_double ptd_fast_two_sum(double a, double b)
{
    const double sum = a + b;
    return (ptd_double_double){sum, b - (sum - a)};
}

/* a b, exactly. */
static inline ptd_double_double ptd_two_product(double a, double b)
{
    const double product = a * b;
    return (ptd_double_double){product, fma(a, b, -product)};
}

/* Each of these is right to a few 2^-106, relative to the magnitudes that go in. */
static inline ptd_double_double ptd_dd_add(ptd_double_double a, double b)
{
    const ptd_double_double sum = ptd_two_sum(a.high, b);
    return ptd_fast_two_sum(sum.high, sum.low + a.low);
}

static inline ptd_double_double ptd_dd_sum(ptd_double_double a, ptd_double_double b)
{
    const ptd_double_double sum = ptd_two_sum(a.high, b.high);
    return ptd_fast_two_sum(sum.high, sum.low + (a.low + b.low));
}

static inline ptd_double_double ptd_dd_subtract(ptd_double_double a, ptd_double_double b)
{
    const ptd_double_double rest = ptd_two_sum(a.high, -b.high);
    return ptd_fast_two_sum(rest.high, rest.low + (a.low - b.low));
}

static inline ptd_double_double ptd_dd_multiply(ptd_double_double a, ptd_double_double b)
{
    const ptd_double_double product = ptd_two_product(a.high, b.high);
    return ptd_fast_two_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static inline ptd_double_double ptd_dd_divide(ptd_double_double a, ptd_double_double b)
{
    const double quotient = a.high / b.high;
    const double rest = fma(-quotient, b.high, a.high) + (a.low - quotient * b.low);
    return ptd_fast_two_sum(quotient, rest / b.high);
}

#endif
