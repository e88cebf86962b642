/* Kernels: the arithmetic of evaluation, one call for a block of theta-lanes.
 *
 * Every lane array has the lanes of one item side by side: array[item * lanes + lane]. A kernel is
 * a set of functions compiled for one instruction set and one number of lanes (kernel_template.h);
 * ptd_kernel_select chooses at run time. All sums are in a fixed order and no product is fused with
 * a sum, so every kernel gives the same bits.
 *
 * Mathematics (Grassmann, Taksar & Heyman 1985; O'Cinneide 1993): with w the weights, M = D - W the
 * negated generator of the transient vertices and b >= 0, the system M x = b is solved from
 *     l_ik = w_ik / d_k,  w_ij += l_ik w_kj (j != i),  d_i = sum of what leaves row i,
 *     y_i = b_i + sum_k l_ik y_k,  x_i = (y_i + sum_j w_ij x_j) / d_i.
 * All of it adds, multiplies and divides numbers >= 0. Components are solved downstream first; an
 * edge that leaves a component adds w_ij x_j to b_i. A shift s >= 0 makes it (M + diag s) x = b: it
 * is one more way out of each row.
 */
#ifndef PTD_KERNEL_H
#define PTD_KERNEL_H

#include "trace.h"
#include "walk.h"

enum { PTD_MAX_LANES = 32, PTD_MAX_FUSED_ORDERS = 4 };

/* The trace's arrays by their type, and the lane values of one theta block. */
typedef struct {
    uint32_t n; /* positions */
    uint32_t n_boundary;
    uint32_t n_components;
    uint32_t n_blocks;
    uint32_t n_parameters;
    uint32_t n_forms; /* all, folded exit sums included */
    uint32_t n_exits;

    const uint32_t *component_start, *component_block;
    const uint32_t *edge_start, *edge_external, *edge_boundary, *edge_self;
    const uint32_t *edge_target, *edge_form;
    const double *form_base, *form_coefficient;
    const uint32_t *form_start, *form_parameter;
    const uint32_t *exit_of_position, *exit_start, *exit_form;
    const uint32_t *block_row, *block_position;
    const uint32_t *row_slot, *row_lower, *slot_column;
    const uint32_t *entry_start, *entry_slot, *row_program;
    const uint16_t *program;

    uint32_t *row_upper;   /* first slot of U, by row: row_slot + row_lower + 1 */
    double *theta;         /* n_parameters */
    double *form;          /* n_forms: weights */
    double *exit;          /* n_exits: sums of weights */
    double *exit_inverse;  /* n_exits; 0 where the sum is 0 */
    const double *shift;   /* n by position, >= 0: added to the exit sums; NULL: none */
    double *slot;          /* L, U and exits: of all blocks, or of the one that begins at */
    uint32_t slot_base;    /* this slot */
    double *pivot_inverse; /* rows of all blocks; 0 where the pivot is 0 */

    /* adjoints of the same, NULL in a workspace without gradient */
    double *theta_bar, *form_bar, *exit_bar, *slot_bar, *pivot_bar;
    uint32_t slot_bar_base;
} ptd_lanes;

/* What a kernel noticed, in any lane. */
enum {
    PTD_SAW_BAD_WEIGHT = 1, /* negative, NaN or infinite */
    PTD_SAW_ZERO_PIVOT = 2, /* a vertex that nothing leaves at this theta */
    PTD_SAW_BAD_PIVOT = 4   /* not finite, or its inverse is not */
};

/* A system with `orders` (1..4) chained right-hand sides: the first is `rhs` (n lanes) or, where
 * that is NULL, `reward`; the k-th is (first_order + k) * reward * solution of the one before. */
typedef struct {
    int orders;
    int first_order;
    const double *reward; /* n, by position, one number for all lanes */
    const double *rhs;
    int with_boundary;     /* whether boundary entries of x are values to be reached, else 0 */
    const uint8_t *killed; /* n, or NULL: vertices whose solution is 0; so is `rhs` there */
    double *x;             /* n x orders */
    double *y;             /* n x orders, set for rows of blocks, to be reversed; or, unless */
    int keep_y;            /* this is set, scratch for one component */
} ptd_system;

typedef struct {
    int lanes;
    /* Weights and exit sums from theta. */
    uint32_t (*weights)(ptd_lanes *lanes);
    uint32_t (*exits)(ptd_lanes *lanes);
    /* Factorises `block` with the weights of the component that begins at `position`. */
    uint32_t (*factor)(ptd_lanes *lanes, uint32_t block, uint32_t position, const uint8_t *killed);
    /* M x = b over components [first, last). With a shift: one order. */
    void (*solve)(ptd_lanes *lanes, uint32_t first, uint32_t last, const ptd_system *system);
    /* M^T u = seed over all components: `z` (n) holds the seed, on return the solution; boundary
     * entries receive what flows into them. */
    void (*solve_transposed)(ptd_lanes *lanes, double *z);
    /* Reverse mode of solve: `x_bar` (n x orders) holds the cotangents of x and is used up; adds to
     * the adjoints of slots, pivots, weights and exits; `rhs_bar` (n, or NULL) receives the
     * cotangent of the first right-hand side; `y_bar` (n) is scratch. `fresh_slots`: the
     * adjoints of slots and pivots of these components hold nothing yet and are set. */
    void (*reverse_solve)(ptd_lanes *lanes, uint32_t first, uint32_t last, const ptd_system *system,
                          double *x_bar, double *y_bar, double *rhs_bar, int fresh_slots);
    /* Reverse mode of factor, once all solves with the block have been reversed. */
    void (*reverse_factor)(ptd_lanes *lanes, uint32_t block, uint32_t position,
                           const uint8_t *killed);
    /* Reverse mode of exits and weights, last of all: sets theta_bar. */
    void (*reverse_weights)(ptd_lanes *lanes);
} ptd_kernel;

typedef struct {
    const char *instruction_set;
    ptd_walk *walk;  /* walk.h */
    ptd_kernel one;  /* 1 lane */
    ptd_kernel some; /* 8 lanes: where there is fill-in */
    ptd_kernel many; /* PTD_MAX_LANES: acyclic graphs */
} ptd_kernel_set;

/* The widest the processor has, up to the one named (NULL: no bound); NULL for an unknown name. */
const ptd_kernel_set *ptd_kernel_select(const char *widest);

extern const ptd_kernel_set ptd_kernels_baseline;
#ifdef __x86_64__
extern const ptd_kernel_set ptd_kernels_avx2;
extern const ptd_kernel_set ptd_kernels_avx512;
#endif

#endif
