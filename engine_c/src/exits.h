/* Exits: for every transient vertex and the start, what leaves its component, as a sum of forms.
 *
 * Equal sums are one. Where all forms of a sum have a base and coefficients >= 0 the sum is folded
 * into a single form, which is cheaper and loses nothing: no two terms of a coefficient cancel.
 * Forms of mixed sign stay apart: their coefficients may cancel (theta_0 and 1 - theta_0), and a
 * folded sum would answer with the rounding error of terms that are no longer there, where the sum
 * of the weights themselves, all >= 0, is right to the last digits.
 */
#ifndef PTD_EXITS_H
#define PTD_EXITS_H

#include "forms.h"
#include "layout.h"

typedef struct {
    uint32_t *of_vertex; /* n_vertices: the exit sum; PTD_NONE: boundary, or no way out */
    int64_t n_exits;
    uint32_t *start; /* n_exits + 1, into form */
    uint32_t *form;  /* ascending within a sum; a form counts as often as it stands there */
    ptd_forms forms; /* the graph's, with their numbers, then those that folding added */
} ptd_exits;

/* Exit sums are numbered, and forms added, by first appearance in the layout's sequence. */
PTD_MUST_CHECK ptd_status ptd_exits_create(const ptd_graph_view *graph, const ptd_layout *layout,
                                           ptd_exits *exits, ptd_error *error);
/* Accepts a zeroed struct; zeroes it. */
void ptd_exits_destroy(ptd_exits *exits);

#endif
