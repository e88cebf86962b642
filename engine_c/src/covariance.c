/* Covariances of accumulated rewards, with gradients.
 *
 * Two formulas, both dot products with the expected times u in the vertices. With m, n the means
 * of the rewards r, s from each vertex, M, N their averages over the next vertex, and w the weights
 * out of v (lambda their sum):
 *   total   (law of total covariance):  sum_v u_v [r s / lambda + sum_j w_j (m_j - M)(n_j - N)]
 *   centred (E[YZ] - E[Y] E[Z]):        sum_v u_v [r n + s m] - m n at the start
 * (discrete: r s P(stay) in the place of r s / lambda, the stay among the next vertices; and
 * r n + s m - r s). The first keeps its digits where the variance is small beside the squared mean,
 * the second where fast rates between vertices of nearly equal means would amplify the rounding of
 * m_j - M. Each comes with a bound of its rounding error; the smaller bound decides, lane by lane.
 * A gradient follows the formula of its value.
 */
#include "workspace.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "status.h"

/* The solutions of one block, each n lanes: means of every reward, then a scratch solution. */
typedef struct {
    ptd_workspace *ws;
    int64_t n_rewards;
    const double *rewards; /* n_rewards x n_vertices */
    const uint32_t *vertex;
    size_t lanes;
    int discrete;
} covariance_block;

/* Reward `f` at a position: 0 in the start. */
static double reward_at(const covariance_block *b, int64_t f, size_t position)
{
    if (position + 1 == b->ws->lanes.n) {
        return 0;
    }
    return b->rewards ? b->rewards[f * b->ws->meta->n_vertices + b->vertex[position]] : 1;
}

static const double *mean_of(const covariance_block *b, int64_t f)
{
    return ptd_solution(b->ws, b->ws->x, f);
}

static ptd_system mean_system(const covariance_block *b, int64_t f)
{
    return (ptd_system){
        .orders = 1,
        .first_order = 1,
        .reward = b->ws->reward,
        .x = ptd_solution(b->ws, b->ws->x, f),
        .y = ptd_solution(b->ws, b->ws->y, f),
        .keep_y = b->ws->options.gradient,
    };
}

/* What one lane of one vertex knows about its next vertex for a pair of rewards. */
typedef struct {
    double leaves; /* sum of weights out */
    double stays;  /* discrete: probability of staying */
    double mean_f; /* M */
    double mean_g; /* N */
} next_vertex;

static next_vertex average_next(const covariance_block *b, const double *m, const double *n,
                                size_t i, size_t lane)
{
    const ptd_lanes *z = &b->ws->lanes;
    next_vertex next = {0, 0, 0, 0};
    for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
        const double weight = z->form[z->edge_form[e] * b->lanes + lane];
        next.leaves += weight;
        next.mean_f += weight * m[z->edge_target[e] * b->lanes + lane];
        next.mean_g += weight * n[z->edge_target[e] * b->lanes + lane];
    }
    if (b->discrete && i + 1 < z->n) {
        next.stays = next.leaves < 1 ? 1 - next.leaves : 0;
        next.mean_f += next.stays * m[i * b->lanes + lane];
        next.mean_g += next.stays * n[i * b->lanes + lane];
    } else if (next.leaves > 0) {
        next.mean_f /= next.leaves;
        next.mean_g /= next.leaves;
    }
    return next;
}

/* Both right-hand sides of one vertex and lane, and the bound of the first one's rounding error. */
typedef struct {
    double total;
    double total_error;
    double centred;
} right_sides;

