/* Ordering of one component: the best of several, by the multiply-adds that each would cost.
 *
 * Greedy orders of the undirected pattern (least degree, least fill) are found in near-linear time
 * and are good on small, irregular and tree-like patterns. Patterns far from symmetric gain several
 * times over from a greedy order that tells predecessors from successors. Large lattices gain from
 * nested dissection: separators are put off, all of them together, and both stages are ordered
 * greedily (C. Ashcraft and J. W. H. Liu, Robust ordering of sparse matrices using multisection,
 * SIAM J. Matrix Anal. Appl. 19, 1998). How many levels of separators are worth it is tried out.
 *
 * How much is tried depends on counts of work, never on clocks: the effort stays in proportion to
 * the cost of one evaluation, and small or cheap components are done after the first attempts.
 */
#include "ordering.h"

#include <string.h>

#include "dissection.h"
#include "elimination_tree.h"
#include "markowitz.h"
#include "memory.h"
#include "quotient_graph.h"
#include "status.h"
#include "symbolic.h"

enum {
    LEAST_LEAF = 100,
    MOST_LEAVES = 64,
    SMALL = 96, /* vertices for which every rule is tried */
    MOST_TRIALS = 4,
    MOST_DISSECTIONS = 6,
    DISSECTION_WORK = 50,     /* about so much for each entry, trial by trial */
    MARKOWITZ_WORK = 16,      /* so much for each entry is always allowed */
    MULTIPLY_ADDS_A_WORK = 3, /* for so many multiply-adds, one entry may be looked at */
    MOST_WORK = 100000000,
    MOST_COUNTED = 1 << 24, /* entries; beyond, an order's cost is not counted exactly */
};

typedef struct {
    const ptd_pattern *pattern;
    ptd_undirected graph;
    int64_t entries;
    int32_t *best;     /* of those attempted on the undirected pattern */
    int64_t best_cost; /* on the symmetric pattern, hubs left out */
    int32_t *attempt;
    int32_t *chosen; /* of all */
    int64_t chosen_cost;
    int32_t *stage;
    int32_t *late; /* stage 1: separators of the levels that are put off */
    int64_t work;
} portfolio;

static int allocate(portfolio *p, int32_t n)
{
    p->best = ptd_allocate((size_t)n, sizeof *p->best);
    p->attempt = ptd_allocate((size_t)n, sizeof *p->attempt);
    p->chosen = ptd_allocate((size_t)n, sizeof *p->chosen);
    p->stage = ptd_allocate((size_t)n, sizeof *p->stage);
    p->late = ptd_allocate((size_t)n, sizeof *p->late);
    return p->best && p->attempt && p->chosen && p->stage && p->late;
}

static void release(portfolio *p)
{
    ptd_undirected_destroy(&p->graph);
    ptd_release(p->best);
    ptd_release(p->attempt);
    ptd_release(p->chosen);
    ptd_release(p->stage);
    ptd_release(p->late);
}

/* What the best undirected order costs on the pattern itself; INT64_MAX: too much to count. */
static ptd_status count_exactly(portfolio *p, int64_t *cost, ptd_error *error)
{
    if (p->graph.is_symmetric) {
        *cost = p->best_cost;
        return PTD_OK;
    }
    ptd_symbolic symbolic = {0};
    ptd_error found = {0};
    ptd_status status = ptd_symbolic_create(p->pattern, p->best, MOST_COUNTED, &symbolic, &found);
    *cost = INT64_MAX;
    if (status == PTD_OK) {
        *cost = symbolic.multiply_adds;
        p->work += symbolic.start[symbolic.n];
        ptd_symbolic_destroy(&symbolic);
    } else if (status == PTD_TRACE_TOO_LARGE) {
        p->work += MOST_COUNTED;
        status = PTD_OK;
    } else {
        return ptd_fail(error, status, found.index, found.value);
    }
    return PTD_OK;
}

