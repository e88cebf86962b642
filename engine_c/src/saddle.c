/* Saddle: the table of log F, and windows. See saddle.h. */
#include "saddle.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "memory.h"
#include "status.h"

/* Values of F / F-hat beyond these are not trusted to be in range inside the solution as well. */
static const double SMALLEST = 1e-260;
static const double LARGEST = 1e260;
/* In the exponent, for one evaluation to the next. */
static const double LONGEST_STEP = 400;
static const double WIDEST_WINDOW = 10;
/* In the exponent: where the integrand is too large for a path to bend that far. */
static const double STEEP = 2;
/* From the pole, by the longest time. */
static const double CLEARANCE = 1.5;
/* The table goes so much beyond the times asked for. */
static const double BEYOND = 1.3;
enum { MOST_BATCHES = 60 };

/* Adds the points x (eight) to the table; `feasible` says which were. Returns how many. */
static int evaluate(ptd_saddle *s, const double *x, int *feasible)
{
    ptd_resolvent *r = s->resolvent;
    double node[PTD_NODE_ITEM] = {0};
    double slope[PTD_NODE_ITEM];
    int added = 0;
    for (int k = 0; k < PTD_NODES; k++) {
        node[k] = x[k] - r->crossing;
    }
    ptd_resolvent_evaluate(r, node);
    ptd_resolvent_slope(r, slope);
    s->batches++;
    const long double log_total = ptd_resolvent_log_total(r);
    for (int k = 0; k < PTD_NODES; k++) {
        const double value = r->value[k];
        feasible[k] = r->lanes.lowest[k] > 0;
        if (!feasible[k]) {
            s->floor = x[k] > s->floor ? x[k] : s->floor;
            continue;
        }
        if (!(value > SMALLEST && value < LARGEST && slope[k] < 0 && isfinite(slope[k])) ||
            s->count == PTD_SADDLE_POINTS) {
            feasible[k] = 0;
            continue;
        }
        const int of_distribution = s->function == PTD_DISTRIBUTION;
        int at = s->count;
        while (at > 0 && s->x[at - 1] > x[k]) {
            at--;
        }
        if (at > 0 && s->x[at - 1] == x[k]) {
            continue;
        }
        memmove(s->x + at + 1, s->x + at, (size_t)(s->count - at) * sizeof *s->x);
        memmove(s->log_value + at + 1, s->log_value + at,
                (size_t)(s->count - at) * sizeof *s->log_value);
        memmove(s->slope + at + 1, s->slope + at, (size_t)(s->count - at) * sizeof *s->slope);
        s->x[at] = x[k];
        s->log_value[at] =
            (double)(log_total + logl((long double)value)) - (of_distribution ? log(x[k]) : 0);
        s->slope[at] = slope[k] / value - (of_distribution ? 1 / x[k] : 0);
        s->count++;
        added++;
    }
    return added;
}

int ptd_saddle_cross(ptd_saddle *s, double x)
{
    ptd_resolvent *r = s->resolvent;
    for (int step = 0; step < MOST_BATCHES && r->crossing != x; step++) {
        double node[PTD_NODE_ITEM] = {0};
        int best = -1;
        for (int k = 0; k < PTD_NODES; k++) {
            node[k] = (x - r->crossing) * ldexp(1, -k);
        }
        ptd_resolvent_evaluate(r, node);
        for (int k = 0; k < PTD_NODES && best < 0; k++) {
            best =
                r->lanes.lowest[k] > 0 && r->value[k] > SMALLEST && r->value[k] < LARGEST ? k : -1;
        }
        if (best < 0) {
            return 0;
        }
        ptd_resolvent_tilt(r, best, best == 0 ? x : r->crossing + node[best]);
    }
    return r->crossing == x;
}

/* How fast -1/K' grows from point i to the next. */
static double gradient(const ptd_saddle *s, int i)
{
    const double rise = 1 / s->slope[i] - 1 / s->slope[i + 1];
    const double value = rise / (s->x[i + 1] - s->x[i]);
    return value > 0 && isfinite(value) ? value : 1;
}

