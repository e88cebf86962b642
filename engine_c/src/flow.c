/* Flow: weights at theta with their derivatives, as rows of transitions by canonical vertex. */
#include "flow.h"

#include <math.h>
#include <string.h>

#include "double_double.h"
#include "form_jet.h"
#include "memory.h"
#include "status.h"
#include "workspace.h"

/* An implied self-loop this small beside 1, for each weight in the sum, is rounding. */
static const double ROUNDING = 4e-16;

void ptd_flow_release(ptd_flow *flow)
{
    ptd_release(flow->row_start);
    ptd_release(flow->to);
    ptd_release(flow->rate);
    ptd_release(flow->rate_low);
    ptd_release(flow->stay);
    ptd_release(flow->stay_low);
    ptd_release(flow->live);
    memset(flow, 0, sizeof *flow);
}

/* What the value of a form lacks as a double. */
static double form_low(const ptd_lanes *z, uint32_t form)
{
    const double value = z->form[form];
    ptd_double_double exact = {z->form_base[form], 0};
    for (uint32_t e = z->form_start[form]; e < z->form_start[form + 1]; e++) {
        const double theta = z->theta[z->form_parameter[e]];
        exact = ptd_dd_sum(exact, ptd_two_product(z->form_coefficient[e], theta));
    }
    return value > 0 && exact.high > 0 ? (exact.high - value) + exact.low : 0;
}

/* What all passes over the trace need. */
typedef struct {
    const ptd_lanes *z;
    const uint32_t *vertex; /* of a position */
    uint32_t n_absorbing;
    int64_t target;
} source;

static uint32_t column_of(const source *s, const ptd_flow *flow, uint32_t position)
{
    if (position >= s->z->n_boundary) {
        return s->vertex[position];
    }
    if (position >= s->n_absorbing) {
        return ptd_flow_trap(flow);
    }
    return s->target < 0 || s->target == (int64_t)s->vertex[position] ? ptd_flow_goal(flow)
                                                                      : ptd_flow_other(flow);
}

static void fill_row(const source *s, ptd_flow *flow, uint32_t position, double *scratch)
{
    const ptd_lanes *z = s->z;
    const ptd_jet_shape shape = flow->shape;
    const size_t jets = (size_t)shape.jets;
    const uint32_t v = s->vertex[position];
    size_t at = flow->row_start[v];
    double *const leaves = scratch;
    ptd_double_double sum = {0, 0};
    ptd_jet_clear(shape, leaves);
    for (uint32_t e = z->edge_start[position]; e < z->edge_self[position]; e++, at++) {
        flow->to[at] = column_of(s, flow, z->edge_target[e]);
        ptd_form_jet(z, shape, z->edge_form[e], flow->rate + at * jets);
        flow->rate_low[at] = form_low(z, z->edge_form[e]);
        ptd_jet_add(shape, leaves, flow->rate + at * jets);
        sum = ptd_dd_sum(sum, ptd_two_sum(flow->rate[at * jets], flow->rate_low[at]));
    }
    if (flow->stay && v != 0) {
        double self = 0;
        ptd_double_double loops = {0, 0};
        for (uint32_t e = z->edge_self[position]; e < z->edge_start[position + 1]; e++) {
            const double loop = z->form[z->edge_form[e]];
            self += loop;
            loops = ptd_dd_sum(loops, ptd_two_sum(loop, form_low(z, z->edge_form[e])));
        }
        const double terms = 1.0 + z->edge_start[position + 1] - z->edge_start[position];
        const double implied = 1 - leaves[0] - self;
        double *stay = flow->stay + v * jets;
        const ptd_double_double remains =
            implied > terms * ROUNDING ? ptd_dd_subtract((ptd_double_double){1, 0}, sum) : loops;
        stay[0] = remains.high;
        flow->stay_low[v] = remains.low;
        for (size_t k = 1; k < jets; k++) {
            stay[k] = -leaves[k];
        }
    }
}

/* Start weights are relative: divides them by their sum. */
static void normalise_start(ptd_flow *flow, double *scratch)
{
    const ptd_jet_shape shape = flow->shape;
    const size_t jets = (size_t)shape.jets;
    double *sum = scratch, *inverse = scratch + jets, *product = scratch + 2 * jets;
    ptd_double_double whole = {0, 0};
    ptd_jet_clear(shape, sum);
    for (size_t at = 0; at < flow->row_start[1]; at++) {
        ptd_jet_add(shape, sum, flow->rate + at * jets);
        whole = ptd_dd_sum(whole, ptd_two_sum(flow->rate[at * jets], flow->rate_low[at]));
    }
    ptd_jet_inverse(shape, inverse, sum);
    for (size_t at = 0; at < flow->row_start[1]; at++) {
        double *rate = flow->rate + at * jets;
        const ptd_double_double value =
            ptd_dd_divide(ptd_two_sum(rate[0], flow->rate_low[at]), whole);
        ptd_jet_clear(shape, product);
        ptd_jet_add_product(shape, product, rate, inverse);
        memcpy(rate, product, jets * sizeof(double));
        rate[0] = value.high;
        flow->rate_low[at] = value.low;
    }
}

