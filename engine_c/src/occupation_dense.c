/* Occupation of small chains by powers of the step matrix (dense_power.h), however stiff they are.
 *
 * A time is N steps h. With P_m the transitions of m steps and C_m the expected time in each state
 * during them, which are the blocks of exp([S I; 0 0] m h),
 *     P_2m = P_m P_m,      C_2m = C_m + P_m C_m,
 * and a distribution v with the time c that is behind it takes the binary digits of N,
 *     c <- c + v C_m,      v <- v P_m.
 * Nothing is subtracted. Errors of P are relative ones of the rates between states, its rows being
 * restored, and those of C grow by a few roundings with each squaring.
 *
 * The first C is a sum over the events of the uniformised chain, of which x happen during h:
 *     C_h = (h / x) sum over k of P(more than k events) E^k
 * (discrete: I, or the sum of the first powers). It leaves out those paths of D events in N steps
 * that have more than TERMS of them in one step: a share of at most C(D, TERMS) / N^TERMS.
 *
 * Verified: it is computed a second time with a step of another length (discrete: with three steps
 * for one), so that no rounding is shared, and the answers are compared.
 */
#include "occupation.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "dense_vectors.h"
#include "memory.h"
#include "product.h"
#include "status.h"

enum { TERMS = 24 };

/* Scales of what is stored: C in steps, probabilities, and c as C. Values of C grow with the steps
 * and slopes with their square: within these limits sums of products stay in range. */
enum { TIME_SCALE = 300, VECTOR_SCALE = PTD_POWER_SCALE };
static const double FEWEST_STEPS = 0x1p12;
static const double MOST_STEPS = 0x1p250;
static const double MOST_STEPS_OF_SLOPES = 0x1p120;

/* As in dense.c: rates beyond do not stay in range. */
static const double SLOWEST = 0x1p-400;

typedef struct {
    const ptd_chain *chain;
    int parts; /* the value, and a slope a parameter */
    int64_t stride;
    size_t square;       /* numbers of a matrix */
    double steps, rest;  /* N; discrete: single steps before those */
    double unit;         /* h; discrete: 1 */
    ptd_dense_step step; /* of the power */
    ptd_dense_power power;
    double *slope_scale; /* parts */
    double *memory;      /* of the next two, which change places */
    double *spent;       /* parts x square: C */
    double *product;     /* parts x square */
    double *vector;      /* parts x stride: v */
    double *behind;      /* parts x stride: c */
    double *next;        /* parts x stride */
    double lost;         /* underflowed at most, as a probability and as a time in steps / N */
} dense_occupation;

static int allocate(dense_occupation *d)
{
    const size_t parts = (size_t)d->parts;
    const size_t row = parts * (size_t)d->stride;
    d->slope_scale = ptd_allocate_zero(parts, sizeof *d->slope_scale);
    d->memory = ptd_allocate_aligned(2 * parts * d->square, sizeof *d->memory);
    d->vector = ptd_allocate_aligned(3 * row, sizeof *d->vector);
    d->spent = d->memory;
    d->product = d->memory ? d->memory + parts * d->square : NULL;
    d->behind = d->vector ? d->vector + row : NULL;
    d->next = d->vector ? d->behind + row : NULL;
    return d->slope_scale && d->memory && d->vector;
}

static void dense_release(dense_occupation *d)
{
    ptd_dense_power_release(&d->power);
    ptd_release(d->slope_scale);
    ptd_release(d->memory);
    ptd_release(d->vector);
}

static void choose_step(dense_occupation *d, double time, int variant)
{
    const double multiple = variant ? 3 : 1;
    d->step.chain = d->chain;
    d->step.parts = d->parts;
    d->step.slope_scale = d->slope_scale;
    if (d->chain->discrete) {
        d->step.multiple = (int)multiple;
        d->step.scale = d->unit = 1;
        d->rest = fmod(time, multiple);
        d->steps = (time - d->rest) / multiple;
        return;
    }
    /* Between 1/8 and 1/4 events of the fastest state in a step. */
    const double part = time / multiple;
    const int halvings = ilogb(d->chain->fastest * part) + 3;
    d->step.multiple = 1;
    d->steps = ldexp(multiple, halvings);
    d->unit = ldexp(part, -halvings);
    d->step.scale = d->unit / PTD_DENSE_EVENTS;
}

