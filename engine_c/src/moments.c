/* Moments: E[Y^k] of the reward accumulated until absorption, and their gradients.
 *
 * Continuous: m_k = k U (r m_{k-1}), U the expected time in each vertex (Bladt & Nielsen,
 * Matrix-Exponential Distributions in Applied Probability, 2017). Several orders are solved in one
 * sweep over the trace. Discrete: with Y = r + Y' at the first step, (I - P) m_k = sum_{l<k} C(k,l)
 * r^(k-l) P m_l; there P m_l = m_l - (right-hand side of order l), a difference whose rounding
 * error is small beside r^(k-l) m_l and so beside the sum it enters. Factorial moments of the
 * number of steps: (I - P) f_k = k P f_{k-1}.
 */
#include "workspace.h"

#include <math.h>
#include <string.h>

#include "moment_jets.h"
#include "status.h"

/* Where order `first` + o of a group is kept: groups of PTD_MAX_FUSED_ORDERS orders follow one
 * another, each n x orders of the group. Discrete traces solve order by order. */
typedef struct {
    int first;  /* 1, 2, .. */
    int orders; /* in the group */
} order_group;

static order_group group_of(const ptd_workspace *ws, int first, int order)
{
    const int widest = ws->meta->kind == PTD_DISCRETE ? 1 : PTD_MAX_FUSED_ORDERS;
    const int left = order - first + 1;
    return (order_group){first, left < widest ? left : widest};
}

static ptd_system system_of(const ptd_workspace *ws, order_group group)
{
    return (ptd_system){
        .orders = group.orders,
        .first_order = group.first,
        .reward = ws->reward,
        .x = ptd_solution(ws, ws->x, group.first - 1),
        .y = ptd_solution(ws, ws->y, group.first - 1),
        .keep_y = ws->options.gradient,
    };
}

static double binomial(int n, int k)
{
    double value = 1;
    for (int i = 1; i <= k; i++) {
        value = value * (n - k + i) / i;
    }
    return value;
}

/* rhs of order `group.first`, from the last order of the group before. */
static void continuous_rhs(ptd_workspace *ws, order_group group, order_group before)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    const double *x = ptd_solution(ws, ws->x, before.first - 1);
    for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
        const double factor = group.first * ws->reward[i];
        const double *last = x + (i * (size_t)before.orders + (size_t)before.orders - 1) * lanes;
        for (size_t lane = 0; lane < lanes; lane++) {
            ws->rhs[i * lanes + lane] = factor * last[lane];
        }
    }
}

/* rhs of order k: kept for every order, as later orders need it. */
static void discrete_rhs(ptd_workspace *ws, int k)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    double *rhs = ptd_solution(ws, ws->rhs, k - 1);
    for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
        const double first = pow(ws->reward[i], k);
        for (size_t lane = 0; lane < lanes; lane++) {
            rhs[i * lanes + lane] = first;
        }
    }
    for (int l = 1; l < k; l++) {
        const double *x = ptd_solution(ws, ws->x, l - 1);
        const double *b = ptd_solution(ws, ws->rhs, l - 1);
        const double ways = binomial(k, l);
        for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
            const double factor = ways * pow(ws->reward[i], k - l);
            for (size_t at = i * lanes; at < (i + 1) * lanes; at++) {
                rhs[at] += factor * (x[at] - b[at]);
            }
        }
    }
}

/* `again`: whether the factors will be needed after this. */
static void solve_orders(ptd_workspace *ws, int order, int again)
{
    order_group before = {0, 0};
    for (int first = 1; first <= order;) {
        const order_group group = group_of(ws, first, order);
        ptd_system system = system_of(ws, group);
        if (ws->meta->kind == PTD_DISCRETE) {
            discrete_rhs(ws, first);
            system.rhs = ptd_solution(ws, ws->rhs, first - 1);
        } else if (first > 1) {
            continuous_rhs(ws, group, before);
            system.rhs = ws->rhs;
        }
        ptd_workspace_set_boundary(ws, system.x, group.orders, 0, 0);
        if (first == 1) {
            ptd_workspace_factor_and_solve(ws, &system, !again && group.orders == order);
        } else {
            ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
        }
        before = group;
        first += group.orders;
    }
}

