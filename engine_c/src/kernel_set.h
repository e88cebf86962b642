/* Kernel set: instantiates the template for one instruction set, at 1, 8 and PTD_MAX_LANES lanes,
 * and walks.
 * Included by each kernel_<instruction set>.c after it has defined
 *     KERNEL_SET   name of the ptd_kernel_set to define
 *     KERNEL_NAME  its text
 *     VECTOR       doubles in a native vector
 */
#include "kernel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef double vector_t __attribute__((vector_size(VECTOR * sizeof(double))));
typedef double unaligned_t
    __attribute__((vector_size(VECTOR * sizeof(double)), aligned(sizeof(double)), may_alias));
typedef double unaligned_quad_t
    __attribute__((vector_size(4 * sizeof(double)), aligned(sizeof(double)), may_alias));
typedef double unaligned_pair_t
    __attribute__((vector_size(2 * sizeof(double)), aligned(sizeof(double)), may_alias));
typedef int64_t vector_mask_t __attribute__((vector_size(VECTOR * sizeof(double))));

#define LANES          1
#define WIDTH          1
#define FUNCTION(name) name##_one
#include "kernel_template.h"
#undef LANES
#undef WIDTH
#undef FUNCTION

#define WIDTH          VECTOR
#define LANES          8
#define FUNCTION(name) name##_some
#include "kernel_template.h"
#undef LANES
#undef FUNCTION

#define LANES          PTD_MAX_LANES
#define FUNCTION(name) name##_many
#include "kernel_template.h"
#undef LANES
#undef FUNCTION
#include "walk_template.h"
#undef WIDTH

#define KERNEL(suffix, lanes)                                                                      \
    {lanes,                                                                                        \
     weights_##suffix,                                                                             \
     exits_##suffix,                                                                               \
     factor_##suffix,                                                                              \
     solve_##suffix,                                                                               \
     solve_transposed_##suffix,                                                                    \
     reverse_solve_##suffix,                                                                       \
     reverse_factor_##suffix,                                                                      \
     reverse_weights_##suffix}

const ptd_kernel_set KERNEL_SET = {
    KERNEL_NAME, walk, KERNEL(one, 1), KERNEL(some, 8), KERNEL(many, PTD_MAX_LANES),
};