/* The derivatives of a vertex's initial probability, or NULL. */
static const double *start_slope(const ptd_flow *flow, const ptd_chain_options *options, uint32_t v)
{
    return options->start_slope ? options->start_slope + v * (size_t)flow->shape.n_parameters
                                : NULL;
}

/* Whether a vertex is in row 0: a share that is 0 may have a derivative. */
static int is_entered(const ptd_flow *flow, const ptd_chain_options *options, uint32_t v)
{
    const double *slope = start_slope(flow, options, v);
    int entered = options->start[v] > 0;
    for (int p = 0; slope && p < flow->shape.n_parameters; p++) {
        entered |= slope[p] != 0;
    }
    return entered;
}

/* Row 0 from an initial distribution by vertex. */
static void fill_start(const source *s, ptd_flow *flow, const ptd_chain_options *options)
{
    const size_t jets = (size_t)flow->shape.jets;
    size_t at = 0;
    for (uint32_t i = 0; i + 1 < s->z->n; i++) {
        const uint32_t v = s->vertex[i];
        const double *slope = start_slope(flow, options, v);
        if (is_entered(flow, options, v)) {
            flow->to[at] = column_of(s, flow, i);
            ptd_jet_clear(flow->shape, flow->rate + at * jets);
            flow->rate[at * jets] = options->start[v];
            for (int p = 0; slope && p < flow->shape.n_parameters; p++) {
                flow->rate[at * jets + 1 + (size_t)p] = slope[p];
            }
            flow->rate_low[at] = 0;
            at++;
        }
    }
}

/* Marks what the start reaches: over edges of positive weight or, where derivatives are asked for,
 * over all. `queue` has room for n vertices. */
static void mark_live(ptd_flow *flow, uint32_t *queue)
{
    const size_t jets = (size_t)flow->shape.jets;
    uint32_t filled = 1;
    queue[0] = 0;
    flow->live[0] = 1;
    for (uint32_t next = 0; next < filled; next++) {
        const uint32_t v = queue[next];
        for (size_t at = flow->row_start[v]; at < flow->row_start[v + 1]; at++) {
            const uint32_t to = flow->to[at];
            if (to < flow->n && !flow->live[to] &&
                (flow->shape.order > 0 || flow->rate[at * jets] > 0)) {
                flow->live[to] = 1;
                queue[filled++] = to;
            }
        }
    }
}

/* Fails where a vertex that the start reaches over positive weights has no such way to an end; a
 * distribution that is given as the start may be nowhere. */
static ptd_status check_ends(const source *s, const ptd_flow *flow, int is_given, ptd_error *error)
{
    const size_t jets = (size_t)flow->shape.jets;
    ptd_status status = PTD_OK;
    uint8_t *mark = ptd_allocate_zero(flow->n, 1); /* 1: reached, 2: has an end */
    if (!mark) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, flow->n);
    }
    mark[0] = 1;
    /* Positions are in order of solving, ends first, so that a few passes are enough. */
    for (int changed = 1; changed;) {
        changed = 0;
        for (int backward = 0; backward < 2; backward++) {
            for (uint32_t k = s->z->n_boundary; k < s->z->n; k++) {
                const uint32_t v = s->vertex[backward ? k : s->z->n - 1 - (k - s->z->n_boundary)];
                for (size_t at = flow->row_start[v]; at < flow->row_start[v + 1]; at++) {
                    const uint32_t to = flow->to[at];
                    if (!(flow->rate[at * jets] > 0)) {
                        continue;
                    }
                    if (to < flow->n && (mark[v] & 1) && !(mark[to] & 1)) {
                        mark[to] |= 1;
                        changed = 1;
                    }
                    if (!(mark[v] & 2) && (to >= flow->n || (mark[to] & 2))) {
                        mark[v] |= 2;
                        changed = 1;
                    }
                }
            }
        }
    }
    /* The start last: it is only to blame where it leads nowhere. */
    for (uint32_t k = 1; k <= flow->n - (uint32_t)is_given && !status; k++) {
        const uint32_t v = k % flow->n;
        if (mark[v] == 1) {
            status = ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, v, 0);
        }
    }
    ptd_release(mark);
    return status;
}