static right_sides right_sides_at(const covariance_block *b, int64_t f, int64_t g, size_t i,
                                  size_t lane)
{
    const ptd_lanes *z = &b->ws->lanes;
    const double *m = mean_of(b, f);
    const double *n = mean_of(b, g);
    const next_vertex next = average_next(b, m, n, i, lane);
    const double r = reward_at(b, f, i);
    const double s = reward_at(b, g, i);
    const double m_here = m[i * b->lanes + lane];
    const double n_here = n[i * b->lanes + lane];
    right_sides sides = {0, 0, r * n_here + s * m_here};
    for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
        const double weight = z->form[z->edge_form[e] * b->lanes + lane];
        const double m_next = m[z->edge_target[e] * b->lanes + lane];
        const double n_next = n[z->edge_target[e] * b->lanes + lane];
        const double dm = m_next - next.mean_f;
        const double dn = n_next - next.mean_g;
        const double m_noise = DBL_EPSILON * (m_next + next.mean_f);
        const double n_noise = DBL_EPSILON * (n_next + next.mean_g);
        sides.total += weight * dm * dn;
        sides.total_error += weight * (fabs(dm) * n_noise + fabs(dn) * m_noise + m_noise * n_noise);
    }
    if (b->discrete) {
        sides.total += next.stays * r * s;
        sides.centred -= r * s;
    } else if (next.leaves > 0) {
        sides.total += r * s / next.leaves;
    }
    return sides;
}

/* Whether lane by lane the total formula has the smaller bound; its value, too. */
static void covariance_of(const covariance_block *b, const double *time, int64_t f, int64_t g,
                          uint8_t *total_lane, double *value)
{
    const size_t n = b->ws->lanes.n;
    const size_t start = ptd_start_position(b->ws);
    for (size_t lane = 0; lane < b->lanes; lane++) {
        double total = 0;
        double error = 0;
        double cross = 0;
        for (size_t i = b->ws->lanes.n_boundary; i < n; i++) {
            const right_sides sides = right_sides_at(b, f, g, i, lane);
            const double u = time[i * b->lanes + lane];
            total += u * sides.total;
            error += u * sides.total_error;
            cross += u * sides.centred;
        }
        const double product =
            mean_of(b, f)[start * b->lanes + lane] * mean_of(b, g)[start * b->lanes + lane];
        total_lane[lane] = error <= DBL_EPSILON * (cross + product);
        value[lane] = total_lane[lane] ? total : cross - product;
    }
}

static void fill_zero(const covariance_block *b, double *solution)
{
    memset(solution, 0, b->ws->lanes.n * b->lanes * sizeof(double));
}

static void seed(const covariance_block *b, double *x_bar)
{
    fill_zero(b, x_bar);
    for (size_t lane = 0; lane < b->lanes; lane++) {
        x_bar[ptd_start_position(b->ws) * b->lanes + lane] = 1;
    }
}

static void mean_gradient(const covariance_block *b, int64_t f, int count, double *gradient,
                          int64_t stride)
{
    ptd_workspace *ws = b->ws;
    const ptd_system system = mean_system(b, f);
    ptd_workspace_begin_reverse(ws, PTD_REVERSE_ONLY);
    seed(b, ws->x_bar);
    ptd_workspace_reverse(ws, PTD_REVERSE_ONLY, &system, ws->x_bar, NULL);
    ptd_workspace_finish_reverse(ws, count, gradient, stride);
}

/* From the cotangent of the right-hand side at one vertex and lane to those of the means (m_bar,
 * n_bar) and of the weights. */
