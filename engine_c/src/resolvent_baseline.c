/* Resolvent kernels for any processor: pairs of doubles, not fused. See resolvent_template.h. */
typedef double vector __attribute__((vector_size(16)));

static inline vector smaller(vector a, vector b)
{
    return (vector){a[0] < b[0] ? a[0] : b[0], a[1] < b[1] ? a[1] : b[1]};
}

#define KERNEL       ptd_resolvent_baseline
#define KERNEL_NAME  "baseline"
#define VECTOR       2
#define FMA(a, b, c) ((a) * (b) + (c))
#define MIN(a, b)    smaller(a, b)
#include "resolvent_template.h"
