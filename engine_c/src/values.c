/* Values: a function of the density family at one theta and any times, as callers ask for it.
 *
 * The methods answer in logarithms at distinct, positive, finite times; here times are put in order
 * and the rest is known: before 0, at 0 (an atom, or a limit from above), at infinity. P(Y <= t)
 * gets its atom. Where a logarithm of a probability near 1 is asked for, it is taken from what the
 * probability lacks to 1, which keeps its digits.
 */
#include "chain.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jet.h"
#include "memory.h"
#include "status.h"

/* Above this, the logarithm of a probability is taken from what it lacks to 1. */
#define NEAR_ONE 0.75

void ptd_exp_all(int64_t count, const double *x, double *y)
{
    for (int64_t k = 0; k < count; k++) {
        y[k] = exp(x[k]);
    }
}

void ptd_log_all(int64_t count, const double *x, double *y)
{
    for (int64_t k = 0; k < count; k++) {
        y[k] = log(x[k]);
    }
}

void ptd_log1p_all(int64_t count, const double *x, double *y)
{
    for (int64_t k = 0; k < count; k++) {
        y[k] = log1p(x[k]);
    }
}

/* Answers by time: the logarithm of the value, derivatives of the value divided by it; those of a
 * value that is 0 are divided by nothing. */
typedef struct {
    double *log_value;
    double *log_jet; /* n_times x (jets - 1) */
} logs;

/* A time that the methods are asked about, and whose it is. */
typedef struct {
    double time;
    int64_t number;
} inside;

/* What the methods answer, one a distinct time. */
typedef struct {
    inside *order;    /* n */
    int64_t *of_time; /* n: by `order`, which of the distinct times */
    double *times;    /* distinct */
    double *log_value;
    double *bound;
    double *log_jet;
    uint8_t *method;
    uint8_t *kind;
} room;

static void room_release(room *r)
{
    ptd_release(r->order);
    ptd_release(r->of_time);
    ptd_release(r->times);
    ptd_release(r->method);
}

static ptd_status room_create(size_t n, size_t rest, room *r, ptd_error *error)
{
    memset(r, 0, sizeof *r);
    r->order = ptd_allocate(n, sizeof *r->order);
    r->of_time = ptd_allocate(n, sizeof *r->of_time);
    r->times = ptd_allocate(n, (3 + rest) * sizeof(double));
    r->method = ptd_allocate(n, 2);
    if (!r->order || !r->of_time || !r->times || !r->method) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
    }
    r->log_value = r->times + n;
    r->bound = r->log_value + n;
    r->log_jet = rest > 0 ? r->bound + n : NULL;
    r->kind = r->method + n;
    return PTD_OK;
}

static int earlier(const void *a, const void *b)
{
    const inside *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

/* The values of a jet as logarithm and quotients. */
static void as_logs(const double *jet, size_t rest, double *log_value, double *log_jet)
{
    *log_value = log(jet[0]);
    for (size_t k = 0; k < rest; k++) {
        log_jet[k] = jet[1 + k] / (jet[0] > 0 ? jet[0] : 1);
    }
}

/* The logarithm of what derivatives are divided by. */
static double divisor(double log_value)
{
    return isinf(log_value) ? 0 : log_value;
}

static double log_of_sum(double a, double b)
{
    if (isinf(a) && isinf(b)) {
        return a;
    }
    if (a == b) {
        return a + M_LN2;
    }
    return a > b ? a + log1p(exp(b - a)) : b + log1p(exp(a - b));
}

/* A function at 0. At 0 steps, the probability is the atom; at time 0, the density is a limit. */
static ptd_status at_zero(const ptd_chain *chain, ptd_function function, double *log_value,
                          double *log_jet, ptd_error *error)
{
    double *jet = ptd_allocate((size_t)chain->jets, sizeof *jet);
    if (!jet) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, chain->jets);
    }
    const int atom = chain->discrete && function == PTD_DENSITY;
    ptd_chain_at_zero(chain, atom ? PTD_DISTRIBUTION : function, jet);
    as_logs(jet, (size_t)chain->jets - 1, log_value, log_jet);
    ptd_release(jet);
    return PTD_OK;
}

