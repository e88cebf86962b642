/* The weight of an edge as a jet: forms are affine in theta, so that second derivatives are 0. The
 * value is the kernels' own, of a workspace with one lane, so that moments and densities are about
 * the same numbers.
 */
#ifndef PTD_FORM_JET_H
#define PTD_FORM_JET_H

#include "jet.h"
#include "kernel.h"

/* jet = the weight of a form. */
static inline void ptd_form_jet(const ptd_lanes *z, ptd_jet_shape shape, uint32_t form, double *jet)
{
    ptd_jet_clear(shape, jet);
    jet[0] = z->form[form];
    for (uint32_t e = z->form_start[form]; e < z->form_start[form + 1] && shape.order > 0; e++) {
        jet[1 + z->form_parameter[e]] += z->form_coefficient[e];
    }
}

#endif
