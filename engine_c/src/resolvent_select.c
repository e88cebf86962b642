/* Resolvent kernel choice: by the widest instruction set. */
#include "resolvent_kernel.h"

#include <stddef.h>

#include "instruction_set.h"

const ptd_resolvent_kernel *ptd_resolvent_kernel_select(const char *widest)
{
    static const ptd_resolvent_kernel *const sets[] = {
        [PTD_BASELINE] = &ptd_resolvent_baseline,
#ifdef __x86_64__
        [PTD_AVX2] = &ptd_resolvent_avx2,
        [PTD_AVX512] = &ptd_resolvent_avx512,
#endif
    };
    const ptd_instruction_set chosen = ptd_widest_set(widest);
    return chosen == PTD_UNKNOWN_SET ? NULL : sets[chosen];
}