/* P(Y < infinity) and, with order 1, its derivatives: `total`, 1 + n_parameters. */
static ptd_status total_probability(const ptd_chain *chain, const double *theta, double *total,
                                    ptd_error *error)
{
    const ptd_elimination_trace *trace = chain->trace;
    const size_t P = chain->order > 0 ? (size_t)chain->n_parameters : 0;
    const int64_t count = trace->meta.n_absorbing;
    const ptd_workspace_options options = {
        .max_order = 1, .max_rewards = 1, .gradient = P > 0, .n_thetas = 1};
    memset(total, 0, (1 + P) * sizeof *total);
    total[0] = 1;
    if (trace->meta.n_dropped == 0) {
        return PTD_OK;
    }
    ptd_workspace *ws = NULL;
    ptd_status status = ptd_workspace_create(trace, &options, &ws, error);
    int64_t *ends = ptd_allocate((size_t)count, sizeof *ends);
    double *probability = ptd_allocate((size_t)count, (1 + P) * sizeof *probability);
    if (!status && (!ends || !probability)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)count);
    }
    if (!status) {
        const uint32_t *vertex = ptd_array_u32(trace->arrays, PTD_POSITION_VERTEX);
        for (int64_t k = 0; k < count; k++) {
            ends[k] = vertex[k];
        }
        status = ptd_absorption_probabilities(ws, 1, theta, count, ends, probability,
                                              P > 0 ? probability + count : NULL, error);
    }
    if (!status) {
        total[0] = 0;
        for (int64_t k = 0; k < count; k++) {
            total[0] += probability[k];
            for (size_t p = 0; p < P; p++) {
                total[1 + p] += probability[count + k * (int64_t)P + (int64_t)p];
            }
        }
    }
    ptd_release(ends);
    ptd_release(probability);
    ptd_workspace_destroy(ws);
    return status;
}

/* A function at infinity, from the total. */
static void at_infinity(const ptd_chain *chain, ptd_function function, const double *total,
                        double *log_value, double *log_jet)
{
    const double limits[] = {0, total[0], 1 - total[0]}; /* by function */
    const double signs[] = {0, 1, -1};
    const double value = limits[function];
    *log_value = log(value);
    for (int p = 0; chain->order > 0 && p < chain->n_parameters; p++) {
        log_jet[p] = signs[function] * total[1 + p] / (value > 0 ? value : 1);
    }
}

/* What is never absorbed is what the total lacks to 1; where that has too few digits left, it is
 * not answered. */
static ptd_status check_rest(const ptd_chain *chain, double total, double tolerance, int64_t n,
                             const double *times, ptd_error *error)
{
    const double lack = 1 - total;
    const ptd_trace_meta *meta = &chain->trace->meta;
    const double rounding = DBL_EPSILON * (double)meta->n_vertices;
    for (int64_t k = 0; meta->n_dropped > 0 && k < n; k++) {
        if (isinf(times[k]) && times[k] > 0 && !(rounding <= tolerance * lack)) {
            return ptd_fail(error, PTD_DENSITY_REFUSED, k, lack > 0 ? rounding / lack : INFINITY);
        }
    }
    return PTD_OK;
}

/* Distinct times in ascending order; returns how many. */
static int64_t put_in_order(room *r, int64_t n)
{
    int64_t distinct = 0;
    int sorted = 1;
    for (int64_t k = 1; k < n; k++) {
        sorted &= r->order[k - 1].time <= r->order[k].time;
    }
    if (!sorted) {
        qsort(r->order, (size_t)n, sizeof *r->order, earlier);
    }
    for (int64_t k = 0; k < n; k++) {
        if (k == 0 || r->order[k].time > r->order[k - 1].time) {
            r->times[distinct++] = r->order[k].time;
        }
        r->of_time[k] = distinct - 1;
    }
    return distinct;
}