/* The lanes of order k at a position. */
static const double *moment_at(const ptd_workspace *ws, int k, int order, size_t position)
{
    const int widest = group_of(ws, 1, order).orders;
    const int first = (k - 1) / widest * widest + 1;
    const order_group group = group_of(ws, first, order);
    const double *x = ptd_solution(ws, ws->x, group.first - 1);
    return x + (position * (size_t)group.orders + (size_t)(k - first)) * (size_t)ws->kernel->lanes;
}

static ptd_reverse_step step_of(int solves, int last)
{
    if (solves == 1) {
        return PTD_REVERSE_ONLY;
    }
    return last ? PTD_REVERSE_LAST : PTD_REVERSE_MORE;
}

static void seed_start(ptd_workspace *ws, double *x_bar, int orders, int o)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    memset(x_bar, 0, ws->lanes.n * (size_t)orders * lanes * sizeof(double));
    double *seed = x_bar + (ptd_start_position(ws) * (size_t)orders + (size_t)o) * lanes;
    for (size_t lane = 0; lane < lanes; lane++) {
        seed[lane] = 1;
    }
}

/* Cotangents of order k = 1 at the start, pulled back through groups of orders. */
static void reverse_continuous(ptd_workspace *ws, int k, int order)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    const int last_first = (k - 1) / PTD_MAX_FUSED_ORDERS * PTD_MAX_FUSED_ORDERS + 1;
    double *x_bar = ws->x_bar;
    double *next_bar = ws->x_bar + (size_t)ws->lanes.n * PTD_MAX_FUSED_ORDERS * lanes;
    for (int first = last_first; first >= 1; first -= PTD_MAX_FUSED_ORDERS) {
        const order_group group = group_of(ws, first, order);
        ptd_system system = system_of(ws, group);
        /* Only whether it is NULL counts: the reverse pass does not read right-hand sides. */
        system.rhs = first > 1 ? ws->rhs : NULL;
        if (first == last_first) {
            seed_start(ws, x_bar, group.orders, k - first);
        }
        ptd_workspace_reverse(ws, step_of(last_first / PTD_MAX_FUSED_ORDERS + 1, first == 1),
                              &system, x_bar, first > 1 ? ws->rhs_bar : NULL);
        if (first > 1) {
            const int orders = PTD_MAX_FUSED_ORDERS;
            memset(next_bar, 0, ws->lanes.n * (size_t)orders * lanes * sizeof(double));
            for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
                double *last = next_bar + (i * (size_t)orders + (size_t)orders - 1) * lanes;
                for (size_t lane = 0; lane < lanes; lane++) {
                    last[lane] = first * ws->reward[i] * ws->rhs_bar[i * lanes + lane];
                }
            }
            double *swap = x_bar;
            x_bar = next_bar;
            next_bar = swap;
        }
    }
}

/* The same for discrete traces. The cotangent of rhs of order k reaches all lower orders:
 * x_bar_l and -rhs_bar_l grow by C(k,l) r^(k-l) rhs_bar_k, so that cotangents of all orders are
 * needed at once. They are kept where the solutions' forward values y are not: in a copy of the
 * sweep order by order, each order's cotangent gathered from those above. */
static void reverse_discrete(ptd_workspace *ws, int k, double *rhs_bars)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    for (int l = k; l >= 1; l--) {
        ptd_system system = system_of(ws, (order_group){l, 1});
        double *rhs_bar = ptd_solution(ws, rhs_bars, l - 1);
        if (l == k) {
            seed_start(ws, ws->x_bar, 1, 0);
        } else {
            memset(ws->x_bar, 0, ws->lanes.n * lanes * sizeof(double));
            for (int above = l + 1; above <= k; above++) {
                const double *bar = ptd_solution(ws, rhs_bars, above - 1);
                const double ways = binomial(above, l);
                for (size_t i = ws->lanes.n_boundary; i < ws->lanes.n; i++) {
                    const double factor = ways * pow(ws->reward[i], above - l);
                    for (size_t at = i * lanes; at < (i + 1) * lanes; at++) {
                        ws->x_bar[at] += factor * bar[at];
                    }
                }
            }
        }
        double *gathered = ws->x_bar + (size_t)ws->lanes.n * lanes;
        memcpy(gathered, ws->x_bar, ws->lanes.n * lanes * sizeof(double));
        ptd_workspace_reverse(ws, step_of(k, l == 1), &system, ws->x_bar, rhs_bar);
        if (l < k) {
            for (size_t at = ws->lanes.n_boundary * lanes; at < ws->lanes.n * lanes; at++) {
                rhs_bar[at] -= gathered[at];
            }
        }
    }
}

