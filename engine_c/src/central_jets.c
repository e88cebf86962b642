/* Central moments with derivatives: the recursion of central_moments.c in jets.
 *
 * Whatever the means a_v are there, the recursion holds; with derivatives of their own it holds at
 * all theta near the one at hand, so that derivatives of a_j + h - a_v are local differences as its
 * value is, and no derivative is large beside that of the deviation.
 *
 * Solutions 0..order - 1 are the moments about 0, the first of them the means; order..2 order - 1
 * are those about the means.
 */
#include "central_jets.h"

#include <math.h>
#include <string.h>

#include "form_jet.h"
#include "memory.h"
#include "moment_jets.h"
#include "status.h"

/* Powers 0..k of a jet. */
static void powers_of(const ptd_jet_pass *pass, const double *x, int k, double *powers)
{
    ptd_jet_clear(pass->shape, powers);
    powers[0] = 1;
    for (int i = 1; i <= k; i++) {
        double *const next = powers + (size_t)i * pass->jets;
        ptd_jet_clear(pass->shape, next);
        ptd_jet_add_product(pass->shape, next, next - pass->jets, x);
    }
}

/* side += weight C(k, l) sum_(i + b = k - l) C(k - l, i) D_i h^i d^b c_l(j) over l < k: one next
 * vertex, by the powers of h and d. */
static void add_next(const ptd_central_jets *c, int k, const double *weight, uint32_t target,
                     double *side)
{
    const ptd_jet_pass *pass = &c->pass;
    const size_t jets = pass->jets;
    /* Nothing is collected from the boundary on: only c_0 = 1 is not 0. */
    const int last = target >= pass->ws->lanes.n_boundary ? k - 1 : 0;
    for (int l = 0; l <= last; l++) {
        ptd_jet_clear(pass->shape, c->factor);
        for (int i = 0; i <= k - l; i++) {
            const double ways = c->binomial[k][l] * c->binomial[k - l][i] * c->holding[i];
            if (ways != 0) {
                ptd_jet_clear(pass->shape, c->term);
                ptd_jet_add_product(pass->shape, c->term, c->held + (size_t)i * jets,
                                    c->jump + (size_t)(k - l - i) * jets);
                ptd_jet_add_scaled(pass, c->factor, ways, c->term);
            }
        }
        if (l == 0) {
            ptd_jet_add_product(pass->shape, side, weight, c->factor);
        } else {
            ptd_jet_clear(pass->shape, c->term);
            ptd_jet_add_product(pass->shape, c->term, weight, c->factor);
            ptd_jet_add_product(pass->shape, side, c->term,
                                ptd_jet_solution(pass, target, c->order + l - 1));
        }
    }
}

/* `leaves` = the sum of the weights out of a position, without loops. */
static void sum_weights(const ptd_central_jets *c, uint32_t position)
{
    const ptd_lanes *z = &c->pass.ws->lanes;
    ptd_jet_clear(c->pass.shape, c->leaves);
    for (uint32_t e = z->edge_start[position]; e < z->edge_self[position]; e++) {
        ptd_form_jet(z, c->pass.shape, z->edge_form[e], c->pass.scratch);
        ptd_jet_add(c->pass.shape, c->leaves, c->pass.scratch);
    }
}

/* Powers of h: of r / lambda, or of 0; `mean` = what is collected on average before moving on. */
static void set_held(const ptd_central_jets *c, uint32_t position, int k)
{
    const ptd_jet_pass *pass = &c->pass;
    ptd_jet_clear(pass->shape, pass->scratch);
    ptd_jet_clear(pass->shape, c->mean);
    if (c->discrete) {
        c->mean[0] = pass->ws->reward[position];
    } else {
        pass->scratch[0] = pass->ws->reward[position];
        ptd_jet_quotient(pass, c->mean, pass->scratch, c->leaves);
        memcpy(pass->scratch, c->mean, pass->jets * sizeof(double));
    }
    powers_of(pass, pass->scratch, k, c->held);
}

