/* Sweep kernels: one step of uniformisation over tiles (tiles.h), for one instruction set.
 *
 * Every set gives the same bits: eight lanes are computed each for itself, in the order of terms,
 * with fused multiply-adds where the template says so; sums over states have a fixed order.
 */
#ifndef PTD_SWEEP_KERNEL_H
#define PTD_SWEEP_KERNEL_H

#include "tiles.h"

enum { PTD_MOST_PLANES = 4 }; /* that one call of step_planes takes */

typedef struct {
    const char *instruction_set;
    /* w = v P with v = high + low, each new value to about 2^-104 of itself; `mass` is the sum of
     * the new high parts. */
    void (*step_exactly)(const ptd_tiles *tiles, const double *v, const double *v_low, double *w,
                         double *w_low, double *mass);
    /* w = v P in doubles, planes first .. first + count - 1, by the rates' high parts and crossing
     * terms; `mass` (count) are the sums of the planes. */
    void (*step_planes)(const ptd_tiles *tiles, int first, int count, const double *v, double *w,
                        double *mass);
    /* The sum of streamed terms. */
    double (*sum_terms)(const ptd_tiles *tiles, const ptd_term_list *list, const double *v);
} ptd_sweep_kernel;

/* The widest the processor has, up to the one named (NULL: no bound); NULL for an unknown name. */
const ptd_sweep_kernel *ptd_sweep_kernel_select(const char *widest);

extern const ptd_sweep_kernel ptd_sweep_baseline;
#ifdef __x86_64__
extern const ptd_sweep_kernel ptd_sweep_avx2;
extern const ptd_sweep_kernel ptd_sweep_avx512;
#endif

#endif