static double scaled(double x, double exponent)
{
    /* In two parts: both are in range where the result is. */
    const double half = floor(exponent / 2);
    return x * ptd_two_to(half) * ptd_two_to(exponent - half);
}

/* The probability that an event (discrete: a step) leaves a state as it is, or its slope. */
static double hold(const dense_occupation *d, int64_t s, int part)
{
    const size_t own = (size_t)s * (size_t)d->chain->jets + (size_t)part;
    if (d->chain->discrete) {
        return d->chain->stay[own] * d->slope_scale[part];
    }
    return (part == 0) - d->chain->out[own] * d->slope_scale[part] * d->step.scale;
}

/* ---- the first C */

/* to += (part of E) from */
static void add_event(const dense_occupation *d, int part, const double *from, double *to)
{
    const ptd_chain *chain = d->chain;
    const double scale = d->slope_scale[part] * d->step.scale;
    for (int64_t j = 0; j < chain->n; j++) {
        const double held = hold(d, j, part);
        for (int64_t i = 0; i < chain->n; i++) {
            to[j * d->stride + i] += held * from[j * d->stride + i];
        }
        for (uint32_t at = chain->in_start[j]; at < chain->in_start[j + 1]; at++) {
            const double rate = chain->in_rate[at * (size_t)chain->jets + (size_t)part] * scale;
            double *row = to + chain->in_from[at] * d->stride;
            for (int64_t i = 0; i < chain->n; i++) {
                row[i] += rate * from[j * d->stride + i];
            }
        }
    }
}

/* C <- E C + weight I */
static void extend_series(dense_occupation *d, double weight)
{
    memset(d->product, 0, (size_t)d->parts * d->square * sizeof *d->product);
    for (int part = 0; part < d->parts; part++) {
        double *to = d->product + (size_t)part * d->square;
        add_event(d, 0, d->spent + (size_t)part * d->square, to);
        if (part > 0) {
            add_event(d, part, d->spent, to);
        }
    }
    for (int64_t i = 0; i < d->chain->n; i++) {
        d->product[i * d->stride + i] += ldexp(weight, TIME_SCALE);
    }
    double *swap = d->spent;
    d->spent = d->product;
    d->product = swap;
}

static void first_spent(dense_occupation *d)
{
    if (d->chain->discrete) {
        for (int k = 0; k < d->step.multiple; k++) {
            extend_series(d, 1);
        }
        return;
    }
    const double x = PTD_DENSE_EVENTS;
    double weight[TERMS + 1] = {exp(-x)};
    for (int k = 1; k <= TERMS; k++) {
        weight[k] = weight[k - 1] * x / k;
    }
    double more = 0;
    for (int k = TERMS - 1; k >= 0; k--) {
        more += weight[k + 1];
        extend_series(d, more / x);
    }
}

/* ---- vectors, and the powers that they take */

static void start(dense_occupation *d)
{
    const ptd_chain *chain = d->chain;
    for (int part = 0; part < d->parts; part++) {
        for (int64_t s = 0; s < chain->n; s++) {
            d->vector[part * d->stride + s] =
                ldexp(chain->alpha[s * chain->jets + part] * d->slope_scale[part], VECTOR_SCALE);
        }
    }
}

