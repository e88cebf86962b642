/* Where the chain spends its time and where it ends: expected times by vertex, probabilities of
 * the absorbing vertices, and the probability of collecting no reward at all (the defect).
 *
 * Times solve the transposed system u M = alpha, and what flows on from them into an absorbing
 * vertex is its probability. The defect is the probability of absorption in the chain in which
 * vertices of positive reward never arrive (their solution is held at 0).
 */
#include "workspace.h"

#include <math.h>
#include <string.h>

#include "status.h"

static double *solve_flow(ptd_workspace *ws)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    double *flow = ws->x;
    memset(flow, 0, ws->lanes.n * lanes * sizeof(double));
    for (size_t lane = 0; lane < lanes; lane++) {
        flow[ptd_start_position(ws) * lanes + lane] = 1;
    }
    ws->kernel->solve_transposed(&ws->lanes, flow);
    return flow;
}

ptd_status ptd_expected_sojourn(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                                double *sojourn, ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const int64_t n = ws->meta->n_vertices;
    for (int64_t first = 0; first < n_thetas;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        double *block = sojourn + first * n;
        ptd_status status = ptd_workspace_begin(
            ws, thetas + first * ws->meta->n_parameters, first, count, error);
        if (status) {
            return status;
        }
        ptd_workspace_factor(ws);
        status = ptd_workspace_verdict(ws, first, count, error);
        if (status) {
            return status;
        }
        const size_t lanes = (size_t)ws->kernel->lanes;
        const double *flow = solve_flow(ws);
        for (int lane = 0; lane < count; lane++) {
            for (int64_t i = 0; i < n; i++) {
                const int timeless = i < ws->meta->n_absorbing || i + 1 == n;
                block[lane * n + vertex[i]] =
                    timeless ? 0 : flow[(size_t)i * lanes + (size_t)lane];
            }
        }
        status = ptd_workspace_check_finite(ws, block, first, count, n, error);
        if (status) {
            return status;
        }
        for (int64_t i = ws->meta->n_absorbing; i < (int64_t)ws->lanes.n_boundary; i++) {
            for (int lane = 0; lane < count; lane++) {
                double *time = &block[lane * n + vertex[i]];
                *time = *time > 0 ? INFINITY : 0;
            }
        }
        first += count;
    }
    return PTD_OK;
}

/* Gradient of the probability of ending in the vertex at `position`. */
static void probability_gradient(ptd_workspace *ws, size_t position, int count, double *gradient,
                                 int64_t stride)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    const size_t bytes = ws->lanes.n * lanes * sizeof(double);
    memset(ws->rhs, 0, bytes);
    const ptd_system system = {
        .orders = 1,
        .first_order = 1,
        .reward = ws->reward,
        .rhs = ws->rhs,
        .with_boundary = 1,
        .x = ws->x,
        .y = ws->y,
        .keep_y = 1,
    };
    ptd_workspace_set_boundary(ws, system.x, 1, 0, 0);
    for (size_t lane = 0; lane < lanes; lane++) {
        system.x[position * lanes + lane] = 1;
    }
    ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
    ptd_workspace_begin_reverse(ws, PTD_REVERSE_ONLY);
    memset(ws->x_bar, 0, bytes);
    for (size_t lane = 0; lane < lanes; lane++) {
        ws->x_bar[ptd_start_position(ws) * lanes + lane] = 1;
    }
    ptd_workspace_reverse(ws, PTD_REVERSE_ONLY, &system, ws->x_bar, NULL);
    ptd_workspace_finish_reverse(ws, count, gradient, stride);
}

/* The position of an absorbing vertex, or -1: the boundary is in ascending vertex order. */
static int64_t absorbing_position(const ptd_workspace *ws, int64_t target)
{
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    int64_t low = 0;
    int64_t high = ws->meta->n_absorbing;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (vertex[middle] < target) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < ws->meta->n_absorbing && vertex[low] == target ? low : -1;
}

ptd_status ptd_absorption_probabilities(ptd_workspace *workspace, int64_t n_thetas,
                                        const double *thetas, int64_t n_targets,
                                        const int64_t *targets, double *probabilities,
                                        double *gradient, ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const int64_t P = ws->meta->n_parameters;
    ws->failed_theta = -1;
    if (gradient && !ws->options.gradient) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 6, 0);
    }
    for (int64_t k = 0; k < n_targets; k++) {
        if (absorbing_position(ws, targets[k]) < 0) {
            return ptd_fail(error, PTD_INVALID_ARGUMENT, 4, (double)targets[k]);
        }
    }
    ptd_status status = ptd_workspace_set_reward(ws, NULL, error);
    for (int64_t first = 0; first < n_thetas && !status;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        status = ptd_workspace_begin(ws, thetas + first * P, first, count, error);
        if (status) {
            break;
        }
        ptd_workspace_factor(ws);
        status = ptd_workspace_verdict(ws, first, count, error);
        if (status) {
            break;
        }
        if (gradient && (ws->seen & PTD_SAW_ZERO_PIVOT)) {
            ws->failed_theta = ws->dead_theta;
            return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, ws->dead_vertex, 0);
        }
        const size_t lanes = (size_t)ws->kernel->lanes;
        const double *flow = solve_flow(ws);
        double *block = probabilities + first * n_targets;
        for (int64_t k = 0; k < n_targets; k++) {
            const size_t position = (size_t)absorbing_position(ws, targets[k]);
            for (int lane = 0; lane < count; lane++) {
                block[lane * n_targets + k] = flow[position * lanes + (size_t)lane];
            }
        }
        status = ptd_workspace_check_finite(ws, block, first, count, n_targets, error);
        for (int64_t k = 0; gradient && k < n_targets; k++) {
            probability_gradient(ws, (size_t)absorbing_position(ws, targets[k]), count,
                                 gradient + (first * n_targets + k) * P, n_targets * P);
        }
        first += count;
    }
    return status;
}

ptd_status ptd_defect(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                      const double *rewards, double *defect, ptd_error *error)
{
    ptd_workspace *ws = workspace;
    ptd_lanes *z = &ws->lanes;
    ptd_status status = ptd_workspace_set_reward(ws, rewards, error);
    for (int64_t first = 0; first < n_thetas && !status;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        status = ptd_workspace_begin(ws, thetas + first * ws->meta->n_parameters, first, count,
                                     error);
        if (status) {
            break;
        }
        ptd_workspace_factor(ws);
        status = ptd_workspace_verdict(ws, first, count, error);
        if (status) {
            break;
        }
        const size_t lanes = (size_t)ws->kernel->lanes;
        for (uint32_t i = 0; i < z->n; i++) {
            ws->mark[i] = ws->reward[i] > 0;
        }
        memset(ws->rhs, 0, z->n * lanes * sizeof(double));
        const ptd_system system = {
            .orders = 1,
            .first_order = 1,
            .reward = ws->reward,
            .rhs = ws->rhs,
            .with_boundary = 1,
            .killed = ws->mark,
            .x = ws->x,
            .y = ws->y,
        };
        ptd_workspace_set_boundary(ws, system.x, 1, 1, 0);
        /* Components that share a block differ in their rewards: one after the other. */
        for (uint32_t component = 0; component < z->n_components; component++) {
            const uint32_t block = z->component_block[component];
            if (block != PTD_NONE) {
                ws->kernel->factor(z, block, z->component_start[component], ws->mark);
            }
            ws->kernel->solve(z, component, component + 1, &system);
        }
        for (int lane = 0; lane < count; lane++) {
            defect[first + lane] = system.x[ptd_start_position(ws) * lanes + (size_t)lane];
        }
        first += count;
    }
    return status;
}
