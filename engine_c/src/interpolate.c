/* Interpolation: log f, log F and log S are smooth in log t, so a Chebyshev fit over a span of
 * times serves any number of them.
 *
 * The span is cut into windows; a window has the values at the NODES Chebyshev points of the first
 * kind, asked of the methods. The coefficients of an analytic function decay geometrically; those
 * of the last quarter bound what is left out. A window whose last coefficients are not small enough
 * is halved; where halving does not help the times are answered one by one. With c_k the
 * coefficients and b the largest bound at the nodes, the error is at most Lebesgue's constant times
 * b, and what is left out: about the largest of the last coefficients (Trefethen, Approximation
 * Theory and Approximation Practice, chapters 8 and 15). Such answers are verified, not certified.
 * Derivatives of the value divided by the value are fitted in the same way.
 */
#include "interpolate.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "status.h"

enum { NODES = 32, MOST_WINDOWS = 64, MOST_HALVINGS = 4 };

/* Log-width of a window at first: a factor of 20 in time. */
static const double WIDTH = 3;
/* What interpolation may add to the logarithm, as long as the tolerance allows it. */
static const double GOAL = 2e-12;
/* Lebesgue's constant of NODES points is below 3.5. */
static const double LEBESGUE = 3.5;

typedef struct {
    double low, high;    /* in log t */
    int64_t first, last; /* the times it serves: [first, last) */
    int halvings;
} window;

int ptd_interpolation_pays(const ptd_chain *chain, int64_t n_times, const double *times)
{
    if (chain->discrete || n_times < 8 * NODES) {
        return 0;
    }
    const double windows = ceil(log(times[n_times - 1] / times[0]) / WIDTH) + 1;
    return windows <= MOST_WINDOWS && n_times >= 4 * NODES * windows;
}

static double node(int k)
{
    return cos(M_PI * (k + 0.5) / NODES);
}

/* Coefficients of the interpolant from values at the nodes, `stride` apart. */
static void fit(const double cosines[NODES][NODES], const double *values, size_t stride,
                double coefficients[NODES])
{
    for (int j = 0; j < NODES; j++) {
        double sum = 0;
        for (int k = 0; k < NODES; k++) {
            sum += values[(size_t)k * stride] * cosines[j][k];
        }
        coefficients[j] = sum * (j == 0 ? 1.0 : 2.0) / NODES;
    }
}

static double left_out(const double coefficients[NODES])
{
    double largest = 0;
    for (int j = NODES - NODES / 4; j < NODES; j++) {
        largest = fmax(largest, fabs(coefficients[j]));
    }
    return largest;
}

/* Clenshaw's recurrence for neighbouring times at once. */
enum { BATCH = 8 };
typedef double batch __attribute__((vector_size(BATCH * sizeof(double))));

static void evaluate(const double coefficients[NODES], const batch *x, batch *value)
{
    batch next = {0}, after = {0};
    const batch twice = *x + *x;
    for (int j = NODES - 1; j > 0; j--) {
        const batch now = twice * next - after + coefficients[j];
        after = next;
        next = now;
    }
    *value = *x * next - after + coefficients[0];
}

/* The answers of a window's times from its coefficients (jets x NODES). */
static void serve(const window *w, const double *times, size_t jets, const double *coefficients,
                  double bound, uint8_t method, ptd_answers *answers)
{
    const double middle = (w->low + w->high) / 2;
    const double half = (w->high - w->low) / 2;
    for (int64_t first = w->first; first < w->last; first += BATCH) {
        const int count = w->last - first < BATCH ? (int)(w->last - first) : BATCH;
        batch x = {0};
        for (int k = 0; k < count; k++) {
            x[k] = half > 0 ? (log(times[first + k]) - middle) / half : 0;
        }
        for (size_t j = 0; j < jets; j++) {
            batch value;
            evaluate(coefficients + j * NODES, &x, &value);
            for (int k = 0; k < count; k++) {
                if (j == 0) {
                    answers->log_value[first + k] = value[k];
                } else {
                    answers->log_jet[(size_t)(first + k) * (jets - 1) + j - 1] = value[k];
                }
            }
        }
        for (int k = 0; k < count; k++) {
            answers->bound[first + k] = bound;
            answers->method[first + k] = method;
            answers->kind[first + k] = PTD_VERIFIED;
        }
    }
}

/* Room for the values at the nodes of all windows of a round. */
typedef struct {
    double *times, *log_value, *bound, *log_jet;
    uint8_t *method, *kind;
    double *coefficients; /* jets x NODES */
    window *windows;      /* of this round, then those that are left for the next */
} room;

static ptd_status room_create(size_t jets, room *r, ptd_error *error)
{
    const size_t nodes = (size_t)(2 * MOST_WINDOWS) * NODES;
    memset(r, 0, sizeof *r);
    r->times = ptd_allocate(nodes, sizeof(double));
    r->log_value = ptd_allocate(nodes, sizeof(double));
    r->bound = ptd_allocate(nodes, sizeof(double));
    r->log_jet = ptd_allocate(nodes * jets, sizeof(double));
    r->method = ptd_allocate(nodes, 1);
    r->kind = ptd_allocate(nodes, 1);
    r->coefficients = ptd_allocate(jets * NODES, sizeof(double));
    r->windows = ptd_allocate(4 * (size_t)MOST_WINDOWS, sizeof *r->windows);
    return r->times && r->log_value && r->bound && r->log_jet && r->method && r->kind &&
                   r->coefficients && r->windows
               ? PTD_OK
               : ptd_fail(error, PTD_NO_MEMORY, 0, (double)nodes);
}

