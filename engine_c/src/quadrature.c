/* Quadrature on a hyperbola. See quadrature.h. */
#include "quadrature.h"

#include <math.h>

#include "memory.h"
#include "status.h"

static const double PI = 3.14159265358979323846;
/* Frequencies, in sixteenths of pi / h: the first half are low, the others high. */
enum { FREQUENCIES = PTD_TERMS_FREQUENCIES, PERIOD = PTD_TERMS_PERIOD };
static const int SIXTEENTHS[FREQUENCIES] = {9, 10, 11, 14, 15, 16};
/* The fall from 10 to 15 sixteenths goes 17/5 times into that from 15 to 32; half of it is carried
 * on, as amplitudes oscillate and other singularities may come to the fore. */
static const double CARRIED_ON = 1.75;
static const double DOUBT = 16;
/* Of a fall that is known from one pivot. */
static const double MORE_DOUBT = 100;

/* Rows by frequency of cosines and of sines of its multiples. */
static void set_frequencies(double *frequency)
{
    double cosine[PERIOD];
    for (int k = 0; k < PERIOD; k++) {
        cosine[k] = cos(PI * k / (PERIOD / 2));
    }
    for (int f = 0; f < FREQUENCIES; f++) {
        for (int k = 0; k < PERIOD; k++) {
            const int phase = k * SIXTEENTHS[f];
            frequency[2 * f * PERIOD + k] = cosine[phase % PERIOD];
            frequency[(2 * f + 1) * PERIOD + k] = cosine[(phase + PERIOD * 3 / 4) % PERIOD];
        }
    }
}

ptd_status ptd_quadrature_create(size_t jets, ptd_quadrature **quadrature, ptd_error *error)
{
    ptd_quadrature *q = ptd_allocate_zero(1, sizeof *q);
    *quadrature = NULL;
    if (!q) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, sizeof *q);
    }
    q->jets = jets;
    const size_t nodes = (3 + 2 * jets) * PTD_MOST_NODES;
    const size_t frequencies = 2 * FREQUENCIES * PERIOD;
    q->re = ptd_allocate_aligned(nodes + frequencies + jets * PTD_TERMS_TOGETHER, sizeof *q->re);
    if (!q->re) {
        ptd_release(q);
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)jets);
    }
    q->im = q->re + PTD_MOST_NODES;
    q->narrow = q->im + PTD_MOST_NODES;
    q->product = q->narrow + PTD_MOST_NODES;
    q->frequency = q->re + nodes;
    q->room = q->frequency + frequencies;
    q->kernel = ptd_terms_kernel_select(NULL);
    set_frequencies(q->frequency);
    *quadrature = q;
    return PTD_OK;
}

void ptd_quadrature_destroy(ptd_quadrature *quadrature)
{
    if (quadrature) {
        ptd_release(quadrature->re);
        ptd_release(quadrature);
    }
}

void ptd_quadrature_shape(ptd_quadrature *q, double bend, double rise, double end, int count)
{
    q->bend = bend;
    q->rise = rise;
    q->end = end;
    q->count = count;
    q->step = end / count;
    q->least_fall = 0;
}

/* Numbers of nodes to where the even ones will be. */
static void spread_out(double *row, int count)
{
    for (int k = count - 1; k > 0; k--) {
        row[2 * k] = row[k];
    }
}

void ptd_quadrature_refine(ptd_quadrature *q)
{
    spread_out(q->re, q->count);
    spread_out(q->im, q->count);
    spread_out(q->narrow, q->count);
    for (size_t j = 0; j < 2 * q->jets; j++) {
        spread_out(q->product + j * PTD_MOST_NODES, q->count);
    }
    q->count *= 2;
    q->step /= 2;
    q->least_fall *= q->least_fall;
}

void ptd_quadrature_place(ptd_quadrature *q, int k, double weight[2])
{
    const double u = k * q->step;
    /* the node at u = 0 has no conjugate */
    const double half = k == 0 ? 0.5 : 1;
    const double low = sinh(u / 2);
    q->re[k] = -2 * q->bend * low * low;
    q->im[k] = q->rise * sinh(u);
    weight[0] = half * q->rise * cosh(u) / PI;
    weight[1] = half * q->bend * sinh(u) / PI;
    q->narrow[k] = 1 / sqrt(weight[0] * weight[0] + weight[1] * weight[1]);
}

ptd_quadrature_sum ptd_quadrature_sum_up(const ptd_quadrature *q, double t, double *jet)
{
    const ptd_terms terms = {.count = q->count,
                             .jets = q->jets,
                             .stride = PTD_MOST_NODES,
                             .re = q->re,
                             .im = q->im,
                             .narrow = q->narrow,
                             .product = q->product,
                             .frequency = q->frequency,
                             .room = q->room};
    ptd_terms_sum all;
    double low = 0;
    double high = 0;
    q->kernel->sum_up(&terms, t, &all, jet);
    for (int f = 0; f < FREQUENCIES; f++) {
        const double amplitude = fabs(all.even[f]) + fabs(all.odd[f]);
        if (f < FREQUENCIES / 2) {
            low = fmax(low, amplitude);
        } else {
            high = fmax(high, amplitude);
        }
    }
    const double fall = high < low ? pow(high / low, CARRIED_ON) : 1;
    for (size_t j = 1; j < q->jets; j++) {
        jet[j - 1] *= q->step;
    }
    return (ptd_quadrature_sum){.value = all.value * q->step,
                                .moduli = all.moduli * q->step,
                                .peak = all.peak / all.crossing,
                                .last = all.last * q->step,
                                .aliased = high * q->step *
                                           fmax(DOUBT * fall, MORE_DOUBT * q->least_fall)};
}
