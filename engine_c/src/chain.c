/* Chain: states, rates between them and rates into absorption, from the flow at one theta. */
#include "chain.h"

#include <math.h>
#include <string.h>

#include "double_double.h"
#include "flow.h"
#include "memory.h"
#include "status.h"

/* Rewards of a discrete graph unfold into states: beyond so many they are refused. */
static const double MOST_STATES = 1e8;

void ptd_chain_destroy(ptd_chain *chain)
{
    if (chain) {
        ptd_release(chain->vertex);
        ptd_release(chain->alpha);
        ptd_release(chain->atom);
        ptd_release(chain->out);
        ptd_release(chain->stay);
        ptd_release(chain->exit);
        ptd_release(chain->elsewhere);
        ptd_release(chain->in_start);
        ptd_release(chain->in_from);
        ptd_release(chain->in_rate);
        ptd_release(chain->out_low);
        ptd_release(chain->stay_low);
        ptd_release(chain->in_low);
        ptd_release(chain->theta);
        ptd_release(chain->reward);
        ptd_release(chain->start);
        ptd_release(chain->start_slope);
        ptd_release(chain);
    }
}

double ptd_chain_fastest(const ptd_chain *chain)
{
    return chain->fastest;
}

void ptd_chain_get_view(const ptd_chain *chain, ptd_chain_view *view)
{
    *view = (ptd_chain_view){.n = chain->n,
                             .n_edges = chain->n_edges,
                             .trap = chain->trap,
                             .jets = chain->jets,
                             .vertex = chain->vertex,
                             .alpha = chain->alpha,
                             .out = chain->out,
                             .stay = chain->stay,
                             .exit = chain->exit,
                             .in_start = chain->in_start,
                             .in_from = chain->in_from,
                             .in_rate = chain->in_rate};
}

void ptd_chain_at_zero(const ptd_chain *chain, ptd_function function, double *jet)
{
    const ptd_jet_shape shape = {chain->order, chain->n_parameters, chain->jets};
    const size_t jets = (size_t)chain->jets;
    ptd_jet_clear(shape, jet);
    if (function == PTD_DISTRIBUTION) {
        ptd_jet_add(shape, jet, chain->atom);
    }
    for (size_t s = 0; s < (size_t)chain->n; s++) {
        if (function == PTD_DENSITY) {
            ptd_jet_add_product(shape, jet, chain->alpha + s * jets, chain->exit + s * jets);
        } else if (function == PTD_SURVIVAL) {
            ptd_jet_add(shape, jet, chain->alpha + s * jets);
        }
    }
}

static ptd_status check_options(const ptd_elimination_trace *trace,
                                const ptd_chain_options *options, ptd_error *error)
{
    if (options->order < 0 || options->order > 2) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, options->order);
    }
    const int sloped = options->n_directions != 0 || options->start_slope;
    if (options->n_directions < 0 || (sloped && (options->order != 1 || !options->start))) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, (double)options->n_directions);
    }
    if (options->target >= 0) {
        const uint32_t *vertex = ptd_array_u32(trace->arrays, PTD_POSITION_VERTEX);
        int64_t i = 0;
        while (i < trace->meta.n_absorbing && (int64_t)vertex[i] != options->target) {
            i++;
        }
        if (i == trace->meta.n_absorbing) {
            return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, (double)options->target);
        }
    }
    for (int64_t v = 0; options->rewards && v < trace->meta.n_vertices; v++) {
        const double reward = options->rewards[v];
        if (!(reward >= 0 && isfinite(reward))) {
            return ptd_fail(error, PTD_REWARD_INVALID, v, reward);
        }
        if (trace->meta.kind == PTD_DISCRETE && reward != floor(reward)) {
            return ptd_fail(error, PTD_REWARD_NOT_WHOLE, v, reward);
        }
    }
    return PTD_OK;
}

static int copy_doubles(double **copy, const double *values, size_t count)
{
    if (!values) {
        return 1;
    }
    *copy = ptd_allocate(count, sizeof **copy);
    if (*copy && count > 0) {
        memcpy(*copy, values, count * sizeof **copy);
    }
    return *copy != NULL;
}

