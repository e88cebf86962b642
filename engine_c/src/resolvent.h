/* Resolvent: F(z) = alpha (z R - S)^{-1} b of a chain at theta, eight z at a time, however small.
 *
 * R holds the rewards, S the rates of the trace's transient vertices; vertices without reward get
 * no z and need no elimination of their own. For the density b are the rates into absorption (into
 * the target), for survival b = r. F is evaluated at z = x + z' in the chain tilted by any positive
 * vector y-hat close to y(x) = (x R - S)^{-1} b (Doob): weights w_ij y_j / y_i, right-hand side
 * b_i / y_i, start a_i y_i / F-hat. There F(x + z') / F-hat is of order one, be F itself 1e-3000.
 *
 * The tilt costs no accuracy. Weights in it are rounded, w~_ij = w_ij (1 + d) y_j / y_i, and the
 * diagonal must follow: it has to be that of the weights w_ij (1 + d), not of w~. What leaves
 * besides the tilted weights is therefore kept as x r_i + sum_j w_ij (y_i - y_j) / y_i, where the
 * differences are exact for states that exchange much and lie close together. (With a diagonal of
 * w~, or the unrounded one, a chain that makes N jumps comes out wrong by N roundings.)
 *
 * Without reward a vertex may lead to absorption in no time. Such paths are a constant in F, an
 * atom in Y; with h_i the probability of them from i, y = h + (z R - S)^{-1} b', b'_i = b_i + sum_j
 * w_ij h_j where r_i > 0, else 0: all of it non-negative, so F is taken without its constant.
 */
#ifndef PTD_RESOLVENT_H
#define PTD_RESOLVENT_H

#include "chain.h"
#include "resolvent_kernel.h"
#include "workspace.h"

typedef struct {
    const ptd_chain *chain;
    ptd_workspace *ws; /* weights at theta, and the trace's arrays */
    const ptd_resolvent_kernel *kernel;
    ptd_resolvent_lanes lanes;
    int n_parameters; /* 0 without derivatives */
    int jets;

    /* at theta; by position unless said otherwise */
    const double *rate;  /* by form */
    double *reward;      /* r, 0 for the start and the boundary */
    double *alpha;       /* on the transient vertices */
    double *alpha_theta; /* n_parameters x n: derivatives; NULL where there are none */
    double *start_theta; /* n_parameters: of the start's weights, by their sum */
    double *source;      /* b' */
    double *timeless;    /* h; NULL: 0 */
    double *leaves;      /* q: all weights */
    double *boundary;    /* n_boundary: y there */
    uint8_t *active;     /* whether the vertex takes part */
    int is_empty;        /* F is 0 */

    /* the tilt */
    double crossing;  /* x */
    double *mantissa; /* y-hat = mantissa 2^exponent, mantissa in [1/2, 1) */
    int32_t *exponent;
    double total; /* F-hat = total 2^total_exponent */
    int32_t total_exponent;
    double unit;   /* what rates are multiplied by, a power of two */
    double *start; /* n: tilted */
    double *right; /* n: b, tilted */

    double visits;  /* of vertices until absorption; ptd_resolvent_depth sets it */
    double *y, *x;  /* items; of the nodes last evaluated */
    double *spread; /* n_parameters x n items, with derivatives */
    double *value;  /* jets items: F and its derivatives, by F-hat */
    double *moved;  /* n_parameters items: alpha_p y; else scratch (n) */
    double *pair;   /* n_parameters^2 items, with second derivatives */
    void *memory;
} ptd_resolvent;

/* Bytes that it takes. */
double ptd_resolvent_bytes(const ptd_chain *chain);
/* Starts at x = 0, tilted by 1. */
PTD_MUST_CHECK ptd_status ptd_resolvent_create(const ptd_chain *chain, ptd_function function,
                                               ptd_resolvent **resolvent, ptd_error *error);
void ptd_resolvent_destroy(ptd_resolvent *resolvent);

/* F(x + z') / F-hat at eight z' (an item): sets y and the first item of `value`. */
void ptd_resolvent_evaluate(ptd_resolvent *resolvent, const double *node);
/* The derivative in z at the same nodes: an item. Uses x. */
void ptd_resolvent_slope(ptd_resolvent *resolvent, double *slope);
/* How many roundings a value that passes through the chain collects: so many for each vertex that
 * is visited until absorption; in a component no more than go with the depth of its elimination.
 * The last evaluation's first node is z' = 0. Sets `visits`. Uses x. */
double ptd_resolvent_depth(ptd_resolvent *resolvent);
/* The derivatives in theta at the same nodes: the other items of `value`. Uses y and x. */
void ptd_resolvent_derive(ptd_resolvent *resolvent);
/* Crosses at `crossing`, tilted by the y of the last evaluation's real node `lane`, which lies
 * there up to rounding. */
void ptd_resolvent_tilt(ptd_resolvent *resolvent, int lane, double crossing);
/* log F-hat. */
long double ptd_resolvent_log_total(const ptd_resolvent *resolvent);

#endif
