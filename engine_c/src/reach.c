/* Reach: whether a chain's start leads to absorption over positive rates. */
#include "chain.h"
#include "memory.h"
#include "status.h"

ptd_status ptd_chain_find_reach(ptd_chain *chain, ptd_error *error)
{
    const size_t n = (size_t)chain->n;
    const size_t jets = (size_t)chain->jets;
    ptd_status status = PTD_OK;
    size_t filled = 0;
    uint8_t *ends = ptd_allocate_zero(n, 1);
    uint32_t *queue = ptd_allocate(n, sizeof *queue);
    if (!ends || !queue) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
        goto out;
    }
    for (size_t s = 0; s < n; s++) {
        if (chain->exit[s * jets] > 0) {
            ends[s] = 1;
            queue[filled++] = (uint32_t)s;
        }
    }
    /* Backwards from absorption. */
    for (size_t next = 0; next < filled; next++) {
        const uint32_t j = queue[next];
        for (uint32_t at = chain->in_start[j]; at < chain->in_start[j + 1]; at++) {
            const uint32_t i = chain->in_from[at];
            if (!ends[i] && chain->in_rate[at * jets] > 0) {
                ends[i] = 1;
                queue[filled++] = i;
            }
        }
    }
    for (size_t s = 0; s < n; s++) {
        const int entered = chain->alpha[s * jets] > 0;
        chain->has_mass |= entered;
        chain->is_ending |= entered && ends[s];
    }
out:
    ptd_release(ends);
    ptd_release(queue);
    return status;
}
