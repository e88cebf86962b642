/* Quadrature on a hyperbola. See quadrature.h. */
#include "quadrature.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "status.h"

static const double PI = 3.14159265358979323846;
/* Terms below e^-this beside those at the crossing are left out. */
static const double NEGLIGIBLE = 80;
/* Frequencies, in sixteenths of pi / h: the first half are low, the others high. */
enum { FREQUENCIES = 6, PERIOD = 32 };
static const int SIXTEENTHS[FREQUENCIES] = {9, 10, 11, 14, 15, 16};
/* The fall from 10 to 15 sixteenths goes 17/5 times into that from 15 to 32; half of it is carried
 * on, as amplitudes oscillate and other singularities may come to the fore. */
static const double CARRIED_ON = 1.75;
static const double DOUBT = 16;
/* Of a fall that is known from one pivot. */
static const double MORE_DOUBT = 100;

ptd_status ptd_quadrature_create(size_t jets, ptd_quadrature **quadrature, ptd_error *error)
{
    ptd_quadrature *q = ptd_allocate_zero(1, sizeof *q);
    *quadrature = NULL;
    if (!q) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, sizeof *q);
    }
    q->jets = jets;
    q->re = ptd_allocate(PTD_MOST_NODES, (3 + 2 * jets) * sizeof *q->re);
    if (!q->re) {
        ptd_release(q);
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)jets);
    }
    q->im = q->re + PTD_MOST_NODES;
    q->width = q->im + PTD_MOST_NODES;
    q->product = q->width + PTD_MOST_NODES;
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

void ptd_quadrature_refine(ptd_quadrature *q)
{
    const size_t values = 2 * q->jets;
    for (int k = q->count - 1; k > 0; k--) {
        q->re[2 * k] = q->re[k];
        q->im[2 * k] = q->im[k];
        q->width[2 * k] = q->width[k];
        memcpy(q->product + 2 * (size_t)k * values, q->product + (size_t)k * values,
               values * sizeof *q->product);
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
    q->width[k] = sqrt(weight[0] * weight[0] + weight[1] * weight[1]);
}

ptd_quadrature_sum ptd_quadrature_sum_up(const ptd_quadrature *q, double t, double *jet)
{
    double cosine[PERIOD];
    double even[FREQUENCIES] = {0};
    double odd[FREQUENCIES] = {0};
    double low = 0;
    double high = 0;
    double crossing = 0;
    ptd_quadrature_sum sum = {0};
    for (int k = 0; k < PERIOD; k++) {
        cosine[k] = cos(PI * k / (PERIOD / 2));
    }
    for (size_t j = 1; j < q->jets; j++) {
        jet[j - 1] = 0;
    }
    for (int k = 0; k < q->count && q->re[k] * t > -NEGLIGIBLE; k++) {
        const double *product = q->product + 2 * (size_t)k * q->jets;
        const double size = exp(q->re[k] * t);
        const double angle = q->im[k] * t;
        const double e_re = size * cos(angle);
        const double e_im = size * sin(angle);
        const double re = product[0] * e_re - product[1] * e_im;
        const double im = product[0] * e_im + product[1] * e_re;
        sum.value += re;
        const double modulus = sqrt(re * re + im * im);
        sum.moduli += modulus;
        sum.peak = fmax(sum.peak, modulus / q->width[k]);
        sum.last = k + 1 == q->count ? modulus : 0;
        if (k == 0) {
            crossing = modulus / q->width[k];
        }
        for (int f = 0; f < FREQUENCIES; f++) {
            const int phase = k * SIXTEENTHS[f];
            even[f] += re * cosine[phase % PERIOD];
            odd[f] += im * cosine[(phase + PERIOD * 3 / 4) % PERIOD];
        }
        for (size_t j = 1; j < q->jets; j++) {
            jet[j - 1] += product[2 * j] * e_re - product[2 * j + 1] * e_im;
        }
    }
    for (int f = 0; f < FREQUENCIES; f++) {
        const double amplitude = fabs(even[f]) + fabs(odd[f]);
        if (f < FREQUENCIES / 2) {
            low = fmax(low, amplitude);
        } else {
            high = fmax(high, amplitude);
        }
    }
    sum.value *= q->step;
    sum.moduli *= q->step;
    sum.last *= q->step;
    sum.peak /= crossing;
    const double fall = high < low ? pow(high / low, CARRIED_ON) : 1;
    sum.aliased = high * q->step * fmax(DOUBT * fall, MORE_DOUBT * q->least_fall);
    for (size_t j = 1; j < q->jets; j++) {
        jet[j - 1] *= q->step;
    }
    return sum;
}
