/* Terms kernel choice: by the widest instruction set. */
#include "terms_kernel.h"

#include "instruction_set.h"

const ptd_terms_kernel *ptd_terms_kernel_select(const char *widest)
{
    static const ptd_terms_kernel *const sets[] = {
        [PTD_BASELINE] = &ptd_terms_baseline,
#ifdef __x86_64__
        [PTD_AVX2] = &ptd_terms_avx2,
        [PTD_AVX512] = &ptd_terms_avx512,
#endif
    };
    const ptd_instruction_set chosen = ptd_widest_set(widest);
    return chosen == PTD_UNKNOWN_SET ? NULL : sets[chosen];
}
