/* Winding: whether a contour encloses the spectrum, by the argument principle.
 *
 * det(z R - S) is the product of the pivots that every node computes anyway. Along a contour in the
 * upper half-plane, from the real line right of all eigenvalues to infinity, its argument grows by
 * arg(z - lambda) summed over the eigenvalues; each one that the contour leaves outside on its
 * upper side takes 2 pi away. Pivots are followed one by one: where one turns by more than
 * MOST_TURN between neighbouring nodes the count is not believed. Components whose spectrum is
 * known to be real need no count: those of one vertex and those that are symmetrisable
 * (Kolmogorov's criterion at theta: there are d_i > 0 with d_i w_ij = d_j w_ji, which exits and
 * rewards do not disturb).
 *
 * The contour's quadrature ends where e^{zt} is negligible. From there the path goes straight up
 * until det(z R - S) ~ z^n: eigenvalues left of that line matter no more than what was cut off,
 * which is measured on the way.
 */
#ifndef PTD_WINDING_H
#define PTD_WINDING_H

#include "resolvent.h"

typedef struct {
    const ptd_resolvent *resolvent;
    uint32_t count;     /* positions that are followed; 0: the spectrum is real */
    uint32_t *position; /* count */
    double *last;       /* count x 2: the pivots at the last node */
    double turned;      /* argument of the determinant at the last node */
    double largest;     /* turn of a pivot */
} ptd_winding;

PTD_MUST_CHECK ptd_status ptd_winding_create(const ptd_resolvent *resolvent, ptd_winding **winding,
                                             ptd_error *error);
void ptd_winding_destroy(ptd_winding *winding);
/* At the crossing. */
void ptd_winding_begin(ptd_winding *winding);
/* Follows the pivots over the nodes of the last evaluation, which come next. */
void ptd_winding_follow(ptd_winding *winding);
/* From where the last node is an eigenvalue counts as one on a straight line: |z| beyond it. */
double ptd_winding_radius(const ptd_winding *winding);
/* Whether nothing was left outside, the last node being z' = re + i im. */
int ptd_winding_encloses(const ptd_winding *winding, double re, double im);

/* A zero of a pivot at distance d from nodes a step apart turns it by 2 atan(step / 2 d); the
 * transform of an integrand with a pole there falls by exp(-pi d / step) from pi / step to twice
 * that. The least such fall. */
double ptd_winding_fall(const ptd_winding *winding);

#endif
