/* Product of two matrices: packs the panels of the right one, and chooses the kernel. */
#include "product.h"

#include <string.h>

#include "instruction_set.h"

#define WIDTH 2
#define TARGET
#define FUNCTION product_baseline
#define VECTOR   vector_baseline
#include "product_kernel.h"
#undef WIDTH
#undef TARGET
#undef FUNCTION
#undef VECTOR

#ifdef __x86_64__
#define WIDTH    4
#define TARGET   __attribute__((target("avx2")))
#define FUNCTION product_avx2
#define VECTOR   vector_avx2
#include "product_kernel.h"
#undef WIDTH
#undef TARGET
#undef FUNCTION
#undef VECTOR

#define WIDTH    8
#define TARGET   __attribute__((target("avx512f")))
#define FUNCTION product_avx512
#define VECTOR   vector_avx512
#include "product_kernel.h"
#undef WIDTH
#undef TARGET
#undef FUNCTION
#undef VECTOR
#endif

typedef void product_kernel(int64_t rows, int64_t inner, int64_t stride, const double *left,
                            const double *panel, int add, double *out);

static product_kernel *select_kernel(void)
{
    static product_kernel *const kernels[] = {
        [PTD_BASELINE] = product_baseline,
#ifdef __x86_64__
        [PTD_AVX2] = product_avx2,
        [PTD_AVX512] = product_avx512,
#endif
    };
    return kernels[ptd_widest_set(NULL)];
}

void ptd_product(int64_t rows, int64_t inner, int64_t stride, const double *left,
                 const double *right, int add, double *panel, double *out)
{
    product_kernel *const kernel = select_kernel();
    for (int64_t j = 0; j < stride; j += PTD_PRODUCT_COLUMNS) {
        for (int64_t k = 0; k < inner; k++) {
            memcpy(panel + k * PTD_PRODUCT_COLUMNS, right + k * stride + j,
                   PTD_PRODUCT_COLUMNS * sizeof(double));
        }
        kernel(rows, inner, stride, left, panel, add, out + j);
    }
}
