/* Transforms against closed forms: shifts that are positive, infinite and negative, alone and side
 * by side in lanes, on chains with and without cycles, with blocks that components share. */
#include <math.h>

#include "check.h"
#include "small_graphs.h"

/* Two pairs of vertices, (1, 2) and then (3, 4), with the same weights: they share a block. Inside
 * a pair theta0 both ways, on from the second with theta1. */
static ptd_elimination_trace *pairs(ptd_kind kind)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 2, 0, {1, 0}}, {2, 1, 0, {1, 0}}, {2, 3, 0, {0, 1}},
        {3, 4, 0, {1, 0}}, {4, 3, 0, {1, 0}}, {4, 5, 0, {0, 1}},
    };
    return small_trace(kind, 6, edges, 7, 0);
}

/* One pair with shifts f, g of its vertices: from the first to what follows. With w = theta0, b =
 * theta1: u1 = w u2 / (w + f), u2 = (w u1 + b) / (w + b + g). */
static double pair(double w, double b, double f, double g)
{
    return w * b / ((w + f) * (w + b + g) - w * w);
}

static double pair_by_w(double w, double b, double f, double g)
{
    const double below = (w + f) * (w + b + g) - w * w;
    return b * (below - w * (b + g + f)) / (below * below);
}

static double pair_by_b(double w, double b, double f, double g)
{
    const double below = (w + f) * (w + b + g) - w * w;
    return w * (below - b * (w + f)) / (below * below);
}

enum { POINTS = 5, VERTICES = 6 };

/* The start's and the end's shifts have no effect. */
static const double SHIFTS[POINTS * VERTICES] = {
    9, 0,   0,        0,   0,    9, /* nothing is lost */
    9, 0.5, 2,        1,   0.25, 9, /* */
    9, 0.5, INFINITY, 0,   0,    9, /* vertex 2 is killed, and is on every path */
    9, 0,   0,        0.5, 2,    9, /* */
    9, 3,   0,        0,   3,    9, /* */
};

static void test_shifts(void)
{
    ptd_elimination_trace *trace = pairs(PTD_CONTINUOUS);
    const double thetas[4] = {2, 3, 0.5, 7};
    for (int64_t lanes = 1; lanes <= 64; lanes *= 8) {
        ptd_workspace *ws = workspace_for(trace, 1, 1, 1, lanes, NULL);
        ptd_error error = {0};
        double values[2 * POINTS], gradient[4 * POINTS];
        CHECK(ptd_transform(ws, 2, thetas, POINTS, SHIFTS, values, gradient, &error) == PTD_OK);
        for (int t = 0; t < 2; t++) {
            const double w = thetas[2 * t], b = thetas[2 * t + 1];
            for (int k = 0; k < POINTS; k++) {
                const double *s = SHIFTS + k * VERTICES;
                const double first = pair(w, b, s[1], s[2]);
                const double second = pair(w, b, s[3], s[4]);
                const double *slope = gradient + (t * POINTS + k) * 2;
                const double found = values[t * POINTS + k];
                if (isinf(s[2])) {
                    CHECK(found == 0 && slope[0] == 0 && slope[1] == 0);
                    continue;
                }
                CHECK(close_to(found, first * second, 1e-14));
                const double by_w =
                    pair_by_w(w, b, s[1], s[2]) * second + first * pair_by_w(w, b, s[3], s[4]);
                const double by_b =
                    pair_by_b(w, b, s[1], s[2]) * second + first * pair_by_b(w, b, s[3], s[4]);
                CHECK(fabs(slope[0] - by_w) <= 1e-14);
                CHECK(fabs(slope[1] - by_b) <= 1e-14);
            }
        }
        /* Another question on the same workspace knows nothing of shifts. */
        double mean;
        CHECK(ptd_moments(ws, 1, thetas, NULL, 1, &mean, NULL, &error) == PTD_OK);
        CHECK(close_to(mean, 2 * (2 * 1 / 3.0 + 0.5), 1e-14));
        ptd_workspace_destroy(ws);
    }
    ptd_elimination_trace_destroy(trace);
}

