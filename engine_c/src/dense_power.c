/* Powers of a chain's step matrix. See dense_power.h. */
#include "dense_power.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "memory.h"
#include "product.h"
#include "status.h"

enum { TERMS = PTD_DENSE_BASE_TERMS };

double ptd_two_to(double x)
{
    return x < -2000 ? 0 : ldexp(1, (int)fmin(x, 2000));
}

static double *part_of(const ptd_dense_matrix *m, int part)
{
    return m->power + (size_t)part * (size_t)(m->rows * m->stride);
}

static int create_matrix(int64_t n, int parts, ptd_dense_matrix *m)
{
    m->n = n;
    m->rows = ptd_product_padded(n, PTD_PRODUCT_ROWS);
    m->stride = ptd_product_padded(n, PTD_PRODUCT_COLUMNS);
    m->parts = parts;
    const size_t square = (size_t)parts * (size_t)(m->rows * m->stride);
    const size_t column = (size_t)parts * (size_t)m->rows;
    m->memory = ptd_allocate_aligned(square + 2 * column, sizeof(double));
    m->power = m->memory;
    m->absorbed = m->memory ? m->power + square : NULL;
    m->elsewhere = m->memory ? m->absorbed + column : NULL;
    return m->memory != NULL;
}

/* Sum over j of left[j] right[j], in four interleaved sums. */
static double dot(int64_t n, const double *left, const double *right)
{
    double sum[4] = {0};
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) {
        for (int k = 0; k < 4; k++) {
            sum[k] += left[j + k] * right[j + k];
        }
    }
    for (; j < n; j++) {
        sum[0] += left[j] * right[j];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static double total(int64_t n, const double *values)
{
    double sum[4] = {0};
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) {
        for (int k = 0; k < 4; k++) {
            sum[k] += values[j + k];
        }
    }
    for (; j < n; j++) {
        sum[0] += values[j];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Norm and least of the value. */
static void measure(ptd_dense_matrix *m)
{
    m->norm = 0;
    m->least = INFINITY;
    for (int64_t i = 0; i < m->n; i++) {
        const double *row = m->power + i * m->stride;
        m->norm = fmax(m->norm, total(m->n, row));
        for (int64_t j = 0; j < m->n; j++) {
            m->least = row[j] > 0 && row[j] < m->least ? row[j] : m->least;
        }
        const double a = m->absorbed[i];
        m->least = a > 0 && a < m->least ? a : m->least;
    }
}

/* out = left right, for the columns of absorption: out_a = left_a + left_T right_a. */
static void compose_columns(const ptd_dense_matrix *left, const ptd_dense_matrix *right,
                            const double *left_column, const double *right_column, int part,
                            double *out_column)
{
    const double scale = ptd_two_to(left->exponent);
    for (int64_t i = 0; i < left->n; i++) {
        const double *value = left->power + i * left->stride;
        double sum = dot(left->n, value, right_column + part * right->rows);
        if (part > 0) {
            sum += dot(left->n, part_of(left, part) + i * left->stride, right_column);
        }
        out_column[part * left->rows + i] = left_column[part * left->rows + i] + sum * scale;
    }
}

static void account(const ptd_dense_matrix *left, const ptd_dense_matrix *right, double factor,
                    ptd_dense_matrix *out)
{
    const double n = (double)left->n;
    const double least = left->least * right->least;
    const int tiny = !(least >= DBL_MIN && least * factor >= DBL_MIN);
    const double product =
        left->norm * right->lost + left->lost * right->norm + (tiny ? n * n * DBL_MIN : 0);
    const double scale = ptd_two_to(left->exponent);
    out->lost = product * factor + (tiny ? n * DBL_MIN : 0);
    out->lost_absorbed = left->lost_absorbed + left->norm * scale * right->lost_absorbed +
                         left->lost * ptd_two_to(left->exponent + PTD_POWER_SCALE) +
                         (tiny ? n * DBL_MIN : 0);
}

/* out = left right, a power of two taken out. */
static void compose(const ptd_dense_matrix *left, const ptd_dense_matrix *right, double *panel,
                    ptd_dense_matrix *out)
{
    const int64_t n = left->n;
    const size_t square = (size_t)(left->rows * left->stride);
    for (int part = 0; part < left->parts; part++) {
        double *to = part_of(out, part);
        ptd_product(left->rows, n, left->stride, part_of(left, part), right->power, 0, panel, to);
        if (part > 0) {
            ptd_product(left->rows, n, left->stride, left->power, part_of(right, part), 1, panel,
                        to);
        }
        compose_columns(left, right, left->absorbed, right->absorbed, part, out->absorbed);
        compose_columns(left, right, left->elsewhere, right->elsewhere, part, out->elsewhere);
    }
    double largest = 0;
    for (size_t k = 0; k < square; k++) {
        largest = out->power[k] > largest ? out->power[k] : largest;
    }
    const int shift = largest > 0 ? PTD_POWER_SCALE - ilogb(largest) : 0;
    const double factor = ldexp(1, shift);
    for (size_t k = 0; k < (size_t)left->parts * square; k++) {
        out->power[k] *= factor;
    }
    out->exponent = left->exponent + right->exponent - shift;
    account(left, right, factor, out);
}

/* Where less than half of the mass leaves, the diagonal is what the rest leaves. */
static void restore_diagonal(ptd_dense_matrix *m, int64_t i, double scale, double leaving)
{
    const double whole = ldexp(1, PTD_POWER_SCALE);
    m->power[i * m->stride + i] = (whole - leaving) / scale;
    for (int part = 1; part < m->parts; part++) {
        double *row = part_of(m, part) + i * m->stride;
        row[i] = 0;
        row[i] = -(total(m->n, row) +
                   (m->absorbed[part * m->rows + i] + m->elsewhere[part * m->rows + i]) / scale);
    }
}

static void scale_row(ptd_dense_matrix *m, int64_t i, double scale, double sum)
{
    const double whole = ldexp(1, PTD_POWER_SCALE);
    const double inverse = whole / sum;
    for (int part = m->parts - 1; part >= 0; part--) {
        double *row = part_of(m, part) + i * m->stride;
        double *a = m->absorbed + part * m->rows + i;
        double *b = m->elsewhere + part * m->rows + i;
        /* d(x / sum) = (dx - (x / sum) dsum) / sum */
        const double drift = part > 0 ? (total(m->n, row) * scale + *a + *b) / whole * inverse : 0;
        for (int64_t j = 0; j < m->n; j++) {
            row[j] = (row[j] - (part > 0 ? m->power[i * m->stride + j] * drift : 0)) * inverse;
        }
        *a = (*a - (part > 0 ? m->absorbed[i] * drift : 0)) * inverse;
        *b = (*b - (part > 0 ? m->elsewhere[i] * drift : 0)) * inverse;
    }
}

/* Rows to the sum one; those of the slopes to the sum zero. */
static void restore(ptd_dense_matrix *m)
{
    const double whole = ldexp(1, PTD_POWER_SCALE);
    const double scale = ptd_two_to(m->exponent + PTD_POWER_SCALE);
    for (int64_t i = 0; i < m->n; i++) {
        double *row = m->power + i * m->stride;
        const double stay = row[i];
        row[i] = 0;
        const double leaving = total(m->n, row) * scale + (m->absorbed[i] + m->elsewhere[i]);
        row[i] = stay;
        if (leaving < whole / 2) {
            restore_diagonal(m, i, scale, leaving);
        } else {
            scale_row(m, i, scale, leaving + stay * scale);
        }
    }
    measure(m);
}

/* The transitions of one uniformised event (discrete: one step), in the scale of a power. */
static void fill_event(const ptd_dense_step *step, ptd_dense_matrix *m)
{
    const ptd_chain *chain = step->chain;
    const size_t jets = (size_t)chain->jets;
    const double factor = ldexp(step->scale, PTD_POWER_SCALE);
    m->exponent = -PTD_POWER_SCALE;
    for (int part = 0; part < m->parts; part++) {
        const double slope = step->slope_scale[part];
        double *power = part_of(m, part);
        double *absorbed = m->absorbed + part * m->rows;
        double *elsewhere = m->elsewhere + part * m->rows;
        for (int64_t j = 0; j < m->n; j++) {
            for (uint32_t at = chain->in_start[j]; at < chain->in_start[j + 1]; at++) {
                power[chain->in_from[at] * m->stride + j] +=
                    chain->in_rate[at * jets + (size_t)part] * slope * factor;
            }
            const size_t own = (size_t)j * jets + (size_t)part;
            absorbed[j] = chain->exit[own] * slope * factor;
            elsewhere[j] = chain->elsewhere ? chain->elsewhere[own] * slope * factor : 0;
            if (chain->discrete) {
                power[j * m->stride + j] = chain->stay[own] * slope * factor;
            }
        }
    }
    if (chain->discrete) {
        restore(m);
        return;
    }
    for (int64_t i = 0; i < m->n; i++) {
        const double leaving = total(m->n, m->power + i * m->stride);
        restore_diagonal(m, i, 1, leaving + (m->absorbed[i] + m->elsewhere[i]));
    }
    measure(m);
}

static void swap(ptd_dense_matrix *a, ptd_dense_matrix *b)
{
    const ptd_dense_matrix c = *a;
    *a = *b;
    *b = c;
}

void ptd_dense_power_square(ptd_dense_power *power)
{
    compose(&power->current, &power->current, power->panel, &power->spare);
    swap(&power->current, &power->spare);
    restore(&power->current);
}

/* power->current = sum over k of e^-x x^k / k! event^k, by Horner's rule. */
static void sum_series(const ptd_dense_matrix *event, ptd_dense_power *power)
{
    const double x = ldexp(PTD_DENSE_EVENTS, -PTD_DENSE_BASE_SQUARINGS);
    double weight[TERMS + 1] = {exp(-x)};
    for (int k = 1; k <= TERMS; k++) {
        weight[k] = weight[k - 1] * x / k;
    }
    ptd_dense_matrix *sum = &power->current;
    sum->exponent = -PTD_POWER_SCALE;
    for (int64_t i = 0; i < sum->n; i++) {
        sum->power[i * sum->stride + i] = ldexp(weight[TERMS], PTD_POWER_SCALE);
    }
    measure(sum);
    for (int k = TERMS - 1; k >= 0; k--) {
        compose(sum, event, power->panel, &power->spare);
        swap(sum, &power->spare);
        for (int64_t i = 0; i < sum->n; i++) {
            sum->power[i * sum->stride + i] += weight[k] * ptd_two_to(-sum->exponent);
        }
        measure(sum);
    }
    restore(sum);
}

static ptd_status make_base(const ptd_dense_step *step, ptd_dense_power *power, ptd_error *error)
{
    ptd_dense_matrix event = {0};
    if (step->chain->discrete && step->multiple == 1) {
        fill_event(step, &power->current);
        return PTD_OK;
    }
    if (!create_matrix(step->chain->n, step->parts, &event)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)step->chain->n);
    }
    fill_event(step, &event);
    if (step->chain->discrete) {
        compose(&event, &event, power->panel, &power->spare);
        restore(&power->spare);
        compose(&power->spare, &event, power->panel, &power->current);
        restore(&power->current);
    } else {
        sum_series(&event, power);
        for (int k = 0; k < PTD_DENSE_BASE_SQUARINGS; k++) {
            ptd_dense_power_square(power);
        }
    }
    ptd_release(event.memory);
    return PTD_OK;
}

ptd_status ptd_dense_power_create(const ptd_dense_step *step, ptd_dense_power *power,
                                  ptd_error *error)
{
    const int64_t n = step->chain->n;
    memset(power, 0, sizeof *power);
    power->panel = ptd_allocate_aligned((size_t)n * PTD_PRODUCT_COLUMNS, sizeof(double));
    if (!power->panel || !create_matrix(n, step->parts, &power->current) ||
        !create_matrix(n, step->parts, &power->spare)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
    }
    return make_base(step, power, error);
}

void ptd_dense_power_release(ptd_dense_power *power)
{
    ptd_release(power->panel);
    ptd_release(power->current.memory);
    ptd_release(power->spare.memory);
}
