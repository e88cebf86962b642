/* Contour: numerical inversion of the Laplace transform on saddle-point hyperbolas.
 *
 * F is the chain's transform (resolvent.h). A path that crosses the real line where K(x) + x t,
 * K = log F, is least loses nothing to cancellation however small f(t) is (saddle.h); there
 * log f(t) = K(x) + x t + log(quadrature), with F taken by F(x) (quadrature.h). One path serves a
 * window of times. The distribution function is F(z) / z, crossed right of 0.
 *
 * A path must enclose the spectrum, which no agreement of quadratures can prove. The spectrum is
 * real for acyclic graphs and symmetrisable components; for others the eigenvalues outside are
 * counted on the path itself (winding.h), and where there are any, or the count is in doubt, the
 * window's times are left without an answer.
 *
 * The bound: what the quadrature says of itself, what was cut off, and rounding: the sum of the
 * terms' moduli by the sum itself says how much cancels, the chain's depth how often was rounded.
 */
#include "density.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "memory.h"
#include "quadrature.h"
#include "saddle.h"
#include "status.h"
#include "winding.h"

static const double PI = 3.14159265358979323846;
/* Of the hyperbola, by 1 / t: its bend, and how steeply it rises where the saddle is wide. Around
 * a spectrum that may be complex it rises STEEPER times as much. */
static const double BEND = 3;
static const double RISE = 1.5;
static const double STEEPER = 1.25;
/* Both at most, by the window's reach. */
static const double NEAR = 1.5;
/* The path ends where e^{zt} is e^-this. */
static const double CUT_OFF = 38;
/* Nodes a factor of ten of distance on the way up. */
static const double NODES_A_DECADE = 5;
/* Roundings besides those of the chain: of terms and their exponentials. */
static const double DEPTH = 28;
static const double LEAST_PENALTY = 0.3;
static const double MOST_PENALTY = 4;
/* A relative error above this is no answer. */
static const double NO_ANSWER = 0.1;
/* Of a term, by that at the crossing. */
static const double MOST_PEAK = 20;
static const double LESS_BEND = 4;
enum { MOST_ATTEMPTS = 4 };
/* What finding a path costs, and summing up at a time, in multiply-adds. */
static const double FIND_PATH = 12000;
static const double SUM_UP_TIME = 120;
static const double MOST_BYTES = 1.5e9;

typedef struct {
    const ptd_chain *chain;
    ptd_question *question;
    ptd_resolvent *resolvent;
    ptd_saddle *saddle;
    ptd_winding *winding;
    ptd_quadrature *path;
    ptd_window window;
    double depth; /* roundings */
    int is_wild;  /* whether terms grew along the path, at some time of the window */
    double upper; /* integral of |F| over the way up */
} contour;

/* F at the last evaluation's node `lane`, times a weight: into the path's node k. */
static void take_node(contour *c, int k, int lane, const double weight[2])
{
    ptd_quadrature *path = c->path;
    double re = weight[0];
    double im = weight[1];
    if (c->question->function == PTD_DISTRIBUTION) {
        /* x / z: F(x) / x is what the crossing was chosen for */
        const double x = c->window.crossing;
        const double z_re = x + path->re[k];
        const double z_im = path->im[k];
        const double scale = x / (z_re * z_re + z_im * z_im);
        re = (weight[0] * z_re + weight[1] * z_im) * scale;
        im = (weight[1] * z_re - weight[0] * z_im) * scale;
    }
    for (size_t j = 0; j < path->jets; j++) {
        const double *value = c->resolvent->value + j * PTD_NODE_ITEM + lane;
        ptd_quadrature_set(path, k, j, value[0] * re - value[PTD_NODES] * im,
                           value[0] * im + value[PTD_NODES] * re);
    }
}

/* Evaluates nodes first, first + stride, .., a whole number of batches. `initial`: these are the
 * first ones, in order, and the winding follows them. */
