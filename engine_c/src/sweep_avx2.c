/* Sweep kernels for the instruction set "avx2" (4 doubles in a vector, fused). See
 * sweep_template.h. */
#ifdef __x86_64__
#include <immintrin.h>

typedef __m256d vector;

#define KERNEL            ptd_sweep_avx2
#define KERNEL_NAME       "avx2"
#define VECTOR            4
#define LOAD(address)     _mm256_loadu_pd(address)
#define STORE(address, a) _mm256_storeu_pd(address, a)
#define SPREAD(number)    _mm256_set1_pd(number)
#define FMA(a, b, c)      _mm256_fmadd_pd(a, b, c)
#define MAX(a, b)         _mm256_max_pd(a, b)
#define MIN(a, b)         _mm256_min_pd(a, b)
#define GATHER(base, indices)                                                                      \
    _mm256_i32gather_pd(base, _mm_loadu_si128((const __m128i *)(const void *)(indices)), 8)
#include "sweep_template.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
