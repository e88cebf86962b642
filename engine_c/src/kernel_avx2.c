/* Kernels for the instruction set "avx2" (4 doubles in a vector). See kernel.h. */
#ifdef __x86_64__
#define KERNEL_SET  ptd_kernels_avx2
#define KERNEL_NAME "avx2"
#define VECTOR      4
#include "kernel_set.h"
#else
typedef int ptd_not_this_processor; /* an empty file is not C */
#endif
