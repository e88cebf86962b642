/* Jet: a number with its first and second derivatives in theta.
 *
 * `jets` doubles: the value f; from order 1 the derivatives f_p, p = 0..P-1; with order 2 those
 * f_pq, p <= q, row by row. Order 0: the value alone.
 */
#ifndef PTD_JET_H
#define PTD_JET_H

#include <stdint.h>

static inline int ptd_jets(int order, int n_parameters)
{
    const int second = n_parameters * (n_parameters + 1) / 2;
    return 1 + (order > 0 ? n_parameters : 0) + (order > 1 ? second : 0);
}

typedef struct {
    int order;
    int n_parameters;
    int jets;
} ptd_jet_shape;

static inline void ptd_jet_clear(ptd_jet_shape shape, double *a)
{
    for (int k = 0; k < shape.jets; k++) {
        a[k] = 0;
    }
}

/* a += b */
static inline void ptd_jet_add(ptd_jet_shape shape, double *a, const double *b)
{
    for (int k = 0; k < shape.jets; k++) {
        a[k] += b[k];
    }
}

/* a += b * c; a is neither b nor c. */
static inline void ptd_jet_add_product(ptd_jet_shape shape, double *a, const double *b,
                                       const double *c)
{
    const int P = shape.n_parameters;
    a[0] += b[0] * c[0];
    if (shape.order > 0) {
        for (int p = 1; p <= P; p++) {
            a[p] += b[0] * c[p] + b[p] * c[0];
        }
    }
    if (shape.order > 1) {
        int k = 1 + P;
        for (int p = 1; p <= P; p++) {
            for (int q = p; q <= P; q++, k++) {
                a[k] += b[0] * c[k] + b[k] * c[0] + (b[p] * c[q] + b[q] * c[p]);
            }
        }
    }
}

/* a = 1 / b, b[0] > 0; a is not b. */
static inline void ptd_jet_inverse(ptd_jet_shape shape, double *a, const double *b)
{
    const int P = shape.n_parameters;
    const double inverse = 1 / b[0];
    a[0] = inverse;
    if (shape.order > 0) {
        for (int p = 1; p <= P; p++) {
            a[p] = -(b[p] * inverse) * inverse;
        }
    }
    if (shape.order > 1) {
        int k = 1 + P;
        for (int p = 1; p <= P; p++) {
            for (int q = p; q <= P; q++, k++) {
                a[k] = (2 * (b[p] * inverse) * (b[q] * inverse) - b[k] * inverse) * inverse;
            }
        }
    }
}

#endif
