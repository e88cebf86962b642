/* Chain: a graph at one theta, as the methods of the density family see it.
 *
 * A chain holds the states in which the variable Y grows, with the rates between them. Without
 * rewards these are the transient vertices and Y is the time. With rewards r a state is a vertex of
 * positive reward: Y passes there at speed r, so rates are divided by r, and vertices without
 * reward are eliminated (Grassmann, Taksar & Heyman 1985), which only adds, multiplies and divides
 * non-negative numbers. In discrete graphs rewards are whole numbers and a vertex of reward r is r
 * states in a row, of which only the last moves on.
 *
 * Every number is a jet: its value, its first and its second derivatives in theta, `jets` doubles
 * in a row (jet.h). With order 0 a jet is the value alone.
 */
#ifndef PTD_CHAIN_H
#define PTD_CHAIN_H

#include "trace.h"

struct ptd_chain {
    const ptd_elimination_trace *trace;
    int discrete;
    int order;        /* of jets: 0, 1, 2 */
    int n_parameters; /* derivatives of order 1: by theta, then in the directions of the start */
    int jets;         /* doubles a number */
    int64_t n;        /* states, the trap included */
    int64_t trap;     /* the state of those that never are absorbed, -1: there are none */
    int64_t n_edges;

    uint32_t *vertex;   /* n: canonical vertex; PTD_NONE for the trap */
    double *alpha;      /* n jets: initial distribution */
    double *atom;       /* jet: P(Y = 0), by way of the target where there is one */
    double *out;        /* n jets: rate of leaving for another state, the trap or absorption */
    double *stay;       /* n jets, discrete only: probability of remaining; else NULL */
    double *exit;       /* n jets: rate into absorption (into the target, where there is one) */
    double *elsewhere;  /* n jets: rate into absorption that does not count; NULL: no target */
    uint32_t *in_start; /* n + 1, into the next two: edges by the state that they lead to */
    uint32_t *in_from;  /* ascending within a state, never the state itself */
    double *in_rate;    /* n_edges jets */

    /* What values lack as doubles: with these, rates are right to about 2^-100 (double_double.h).
     */
    double *out_low;  /* n */
    double *stay_low; /* n, discrete only */
    double *in_low;   /* n_edges */

    int acyclic;         /* whether no state is ever entered twice */
    int has_mass;        /* whether any state is entered at the start with positive probability */
    int is_ending;       /* whether absorption (in the target) has positive probability */
    double fastest;      /* the largest rate of leaving */
    double *theta;       /* where the chain was made */
    double *reward;      /* n_vertices, canonical; NULL: all 1 */
    int64_t target;      /* absorbing vertex (canonical) that exit and atom are about, -1: all */
    double *start;       /* n_vertices: an initial distribution in place of the graph's, or NULL */
    double *start_slope; /* n_vertices x n_parameters: its derivatives; NULL: 0 */
};

/* reach.c: fills in has_mass and is_ending. */
PTD_MUST_CHECK ptd_status ptd_chain_find_reach(ptd_chain *chain, ptd_error *error);

/* Whether a continuous chain's density, distribution or survival is 0 at all times; its derivatives
 * need not be, where weights are 0 at theta. */
static inline int ptd_chain_is_zero(const ptd_chain *chain, ptd_function function)
{
    return function == PTD_SURVIVAL ? !chain->has_mass : !chain->is_ending;
}

#endif
