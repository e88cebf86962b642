/* Terms kernels for the instruction set "avx512" (8 doubles in a vector, fused). See
 * terms_template.h. */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

typedef __m512d vector;
typedef int64_t whole __attribute__((vector_size(64)));

#define KERNEL       ptd_terms_avx512
#define KERNEL_NAME  "avx512"
#define VECTOR       8
#define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define MAX(a, b)    _mm512_max_pd(a, b)
#define SQRT(a)      _mm512_sqrt_pd(a)
#include "terms_template.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
