/* Chains filled by hand, without a graph behind them, for the methods of the density family. */
#ifndef SMALL_CHAINS_H
#define SMALL_CHAINS_H

#include "chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rates are given from state to state, with one derivative each (order 1), and may come in any
 * order; states start with probability 0. */
typedef struct {
    int64_t n;
    int order;
    int discrete;
    double *rate; /* n x (n + 2) x 2: to states, to the target, to other absorption */
    struct ptd_chain chain;
} small_chain;

static inline void *small_chain_room(size_t count, size_t size)
{
    void *room = calloc(count, size);
    if (!room) {
        fprintf(stderr, "no memory for a test\n");
        exit(2);
    }
    return room;
}

static inline small_chain small_chain_new(int64_t n, int order, int discrete)
{
    small_chain s = {.n = n, .order = order, .discrete = discrete};
    const size_t jets = order > 0 ? 2 : 1;
    s.rate = small_chain_room((size_t)(n * (n + 2)) * 2, sizeof(double));
    s.chain.alpha = small_chain_room((size_t)n * jets, sizeof(double));
    return s;
}

/* `to` = n: the target; n + 1: other absorption. */
static inline void small_chain_edge(small_chain *s, int64_t from, int64_t to, double rate,
                                    double slope)
{
    double *place = s->rate + (from * (s->n + 2) + to) * 2;
    place[0] += rate;
    place[1] += slope;
}

static inline void small_chain_start(small_chain *s, int64_t state, double probability)
{
    s->chain.alpha[state * (s->order > 0 ? 2 : 1)] = probability;
}

/* Fills the chain; `targets` says whether other absorption is told apart. */
static inline const struct ptd_chain *small_chain_finish(small_chain *s, int targets)
{
    struct ptd_chain *c = &s->chain;
    const size_t n = (size_t)s->n;
    const size_t jets = s->order > 0 ? 2 : 1;
    c->discrete = s->discrete;
    c->order = s->order;
    c->n_parameters = 1;
    c->jets = (int)jets;
    c->n = s->n;
    c->trap = -1;
    c->target = targets ? 0 : -1;
    c->out = small_chain_room(n * jets, sizeof(double));
    c->stay = s->discrete ? small_chain_room(n * jets, sizeof(double)) : NULL;
    c->exit = small_chain_room(n * jets, sizeof(double));
    c->elsewhere = targets ? small_chain_room(n * jets, sizeof(double)) : NULL;
    c->in_start = small_chain_room(n + 1, sizeof(uint32_t));
    c->in_from = small_chain_room(n * n, sizeof(uint32_t));
    c->in_rate = small_chain_room(n * n * jets, sizeof(double));
    uint32_t at = 0;
    for (size_t j = 0; j < n + 2; j++) {
        for (size_t i = 0; i < n; i++) {
            const double *rate = s->rate + (i * (n + 2) + j) * 2;
            if (rate[0] == 0 && rate[1] == 0) {
                continue;
            }
            double *place = j == n       ? c->exit + i * jets
                            : j == n + 1 ? c->elsewhere + i * jets
                                         : c->in_rate + at * jets;
            for (size_t k = 0; k < jets; k++) {
                place[k] = rate[k];
                c->out[i * jets + k] += rate[k];
            }
            if (j < n) {
                c->in_from[at++] = (uint32_t)i;
            }
        }
        if (j < n) {
            c->in_start[j + 1] = at;
        }
    }
    c->n_edges = at;
    for (size_t i = 0; i < n; i++) {
        c->fastest = c->out[i * jets] > c->fastest ? c->out[i * jets] : c->fastest;
        for (size_t k = 0; k < jets && s->discrete; k++) {
            c->stay[i * jets + k] = (k == 0 ? 1 : 0) - c->out[i * jets + k];
        }
    }
    ptd_error error;
    if (ptd_chain_find_reach(c, &error)) {
        fprintf(stderr, "no memory for a test\n");
        exit(2);
    }
    return c;
}

static inline void small_chain_free(small_chain *s)
{
    free(s->rate);
    free(s->chain.alpha);
    free(s->chain.out);
    free(s->chain.stay);
    free(s->chain.exit);
    free(s->chain.elsewhere);
    free(s->chain.in_start);
    free(s->chain.in_from);
    free(s->chain.in_rate);
}

#endif
