/* Laplace transforms E[exp(-s Y)] and generating functions E[z^Y], with gradients in theta.
 *
 * Continuous: while the chain is in v the integrand falls at rate s r_v, so that the transform u
 * from each vertex solves (M + diag(s r)) u = b, b the weights into absorption: the chain is killed
 * at the rate s r_v, and u is the probability of surviving until absorption. Discrete: every visit
 * of v multiplies by zeta_v = z^(r_v), u = zeta (P u + b), which is the same system with 1/zeta - 1
 * in the place of s r (Bladt & Nielsen, Matrix-Exponential Distributions in Applied Probability,
 * 2017). Several rewards add their shifts. A shift is one more way out of its vertex, so nothing is
 * subtracted. An infinite one is a vertex that is never survived: its solution is 0.
 *
 * Negative shifts -g (s < 0, z > 1) stay on the other side: with A = M + diag(the others),
 * u = sum_k u_k, A u_0 = b, A u_k = g u_(k-1), a series of numbers >= 0 that converges where the
 * transform is finite. The largest of u_k(v) / u_(k-1)(v) over v bounds all later ratios (Collatz
 * 1942, Wielandt 1950), hence what is left of the series; the least bounds them from below.
 */
#include "workspace.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "status.h"

/* One call: pairs of a theta and a point, in the lanes of one block after another. */
typedef struct {
    ptd_workspace *ws;
    int64_t n_points;
    const double *shifts; /* n_points x n_vertices */
} transform_call;

static const double *shift_of(const transform_call *call, int64_t pair)
{
    return call->shifts + pair % call->n_points * call->ws->meta->n_vertices;
}

static ptd_status check_shifts(const transform_call *call, ptd_error *error)
{
    const int64_t length = call->n_points * call->ws->meta->n_vertices;
    for (int64_t k = 0; k < length; k++) {
        if (!(call->shifts[k] > -INFINITY)) {
            return ptd_fail(error, PTD_INVALID_ARGUMENT, 4, call->shifts[k]);
        }
    }
    return PTD_OK;
}

static int passes_time(const ptd_workspace *ws, size_t position)
{
    return position >= ws->lanes.n_boundary && position != ptd_start_position(ws);
}

static int kills(const transform_call *call, int64_t pair)
{
    const int64_t n = call->ws->meta->n_vertices;
    const double *shift = shift_of(call, pair);
    int any = 0;
    for (int64_t v = 0; v < n; v++) {
        any |= shift[v] > DBL_MAX;
    }
    return any;
}

/* How many pairs from `first` on the next block takes. Killed vertices are the same in all lanes,
 * so a pair that has some is alone. */
static int take(const transform_call *call, int64_t first, int64_t n_pairs, int *killed)
{
    ptd_workspace *ws = call->ws;
    *killed = kills(call, first);
    int count = ptd_workspace_take(ws, *killed ? 1 : n_pairs - first);
    for (int lane = 1; lane < count; lane++) {
        if (kills(call, first + lane)) {
            count = lane;
        }
    }
    return count;
}

/* What shifts a block has. */
enum { HAS_POSITIVE = 1, HAS_NEGATIVE = 2 };

/* Shifts of at least 0 into lanes; infinite ones are marked as killed. The sum with what leaves
 * must be finite. */
static ptd_status load_shifts(const transform_call *call, int64_t first, int count, int *has,
                              ptd_error *error)
{
    ptd_workspace *ws = call->ws;
    const ptd_lanes *z = &ws->lanes;
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const int lanes = ws->kernel->lanes;
    const double *shift[PTD_MAX_LANES];
    for (int lane = 0; lane < lanes; lane++) {
        shift[lane] = shift_of(call, first + (lane < count ? lane : count - 1));
    }
    memset(ws->mark, 0, z->n);
    *has = 0;
    for (size_t i = 0; i < z->n; i++) {
        const int timed = passes_time(ws, i);
        const uint32_t exit = z->exit_of_position[i];
        for (int lane = 0; lane < lanes; lane++) {
            const double given = timed ? shift[lane][vertex[i]] : 0;
            const int killed = given > DBL_MAX;
            const double value = given > 0 && !killed ? given : 0;
            const size_t at = (size_t)lane + i * (size_t)lanes;
            *has |= (given > 0 ? HAS_POSITIVE : 0) | (given < 0 ? HAS_NEGATIVE : 0);
            ws->mark[i] |= (uint8_t)killed;
            ws->rhs[at] = value;
            if (exit != PTD_NONE &&
                z->exit[(size_t)exit * (size_t)lanes + (size_t)lane] + value > DBL_MAX) {
                ws->failed_theta = first + lane;
                return ptd_fail(error, PTD_RESULT_OVERFLOW, 0, value);
            }
        }
    }
    return PTD_OK;
}