/* From 1 to the end with theta0, or by way of 2, from which theta1 leads on: P(2 is avoided). */
static void test_avoided_vertex(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}}, {1, 3, 0, {1, 0}}, {1, 2, 0, {0, 1}},
        {2, 1, 1, {0, 0}}, {2, 3, 0, {0, 1}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 5, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 1, 1, NULL);
    ptd_error error = {0};
    const double theta[2] = {3, 5};
    const double shifts[4] = {0, 0, INFINITY, 0};
    double value, defect, gradient[2];
    CHECK(ptd_transform(ws, 1, theta, 1, shifts, &value, gradient, &error) == PTD_OK);
    CHECK(close_to(value, 3.0 / 8, 1e-15));
    CHECK(close_to(gradient[0], 5.0 / 64, 1e-14) && close_to(gradient[1], -3.0 / 64, 1e-14));
    const double rewards[4] = {0, 0, 1, 0};
    CHECK(ptd_defect(ws, 1, theta, rewards, &defect, &error) == PTD_OK);
    CHECK(value == defect);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* E[exp(g T)] of the pairs: negative shifts, by the series, up to near the abscissa. */
static void test_series(void)
{
    ptd_elimination_trace *trace = pairs(PTD_CONTINUOUS);
    const double theta[2] = {2, 3};
    /* (w - g)(w + b - g) = w^2 at the abscissa */
    const double abscissa = (7 - sqrt(25)) / 2 - 0;
    const double rates[4] = {0.125, 0.5, 0.75, 0.99};
    double shifts[4 * VERTICES] = {0};
    double expected[4];
    for (int k = 0; k < 4; k++) {
        const double g = rates[k] * abscissa;
        for (int v = 1; v <= 4; v++) {
            shifts[k * VERTICES + v] = -g;
        }
        expected[k] = pow(pair(2, 3, -g, -g), 2);
    }
    for (int64_t lanes = 1; lanes <= 8; lanes += 7) {
        ptd_workspace *ws = workspace_for(trace, 1, 1, 1, lanes, NULL);
        ptd_error error = {0};
        double values[4], gradient[8];
        CHECK(ptd_transform(ws, 1, theta, 4, shifts, values, NULL, &error) == PTD_OK);
        for (int k = 0; k < 4; k++) {
            CHECK(close_to(values[k], expected[k], 1e-12));
        }
        CHECK(ptd_transform(ws, 1, theta, 4, shifts, values, gradient, &error) ==
              PTD_INVALID_ARGUMENT);
        /* One reward falls while another grows. */
        shifts[1] = 4;
        CHECK(ptd_transform(ws, 1, theta, 1, shifts, values, NULL, &error) == PTD_OK);
        CHECK(close_to(values[0],
                       pair(2, 3, 4, -0.125 * abscissa) *
                           pair(2, 3, -0.125 * abscissa, -0.125 * abscissa),
                       1e-14));
        shifts[1] = -0.125 * abscissa;
        const double beyond[VERTICES] = {0, -abscissa, -abscissa, -abscissa, -abscissa, 0};
        CHECK(ptd_transform(ws, 1, theta, 1, beyond, values, NULL, &error) ==
              PTD_TRANSFORM_DIVERGES);
        CHECK(error.index == 0 && ptd_workspace_failed_theta(ws) == 0);
        ptd_workspace_destroy(ws);
    }
    ptd_elimination_trace_destroy(trace);
}

static void test_arguments(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},
        {1, 2, 0, {1, 0}},
        {2, 1, 0, {1, 0}},
        {2, 3, 0, {0, 1}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 8, NULL);
    ptd_error error = {0};
    const double thetas[4] = {1, 1, 1, 0};
    const double shifts[8] = {0, 1, 1, 0, 0, 2, 2, 0};
    const double nan_shift[4] = {0, NAN, 1, 0};
    const double huge[4] = {0, 1, 1.7e308, 0};
    const double fast[2] = {1e308, 1e308};
    double values[4], gradient[8];
    CHECK(ptd_transform(ws, 1, thetas, 1, nan_shift, values, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_transform(ws, 1, thetas, 1, shifts, values, gradient, &error) ==
          PTD_INVALID_ARGUMENT);
    CHECK(ptd_transform(ws, 1, thetas, -1, shifts, values, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_transform(ws, 1, thetas, 0, shifts, values, NULL, &error) == PTD_OK);
    CHECK(ptd_transform(ws, 0, thetas, 1, shifts, values, NULL, &error) == PTD_OK);
    /* The pair is closed at the second theta: no shift hides that. */
    CHECK(ptd_transform(ws, 2, thetas, 2, shifts, values, NULL, &error) ==
          PTD_ABSORPTION_UNREACHABLE);
    CHECK(ptd_workspace_failed_theta(ws) == 1);
    CHECK(ptd_transform(ws, 1, fast, 1, huge, values, NULL, &error) == PTD_RESULT_OVERFLOW);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_shifts();
    test_avoided_vertex();
    test_series();
    test_arguments();
    return check_result();
}
