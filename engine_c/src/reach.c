/* Reach: which states the start comes to over positive rates, and whether absorption among them. */
#include <string.h>

#include "chain.h"
#include "memory.h"
#include "status.h"

ptd_status ptd_chain_find_reach(ptd_chain *chain, ptd_error *error)
{
    const size_t n = (size_t)chain->n;
    const size_t jets = (size_t)chain->jets;
    uint8_t *reached = ptd_allocate_zero(n, 1);
    if (!reached) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
    }
    for (size_t s = 0; s < n; s++) {
        reached[s] = chain->alpha[s * jets] > 0;
        chain->has_mass |= reached[s];
    }
    /* To and fro, as edges go either way: a few passes are enough. */
    for (int changed = 1, backward = 0; changed; backward = !backward) {
        changed = 0;
        for (size_t k = 0; k < n; k++) {
            const size_t j = backward ? n - 1 - k : k;
            for (uint32_t at = chain->in_start[j]; at < chain->in_start[j + 1] && !reached[j];
                 at++) {
                reached[j] = reached[chain->in_from[at]] && chain->in_rate[at * jets] > 0;
                changed |= reached[j];
            }
        }
    }
    for (size_t s = 0; s < n; s++) {
        chain->is_ending |= reached[s] && chain->exit[s * jets] > 0;
    }
    ptd_release(reached);
    return PTD_OK;
}
