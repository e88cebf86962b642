/* Vectors of the dense method: the distribution over the states at each time of a question, on its
 * way from the start through whole steps (dense_vectors.c) and the rest of a step (dense_rest.c).
 *
 * The vector of a time is `vector` 2^exponent, with its largest entry near 2^PTD_POWER_SCALE where
 * it has been multiplied; mass absorbed in the target is kept times 2^PTD_POWER_SCALE. Part 0 of
 * everything is the value, part p + 1 the derivative in parameter p times slope_scale.
 */
#ifndef PTD_DENSE_VECTORS_H
#define PTD_DENSE_VECTORS_H

#include "dense_power.h"
#include "density.h"

typedef struct {
    const ptd_chain *chain;
    const ptd_question *question;
    ptd_dense_step step;
    int parts;
    int64_t stride;
    double log_scale; /* of step.scale */

    double *slope_scale;   /* parts */
    double *hold;          /* parts x stride: probability that an event leaves a state as it is */
    double *steps;         /* n_times: whole steps ahead */
    double *rest;          /* n_times: part of h (discrete: steps of the chain) ahead after those */
    double *exponent;      /* n_times */
    double *lost;          /* n_times: underflowed from a vector's sum at most, as stored */
    double *lost_absorbed; /* n_times: underflowed from `absorbed` at most */
    double *absorbed;      /* parts x n_times */
    double *vector;        /* parts x n_times x stride */

    int64_t *turn; /* times that the next product is about */
    double *from;  /* parts x group x stride; in the rest: a vector, parts x stride */
    double *to;    /* the same, after */
    double *panel;
    double *value;   /* parts: the function of one time */
    double *carried; /* parts: what the events so far have absorbed */
    void *memory[6];
} ptd_dense_vectors;

/* Units for slopes in which no rate changes faster than the fastest one is: parts. */
void ptd_dense_slope_scales(const ptd_chain *chain, int parts, double *slope_scale);

/* The vectors at the start. Two variants take different steps, so that they share no rounding; with
 * `slopes` derivatives go along. To be released even after a failure. */
PTD_MUST_CHECK ptd_status ptd_dense_vectors_create(const ptd_chain *chain,
                                                   const ptd_question *question, int variant,
                                                   int slopes, ptd_dense_vectors *vectors,
                                                   ptd_error *error);
void ptd_dense_vectors_release(ptd_dense_vectors *vectors);

/* Whole steps of all times. */
PTD_MUST_CHECK ptd_status ptd_dense_vectors_advance(ptd_dense_vectors *vectors, ptd_error *error);

/* The rest of a step, and the question's function into `value`, in units of 2^unit (double: the
 * exponents of far tails are beyond an int). Returns how much of it may have underflowed. */
double ptd_dense_vectors_finish(ptd_dense_vectors *vectors, int64_t time, double *unit);
/* Whether a value 0 of the function is the truth, and no product of small numbers. */
int ptd_dense_is_zero(const ptd_dense_vectors *vectors, int64_t time);

static inline double *ptd_dense_vector(const ptd_dense_vectors *vectors, int part, int64_t time)
{
    return vectors->vector + (part * vectors->question->n_times + time) * vectors->stride;
}

static inline double ptd_dense_sum(int64_t n, const double *values)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) {
        sum += values[j];
    }
    return sum;
}

#endif