/* A component without a way out has a pivot of 0, but for its shift. It takes a weight of 0. */
static int any_zero_weight(const ptd_workspace *ws)
{
    const int64_t length = ws->meta->n_forms * ws->kernel->lanes;
    int zero = 0;
    for (int64_t k = 0; k < length; k++) {
        zero |= ws->lanes.form[k] == 0;
    }
    return zero;
}

/* The right-hand side g u of the next term of the series. */
static void series_rhs(const transform_call *call, int64_t first, int count, const double *u,
                       double *rhs)
{
    const ptd_workspace *ws = call->ws;
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const int lanes = ws->kernel->lanes;
    for (int lane = 0; lane < lanes; lane++) {
        const double *shift = shift_of(call, first + (lane < count ? lane : count - 1));
        for (size_t i = 0; i < ws->lanes.n; i++) {
            const size_t at = i * (size_t)lanes + (size_t)lane;
            const int negative = passes_time(ws, i) && shift[vertex[i]] < 0;
            rhs[at] = negative ? -shift[vertex[i]] * u[at] : 0;
        }
    }
}

/* Adds to `sum` (by lane, on entry u_0 at the start) what follows u_0 = system->x, which is used
 * up. A lane whose series has ended takes nothing more. */
static ptd_status add_series(const transform_call *call, ptd_system system, int64_t first,
                             int count, double *sum, ptd_error *error)
{
    enum { MOST_TERMS = 20000 };
    ptd_workspace *ws = call->ws;
    const size_t lanes = (size_t)ws->kernel->lanes;
    const size_t start = ptd_start_position(ws) * lanes;
    const size_t begin = ws->lanes.n_boundary * lanes;
    double *const u = system.x;
    double *const before = ptd_solution(ws, ws->x, 1);
    double *const rhs = ptd_solution(ws, ws->y, 1);
    uint8_t ended[PTD_MAX_LANES] = {0};
    int open = count;
    system.rhs = rhs;
    system.with_boundary = 0;
    for (int k = 0; k < MOST_TERMS && open > 0; k++) {
        memcpy(before, u, ws->lanes.n * lanes * sizeof(double));
        series_rhs(call, first, count, before, rhs);
        if (ws->factors_kept) {
            ws->kernel->solve(&ws->lanes, 0, ws->lanes.n_components, &system);
        } else {
            ptd_workspace_factor_and_solve(ws, &system, 1);
        }
        for (int lane = 0; lane < count; lane++) {
            double least = INFINITY;
            double largest = 0;
            if (ended[lane]) {
                continue;
            }
            for (size_t at = begin + (size_t)lane; at < ws->lanes.n * lanes; at += lanes) {
                if (before[at] > 0) {
                    const double ratio = u[at] / before[at];
                    largest = ratio > largest ? ratio : largest;
                    least = u[at] > 0 && ratio < least ? ratio : least;
                }
            }
            const double term = u[start + (size_t)lane];
            sum[lane] += term;
            if ((least >= 1 && term > 0) || !isfinite(sum[lane])) {
                ws->failed_theta = first + lane;
                return ptd_fail(error, PTD_TRANSFORM_DIVERGES, (first + lane) % call->n_points, 0);
            }
            if (largest < 1 && term * largest <= DBL_EPSILON / 8 * sum[lane] * (1 - largest)) {
                ended[lane] = 1;
                open--;
            }
        }
    }
    for (int lane = 0; lane < count; lane++) {
        if (!ended[lane]) {
            ws->failed_theta = first + lane;
            return ptd_fail(error, PTD_TRANSFORM_DIVERGES, (first + lane) % call->n_points, 1);
        }
    }
    return PTD_OK;
}

