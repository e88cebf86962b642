/* Diagnosis: turns what a kernel noticed in some lane into an error about one theta and one edge or
 * vertex. Slow and only entered when something was noticed (for discrete graphs: the row sums). */
#include "workspace.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "status.h"

/* Out-weights of a discrete vertex may exceed 1 by rounding of the input. */
static const double PROBABILITY_SLACK = 1e-9;

/* The sum of |terms| of a form: rounding errors are relative to it, not to the form's value. */
static double form_magnitude(const ptd_lanes *z, uint32_t f, int lanes, int lane)
{
    double sum = fabs(z->form_base[f]);
    for (uint32_t e = z->form_start[f]; e < z->form_start[f + 1]; e++) {
        sum += fabs(z->form_coefficient[e] * z->theta[z->form_parameter[e] * (size_t)lanes + lane]);
    }
    return sum;
}

/* 0.3 - 3 theta at theta = 0.1 is meant to be 0 and comes out as -5.6e-17: such weights become 0. */
static void forgive_rounding(ptd_workspace *ws)
{
    ptd_lanes *z = &ws->lanes;
    const int lanes = ws->kernel->lanes;
    for (uint32_t f = 0; f < z->n_forms; f++) {
        const double terms = 1.0 + z->form_start[f + 1] - z->form_start[f];
        for (int lane = 0; lane < lanes; lane++) {
            double *weight = &z->form[(size_t)f * (size_t)lanes + (size_t)lane];
            if (*weight < 0 && isfinite(*weight) &&
                -*weight <= terms * DBL_EPSILON * form_magnitude(z, f, lanes, lane)) {
                *weight = 0;
            }
        }
    }
}

ptd_status ptd_diagnose_weights(ptd_workspace *ws, int64_t first, int count, ptd_error *error)
{
    const ptd_lanes *z = &ws->lanes;
    const size_t lanes = (size_t)ws->kernel->lanes;
    forgive_rounding(ws);
    for (int lane = 0; lane < count; lane++) {
        for (int64_t e = 0; e < ws->meta->n_edges; e++) {
            const double weight = z->form[z->edge_form[e] * lanes + (size_t)lane];
            if (weight >= 0 && weight <= DBL_MAX) {
                continue;
            }
            ws->failed_theta = first + lane;
            return ptd_fail(error, weight < 0 ? PTD_WEIGHT_NEGATIVE : PTD_WEIGHT_NOT_FINITE, e,
                            weight);
        }
        for (size_t f = 0; f < z->n_forms; f++) {
            if (!isfinite(z->form[f * lanes + (size_t)lane])) {
                ws->failed_theta = first + lane;
                return ptd_fail(error, PTD_RESULT_OVERFLOW, 0, 0);
            }
        }
    }
    return PTD_OK;
}

ptd_status ptd_diagnose_probabilities(ptd_workspace *ws, int64_t first, int count,
                                      ptd_error *error)
{
    const ptd_lanes *z = &ws->lanes;
    const size_t lanes = (size_t)ws->kernel->lanes;
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        for (int lane = 0; lane < count; lane++) {
            double sum = 0;
            for (uint32_t e = z->edge_start[i]; e < z->edge_start[i + 1]; e++) {
                sum += z->form[z->edge_form[e] * lanes + (size_t)lane];
            }
            if (sum > 1 + PROBABILITY_SLACK) {
                ws->failed_theta = first + lane;
                return ptd_fail(error, PTD_PROBABILITY_ABOVE_ONE, vertex[i], sum);
            }
        }
    }
    return PTD_OK;
}

/* Marks what the start reaches (bit 1) and what reaches the boundary (bit 2) through edges of
 * positive weight. Components are swept until nothing changes. */
static void mark_reachable(ptd_workspace *ws, int lane)
{
    const ptd_lanes *z = &ws->lanes;
    const size_t lanes = (size_t)ws->kernel->lanes;
    uint8_t *mark = ws->mark;
    int changed = 1;
    memset(mark, 0, z->n);
    memset(mark, 2, z->n_boundary);
    mark[z->n - 1] |= 1;
    while (changed) {
        changed = 0;
        for (uint32_t i = z->n; i-- > z->n_boundary;) {
            for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
                if (!(z->form[z->edge_form[e] * lanes + (size_t)lane] > 0)) {
                    continue;
                }
                const uint32_t target = z->edge_target[e];
                if ((mark[i] & 1) && !(mark[target] & 1)) {
                    mark[target] |= 1;
                    changed = 1;
                }
                if ((mark[target] & 2) && !(mark[i] & 2)) {
                    mark[i] |= 2;
                    changed = 1;
                }
            }
        }
    }
}

ptd_status ptd_diagnose_zero_pivot(ptd_workspace *ws, int64_t first, int count, ptd_error *error)
{
    const ptd_lanes *z = &ws->lanes;
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const uint32_t start = z->n - 1;
    const size_t lanes = (size_t)ws->kernel->lanes;
    int dead = 0;
    for (int lane = 0; lane < count; lane++) {
        if (z->exit[z->exit_of_position[start] * lanes + (size_t)lane] == 0) {
            ws->failed_theta = first + lane;
            return ptd_fail(error, PTD_START_WEIGHT_ZERO, 0, 0);
        }
        mark_reachable(ws, lane);
        for (uint32_t i = z->n_boundary; i < z->n; i++) {
            if (ws->mark[i] == 1) {
                ws->failed_theta = first + lane;
                return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, vertex[i], 0);
            }
            if (!dead && !(ws->mark[i] & 2)) {
                dead = 1;
                ws->dead_vertex = vertex[i];
                ws->dead_theta = first + lane;
            }
        }
    }
    if (!dead) {
        /* nothing leaves a component from there, but the vertex has a way on inside it */
        ws->seen &= ~(uint32_t)PTD_SAW_ZERO_PIVOT;
    }
    return PTD_OK;
}
