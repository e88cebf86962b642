/* Resolvent kernels for the instruction set "avx2" (4 doubles in a vector, fused). See
 * resolvent_template.h. */
#ifdef __x86_64__
#include <immintrin.h>

typedef __m256d vector;

#define KERNEL       ptd_resolvent_avx2
#define KERNEL_NAME  "avx2"
#define VECTOR       4
#define FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define MIN(a, b)    _mm256_min_pd(a, b)
#include "resolvent_template.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
