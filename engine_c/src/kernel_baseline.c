/* Kernels for the instruction set "baseline" (2 doubles in a vector). See kernel.h. */

#define KERNEL_SET  ptd_kernels_baseline
#define KERNEL_NAME "baseline"
#define VECTOR      2
#include "kernel_set.h"