static void transform_gradient(ptd_workspace *ws, const ptd_system *system, int count,
                               double *gradient)
{
    const size_t lanes = (size_t)ws->kernel->lanes;
    ptd_workspace_begin_reverse(ws, PTD_REVERSE_ONLY);
    memset(ws->x_bar, 0, ws->lanes.n * lanes * sizeof(double));
    for (size_t lane = 0; lane < lanes; lane++) {
        ws->x_bar[ptd_start_position(ws) * lanes + lane] = 1;
    }
    ptd_workspace_reverse(ws, PTD_REVERSE_ONLY, system, ws->x_bar, NULL);
    ptd_workspace_finish_reverse(ws, count, gradient, ws->meta->n_parameters);
}

/* `count` pairs from `first` on. */
static ptd_status transform_block(const transform_call *call, const double *thetas, int64_t first,
                                  int count, int killed, double *values, double *gradient,
                                  ptd_error *error)
{
    ptd_workspace *ws = call->ws;
    const int64_t P = ws->meta->n_parameters;
    ptd_status status = ptd_workspace_begin_pairs(ws, thetas + first / call->n_points * P,
                                                  call->n_points, first, count, error);
    int has;
    if (!status) {
        status = load_shifts(call, first, count, &has, error);
    }
    if (status) {
        return status;
    }
    const int series = has & HAS_NEGATIVE;
    if (series && gradient) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 6, 0);
    }
    const ptd_system system = {
        .orders = 1,
        .first_order = 1,
        .reward = ws->reward,
        .with_boundary = 1,
        .killed = killed ? ws->mark : NULL,
        .x = ws->x,
        .y = ws->y,
        .keep_y = gradient != NULL,
    };
    ws->lanes.shift = has & HAS_POSITIVE ? ws->rhs : NULL;
    if (any_zero_weight(ws)) {
        ws->seen |= PTD_SAW_ZERO_PIVOT;
    }
    ptd_workspace_set_boundary(ws, system.x, 1, 1, 0);
    ptd_workspace_factor_and_solve(ws, &system,
                                   gradient ? ptd_workspace_prefers_refactor(ws) : !series);
    const size_t lanes = (size_t)ws->kernel->lanes;
    for (int lane = 0; lane < count; lane++) {
        values[first + lane] = system.x[ptd_start_position(ws) * lanes + (size_t)lane];
    }
    if (gradient) {
        transform_gradient(ws, &system, count, gradient + first * P);
    }
    if (series) {
        status = add_series(call, system, first, count, values + first, error);
        if (status) {
            return status;
        }
    }
    /* Last, for the verdict may use the marks of killed vertices for its own. */
    status = ptd_workspace_verdict(ws, first, count, error);
    if (status) {
        return status;
    }
    if (gradient && (ws->seen & PTD_SAW_ZERO_PIVOT)) {
        ws->failed_theta = ws->dead_theta;
        return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, ws->dead_vertex, 0);
    }
    status = ptd_workspace_check_finite(ws, values + first, first, count, 1, error);
    if (gradient && !status) {
        status = ptd_workspace_check_finite(ws, gradient + first * P, first, count, P, error);
    }
    return status;
}

ptd_status ptd_transform(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                         int64_t n_points, const double *shifts, double *values, double *gradient,
                         ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const transform_call call = {ws, n_points, shifts};
    ws->failed_theta = -1;
    if (n_points < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 3, (double)n_points);
    }
    if (gradient && !ws->options.gradient) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 6, 0);
    }
    ptd_status status = check_shifts(&call, error);
    memset(ws->reward, 0, ws->lanes.n * sizeof(double));
    for (int64_t first = 0; first < n_thetas * n_points && !status;) {
        int killed;
        const int count = take(&call, first, n_thetas * n_points, &killed);
        status = transform_block(&call, thetas, first, count, killed, values, gradient, error);
        first += count;
    }
    if (ws->failed_theta >= 0) {
        ws->failed_theta /= n_points;
    }
    return status;
}
