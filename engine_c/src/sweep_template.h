/* Sweep kernels, the template: included by each sweep_<instruction set>.c after it has defined
 *     KERNEL       name of the ptd_sweep_kernel to define
 *     KERNEL_NAME  its text
 *     VECTOR       doubles in a native vector
 *     vector       its type, and of vectors
 *     LOAD(address) STORE(address, a) SPREAD(number) FMA(a, b, c) = a b + c
 *     MAX(a, b) MIN(a, b) GATHER(base, indices)
 *
 * Exact step. Of each product a b the rounding error is fma(a, b, -(a b)); of each sum of numbers
 * s, p >= 0 it is min(s, p) - ((s + p) - max(s, p)) (Dekker 1971). Errors and low parts are
 * collected in a sum of their own and added at the end (Ogita, Rump & Oishi 2005, for products of
 * double-doubles). Nothing is negative but errors.
 */
#include "sweep_kernel.h"

enum { PARTS = PTD_TILE / VECTOR };

/* Partial sums over so many tiles are added up apart, so that rounding grows slowly. */
enum { STRETCH = 64 };

typedef struct {
    vector part[PARTS];
} tile_values;

static inline tile_values tile_zero(void)
{
    tile_values a;
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++) {
        a.part[k] = SPREAD(0);
    }
    return a;
}

static inline tile_values tile_load(const double *from)
{
    tile_values a;
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++) {
        a.part[k] = LOAD(from + k * VECTOR);
    }
    return a;
}

static inline void tile_store(double *to, tile_values a)
{
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++) {
        STORE(to + k * VECTOR, a.part[k]);
    }
}

static inline tile_values tile_gather(const double *base, const int32_t *indices)
{
    tile_values a;
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++) {
        a.part[k] = GATHER(base, indices + k * VECTOR);
    }
    return a;
}

static inline tile_values tile_add(tile_values a, tile_values b)
{
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++) {
        a.part[k] += b.part[k];
    }
    return a;
}

static inline tile_values tile_fma(tile_values a, tile_values b, tile_values c)
{
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++) {
        c.part[k] = FMA(a.part[k], b.part[k], c.part[k]);
    }
    return c;
}

