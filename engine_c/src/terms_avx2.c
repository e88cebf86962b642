/* Terms kernels for the instruction set "avx2" (4 doubles in a vector, fused). See
 * terms_template.h. */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

typedef __m256d vector;
typedef int64_t whole __attribute__((vector_size(32)));

#define KERNEL       ptd_terms_avx2
#define KERNEL_NAME  "avx2"
#define VECTOR       4
#define FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define MAX(a, b)    _mm256_max_pd(a, b)
#define SQRT(a)      _mm256_sqrt_pd(a)
#include "terms_template.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
