/* Terms kernels for any processor: pairs of doubles, not fused. See terms_template.h. */
#include <math.h>
#include <stdint.h>

typedef double vector __attribute__((vector_size(16)));
typedef int64_t whole __attribute__((vector_size(16)));

static inline vector larger(vector a, vector b)
{
    return (vector){a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1]};
}

static inline vector root(vector a)
{
    return (vector){sqrt(a[0]), sqrt(a[1])};
}

#define KERNEL       ptd_terms_baseline
#define KERNEL_NAME  "baseline"
#define VECTOR       2
#define FMA(a, b, c) ((a) * (b) + (c))
#define MAX(a, b)    larger(a, b)
#define SQRT(a)      root(a)
#include "terms_template.h"
