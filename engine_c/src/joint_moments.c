/* Joint moments E[prod_i Y_i^(k_i)] of accumulated rewards, with gradients.
 *
 * With multi-indices k, and m_0 = 1: continuous M m_k = sum_i k_i r_i m_(k - e_i). Discrete: with
 * Y_i = r_i + Y_i' at the first step, (I - P) m_k = sum_(l < k) prod_i C(k_i, l_i) r_i^(k_i - l_i)
 * P m_l, where P m_l is m_l less the right-hand side of m_l: its rounding error is small beside
 * r^(k - l) m_l and so beside the sum that it enters (Bladt & Nielsen, Matrix-Exponential
 * Distributions in Applied Probability, 2017, on the multivariate phase-type distributions). All
 * indices up to the one asked for are solved, on one factorisation.
 */
#include "workspace.h"

#include <math.h>
#include <string.h>

#include "status.h"

/* Each reward of a positive power at least doubles the number of solutions. */
enum { MOST_REWARDS = 20 };

/* An index is a number of mixed radix: digit i, that of stride[i], is the power of reward i. Where
 * l < k in every digit the number of l is smaller. Index 0 is the constant 1; the solution of index
 * k is number k - 1. */
typedef struct {
    ptd_workspace *ws;
    const uint32_t *vertex;
    int n;                               /* rewards of positive power */
    const double *rewards[MOST_REWARDS]; /* by canonical vertex */
    int32_t powers[MOST_REWARDS];
    int64_t stride[MOST_REWARDS];
    int64_t target; /* the index asked for */
} joint;

static double *solution_of(const joint *j, double *solutions, int64_t index)
{
    return ptd_solution(j->ws, solutions, index - 1);
}

static int32_t digit(const joint *j, int64_t index, int i)
{
    return (int32_t)(index / j->stride[i] % (j->powers[i] + 1));
}

/* The factor with which index `l` enters the right-hand side of index `k`, without rewards; 0:
 * it does not. */
static double ways(const joint *j, int64_t k, int64_t l)
{
    const int discrete = j->ws->meta->kind == PTD_DISCRETE;
    int32_t apart = 0;
    double value = 1;
    for (int i = 0; i < j->n; i++) {
        const int32_t a = digit(j, k, i);
        const int32_t b = digit(j, l, i);
        if (b > a) {
            return 0;
        }
        for (int32_t c = 1; c <= a - b; c++) {
            value = value * (b + c) / c;
        }
        apart += a - b;
    }
    return apart == 0 || (apart > 1 && !discrete) ? 0 : value;
}

/* prod_i r_i^(k_i - l_i) at a position. */
static double reward_power(const joint *j, int64_t k, int64_t l, size_t position)
{
    double value = 1;
    if (position == ptd_start_position(j->ws)) {
        return 0;
    }
    for (int i = 0; i < j->n; i++) {
        const int32_t apart = digit(j, k, i) - digit(j, l, i);
        if (apart > 0) {
            value *= pow(j->rewards[i][j->vertex[position]], apart);
        }
    }
    return value;
}

static void right_hand_side(const joint *j, int64_t k, double *rhs)
{
    const ptd_workspace *ws = j->ws;
    const size_t lanes = (size_t)ws->kernel->lanes;
    const int discrete = ws->meta->kind == PTD_DISCRETE;
    memset(rhs, 0, ws->lanes.n * lanes * sizeof(double));
    for (int64_t l = 0; l < k; l++) {
        const double factor = ways(j, k, l);
        if (factor == 0) {
            continue;
        }
        const double *x = l ? solution_of(j, ws->x, l) : NULL;
        const double *b = l && discrete ? solution_of(j, ws->rhs, l) : NULL;
        for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
            const double coefficient = factor * reward_power(j, k, l, i);
            for (size_t at = i * lanes; at < (i + 1) * lanes; at++) {
                const double next = l == 0 ? 1 : discrete ? x[at] - b[at] : x[at];
                rhs[at] += coefficient * next;
            }
        }
    }
}

static ptd_system system_of(const joint *j, int64_t k)
{
    const ptd_workspace *ws = j->ws;
    return (ptd_system){
        .orders = 1,
        .first_order = 1,
        .reward = ws->reward,
        .rhs = ws->meta->kind == PTD_DISCRETE ? solution_of(j, ws->rhs, k) : ws->rhs,
        .x = solution_of(j, ws->x, k),
        .y = solution_of(j, ws->y, k),
        .keep_y = ws->options.gradient,
    };
}

/* `again`: whether the factors will be needed after this. */
static void solve_all(const joint *j, int again)
{
    ptd_workspace *ws = j->ws;
    for (int64_t k = 1; k <= j->target; k++) {
        const ptd_system system = system_of(j, k);
        double *rhs = ws->meta->kind == PTD_DISCRETE ? solution_of(j, ws->rhs, k) : ws->rhs;
        right_hand_side(j, k, rhs);
        ptd_workspace_set_boundary(ws, system.x, 1, 0, 0);
        if (k == 1) {
            ptd_workspace_factor_and_solve(ws, &system, !again && j->target == 1);
        } else {
            ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
        }
    }
}

/* The cotangent of the right-hand side of index k, once its solve is reversed, takes the place of
 * its solution: right-hand sides are linear in the solutions, which are no longer needed. */
