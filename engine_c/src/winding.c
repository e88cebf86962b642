/* Winding: arguments of the pivots, and which components need them. See winding.h. */
#include "winding.h"

#include <math.h>

#include "memory.h"
#include "status.h"

static const double PI = 3.14159265358979323846;
/* In radians, between neighbouring nodes. */
static const double MOST_TURN = 2;
/* Of eigenvalues: how far from a whole number the count may be. */
static const double SLACK = 0.2;
/* Relative, of weights: a few roundings along a path. */
static const double SYMMETRIC = 1e-12;
/* The last node by the root of the sum of squared rates: what the sum of eigenvalues does not
 * explain is then 1 / NEAR^2 radians at most. Where that sum is not known: by the sum of rates. */
static const double NEAR = 2;
static const double FAR = 8;

/* The weight of the edge inside a component from i to j, 0: there is none. */
static double weight_between(const ptd_resolvent *r, uint32_t i, uint32_t j)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    uint32_t low = z->edge_start[i];
    uint32_t high = z->edge_external[i];
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (z->edge_target[middle] < j) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < z->edge_external[i] && z->edge_target[low] == j ? r->rate[z->edge_form[low]] : 0;
}

/* Kolmogorov's criterion: log d along a spanning tree of edges with positive weights both ways.
 * `log_weight` (n) and `queue` (n) are scratch, by position. */
static int is_symmetrisable(const ptd_resolvent *r, uint32_t begin, uint32_t end,
                            double *log_weight, uint32_t *queue)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    uint32_t *const marked = queue; /* queue[begin ..]: positions; log_weight: NAN until reached */
    for (uint32_t i = begin; i < end; i++) {
        log_weight[i] = NAN;
    }
    for (uint32_t root = begin; root < end; root++) {
        if (!isnan(log_weight[root])) {
            continue;
        }
        uint32_t head = 0;
        uint32_t tail = 0;
        log_weight[root] = 0;
        marked[tail++] = root;
        while (head < tail) {
            const uint32_t i = marked[head++];
            for (uint32_t e = z->edge_start[i]; e < z->edge_external[i]; e++) {
                const uint32_t j = z->edge_target[e];
                const double there = r->rate[z->edge_form[e]];
                const double back = weight_between(r, j, i);
                if (there == 0 && back == 0) {
                    continue;
                }
                if (!(there > 0 && back > 0)) {
                    return 0;
                }
                const double expected = log_weight[i] + log(there / back);
                if (isnan(log_weight[j])) {
                    log_weight[j] = expected;
                    marked[tail++] = j;
                } else if (!(fabs(expected - log_weight[j]) <=
                             SYMMETRIC * (1 + fabs(expected) / 100))) {
                    return 0;
                }
            }
        }
    }
    return 1;
}

ptd_status ptd_winding_create(const ptd_resolvent *r, ptd_winding **winding, ptd_error *error)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    ptd_status status = PTD_OK;
    double *log_weight = NULL;
    uint32_t *queue = NULL;
    ptd_winding *w = ptd_allocate_zero(1, sizeof *w);
    *winding = NULL;
    if (!w) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, sizeof *w);
    }
    w->resolvent = r;
    log_weight = ptd_allocate(z->n, sizeof *log_weight);
    queue = ptd_allocate(z->n, sizeof *queue);
    w->position = ptd_allocate(z->n, sizeof *w->position);
    w->last = ptd_allocate(2 * (size_t)z->n, sizeof *w->last);
    if (!log_weight || !queue || !w->position || !w->last) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, z->n);
        goto out;
    }
    for (uint32_t c = 0; c < z->n_components; c++) {
        const uint32_t begin = z->component_start[c];
        const uint32_t end = z->component_start[c + 1];
        if (z->component_block[c] == PTD_NONE ||
            is_symmetrisable(r, begin, end, log_weight, queue)) {
            continue;
        }
        for (uint32_t i = begin; i < end; i++) {
            w->position[w->count++] = i;
        }
    }
    *winding = w;
    w = NULL;
out:
    ptd_release(log_weight);
    ptd_release(queue);
    ptd_winding_destroy(w);
    return status;
}

void ptd_winding_destroy(ptd_winding *winding)
{
    if (winding) {
        ptd_release(winding->position);
        ptd_release(winding->last);
        ptd_release(winding);
    }
}

void ptd_winding_begin(ptd_winding *w)
{
    for (uint32_t k = 0; k < w->count; k++) {
        w->last[2 * k] = 1;
        w->last[2 * k + 1] = 0;
    }
    w->turned = 0;
    w->largest = 0;
}

void ptd_winding_follow(ptd_winding *w)
{
    const double *pivot = w->resolvent->lanes.pivot;
    for (uint32_t k = 0; k < w->count; k++) {
        const double *const of = pivot + (size_t)w->position[k] * PTD_NODE_ITEM;
        double re = w->last[2 * k];
        double im = w->last[2 * k + 1];
        for (int node = 0; node < PTD_NODES; node++) {
            const double next_re = of[node];
            const double next_im = of[PTD_NODES + node];
            const double turn = atan2(next_im * re - next_re * im, next_re * re + next_im * im);
            w->turned += turn;
            w->largest = fabs(turn) > w->largest || isnan(turn) ? fabs(turn) : w->largest;
            re = next_re;
            im = next_im;
        }
        w->last[2 * k] = re;
        w->last[2 * k + 1] = im;
    }
}

/* Of the components that are followed: how many eigenvalues they have, the sum of the rates by
 * reward (which is minus that of the eigenvalues, unless vertices without reward lead back) and of
 * their squares. */
typedef struct {
    double n, sum, squares;
    int has_timeless;
} spectrum;

static spectrum spectrum_of(const ptd_winding *w)
{
    const ptd_resolvent *r = w->resolvent;
    spectrum s = {0};
    for (uint32_t k = 0; k < w->count; k++) {
        const uint32_t i = w->position[k];
        if (r->active[i] && r->reward[i] > 0) {
            const double rate = r->leaves[i] / r->reward[i] + r->crossing;
            s.n += 1;
            s.sum += rate;
            s.squares += rate * rate;
        }
        s.has_timeless |= r->active[i] && r->reward[i] == 0;
    }
    return s;
}

double ptd_winding_radius(const ptd_winding *w)
{
    const spectrum s = spectrum_of(w);
    return s.has_timeless ? FAR * s.sum : NEAR * sqrt(s.squares);
}

int ptd_winding_encloses(const ptd_winding *w, double re, double im)
{
    const spectrum s = spectrum_of(w);
    /* sum over lambda of arg(z - lambda) = n arg z - Im(sum of lambda / z) + O(squares / |z|^2) */
    const double expected = s.n * atan2(im, re) - s.sum * im / (re * re + im * im);
    const double outside = (expected - w->turned) / (2 * PI);
    return w->largest < MOST_TURN && fabs(outside) < SLACK;
}

double ptd_winding_fall(const ptd_winding *w)
{
    return exp(-PI / (2 * tan(w->largest / 2)));
}