static ptd_status lay_rows(const source *s, const ptd_chain_options *options, ptd_flow *flow,
                           ptd_error *error)
{
    const ptd_lanes *z = s->z;
    const size_t jets = (size_t)flow->shape.jets;
    flow->row_start = ptd_allocate_zero((size_t)flow->n + 1, sizeof *flow->row_start);
    flow->live = ptd_allocate_zero(flow->n, 1);
    if (!flow->row_start || !flow->live) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, flow->n);
    }
    for (uint32_t i = z->n_boundary; i < z->n; i++) {
        const uint32_t v = s->vertex[i];
        size_t length = z->edge_self[i] - z->edge_start[i];
        if (v == 0 && options->start) {
            length = 0;
            for (uint32_t u = 1; u < flow->n; u++) {
                length += (size_t)is_entered(flow, options, u);
            }
        }
        flow->row_start[v + 1] = length;
    }
    for (uint32_t v = 0; v < flow->n; v++) {
        flow->row_start[v + 1] += flow->row_start[v];
    }
    const size_t edges = flow->row_start[flow->n];
    flow->to = ptd_allocate(edges, sizeof *flow->to);
    flow->rate = ptd_allocate(edges * jets, sizeof *flow->rate);
    flow->rate_low = ptd_allocate(edges, sizeof *flow->rate_low);
    if (!flow->to || !flow->rate || !flow->rate_low) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)edges);
    }
    return PTD_OK;
}

static ptd_status check_start(const ptd_elimination_trace *trace, const ptd_chain_options *options,
                              ptd_error *error)
{
    const double *start = options->start;
    const double *slope = options->start_slope;
    const int64_t derivatives = trace->meta.n_parameters + options->n_directions;
    for (int64_t v = 0; v < trace->meta.n_vertices; v++) {
        if (!(start[v] >= 0 && isfinite(start[v]))) {
            return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, start[v]);
        }
        for (int64_t p = v * derivatives; slope && p < (v + 1) * derivatives; p++) {
            if (!isfinite(slope[p]) || (v == 0 && slope[p] != 0)) {
                return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, slope[p]);
            }
        }
    }
    return start[0] > 0 ? ptd_fail(error, PTD_INVALID_ARGUMENT, 2, start[0]) : PTD_OK;
}

ptd_status ptd_flow_create(const ptd_elimination_trace *trace, const double *theta,
                           const ptd_chain_options *options, ptd_flow *flow, ptd_error *error)
{
    ptd_status status = PTD_OK;
    ptd_workspace *ws = NULL;
    double *scratch = NULL;
    uint32_t *queue = NULL;
    const ptd_workspace_options alone = {.n_thetas = 1};
    memset(flow, 0, sizeof *flow);
    if (options->start) {
        status = check_start(trace, options, error);
        if (status) {
            return status;
        }
    }
    status = ptd_workspace_create(trace, &alone, &ws, error);
    if (status) {
        return status;
    }
    ptd_workspace_take(ws, 1);
    status = ptd_workspace_begin(ws, theta, 0, 1, error);
    if (status) {
        goto out;
    }
    const source s = {.z = &ws->lanes,
                      .vertex = ptd_array_u32(trace->arrays, PTD_POSITION_VERTEX),
                      .n_absorbing = (uint32_t)trace->meta.n_absorbing,
                      .target = options->target};
    const uint32_t start = ws->lanes.n - 1;
    if (!options->start && !(ws->lanes.exit[ws->lanes.exit_of_position[start]] > 0)) {
        status = ptd_fail(error, PTD_START_WEIGHT_ZERO, 0, 0);
        goto out;
    }
    flow->n = ws->lanes.n;
    const int derivatives = (int)(trace->meta.n_parameters + options->n_directions);
    flow->shape = (ptd_jet_shape){.order = options->order,
                                  .n_parameters = derivatives,
                                  .jets = ptd_jets(options->order, derivatives)};
    const size_t jets = (size_t)flow->shape.jets;
    status = lay_rows(&s, options, flow, error);
    if (status) {
        goto out;
    }
    scratch = ptd_allocate(3 * jets, sizeof *scratch);
    queue = ptd_allocate(flow->n, sizeof *queue);
    if (trace->meta.kind == PTD_DISCRETE) {
        flow->stay = ptd_allocate_zero(flow->n * jets, sizeof *flow->stay);
        flow->stay_low = ptd_allocate_zero(flow->n, sizeof *flow->stay_low);
    }
    if (!scratch || !queue ||
        (trace->meta.kind == PTD_DISCRETE && (!flow->stay || !flow->stay_low))) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, flow->n);
        goto out;
    }
    for (uint32_t i = ws->lanes.n_boundary; i < start; i++) {
        fill_row(&s, flow, i, scratch);
    }
    if (options->start) {
        fill_start(&s, flow, options);
    } else {
        fill_row(&s, flow, start, scratch);
        normalise_start(flow, scratch);
    }
    mark_live(flow, queue);
    if (!options->unending) {
        status = check_ends(&s, flow, options->start != NULL, error);
    }
out:
    ptd_release(queue);
    ptd_release(scratch);
    ptd_workspace_destroy(ws);
    if (status) {
        ptd_flow_release(flow);
    }
    return status;
}
