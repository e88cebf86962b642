/* Occupation: what its two methods share. Answers go by canonical vertex, `jets` numbers each: a
 * value and its derivatives. Vertices that are no states of the chain are left as they are.
 */
#ifndef PTD_OCCUPATION_H
#define PTD_OCCUPATION_H

#include "chain.h"

typedef struct {
    double *probability; /* n_vertices x jets */
    double *accumulated; /* n_vertices x jets */
    double bound;        /* relative error of each value, of such as are above the smallest */
} ptd_occupation;

/* Entries below this are right in absolute terms only (of accumulated time, in units of the
 * fastest state's mean). */
#define PTD_SMALLEST_OCCUPATION 0x1p-900

/* occupation_uniformise.c: certified. Its work is in visits of edges. */
double ptd_occupation_uniformise_work(const ptd_chain *chain, double time);
PTD_MUST_CHECK ptd_status ptd_occupation_uniformise(const ptd_chain *chain, double time,
                                                    ptd_occupation *occupation, ptd_error *error);

/* occupation_dense.c: verified, for small chains and times that are many steps long. */
int ptd_occupation_dense_applies(const ptd_chain *chain, double time);
PTD_MUST_CHECK ptd_status ptd_occupation_dense(const ptd_chain *chain, double time,
                                               ptd_occupation *occupation, ptd_error *error);

#endif