/* Takes the vertices without reward out of the flow. */
static ptd_status drop_timeless(ptd_flow *flow, const ptd_elimination_trace *trace,
                                const double *rewards, ptd_error *error)
{
    ptd_status status = PTD_OK;
    int any = 0;
    uint8_t *timeless = ptd_allocate_zero(flow->n, 1);
    if (!timeless) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, flow->n);
    }
    for (uint32_t v = 1; v < flow->n; v++) {
        timeless[v] = rewards[v] == 0;
        any |= timeless[v] && flow->live[v];
    }
    if (any) {
        status = ptd_flow_eliminate(flow, trace, timeless, error);
    }
    ptd_release(timeless);
    return status;
}

/* How the states of a chain come out of vertices. */
typedef struct {
    const ptd_flow *flow;
    const double *speed; /* continuous: reward by vertex, or NULL */
    uint32_t *first;     /* n + 3, by column of the flow: first state of a vertex; PTD_NONE */
    uint32_t *copies;    /* n: states of a vertex; 0: it has none */
} unfolding;

static ptd_status number_states(unfolding *u, const ptd_chain *chain, int64_t *count,
                                ptd_error *error)
{
    const ptd_flow *flow = u->flow;
    double states = 0;
    int trap = 0;
    u->first = ptd_allocate((size_t)flow->n + 3, sizeof *u->first);
    u->copies = ptd_allocate_zero(flow->n, sizeof *u->copies);
    if (!u->first || !u->copies) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, flow->n);
    }
    for (uint32_t v = 0; v < flow->n + 3; v++) {
        u->first[v] = PTD_NONE;
    }
    for (uint32_t v = 0; v < flow->n; v++) {
        if (!flow->live[v]) {
            continue;
        }
        for (size_t at = flow->row_start[v]; at < flow->row_start[v + 1]; at++) {
            trap |= flow->to[at] == ptd_flow_trap(flow);
        }
        if (v == 0) {
            continue;
        }
        const double copies = chain->discrete && chain->reward ? chain->reward[v] : 1;
        if (!(states + copies <= MOST_STATES)) {
            return ptd_fail(error, PTD_NO_MEMORY, 0, (states + copies) * sizeof(double));
        }
        u->first[v] = (uint32_t)states;
        u->copies[v] = (uint32_t)copies;
        states += copies;
    }
    if (trap) {
        u->first[ptd_flow_trap(flow)] = (uint32_t)states;
        states += 1;
    }
    *count = (int64_t)states;
    return PTD_OK;
}

/* Each transition of the chain, from state to state, in ascending order of where it begins. */
typedef struct {
    int filling;  /* else counting */
    size_t *next; /* n: by state entered, where its next edge goes */
} edges;

/* What rate / scale lacks as a double, where `rate` lacks `low`. */
static double quotient_low(double rate, double low, double scale)
{
    const ptd_double_double exact =
        ptd_dd_divide(ptd_two_sum(rate, low), (ptd_double_double){scale, 0});
    return (exact.high - rate / scale) + exact.low;
}

static void edge(ptd_chain *chain, edges *e, uint32_t from, uint32_t to, const double *rate,
                 double low, double scale)
{
    const size_t jets = (size_t)chain->jets;
    if (!e->filling) {
        chain->in_start[to + 1]++;
        return;
    }
    const size_t at = e->next[to]++;
    chain->in_from[at] = from;
    for (size_t k = 0; k < jets; k++) {
        chain->in_rate[at * jets + k] = rate[k] / scale;
    }
    chain->in_low[at] = quotient_low(rate[0], low, scale);
}

