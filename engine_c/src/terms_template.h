/* Terms kernels, the template: included by each terms_<instruction set>.c after it has defined
 *     KERNEL       name of the ptd_terms_kernel to define
 *     KERNEL_NAME  its text
 *     VECTOR       doubles in a native vector
 *     vector       its type; `whole` that of as many 64-bit integers
 *     FMA(a, b, c) = a b + c     MAX(a, b)     SQRT(a)
 * What it computes stands in terms_kernel.h. */
#include "terms_kernel.h"

#include <math.h>
#include <string.h>

/* Terms below e^-this beside the first are left out. */
#define NEGLIGIBLE 80
/* Keeps what is left out away from the ends of double. */
#define LEAST_EXPONENT (-700.0)
/* Adding this rounds to a whole number, which then stands in the last bits. */
#define ROUNDER 0x1.8p52

#define ALL(x)    ((vector){0} + (x))
#define AT(array) (*(const vector *)(array))

/* 1 / k! */
#define FACT(k)      (1.0 / FACTORIAL_##k)
#define FACTORIAL_2  2.0
#define FACTORIAL_3  6.0
#define FACTORIAL_4  24.0
#define FACTORIAL_5  120.0
#define FACTORIAL_6  720.0
#define FACTORIAL_7  5040.0
#define FACTORIAL_8  40320.0
#define FACTORIAL_9  362880.0
#define FACTORIAL_10 3628800.0
#define FACTORIAL_11 39916800.0
#define FACTORIAL_12 479001600.0
#define FACTORIAL_13 6227020800.0
#define FACTORIAL_14 87178291200.0
#define FACTORIAL_15 1307674368000.0
#define FACTORIAL_16 20922789888000.0
#define FACTORIAL_17 355687428096000.0

/* e^x for -700 <= x <= 0. */
static inline vector exponential(vector x)
{
    const double log2_e = 0x1.71547652b82fep+0;
    const double ln2_high = 0x1.62e42fefa2000p-1, ln2_low = 0x1.9ef35793c7673p-41;
    const vector rounded = FMA(x, ALL(log2_e), ALL(ROUNDER));
    const vector n = rounded - ROUNDER;
    const vector r = FMA(-n, ALL(ln2_low), FMA(-n, ALL(ln2_high), x));
    vector p = ALL(FACT(13));
    p = FMA(p, r, ALL(FACT(12)));
    p = FMA(p, r, ALL(FACT(11)));
    p = FMA(p, r, ALL(FACT(10)));
    p = FMA(p, r, ALL(FACT(9)));
    p = FMA(p, r, ALL(FACT(8)));
    p = FMA(p, r, ALL(FACT(7)));
    p = FMA(p, r, ALL(FACT(6)));
    p = FMA(p, r, ALL(FACT(5)));
    p = FMA(p, r, ALL(FACT(4)));
    p = FMA(p, r, ALL(FACT(3)));
    p = FMA(p, r, ALL(FACT(2)));
    p = FMA(p, r, ALL(1.0));
    p = FMA(p, r, ALL(1.0));
    /* times 2^n, by the exponent's bits */
    return (vector)((whole)p + ((whole)rounded << 52));
}

/* Sine and cosine for |x| <= PTD_TERMS_MOST_ANGLE. */
static inline void sine_cosine(vector x, vector *sine, vector *cosine)
{
    const double two_over_pi = 0x1.45f306dc9c883p-1;
    /* pi / 2 in parts of 33 bits, so that a multiple below 2^20 of each is exact */
    const double half_pi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69};
    const vector rounded = FMA(x, ALL(two_over_pi), ALL(ROUNDER));
    const vector n = rounded - ROUNDER;
    vector r = FMA(-n, ALL(half_pi[0]), x);
    r = FMA(-n, ALL(half_pi[1]), r);
    r = FMA(-n, ALL(half_pi[2]), r);
    const vector s = r * r;
    vector p = ALL(FACT(17));
    p = FMA(p, s, ALL(-FACT(15)));
    p = FMA(p, s, ALL(FACT(13)));
    p = FMA(p, s, ALL(-FACT(11)));
    p = FMA(p, s, ALL(FACT(9)));
    p = FMA(p, s, ALL(-FACT(7)));
    p = FMA(p, s, ALL(FACT(5)));
    p = FMA(p, s, ALL(-FACT(3)));
    const vector own_sine = FMA(p * s, r, r);
    vector q = ALL(FACT(16));
    q = FMA(q, s, ALL(-FACT(14)));
    q = FMA(q, s, ALL(FACT(12)));
    q = FMA(q, s, ALL(-FACT(10)));
    q = FMA(q, s, ALL(FACT(8)));
    q = FMA(q, s, ALL(-FACT(6)));
    q = FMA(q, s, ALL(FACT(4)));
    q = FMA(q, s, ALL(-FACT(2)));
    const vector own_cosine = FMA(q, s, ALL(1.0));
    /* quarter turns: n odd: the two change places; then the signs */
    const whole turns = (whole)rounded;
    const whole swap = -(turns & 1);
    const whole sign_of_sine = (turns & 2) << 62;
    const whole sign_of_cosine = ((turns + 1) & 2) << 62;
    *sine = (vector)((((whole)own_cosine & swap) | ((whole)own_sine & ~swap)) ^ sign_of_sine);
    *cosine = (vector)((((whole)own_sine & swap) | ((whole)own_cosine & ~swap)) ^ sign_of_cosine);
}

