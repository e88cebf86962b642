/* Chains filled in by hand, from lists of transitions. */
#ifndef CHAINS_H
#define CHAINS_H

#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "double_double.h"
#include "jet.h"

enum { CHAIN_ENDS = -1 };

typedef struct {
    int from, to; /* CHAIN_ENDS: absorption */
    double jet[6];
} transition;

/* Every chain begins in state 0. Discrete: what is left of 1 stays. */
static inline ptd_chain *chain_of(int n, int discrete, int order, int n_parameters,
                                  const transition *transitions, int count)
{
    ptd_chain *chain = calloc(1, sizeof *chain);
    const int jets = ptd_jets(order, n_parameters);
    const size_t numbers = (size_t)n * (size_t)jets;
    chain->discrete = discrete;
    chain->order = order;
    chain->n_parameters = n_parameters;
    chain->jets = jets;
    chain->n = n;
    chain->trap = chain->target = -1;
    chain->vertex = calloc((size_t)n, sizeof *chain->vertex);
    chain->alpha = calloc(numbers, sizeof(double));
    chain->out = calloc(numbers, sizeof(double));
    chain->exit = calloc(numbers, sizeof(double));
    chain->out_low = calloc((size_t)n, sizeof(double));
    chain->in_low = calloc((size_t)count + 1, sizeof(double));
    chain->in_start = calloc((size_t)n + 1, sizeof *chain->in_start);
    chain->in_from = calloc((size_t)count + 1, sizeof *chain->in_from);
    chain->in_rate = calloc((size_t)(count + 1) * (size_t)jets, sizeof(double));
    chain->alpha[0] = 1;
    for (int s = 0; s < n; s++) {
        chain->vertex[s] = (uint32_t)s;
        for (int from = 0; from < n; from++) {
            for (int t = 0; t < count; t++) {
                if (transitions[t].to == s && transitions[t].from == from) {
                    chain->in_from[chain->n_edges] = (uint32_t)from;
                    memcpy(chain->in_rate + chain->n_edges * jets, transitions[t].jet,
                           (size_t)jets * sizeof(double));
                    chain->n_edges++;
                }
            }
        }
        chain->in_start[s + 1] = (uint32_t)chain->n_edges;
    }
    for (int t = 0; t < count; t++) {
        const int from = transitions[t].from;
        const double so_far = chain->out[from * jets];
        chain->out_low[from] += ptd_two_sum(so_far, transitions[t].jet[0]).low;
        for (int c = 0; c < jets; c++) {
            const int at = from * jets + c;
            chain->out[at] += transitions[t].jet[c];
            chain->exit[at] += transitions[t].to == CHAIN_ENDS ? transitions[t].jet[c] : 0;
        }
    }
    if (discrete) {
        chain->stay = calloc(numbers, sizeof(double));
        chain->stay_low = calloc((size_t)n, sizeof(double));
    }
    for (int s = 0; s < n; s++) {
        const double out = chain->out[s * jets];
        chain->fastest = out > chain->fastest ? out : chain->fastest;
        for (int c = 0; discrete && c < jets; c++) {
            chain->stay[s * jets + c] = (c == 0) - chain->out[s * jets + c];
        }
        if (discrete) {
            const ptd_double_double stays =
                ptd_dd_subtract((ptd_double_double){1, 0}, ptd_two_sum(out, chain->out_low[s]));
            chain->stay[s * jets] = stays.high;
            chain->stay_low[s] = stays.low;
        }
    }
    ptd_error error;
    if (ptd_chain_find_reach(chain, &error)) {
        abort();
    }
    return chain;
}

static inline void chain_free(ptd_chain *chain)
{
    free(chain->vertex);
    free(chain->alpha);
    free(chain->out);
    free(chain->stay);
    free(chain->exit);
    free(chain->in_start);
    free(chain->in_from);
    free(chain->in_rate);
    free(chain->out_low);
    free(chain->stay_low);
    free(chain->in_low);
    free(chain);
}

/* States in a row, each left with the rate whose jet is given; n transitions. */
static inline void row_of_states(int n, const double *jets_of_state, int jets,
                                 transition *transitions)
{
    for (int s = 0; s < n; s++) {
        transitions[s].from = s;
        transitions[s].to = s + 1 < n ? s + 1 : CHAIN_ENDS;
        for (int c = 0; c < jets; c++) {
            transitions[s].jet[c] = jets_of_state[s * jets + c];
        }
    }
}

#endif
