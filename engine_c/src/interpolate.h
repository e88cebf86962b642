/* Many times of one question: answered by interpolation of the logarithm in log t. */
#ifndef PTD_INTERPOLATE_H
#define PTD_INTERPOLATE_H

#include "density.h"

/* Answers by time, as ptd_density_evaluate has them. */
typedef struct {
    double *log_value;
    double *bound;
    uint8_t *method;
    uint8_t *kind;
    double *log_jet;
} ptd_answers;

/* density.c: asks the methods themselves. */
PTD_MUST_CHECK ptd_status ptd_density_answer(const ptd_chain *chain,
                                             const ptd_density_options *options, int64_t n_times,
                                             const double *times, ptd_answers *answers,
                                             ptd_error *error);

/* Whether so many times are worth a fit. */
int ptd_interpolation_pays(const ptd_chain *chain, int64_t n_times, const double *times);
PTD_MUST_CHECK ptd_status ptd_density_interpolate(const ptd_chain *chain,
                                                  const ptd_density_options *options,
                                                  int64_t n_times, const double *times,
                                                  ptd_answers *answers, ptd_error *error);

#endif
