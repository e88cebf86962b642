/* Instruction set: the widest one that kernels may use, by one rule for all families of kernels
 * (kernel.h, sweep_kernel.h, resolvent_kernel.h, product.c). Results do not depend on it.
 */
#ifndef PTD_INSTRUCTION_SET_H
#define PTD_INSTRUCTION_SET_H

typedef enum {
    PTD_UNKNOWN_SET = -1,
    PTD_BASELINE = 0,
    PTD_AVX2 = 1,  /* with fma */
    PTD_AVX512 = 2 /* f, dq, vl, bw, with fma */
} ptd_instruction_set;

/* What the processor and the operating system have, no wider than `widest` ("baseline", "avx2",
 * "avx512"; NULL: any). PTD_UNKNOWN_SET: there is no such set on this kind of processor. */
ptd_instruction_set ptd_widest_set(const char *widest);

#endif
