/* Sweep: the vectors v_k = alpha P^k of uniformisation, one after the other.
 *
 * Vectors are stored times 2^shift. The initial scale leaves 1800 binary digits below the whole
 * mass, and the scale follows the mass when it falls. Denormals are flushed to zero between
 * ptd_flush_begin and ptd_flush_end (flush.h). `lost` bounds the mass that this, and rates too
 * small to be held, have cost so far: 0 while the least value that is not 0 is so large that no
 * product of the next steps can vanish.
 *
 * Exactly: the value is carried as a double-double, so that its relative error after k steps is
 * below k ptd_sweep_step_error u^2 instead of k ptd_sweep_step_error u (uniformise.c).
 */
#ifndef PTD_SWEEP_H
#define PTD_SWEEP_H

#include "sweep_kernel.h"

typedef struct {
    const ptd_tiles *tiles;
    const ptd_sweep_kernel *kernel;
    int exactly;
    int64_t steps;  /* taken */
    double shift;   /* a multiple of 256 and the initial scale */
    double lost;    /* mass, times 2^shift */
    double loss;    /* that a step adds to it by flushing */
    double *memory; /* the four that follow, planes of tiles */
    double *v, *w;
    double *v_low, *w_low; /* where exactly */
    double *mass;          /* planes: the sums of v */
} ptd_sweep;

PTD_MUST_CHECK ptd_status ptd_sweep_create(const ptd_chain *chain, const ptd_tiles *tiles,
                                           const ptd_sweep_kernel *kernel, int exactly,
                                           ptd_sweep *sweep, ptd_error *error);
/* Works after a failed create. */
void ptd_sweep_release(ptd_sweep *sweep);

/* Before every PTD_SWEEP_STEPS steps, or fewer: sees to the scale where `rescaled`, and to what the
 * steps can lose. */
enum { PTD_SWEEP_STEPS = 16 };
void ptd_sweep_prepare(ptd_sweep *sweep, int rescaled);
void ptd_sweep_step(ptd_sweep *sweep);
/* The rate into absorption from v: planes. */
void ptd_sweep_leaving(const ptd_sweep *sweep, double *leaving);

/* Relative error of each new value against v P, in u or, exactly, in u^2. */
double ptd_sweep_step_error(const ptd_sweep *sweep);
/* Relative error of a sum over states, in u. */
double ptd_sweep_sum_error(const ptd_tiles *tiles);
/* Visits of edges that a step is worth. */
double ptd_sweep_step_work(const ptd_tiles *tiles, int exactly);

#endif
