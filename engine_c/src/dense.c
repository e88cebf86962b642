/* Dense method: densities of small chains of any stiffness, by powers of the step matrix
 * (dense_power.h, dense_vectors.h).
 *
 * Verified: everything is computed a second time with 3/4 of the step (discrete: with three steps
 * for one), so that no rounding is shared, and the answers are compared.
 */
#include "density.h"

#include <float.h>
#include <math.h>

#include "dense_vectors.h"
#include "memory.h"
#include "status.h"

/* Multiply-adds of the matrix product in the time of a visit of an edge. */
static const double VECTOR_GAIN = 8;

/* Chains whose rates are further from 1 than this are left to others: their numbers would not stay
 * in range. */
static const double SLOWEST = 0x1p-400;

/* log_value and error by underflow (relative; INFINITY: no value) of all times, and, with slopes,
 * log_jet. */
static ptd_status compute(const ptd_chain *chain, const ptd_question *question, int variant,
                          double *log_value, double *lost, double *log_jet, ptd_error *error)
{
    const int slopes = log_jet ? chain->n_parameters : 0;
    ptd_dense_vectors vectors;
    ptd_status status = ptd_dense_vectors_create(chain, question, variant, slopes, &vectors, error);
    if (status) {
        goto out;
    }
    status = ptd_dense_vectors_advance(&vectors, error);
    if (status) {
        goto out;
    }
    for (int64_t k = 0; k < question->n_times; k++) {
        double unit;
        const double underflow = ptd_dense_vectors_finish(&vectors, k, &unit);
        const double *value = vectors.value;
        const int positive = value[0] > 0;
        int exponent = 0;
        const double fraction = frexp(value[0], &exponent);
        log_value[k] = log(fraction) + (exponent + unit) * M_LN2 -
                       (question->function == PTD_DENSITY ? vectors.log_scale : 0);
        lost[k] = INFINITY;
        if (positive) {
            lost[k] = underflow / value[0];
        } else if (ptd_dense_is_zero(&vectors, k)) {
            lost[k] = 0;
        }
        /* What derivatives are divided by, in units of 2^unit. */
        const double divisor =
            positive ? value[0]
                     : ldexp(1, -(int)unit) *
                           (question->function == PTD_DENSITY ? exp(vectors.log_scale) : 1);
        for (int p = 0; p < slopes; p++) {
            log_jet[k * slopes + p] = value[p + 1] / divisor / vectors.slope_scale[p + 1];
            if (!isfinite(log_jet[k * slopes + p])) {
                lost[k] = INFINITY; /* beside its derivatives the value is out of range */
            }
        }
    }
out:
    ptd_dense_vectors_release(&vectors);
    return status;
}

/* Squarings, and products of the base step, behind an answer at `time`. */
static double roundings(const ptd_chain *chain, double time)
{
    const double steps = chain->discrete ? time : 8 * time * chain->fastest;
    const double base = chain->discrete ? 2 : PTD_DENSE_BASE_TERMS + PTD_DENSE_BASE_SQUARINGS;
    return steps < 1 ? 0 : base + log2(fmin(steps, DBL_MAX));
}

/* How much a relative change of the rates may change a value: as they stand in its exponent. */
static double sensitivity(const ptd_chain *chain, const ptd_question *question, int64_t k)
{
    const double per_time = question->function == PTD_DENSITY ? log(question->times[k]) : 0;
    return 4 + sqrt((double)chain->n) + fabs(question->log_value[k] + per_time);
}

/* Bounds: what underflowed, and the rounding of each product or four times the largest difference
 * of the two computations up to that time, whichever is more, by the sensitivity of the value. */
static void judge(const ptd_chain *chain, ptd_question *question, const double *second,
                  const double *lost, const double *second_lost)
{
    double differs = 0;
    for (int64_t k = 0; k < question->n_times; k++) {
        const double here = question->log_value[k];
        const double underflow = fmax(lost[k], second_lost[k]);
        const int in_range = isfinite(16 * question->times[k] * chain->fastest);
        if (!in_range || !(lost[k] < 1 && second_lost[k] < 1)) {
            question->bound[k] = INFINITY;
        } else if (here == -INFINITY && second[k] == -INFINITY) {
            question->bound[k] = 0;
        } else {
            const double scale = sensitivity(chain, question, k);
            const double rounding = DBL_EPSILON / 2 * (8 + roundings(chain, question->times[k]));
            differs = fmax(differs, fabs(here - second[k]) / scale);
            question->bound[k] = scale * fmax(rounding, 4 * differs) + 2 * underflow;
        }
    }
}

static double work_of(const ptd_chain *chain, const ptd_question *question, int parts)
{
    const double n = (double)chain->n;
    const double times = (double)question->n_times;
    const double last = question->n_times > 0 ? question->times[question->n_times - 1] : 0;
    const double squarings = roundings(chain, last);
    const double events = chain->discrete ? 2 : 20;
    return (2 * parts - 1) * ((squarings * n + squarings / 2 * times) * n * n / VECTOR_GAIN +
                              times * events * ((double)chain->n_edges + n));
}

double ptd_dense_work(const ptd_chain *chain, const ptd_question *question)
{
    const int slopes = chain->order > 0 ? chain->n_parameters : 0;
    const int in_range =
        chain->fastest == 0 || (chain->fastest >= SLOWEST && chain->fastest <= 1 / SLOWEST);
    /* Slopes are scaled along with the mass of their values. */
    const int weightless = chain->order > 0 && !chain->has_mass;
    return chain->n > PTD_DENSE_STATES || chain->order > 1 || !in_range || weightless
               ? INFINITY
               : work_of(chain, question, 1 + slopes) + work_of(chain, question, 1);
}

ptd_status ptd_dense(const ptd_chain *chain, ptd_question *question, ptd_error *error)
{
    const int64_t n_times = question->n_times;
    const double work = ptd_dense_work(chain, question);
    ptd_status status = PTD_OK;
    double *second = NULL;
    question->kind = PTD_VERIFIED;
    question->work = 0;
    if (!(work <= question->max_work)) {
        for (int64_t k = 0; k < n_times; k++) {
            question->bound[k] = INFINITY;
        }
        return PTD_OK;
    }
    second = ptd_allocate(3 * (size_t)n_times, sizeof *second);
    if (!second) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n_times);
    }
    double *const lost = second + n_times;
    double *const second_lost = lost + n_times;
    status = compute(chain, question, 0, question->log_value, lost, question->log_jet, error);
    if (status) {
        goto out;
    }
    status = compute(chain, question, 1, second, second_lost, NULL, error);
    if (status) {
        goto out;
    }
    question->work = work;
    judge(chain, question, second, lost, second_lost);
out:
    ptd_release(second);
    return status;
}
