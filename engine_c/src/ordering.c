/* Ordering of one component: the best of several, by the multiply-adds that each would cost.
 *
 * Greedy orders (least degree, least fill) are found in near-linear time and are the best on small,
 * irregular and tree-like patterns. Large lattices gain from nested dissection: its separators are
 * put off, all of them together, and both stages are ordered greedily (C. Ashcraft and J. W. H.
 * Liu, Robust ordering of sparse matrices using multisection, SIAM J. Matrix Anal. Appl. 19, 1998).
 * How many levels of separators are worth it is tried out.
 *
 * How much is tried depends on counts of work, never on clocks: the effort stays in proportion to
 * the cost of one evaluation, and small or cheap components are done after the first attempts.
 */
#include "ordering.h"

#include <string.h>

#include "dissection.h"
#include "elimination_tree.h"
#include "memory.h"
#include "quotient_graph.h"
#include "status.h"

enum {
    LEAF = 60,
    MOST_TRIALS = 4,
    MOST_DISSECTIONS = 6,
    DISSECTION_WORK = 70,   /* about so much for each entry, trial by trial */
    MULTIPLY_ADDS_A_WORK = 2, /* for so many multiply-adds, one entry may be looked at */
};

typedef struct {
    ptd_undirected graph;
    int64_t entries;
    int32_t *best;
    int64_t best_cost; /* on the symmetric pattern, hubs left out */
    int32_t *attempt;
    int32_t *stage;
    int32_t *late; /* stage 1: separators of the levels that are put off */
    int64_t work;
} portfolio;

static int allocate(portfolio *p, int32_t n)
{
    p->best = ptd_allocate((size_t)n, sizeof *p->best);
    p->attempt = ptd_allocate((size_t)n, sizeof *p->attempt);
    p->stage = ptd_allocate((size_t)n, sizeof *p->stage);
    p->late = ptd_allocate((size_t)n, sizeof *p->late);
    p->best_cost = INT64_MAX;
    return p->best && p->attempt && p->stage && p->late;
}

static void release(portfolio *p)
{
    ptd_undirected_destroy(&p->graph);
    ptd_release(p->best);
    ptd_release(p->attempt);
    ptd_release(p->stage);
    ptd_release(p->late);
}

/* One greedy order, kept if it is the best so far. */
static ptd_status attempt(portfolio *p, ptd_greedy_rule rule, const int32_t *stage, int64_t *cost,
                          ptd_error *error)
{
    ptd_status status =
        ptd_greedy_order(&p->graph, rule, stage, p->attempt, cost, &p->work, error);
    if (status == PTD_OK && *cost < p->best_cost) {
        int32_t *swapped = p->best;
        p->best = p->attempt;
        p->attempt = swapped;
        p->best_cost = *cost;
    }
    return status;
}

/* Puts off the separators of level `lowest` and above. */
static ptd_status attempt_late(portfolio *p, int32_t lowest, int64_t *cost, ptd_error *error)
{
    for (int32_t v = 0; v < p->graph.n; v++) {
        p->late[v] = p->stage[v] >= lowest;
    }
    return attempt(p, PTD_LEAST_FILL, p->late, cost, error);
}

/* From the middle of the levels downwards, else upwards, as long as the cost falls. */
static ptd_status attempt_levels(portfolio *p, int32_t n_stages, ptd_error *error)
{
    int32_t middle = (n_stages + 1) / 2;
    int64_t cost_of_middle;
    ptd_status status = attempt_late(p, middle, &cost_of_middle, error);
    for (int32_t step = -1; status == PTD_OK && step <= 1; step += 2) {
        int64_t last = cost_of_middle;
        int32_t level = middle + step;
        for (; status == PTD_OK && level >= 1 && level < n_stages; level += step) {
            int64_t cost;
            status = attempt_late(p, level, &cost, error);
            if (status != PTD_OK || cost >= last) {
                break;
            }
            last = cost;
        }
        if (level != middle + step) {
            break;
        }
    }
    return status;
}

static ptd_status attempt_dissections(portfolio *p, ptd_error *error)
{
    ptd_status status = PTD_OK;
    int64_t allowed = p->work + p->best_cost / MULTIPLY_ADDS_A_WORK;
    int64_t expected = 2 * DISSECTION_WORK * p->entries;
    for (int32_t k = 0; status == PTD_OK && k < MOST_DISSECTIONS; k++) {
        int64_t trials = (allowed - p->work) / expected;
        if (trials < 1) {
            break;
        }
        ptd_dissection_options options = {
            .leaf = LEAF,
            .trials = (int32_t)(trials < MOST_TRIALS ? trials : MOST_TRIALS),
            .seed = (uint64_t)k * 1000000 + 1,
        };
        int32_t n_stages = 0;
        status = ptd_dissect(&p->graph, &options, p->stage, &n_stages, &p->work, error);
        if (status != PTD_OK || n_stages < 2) {
            break;
        }
        status = attempt_levels(p, n_stages, error);
    }
    return status;
}

static ptd_status order_portfolio(portfolio *p, ptd_error *error)
{
    int64_t cost;
    ptd_status status = attempt(p, PTD_LEAST_DEGREE, NULL, &cost, error);
    if (status != PTD_OK || cost <= 2 * p->entries) {
        return status;
    }
    status = attempt(p, PTD_LEAST_FILL, NULL, &cost, error);
    if (status != PTD_OK || p->graph.n <= 2 * LEAF) {
        return status;
    }
    return attempt_dissections(p, error);
}

ptd_status ptd_order_component(const ptd_pattern *pattern, int32_t *order, ptd_error *error)
{
    portfolio p = {0};
    ptd_status status = ptd_undirected_create(pattern, &p.graph, error);
    if (status != PTD_OK) {
        goto out;
    }
    p.entries = p.graph.start[p.graph.n];
    if (!allocate(&p, pattern->n)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    status = order_portfolio(&p, error);
    if (status != PTD_OK) {
        goto out;
    }
    status = ptd_postorder(&p.graph, p.best, error);
    if (status == PTD_OK) {
        memcpy(order, p.best, (size_t)pattern->n * sizeof *order);
    }
out:
    release(&p);
    return status;
}