/* Discrete: one step. */
static void take_single_step(dense_occupation *d)
{
    const ptd_chain *chain = d->chain;
    for (int part = 0; part < d->parts; part++) {
        const double *own = d->vector + part * d->stride;
        for (int64_t j = 0; j < chain->n; j++) {
            double sum = own[j] * hold(d, j, 0) + (part > 0 ? d->vector[j] * hold(d, j, part) : 0);
            for (uint32_t at = chain->in_start[j]; at < chain->in_start[j + 1]; at++) {
                const double *rate = chain->in_rate + at * (size_t)chain->jets;
                const uint32_t i = chain->in_from[at];
                sum += own[i] * rate[0];
                sum += part > 0 ? d->vector[i] * rate[part] * d->slope_scale[part] : 0;
            }
            d->next[part * d->stride + j] = sum;
        }
    }
    for (int64_t k = 0; k < d->parts * d->stride; k++) {
        d->behind[k] += ldexp(d->vector[k], TIME_SCALE - VECTOR_SCALE);
        d->vector[k] = d->next[k];
    }
}

/* next = v times a matrix with its slopes, which are `square` apart */
static void multiply_vector(dense_occupation *d, const double *matrix)
{
    memset(d->next, 0, (size_t)(d->parts * d->stride) * sizeof *d->next);
    for (int part = 0; part < d->parts; part++) {
        double *to = d->next + part * d->stride;
        for (int64_t i = 0; i < d->chain->n; i++) {
            const double own = d->vector[part * d->stride + i];
            const double *row = matrix + i * d->stride;
            const double *slope = row + (size_t)part * d->square;
            for (int64_t j = 0; j < d->chain->n; j++) {
                to[j] += own * row[j];
            }
            for (int64_t j = 0; j < d->chain->n && part > 0; j++) {
                to[j] += d->vector[i] * slope[j];
            }
        }
    }
}

static void take_digit(dense_occupation *d)
{
    multiply_vector(d, d->spent);
    for (int64_t k = 0; k < d->parts * d->stride; k++) {
        d->behind[k] += scaled(d->next[k], -VECTOR_SCALE);
    }
    multiply_vector(d, d->power.current.power);
    for (int64_t k = 0; k < d->parts * d->stride; k++) {
        d->vector[k] = scaled(d->next[k], d->power.current.exponent);
    }
}

/* C <- C + P C */
static void double_spent(dense_occupation *d)
{
    const ptd_dense_matrix *power = &d->power.current;
    for (int part = d->parts - 1; part >= 0; part--) {
        double *own = d->spent + (size_t)part * d->square;
        ptd_product(power->rows, power->n, d->stride, power->power, own, 0, d->power.panel,
                    d->product);
        if (part > 0) {
            ptd_product(power->rows, power->n, d->stride, power->power + (size_t)part * d->square,
                        d->spent, 1, d->power.panel, d->product);
        }
        for (size_t k = 0; k < d->square; k++) {
            own[k] += scaled(d->product[k], power->exponent);
        }
    }
}

static void account(dense_occupation *d)
{
    const ptd_dense_matrix *power = &d->power.current;
    const double n = (double)d->chain->n;
    d->lost += scaled(power->lost, power->exponent) + 4 * n * n * ldexp(DBL_MIN, -TIME_SCALE);
}

static void advance(dense_occupation *d)
{
    for (double left = d->steps;;) {
        const double half = floor(left / 2);
        account(d);
        if (left != 2 * half) {
            take_digit(d);
        }
        if (half == 0) {
            return;
        }
        double_spent(d);
        ptd_dense_power_square(&d->power);
        left = half;
    }
}

static void hand_over(const dense_occupation *d, ptd_occupation *occupation)
{
    for (int64_t s = 0; s < d->chain->n; s++) {
        for (int part = 0; part < d->parts && s != d->chain->trap; part++) {
            const size_t own = d->chain->vertex[s] * (size_t)d->parts + (size_t)part;
            const int64_t at = part * d->stride + s;
            const double slope = d->slope_scale[part];
            occupation->probability[own] = ldexp(d->vector[at], -VECTOR_SCALE) / slope;
            occupation->accumulated[own] = ldexp(d->behind[at], -TIME_SCALE) * d->unit / slope;
        }
    }
}