/* P(Y <= t) from what the methods answer, which lacks the atom. */
static ptd_status add_atom(const ptd_chain *chain, int64_t count, room *r, ptd_error *error)
{
    const size_t rest = (size_t)chain->jets - 1;
    double *log_jet = ptd_allocate(rest, sizeof *log_jet);
    double log_atom;
    if (!log_jet) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)rest);
    }
    ptd_status status = at_zero(chain, PTD_DISTRIBUTION, &log_atom, log_jet, error);
    int present = !status && isfinite(log_atom);
    for (size_t p = 0; !status && p < rest; p++) {
        present |= log_jet[p] != 0;
    }
    for (int64_t k = 0; present && k < count; k++) {
        const double before = r->log_value[k];
        const double sum = log_of_sum(before, log_atom);
        const double share = exp(divisor(before) - divisor(sum));
        const double atom = exp(divisor(log_atom) - divisor(sum));
        r->log_value[k] = sum;
        for (size_t p = 0; p < rest; p++) {
            double *jet = r->log_jet + (size_t)k * rest + p;
            *jet = share * *jet + atom * log_jet[p];
        }
    }
    ptd_release(log_jet);
    return status;
}

/* The function at times (discrete: whole ones, or negative). `total`: as total_probability gives
 * it. */
static ptd_status logs_at(const ptd_chain *chain, const ptd_density_options *options, int64_t n,
                          const double *times, const double *total, const logs *out,
                          ptd_error *error)
{
    const ptd_function function = options->function;
    const size_t rest = (size_t)chain->jets - 1;
    int64_t count = 0;
    room r;
    ptd_status status = room_create((size_t)n, rest, &r, error);
    for (int64_t k = 0; k < n && !status; k++) {
        double *log_value = out->log_value + k;
        double *log_jet = rest > 0 ? out->log_jet + (size_t)k * rest : NULL;
        if (rest > 0) {
            memset(log_jet, 0, rest * sizeof *log_jet);
        }
        if (times[k] > 0 && isfinite(times[k])) {
            r.order[count++] = (inside){times[k], k};
        } else if (times[k] == 0) {
            status = at_zero(chain, function, log_value, log_jet, error);
        } else if (times[k] < 0) {
            *log_value = function == PTD_SURVIVAL ? 0 : -INFINITY;
        } else if (chain->order > 1 && chain->trace->meta.n_dropped > 0) {
            /* second derivatives of the total are not known */
            status = ptd_fail(error, PTD_DENSITY_REFUSED, k, INFINITY);
        } else {
            at_infinity(chain, function, total, log_value, log_jet);
        }
    }
    if (!status && count > 0) {
        const int64_t distinct = put_in_order(&r, count);
        status = ptd_density_evaluate(chain, options, distinct, r.times, r.log_value, r.bound,
                                      r.method, r.kind, r.log_jet, error);
        if (status == PTD_DENSITY_REFUSED) {
            int64_t k = 0;
            while (r.of_time[k] != error->index) {
                k++;
            }
            error->index = r.order[k].number;
        }
        if (!status && function == PTD_DISTRIBUTION) {
            status = add_atom(chain, distinct, &r, error);
        }
        for (int64_t k = 0; k < count && !status; k++) {
            const size_t from = (size_t)r.of_time[k];
            const size_t to = (size_t)r.order[k].number;
            out->log_value[to] = r.log_value[from];
            if (rest > 0) {
                memcpy(out->log_jet + to * rest, r.log_jet + from * rest, rest * sizeof *r.log_jet);
            }
        }
    }
    room_release(&r);
    return status;
}

/* Where a probability is near 1, its logarithm from what it lacks; no time is infinite. */
static ptd_status refine_near_one(const ptd_chain *chain, const ptd_density_options *options,
                                  int64_t n, const double *times, const logs *out, ptd_error *error)
{
    const size_t rest = (size_t)chain->jets - 1;
    ptd_density_options other = *options;
    int64_t count = 0;
    ptd_status status = PTD_OK;
    other.function = options->function == PTD_DISTRIBUTION ? PTD_SURVIVAL : PTD_DISTRIBUTION;
    int64_t *number = ptd_allocate((size_t)n, sizeof *number);
    double *memory = ptd_allocate((size_t)n, (2 + rest) * sizeof *memory);
    if (!number || !memory) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
        goto out;
    }
    const logs lack = {memory + n, memory + 2 * n};
    for (int64_t k = 0; k < n; k++) {
        if (out->log_value[k] > log(NEAR_ONE) && times[k] > 0 && isfinite(times[k])) {
            number[count] = k;
            memory[count++] = times[k];
        }
    }
    if (count > 0) {
        status = logs_at(chain, &other, count, memory, NULL, &lack, error);
    }
    if (status == PTD_DENSITY_REFUSED) {
        error->index = number[error->index];
    }
    for (int64_t k = 0; k < count && !status; k++) {
        const double value = exp(lack.log_value[k]);
        const double odds = value > 0 ? value / (1 - value) : 1;
        out->log_value[number[k]] = log1p(-value);
        for (size_t p = 0; p < rest; p++) {
            out->log_jet[(size_t)number[k] * rest + p] = -odds * lack.log_jet[(size_t)k * rest + p];
        }
    }
