/* Kernel choice: the widest instruction set that the processor (and the operating system) has. */
#include "kernel.h"

#include <string.h>

const ptd_kernel_set *ptd_kernel_select(const char *widest)
{
#ifdef __x86_64__
    int bound = 2;
    if (widest && strcmp(widest, ptd_kernels_avx2.instruction_set) == 0) {
        bound = 1;
    } else if (widest && strcmp(widest, ptd_kernels_baseline.instruction_set) == 0) {
        bound = 0;
    }
    if (bound >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
        return &ptd_kernels_avx512;
    }
    if (bound >= 1 && __builtin_cpu_supports("avx2")) {
        return &ptd_kernels_avx2;
    }
#else
    (void)widest;
#endif
    return &ptd_kernels_baseline;
}