/* Chooses the best undirected order, which is new, if nothing better is chosen. */
static ptd_status settle(portfolio *p, ptd_error *error)
{
    int64_t cost;
    ptd_status status = count_exactly(p, &cost, error);
    if (status == PTD_OK && (p->chosen_cost < 0 || cost <= p->chosen_cost)) {
        memcpy(p->chosen, p->best, (size_t)p->graph.n * sizeof *p->chosen);
        p->chosen_cost = cost;
    }
    return status;
}

/* One greedy order, kept if it is the best so far. */
static ptd_status attempt(portfolio *p, ptd_greedy_rule rule, const int32_t *stage, int64_t *cost,
                          ptd_error *error)
{
    ptd_status status = ptd_greedy_order(&p->graph, rule, stage, p->attempt, cost, &p->work, error);
    if (status == PTD_OK && (p->best_cost < 0 || *cost < p->best_cost)) {
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

/* Separators of small parts do not pay against the greedy rule. */
static int32_t leaf_of(int32_t n)
{
    return n / MOST_LEAVES > LEAST_LEAF ? n / MOST_LEAVES : LEAST_LEAF;
}

static ptd_status attempt_dissections(portfolio *p, ptd_error *error)
{
    ptd_status status = PTD_OK;
    int64_t most = p->best_cost / MULTIPLY_ADDS_A_WORK;
    int64_t allowed = p->work + (most < MOST_WORK ? most : MOST_WORK);
    int64_t expected = 2 * DISSECTION_WORK * p->entries;
    for (int32_t k = 0; status == PTD_OK && k < MOST_DISSECTIONS; k++) {
        int64_t trials = (allowed - p->work) / expected;
        if (trials < 1) {
            break;
        }
        ptd_dissection_options options = {
            .leaf = leaf_of(p->graph.n),
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

/* Replaces the chosen order where telling directions apart is better. */
static ptd_status attempt_markowitz(portfolio *p, ptd_error *error)
{
    int64_t cost = p->chosen_cost;
    int64_t most = p->best_cost / (8 * MULTIPLY_ADDS_A_WORK) + MARKOWITZ_WORK * p->entries;
    most = most < MOST_WORK ? most : MOST_WORK;
    ptd_status status = ptd_markowitz_order(p->pattern, most, p->attempt, &cost, &p->work, error);
    if (status == PTD_OK && cost >= 0) {
        int32_t *swapped = p->chosen;
        p->chosen = p->attempt;
        p->attempt = swapped;
        p->chosen_cost = cost;
    }
    return status;
}

static ptd_status order_portfolio(portfolio *p, ptd_error *error)
{
    int64_t cost = 0;
    ptd_status status = attempt(p, PTD_LEAST_DEGREE, NULL, &cost, error);
    /* So little is nearly nothing filled in; nothing at all: there were only hubs. */
    int is_cheap = cost > 0 && cost <= p->entries;
    if (status == PTD_OK && !is_cheap) {
        status = attempt(p, PTD_LEAST_FILL, NULL, &cost, error);
    }
    if (status == PTD_OK) {
        status = settle(p, error);
    }
    int64_t undirected_cost = p->chosen_cost;
    if (status == PTD_OK && !is_cheap && (!p->graph.is_symmetric || p->graph.n <= SMALL)) {
        status = attempt_markowitz(p, error);
    }
    int is_directed = p->chosen_cost < undirected_cost - undirected_cost / 4;
    if (status != PTD_OK || is_cheap || is_directed || p->graph.n <= 2 * LEAST_LEAF) {
        return status;
    }
    int64_t greedy_cost = p->best_cost;
    status = attempt_dissections(p, error);
    if (status == PTD_OK && p->best_cost < greedy_cost) {
        status = settle(p, error);
    }
    return status;
}

ptd_status ptd_order_component(const ptd_pattern *pattern, int32_t *order, ptd_error *error)
{
    portfolio p = {.pattern = pattern, .best_cost = -1, .chosen_cost = -1};
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
    status = ptd_postorder(&p.graph, p.chosen, error);
    if (status == PTD_OK) {
        memcpy(order, p.chosen, (size_t)pattern->n * sizeof *order);
    }
out:
    release(&p);
    return status;
}
