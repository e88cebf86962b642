/* Sampler: the graph at one theta made ready for walking (walk.h), and what is asked of walks.
 *
 * Weights at theta become one record and one alias table a vertex. A continuous vertex of rate d
 * has the scale 1/d; a discrete one that is left with probability p has -1 / log(1 - p), 0 where it
 * is left at once. Self-loops need no more: those of discrete graphs, written or implied, are what
 * p lacks to 1. Whether theta is good is for the elimination to say, as it does for moments; it
 * also gives the expected number of moves, the sum of sojourn time x rate.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "memory.h"
#include "random.h"
#include "status.h"
#include "walk.h"
#include "workspace.h"

struct ptd_sampler {
    const ptd_elimination_trace *trace;
    const uint32_t *vertex; /* n, by position */
    ptd_walk *walk;
    ptd_walk_chain chain;
    double expected_moves;
};

/* What making the tables needs for a while. */
typedef struct {
    double *sojourn; /* n_vertices */
    double *weight;  /* most successors of a vertex, as are the next three */
    uint32_t *target;
    double *share;
    uint32_t *order;
} scratch;

static ptd_status allocate(ptd_sampler *sampler, scratch *s, const ptd_trace_meta *meta,
                           ptd_error *error)
{
    ptd_walk_chain *chain = &sampler->chain;
    const uint32_t *edge_start = ptd_array_u32(sampler->trace->arrays, PTD_EDGE_START);
    const size_t n = (size_t)meta->n_vertices;
    const size_t edges = (size_t)meta->n_edges;
    size_t most = 1;
    for (size_t i = 0; i < n; i++) {
        const size_t degree = edge_start[i + 1] - edge_start[i];
        most = degree > most ? degree : most;
    }
    chain->vertex = ptd_allocate_zero(n, sizeof *chain->vertex);
    chain->alias = ptd_allocate(edges, sizeof *chain->alias);
    chain->end = ptd_allocate((size_t)(meta->n_absorbing + meta->n_dropped), sizeof *chain->end);
    s->sojourn = ptd_allocate(n, sizeof *s->sojourn);
    s->weight = ptd_allocate(most, sizeof *s->weight);
    s->target = ptd_allocate(most, sizeof *s->target);
    s->share = ptd_allocate(most, sizeof *s->share);
    s->order = ptd_allocate(most, sizeof *s->order);
    if (!chain->vertex || !chain->alias || !chain->end || !s->sojourn || !s->weight || !s->target ||
        !s->share || !s->order) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0);
    }
    return PTD_OK;
}

static double scale_of(int discrete, double total)
{
    if (!discrete) {
        return 1 / total;
    }
    return total < 1 ? 1 / ptd_minus_log_complement(total) : 0;
}

/* Records and tables from the weights that the workspace holds. */
static ptd_status fill(ptd_sampler *sampler, const ptd_workspace *ws, scratch *s, ptd_error *error)
{
    ptd_walk_chain *chain = &sampler->chain;
    const ptd_lanes *z = &ws->lanes;
    uint32_t filled = 0;
    for (uint32_t i = 0; i < z->n_boundary; i++) {
        chain->end[i] = i < chain->n_absorbing ? (int64_t)sampler->vertex[i] : -1;
    }
    for (uint32_t i = z->n_boundary; i < z->n; i++) {
        ptd_walk_vertex *vertex = &chain->vertex[i];
        const int is_start = i + 1 == z->n;
        double total = 0;
        vertex->first = filled;
        for (uint32_t e = z->edge_start[i]; e < z->edge_self[i]; e++) {
            const double weight = z->form[z->edge_form[e]];
            if (weight > 0) {
                s->weight[vertex->count] = weight;
                s->target[vertex->count++] = z->edge_target[e];
                total += weight;
            }
        }
        if (vertex->count == 0) {
            continue; /* at this theta nothing leads here: the elimination has seen to it */
        }
        vertex->scale = is_start ? 0 : scale_of(chain->discrete, total);
        if (!(total <= DBL_MAX && vertex->scale <= DBL_MAX)) {
            return ptd_fail(error, PTD_RESULT_OVERFLOW, 0, total);
        }
        ptd_alias_build(vertex->count, s->weight, s->target, total, chain->alias + filled, s->share,
                        s->order);
        filled += vertex->count;
        sampler->expected_moves += is_start ? 1 : s->sojourn[sampler->vertex[i]] * total;
    }
    return PTD_OK;
}

ptd_status ptd_sampler_create(const ptd_elimination_trace *trace, const double *theta,
                              const char *instruction_set, ptd_sampler **sampler, ptd_error *error)
{
    const ptd_trace_meta *meta = &trace->meta;
    const ptd_workspace_options options = {.n_thetas = 1, .instruction_set = instruction_set};
    ptd_status status = PTD_OK;
    ptd_workspace *ws = NULL;
    ptd_sampler *made = NULL;
    scratch s = {0};
    *sampler = NULL;
    if (!ptd_kernel_select(instruction_set)) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 2, 0);
    }
    made = ptd_allocate_zero(1, sizeof *made);
    if (!made) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)sizeof *made);
    }
    made->trace = trace;
    made->vertex = ptd_array_u32(trace->arrays, PTD_POSITION_VERTEX);
    made->walk = ptd_kernel_select(instruction_set)->walk;
    made->chain.discrete = meta->kind == PTD_DISCRETE;
    made->chain.n = (uint32_t)meta->n_vertices;
    made->chain.n_absorbing = (uint32_t)meta->n_absorbing;
    made->chain.n_boundary = (uint32_t)(meta->n_absorbing + meta->n_dropped);
    status = allocate(made, &s, meta, error);
    if (!status) {
        status = ptd_workspace_create(trace, &options, &ws, error);
    }
    if (!status) {
        status = ptd_expected_sojourn(ws, 1, theta, s.sojourn, error);
    }
    if (!status) {
        status = fill(made, ws, &s, error);
    }
    if (!status) {
        *sampler = made;
        made = NULL;
    }
    ptd_workspace_destroy(ws);
    ptd_release(s.sojourn);
    ptd_release(s.weight);
    ptd_release(s.target);
    ptd_release(s.share);
    ptd_release(s.order);
    ptd_sampler_destroy(made);
    return status;
}

