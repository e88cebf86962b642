/* Jet pass: the elimination and its solves at one theta, done with jets.
 *
 * Every number of kernel.h's recursion is a jet (jet.h): weights are affine in theta, so that their
 * second derivatives are 0, and each product, sum and inverse carries value and derivatives on. The
 * factors themselves are differentiated, not the solution: M x' = b' - M' x subtracts potentials,
 * and loses on nearly decomposable chains what the elimination has won.
 */
#ifndef PTD_JET_PASS_H
#define PTD_JET_PASS_H

#include "jet.h"
#include "workspace.h"

typedef struct ptd_jet_pass ptd_jet_pass;

/* All arrays but the last are of jets. */
struct ptd_jet_pass {
    ptd_workspace *ws;
    ptd_jet_shape shape;
    size_t jets;
    int solutions; /* numbered from 0, solved in that order */
    /* side (zeros) = right-hand side of solution s at a position. Those below s are known in its
     * component, and downstream all of them are. */
    void (*set_right_side)(const ptd_jet_pass *pass, uint32_t position, int s, double *side);
    void *context;   /* of that */
    double *slot;    /* of the block at hand */
    double *pivot;   /* of its rows */
    double *y;       /* its rows */
    double *x;       /* positions x solutions; unset at the boundary */
    double *rhs;     /* positions x solutions: right-hand sides */
    double *scratch; /* 3 */
    uint32_t *place; /* rows of the block: slot of a column in the row at hand, from 1; 0: none */
    uint32_t block;  /* at hand; PTD_NONE: none */
};

PTD_MUST_CHECK ptd_status ptd_jet_pass_create(ptd_workspace *ws, int order, int solutions,
                                              ptd_jet_pass *pass, ptd_error *error);
/* Accepts a pass whose creation failed. */
void ptd_jet_pass_release(ptd_jet_pass *pass);
/* All solutions at a theta, row `row` of the caller's. Refuses it as a gradient of moments of these
 * rewards does. */
PTD_MUST_CHECK ptd_status ptd_jet_pass_solve(ptd_jet_pass *pass, const double *theta,
                                             const double *rewards, int64_t row, ptd_error *error);
/* a = b / c; a is not c. By q' = (b' - q c') / c: where b and c change alike nothing is left of it,
 * as in the reverse mode, which b' (1 / c) + b (1 / c)' misses by its rounding. */
void ptd_jet_quotient(const ptd_jet_pass *pass, double *a, const double *b, const double *c);

static inline double *ptd_jet_solution(const ptd_jet_pass *pass, uint32_t position, int s)
{
    return pass->x + ((size_t)position * (size_t)pass->solutions + (size_t)s) * pass->jets;
}

static inline double *ptd_jet_right_side(const ptd_jet_pass *pass, uint32_t position, int s)
{
    return pass->rhs + ((size_t)position * (size_t)pass->solutions + (size_t)s) * pass->jets;
}

/* a += b * c for a number b. */
static inline void ptd_jet_add_scaled(const ptd_jet_pass *pass, double *a, double b,
                                      const double *c)
{
    for (size_t k = 0; k < pass->jets; k++) {
        a[k] += b * c[k];
    }
}

#endif
