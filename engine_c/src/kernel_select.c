/* Kernel choice: the widest instruction set that the processor (and the operating system) has. */
#include "kernel.h"

#include <string.h>

static int names(const char *text, const ptd_kernel_set *set)
{
    return strcmp(text, set->instruction_set) == 0;
}

const ptd_kernel_set *ptd_kernel_select(const char *widest)
{
#ifdef __x86_64__
    int bound = 2;
    if (widest && names(widest, &ptd_kernels_avx2)) {
        bound = 1;
    } else if (widest && names(widest, &ptd_kernels_baseline)) {
        bound = 0;
    } else if (widest && !names(widest, &ptd_kernels_avx512)) {
        return NULL;
    }
    if (bound >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
        return &ptd_kernels_avx512;
    }
    if (bound >= 1 && __builtin_cpu_supports("avx2")) {
        return &ptd_kernels_avx2;
    }
#else
    if (widest && !names(widest, &ptd_kernels_baseline)) {
        return NULL;
    }
#endif
    return &ptd_kernels_baseline;
}
