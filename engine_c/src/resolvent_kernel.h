/* Resolvent kernel: solves (z R - S) y = b and its transpose for eight z side by side.
 *
 * A complex lane item is 2 x PTD_NODES doubles: the real parts of all nodes, then the imaginary
 * ones. The elimination is that of kernel.h with complex numbers, replayed from the trace's program
 * component by component (components that share a block have the same pattern, but their weights
 * differ once the chain is tilted, resolvent.h). What stands in a row's exit slot is everything
 * that leaves the vertex but for the edges inside its component, z r included, so that a pivot is
 * again a sum. Components are solved downstream first.
 */
#ifndef PTD_RESOLVENT_KERNEL_H
#define PTD_RESOLVENT_KERNEL_H

#include <stddef.h>
#include <stdint.h>

enum { PTD_NODES = 8, PTD_NODE_ITEM = 2 * PTD_NODES };

typedef struct {
    /* arrays of the trace, as in kernel.h; `n` counts positions, of which `n_components` are
     * walked: all but the start's, which is the last */
    uint32_t n, n_boundary, n_components;
    const uint32_t *component_start, *component_block;
    const uint32_t *edge_start, *edge_external, *edge_boundary, *edge_target, *edge_form;
    const uint32_t *form_start, *form_parameter;
    const double *form_coefficient;
    const uint32_t *block_row, *row_slot, *row_lower, *slot_column, *entry_start, *entry_slot;
    const uint32_t *row_program;
    const uint16_t *program;

    double *weight;  /* n_edges */
    double *ratio;   /* n_edges, where derivatives are asked for: weight by weight untilted */
    double *leaving; /* n: what leaves besides the edges inside the component, at z = 0 */
    double *speed;   /* n: r */
    size_t *component_slot; /* n_components: where the component's slots begin */

    _Alignas(64) double node[PTD_NODE_ITEM]; /* z */
    _Alignas(64) double lowest[PTD_NODES];   /* the least real part of a pivot, by node */
    double *slot;                            /* items */
    double *pivot;                           /* n items */
    double *pivot_inverse;                   /* n items */
} ptd_resolvent_lanes;

typedef struct {
    const char *instruction_set;
    /* Factorises every component; sets pivots and `lowest`. */
    void (*factor)(ptd_resolvent_lanes *z);
    /* Right-hand side: `real` (n, the same for all nodes) or, where that is NULL, `y` itself, which
     * then is replaced by the solution. */
    void (*solve)(const ptd_resolvent_lanes *z, const double *real, double *y);
    /* x (M) = x: the row vector x is replaced by the solution. */
    void (*solve_left)(const ptd_resolvent_lanes *z, double *x);
    /* sum[p] += x_i c_p (y_j - y_i) over all edges ij and their forms' coefficients c_p; y_j is
     * taken in the tilt of i. sum: n_parameters items. y has its boundary entries set. */
    void (*contract)(const ptd_resolvent_lanes *z, const double *x, const double *y, double *sum);
    /* b[p][i] = c_p (y_j - y_i), summed over the edges of i. b: n_parameters x n items. */
    void (*spread)(const ptd_resolvent_lanes *z, const double *y, uint32_t n_parameters, double *b);
} ptd_resolvent_kernel;

/* The widest the processor has, up to the one named (NULL: no bound); NULL for an unknown name.
 * Products are fused with sums where there are instructions for it, so that the kernels differ in
 * the last bits. */
const ptd_resolvent_kernel *ptd_resolvent_kernel_select(const char *widest);

extern const ptd_resolvent_kernel ptd_resolvent_baseline;
#ifdef __x86_64__
extern const ptd_resolvent_kernel ptd_resolvent_avx2;
extern const ptd_resolvent_kernel ptd_resolvent_avx512;
#endif

#endif
