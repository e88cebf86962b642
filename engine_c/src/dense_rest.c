/* The rest of a step in the dense method, and what is asked of the vector it leads to.
 *
 * What is left of a step h is a short sum of the uniformised chain (Jensen 1953; Grassmann 1977),
 * cut where what follows is small beside the answer itself, however small that is. What is absorbed
 * is added up and never found as one minus the rest.
 */
#include "dense_vectors.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* More terms than a sum has before its weights underflow. */
static const double LONGEST_SUM = 256;
/* The sum ends where what follows is below this part of the answer. */
static const double CUT = 0x1p-70;

/* to = from after one event (discrete: one step), times `factor`. */
static void take_event(const ptd_dense_vectors *c, double factor, const double *from, double *to)
{
    const ptd_chain *chain = c->chain;
    const size_t jets = (size_t)chain->jets;
    const int64_t stride = c->stride;
    for (int64_t j = 0; j < chain->n; j++) {
        for (int part = 0; part < c->parts; part++) {
            const double *own = from + part * stride;
            const double slope = c->slope_scale[part];
            double sum = 0;
            for (uint32_t at = chain->in_start[j]; at < chain->in_start[j + 1]; at++) {
                const uint32_t i = chain->in_from[at];
                const double *rate = chain->in_rate + at * jets;
                sum += own[i] * rate[0];
                if (part > 0) {
                    sum += from[i] * (rate[part] * slope);
                }
            }
            double held = own[j] * c->hold[j];
            if (part > 0) {
                held += from[j] * c->hold[part * stride + j];
            }
            to[part * stride + j] = (sum * c->step.scale + held) * factor;
        }
    }
}

/* Adds what the vector says about the function (of the distribution: what the next event absorbs)
 * to `value` (parts). */
static void add_function(const ptd_dense_vectors *c, const double *vector, double *value)
{
    const ptd_chain *chain = c->chain;
    const size_t jets = (size_t)chain->jets;
    for (int part = 0; part < c->parts; part++) {
        const double *own = vector + part * c->stride;
        double sum = 0;
        for (int64_t i = 0; i < chain->n; i++) {
            const double *exit = chain->exit + (size_t)i * jets;
            if (c->question->function == PTD_SURVIVAL) {
                sum += own[i];
            } else {
                sum += own[i] * (exit[0] * c->step.scale);
                if (part > 0) {
                    sum += vector[i] * (exit[part] * c->slope_scale[part] * c->step.scale);
                }
            }
        }
        value[part] += sum;
    }
}

/* Discrete: the steps that are left, and the function of where they lead to. */
static void finish_steps(ptd_dense_vectors *c, int64_t k, double *value)
{
    double *vector = c->from;
    double *next = c->to;
    for (double left = c->rest[k]; left > 0; left--) {
        if (c->question->function == PTD_DISTRIBUTION) {
            add_function(c, vector, value);
        }
        take_event(c, 1, vector, next);
        double *const other = vector;
        vector = next;
        next = other;
    }
    if (c->question->function != PTD_DISTRIBUTION) {
        add_function(c, vector, value);
    }
}

/* Continuous: sum over j of x^j / j! times the function of the vector after j events. In that of
 * the distribution, what events absorb is carried along as a state would be. `base`: what the value
 * will be added to. */
static void finish_series(ptd_dense_vectors *c, int64_t k, double base, double *value)
{
    const int distribution = c->question->function == PTD_DISTRIBUTION;
    const double x = c->rest[k] * PTD_DENSE_EVENTS;
    double *vector = c->from;
    double *next = c->to;
    double *carried = c->carried;
    double most = ptd_dense_sum(c->chain->n, c->from); /* that events move at weight x^j / j! */
    memset(carried, 0, (size_t)c->parts * sizeof *carried);
    for (int j = 1;; j++) {
        if (distribution) {
            add_function(c, vector, carried);
            for (int part = 0; part < c->parts; part++) {
                carried[part] *= x / j;
                value[part] += carried[part];
            }
        } else {
            add_function(c, vector, value);
        }
        most *= x / j;
        /* Where hardly anything happens, it is the first event that a derivative sees. */
        const int seen = c->parts == 1 || j > 1 || distribution;
        if (seen && 2 * most <= CUT * (value[0] + base)) {
            return;
        }
        take_event(c, x / j, vector, next);
        double *const other = vector;
        vector = next;
        next = other;
    }
}

double ptd_dense_vectors_finish(ptd_dense_vectors *c, int64_t k, double *unit)
{
    const int64_t n_times = c->question->n_times;
    const int distribution = c->question->function == PTD_DISTRIBUTION;
    const double n = (double)c->chain->n;
    double lost = c->lost[k];
    for (int part = 0; part < c->parts; part++) {
        memcpy(c->from + part * c->stride, ptd_dense_vector(c, part, k),
               (size_t)c->stride * sizeof(double));
        c->value[part] = 0;
    }
    *unit = c->exponent[k];
    if (c->chain->discrete) {
        finish_steps(c, k, c->value);
    } else {
        const double x = c->rest[k] * PTD_DENSE_EVENTS;
        const double base =
            distribution ? c->absorbed[k] * ptd_two_to(-c->exponent[k] - PTD_POWER_SCALE) : 0;
        finish_series(c, k, base, c->value);
        for (int part = 0; part < c->parts; part++) {
            c->value[part] *= exp(-x);
        }
        lost += LONGEST_SUM * n * n * DBL_MIN;
    }
    if (distribution) {
        const double scale = ptd_two_to(c->exponent[k] + PTD_POWER_SCALE);
        for (int part = 0; part < c->parts; part++) {
            c->value[part] = c->absorbed[part * n_times + k] + c->value[part] * scale;
        }
        lost = lost * scale + c->lost_absorbed[k];
        *unit = -PTD_POWER_SCALE;
    }
    return lost;
}

static double smaller_positive(double least, double value)
{
    return value > 0 && value < least ? value : least;
}

/* The smallest probability of one step of a discrete chain. */
static double least_probability(const ptd_chain *chain)
{
    const size_t jets = (size_t)chain->jets;
    double least = 1;
    for (size_t s = 0; s < (size_t)chain->n; s++) {
        least = smaller_positive(least, chain->exit[s * jets]);
        least = smaller_positive(least, chain->stay[s * jets]);
    }
    for (size_t e = 0; e < (size_t)chain->n_edges; e++) {
        least = smaller_positive(least, chain->in_rate[e * jets]);
    }
    return least;
}

int ptd_dense_is_zero(const ptd_dense_vectors *c, int64_t k)
{
    const ptd_chain *chain = c->chain;
    if (!chain->discrete) {
        return ptd_chain_is_zero(chain, c->question->function);
    }
    const double least = least_probability(chain);
    double product = least;
    for (double left = c->rest[k]; left > 0; left--) {
        product *= least;
    }
    const double *vector = ptd_dense_vector(c, 0, k);
    for (int64_t i = 0; i < chain->n; i++) {
        if (vector[i] > 0 && !(vector[i] * product >= DBL_MIN)) {
            return 0;
        }
    }
    return c->lost[k] == 0 && c->lost_absorbed[k] == 0;
}