static void moments_gradient(ptd_workspace *ws, int order, int count, double *gradient)
{
    const int64_t n_parameters = ws->meta->n_parameters;
    for (int k = 1; k <= order; k++) {
        const int solves = ws->meta->kind == PTD_DISCRETE ? k : (k - 1) / PTD_MAX_FUSED_ORDERS + 1;
        ptd_workspace_begin_reverse(ws, step_of(solves, solves == 1));
        if (ws->meta->kind == PTD_DISCRETE) {
            /* The right-hand sides are no longer needed once all orders are solved. */
            reverse_discrete(ws, k, ws->rhs);
        } else {
            reverse_continuous(ws, k, order);
        }
        ptd_workspace_finish_reverse(ws, count, gradient + (k - 1) * n_parameters,
                                     order * n_parameters);
    }
}

/* The probability of reaching a dropped vertex, in x of the first solution. */
static const double *trap_probability(ptd_workspace *ws)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    ptd_system system = system_of(ws, (order_group){1, 1});
    memset(ws->rhs, 0, ws->lanes.n * lanes * sizeof(double));
    system.rhs = ws->rhs;
    system.with_boundary = 1;
    ptd_workspace_set_boundary(ws, system.x, 1, 0, 1);
    ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
    return system.x;
}

typedef struct {
    int vertices; /* whether every vertex is a start */
    int trapped;  /* whether dropped vertices make moments infinite */
    int order;
} moments_request;

static void store_moments(const ptd_workspace *ws, moments_request request, int count,
                          double *moments)
{
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const int64_t n = ws->meta->n_vertices;
    for (int lane = 0; lane < count; lane++) {
        if (request.vertices) {
            for (int64_t i = 0; i < n; i++) {
                moments[lane * n + vertex[i]] =
                    moment_at(ws, request.order, request.order, (size_t)i)[lane];
            }
        } else {
            for (int k = 1; k <= request.order; k++) {
                moments[lane * request.order + k - 1] =
                    moment_at(ws, k, request.order, ptd_start_position(ws))[lane];
            }
        }
    }
}

/* Moments of a block in which a dropped vertex may be reached: infinite where it is. */
static void store_trapped(ptd_workspace *ws, moments_request request, int count, double *moments)
{
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const size_t lanes = (size_t)ws->kernel->lanes;
    const int64_t n = ws->meta->n_vertices;
    const double *trapped = trap_probability(ws);
    for (int lane = 0; lane < count; lane++) {
        if (request.vertices) {
            for (int64_t i = 0; i < n; i++) {
                if (trapped[(size_t)i * lanes + (size_t)lane] > 0) {
                    moments[lane * n + vertex[i]] = INFINITY;
                }
            }
        } else if (trapped[ptd_start_position(ws) * lanes + (size_t)lane] > 0) {
            for (int k = 0; k < request.order; k++) {
                moments[lane * request.order + k] = INFINITY;
            }
        }
    }
}

static ptd_status evaluate(ptd_workspace *ws, moments_request request, int64_t n_thetas,
                           const double *thetas, const double *rewards, double *moments,
                           double *gradient, ptd_error *error)
{
    const int64_t per_theta = request.vertices ? ws->meta->n_vertices : request.order;
    ws->failed_theta = -1;
    if (request.order < 1 || request.order > ws->options.max_order) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 4, request.order);
    }
    if (gradient && !ws->options.gradient) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 6, 0);
    }
    ptd_status status = ptd_workspace_set_reward(ws, rewards, error);
    if (status) {
        return status;
    }
    request.trapped = ptd_workspace_endless(ws, rewards) >= 0;
    for (int64_t first = 0; first < n_thetas;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        double *block = moments + first * per_theta;
        status =
            ptd_workspace_begin(ws, thetas + first * ws->meta->n_parameters, first, count, error);
        if (status) {
            return status;
        }
        const int again = gradient && !ptd_workspace_prefers_refactor(ws);
        solve_orders(ws, request.order, again || request.trapped);
        status = ptd_workspace_verdict(ws, first, count, error);
        if (status) {
            return status;
        }
        store_moments(ws, request, count, block);
        status = ptd_workspace_check_finite(ws, block, first, count, per_theta, error);
        if (status) {
            return status;
        }
        if (gradient) {
            double *rows = gradient + first * request.order * ws->meta->n_parameters;
            if (ws->seen & PTD_SAW_ZERO_PIVOT) {
                ws->failed_theta = ws->dead_theta;
                return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, ws->dead_vertex, 0);
            }
            if (request.trapped) {
                ws->failed_theta = first;
                return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, ptd_workspace_trap(ws), 0);
            }
            moments_gradient(ws, request.order, count, rows);
            status = ptd_workspace_check_finite(ws, rows, first, count,
                                                request.order * ws->meta->n_parameters, error);
            if (status) {
                return status;
            }
        }
        if (request.trapped) {
            store_trapped(ws, request, count, block);
        }
        first += count;
    }
    return PTD_OK;
}