void ptd_sampler_destroy(ptd_sampler *sampler)
{
    if (sampler) {
        ptd_release(sampler->chain.vertex);
        ptd_release(sampler->chain.alias);
        ptd_release(sampler->chain.end);
        ptd_release(sampler);
    }
}

double ptd_sampler_expected_moves(const ptd_sampler *sampler)
{
    return sampler->expected_moves;
}

/* rewards (n_rewards x n_vertices) by position, as ptd_walk_order has them. */
static ptd_status place_rewards(const ptd_sampler *sampler, int64_t n_rewards,
                                const double *rewards, double *placed, ptd_error *error)
{
    const ptd_walk_chain *chain = &sampler->chain;
    const int64_t n = chain->n;
    for (int64_t k = 0; k < n_rewards * n; k++) {
        if (!(rewards[k] >= 0 && rewards[k] <= DBL_MAX)) {
            return ptd_fail(error, PTD_REWARD_INVALID, k % n, rewards[k]);
        }
    }
    for (int64_t r = 0; r < n_rewards; r++) {
        double trapped = 0;
        for (int64_t i = chain->n_absorbing; i < chain->n_boundary; i++) {
            if (rewards[r * n + sampler->vertex[i]] > 0) {
                trapped = INFINITY;
            }
        }
        for (int64_t i = 0; i < n; i++) {
            double reward = rewards[r * n + sampler->vertex[i]];
            if (i < chain->n_boundary || i + 1 == n) {
                reward = i >= chain->n_absorbing && i + 1 < n ? trapped : 0;
            }
            placed[i * n_rewards + r] = reward;
        }
    }
    return PTD_OK;
}

ptd_status ptd_sample_times(const ptd_sampler *sampler, uint64_t seed, int64_t first, int64_t count,
                            int64_t n_rewards, const double *rewards, double *values,
                            int64_t *final_vertex, ptd_error *error)
{
    ptd_status status = PTD_OK;
    double *placed = NULL;
    if (first < 0 || count < 0 || first > INT64_MAX - count) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, first < 0 ? 2 : 3, 0);
    }
    if (n_rewards < 0 || (n_rewards > 0) != (rewards != NULL) ||
        n_rewards > INT64_MAX / sampler->chain.n) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 4, (double)n_rewards);
    }
    if (rewards) {
        placed = ptd_allocate((size_t)(n_rewards * sampler->chain.n), sizeof *placed);
        if (!placed) {
            status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)n_rewards * sampler->chain.n);
            goto out;
        }
        status = place_rewards(sampler, n_rewards, rewards, placed, error);
        if (status) {
            goto out;
        }
    }
    const ptd_walk_order order = {
        .seed = seed,
        .first = (uint64_t)first,
        .count = (uint64_t)count,
        .n_rewards = (uint64_t)n_rewards,
        .rewards = placed,
        .values = values,
        .final_vertex = final_vertex,
    };
    if (!sampler->walk(&sampler->chain, &order)) {
        status = ptd_fail(error, PTD_RESULT_OVERFLOW, 0, 0);
    }
out:
    ptd_release(placed);
    return status;
}

ptd_status ptd_sample_path(const ptd_sampler *sampler, uint64_t seed, int64_t number,
                           int64_t capacity, int64_t *vertices, double *times, int64_t *length,
                           ptd_error *error)
{
    const ptd_walk_chain *chain = &sampler->chain;
    const ptd_walk_vertex *start = &chain->vertex[chain->n - 1];
    uint64_t word[2];
    double time = 0;
    int64_t passed = 0;
    if (number < 0 || capacity < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, number < 0 ? 2 : 3, 0);
    }
    ptd_random_block(seed, (uint64_t)number, 0, word);
    uint32_t here = ptd_walk_on(chain, start, word[1]);
    for (uint64_t step = 1;; step++) {
        if (passed < capacity) {
            vertices[passed] = sampler->vertex[here];
            times[passed] = time;
        }
        passed++;
        if (here < chain->n_boundary) {
            break;
        }
        const ptd_walk_vertex *vertex = &chain->vertex[here];
        ptd_random_block(seed, (uint64_t)number, step, word);
        time += ptd_walk_stay(chain, vertex, ptd_random_exponential(word[0]));
        here = ptd_walk_on(chain, vertex, word[1]);
    }
    if (!(time <= DBL_MAX)) {
        return ptd_fail(error, PTD_RESULT_OVERFLOW, 0, time);
    }
    *length = passed;
    return PTD_OK;
}