static void gather_cotangent(const joint *j, int64_t l, double *x_bar)
{
    const ptd_workspace *ws = j->ws;
    const size_t lanes = (size_t)ws->kernel->lanes;
    memset(x_bar, 0, ws->lanes.n * lanes * sizeof(double));
    if (l == j->target) {
        for (size_t lane = 0; lane < lanes; lane++) {
            x_bar[ptd_start_position(ws) * lanes + lane] = 1;
        }
    }
    for (int64_t k = l + 1; k <= j->target; k++) {
        const double factor = ways(j, k, l);
        if (factor == 0) {
            continue;
        }
        const double *bar = solution_of(j, ws->x, k);
        for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
            const double coefficient = factor * reward_power(j, k, l, i);
            for (size_t at = i * lanes; at < (i + 1) * lanes; at++) {
                x_bar[at] += coefficient * bar[at];
            }
        }
    }
}

static void gradient_of(const joint *j, int count, double *gradient)
{
    ptd_workspace *ws = j->ws;
    const size_t size = ws->lanes.n * (size_t)ws->kernel->lanes;
    const int discrete = ws->meta->kind == PTD_DISCRETE;
    double *const gathered = ws->x_bar + size;
    ptd_workspace_begin_reverse(ws, j->target == 1 ? PTD_REVERSE_ONLY : PTD_REVERSE_MORE);
    for (int64_t l = j->target; l >= 1; l--) {
        const ptd_system system = system_of(j, l);
        ptd_reverse_step step = l == 1 ? PTD_REVERSE_LAST : PTD_REVERSE_MORE;
        if (j->target == 1) {
            step = PTD_REVERSE_ONLY;
        }
        gather_cotangent(j, l, ws->x_bar);
        memcpy(gathered, ws->x_bar, size * sizeof(double));
        ptd_workspace_reverse(ws, step, &system, ws->x_bar, ws->rhs_bar);
        double *const bar = solution_of(j, ws->x, l);
        for (size_t at = ws->lanes.n_boundary * (size_t)ws->kernel->lanes; at < size; at++) {
            /* l enters the right-hand sides of discrete graphs as x_l - b_l. */
            bar[at] = ws->rhs_bar[at] - (discrete && l < j->target ? gathered[at] : 0);
        }
    }
    ptd_workspace_finish_reverse(ws, count, gradient, ws->meta->n_parameters);
}

/* Takes the rewards of positive power; refuses rewards and powers that are none. */
static ptd_status describe(joint *j, int64_t n_rewards, const double *rewards,
                           const int32_t *powers, ptd_error *error)
{
    ptd_workspace *ws = j->ws;
    int64_t indices = 1;
    for (int64_t i = 0; i < n_rewards; i++) {
        const double *row = rewards + i * ws->meta->n_vertices;
        const ptd_status status = ptd_workspace_set_reward(ws, row, error);
        if (status) {
            return status;
        }
        if (powers[i] < 0 || (powers[i] > 0 && j->n == MOST_REWARDS) ||
            indices * (powers[i] + INT64_C(1)) > ws->options.max_order + INT64_C(1)) {
            return ptd_fail(error, PTD_INVALID_ARGUMENT, 5, powers[i]);
        }
        if (powers[i] > 0) {
            j->rewards[j->n] = row;
            j->powers[j->n] = powers[i];
            j->stride[j->n] = indices;
            j->n++;
        }
        indices *= powers[i] + INT64_C(1);
    }
    j->target = indices - 1;
    return PTD_OK;
}

static ptd_status evaluate_block(const joint *j, const double *thetas, int64_t first, int count,
                                 double *moments, double *gradient, ptd_error *error)
{
    ptd_workspace *ws = j->ws;
    const int64_t P = ws->meta->n_parameters;
    ptd_status status = ptd_workspace_begin(ws, thetas, first, count, error);
    if (status) {
        return status;
    }
    for (int i = 0; i < j->n; i++) {
        const int64_t trap = ptd_workspace_endless(ws, j->rewards[i]);
        if (trap >= 0) {
            ws->failed_theta = first;
            return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, trap, 0);
        }
    }
    if (j->target == 0) {
        ptd_workspace_factor(ws);
    } else {
        solve_all(j, gradient && !ptd_workspace_prefers_refactor(ws));
    }
    status = ptd_workspace_verdict(ws, first, count, error);
    if (status) {
        return status;
    }
    if (gradient && (ws->seen & PTD_SAW_ZERO_PIVOT)) {
        ws->failed_theta = ws->dead_theta;
        return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, ws->dead_vertex, 0);
    }
    const size_t start = ptd_start_position(ws) * (size_t)ws->kernel->lanes;
    for (int lane = 0; lane < count; lane++) {
        moments[lane] = j->target == 0 ? 1 : solution_of(j, ws->x, j->target)[start + (size_t)lane];
    }
    status = ptd_workspace_check_finite(ws, moments, first, count, 1, error);
    if (gradient && !status) {
        memset(gradient, 0, (size_t)(count * P) * sizeof(double));
        if (j->target > 0) {
            gradient_of(j, count, gradient);
        }
        status = ptd_workspace_check_finite(ws, gradient, first, count, P, error);
    }
    return status;
}

ptd_status ptd_joint_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                             int64_t n_rewards, const double *rewards, const int32_t *powers,
                             double *moments, double *gradient, ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const int64_t P = ws->meta->n_parameters;
    joint j = {.ws = ws, .vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data};
    ws->failed_theta = -1;
    if (gradient && !ws->options.gradient) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 7, 0);
    }
    ptd_status status = describe(&j, n_rewards, rewards, powers, error);
    for (int64_t first = 0; first < n_thetas && !status;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        status = evaluate_block(&j, thetas + first * P, first, count, moments + first,
                                gradient ? gradient + first * P : NULL, error);
        first += count;
    }
    return status;
}
