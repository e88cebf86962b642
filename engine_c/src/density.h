/* Density: one question of the density family, and the methods that can answer it.
 *
 * The chooser (density.c) puts a question to one method after another's estimate; a method fills in
 * what it can and the bound that it reached, and never fails because a bound is too wide: that is
 * the chooser's to judge.
 */
#ifndef PTD_DENSITY_H
#define PTD_DENSITY_H

#include "chain.h"

/* What truncation and quadrature aim at, however much more the user tolerates: it costs little. */
#define PTD_DENSITY_AIM 0x1p-45

typedef struct {
    ptd_function function;
    double tolerance;    /* relative: methods stop refining once their bound is below it */
    double max_work;     /* visits of edges or multiply-adds that may be spent */
    int64_t n_times;     /* discrete: numbers of steps */
    const double *times; /* ascending, positive, finite; discrete: whole */

    /* Answers, one a time. The value is that of the density (PTD_DENSITY; discrete: pmf), of
     * P(Y <= t) without the atom (PTD_DISTRIBUTION), or of P(Y > t) (PTD_SURVIVAL). */
    double *log_value; /* n_times; -INFINITY where it is 0 */
    double *bound;     /* n_times: relative error at most (certified) or as far as seen (verified);
                          INFINITY: no answer */
    double *log_jet;   /* n_times x (jets - 1): derivatives of the value, divided by the value
                          unless that is 0; NULL where chain->order is 0 */
    ptd_bound_kind kind; /* of the bounds */
    double work;         /* spent, in units of max_work */
} ptd_question;

/* uniformise.c: certified. What it would cost, and the answer; beyond max_work it answers the times
 * that it can reach and leaves the bounds of the others INFINITY. */
double ptd_uniformise_work(const ptd_chain *chain, const ptd_question *question);
PTD_MUST_CHECK ptd_status ptd_uniformise(const ptd_chain *chain, ptd_question *question,
                                         ptd_error *error);

/* contour.c: verified. Continuous chains without a trap whose arrays fit, by the trace and not by
 * the chain's own edges. Whether a path encloses the spectrum is seen on the way (winding.h): where
 * it is not, times stay without an answer. */
int ptd_contour_applies(const ptd_chain *chain);
double ptd_contour_work(const ptd_chain *chain, const ptd_question *question);
PTD_MUST_CHECK ptd_status ptd_contour(const ptd_chain *chain, ptd_question *question,
                                      ptd_error *error);

/* dense.c: verified; order 0 and 1; chains of at most PTD_DENSE_STATES states: the work of others
 * is INFINITY. */
enum { PTD_DENSE_STATES = 300 };
double ptd_dense_work(const ptd_chain *chain, const ptd_question *question);
PTD_MUST_CHECK ptd_status ptd_dense(const ptd_chain *chain, ptd_question *question,
                                    ptd_error *error);

#endif