static void room_release(room *r)
{
    ptd_release(r->times);
    ptd_release(r->log_value);
    ptd_release(r->bound);
    ptd_release(r->log_jet);
    ptd_release(r->method);
    ptd_release(r->kind);
    ptd_release(r->coefficients);
    ptd_release(r->windows);
}

/* First of the times [first, last) that is at least exp(log_time). */
static int64_t split(const double *times, int64_t first, int64_t last, double log_time)
{
    while (first < last) {
        const int64_t middle = first + (last - first) / 2;
        if (log(times[middle]) < log_time) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    return first;
}

static int first_windows(int64_t n_times, const double *times, window *windows)
{
    const double low = log(times[0]);
    const double high = log(times[n_times - 1]);
    const int count = high > low ? (int)ceil((high - low) / WIDTH) : 1;
    for (int k = 0; k < count; k++) {
        window *w = &windows[k];
        w->low = low + (high - low) * k / count;
        w->high = k + 1 == count ? high : low + (high - low) * (k + 1) / count;
        w->first = k == 0 ? 0 : windows[k - 1].last;
        w->last = k + 1 == count ? n_times : split(times, w->first, n_times, w->high);
        w->halvings = 0;
    }
    return count;
}

/* Nodes ascend with the windows, so that one question holds them all. */
static void place_nodes(const window *windows, int count, double *times)
{
    for (int k = 0; k < count; k++) {
        const window *w = &windows[k];
        for (int j = 0; j < NODES; j++) {
            const double x = node(NODES - 1 - j);
            times[k * NODES + j] = exp((w->low + w->high) / 2 + (w->high - w->low) / 2 * x);
        }
    }
    for (int k = 1; k < count * NODES; k++) {
        times[k] = fmax(times[k], times[k - 1]);
    }
}

/* Fits one window; whether the fit is good enough to serve its times. */
static int fit_window(const double cosines[NODES][NODES], const room *r, int k, size_t jets,
                      double tolerance, double *bound)
{
    const size_t at = (size_t)k * NODES;
    double worst = 0;
    for (size_t j = 0; j < NODES; j++) {
        if (!isfinite(r->log_value[at + j])) {
            return 0;
        }
        worst = fmax(worst, r->bound[at + j]);
    }
    fit(cosines, r->log_value + at, 1, r->coefficients);
    const double missing = left_out(r->coefficients);
    double size = fabs(r->coefficients[0]);
    /* Values of size `size` carry rounding of their own. */
    *bound = LEBESGUE * worst + 2 * missing + 4e-16 * NODES * (1 + size);
    int good = missing <= fmax(GOAL, 1e-15 * size) && *bound <= tolerance;
    for (size_t j = 1; j < jets && good; j++) {
        double *coefficients = r->coefficients + j * NODES;
        fit(cosines, r->log_jet + at * (jets - 1) + j - 1, jets - 1, coefficients);
        size = 0;
        for (int i = 0; i < NODES; i++) {
            size = fmax(size, fabs(coefficients[i]));
        }
        good = left_out(coefficients) <= fmax(1e-9 * size, GOAL);
    }
    return good;
}

/* Answers a window's times one by one. */
static ptd_status answer_singly(const ptd_chain *chain, const ptd_density_options *options,
                                const double *times, const window *w, ptd_answers *answers,
                                ptd_error *error)
{
    ptd_answers own = {
        answers->log_value + w->first, answers->bound + w->first, answers->method + w->first,
        answers->kind + w->first,
        answers->log_jet ? answers->log_jet + (size_t)w->first * ((size_t)chain->jets - 1) : NULL};
    return ptd_density_answer(chain, options, w->last - w->first, times + w->first, &own, error);
}

ptd_status ptd_density_interpolate(const ptd_chain *chain, const ptd_density_options *options,
                                   int64_t n_times, const double *times, ptd_answers *answers,
                                   ptd_error *error)
{
    const size_t jets = (size_t)chain->jets;
    double cosines[NODES][NODES];
    room r;
    ptd_status status = room_create(jets, &r, error);
    if (status) {
        goto out;
    }
    for (int j = 0; j < NODES; j++) {
        for (int k = 0; k < NODES; k++) {
            cosines[j][k] = cos(M_PI * j * (NODES - 1 - k + 0.5) / NODES);
        }
    }
    int count = first_windows(n_times, times, r.windows);
    while (count > 0 && !status) {
        window *left = r.windows + 2 * MOST_WINDOWS;
        int n_left = 0;
        ptd_answers nodes = {r.log_value, r.bound, r.method, r.kind, jets > 1 ? r.log_jet : NULL};
        place_nodes(r.windows, count, r.times);
        status = ptd_density_answer(chain, options, (int64_t)count * NODES, r.times, &nodes, error);
        for (int k = 0; k < count && !status; k++) {
            const window *w = &r.windows[k];
            double bound;
            if (w->first == w->last) {
                continue;
            }
            if (fit_window(cosines, &r, k, jets, options->tolerance, &bound)) {
                serve(w, times, jets, r.coefficients, bound, r.method[(size_t)k * NODES], answers);
            } else if (w->halvings < MOST_HALVINGS && n_left + 2 <= 2 * MOST_WINDOWS) {
                const double middle = (w->low + w->high) / 2;
                const int64_t at = split(times, w->first, w->last, middle);
                left[n_left++] = (window){w->low, middle, w->first, at, w->halvings + 1};
                left[n_left++] = (window){middle, w->high, at, w->last, w->halvings + 1};
            } else {
                status = answer_singly(chain, options, times, w, answers, error);
            }
        }
        memcpy(r.windows, left, (size_t)n_left * sizeof *left);
        count = n_left;
    }
out:
    room_release(&r);
    return status;
}