static void evaluate_nodes(contour *c, int first, int stride, int initial)
{
    ptd_quadrature *path = c->path;
    for (int k = first; k < path->count; k += PTD_NODES * stride) {
        double node[PTD_NODE_ITEM];
        double weight[PTD_NODES][2];
        for (int lane = 0; lane < PTD_NODES; lane++) {
            const int number = k + lane * stride;
            ptd_quadrature_place(path, number, weight[lane]);
            node[lane] = path->re[number];
            node[PTD_NODES + lane] = path->im[number];
        }
        ptd_resolvent_evaluate(c->resolvent, node);
        if (initial && c->winding->count > 0) {
            ptd_winding_follow(c->winding);
        }
        if (initial && k == 0) {
            /* lane 0 is the crossing */
            c->depth = DEPTH + ptd_resolvent_depth(c->resolvent);
        }
        if (path->jets > 1) {
            ptd_resolvent_derive(c->resolvent);
        }
        for (int lane = 0; lane < PTD_NODES; lane++) {
            take_node(c, k + lane * stride, lane, weight[lane]);
        }
    }
}

/* From the end of the hyperbola straight up, until the winding number can be read off. Returns
 * whether the spectrum is enclosed. */
static int go_up(contour *c)
{
    const ptd_quadrature *path = c->path;
    const double end_re = -path->bend * (cosh(path->end) - 1);
    const double end_im = path->rise * sinh(path->end);
    const double from = hypot(end_re, end_im);
    const double to = ptd_winding_radius(c->winding);
    const double growth = exp(log(10) / NODES_A_DECADE);
    double node[PTD_NODE_ITEM];
    double rise = 0;
    c->upper = 0;
    for (int done = 0; !done;) {
        double width[PTD_NODES];
        for (int lane = 0; lane < PTD_NODES; lane++) {
            node[lane] = end_re;
            node[PTD_NODES + lane] = end_im + rise;
            done |= from + rise > to;
            width[lane] = (from + rise) * (growth - 1);
            rise += width[lane];
        }
        ptd_resolvent_evaluate(c->resolvent, node);
        ptd_winding_follow(c->winding);
        for (int lane = 0; lane < PTD_NODES; lane++) {
            const double *value = c->resolvent->value + lane;
            c->upper += hypot(value[0], value[PTD_NODES]) * width[lane] / PI;
        }
    }
    return ptd_winding_encloses(c->winding, node[PTD_NODES - 1], node[PTD_NODE_ITEM - 1]);
}

/* Sums up for every time of the window. Returns the largest error that more nodes would mend. */
static double sum_up(contour *c)
{
    const ptd_quadrature *path = c->path;
    ptd_question *q = c->question;
    const double end_re = -path->bend * (cosh(path->end) - 1);
    const long double log_total = ptd_resolvent_log_total(c->resolvent) -
                                  (q->function == PTD_DISTRIBUTION ? logl(c->window.crossing) : 0);
    const size_t rest = path->jets - 1;
    /* Derivatives come from differences y_j - y_i, which are as many as there are jumps. */
    const double roundings = c->depth + (rest ? 2 * c->resolvent->visits : 0);
    double mendable = 0;
    for (int64_t k = c->window.first; k < c->window.last; k++) {
        const double t = q->times[k];
        double *const jet = rest ? q->log_jet + (size_t)k * rest : NULL;
        const ptd_quadrature_sum sum = ptd_quadrature_sum_up(path, t, jet);
        const long double exponent = log_total + (long double)c->window.crossing * t;
        const double cut = 2 * sum.last + c->upper * exp(end_re * t);
        const double rounding = sum.moduli * roundings * DBL_EPSILON +
                                fabs(sum.value) * fabs((double)exponent) * DBL_EPSILON;
        const double error = (sum.aliased + cut + rounding) / fabs(sum.value);
        /* Terms that grow along the path may go on to grow where it has been cut off. */
        int answered = sum.value > 0 && error < NO_ANSWER && sum.peak < MOST_PEAK;
        for (size_t j = 0; j < rest; j++) {
            jet[j] /= sum.value;
            answered &= isfinite(jet[j]) != 0;
        }
        c->is_wild |= !(sum.peak < MOST_PEAK);
        if (sum.peak < MOST_PEAK) {
            mendable = fmax(mendable, sum.value > 0 ? sum.aliased / sum.value : INFINITY);
        }
        q->bound[k] = answered ? error : INFINITY;
        q->log_value[k] = answered ? (double)(exponent + logl(sum.value)) : -INFINITY;
        for (size_t j = 0; j < rest && !answered; j++) {
            jet[j] = 0;
        }
    }
    return mendable;
}

