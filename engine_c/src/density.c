/* Chooser: which method answers a question of the density family.
 *
 * Uniformisation is certified and always applies; it costs edges x q t. The contour costs the same
 * for any q t and answers where the spectrum is seen to lie inside it. Squaring dense matrices
 * serves small chains of any stiffness. `auto` asks the cheaper of the first two first, then the
 * other, then the dense method, for the times whose bound is still above the tolerance. Each time's
 * answer names its method; nothing is asked that would cost more than the user allows.
 */
#include "density.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "interpolate.h"
#include "memory.h"
#include "status.h"

/* About a minute on one core. */
static const double DEFAULT_WORK = 6e10;

/* A multiply-add of the contour (complex, by a program) takes as long as so many visits of edges in
 * uniformisation's sweep (streamed): 0.8-2.6 ns against 0.25-0.8 ns. */
static const double CONTOUR_WEIGHT = 4;

typedef ptd_status answer_function(const ptd_chain *chain, ptd_question *question,
                                   ptd_error *error);

static const struct {
    answer_function *answer;
    double (*work)(const ptd_chain *chain, const ptd_question *question);
} METHODS[PTD_METHODS] = {
    [PTD_METHOD_UNIFORMISE] = {ptd_uniformise, ptd_uniformise_work},
    [PTD_METHOD_CONTOUR] = {ptd_contour, ptd_contour_work},
    [PTD_METHOD_DENSE] = {ptd_dense, ptd_dense_work},
};

/* The estimates of all methods; INFINITY where one does not apply. */
static void estimate(const ptd_chain *chain, const ptd_question *question, double work[PTD_METHODS])
{
    work[PTD_METHOD_AUTO] = INFINITY;
    work[PTD_METHOD_UNIFORMISE] = ptd_uniformise_work(chain, question);
    work[PTD_METHOD_CONTOUR] =
        ptd_contour_applies(chain) ? ptd_contour_work(chain, question) : INFINITY;
    work[PTD_METHOD_DENSE] = ptd_dense_work(chain, question);
}

/* In the order in which `auto` asks them. */
static void prefer(const double work[PTD_METHODS], ptd_method methods[PTD_METHODS - 1])
{
    const int contour_first =
        CONTOUR_WEIGHT * work[PTD_METHOD_CONTOUR] < work[PTD_METHOD_UNIFORMISE];
    methods[0] = contour_first ? PTD_METHOD_CONTOUR : PTD_METHOD_UNIFORMISE;
    methods[1] = contour_first ? PTD_METHOD_UNIFORMISE : PTD_METHOD_CONTOUR;
    methods[2] = PTD_METHOD_DENSE;
}

/* The times whose bound is above the tolerance, and room for their answers. */
typedef struct {
    int64_t count;
    int64_t *number; /* in the whole question */
    double *times, *log_value, *bound, *log_jet;
    double *memory;
} pending;

static ptd_status pending_create(int64_t n_times, int jets, pending *p, ptd_error *error)
{
    const size_t n = (size_t)n_times;
    memset(p, 0, sizeof *p);
    p->number = ptd_allocate(n, sizeof *p->number);
    p->memory = ptd_allocate(n * (size_t)(3 + jets - 1), sizeof(double));
    if (!p->number || !p->memory) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n_times);
    }
    p->times = p->memory;
    p->log_value = p->times + n;
    p->bound = p->log_value + n;
    p->log_jet = jets > 1 ? p->bound + n : NULL;
    return PTD_OK;
}

static void collect(const ptd_answers *answers, int64_t n_times, const double *times,
                    double tolerance, pending *p)
{
    p->count = 0;
    for (int64_t k = 0; k < n_times; k++) {
        if (!(answers->bound[k] <= tolerance)) {
            p->number[p->count] = k;
            p->times[p->count++] = times[k];
        }
    }
}

/* Far from 1, derivatives may leave the range of double where the value does not. */
static int are_finite(const double *log_jet, size_t count)
{
    for (size_t j = 0; j < count; j++) {
        if (!isfinite(log_jet[j])) {
            return 0;
        }
    }
    return 1;
}

/* Keeps what is better than what is there. */
static void keep(const ptd_chain *chain, const pending *p, ptd_method method, ptd_bound_kind kind,
                 ptd_answers *answers)
{
    const size_t rest = (size_t)chain->jets - 1;
    for (int64_t k = 0; k < p->count; k++) {
        const size_t to = (size_t)p->number[k];
        if (p->bound[k] < answers->bound[to] &&
            are_finite(p->log_jet ? p->log_jet + (size_t)k * rest : NULL, rest)) {
            answers->log_value[to] = p->log_value[k];
            answers->bound[to] = p->bound[k];
            answers->method[to] = (uint8_t)method;
            answers->kind[to] = (uint8_t)kind;
            if (rest > 0) {
                memcpy(answers->log_jet + to * rest, p->log_jet + (size_t)k * rest,
                       rest * sizeof(double));
            }
        }
    }
}

static ptd_status ask(const ptd_chain *chain, const ptd_density_options *options, int64_t n_times,
                      const double *times, ptd_method method, pending *p, ptd_answers *answers,
                      ptd_error *error)
{
    collect(answers, n_times, times, options->tolerance, p);
    ptd_question question = {.function = options->function,
                             .tolerance = options->tolerance,
                             .max_work = options->max_work,
                             .n_times = p->count,
                             .times = p->times,
                             .log_value = p->log_value,
                             .bound = p->bound,
                             .log_jet = p->log_jet,
                             .kind = PTD_VERIFIED};
    if (p->count == 0 || !(METHODS[method].work(chain, &question) <= options->max_work)) {
        return PTD_OK;
    }
    ptd_status status = METHODS[method].answer(chain, &question, error);
    if (!status) {
        keep(chain, p, method, question.kind, answers);
    }
    return status;
}

