/* Terms kernels against the library's exponential, sine and cosine, node by node in long double. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "terms_kernel.h"

enum { NODES = 64, JETS = 3 };

static _Alignas(64) double re[NODES], im[NODES], narrow[NODES], product[2 * JETS][NODES];
static _Alignas(64) double frequency[2 * PTD_TERMS_FREQUENCIES][PTD_TERMS_PERIOD];
static _Alignas(64) double room[JETS * PTD_TERMS_TOGETHER];

static double pseudo(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / (1 << 24) - 0.5;
}

static void fill(double depth, double height)
{
    unsigned state = 7;
    for (int k = 0; k < NODES; k++) {
        const double u = (double)k / NODES;
        re[k] = -depth * u * u;
        im[k] = height * u;
        narrow[k] = 1 + u;
        for (int j = 0; j < 2 * JETS; j++) {
            product[j][k] = pseudo(&state);
        }
    }
    for (int f = 0; f < 2 * PTD_TERMS_FREQUENCIES; f++) {
        for (int k = 0; k < PTD_TERMS_PERIOD; k++) {
            frequency[f][k] = pseudo(&state);
        }
    }
}

static void compare(const ptd_terms_kernel *kernel, double t)
{
    const ptd_terms terms = {.count = NODES,
                             .jets = JETS,
                             .stride = NODES,
                             .re = re,
                             .im = im,
                             .narrow = narrow,
                             .product = product[0],
                             .frequency = frequency[0],
                             .room = room};
    ptd_terms_sum sum;
    double jet[JETS - 1];
    long double value = 0, moduli = 0, peak = 0, other[JETS - 1] = {0};
    long double even = 0, odd = 0;
    kernel->sum_up(&terms, t, &sum, jet);
    for (int k = 0; k < NODES; k++) {
        const long double size = expl((long double)re[k] * t);
        /* the product is rounded, as there is no more to know about an angle */
        const double angle = im[k] * t;
        const long double e_re = size * cosl(angle), e_im = size * sinl(angle);
        const long double a = product[0][k] * e_re - product[1][k] * e_im;
        const long double b = product[0][k] * e_im + product[1][k] * e_re;
        value += a;
        moduli += hypotl(a, b);
        peak = fmaxl(peak, hypotl(a, b) * narrow[k]);
        even += a * frequency[0][k % PTD_TERMS_PERIOD];
        odd += b * frequency[1][k % PTD_TERMS_PERIOD];
        for (int j = 0; j < JETS - 1; j++) {
            other[j] += product[2 * j + 2][k] * e_re - product[2 * j + 3][k] * e_im;
        }
    }
    /* a size is as wrong as its rounded exponent, up to 80 */
    const double error = (double)moduli * 100 * 0x1p-53;
    CHECK(fabsl(sum.value - value) <= error);
    CHECK(fabsl(sum.moduli - moduli) <= error);
    CHECK(fabsl(sum.peak - peak) <= error);
    CHECK(fabsl(sum.even[0] - even) <= error && fabsl(sum.odd[0] - odd) <= error);
    for (int j = 0; j < JETS - 1; j++) {
        CHECK(fabsl(jet[j] - other[j]) <= error);
    }
    const double first = hypot(product[0][0], product[1][0]) * narrow[0];
    CHECK(fabs(sum.crossing - first) <= 4e-16 * first);
}

int main(void)
{
    static const char *const sets[] = {"baseline", "avx2", "avx512"};
    static const double depths[] = {0, 1, 30, 79, 1e4};
    static const double heights[] = {0, 1, 50, 3000, 9e5, 1e9};
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        const ptd_terms_kernel *kernel = ptd_terms_kernel_select(sets[s]);
        CHECK(kernel != NULL);
        for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
            for (size_t h = 0; h < sizeof heights / sizeof *heights; h++) {
                fill(depths[d], heights[h]);
                compare(kernel, 1.0);
                compare(kernel, 0.37);
            }
        }
    }
    CHECK(ptd_terms_kernel_select("no such set") == NULL);
    return check_result();
}
