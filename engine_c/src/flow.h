/* Flow: the transitions of a graph at one theta, vertex by vertex, as jets (jet.h).
 *
 * Rows are vertices in canonical order; row 0, the start, holds the initial distribution. Columns
 * are the vertices and behind them three places where a path ends: the goal (absorption that
 * counts), other absorption, and the trap (never absorbed). Self-loops are in no row.
 */
#ifndef PTD_FLOW_H
#define PTD_FLOW_H

#include "jet.h"
#include "trace.h"

typedef struct {
    ptd_jet_shape shape;
    uint32_t n;        /* vertices, the start included */
    size_t *row_start; /* n + 1 */
    uint32_t *to;      /* ends may be named several times in a row */
    double *rate;      /* jets; in row 0 normalised probabilities */
    double *rate_low;  /* what the values of `rate` lack as doubles (double_double.h) */
    double *stay;      /* n jets, discrete only: probability of remaining where it is; else NULL */
    double *stay_low;  /* n, likewise */
    uint8_t *live;     /* n: whether the start reaches the vertex */
} ptd_flow;

static inline uint32_t ptd_flow_goal(const ptd_flow *flow)
{
    return flow->n;
}

static inline uint32_t ptd_flow_other(const ptd_flow *flow)
{
    return flow->n + 1;
}

static inline uint32_t ptd_flow_trap(const ptd_flow *flow)
{
    return flow->n + 2;
}

/* Evaluates the trace at theta. `options` as for ptd_chain_create; rewards are not looked at. */
PTD_MUST_CHECK ptd_status ptd_flow_create(const ptd_elimination_trace *trace, const double *theta,
                                          const ptd_chain_options *options, ptd_flow *flow,
                                          ptd_error *error);
/* Accepts a flow of zeros. */
void ptd_flow_release(ptd_flow *flow);

/* flow_eliminate.c: takes the live vertices with `timeless[v]` out of the flow: paths go on through
 * them and take no time there. */
PTD_MUST_CHECK ptd_status ptd_flow_eliminate(ptd_flow *flow, const ptd_elimination_trace *trace,
                                             const uint8_t *timeless, ptd_error *error);

#endif
