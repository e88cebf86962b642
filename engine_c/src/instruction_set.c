/* Instruction set: what the processor has. See instruction_set.h. */
#include "instruction_set.h"

#include <stddef.h>
#include <string.h>

#ifdef __x86_64__
static ptd_instruction_set present(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        return PTD_BASELINE;
    }
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
               ? PTD_AVX512
               : PTD_AVX2;
}
#else
static ptd_instruction_set present(void)
{
    return PTD_BASELINE;
}
#endif

ptd_instruction_set ptd_widest_set(const char *widest)
{
    static const char *const names[] = {
        [PTD_BASELINE] = "baseline",
#ifdef __x86_64__
        [PTD_AVX2] = "avx2",
        [PTD_AVX512] = "avx512",
#endif
    };
    const ptd_instruction_set here = present();
    if (!widest) {
        return here;
    }
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        if (strcmp(widest, names[k]) == 0) {
            const ptd_instruction_set asked = (ptd_instruction_set)k;
            return asked < here ? asked : here;
        }
    }
    return PTD_UNKNOWN_SET;
}
