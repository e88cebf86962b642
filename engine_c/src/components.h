/* Strong components of a directed graph.
 *
 * Numbered in reverse topological order: an edge between two components leads to the lower number,
 * so that components are processed downstream first by counting up.
 */
#ifndef PTD_COMPONENTS_H
#define PTD_COMPONENTS_H

#include "ptd.h"

/* start: n + 1, column: start[n] successors (self-loops and parallel edges do no harm).
 * component[n] receives each vertex's number, *n_components their count. O(n + start[n]). */
PTD_MUST_CHECK ptd_status ptd_strong_components(int32_t n, const int64_t *start,
                                                const int32_t *column, int32_t *component,
                                                int32_t *n_components, ptd_error *error);

#endif