out:
    ptd_release(number);
    ptd_release(memory);
    return status;
}

/* From logarithms and quotients to what is asked for. */
static void finish(const ptd_chain *chain, int logarithm, int64_t n, const logs *found,
                   double *values, double *gradient, double *hessian)
{
    const size_t P = (size_t)chain->n_parameters;
    const size_t rest = (size_t)chain->jets - 1;
    for (size_t k = 0; k < (size_t)n; k++) {
        const double *slope = rest > 0 ? found->log_jet + k * rest : NULL;
        const double log_value = found->log_value[k];
        /* the logarithm of 0 has no derivatives, and 0 in their place */
        const double factor =
            logarithm ? !isinf(log_value) || log_value > 0 : exp(divisor(log_value));
        values[k] = logarithm ? log_value : exp(log_value);
        for (size_t p = 0; chain->order > 0 && p < P; p++) {
            gradient[k * P + p] = factor * slope[p];
        }
        size_t second = P;
        for (size_t p = 0; chain->order > 1 && p < P; p++) {
            for (size_t q = p; q < P; q++, second++) {
                const double curvature =
                    factor * (logarithm ? slope[second] - slope[p] * slope[q] : slope[second]);
                hessian[(k * P + p) * P + q] = curvature;
                hessian[(k * P + q) * P + p] = curvature;
            }
        }
    }
}

static ptd_status check_times(int64_t n_times, const double *times, ptd_error *error)
{
    for (int64_t k = 0; k < n_times; k++) {
        if (isnan(times[k])) {
            return ptd_fail(error, PTD_TIME_NAN, k, times[k]);
        }
    }
    return PTD_OK;
}

/* Times as they count in a discrete graph: whole steps; a probability of others is 0. */
static void whole_steps(ptd_function function, int64_t n, const double *times, double *steps)
{
    for (int64_t k = 0; k < n; k++) {
        steps[k] = floor(times[k]);
        if (function == PTD_DENSITY && steps[k] != times[k]) {
            steps[k] = -1;
        }
    }
}

ptd_status ptd_density_values(const ptd_elimination_trace *trace, const double *theta,
                              const double *rewards, const ptd_values_options *options,
                              int64_t n_times, const double *times, double *values,
                              double *gradient, double *hessian, ptd_error *error)
{
    const ptd_chain_options how = {.order = options->order, .rewards = rewards, .target = -1};
    const ptd_density_options density = {options->function, options->method, options->tolerance, 0};
    const int near_one = options->logarithm && options->function != PTD_DENSITY;
    ptd_chain *chain = NULL;
    double *memory = NULL;
    double *total = NULL;
    ptd_status status = check_times(n_times, times, error);
    if (status) {
        return status;
    }
    status = ptd_chain_create(trace, theta, &how, &chain, error);
    if (status) {
        return status;
    }
    const size_t n = (size_t)n_times;
    memory = ptd_allocate(n, (size_t)(1 + chain->jets) * sizeof *memory);
    total = ptd_allocate((size_t)chain->jets, sizeof *total);
    if (!memory || !total) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)n_times);
        goto out;
    }
    const logs found = {memory + n, memory + 2 * n};
    if (chain->discrete) {
        whole_steps(options->function, n_times, times, memory);
        times = memory;
    }
    status = total_probability(chain, theta, total, error);
    if (!status && (near_one || options->function == PTD_SURVIVAL)) {
        status = check_rest(chain, total[0], options->tolerance, n_times, times, error);
    }
    if (!status) {
        status = logs_at(chain, &density, n_times, times, total, &found, error);
    }
    if (!status && near_one) {
        status = refine_near_one(chain, &density, n_times, times, &found, error);
    }
    if (!status) {
        finish(chain, options->logarithm, n_times, &found, values, gradient, hessian);
    }
out:
    ptd_release(memory);
    ptd_release(total);
    ptd_chain_destroy(chain);
    return status;
}
