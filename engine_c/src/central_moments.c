/* Central moments E[(Y - E[Y])^k], with a bound of their rounding error.
 *
 * Let a_v be the mean from v as it was computed, h_v the mean that is collected in v (continuous:
 * H exponential, h = r / lambda; discrete: H = h = r), J the next vertex. Then
 *     Y_v - a_v = (H - h) + (a_J + h - a_v) + (Y_J - a_J)
 * whatever the numbers a are. With D_i = E[(Exp(1) - 1)^i] = 1, 0, 1, 2, 9, 44, .. (discrete: 1,
 * 0, 0, ..) and d_j = a_j + h - a_v, the moments c_k(v) = E[(Y_v - a_v)^k] solve
 *     (M c_k)_v = sum_j w_j sum_(i + b + l = k, l < k) k! / (i! b! l!) D_i h^i d_j^b c_l(j),
 * (discrete: the stay among the next vertices) and the central moments are those of Y - a_start,
 * moved by c_1, which is as small as the rounding error of a. Unlike the moments about 0 no number
 * here is large beside the deviation: a_j - a_v is a local difference, and exact to its own last
 * digits. (The law of total cumulance, Brillinger 1969, is the case of exact means.)
 *
 * Terms have both signs, so each right-hand side comes with a bound of its rounding error, that of
 * what it is made of included; M^-1 >= 0 turns these into bounds of the solutions. They grow with
 * the ups and downs of the means along a path. Where the deviation is no smaller than the mean the
 * binomial sum of moments about 0 has the smaller bound, and is taken.
 */
#include "workspace.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "central_jets.h"
#include "status.h"

enum { MOST = PTD_MOST_CENTRAL };

/* The solutions of one block, n lanes each: means, then c_k and its bound for k = 1, 2, .. */
typedef struct {
    ptd_workspace *ws;
    size_t lanes;
    int discrete;
    double rounding; /* of a term, of the sum it stands in and of its solve, beside its size */
    double binomial[MOST + 1][MOST + 1];
    double holding[MOST + 1]; /* D_i */
} central;

static double *about_mean(const central *c, int k)
{
    return ptd_solution(c->ws, c->ws->x, 2 * k - 1);
}

static double *bound_of(const central *c, int k)
{
    return ptd_solution(c->ws, c->ws->x, 2 * k);
}

/* A right-hand side of order k at one vertex and lane, as it grows. */
typedef struct {
    int k;
    double value;
    double bound;
} right_side;

/* Powers 0..k of x. */
static void powers_of(double x, int k, double *powers)
{
    powers[0] = 1;
    for (int i = 1; i <= k; i++) {
        powers[i] = powers[i - 1] * x;
    }
}

/* Adds the terms of one next vertex: `weight` to it, `held` = h, `jump` = d_j, which is right to
 * `noise`, `at` where the vertex stands in solutions. */
static void add_next(const central *c, right_side *side, double weight, double held, double jump,
                     double noise, size_t at)
{
    const int k = side->k;
    double hold[MOST + 1], step[MOST + 1], size[MOST + 1];
    powers_of(held, k, hold);
    powers_of(jump, k, step);
    powers_of(fabs(jump) + noise, k, size);
    for (int l = 0; l < k; l++) {
        const double moment = l > 0 ? about_mean(c, l)[at] : 1;
        const double error = l > 0 ? bound_of(c, l)[at] : 0;
        double factor = 0; /* sum over i + b = k - l, with d^b, */
        double extent = 0; /* with |d|^b at most, */
        double change = 0; /* and by how much d^b may be wrong */
        for (int i = 0; i <= k - l; i++) {
            const int b = k - l - i;
            const double ways = c->binomial[k - l][i] * c->holding[i] * hold[i];
            factor += ways * step[b];
            extent += ways * size[b];
            change += b > 0 ? ways * b * size[b - 1] * noise : 0;
        }
        const double times = weight * c->binomial[k][l];
        side->value += times * factor * moment;
        side->bound += times * (extent * error + (change + c->rounding * extent) * fabs(moment));
    }
}