static void reverse_right_side(const covariance_block *b, int64_t f, int64_t g, size_t i,
                               size_t lane, int total, double bar, double *m_bar, double *n_bar)
{
    ptd_lanes *z = &b->ws->lanes;
    const double *m = mean_of(b, f);
    const double *n = mean_of(b, g);
    const double r = reward_at(b, f, i);
    const double s = reward_at(b, g, i);
    const size_t here = i * b->lanes + lane;
    if (!total) {
        m_bar[here] += bar * s;
        n_bar[here] += bar * r;
        return;
    }
    const next_vertex next = average_next(b, m, n, i, lane);
    double per_weight = 0; /* derivative by every weight alike */
    if (b->discrete && i + 1 < z->n) {
        const double dm = m[here] - next.mean_f;
        const double dn = n[here] - next.mean_g;
        per_weight = -dm * dn;
        m_bar[here] += bar * next.stays * dn;
        n_bar[here] += bar * next.stays * dm;
    } else if (!b->discrete && next.leaves > 0) {
        per_weight = -r * s / (next.leaves * next.leaves);
    }
    for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
        const size_t form = z->edge_form[e] * b->lanes + lane;
        const size_t target = z->edge_target[e] * b->lanes + lane;
        const double dm = m[target] - next.mean_f;
        const double dn = n[target] - next.mean_g;
        z->form_bar[form] += bar * (dm * dn + per_weight);
        m_bar[target] += bar * z->form[form] * dn;
        n_bar[target] += bar * z->form[form] * dm;
    }
}

static void covariance_gradient(const covariance_block *b, int64_t f, int64_t g,
                                const uint8_t *total_lane, int count, double *gradient,
                                int64_t stride)
{
    ptd_workspace *ws = b->ws;
    const size_t start = ptd_start_position(ws);
    ptd_system system = mean_system(b, b->n_rewards);
    double *const m_bar = ws->x_bar;
    double *const n_bar = ws->x_bar + (size_t)ws->lanes.n * b->lanes;
    for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
        for (size_t lane = 0; lane < b->lanes; lane++) {
            const right_sides sides = right_sides_at(b, f, g, i, lane);
            ws->rhs[i * b->lanes + lane] = total_lane[lane] ? sides.total : sides.centred;
        }
    }
    system.rhs = ws->rhs;
    ptd_workspace_set_boundary(ws, system.x, 1, 0, 0);
    ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
    ptd_workspace_begin_reverse(ws, PTD_REVERSE_MORE);
    seed(b, ws->x_bar);
    ptd_workspace_reverse(ws, PTD_REVERSE_MORE, &system, ws->x_bar, ws->rhs_bar);
    fill_zero(b, m_bar);
    fill_zero(b, n_bar);
    for (size_t lane = 0; lane < b->lanes; lane++) {
        for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
            reverse_right_side(b, f, g, i, lane, total_lane[lane], ws->rhs_bar[i * b->lanes + lane],
                               m_bar, n_bar);
        }
        if (!total_lane[lane]) {
            m_bar[start * b->lanes + lane] -= mean_of(b, g)[start * b->lanes + lane];
            n_bar[start * b->lanes + lane] -= mean_of(b, f)[start * b->lanes + lane];
        }
    }
    system = mean_system(b, f);
    ptd_workspace_reverse(ws, PTD_REVERSE_MORE, &system, m_bar, NULL);
    system = mean_system(b, g);
    ptd_workspace_reverse(ws, PTD_REVERSE_LAST, &system, n_bar, NULL);
    ptd_workspace_finish_reverse(ws, count, gradient, stride);
}

static ptd_status solve_means(const covariance_block *b, ptd_error *error)
{
    ptd_workspace *ws = b->ws;
    for (int64_t f = 0; f < b->n_rewards; f++) {
        ptd_status status = ptd_workspace_set_reward(
            ws, b->rewards ? b->rewards + f * ws->meta->n_vertices : NULL, error);
        if (status) {
            return status;
        }
        const ptd_system system = mean_system(b, f);
        ptd_workspace_set_boundary(ws, system.x, 1, 0, 0);
        ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
    }
    return PTD_OK;
}

/* u = expected times, kept in the scratch solution. */
static double *solve_times(const covariance_block *b)
{
    double *time = ptd_solution(b->ws, b->ws->x, b->n_rewards);
    seed(b, time);
    b->ws->kernel->solve_transposed(&b->ws->lanes, time);
    return time;
}

