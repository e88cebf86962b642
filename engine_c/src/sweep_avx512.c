/* Sweep kernels for the instruction set "avx512" (8 doubles in a vector, fused). See
 * sweep_template.h. */
#ifdef __x86_64__
#include <immintrin.h>

typedef __m512d vector;

#define KERNEL            ptd_sweep_avx512
#define KERNEL_NAME       "avx512"
#define VECTOR            8
#define LOAD(address)     _mm512_loadu_pd(address)
#define STORE(address, a) _mm512_storeu_pd(address, a)
#define SPREAD(number)    _mm512_set1_pd(number)
#define FMA(a, b, c)      _mm512_fmadd_pd(a, b, c)
#define MAX(a, b)         _mm512_max_pd(a, b)
#define MIN(a, b)         _mm512_min_pd(a, b)
#define GATHER(base, indices)                                                                      \
    _mm512_i32gather_pd(_mm256_loadu_si256((const __m256i *)(const void *)(indices)), base, 8)
#include "sweep_template.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