/* Derivatives with as many parts; `lost` is for the smallest probability. */
static ptd_status compute(const ptd_chain *chain, double time, int variant, int parts,
                          ptd_occupation *occupation, double *lost, ptd_error *error)
{
    dense_occupation d = {.chain = chain, .parts = parts};
    ptd_status status = PTD_OK;
    d.stride = ptd_product_padded(chain->n, PTD_PRODUCT_COLUMNS);
    d.square = (size_t)(ptd_product_padded(chain->n, PTD_PRODUCT_ROWS) * d.stride);
    if (!allocate(&d)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)(2 * (size_t)parts * d.square) * 8);
        goto out;
    }
    ptd_dense_slope_scales(chain, parts, d.slope_scale);
    choose_step(&d, time, variant);
    status = ptd_dense_power_create(&d.step, &d.power, error);
    if (status) {
        goto out;
    }
    first_spent(&d);
    start(&d);
    for (double left = d.rest; left > 0; left--) {
        take_single_step(&d);
    }
    advance(&d);
    hand_over(&d, occupation);
    *lost = d.lost;
out:
    dense_release(&d);
    return status;
}

int ptd_occupation_dense_applies(const ptd_chain *chain, double time)
{
    const double steps = chain->discrete ? time : 8 * time * chain->fastest;
    const double most = chain->order > 0 ? MOST_STEPS_OF_SLOPES : MOST_STEPS;
    const int in_range = chain->fastest >= SLOWEST && chain->fastest <= 1 / SLOWEST;
    return chain->n <= PTD_DENSE_STATES && in_range && steps >= FEWEST_STEPS && steps <= most;
}

/* How far two values differ, relative, by how much a relative change of the rates may change them:
 * as they stand in the exponent; `sensitivity` receives the largest of that. */
static double difference(double first, double second, double n, double *sensitivity)
{
    const double larger = fmax(fmax(first, second), PTD_SMALLEST_OCCUPATION);
    const double own = 4 + sqrt(n) + fabs(log(larger));
    *sensitivity = fmax(*sensitivity, own);
    return fabs(first - second) / larger / own;
}

/* Rounding of each product, or four times the largest difference of the two computations, by the
 * largest sensitivity; and what underflowed. */
static double judge(const ptd_chain *chain, double time, const ptd_occupation *first,
                    const ptd_occupation *second, double lost)
{
    const double n = (double)chain->n;
    const double steps = chain->discrete ? time : 8 * time * chain->fastest;
    const double products = PTD_DENSE_BASE_TERMS + PTD_DENSE_BASE_SQUARINGS + TERMS + log2(steps);
    double sensitivity = 0, differs = DBL_EPSILON / 8 * (8 + products);
    for (int64_t v = 0; v < chain->trace->meta.n_vertices; v++) {
        const int64_t own = v * chain->jets;
        differs = fmax(
            differs, difference(first->probability[own], second->probability[v], n, &sensitivity));
        differs = fmax(differs, difference(first->accumulated[own] / time,
                                           second->accumulated[v] / time, n, &sensitivity));
    }
    return 4 * differs * sensitivity + 2 * lost / PTD_SMALLEST_OCCUPATION;
}

ptd_status ptd_occupation_dense(const ptd_chain *chain, double time, ptd_occupation *occupation,
                                ptd_error *error)
{
    const size_t count = (size_t)chain->trace->meta.n_vertices;
    ptd_occupation second = {0};
    double lost = 0, second_lost = 0;
    ptd_status status = PTD_OK;
    second.probability = ptd_allocate_zero(2 * count, sizeof *second.probability);
    if (!second.probability) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)(2 * count) * sizeof(double));
    }
    second.accumulated = second.probability + count;
    status = compute(chain, time, 0, chain->jets, occupation, &lost, error);
    if (status) {
        goto out;
    }
    status = compute(chain, time, 1, 1, &second, &second_lost, error);
    if (status) {
        goto out;
    }
    occupation->bound = judge(chain, time, occupation, &second, fmax(lost, second_lost));
out:
    ptd_release(second.probability);
    return status;
}