static ptd_status evaluate_block(const covariance_block *b, int64_t first, int count, double *means,
                                 double *covariances, double *mean_gradients,
                                 double *covariance_gradients, ptd_error *error)
{
    ptd_workspace *ws = b->ws;
    const int64_t F = b->n_rewards;
    const int64_t P = ws->meta->n_parameters;
    uint8_t total_lane[PTD_MAX_LANES];
    double value[PTD_MAX_LANES];
    ptd_status status = solve_means(b, error);
    if (status) {
        return status;
    }
    for (int64_t f = 0; f < F; f++) {
        for (int lane = 0; lane < count; lane++) {
            means[lane * F + f] = mean_of(b, f)[ptd_start_position(ws) * b->lanes + (size_t)lane];
        }
        if (mean_gradients) {
            mean_gradient(b, f, count, mean_gradients + f * P, F * P);
        }
    }
    const double *time = NULL;
    for (int64_t f = 0; f < F; f++) {
        for (int64_t g = f; g < F; g++) {
            if (!time || covariance_gradients) {
                time = solve_times(b); /* a gradient uses the scratch solution */
            }
            covariance_of(b, time, f, g, total_lane, value);
            for (int lane = 0; lane < count; lane++) {
                covariances[(lane * F + f) * F + g] = value[lane];
                covariances[(lane * F + g) * F + f] = value[lane];
            }
            if (covariance_gradients) {
                double *upper = covariance_gradients + (f * F + g) * P;
                double *lower = covariance_gradients + (g * F + f) * P;
                covariance_gradient(b, f, g, total_lane, count, upper, F * F * P);
                for (int lane = 0; lane < count && f != g; lane++) {
                    memcpy(lower + lane * F * F * P, upper + lane * F * F * P,
                           (size_t)P * sizeof(double));
                }
            }
        }
    }
    status = ptd_workspace_check_finite(ws, covariances, first, count, F * F, error);
    if (!status && mean_gradients) {
        status = ptd_workspace_check_finite(ws, mean_gradients, first, count, F * P, error);
    }
    if (!status && covariance_gradients) {
        status =
            ptd_workspace_check_finite(ws, covariance_gradients, first, count, F * F * P, error);
    }
    return status;
}

ptd_status ptd_covariances(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                           int64_t n_rewards, const double *rewards, double *means,
                           double *covariances, double *mean_gradients,
                           double *covariance_gradients, ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const int64_t F = n_rewards;
    const int64_t P = ws->meta->n_parameters;
    const int gradient = mean_gradients || covariance_gradients;
    ws->failed_theta = -1;
    if (F < 1 || F > ws->options.max_rewards) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 3, (double)F);
    }
    if (gradient && !ws->options.gradient) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 7, 0);
    }
    for (int64_t first = 0; first < n_thetas;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        ptd_status status = ptd_workspace_begin(ws, thetas + first * P, first, count, error);
        if (status) {
            return status;
        }
        ptd_workspace_factor(ws);
        status = ptd_workspace_verdict(ws, first, count, error);
        if (status) {
            return status;
        }
        const int64_t trap = ptd_workspace_trap(ws);
        if (trap >= 0) {
            ws->failed_theta = first;
            return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, trap, 0);
        }
        if (gradient && (ws->seen & PTD_SAW_ZERO_PIVOT)) {
            ws->failed_theta = ws->dead_theta;
            return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, ws->dead_vertex, 0);
        }
        const covariance_block b = {
            .ws = ws,
            .n_rewards = F,
            .rewards = rewards,
            .vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data,
            .lanes = (size_t)ws->kernel->lanes,
            .discrete = ws->meta->kind == PTD_DISCRETE,
        };
        status = evaluate_block(
            &b, first, count, means + first * F, covariances + first * F * F,
            mean_gradients ? mean_gradients + first * F * P : NULL,
            covariance_gradients ? covariance_gradients + first * F * F * P : NULL, error);
        if (status) {
            return status;
        }
        first += count;
    }
    return PTD_OK;
}
