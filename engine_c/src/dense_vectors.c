/* Vectors of the dense method: the start, and whole steps by the binary digits of their number.
 *
 * A time t is m steps of h and a rest. alpha P^m is the product with those powers P^(2^j) whose
 * digit of m is one, each taken when squaring has reached it, for all times at once.
 */
#include "dense_vectors.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "memory.h"
#include "product.h"
#include "status.h"

/* Times that are multiplied with a power at once. */
enum { GROUP = 64 };

static int allocate(ptd_dense_vectors *c)
{
    const size_t parts = (size_t)c->parts;
    const size_t times = (size_t)c->question->n_times;
    const size_t stride = (size_t)c->stride;
    const size_t group = parts * GROUP * stride;
    c->memory[0] = ptd_allocate_zero((5 + parts) * times + 3 * parts, sizeof(double));
    c->memory[1] = ptd_allocate_aligned(parts * stride, sizeof(double));
    c->memory[2] = ptd_allocate_aligned(parts * times * stride, sizeof(double));
    c->memory[3] = ptd_allocate_aligned(2 * group, sizeof(double));
    c->memory[4] = ptd_allocate_aligned((size_t)c->chain->n * PTD_PRODUCT_COLUMNS, sizeof(double));
    c->memory[5] = ptd_allocate(GROUP, sizeof *c->turn);
    for (int k = 0; k < 6; k++) {
        if (!c->memory[k]) {
            return 0;
        }
    }
    c->steps = c->memory[0];
    c->rest = c->steps + times;
    c->exponent = c->rest + times;
    c->lost = c->exponent + times;
    c->lost_absorbed = c->lost + times;
    c->absorbed = c->lost_absorbed + times;
    c->slope_scale = c->absorbed + parts * times;
    c->value = c->slope_scale + parts;
    c->carried = c->value + parts;
    c->hold = c->memory[1];
    c->vector = c->memory[2];
    c->from = c->memory[3];
    c->to = c->from + group;
    c->panel = c->memory[4];
    c->turn = c->memory[5];
    return 1;
}

void ptd_dense_vectors_release(ptd_dense_vectors *c)
{
    for (int k = 0; k < 6; k++) {
        ptd_release(c->memory[k]);
    }
}

/* ---- the step, and how often each time takes it */

void ptd_dense_slope_scales(const ptd_chain *chain, int parts, double *slope_scale)
{
    const size_t jets = (size_t)chain->jets;
    const double fastest = chain->fastest > 0 ? chain->fastest : 1;
    slope_scale[0] = 1;
    for (size_t part = 1; part < (size_t)parts; part++) {
        double largest = 0;
        for (size_t k = 0; k < (size_t)chain->n_edges; k++) {
            largest = fmax(largest, fabs(chain->in_rate[k * jets + part]));
        }
        for (size_t s = 0; s < (size_t)chain->n; s++) {
            largest = fmax(largest, fabs(chain->exit[s * jets + part]));
            largest = fmax(largest, fabs(chain->out[s * jets + part]));
            largest = fmax(largest, fabs(chain->alpha[s * jets + part]) * fastest);
        }
        slope_scale[part] = largest > 0 ? ldexp(1, ilogb(fastest) - ilogb(largest)) : 1;
    }
}

/* Continuous: h such that fastest h is between 1/8 and 1/4 (variant: 3/4 of it). */
static void choose_step(ptd_dense_vectors *c, int variant)
{
    const ptd_chain *chain = c->chain;
    const ptd_question *q = c->question;
    const int exponent = chain->fastest > 0 ? -3 - ilogb(chain->fastest) : 0;
    const double fraction = variant ? 0.75 : 1;
    c->step.chain = chain;
    c->step.parts = c->parts;
    c->step.slope_scale = c->slope_scale;
    c->step.multiple = variant ? 3 : 1;
    c->step.scale = chain->discrete ? 1 : ldexp(fraction / PTD_DENSE_EVENTS, exponent);
    c->log_scale = chain->discrete ? 0 : log(fraction / PTD_DENSE_EVENTS) + exponent * M_LN2;
    for (int64_t k = 0; k < q->n_times; k++) {
        if (chain->discrete) {
            const double whole = q->times[k] - (q->function == PTD_DENSITY ? 1 : 0);
            c->rest[k] = fmod(whole, c->step.multiple);
            c->steps[k] = (whole - c->rest[k]) / c->step.multiple;
        } else {
            /* Beyond the range of double the answer will not be believed (dense.c). */
            const double whole = fmin(ldexp(q->times[k], -exponent) / fraction, DBL_MAX);
            c->steps[k] = floor(whole);
            c->rest[k] = whole - c->steps[k];
        }
    }
}

static void start(ptd_dense_vectors *c)
{
    const ptd_chain *chain = c->chain;
    const size_t jets = (size_t)chain->jets;
    double largest = 0;
    for (int64_t s = 0; s < chain->n; s++) {
        const size_t own = (size_t)s * jets;
        largest = fmax(largest, chain->alpha[own]);
        for (size_t part = 0; part < (size_t)c->parts; part++) {
            double hold = part == 0 ? 1 - chain->out[own] * c->step.scale
                                    : -chain->out[own + part] * c->step.scale;
            hold = chain->discrete ? chain->stay[own + part] : hold;
            c->hold[part * (size_t)c->stride + (size_t)s] = hold * c->slope_scale[part];
        }
    }
    const int shift = largest > 0 ? PTD_POWER_SCALE - ilogb(largest) : 0;
    for (int64_t k = 0; k < c->question->n_times; k++) {
        c->exponent[k] = -shift;
        for (int part = 0; part < c->parts; part++) {
            double *vector = ptd_dense_vector(c, part, k);
            for (int64_t s = 0; s < chain->n; s++) {
                vector[s] = ldexp(
                    chain->alpha[(size_t)s * jets + (size_t)part] * c->slope_scale[part], shift);
            }
        }
    }
}

