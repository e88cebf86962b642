/* Kernel choice: by the widest instruction set. */
#include "kernel.h"

#include <stddef.h>

#include "instruction_set.h"

const ptd_kernel_set *ptd_kernel_select(const char *widest)
{
    static const ptd_kernel_set *const sets[] = {
        [PTD_BASELINE] = &ptd_kernels_baseline,
#ifdef __x86_64__
        [PTD_AVX2] = &ptd_kernels_avx2,
        [PTD_AVX512] = &ptd_kernels_avx512,
#endif
    };
    const ptd_instruction_set chosen = ptd_widest_set(widest);
    return chosen == PTD_UNKNOWN_SET ? NULL : sets[chosen];
}