static inline double tile_sum(tile_values a)
{
    double x[PTD_TILE];
    tile_store(x, a);
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

static inline const double *octet_of(const ptd_tiles *tiles, const ptd_term *term)
{
    return tiles->octets + (size_t)term->octet * 2 * PTD_TILE;
}

static inline const int32_t *indices_of(const ptd_tiles *tiles, const ptd_term *term)
{
    return tiles->indices + (size_t)term->source * PTD_TILE;
}

/* sum + error += (x + x_low) (p + p_low) */
static inline void add_exactly(tile_values *sum, tile_values *error, tile_values x,
                               tile_values x_low, const double *octet)
{
#pragma GCC unroll 8
    for (int k = 0; k < PARTS; k++) {
        const vector p = LOAD(octet + k * VECTOR);
        const vector p_low = LOAD(octet + PTD_TILE + k * VECTOR);
        const vector product = x.part[k] * p;
        const vector of_product = FMA(x.part[k], p, -product);
        const vector before = sum->part[k];
        const vector after = before + product;
        const vector of_sum = MIN(before, product) - (after - MAX(before, product));
        vector e = of_product + of_sum;
        e = FMA(x_low.part[k], p, e);
        error->part[k] += FMA(x.part[k], p_low, e);
        sum->part[k] = after;
    }
}

static void step_exactly(const ptd_tiles *tiles, const double *v, const double *v_low, double *w,
                         double *w_low, double *mass)
{
    const ptd_term *terms = tiles->step.terms;
    tile_values total = tile_zero();
    for (uint32_t begin = 0; begin < tiles->n_tiles; begin += STRETCH) {
        const uint32_t end = begin + STRETCH < tiles->n_tiles ? begin + STRETCH : tiles->n_tiles;
        tile_values subtotal = tile_zero();
        for (uint32_t tile = begin; tile < end; tile++) {
            tile_values sum = tile_zero(), error = tile_zero();
            const uint32_t gathered = tiles->step.gathered[tile];
            const uint32_t last = tiles->step.first[tile + 1];
            uint32_t k = tiles->step.first[tile];
            for (; k < gathered; k++) {
                add_exactly(&sum, &error, tile_load(v + terms[k].source),
                            tile_load(v_low + terms[k].source), octet_of(tiles, &terms[k]));
            }
            for (; k < last; k++) {
                const int32_t *indices = indices_of(tiles, &terms[k]);
                add_exactly(&sum, &error, tile_gather(v, indices), tile_gather(v_low, indices),
                            octet_of(tiles, &terms[k]));
            }
            const size_t at = ((size_t)tile + 1) * PTD_TILE;
#pragma GCC unroll 8
            for (int part = 0; part < PARTS; part++) {
                const vector high = sum.part[part] + error.part[part];
                const vector low = error.part[part] - (high - sum.part[part]);
                STORE(w + at + part * VECTOR, high);
                STORE(w_low + at + part * VECTOR, low);
                subtotal.part[part] += high;
            }
        }
        total = tile_add(total, subtotal);
    }
    *mass = tile_sum(total);
}

/* The terms of one tile in `count` planes, which lie `stride` apart. */
static inline __attribute__((always_inline)) void add_terms(const ptd_tiles *tiles,
                                                            const ptd_term_list *list,
                                                            uint32_t tile, int count,
                                                            const double *v, tile_values *sum)
{
    const ptd_term *terms = list->terms;
    const uint32_t gathered = list->gathered[tile];
    const uint32_t last = list->first[tile + 1];
    uint32_t k = list->first[tile];
    for (; k < gathered; k++) {
        const tile_values p = tile_load(octet_of(tiles, &terms[k]));
#pragma GCC unroll 8
        for (int c = 0; c < count; c++) {
            sum[c] = tile_fma(tile_load(v + c * tiles->stride + terms[k].source), p, sum[c]);
        }
    }
    for (; k < last; k++) {
        const int32_t *indices = indices_of(tiles, &terms[k]);
        const tile_values p = tile_load(octet_of(tiles, &terms[k]));
#pragma GCC unroll 8
        for (int c = 0; c < count; c++) {
            sum[c] = tile_fma(tile_gather(v + c * tiles->stride, indices), p, sum[c]);
        }
    }
}

static inline __attribute__((always_inline)) void
planes(const ptd_tiles *tiles, int first, int count, const double *v, double *w, double *mass)
{
    const double *const own = v + first * tiles->stride;
    double *const to = w + first * tiles->stride;
    tile_values total[PTD_MOST_PLANES];
    for (int c = 0; c < count; c++) {
        total[c] = tile_zero();
    }
    for (uint32_t begin = 0; begin < tiles->n_tiles; begin += STRETCH) {
        const uint32_t end = begin + STRETCH < tiles->n_tiles ? begin + STRETCH : tiles->n_tiles;
        tile_values subtotal[PTD_MOST_PLANES];
        for (int c = 0; c < count; c++) {
            subtotal[c] = tile_zero();
        }
        for (uint32_t tile = begin; tile < end; tile++) {
            tile_values sum[PTD_MOST_PLANES];
#pragma GCC unroll 8
            for (int c = 0; c < count; c++) {
                sum[c] = tile_zero();
            }
            add_terms(tiles, &tiles->step, tile, count, own, sum);
#pragma GCC unroll 8
            for (int c = 0; c < count; c++) {
                if (first + c > 0) {
                    add_terms(tiles, &tiles->cross[first + c], tile, 1, v, sum + c);
                }
                tile_store(to + c * tiles->stride + ((int64_t)tile + 1) * PTD_TILE, sum[c]);
                subtotal[c] = tile_add(subtotal[c], sum[c]);
            }
        }
        for (int c = 0; c < count; c++) {
            total[c] = tile_add(total[c], subtotal[c]);
        }
    }
    for (int c = 0; c < count; c++) {
        mass[c] = tile_sum(total[c]);
    }
}

static void step_planes(const ptd_tiles *tiles, int first, int count, const double *v, double *w,
                        double *mass)
{
    switch (count) {
    case 1:
        planes(tiles, first, 1, v, w, mass);
        break;
    case 2:
        planes(tiles, first, 2, v, w, mass);
        break;
    case 3:
        planes(tiles, first, 3, v, w, mass);
        break;
    default:
        planes(tiles, first, 4, v, w, mass);
        break;
    }
}

static double sum_terms(const ptd_tiles *tiles, const ptd_term_list *list, const double *v)
{
    tile_values total = tile_zero();
    for (size_t begin = 0; begin < list->n_terms; begin += STRETCH) {
        const size_t end = begin + STRETCH < list->n_terms ? begin + STRETCH : list->n_terms;
        tile_values subtotal = tile_zero();
        for (size_t k = begin; k < end; k++) {
            const ptd_term *term = &list->terms[k];
            subtotal =
                tile_fma(tile_load(v + term->source), tile_load(octet_of(tiles, term)), subtotal);
        }
        total = tile_add(total, subtotal);
    }
    return tile_sum(total);
}

const ptd_sweep_kernel KERNEL = {KERNEL_NAME, step_exactly, step_planes, sum_terms};
