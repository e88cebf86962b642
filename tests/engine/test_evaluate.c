/* The eliminated chain: rates, targets and probabilities. */
#include <math.h>

#include "check.h"
#include "small_graphs.h"

static void check_sums(const ptd_trace_result *r)
{
    for (int64_t v = 0; v < r->n_vertices; v++) {
        double sum = 0;
        for (int64_t k = r->start[v]; k < r->start[v + 1]; k++) {
            sum += r->probabilities[k];
            CHECK(r->targets[k] >= -1 && r->targets[k] < r->n_vertices);
        }
        CHECK(r->start[v] == r->start[v + 1] ? r->rates[v] == 0 : close_to(sum, 1, 1e-15));
    }
}

static void test_acyclic(void)
{
    const small_edge edges[] = {
        {0, 1, 2, {0, 0}}, {0, 2, 2, {0, 0}}, {1, 2, 0, {1, 0}},
        {1, 3, 0, {0, 1}}, {2, 3, 7, {0, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 5, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_trace_result *r = NULL;
    ptd_error error = {0};
    const double theta[2] = {1, 3};
    CHECK(ptd_evaluate_trace(ws, theta, &r, &error) == PTD_OK);
    if (r) {
        check_sums(r);
        CHECK(r->n_vertices == 4 && r->n_targets == 5);
        CHECK(r->rates[0] == 4 && r->rates[1] == 4 && r->rates[2] == 7 && r->rates[3] == 0);
        CHECK(r->targets[r->start[2]] == 3 && r->probabilities[r->start[2]] == 1);
    }
    ptd_trace_result_destroy(r);
    ptd_trace_result_destroy(NULL);
    const double bad[2] = {1, NAN};
    CHECK(ptd_evaluate_trace(ws, bad, &r, &error) == PTD_THETA_NOT_FINITE);
    CHECK(error.index == 1 && r == NULL);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

/* Of a cycle of two, one vertex is eliminated first and leads to the other. */
static void test_cycle(void)
{
    const small_edge edges[] = {
        {0, 1, 1, {0, 0}},
        {1, 2, 4, {0, 0}},
        {2, 1, 1, {0, 0}},
        {2, 3, 3, {0, 0}},
    };
    ptd_elimination_trace *trace = small_trace(PTD_CONTINUOUS, 4, edges, 4, 0);
    ptd_workspace *ws = workspace_for(trace, 1, 1, 0, 1, NULL);
    ptd_trace_result *r = NULL;
    ptd_error error = {0};
    const double theta[2] = {0, 0};
    CHECK(ptd_evaluate_trace(ws, theta, &r, &error) == PTD_OK);
    if (r) {
        check_sums(r);
        /* Either 1 goes first (rate 4 to 2, which then leaves with 3), or 2 goes first (rate 4, a
         * quarter of it to 1, which then leaves with 4 x 3/4). */
        const int one_first = r->targets[r->start[1]] == 2;
        CHECK(r->rates[1] == (one_first ? 4 : 3));
        CHECK(r->rates[2] == (one_first ? 3 : 4));
        const int64_t later = one_first ? 2 : 1;
        CHECK(r->start[later + 1] - r->start[later] == 1 && r->targets[r->start[later]] == -1);
    }
    ptd_trace_result_destroy(r);
    ptd_workspace_destroy(ws);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_acyclic();
    test_cycle();
    return check_result();
}