static right_side right_side_at(const central *c, int k, size_t i, size_t lane)
{
    const ptd_lanes *z = &c->ws->lanes;
    const double *mean = c->ws->x;
    const double here = mean[i * c->lanes + lane];
    const double reward = c->ws->reward[i];
    right_side side = {k, 0, 0};
    double leaves = 0;
    for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
        leaves += z->form[z->edge_form[e] * c->lanes + lane];
    }
    if (!(leaves > 0)) {
        return side;
    }
    const double collected = c->discrete ? reward : reward / leaves;
    const double held = c->discrete ? 0 : collected;
    for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
        const double weight = z->form[z->edge_form[e] * c->lanes + lane];
        const size_t at = z->edge_target[e] * c->lanes + lane;
        const double apart = mean[at] - here;
        const double noise = 2 * DBL_EPSILON * (fabs(apart) + collected);
        add_next(c, &side, weight, held, apart + collected, noise, at);
    }
    if (c->discrete && i + 1 < z->n && leaves < 1) {
        /* The share that stays is right to an epsilon, not relatively. */
        right_side stay = {k, 0, 0};
        add_next(c, &stay, 1, 0, reward, 0, i * c->lanes + lane);
        side.value += (1 - leaves) * stay.value;
        side.bound += (1 - leaves) * stay.bound + 2 * DBL_EPSILON * fabs(stay.value);
    }
    return side;
}

static void solve(const central *c, const double *rhs, double *x)
{
    ptd_workspace *ws = c->ws;
    const ptd_system system = {
        .orders = 1, .first_order = 1, .reward = ws->reward, .rhs = rhs, .x = x, .y = ws->y};
    ptd_workspace_set_boundary(ws, x, 1, 0, 0);
    ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
}

static void solve_order(const central *c, int k)
{
    ptd_workspace *ws = c->ws;
    double *const values = ws->rhs;
    double *const bounds = ptd_solution(ws, ws->y, 1);
    for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
        for (size_t lane = 0; lane < c->lanes; lane++) {
            const right_side side = right_side_at(c, k, i, lane);
            values[i * c->lanes + lane] = side.value;
            bounds[i * c->lanes + lane] = side.bound;
        }
    }
    solve(c, values, about_mean(c, k));
    solve(c, bounds, bound_of(c, k));
}

/* Moments about the mean from those about a_start, at one lane of the start. */
static void store(const central *c, int order, size_t at, double *moments, double *bounds)
{
    double shift[MOST + 1], size[MOST + 1];
    const double noise = bound_of(c, 1)[at];
    powers_of(-about_mean(c, 1)[at], order, shift);
    powers_of(fabs(about_mean(c, 1)[at]) + noise, order, size);
    moments[0] = 0;
    bounds[0] = 0;
    for (int k = 2; k <= order; k++) {
        double value = 0;
        double bound = 0;
        for (int l = 0; l <= k; l++) {
            const double moment = l > 0 ? about_mean(c, l)[at] : 1;
            const double error = l > 0 ? bound_of(c, l)[at] : 0;
            const double change = l < k ? (k - l) * size[k - l - 1] * noise : 0;
            value += c->binomial[k][l] * shift[k - l] * moment;
            bound += c->binomial[k][l] * (size[k - l] * error + change * fabs(moment));
        }
        moments[k - 1] = value;
        bounds[k - 1] = bound + c->rounding * fabs(value);
    }
}

void ptd_central_tables(int discrete, double binomial[][MOST + 1], double *holding)
{
    for (int n = 0; n <= MOST; n++) {
        binomial[n][0] = 1;
        for (int k = 1; k <= n; k++) {
            binomial[n][k] = k < n ? binomial[n - 1][k - 1] + binomial[n - 1][k] : 1;
        }
        const double both = n > 1 ? holding[n - 1] + holding[n - 2] : 0;
        holding[n] = n == 0 ? 1 : discrete ? 0 : (n - 1) * both;
    }
}

/* The most vertices on a path from component to component, all of each counted: so many sums follow
 * one another in a solve. `depth` (n) is scratch. */
static double longest_path(const ptd_lanes *z, double *depth)
{
    double longest = 0;
    memset(depth, 0, z->n * sizeof *depth);
    for (uint32_t component = 0; component < z->n_components; component++) {
        const uint32_t begin = z->component_start[component];
        const uint32_t end = z->component_start[component + 1];
        double before = 0;
        for (uint32_t e = z->edge_external[begin]; e < z->edge_boundary[end - 1]; e++) {
            const double next = depth[z->edge_target[e]];
            before = next > before ? next : before;
        }
        for (uint32_t i = begin; i < end; i++) {
            depth[i] = before + (end - begin);
        }
        longest = depth[begin] > longest ? depth[begin] : longest;
    }
    return longest;
}