/* The transitions of a vertex: through its states in a row, and on from the last of them. */
static void unfold(ptd_chain *chain, const unfolding *u, edges *e, uint32_t v, const double *one)
{
    const ptd_flow *flow = u->flow;
    const size_t jets = (size_t)chain->jets;
    const uint32_t first = u->first[v];
    const uint32_t last = first + u->copies[v] - 1;
    const double scale = u->speed ? u->speed[v] : 1;
    for (uint32_t s = first; s < last; s++) {
        edge(chain, e, s, s + 1, one, 0, 1);
        chain->out[s * jets] = 1;
    }
    double *out = chain->out + last * jets;
    double *exit = chain->exit + last * jets;
    ptd_double_double leaving = {0, 0}, ending = {0, 0};
    ptd_jet_clear(flow->shape, out);
    ptd_jet_clear(flow->shape, exit);
    if (chain->elsewhere) {
        ptd_jet_clear(flow->shape, chain->elsewhere + last * jets);
    }
    for (size_t at = flow->row_start[v]; at < flow->row_start[v + 1]; at++) {
        const uint32_t to = flow->to[at];
        const double *rate = flow->rate + at * jets;
        const double low = flow->rate_low[at];
        leaving =
            ptd_dd_sum(leaving, ptd_two_sum(rate[0] / scale, quotient_low(rate[0], low, scale)));
        if (to == ptd_flow_goal(flow)) {
            ending = ptd_dd_add(ending, rate[0] / scale);
        }
        for (size_t k = 0; k < jets; k++) {
            out[k] += rate[k] / scale;
            exit[k] += to == ptd_flow_goal(flow) ? rate[k] / scale : 0;
            if (chain->elsewhere && to == ptd_flow_other(flow)) {
                chain->elsewhere[last * jets + k] += rate[k] / scale;
            }
        }
        if (u->first[to] != PTD_NONE) {
            edge(chain, e, last, u->first[to], rate, low, scale);
        }
    }
    if (chain->discrete) {
        const double *stay = flow->stay + v * jets;
        if (first == last) {
            memcpy(chain->stay + last * jets, stay, jets * sizeof(double));
            chain->stay_low[last] = flow->stay_low[v];
        } else if (stay[0] > 0 || chain->order > 0) {
            edge(chain, e, last, first, stay, flow->stay_low[v], 1);
            ptd_jet_add(flow->shape, out, stay);
            leaving = ptd_dd_sum(leaving, ptd_two_sum(stay[0], flow->stay_low[v]));
            chain->acyclic = 0;
        }
    }
    out[0] = leaving.high;
    exit[0] = ending.high;
    chain->out_low[last] = leaving.low;
}

static void unfold_all(ptd_chain *chain, const unfolding *u, edges *e, const double *one)
{
    for (uint32_t v = 1; v < u->flow->n; v++) {
        if (u->copies[v] > 0) {
            unfold(chain, u, e, v, one);
        }
    }
}

static void enter(ptd_chain *chain, const unfolding *u)
{
    const ptd_flow *flow = u->flow;
    const size_t jets = (size_t)chain->jets;
    for (size_t at = 0; at < flow->row_start[1]; at++) {
        const uint32_t to = flow->to[at];
        const double *share = flow->rate + at * jets;
        if (to == ptd_flow_goal(flow)) {
            ptd_jet_add(flow->shape, chain->atom, share);
        } else if (u->first[to] != PTD_NONE) {
            ptd_jet_add(flow->shape, chain->alpha + u->first[to] * jets, share);
        }
    }
}

static int allocate_states(ptd_chain *chain, int64_t count)
{
    const size_t n = (size_t)count;
    const size_t jets = (size_t)chain->jets;
    chain->n = count;
    chain->vertex = ptd_allocate(n, sizeof *chain->vertex);
    chain->alpha = ptd_allocate_zero(n * jets, sizeof(double));
    chain->atom = ptd_allocate_zero(jets, sizeof(double));
    chain->out = ptd_allocate_zero(n * jets, sizeof(double));
    chain->out_low = ptd_allocate_zero(n, sizeof(double));
    chain->exit = ptd_allocate_zero(n * jets, sizeof(double));
    chain->in_start = ptd_allocate_zero(n + 1, sizeof *chain->in_start);
    if (chain->discrete) {
        chain->stay = ptd_allocate_zero(n * jets, sizeof(double));
        chain->stay_low = ptd_allocate_zero(n, sizeof(double));
    }
    if (chain->target >= 0) {
        chain->elsewhere = ptd_allocate_zero(n * jets, sizeof(double));
    }
    return chain->vertex && chain->alpha && chain->atom && chain->out && chain->exit &&
           chain->in_start && (!chain->discrete || chain->stay) && chain->out_low &&
           (!chain->discrete || chain->stay_low) && (chain->target < 0 || chain->elsewhere);
}

