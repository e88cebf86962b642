/* Moment jets: moments with derivatives from every vertex (jet_pass.h). */
#ifndef PTD_MOMENT_JETS_H
#define PTD_MOMENT_JETS_H

#include "jet_pass.h"

/* The right-hand side of E[Y^(s + 1)], with solutions 0..s - 1 the lower moments. */
void ptd_moment_right_side(const ptd_jet_pass *pass, uint32_t position, int s, double *side);
/* Derivatives of E[Y^order | start in v]: n_thetas x n_vertices x n_parameters. The reward has been
 * set. */
PTD_MUST_CHECK ptd_status ptd_vertex_gradients(ptd_workspace *ws, int64_t n_thetas,
                                               const double *thetas, const double *rewards,
                                               int order, double *gradient, ptd_error *error);
/* Derivatives of E[T (T-1) .. (T-k+1)]: n_thetas x order x n_parameters. */
PTD_MUST_CHECK ptd_status ptd_factorial_gradients(ptd_workspace *ws, int64_t n_thetas,
                                                  const double *thetas, int order, double *gradient,
                                                  ptd_error *error);

#endif