/* What quadrature aims at: it costs little, however much more is tolerated. */
static double aim(const contour *c)
{
    return fmin(c->question->tolerance, 32 * PTD_DENSITY_AIM);
}

static int is_short_of(const ptd_question *question, double aim, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        if (!(question->bound[k] <= aim)) {
            return 1;
        }
    }
    return 0;
}

/* No answer for the times of the window. */
static void withdraw(contour *c)
{
    const size_t rest = c->path->jets - 1;
    for (int64_t k = c->window.first; k < c->window.last; k++) {
        c->question->log_value[k] = -INFINITY;
        c->question->bound[k] = INFINITY;
    }
    if (rest) {
        memset(c->question->log_jet + (size_t)c->window.first * rest, 0,
               (size_t)(c->window.last - c->window.first) * rest * sizeof(double));
    }
}

/* One path for the window. */
static void walk(contour *c, double bend, double rise)
{
    const ptd_window *w = &c->window;
    const double end = acosh(1 + (CUT_OFF + w->penalty) / (bend * c->question->times[w->first]));
    const int counted = c->winding->count > 0;
    withdraw(c);
    ptd_quadrature_shape(c->path, bend, counted ? STEEPER * rise : rise, end,
                         counted ? 2 * PTD_FIRST_NODES : PTD_FIRST_NODES);
    ptd_winding_begin(c->winding);
    evaluate_nodes(c, 0, 1, 1);
    c->upper = 0;
    c->is_wild = 0;
    if (counted) {
        c->path->least_fall = ptd_winding_fall(c->winding);
        if (!go_up(c)) {
            return;
        }
    }
    double mendable = sum_up(c);
    while (is_short_of(c->question, aim(c), w->first, w->last) && mendable > aim(c) / 10 &&
           c->path->count < PTD_MOST_NODES) {
        ptd_quadrature_refine(c->path);
        evaluate_nodes(c, 1, 2, 0);
        mendable = sum_up(c);
    }
}

static void answer_window(contour *c)
{
    const ptd_window *w = &c->window;
    const double t = sqrt(c->question->times[w->first] * c->question->times[w->last - 1]);
    /* The path stays where F is tame: a pole close to the crossing would slow the quadrature down,
     * and a small path grows to the size of 1 / t with few nodes more. */
    const double near = NEAR * w->reach;
    const double rise = fmin(RISE * fmax(1 / t, 1 / sqrt(w->curvature)), near);
    double bend = fmin(BEND / t, near);
    withdraw(c);
    if (!ptd_saddle_cross(c->saddle, w->crossing)) {
        return;
    }
    /* Where terms grow along the path, one that bends later does not meet what makes them grow. */
    for (int attempt = 0; attempt == 0 || (c->is_wild && attempt < MOST_ATTEMPTS); attempt++) {
        walk(c, bend, rise);
        bend /= LESS_BEND;
    }
}

/* What a wide window may cost in the exponent: rounding shall stay below the tolerance. */
static double most_penalty(const contour *c)
{
    const double room = aim(c) / (3 * DBL_EPSILON * c->depth);
    return fmin(MOST_PENALTY, fmax(LEAST_PENALTY, log(room)));
}

static ptd_status prepare(contour *c, ptd_error *error)
{
    const ptd_question *q = c->question;
    ptd_status status = ptd_resolvent_create(c->chain, q->function, &c->resolvent, error);
    if (!status && !c->resolvent->is_empty) {
        status = ptd_winding_create(c->resolvent, &c->winding, error);
    }
    if (!status && c->winding) {
        status = ptd_quadrature_create((size_t)c->chain->jets, &c->path, error);
    }
    if (!status && c->path) {
        status = ptd_saddle_create(c->resolvent, q->function, q->times[0], q->times[q->n_times - 1],
                                   &c->saddle, error);
        c->depth = DEPTH + (c->saddle ? c->saddle->depth : 0);
    }
    return status;
}

