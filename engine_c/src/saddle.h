/* Saddle: log F on the real line, and where contours should cross it.
 *
 * f(t) = (1 / 2 pi i) integral of e^{zt} F(z) dz is best computed on a path that crosses the real
 * line near the minimum of K(x) + x t, K = log F (Daniels 1954): there e^{xt} F(x) is hardly larger
 * than f(t), so that nothing cancels, be f(t) itself 1e-300. K is convex right of the last pole
 * -lambda. A table of K and K' serves all times; it grows in both directions until its slopes span
 * them. -1/K' is nearly linear at both ends ((x + lambda) / m near a pole, x / k at infinity),
 * which guides the search towards a pole that is not known beforehand: beyond it pivots turn
 * negative.
 *
 * Times within a factor share one contour, as long as that costs none of them more than a given
 * penalty in the exponent.
 */
#ifndef PTD_SADDLE_H
#define PTD_SADDLE_H

#include "resolvent.h"

enum { PTD_SADDLE_POINTS = 512, PTD_SADDLE_STEPS = 16 };

typedef struct {
    ptd_resolvent *resolvent;
    ptd_function function;
    int count; /* of points, x ascending */
    double x[PTD_SADDLE_POINTS];
    double log_value[PTD_SADDLE_POINTS];
    double slope[PTD_SADDLE_POINTS];
    double floor; /* no x is feasible here or below; -INFINITY: not known */
    int batches;  /* evaluations made */
    double depth; /* ptd_resolvent_depth of the longest time's neighbourhood */

    double origin;  /* about where the last pole is, or beyond */
    int fine_count; /* the same, interpolated */
    double *fine_x, *fine_log_value, *fine_slope;
} ptd_saddle;

/* Times first..last - 1 of those asked for. */
typedef struct {
    int64_t first, last;
    double crossing;
    double penalty;   /* in the exponent, at most */
    double curvature; /* K'' at the crossing */
    double reach;     /* how far left of it F e^{xt} has grown by STEEP in the exponent, or the
                         last pole lies */
} ptd_window;

/* `times` ascending. */
PTD_MUST_CHECK ptd_status ptd_saddle_create(ptd_resolvent *resolvent, ptd_function function,
                                            double shortest, double longest, ptd_saddle **saddle,
                                            ptd_error *error);
void ptd_saddle_destroy(ptd_saddle *saddle);
/* The window that begins with time `first`. `most_penalty`: that one contour may cost a time. */
ptd_window ptd_saddle_window(const ptd_saddle *saddle, int64_t n_times, const double *times,
                             int64_t first, double most_penalty);
/* About the mean of Y, where it is not far beyond the longest time. P(Y > t) and P(Y <= t). */
double ptd_saddle_mean(const ptd_saddle *saddle);
/* Tilts the resolvent at x. 0 where that cannot be reached. */
int ptd_saddle_cross(ptd_saddle *saddle, double x);

#endif