ptd_status ptd_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                       const double *rewards, int32_t order, double *moments, double *gradient,
                       ptd_error *error)
{
    const moments_request request = {.vertices = 0, .order = order};
    return evaluate(workspace, request, n_thetas, thetas, rewards, moments, gradient, error);
}

ptd_status ptd_vertex_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                              const double *rewards, int32_t order, double *moments,
                              double *gradient, ptd_error *error)
{
    const moments_request request = {.vertices = 1, .order = order};
    const ptd_status status =
        evaluate(workspace, request, n_thetas, thetas, rewards, moments, NULL, error);
    return status || !gradient
               ? status
               : ptd_vertex_gradients(workspace, n_thetas, thetas, rewards, order, gradient, error);
}

/* rhs = k P f, f the solution `x` (n lanes); P keeps what does not leave. */
static void factorial_rhs(ptd_workspace *ws, int k, const double *x)
{
    const ptd_lanes *z = &ws->lanes;
    const size_t lanes = (size_t)ws->kernel->lanes;
    for (size_t i = z->n_boundary; i + 1 < z->n; i++) {
        for (size_t lane = 0; lane < lanes; lane++) {
            double leaves = 0;
            double sum = 0;
            for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
                const double weight = z->form[z->edge_form[e] * lanes + lane];
                leaves += weight;
                sum += weight * x[z->edge_target[e] * lanes + lane];
            }
            const double stays = leaves < 1 ? 1 - leaves : 0;
            ws->rhs[i * lanes + lane] = k * (sum + stays * x[i * lanes + lane]);
        }
    }
}

ptd_status ptd_factorial_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                                 int32_t order, double *factorial_moments, double *gradient,
                                 ptd_error *error)
{
    ptd_workspace *ws = workspace;
    ws->failed_theta = -1;
    if (ws->meta->kind != PTD_DISCRETE) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 0, 0);
    }
    if (order < 1) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 3, order);
    }
    ptd_status status = ptd_workspace_set_reward(ws, NULL, error);
    for (int64_t first = 0; first < n_thetas && !status;) {
        const int count = ptd_workspace_take(ws, n_thetas - first);
        double *block = factorial_moments + first * order;
        status =
            ptd_workspace_begin(ws, thetas + first * ws->meta->n_parameters, first, count, error);
        if (status) {
            break;
        }
        ptd_workspace_factor(ws);
        status = ptd_workspace_verdict(ws, first, count, error);
        if (status) {
            break;
        }
        const size_t lanes = (size_t)ws->kernel->lanes;
        ptd_system system = system_of(ws, (order_group){1, 1});
        ptd_workspace_set_boundary(ws, system.x, 1, 0, 0);
        memset(ws->rhs, 0, ws->lanes.n * lanes * sizeof(double));
        for (int k = 1; k <= order; k++) {
            if (k > 1) {
                factorial_rhs(ws, k, system.x);
                system.rhs = ws->rhs;
            }
            ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
            for (int lane = 0; lane < count; lane++) {
                block[lane * order + k - 1] =
                    system.x[ptd_start_position(ws) * lanes + (size_t)lane];
            }
        }
        status = ptd_workspace_check_finite(ws, block, first, count, order, error);
        if (!status && ptd_workspace_trap(ws) >= 0) {
            store_trapped(ws, (moments_request){.order = order}, count, block);
        }
        first += count;
    }
    return status || !gradient
               ? status
               : ptd_factorial_gradients(ws, n_thetas, thetas, order, gradient, error);
}
