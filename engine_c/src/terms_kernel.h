/* Terms kernel: the terms e^{zt} F(z) of a quadrature at one time, summed over its nodes.
 *
 * This is all that a time costs once F is known. Exponential, sine and cosine are Taylor series
 * after the argument is reduced (Cody & Waite 1980), right to a few units in the last place for all
 * arguments that come here; nodes lie side by side in vectors.
 */
#ifndef PTD_TERMS_KERNEL_H
#define PTD_TERMS_KERNEL_H

#include <stddef.h>

/* Nodes come in multiples of this, and every array of nodes is so aligned. */
enum { PTD_TERMS_TOGETHER = 8 };
/* Frequencies at which the terms' Fourier transform is looked at, and their common period. */
enum { PTD_TERMS_FREQUENCIES = 6, PTD_TERMS_PERIOD = 32 };
/* Angles up to this are reduced without loss. */
#define PTD_TERMS_MOST_ANGLE 1e6

typedef struct {
    int count;               /* nodes, a multiple of PTD_TERMS_TOGETHER */
    size_t jets;             /* functions */
    size_t stride;           /* from a row of nodes to the next */
    const double *re, *im;   /* z by node; re descending from 0 */
    const double *narrow;    /* 1 / width by node */
    const double *product;   /* 2 jets rows: real and imaginary part of the factors of e^{zt} */
    const double *frequency; /* 2 PTD_TERMS_FREQUENCIES rows of a period: cosines, then sines */
    double *room;            /* jets vectors of PTD_TERMS_TOGETHER */
} ptd_terms;

typedef struct {
    double value;    /* sum of real parts */
    double moduli;   /* sum of moduli */
    double peak;     /* the largest modulus / width */
    double crossing; /* that of node 0 */
    double last;     /* modulus of the last node, 0 where the sum ended before */
    double even[PTD_TERMS_FREQUENCIES], odd[PTD_TERMS_FREQUENCIES];
} ptd_terms_sum;

typedef struct {
    const char *instruction_set;
    /* `jet` (jets - 1): real parts of the other functions, summed. Terms below e^-80 beside the
     * first are left out. */
    void (*sum_up)(const ptd_terms *terms, double t, ptd_terms_sum *sum, double *jet);
} ptd_terms_kernel;

/* As ptd_resolvent_kernel_select. */
const ptd_terms_kernel *ptd_terms_kernel_select(const char *widest);

extern const ptd_terms_kernel ptd_terms_baseline;
#ifdef __x86_64__
extern const ptd_terms_kernel ptd_terms_avx2;
extern const ptd_terms_kernel ptd_terms_avx512;
#endif

#endif