/* Whether nothing ever moves: no mass, or no rate. */
static int is_still(const ptd_chain *chain)
{
    if (chain->order > 0) {
        /* where a rate is 0 its derivative need not be */
        return chain->n == 0;
    }
    double mass = 0;
    for (int64_t s = 0; s < chain->n; s++) {
        mass += chain->alpha[s];
    }
    return chain->fastest == 0 || mass == 0;
}

/* What does not move stays, and is never absorbed. */
static void answer_still(const ptd_chain *chain, ptd_function function, int64_t n_times,
                         ptd_answers *answers)
{
    double mass = 0;
    for (int64_t s = 0; s < chain->n; s++) {
        mass += chain->alpha[s];
    }
    for (int64_t k = 0; k < n_times; k++) {
        answers->log_value[k] = function == PTD_SURVIVAL && mass > 0 ? log(mass) : -INFINITY;
        answers->bound[k] = (double)chain->n * DBL_EPSILON;
        answers->method[k] = PTD_METHOD_UNIFORMISE;
        answers->kind[k] = PTD_CERTIFIED;
    }
    if (chain->jets > 1) {
        memset(answers->log_jet, 0,
               (size_t)n_times * ((size_t)chain->jets - 1) * sizeof *answers->log_jet);
    }
}

ptd_status ptd_density_answer(const ptd_chain *chain, const ptd_density_options *options,
                              int64_t n_times, const double *times, ptd_answers *answers,
                              ptd_error *error)
{
    double work[PTD_METHODS];
    ptd_method methods[PTD_METHODS - 1] = {options->method};
    int count = 1;
    pending p;
    if (is_still(chain)) {
        answer_still(chain, options->function, n_times, answers);
        return PTD_OK;
    }
    for (int64_t k = 0; k < n_times; k++) {
        answers->bound[k] = INFINITY;
        answers->log_value[k] = -INFINITY;
        answers->method[k] = (uint8_t)options->method;
        answers->kind[k] = PTD_VERIFIED;
    }
    if (chain->jets > 1) {
        memset(answers->log_jet, 0,
               (size_t)n_times * ((size_t)chain->jets - 1) * sizeof *answers->log_jet);
    }
    ptd_status status = pending_create(n_times, chain->jets, &p, error);
    if (status) {
        goto out;
    }
    if (options->method == PTD_METHOD_AUTO) {
        const ptd_question question = {.function = options->function,
                                       .tolerance = options->tolerance,
                                       .max_work = options->max_work,
                                       .n_times = n_times,
                                       .times = times};
        estimate(chain, &question, work);
        prefer(work, methods);
        count = PTD_METHODS - 1;
    } else if (options->method == PTD_METHOD_CONTOUR) {
        count = ptd_contour_applies(chain);
    }
    for (int k = 0; k < count && !status; k++) {
        if (options->method == PTD_METHOD_AUTO && !(work[methods[k]] < INFINITY)) {
            continue;
        }
        status = ask(chain, options, n_times, times, methods[k], &p, answers, error);
    }
out:
    ptd_release(p.number);
    ptd_release(p.memory);
    return status;
}

static ptd_status check_question(const ptd_chain *chain, const ptd_density_options *options,
                                 int64_t n_times, const double *times, ptd_error *error)
{
    if ((int)options->function < 0 || options->function > PTD_SURVIVAL ||
        (int)options->method < 0 || (int)options->method >= (int)PTD_METHODS ||
        !(options->tolerance > 0) || !(options->max_work >= 0)) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, 0);
    }
    for (int64_t k = 0; k < n_times; k++) {
        const double t = times[k];
        if (!(t > 0 && isfinite(t)) || (k > 0 && t < times[k - 1]) ||
            (chain->discrete && t != floor(t))) {
            return ptd_fail(error, PTD_INVALID_ARGUMENT, 3, t);
        }
    }
    return PTD_OK;
}

ptd_status ptd_density_evaluate(const ptd_chain *chain, const ptd_density_options *options,
                                int64_t n_times, const double *times, double *log_value,
                                double *bound, uint8_t *method, uint8_t *kind, double *log_jet,
                                ptd_error *error)
{
    ptd_answers answers = {log_value, bound, method, kind, log_jet};
    ptd_density_options asked = *options;
    ptd_status status = check_question(chain, options, n_times, times, error);
    if (status) {
        return status;
    }
    if (asked.max_work == 0) {
        asked.max_work = DEFAULT_WORK;
    }
    status = ptd_interpolation_pays(chain, n_times, times)
                 ? ptd_density_interpolate(chain, &asked, n_times, times, &answers, error)
                 : ptd_density_answer(chain, &asked, n_times, times, &answers, error);
    for (int64_t k = 0; k < n_times && !status; k++) {
        if (!(bound[k] <= options->tolerance)) {
            status = ptd_fail(error, PTD_DENSITY_REFUSED, k, bound[k]);
        }
    }
    return status;
}

ptd_status ptd_density_estimate(const ptd_chain *chain, const ptd_density_options *options,
                                int64_t n_times, const double *times, double work[PTD_METHODS],
                                ptd_error *error)
{
    ptd_status status = check_question(chain, options, n_times, times, error);
    if (status) {
        return status;
    }
    const ptd_question question = {.function = options->function,
                                   .tolerance = options->tolerance,
                                   .max_work = options->max_work ? options->max_work : DEFAULT_WORK,
                                   .n_times = n_times,
                                   .times = times};
    estimate(chain, &question, work);
    return PTD_OK;
}