ptd_status ptd_dense_vectors_create(const ptd_chain *chain, const ptd_question *question,
                                    int variant, int slopes, ptd_dense_vectors *c, ptd_error *error)
{
    memset(c, 0, sizeof *c);
    c->chain = chain;
    c->question = question;
    c->parts = 1 + slopes;
    c->stride = ptd_product_padded(chain->n, PTD_PRODUCT_COLUMNS);
    if (!allocate(c)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)question->n_times);
    }
    ptd_dense_slope_scales(chain, c->parts, c->slope_scale);
    choose_step(c, variant);
    start(c);
    return PTD_OK;
}

/* ---- whole steps */

/* Time `k` after a product: `from` its vectors before, `to` after (each parts x GROUP x stride). */
static void settle(ptd_dense_vectors *c, const ptd_dense_matrix *power, int64_t k,
                   const double *from, const double *to)
{
    const int64_t n = c->chain->n;
    const int64_t group = GROUP * c->stride;
    const double mass = ptd_dense_sum(n, from);
    const double scale = ptd_two_to(c->exponent[k]);
    double largest = 0;
    double least = INFINITY;
    for (int64_t j = 0; j < n; j++) {
        largest = fmax(largest, to[j]);
        least = from[j] > 0 ? fmin(least, from[j]) : least;
    }
    for (int part = 0; part < c->parts; part++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += from[part * group + i] * power->absorbed[i];
            if (part > 0) {
                sum += from[i] * power->absorbed[part * power->rows + i];
            }
        }
        c->absorbed[part * c->question->n_times + k] += sum * scale;
    }
    const int shift = largest > 0 ? PTD_POWER_SCALE - ilogb(largest) : 0;
    const double factor = ldexp(1, shift);
    const int tiny = !(least * power->least >= DBL_MIN && least * power->least * factor >= DBL_MIN);
    const double underflow = tiny ? (double)n * (double)n * DBL_MIN : 0;
    c->lost_absorbed[k] +=
        (c->lost[k] * ldexp(1, PTD_POWER_SCALE) + mass * power->lost_absorbed) * scale + underflow;
    c->lost[k] = (c->lost[k] * power->norm + mass * power->lost + underflow) * factor + underflow;
    c->exponent[k] += power->exponent - shift;
    for (int part = 0; part < c->parts; part++) {
        double *vector = ptd_dense_vector(c, part, k);
        for (int64_t j = 0; j < n; j++) {
            vector[j] = to[part * group + j] * factor;
        }
    }
}

/* Multiplies the times in `turn` with a power. */
static void multiply(ptd_dense_vectors *c, const ptd_dense_matrix *power, int64_t count)
{
    const int64_t rows = ptd_product_padded(count, PTD_PRODUCT_ROWS);
    const int64_t group = GROUP * c->stride;
    for (int part = 0; part < c->parts; part++) {
        for (int64_t g = 0; g < count; g++) {
            memcpy(c->from + part * group + g * c->stride, ptd_dense_vector(c, part, c->turn[g]),
                   (size_t)c->stride * sizeof(double));
        }
        ptd_product(rows, power->n, c->stride, c->from + part * group, power->power, 0, c->panel,
                    c->to + part * group);
        if (part > 0) {
            ptd_product(rows, power->n, c->stride, c->from,
                        power->power + part * power->rows * power->stride, 1, c->panel,
                        c->to + part * group);
        }
    }
    for (int64_t g = 0; g < count; g++) {
        settle(c, power, c->turn[g], c->from + g * c->stride, c->to + g * c->stride);
    }
}

/* The binary digit of every time's steps that the power stands for. Returns whether any is left. */
static int take_digit(ptd_dense_vectors *c, const ptd_dense_matrix *power)
{
    int64_t count = 0;
    int more = 0;
    for (int64_t k = 0; k < c->question->n_times; k++) {
        const double half = floor(c->steps[k] / 2);
        if (c->steps[k] != 2 * half) {
            c->turn[count++] = k;
        }
        c->steps[k] = half;
        more |= half > 0;
        if (count == GROUP) {
            multiply(c, power, count);
            count = 0;
        }
    }
    if (count > 0) {
        multiply(c, power, count);
    }
    return more;
}

ptd_status ptd_dense_vectors_advance(ptd_dense_vectors *c, ptd_error *error)
{
    ptd_dense_power power = {0};
    ptd_status status = PTD_OK;
    int any = 0;
    for (int64_t k = 0; k < c->question->n_times; k++) {
        any |= c->steps[k] > 0;
    }
    if (any) {
        status = ptd_dense_power_create(&c->step, &power, error);
        while (!status && take_digit(c, &power.current)) {
            ptd_dense_power_square(&power);
        }
        ptd_dense_power_release(&power);
    }
    return status;
}