static double sum_of(vector a)
{
    double sum = 0;
    for (int k = 0; k < VECTOR; k++) {
        sum += a[k];
    }
    return sum;
}

/* What the library knows of angles that are too large to be reduced here. */
static void sine_cosine_far(vector x, vector *sine, vector *cosine)
{
    for (int k = 0; k < VECTOR; k++) {
        (*sine)[k] = sin(x[k]);
        (*cosine)[k] = cos(x[k]);
    }
}

static void terms_sum_up(const ptd_terms *z, double t, ptd_terms_sum *sum, double *jet)
{
    const size_t rest = z->jets - 1;
    vector value = {0}, moduli = {0}, peak = {0}, modulus = {0};
    vector even[PTD_TERMS_FREQUENCIES] = {{0}}, odd[PTD_TERMS_FREQUENCIES] = {{0}};
    vector *const other = (vector *)z->room;
    int k = 0;
    memset(sum, 0, sizeof *sum);
    memset(z->room, 0, rest * sizeof *other);
    for (; k < z->count && z->re[k] * t > -NEGLIGIBLE; k += VECTOR) {
        vector sine, cosine;
        const vector angle = AT(z->im + k) * t;
        const vector size = exponential(MAX(AT(z->re + k) * t, ALL(LEAST_EXPONENT)));
        if (z->im[k + VECTOR - 1] * t <= PTD_TERMS_MOST_ANGLE) {
            sine_cosine(angle, &sine, &cosine);
        } else {
            sine_cosine_far(angle, &sine, &cosine);
        }
        const vector e_re = size * cosine;
        const vector e_im = size * sine;
        const double *product = z->product + k;
        const vector f_re = AT(product), f_im = AT(product + z->stride);
        const vector re = f_re * e_re - f_im * e_im;
        const vector im = f_re * e_im + f_im * e_re;
        modulus = SQRT(re * re + im * im);
        const vector height = modulus * AT(z->narrow + k);
        value += re;
        moduli += modulus;
        peak = MAX(peak, height);
        if (k == 0) {
            sum->crossing = height[0];
        }
        const double *frequency = z->frequency + k % PTD_TERMS_PERIOD;
        for (int f = 0; f < PTD_TERMS_FREQUENCIES; f++, frequency += 2 * PTD_TERMS_PERIOD) {
            even[f] = FMA(re, AT(frequency), even[f]);
            odd[f] = FMA(im, AT(frequency + PTD_TERMS_PERIOD), odd[f]);
        }
        for (size_t j = 0; j < rest; j++) {
            product += 2 * z->stride;
            other[j] += AT(product) * e_re - AT(product + z->stride) * e_im;
        }
    }
    sum->value = sum_of(value);
    sum->moduli = sum_of(moduli);
    sum->last = k >= z->count ? modulus[VECTOR - 1] : 0;
    for (int lane = 0; lane < VECTOR; lane++) {
        sum->peak = fmax(sum->peak, peak[lane]);
    }
    for (int f = 0; f < PTD_TERMS_FREQUENCIES; f++) {
        sum->even[f] = sum_of(even[f]);
        sum->odd[f] = sum_of(odd[f]);
    }
    for (size_t j = 0; j < rest; j++) {
        jet[j] = sum_of(other[j]);
    }
}

const ptd_terms_kernel KERNEL = {KERNEL_NAME, terms_sum_up};