/* Takes E[(Y - m)^k] = sum_l C(k, l) (-m)^(k - l) E[Y^l] where that has the smaller bound, and
 * marks those k - 1. */
static void store_better(const central *c, int order, const double *about_zero, double *moments,
                         double *bounds, uint8_t *taken)
{
    double shift[MOST + 1];
    powers_of(-about_zero[0], order, shift);
    for (int k = 2; k <= order; k++) {
        double value = 0;
        double size = 0;
        for (int l = 0; l <= k; l++) {
            const double term = c->binomial[k][l] * shift[k - l] * (l > 0 ? about_zero[l - 1] : 1);
            value += term;
            size += fabs(term);
        }
        if (k * c->rounding * size < bounds[k - 1]) {
            moments[k - 1] = value;
            bounds[k - 1] = k * c->rounding * size;
            taken[k - 1] = 1;
        }
    }
}

/* The central moments of `count` thetas from row `first` on, their workspace having been begun.
 * taken: count x order, zeros; which of them come from moments about 0. */
static ptd_status evaluate_block(central *c, const double *thetas, int64_t first, int count,
                                 const double *rewards, int order, double *moments, double *bounds,
                                 uint8_t *taken, ptd_error *error)
{
    ptd_workspace *ws = c->ws;
    double about_zero[PTD_MAX_LANES * MOST];
    ptd_error ignored;
    c->lanes = (size_t)ws->kernel->lanes;
    solve(c, NULL, ws->x);
    for (int k = 1; k <= order; k++) {
        solve_order(c, k);
    }
    for (int lane = 0; lane < count; lane++) {
        store(c, order, ptd_start_position(ws) * c->lanes + (size_t)lane, moments + lane * order,
              bounds + lane * order);
    }
    /* Beyond the range of double they are of no use, and no fault. */
    if (ptd_moments(ws, count, thetas, rewards, order, about_zero, NULL, &ignored) == PTD_OK) {
        for (int lane = 0; lane < count; lane++) {
            store_better(c, order, about_zero + lane * order, moments + lane * order,
                         bounds + lane * order, taken + lane * order);
        }
    }
    ptd_status status = ptd_workspace_check_finite(ws, moments, first, count, order, error);
    if (!status) {
        status = ptd_workspace_check_finite(ws, bounds, first, count, order, error);
    }
    return status;
}

ptd_status ptd_central_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                               const double *rewards, int32_t order, double *moments,
                               double *bounds, double *gradient, ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const int64_t P = ws->meta->n_parameters;
    central c = {.ws = ws, .discrete = ws->meta->kind == PTD_DISCRETE};
    ptd_central_jets jets = {0};
    uint8_t taken[PTD_MAX_LANES * MOST];
    ws->failed_theta = -1;
    if (order < 1 || order > MOST || 2 * order > ws->options.max_order) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 4, order);
    }
    ptd_central_tables(c.discrete, c.binomial, c.holding);
    c.rounding = (8 + longest_path(&ws->lanes, ws->rhs)) * DBL_EPSILON;
    ptd_status status = ptd_workspace_set_reward(ws, rewards, error);
    if (!status && gradient) {
        status = ptd_central_jets_create(ws, order, &jets, error);
    }
    for (int64_t first = 0; first < n_thetas && !status;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        status = ptd_workspace_begin(ws, thetas + first * P, first, count, error);
        if (status) {
            break;
        }
        const int64_t trap = ptd_workspace_endless(ws, rewards);
        if (trap >= 0) {
            ws->failed_theta = first;
            status = ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, trap, 0);
            break;
        }
        ptd_workspace_factor(ws);
        status = ptd_workspace_verdict(ws, first, count, error);
        if (status) {
            break;
        }
        memset(taken, 0, sizeof taken);
        status = evaluate_block(&c, thetas + first * P, first, count, rewards, order,
                                moments + first * order, bounds + first * order, taken, error);
        for (int64_t row = first; row < first + count && gradient && !status; row++) {
            status = ptd_central_jets_gradient(&jets, thetas + row * P, rewards, row,
                                               taken + (row - first) * order,
                                               gradient + row * order * P, error);
        }
        first += count;
    }
    ptd_central_jets_release(&jets);
    return status;
}
