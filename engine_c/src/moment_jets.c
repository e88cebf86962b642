/* Moments with derivatives, where reverse mode has no answer: second ones, and first ones from
 * every vertex. Recursions are those of moments.c.
 */
#include "moment_jets.h"

#include <math.h>
#include <string.h>

#include "form_jet.h"
#include "status.h"

void ptd_moment_right_side(const ptd_jet_pass *pass, uint32_t position, int s, double *side)
{
    const double reward = pass->ws->reward[position];
    const int k = s + 1;
    if (pass->ws->meta->kind == PTD_CONTINUOUS) {
        if (k == 1) {
            side[0] = reward;
        } else {
            ptd_jet_add_scaled(pass, side, k * reward, ptd_jet_solution(pass, position, s - 1));
        }
        return;
    }
    double ways = 1; /* C(k, l) */
    side[0] = pow(reward, k);
    for (int l = 1; l < k; l++) {
        ways = ways * (k - l + 1) / l;
        const double factor = ways * pow(reward, k - l);
        ptd_jet_add_scaled(pass, side, factor, ptd_jet_solution(pass, position, l - 1));
        ptd_jet_add_scaled(pass, side, -factor, ptd_jet_right_side(pass, position, l - 1));
    }
}

/* The right-hand side of E[T (T-1) .. (T-s)]: k P f of the one before. */
static void factorial_right_side(const ptd_jet_pass *pass, uint32_t position, int s, double *side)
{
    const ptd_lanes *z = &pass->ws->lanes;
    double *const weight = pass->scratch; /* free until the side has been set */
    double *const stays = pass->context;
    if (position + 1 == z->n) {
        return;
    }
    if (s == 0) {
        side[0] = 1;
        return;
    }
    ptd_jet_clear(pass->shape, stays);
    stays[0] = 1;
    for (uint32_t e = z->edge_start[position]; e < z->edge_self[position]; e++) {
        ptd_form_jet(z, pass->shape, z->edge_form[e], weight);
        ptd_jet_add_scaled(pass, stays, -1, weight);
        if (z->edge_target[e] >= z->n_boundary) {
            ptd_jet_add_product(pass->shape, side, weight,
                                ptd_jet_solution(pass, z->edge_target[e], s - 1));
        }
    }
    stays[0] = fmax(stays[0], 0);
    ptd_jet_add_product(pass->shape, side, stays, ptd_jet_solution(pass, position, s - 1));
    for (size_t k = 0; k < pass->jets; k++) {
        side[k] *= s + 1;
    }
}

ptd_status ptd_vertex_gradients(ptd_workspace *ws, int64_t n_thetas, const double *thetas,
                                const double *rewards, int order, double *gradient,
                                ptd_error *error)
{
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const int64_t P = ws->meta->n_parameters;
    const int64_t per_theta = ws->meta->n_vertices * P;
    ptd_jet_pass pass;
    ptd_status status = ptd_jet_pass_create(ws, 1, order, &pass, error);
    pass.set_right_side = ptd_moment_right_side;
    for (int64_t row = 0; row < n_thetas && !status; row++) {
        double *const out = gradient + row * per_theta;
        status = ptd_jet_pass_solve(&pass, thetas + row * P, rewards, row, error);
        memset(out, 0, (size_t)per_theta * sizeof *out);
        for (uint32_t i = ws->lanes.n_boundary; i < ws->lanes.n && !status; i++) {
            memcpy(out + vertex[i] * P, ptd_jet_solution(&pass, i, order - 1) + 1,
                   (size_t)P * sizeof *out);
        }
        if (!status) {
            status = ptd_workspace_check_finite(ws, out, row, 1, per_theta, error);
        }
    }
    ptd_jet_pass_release(&pass);
    return status;
}

ptd_status ptd_factorial_gradients(ptd_workspace *ws, int64_t n_thetas, const double *thetas,
                                   int order, double *gradient, ptd_error *error)
{
    const int64_t P = ws->meta->n_parameters;
    ptd_jet_pass pass;
    ptd_status status = ptd_jet_pass_create(ws, 1, order, &pass, error);
    pass.set_right_side = factorial_right_side;
    if (!status) {
        /* The second jet of the scratch is free as well, the third holds an exit sum. */
        pass.context = pass.scratch + pass.jets;
    }
    for (int64_t row = 0; row < n_thetas && !status; row++) {
        double *const out = gradient + row * order * P;
        status = ptd_jet_pass_solve(&pass, thetas + row * P, NULL, row, error);
        for (int k = 0; k < order && !status; k++) {
            memcpy(out + k * P, ptd_jet_solution(&pass, ws->lanes.n - 1, k) + 1,
                   (size_t)P * sizeof *out);
        }
        if (!status) {
            status = ptd_workspace_check_finite(ws, out, row, 1, order * P, error);
        }
    }
    ptd_jet_pass_release(&pass);
    return status;
}

static void store_hessians(const ptd_jet_pass *pass, int order, double *hessians)
{
    const int P = pass->shape.n_parameters;
    for (int k = 0; k < order; k++) {
        const double *second = ptd_jet_solution(pass, pass->ws->lanes.n - 1, k) + 1 + P;
        double *const matrix = hessians + (size_t)k * (size_t)P * (size_t)P;
        for (int p = 0; p < P; p++) {
            for (int q = p; q < P; q++, second++) {
                matrix[p * P + q] = *second;
                matrix[q * P + p] = *second;
            }
        }
    }
}

ptd_status ptd_moment_hessians(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                               const double *rewards, int32_t order, double *hessians,
                               ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const int64_t P = ws->meta->n_parameters;
    const int64_t per_theta = (int64_t)order * P * P;
    ptd_jet_pass pass = {0};
    ws->failed_theta = -1;
    if (order < 1) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 4, order);
    }
    ptd_status status = ptd_workspace_set_reward(ws, rewards, error);
    if (!status) {
        status = ptd_jet_pass_create(ws, 2, order, &pass, error);
    }
    pass.set_right_side = ptd_moment_right_side;
    for (int64_t row = 0; row < n_thetas && !status; row++) {
        status = ptd_jet_pass_solve(&pass, thetas + row * P, rewards, row, error);
        if (!status) {
            store_hessians(&pass, order, hessians + row * per_theta);
            status = ptd_workspace_check_finite(ws, hessians + row * per_theta, row, 1, per_theta,
                                                error);
        }
    }
    ptd_jet_pass_release(&pass);
    return status;
}