int ptd_contour_applies(const ptd_chain *chain)
{
    return !chain->discrete && chain->trap < 0 && ptd_resolvent_bytes(chain) < MOST_BYTES;
}

double ptd_contour_work(const ptd_chain *chain, const ptd_question *question)
{
    const ptd_trace_meta *meta = &chain->trace->meta;
    const int64_t n = question->n_times;
    const double span = n > 0 ? log(question->times[n - 1] / question->times[0]) / log(10) : 0;
    const double node = (double)meta->multiply_adds +
                        (double)(meta->lower_entries + meta->upper_entries) +
                        (double)meta->n_edges + 2 * (double)meta->n_vertices;
    const double derivatives = chain->order == 0   ? 1
                               : chain->order == 1 ? 3
                                                   : 3 + 3 * chain->n_parameters;
    return (span + 1) * PTD_FIRST_NODES * 2 * node * derivatives + FIND_PATH +
           SUM_UP_TIME * (double)n;
}

/* Asks for times first..last - 1 of the question. */
static void answer_times(contour *c, int64_t first, int64_t last)
{
    while (first < last && c->saddle->fine_count > 1) {
        c->window = ptd_saddle_window(c->saddle, last, c->question->times, first, most_penalty(c));
        answer_window(c);
        first = c->window.last;
    }
}

/* What `prepare` made. */
static void contour_release(contour *c)
{
    ptd_saddle_destroy(c->saddle);
    ptd_quadrature_destroy(c->path);
    ptd_winding_destroy(c->winding);
    ptd_resolvent_destroy(c->resolvent);
    *c = (contour){.chain = c->chain, .question = c->question};
}

static void clear(ptd_question *question, int64_t jets, double bound)
{
    for (int64_t k = 0; k < question->n_times; k++) {
        question->log_value[k] = -INFINITY;
        question->bound[k] = bound;
    }
    if (jets > 1) {
        memset(question->log_jet, 0,
               (size_t)question->n_times * (size_t)(jets - 1) * sizeof *question->log_jet);
    }
}

/* Answers of the other function, turned into those of the one that is asked for: with the total p
 * (a jet) v = p - w. Keeps what is better than what is there. */
static void keep_complement(const ptd_chain *chain, const double *total, const ptd_question *other,
                            int64_t first, ptd_question *question)
{
    const size_t rest = (size_t)chain->jets - 1;
    for (int64_t k = 0; k < other->n_times; k++) {
        const double w = exp(other->log_value[k]);
        const double value = total[0] - w;
        const double error = (other->bound[k] * w + DBL_EPSILON * DEPTH * total[0]) / value;
        const size_t to = (size_t)(first + k);
        if (!(value > 0 && error < NO_ANSWER && error < question->bound[to])) {
            continue;
        }
        question->bound[to] = error;
        question->log_value[to] =
            w < total[0] / 2 ? log(total[0]) + log1p(-w / total[0]) : log(value);
        for (size_t j = 0; j < rest; j++) {
            question->log_jet[to * rest + j] =
                (total[j + 1] - w * other->log_jet[(size_t)k * rest + j]) / value;
        }
    }
}

/* Times first..last - 1 by way of the other one of P(Y <= t) and P(Y > t). */
static ptd_status answer_by_complement(const contour *c, int64_t first, int64_t last,
                                       ptd_error *error)
{
    ptd_question *const question = c->question;
    const size_t n = (size_t)(last - first);
    const size_t jets = (size_t)c->chain->jets;
    contour opposite = {.chain = c->chain};
    double *const memory = ptd_allocate(n * (1 + jets) + jets, sizeof *memory);
    if (!memory) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
    }
    ptd_question other = *question;
    other.function = question->function == PTD_SURVIVAL ? PTD_DISTRIBUTION : PTD_SURVIVAL;
    other.n_times = (int64_t)n;
    other.times = question->times + first;
    other.log_value = memory;
    other.bound = memory + n;
    other.log_jet = memory + 2 * n;
    opposite.question = &other;
    clear(&other, (int64_t)jets, INFINITY);
    ptd_status status = prepare(&opposite, error);
    if (!status && opposite.saddle) {
        double *const total = memory + n * (1 + jets);
        ptd_chain_at_zero(c->chain, PTD_SURVIVAL, total);
        answer_times(&opposite, 0, (int64_t)n);
        keep_complement(c->chain, total, &other, first, question);
    }
    contour_release(&opposite);
    ptd_release(memory);
    return status;
}

