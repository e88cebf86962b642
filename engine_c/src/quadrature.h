/* Quadrature: the trapezoidal rule on a hyperbola, for all times of a window.
 *
 * f(t) = (1 / 2 pi i) integral of e^{zt} F(z) dz over
 *     z(u) = x - A (cosh u - 1) + i B sinh u,
 * which crosses the real line at x and bends around the spectrum on its left, so that e^{zt} soon
 * ends it. Its conjugate half is the same again. The rule converges geometrically (Weideman &
 * Trefethen, Parabolic and hyperbolic contours for computing the Bromwich integral, 2007): with g
 * the integrand and g^ its Fourier transform, the error of step h is the sum of g^(2 pi m / h) over
 * m != 0 (Poisson). The same nodes give g^ up to pi / h; how it falls there, from LOW to HIGH, is
 * carried on to 2 pi / h, with some of the fall left out. Where that is not small enough, h is
 * halved and the old nodes are kept.
 */
#ifndef PTD_QUADRATURE_H
#define PTD_QUADRATURE_H

#include <stddef.h>
#include <stdint.h>

#include "ptd.h"
#include "terms_kernel.h"

enum { PTD_FIRST_NODES = 32, PTD_MOST_NODES = 512 };

/* What is known about one time's value. */
typedef struct {
    double value;
    double moduli;  /* of its terms, summed */
    double peak;    /* the largest |e^{zt} F|, by that at the crossing */
    double last;    /* the modulus of the last term */
    double aliased; /* error of the rule, by the Fourier transform */
} ptd_quadrature_sum;

typedef struct {
    double bend, rise; /* A, B */
    double end, step;  /* of u */
    int count;         /* nodes u = 0, step, .. */
    double least_fall; /* of g^ from pi / h to 2 pi / h, by what is known of singularities; or 0 */
    size_t jets;
    double *re, *im;   /* PTD_MOST_NODES: z - x */
    double *narrow;    /* PTD_MOST_NODES: pi / |dz / du|, doubled at u = 0 */
    double *product;   /* jets x 2 x PTD_MOST_NODES: F times dz / (pi i), and derivatives */
    double *frequency; /* as ptd_terms has it */
    double *room;
    const ptd_terms_kernel *kernel;
} ptd_quadrature;

/* Room for `jets` functions. */
PTD_MUST_CHECK ptd_status ptd_quadrature_create(size_t jets, ptd_quadrature **quadrature,
                                                ptd_error *error);
void ptd_quadrature_destroy(ptd_quadrature *quadrature);
/* A new path; its nodes have no F yet. */
void ptd_quadrature_shape(ptd_quadrature *quadrature, double bend, double rise, double end,
                          int count);
/* Halves the step: the old nodes become the even ones, the odd ones have no F yet. */
void ptd_quadrature_refine(ptd_quadrature *quadrature);
/* Sets z - x of node `k`, and dz / (pi i) there. */
void ptd_quadrature_place(ptd_quadrature *quadrature, int k, double weight[2]);
/* Sets F times dz / (pi i) of function `jet` at node `k`. */
static inline void ptd_quadrature_set(ptd_quadrature *quadrature, int k, size_t jet, double re,
                                      double im)
{
    double *product = quadrature->product + 2 * jet * PTD_MOST_NODES + k;
    product[0] = re;
    product[PTD_MOST_NODES] = im;
}
/* The sums at time t, by e^{xt}; jet (jets - 1, or NULL): the derivatives' sums. */
ptd_quadrature_sum ptd_quadrature_sum_up(const ptd_quadrature *quadrature, double t, double *jet);

#endif
