/* Occupation: where the chain is at a time, and how long it has been in each state until then.
 *
 * Uniformisation is certified and costs in proportion to the steps; powers of the step matrix cost
 * their logarithm, times the cube of the states. They take over where uniformisation would need
 * more than about a second, or else, in chains too large for them, a minute is the limit.
 */
#include "occupation.h"

#include <math.h>
#include <string.h>

#include "status.h"

/* About a second, and a minute, of uniformisation. */
static const double SECOND = 1e9;
static const double MOST_WORK = 6e10;

static ptd_status check(const ptd_chain *chain, double time, ptd_error *error)
{
    if (chain->order > 1 || chain->reward) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 0, chain->order);
    }
    if (!(time >= 0 && isfinite(time)) || (chain->discrete && time != floor(time))) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, time);
    }
    return PTD_OK;
}

ptd_status ptd_chain_occupation(const ptd_chain *chain, double time, double *probability,
                                double *accumulated, double *bound, ptd_bound_kind *kind,
                                ptd_error *error)
{
    ptd_occupation occupation = {probability, accumulated, INFINITY};
    ptd_status status = check(chain, time, error);
    if (status) {
        return status;
    }
    const size_t count = (size_t)chain->trace->meta.n_vertices * (size_t)chain->jets;
    memset(probability, 0, count * sizeof *probability);
    memset(accumulated, 0, count * sizeof *accumulated);
    const double work = ptd_occupation_uniformise_work(chain, time);
    if (!(work <= SECOND) && ptd_occupation_dense_applies(chain, time)) {
        *kind = PTD_VERIFIED;
        status = ptd_occupation_dense(chain, time, &occupation, error);
    } else if (work <= MOST_WORK) {
        *kind = PTD_CERTIFIED;
        status = ptd_occupation_uniformise(chain, time, &occupation, error);
    } else {
        return ptd_fail(error, PTD_DENSITY_REFUSED, 0, time);
    }
    if (status) {
        return status;
    }
    *bound = occupation.bound;
    if (!(occupation.bound < 1)) {
        return ptd_fail(error, PTD_DENSITY_REFUSED, 0, time);
    }
    return PTD_OK;
}