/* Towards shorter times. */
static void extend_right(ptd_saddle *s, double shortest, double scale)
{
    double shrink = 1;
    int reached = 1;
    if (-s->slope[s->count - 1] > shortest / BEYOND) {
        reached = ptd_saddle_cross(s, s->x[s->count - 1]);
    }
    while (reached && -s->slope[s->count - 1] > shortest / BEYOND && s->batches < MOST_BATCHES) {
        const double from = s->x[s->count - 1];
        const double usual = (fabs(from) > scale ? fabs(from) : scale);
        const double longest = LONGEST_STEP / -s->slope[s->count - 1];
        double step = (usual < longest ? usual : longest) * shrink;
        double x[PTD_NODES];
        int feasible[PTD_NODES];
        int furthest = -1;
        for (int k = 0; k < PTD_NODES; k++, step *= 3) {
            x[k] = from + step;
        }
        const int added = evaluate(s, x, feasible);
        for (int k = 0; k < PTD_NODES; k++) {
            furthest = feasible[k] ? k : furthest;
        }
        shrink = added ? 1 : shrink / 30;
        if (furthest >= 0) {
            ptd_resolvent_tilt(s->resolvent, furthest, x[furthest]);
        }
        if (shrink < 1e-9) {
            break;
        }
    }
}

/* Towards longer times, where the table does not begin at a known pole. */
static void extend_left(ptd_saddle *s, double longest)
{
    static const double STEPS[PTD_NODES] = {0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.5, 3};
    const double wanted = 1 / (BEYOND * longest);
    double shrink = 1;
    while (-s->slope[0] < BEYOND * longest && s->batches < MOST_BATCHES) {
        const double from = s->x[0];
        const double reach = -1 / s->slope[0];
        double x[PTD_NODES];
        int feasible[PTD_NODES];
        int furthest = -1;
        const double step = (reach - wanted) / gradient(s, 0) * shrink;
        for (int k = 0; k < PTD_NODES; k++) {
            x[k] = from - STEPS[k] * step;
            if (!(x[k] > s->floor)) {
                /* closer to the floor with every lane */
                x[k] = from - (from - s->floor) * (1 - ldexp(1, k - PTD_NODES - 1));
            }
        }
        if (isfinite(s->floor) && !(from - s->floor > 4 * DBL_EPSILON * fabs(s->floor))) {
            break;
        }
        const int added = evaluate(s, x, feasible);
        for (int k = 0; k < PTD_NODES; k++) {
            furthest = feasible[k] && (furthest < 0 || x[k] < x[furthest]) ? k : furthest;
        }
        if (furthest >= 0) {
            ptd_resolvent_tilt(s->resolvent, furthest, x[furthest]);
        }
        shrink = added ? (shrink < 0.5 ? 2 * shrink : 1) : shrink / 10;
        if (shrink < 1e-9) {
            break;
        }
    }
}

/* K by cubic Hermite interpolation in log(x - origin), in which it is nearly linear near a pole at
 * the origin and at infinity; -1/K' linearly in x. */
static ptd_status interpolate(ptd_saddle *s, ptd_error *error)
{
    const size_t fine = (size_t)(s->count - 1) * PTD_SADDLE_STEPS + 1;
    const double origin = fmax(s->floor, s->x[0] + 1 / (s->slope[0] * gradient(s, 0)));
    s->origin = origin;
    s->fine_x = ptd_allocate(3 * fine, sizeof *s->fine_x);
    if (!s->fine_x) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)fine);
    }
    s->fine_log_value = s->fine_x + fine;
    s->fine_slope = s->fine_log_value + fine;
    s->fine_count = 0;
    for (int i = 0; i + 1 < s->count; i++) {
        const double from = log(s->x[i] - origin);
        const double width = log(s->x[i + 1] - origin) - from;
        const double m0 = s->slope[i] * (s->x[i] - origin) * width;
        const double m1 = s->slope[i + 1] * (s->x[i + 1] - origin) * width;
        const double rise = s->log_value[i + 1] - s->log_value[i];
        for (int k = 0; k < PTD_SADDLE_STEPS; k++) {
            const double u = (double)k / PTD_SADDLE_STEPS;
            const double distance = k ? exp(from + u * width) : s->x[i] - origin;
            const int at = s->fine_count++;
            s->fine_x[at] = origin + distance;
            s->fine_log_value[at] =
                s->log_value[i] +
                u * (m0 + u * ((3 * rise - 2 * m0 - m1) + u * (m0 + m1 - 2 * rise)));
            s->fine_slope[at] = 1 / (1 / s->slope[i] - gradient(s, i) * (s->fine_x[at] - s->x[i]));
        }
    }
    s->fine_x[s->fine_count] = s->x[s->count - 1];
    s->fine_log_value[s->fine_count] = s->log_value[s->count - 1];
    s->fine_slope[s->fine_count++] = s->slope[s->count - 1];
    return PTD_OK;
}