/* Times first..last - 1 directly; what is better there already stays. */
static ptd_status answer_again(contour *c, int64_t first, int64_t last, ptd_error *error)
{
    ptd_question *const q = c->question;
    const size_t n = (size_t)(last - first);
    const size_t rest = (size_t)c->chain->jets - 1;
    double *const before = ptd_allocate(n * (2 + rest), sizeof *before);
    if (!before) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
    }
    memcpy(before, q->log_value + first, n * sizeof *before);
    memcpy(before + n, q->bound + first, n * sizeof *before);
    if (rest) {
        memcpy(before + 2 * n, q->log_jet + (size_t)first * rest, n * rest * sizeof *before);
    }
    answer_times(c, first, last);
    for (size_t k = 0; k < n; k++) {
        const size_t at = (size_t)first + k;
        if (before[n + k] <= q->bound[at]) {
            q->log_value[at] = before[k];
            q->bound[at] = before[n + k];
            if (rest) {
                memcpy(q->log_jet + at * rest, before + 2 * n + k * rest, rest * sizeof *before);
            }
        }
    }
    ptd_release(before);
    return PTD_OK;
}

/* P(Y > t) of short times and P(Y <= t) of long ones are close to their total, and their transforms
 * have no path that fits: they are answered by their complements. What either way leaves above the
 * aim (where slow and fast phases mix, the mean divides badly) is tried the other way as well. A
 * wide chain's transform takes a gigabyte, so that of one function is there at a time. */
static ptd_status answer_both_ways(contour *c, ptd_error *error)
{
    const ptd_question *const q = c->question;
    const int survival = q->function == PTD_SURVIVAL;
    const double mean = ptd_saddle_mean(c->saddle);
    int64_t middle = 0;
    ptd_status status = PTD_OK;
    while (middle < q->n_times && q->times[middle] < mean) {
        middle++;
    }
    const int64_t direct[2] = {survival ? middle : 0, survival ? q->n_times : middle};
    const int64_t opposite[2] = {survival ? 0 : middle, survival ? middle : q->n_times};
    answer_times(c, direct[0], direct[1]);
    const double aimed = aim(c);
    contour_release(c);
    if (is_short_of(q, aimed, direct[0], direct[1])) {
        status = answer_by_complement(c, direct[0], direct[1], error);
    }
    if (!status && opposite[0] < opposite[1]) {
        status = answer_by_complement(c, opposite[0], opposite[1], error);
    }
    if (!status && is_short_of(q, aimed, opposite[0], opposite[1])) {
        status = prepare(c, error);
        if (!status && c->saddle) {
            status = answer_again(c, opposite[0], opposite[1], error);
        }
    }
    return status;
}

ptd_status ptd_contour(const ptd_chain *chain, ptd_question *question, ptd_error *error)
{
    contour c = {.chain = chain, .question = question};
    question->kind = PTD_VERIFIED;
    question->work = ptd_contour_work(chain, question);
    clear(question, chain->jets, INFINITY);
    if (question->n_times == 0) {
        return PTD_OK;
    }
    ptd_status status = prepare(&c, error);
    if (!status && c.resolvent->is_empty) {
        /* 0 at all times; of derivatives a path says nothing then. */
        clear(question, chain->jets, chain->jets > 1 ? INFINITY : 0);
    } else if (!status && c.saddle) {
        if (question->function == PTD_DENSITY || chain->target >= 0) {
            answer_times(&c, 0, question->n_times);
        } else {
            status = answer_both_ways(&c, error);
        }
    }
    contour_release(&c);
    return status;
}