static void set_right_side(const ptd_jet_pass *pass, uint32_t position, int s, double *side)
{
    const ptd_central_jets *c = pass->context;
    const ptd_lanes *z = &pass->ws->lanes;
    const int k = s - c->order + 1;
    if (s < c->order) {
        ptd_moment_right_side(pass, position, s, side);
        return;
    }
    sum_weights(c, position);
    if (!(c->leaves[0] > 0)) {
        return;
    }
    set_held(c, position, k);
    const double *here = ptd_jet_solution(pass, position, 0);
    double *const weight = pass->scratch;
    double *const apart = pass->scratch + pass->jets;
    for (uint32_t e = z->edge_start[position]; e < z->edge_self[position]; e++) {
        const uint32_t target = z->edge_target[e];
        const double *there = target >= z->n_boundary ? ptd_jet_solution(pass, target, 0) : NULL;
        for (size_t j = 0; j < pass->jets; j++) {
            apart[j] = (there ? there[j] : 0) - here[j] + c->mean[j];
        }
        powers_of(pass, apart, k, c->jump);
        ptd_form_jet(z, pass->shape, z->edge_form[e], weight);
        add_next(c, k, weight, target, side);
    }
    if (c->discrete && position + 1 < z->n) {
        powers_of(pass, c->mean, k, c->jump);
        for (size_t j = 0; j < pass->jets; j++) {
            weight[j] = (j == 0) - c->leaves[j];
        }
        weight[0] = fmax(weight[0], 0);
        add_next(c, k, weight, position, side);
    }
}

ptd_status ptd_central_jets_create(ptd_workspace *ws, int order, ptd_central_jets *c,
                                   ptd_error *error)
{
    *c = (ptd_central_jets){.order = order, .discrete = ws->meta->kind == PTD_DISCRETE};
    ptd_status status = ptd_jet_pass_create(ws, 1, 2 * order, &c->pass, error);
    if (status) {
        return status;
    }
    const size_t jets = c->pass.jets;
    c->held = ptd_allocate((2 * (size_t)order + 6) * jets, sizeof *c->held);
    if (!c->held) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)(jets * sizeof *c->held));
    }
    c->jump = c->held + ((size_t)order + 1) * jets;
    c->factor = c->jump + ((size_t)order + 1) * jets;
    c->term = c->factor + jets;
    c->leaves = c->term + jets;
    c->mean = c->leaves + jets;
    c->pass.context = c;
    c->pass.set_right_side = set_right_side;
    ptd_central_tables(c->discrete, c->binomial, c->holding);
    return PTD_OK;
}

void ptd_central_jets_release(ptd_central_jets *c)
{
    ptd_jet_pass_release(&c->pass);
    ptd_release(c->held);
}

/* sum = sum_l C(k, l) (-m)^(k - l) m_l of solutions `first`.. and the powers of -m in `jump`. */
static void move(const ptd_central_jets *c, int k, int first, double *sum)
{
    const ptd_jet_pass *pass = &c->pass;
    const uint32_t start = pass->ws->lanes.n - 1;
    ptd_jet_clear(pass->shape, sum);
    for (int l = 0; l <= k; l++) {
        const double *power = c->jump + (size_t)(k - l) * pass->jets;
        if (l == 0) {
            ptd_jet_add(pass->shape, sum, power);
            continue;
        }
        ptd_jet_clear(pass->shape, c->term);
        ptd_jet_add_product(pass->shape, c->term, power,
                            ptd_jet_solution(pass, start, first + l - 1));
        ptd_jet_add_scaled(pass, sum, c->binomial[k][l], c->term);
    }
}

ptd_status ptd_central_jets_gradient(ptd_central_jets *c, const double *theta,
                                     const double *rewards, int64_t row, const uint8_t *about_zero,
                                     double *gradient, ptd_error *error)
{
    const ptd_jet_pass *pass = &c->pass;
    const size_t P = (size_t)pass->shape.n_parameters;
    const uint32_t start = pass->ws->lanes.n - 1;
    ptd_status status = ptd_jet_pass_solve(&c->pass, theta, rewards, row, error);
    if (status) {
        return status;
    }
    memset(gradient, 0, P * sizeof *gradient);
    for (int about = 0; about < 2; about++) {
        const int first = about ? 0 : c->order;
        ptd_jet_clear(pass->shape, c->mean);
        ptd_jet_add_scaled(pass, c->mean, -1, ptd_jet_solution(pass, start, first));
        powers_of(pass, c->mean, c->order, c->jump);
        for (int k = 2; k <= c->order; k++) {
            if (about_zero[k - 1] == about) {
                move(c, k, first, c->factor);
                memcpy(gradient + (size_t)(k - 1) * P, c->factor + 1, P * sizeof *gradient);
            }
        }
    }
    return ptd_workspace_check_finite(pass->ws, gradient, row, 1, (int64_t)(c->order * P), error);
}
