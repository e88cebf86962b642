/* Kernels for the instruction set "avx512" (8 doubles in a vector). See kernel.h. */
#ifdef __x86_64__
#define KERNEL_SET  ptd_kernels_avx512
#define KERNEL_NAME "avx512"
#define VECTOR      8
#include "kernel_set.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
