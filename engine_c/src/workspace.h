/* Workspace: the memory of evaluation and the steps that every question starts with.
 *
 * A call walks over its thetas in blocks of lanes. `ptd_workspace_begin` brings one block to the
 * point where systems can be solved; what a kernel noticed on the way is turned into an error about
 * one theta (diagnose.c), or forgiven where the answer does not depend on it.
 */
#ifndef PTD_WORKSPACE_H
#define PTD_WORKSPACE_H

#include "kernel.h"

struct ptd_workspace {
    const ptd_elimination_trace *trace;
    const ptd_trace_meta *meta;
    const ptd_kernel_set *kernels;
    const ptd_kernel *kernel; /* of the block at hand */
    ptd_workspace_options options;
    int max_lanes;
    int64_t bytes;
    int64_t failed_theta;
    uint32_t seen;       /* by kernels in the block at hand */
    int64_t dead_vertex; /* where seen has PTD_SAW_ZERO_PIVOT: a vertex without an end, .. */
    int64_t dead_theta;  /* .. and the theta at which it has none */
    int shares_blocks;   /* whether components share blocks */
    int factors_kept;    /* by the last factorisation: of all blocks, else of none */

    ptd_lanes lanes;
    double *reward;  /* n, by position: 0 for the start and the boundary */
    double *x;       /* n x solutions lanes */
    double *y;       /* n x solutions lanes */
    double *rhs;     /* n x right-hand sides lanes */
    double *x_bar;   /* with gradient: 2 x n x PTD_MAX_FUSED_ORDERS lanes */
    double *y_bar;   /* with gradient: n lanes */
    double *rhs_bar; /* with gradient: n lanes */
    uint8_t *mark;   /* n */
    void *memory;
};

/* How many of `left` thetas the next block takes; chooses ws->kernel. */
int ptd_workspace_take(ptd_workspace *ws, int64_t left);
/* Weights and exit sums for `count` thetas (rows of n_parameters), the last of them repeated in
 * unused lanes. `first` is the first one's row. */
PTD_MUST_CHECK ptd_status ptd_workspace_begin(ptd_workspace *ws, const double *thetas,
                                              int64_t first, int count, ptd_error *error);
/* The same for pairs of a theta and one of `points` points, theta by theta: lanes hold the pairs
 * first, first + 1, ..; thetas begins with that of pair `first`; failed_theta counts pairs. */
PTD_MUST_CHECK ptd_status ptd_workspace_begin_pairs(ptd_workspace *ws, const double *thetas,
                                                    int64_t points, int64_t first, int count,
                                                    ptd_error *error);
/* Factorises every block and keeps the factors, for any number of solves. */
void ptd_workspace_factor(ptd_workspace *ws);
/* Factorises and solves component by component, while a block's factors are in the cache. They are
 * kept, unless `once` says that this is the only solve: then blocks reuse each other's memory, and
 * a reverse pass factorises again. Neither are they kept where components share blocks but not
 * their factors, as shifts and killed vertices differ between them: then it is the only solve. */
void ptd_workspace_factor_and_solve(ptd_workspace *ws, const ptd_system *system, int once);
/* Whether factorising a second time, block by block, beats fetching all factors from memory. */
int ptd_workspace_prefers_refactor(const ptd_workspace *ws);
/* What was noticed since begin, as an error; to be asked before results are believed. */
PTD_MUST_CHECK ptd_status ptd_workspace_verdict(ptd_workspace *ws, int64_t first, int count,
                                                ptd_error *error);
/* A dropped vertex that an edge of the trace leads into, -1 where there is none: only a graph
 * frozen as improper has such edges; others drop what the start cannot reach. */
int64_t ptd_workspace_trap(const ptd_workspace *ws);
/* The same where a dropped vertex has a reward (NULL: all 1), so that Y may be infinite. */
int64_t ptd_workspace_endless(const ptd_workspace *ws, const double *rewards);
/* Sets ws->reward from rewards by vertex (NULL: all 1). */
PTD_MUST_CHECK ptd_status ptd_workspace_set_reward(ptd_workspace *ws, const double *rewards,
                                                   ptd_error *error);
/* Boundary entries of a solution (n x orders): `absorbing` and `dropped` in all lanes. */
void ptd_workspace_set_boundary(ptd_workspace *ws, double *x, int orders, double absorbing,
                                double dropped);
/* A gradient: begin, then reverse solve after solve in the opposite order, then finish.
 * PTD_REVERSE_ONLY: there is one solve to reverse, PTD_REVERSE_LAST: the last of several. */
typedef enum { PTD_REVERSE_ONLY, PTD_REVERSE_MORE, PTD_REVERSE_LAST } ptd_reverse_step;
void ptd_workspace_begin_reverse(ptd_workspace *ws, ptd_reverse_step first_step);
/* `x_bar` and `rhs_bar` as in ptd_kernel.reverse_solve. */
void ptd_workspace_reverse(ptd_workspace *ws, ptd_reverse_step step, const ptd_system *system,
                           double *x_bar, double *rhs_bar);
/* The gradients of `count` thetas, rows of n_parameters `stride` doubles apart. */
void ptd_workspace_finish_reverse(ptd_workspace *ws, int count, double *gradient, int64_t stride);
/* Fails with PTD_RESULT_OVERFLOW where a value is not finite. `first` as in begin; values of one
 * theta are `per_theta` in a row. */
PTD_MUST_CHECK ptd_status ptd_workspace_check_finite(ptd_workspace *ws, const double *values,
                                                     int64_t first, int count, int64_t per_theta,
                                                     ptd_error *error);

/* diagnose.c: what the kernels saw, as an error about one theta; PTD_OK where it may be forgiven
 * (weights off zero by rounding are set to 0 first, and PTD_OK asks to go on). */
PTD_MUST_CHECK ptd_status ptd_diagnose_weights(ptd_workspace *ws, int64_t first, int count,
                                               ptd_error *error);
PTD_MUST_CHECK ptd_status ptd_diagnose_zero_pivot(ptd_workspace *ws, int64_t first, int count,
                                                  ptd_error *error);
PTD_MUST_CHECK ptd_status ptd_diagnose_probabilities(ptd_workspace *ws, int64_t first, int count,
                                                     ptd_error *error);

/* The position of the start: the last. */
static inline size_t ptd_start_position(const ptd_workspace *ws)
{
    return (size_t)ws->lanes.n - 1;
}

/* The n x orders lanes of solution number `k`. */
static inline double *ptd_solution(const ptd_workspace *ws, double *solutions, int64_t k)
{
    return solutions + (size_t)k * ws->lanes.n * (size_t)ws->kernel->lanes;
}

#endif
