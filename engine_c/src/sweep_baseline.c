/* Sweep kernels for any processor: pairs of doubles, element by element. See sweep_template.h. */
#include <math.h>
#include <string.h>

typedef double vector __attribute__((vector_size(16)));

static inline vector load(const double *from)
{
    vector a;
    memcpy(&a, from, sizeof a);
    return a;
}

static inline vector fused(vector a, vector b, vector c)
{
    return (vector){fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1])};
}

static inline vector larger(vector a, vector b)
{
    return (vector){a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1]};
}

static inline vector smaller(vector a, vector b)
{
    return (vector){a[0] < b[0] ? a[0] : b[0], a[1] < b[1] ? a[1] : b[1]};
}

#define KERNEL                ptd_sweep_baseline
#define KERNEL_NAME           "baseline"
#define VECTOR                2
#define LOAD(address)         load(address)
#define STORE(address, a)     memcpy(address, &(a), sizeof(vector))
#define SPREAD(number)        ((vector){number, number})
#define FMA(a, b, c)          fused(a, b, c)
#define MAX(a, b)             larger(a, b)
#define MIN(a, b)             smaller(a, b)
#define GATHER(base, indices) ((vector){(base)[(indices)[0]], (base)[(indices)[1]]})
#include "sweep_template.h"