static ptd_status build(ptd_chain *chain, unfolding *u, ptd_error *error)
{
    const size_t jets = (size_t)chain->jets;
    int64_t count = 0;
    ptd_status status = number_states(u, chain, &count, error);
    edges e = {0};
    double *one = ptd_allocate_zero(jets, sizeof *one);
    if (status) {
        goto out;
    }
    if (!one || !allocate_states(chain, count)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)count);
        goto out;
    }
    one[0] = 1;
    unfold_all(chain, u, &e, one);
    e.filling = 1;
    e.next = ptd_allocate((size_t)count, sizeof *e.next);
    for (int64_t s = 0; s < count; s++) {
        chain->in_start[s + 1] += chain->in_start[s];
    }
    chain->n_edges = chain->in_start[count];
    chain->in_from = ptd_allocate((size_t)chain->n_edges, sizeof *chain->in_from);
    chain->in_rate = ptd_allocate((size_t)chain->n_edges * jets, sizeof *chain->in_rate);
    chain->in_low = ptd_allocate((size_t)chain->n_edges, sizeof *chain->in_low);
    if (!e.next || !chain->in_from || !chain->in_rate || !chain->in_low) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)chain->n_edges);
        goto out;
    }
    for (int64_t s = 0; s < count; s++) {
        e.next[s] = chain->in_start[s];
        chain->vertex[s] = PTD_NONE;
    }
    unfold_all(chain, u, &e, one);
    enter(chain, u);
    for (uint32_t v = 1; v < u->flow->n; v++) {
        for (uint32_t s = 0; s < u->copies[v]; s++) {
            chain->vertex[u->first[v] + s] = v;
        }
    }
    chain->trap = -1;
    if (u->first[ptd_flow_trap(u->flow)] != PTD_NONE) {
        chain->trap = u->first[ptd_flow_trap(u->flow)];
        if (chain->discrete) {
            chain->stay[(size_t)chain->trap * jets] = 1;
        }
    }
    int in_range = 1;
    for (int64_t s = 0; s < count; s++) {
        const double out = chain->out[(size_t)s * jets];
        in_range &= isfinite(out) != 0; /* a rate over a tiny reward may not be */
        chain->fastest = fmax(chain->fastest, out);
    }
    status =
        in_range ? ptd_chain_find_reach(chain, error) : ptd_fail(error, PTD_RESULT_OVERFLOW, 0, 0);
out:
    ptd_release(e.next);
    ptd_release(one);
    return status;
}

ptd_status ptd_chain_create(const ptd_elimination_trace *trace, const double *theta,
                            const ptd_chain_options *options, ptd_chain **chain, ptd_error *error)
{
    const size_t n_vertices = (size_t)trace->meta.n_vertices;
    ptd_flow flow = {0};
    unfolding u = {.flow = &flow};
    ptd_chain *made = NULL;
    *chain = NULL;
    ptd_status status = check_options(trace, options, error);
    if (status) {
        return status;
    }
    made = ptd_allocate_zero(1, sizeof *made);
    if (!made) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)sizeof *made);
    }
    made->trace = trace;
    made->discrete = trace->meta.kind == PTD_DISCRETE;
    made->order = options->order;
    made->n_parameters = (int)(trace->meta.n_parameters + options->n_directions);
    made->jets = ptd_jets(made->order, made->n_parameters);
    made->acyclic = trace->meta.n_blocks == 0;
    made->target = options->target;
    if (!copy_doubles(&made->theta, theta, (size_t)trace->meta.n_parameters) ||
        !copy_doubles(&made->reward, options->rewards, n_vertices) ||
        !copy_doubles(&made->start, options->start, n_vertices) ||
        !copy_doubles(&made->start_slope, options->start_slope,
                      n_vertices * (size_t)made->n_parameters)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)n_vertices);
        goto out;
    }
    status = ptd_flow_create(trace, theta, options, &flow, error);
    if (status) {
        goto out;
    }
    if (options->rewards) {
        status = drop_timeless(&flow, trace, options->rewards, error);
        if (status) {
            goto out;
        }
        u.speed = made->discrete ? NULL : made->reward;
    }
    status = build(made, &u, error);
    if (status) {
        goto out;
    }
    *chain = made;
    made = NULL;
out:
    ptd_release(u.first);
    ptd_release(u.copies);
    ptd_flow_release(&flow);
    ptd_chain_destroy(made);
    return status;
}
