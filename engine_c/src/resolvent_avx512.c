/* Resolvent kernels for the instruction set "avx512" (8 doubles in a vector, fused). See
 * resolvent_template.h. */
#ifdef __x86_64__
#include <immintrin.h>

typedef __m512d vector;

#define KERNEL       ptd_resolvent_avx512
#define KERNEL_NAME  "avx512"
#define VECTOR       8
#define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define MIN(a, b)    _mm512_min_pd(a, b)
#include "resolvent_template.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
