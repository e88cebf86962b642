/* Central jets: central moments with their first derivatives in theta (jet_pass.h). */
#ifndef PTD_CENTRAL_JETS_H
#define PTD_CENTRAL_JETS_H

#include "jet_pass.h"

typedef struct {
    ptd_jet_pass pass;
    int order;
    int discrete;
    double binomial[PTD_MOST_CENTRAL + 1][PTD_MOST_CENTRAL + 1];
    double holding[PTD_MOST_CENTRAL + 1];  /* D_i of central_moments.c */
    double *held, *jump;                   /* order + 1 jets: powers */
    double *factor, *term, *leaves, *mean; /* jets */
} ptd_central_jets;

/* central_moments.c: C(n, k) and D_i. */
void ptd_central_tables(int discrete, double binomial[][PTD_MOST_CENTRAL + 1], double *holding);

PTD_MUST_CHECK ptd_status ptd_central_jets_create(ptd_workspace *ws, int order,
                                                  ptd_central_jets *central, ptd_error *error);
/* Accepts what failed to be created, and zeros. */
void ptd_central_jets_release(ptd_central_jets *central);
/* Derivatives of E[(Y - E[Y])^k], k = 1..order, at a theta: order x n_parameters. By the recursion
 * about the means or, where about_zero[k - 1], by the binomial sum of moments about 0. */
PTD_MUST_CHECK ptd_status ptd_central_jets_gradient(ptd_central_jets *central, const double *theta,
                                                    const double *rewards, int64_t row,
                                                    const uint8_t *about_zero, double *gradient,
                                                    ptd_error *error);

#endif
