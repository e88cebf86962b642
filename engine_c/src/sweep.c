/* Sweep: vectors of uniformisation. See sweep.h. */
#include "sweep.h"

#include <string.h>

#include "memory.h"
#include "status.h"

/* Derivatives may exceed the value by 2^200. */
static const double INITIAL_SHIFT = 800;
static const double RESCALED_BELOW = 0x1p544;

ptd_status ptd_sweep_create(const ptd_chain *chain, const ptd_tiles *tiles,
                            const ptd_sweep_kernel *kernel, int exactly, ptd_sweep *sweep,
                            ptd_error *error)
{
    const size_t stride = (size_t)tiles->stride;
    const size_t planes = (size_t)tiles->planes;
    const size_t all = 2 * stride * planes + (exactly ? 2 * stride : 0);
    memset(sweep, 0, sizeof *sweep);
    sweep->memory = ptd_allocate_aligned(all, sizeof *sweep->memory);
    sweep->mass = ptd_allocate_zero(planes, sizeof *sweep->mass);
    if (!sweep->memory || !sweep->mass) {
        ptd_sweep_release(sweep);
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)all * sizeof(double));
    }
    sweep->tiles = tiles;
    sweep->kernel = kernel;
    sweep->exactly = exactly;
    sweep->shift = INITIAL_SHIFT;
    sweep->v = sweep->memory;
    sweep->w = sweep->v + stride * planes;
    sweep->v_low = exactly ? sweep->w + stride * planes : NULL;
    sweep->w_low = exactly ? sweep->v_low + stride : NULL;
    for (int64_t s = 0; s < chain->n; s++) {
        for (size_t c = 0; c < planes; c++) {
            const double initial = ldexp(chain->alpha[(size_t)s * planes + c], (int)INITIAL_SHIFT);
            sweep->v[c * stride + PTD_TILE + tiles->position[s]] = initial;
            sweep->mass[c] += initial;
        }
    }
    return PTD_OK;
}

void ptd_sweep_release(ptd_sweep *sweep)
{
    ptd_release(sweep->memory);
    ptd_release(sweep->mass);
    memset(sweep, 0, sizeof *sweep);
}

void ptd_sweep_step(ptd_sweep *sweep)
{
    const ptd_tiles *tiles = sweep->tiles;
    sweep->lost += tiles->dropped * sweep->mass[0] + sweep->loss;
    int first = 0;
    if (sweep->exactly) {
        sweep->kernel->step_exactly(tiles, sweep->v, sweep->v_low, sweep->w, sweep->w_low,
                                    sweep->mass);
        first = 1;
    }
    for (; first < tiles->planes; first += PTD_MOST_PLANES) {
        const int rest = tiles->planes - first;
        sweep->kernel->step_planes(tiles, first, rest < PTD_MOST_PLANES ? rest : PTD_MOST_PLANES,
                                   sweep->v, sweep->w, sweep->mass + first);
    }
    double *swap = sweep->v;
    sweep->v = sweep->w;
    sweep->w = swap;
    swap = sweep->v_low;
    sweep->v_low = sweep->w_low;
    sweep->w_low = swap;
    sweep->steps++;
}

static void scale(double *numbers, size_t count, double by)
{
    for (size_t i = 0; i < count; i++) {
        numbers[i] *= by;
    }
}

/* Whether derivatives, which need not fall with the mass, stay in range if it is scaled. */
static int may_scale(const ptd_sweep *sweep)
{
    const size_t stride = (size_t)sweep->tiles->stride;
    double largest = 0;
    for (size_t i = stride; i < stride * (size_t)sweep->tiles->planes; i++) {
        largest = fmax(largest, fabs(sweep->v[i]));
    }
    return largest < 0x1p700;
}

static void follow_mass(ptd_sweep *sweep)
{
    const ptd_tiles *tiles = sweep->tiles;
    while (sweep->mass[0] > 0 && sweep->mass[0] < RESCALED_BELOW && may_scale(sweep)) {
        scale(sweep->v, (size_t)tiles->stride * (size_t)tiles->planes, 0x1p256);
        if (sweep->exactly) {
            scale(sweep->v_low, (size_t)tiles->stride, 0x1p256);
        }
        scale(sweep->mass, (size_t)tiles->planes, 0x1p256);
        sweep->lost *= 0x1p256;
        sweep->shift += 256;
    }
}

/* The least value that is not 0. */
static double least_value(const ptd_sweep *sweep)
{
    double least = INFINITY;
    for (int64_t i = 0; i < sweep->tiles->stride; i++) {
        const double value = sweep->v[i];
        least = value > 0 && value < least ? value : least;
    }
    return least;
}

void ptd_sweep_prepare(ptd_sweep *sweep, int rescaled)
{
    const ptd_tiles *tiles = sweep->tiles;
    if (rescaled) {
        follow_mass(sweep);
    }
    /* Errors of products are 2^-106 of them or more, if not 0; and low parts that vanish beside
     * values of 2^-900 are covered by the error of a step. */
    const double least = log2(least_value(sweep)) + PTD_SWEEP_STEPS * log2(tiles->least_rate);
    const double operations = 12. * tiles->most_products + 8;
    sweep->loss = least > -850 ? 0 : (double)tiles->n_tiles * PTD_TILE * operations * 0x1p-1022;
}

void ptd_sweep_leaving(const ptd_sweep *sweep, double *leaving)
{
    const ptd_tiles *tiles = sweep->tiles;
    for (int c = 0; c < tiles->planes; c++) {
        leaving[c] = sweep->kernel->sum_terms(tiles, &tiles->leave[c], sweep->v);
    }
}

double ptd_sweep_step_error(const ptd_sweep *sweep)
{
    const double products = sweep->tiles->most_products;
    /* A sum of so many products by fused multiply-adds, of rates that are rounded themselves. */
    return sweep->exactly ? 4 * (products + 4) * (products + 4) : products + 1;
}

double ptd_sweep_sum_error(const ptd_tiles *tiles)
{
    /* Stretches of 64 tiles, their sums, eight lanes, the product, the rounding to one double. */
    const double n_tiles = tiles->n_tiles;
    return fmin(n_tiles, 64) + n_tiles / 64 + 6;
}

double ptd_sweep_step_work(const ptd_tiles *tiles, int exactly)
{
    const double value = tiles->visits / tiles->planes;
    return tiles->visits + (exactly ? 2 * value : 0);
}