ptd_status ptd_saddle_create(ptd_resolvent *resolvent, ptd_function function, double shortest,
                             double longest, ptd_saddle **saddle, ptd_error *error)
{
    ptd_status status = PTD_OK;
    double x[PTD_NODES];
    int feasible[PTD_NODES];
    ptd_saddle *s = ptd_allocate_zero(1, sizeof *s);
    *saddle = NULL;
    if (!s) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, sizeof *s);
    }
    s->resolvent = resolvent;
    s->function = function;
    s->floor = function == PTD_DISTRIBUTION ? 0 : -INFINITY;
    x[0] = function == PTD_DISTRIBUTION ? 0.1 / longest : 0;
    for (int k = 1; k < PTD_NODES; k++) {
        x[k] = ldexp(1 / longest, 2 * (k - 1));
    }
    const int added = evaluate(s, x, feasible);
    s->depth = ptd_resolvent_depth(resolvent);
    if (added > 1) {
        const double scale = 1 / longest;
        extend_left(s, longest);
        extend_right(s, shortest, scale);
        if (s->count > 1) {
            status = interpolate(s, error);
        }
    }
    if (!status) {
        *saddle = s;
        s = NULL;
    }
    ptd_saddle_destroy(s);
    return status;
}

void ptd_saddle_destroy(ptd_saddle *saddle)
{
    if (saddle) {
        ptd_release(saddle->fine_x);
        ptd_release(saddle);
    }
}

/* Where K(x) + x t is least. */
static int minimum(const ptd_saddle *s, double t)
{
    int low = 0;
    int high = s->fine_count - 1;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (s->fine_slope[middle] < -t) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static double exponent_at(const ptd_saddle *s, int at, double t)
{
    return s->fine_log_value[at] + s->fine_x[at] * t;
}

/* How far left of the crossing the integrand is not much larger on the real line. */
static double reach_left(const ptd_saddle *s, int crossing, double t)
{
    const double here = exponent_at(s, crossing, t);
    for (int k = crossing - 1; k >= 0; k--) {
        if (exponent_at(s, k, t) - here > STEEP) {
            return s->fine_x[crossing] - s->fine_x[k];
        }
    }
    return s->fine_x[crossing] - s->origin;
}

ptd_window ptd_saddle_window(const ptd_saddle *s, int64_t n_times, const double *times,
                             int64_t first, double most_penalty)
{
    const double t0 = times[first];
    const int best = minimum(s, t0);
    const double least = exponent_at(s, best, t0);
    int lowest = best;
    while (lowest > 0 && exponent_at(s, lowest - 1, t0) - least <= most_penalty) {
        lowest--;
    }
    ptd_window window = {.first = first, .last = first + 1};
    while (window.last < n_times && times[window.last] <= WIDEST_WINDOW * t0) {
        const double t = times[window.last];
        const double here = exponent_at(s, minimum(s, t), t);
        if (exponent_at(s, lowest, t) - here > most_penalty) {
            break;
        }
        window.last++;
    }
    /* The crossing whose larger penalty, at either end of the window, is least; but not
     * closer to the pole than CLEARANCE while the penalty allows. */
    const double t1 = times[window.last - 1];
    const double least1 = exponent_at(s, minimum(s, t1), t1);
    int crossing = best;
    double penalty = INFINITY;
    for (int k = lowest; k <= best; k++) {
        const double a = exponent_at(s, k, t0) - least;
        const double b = exponent_at(s, k, t1) - least1;
        const double worse = a > b ? a : b;
        if (worse < penalty) {
            penalty = worse;
            crossing = k;
        }
    }
    while (crossing < best && (s->fine_x[crossing] - s->origin) * t1 < CLEARANCE &&
           exponent_at(s, crossing + 1, t1) - least1 <= most_penalty) {
        crossing++;
        penalty = exponent_at(s, crossing, t1) - least1;
    }
    const int k = crossing > 0 ? crossing : 1;
    window.crossing = s->fine_x[crossing];
    window.reach = reach_left(s, crossing, t0);
    window.penalty = penalty > 0 ? penalty : 0;
    window.curvature =
        (s->fine_slope[k] - s->fine_slope[k - 1]) / (s->fine_x[k] - s->fine_x[k - 1]);
    return window;
}

/* The transform of P(Y > t) is E[Y] at 0; that of P(Y <= t) is z times smaller than the density's,
 * whose logarithm has slope -E[Y] at 0. */
double ptd_saddle_mean(const ptd_saddle *s)
{
    if (s->function == PTD_DISTRIBUTION) {
        return -(s->slope[0] + 1 / s->x[0]);
    }
    int origin = 0;
    while (origin + 1 < s->count && s->x[origin] < 0) {
        origin++;
    }
    return exp(s->log_value[origin]);
}
