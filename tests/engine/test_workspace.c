/* Workspaces: options, reuse between questions, and that blocks may share their memory only where
 * nobody asks again. */
#include <string.h>

#include "check.h"
#include "recorded.h"
#include "small_graphs.h"

static void test_options(void)
{
    ptd_elimination_trace *trace = recorded_trace(model_islands(2, 5));
    ptd_workspace *ws = NULL;
    ptd_error error = {0};
    const ptd_workspace_options negative = {.max_order = -1};
    CHECK(ptd_workspace_create(trace, &negative, &ws, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ws == NULL);
    const ptd_workspace_options unknown = {.instruction_set = "sse9"};
    CHECK(ptd_workspace_create(trace, &unknown, &ws, &error) == PTD_INVALID_ARGUMENT);
    const ptd_workspace_options absurd = {.max_order = INT32_MAX};
    CHECK(ptd_workspace_create(trace, &absurd, &ws, &error) == PTD_INVALID_ARGUMENT);
    const ptd_workspace_options plain = {0};
    CHECK(ptd_workspace_create(trace, &plain, &ws, &error) == PTD_OK);
    const int64_t small = ptd_workspace_bytes(ws);
    ptd_workspace_destroy(ws);
    ws = workspace_for(trace, 4, 1, 1, 64, "baseline");
    CHECK(ptd_workspace_bytes(ws) > 8 * small);
    CHECK(strcmp(ptd_workspace_instruction_set(ws), "baseline") == 0);
    CHECK(ptd_workspace_failed_theta(ws) == -1);
    ptd_workspace_destroy(ws);
    ptd_workspace_destroy(NULL);
    ptd_elimination_trace_destroy(trace);
}

/* Asked in any order, each question has the answer that a workspace of its own gives. */
static void test_reuse(model m)
{
    ptd_elimination_trace *trace = recorded_trace(m);
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const int64_t P = meta->n_parameters;
    ptd_error error = {0};
    double theta[64];
    double first_mean = 0, first_gradient[64], mean, gradient[64], high[5], variance, defect;
    double *sojourn = calloc((size_t)meta->n_vertices, sizeof *sojourn);
    for (int64_t p = 0; p < P; p++) {
        theta[p] = 0.5 + 0.3 * (double)p;
    }
    ptd_workspace *shared = workspace_for(trace, 5, 1, 1, 1, NULL);
    for (int round = 0; round < 3; round++) {
        CHECK(ptd_moments(shared, 1, theta, NULL, 1, &mean, gradient, &error) == PTD_OK);
        if (round == 0) {
            first_mean = mean;
            memcpy(first_gradient, gradient, sizeof gradient);
        }
        CHECK(mean == first_mean);
        CHECK(memcmp(gradient, first_gradient, (size_t)P * sizeof(double)) == 0);
        CHECK(ptd_moments(shared, 1, theta, NULL, 5, high, NULL, &error) == PTD_OK);
        CHECK(high[0] == first_mean);
        CHECK(ptd_covariances(shared, 1, theta, 1, NULL, &mean, &variance, NULL, NULL, &error) ==
              PTD_OK);
        CHECK(close_to(variance, high[1] - high[0] * high[0], 1e-9));
        CHECK(ptd_defect(shared, 1, theta, NULL, &defect, &error) == PTD_OK && defect == 0);
        CHECK(ptd_expected_sojourn(shared, 1, theta, sojourn, &error) == PTD_OK);
        double total = 0;
        for (int64_t v = 0; v < meta->n_vertices; v++) {
            total += sojourn[v];
        }
        CHECK(close_to(total, first_mean, 1e-13));
    }
    /* Scaling all rates by c divides the mean by c: sum theta dE/dtheta = -E. */
    double elasticity = 0;
    for (int64_t p = 0; p < P; p++) {
        elasticity += theta[p] * first_gradient[p];
    }
    CHECK(close_to(elasticity, -first_mean, 1e-12));
    ptd_workspace *fresh = workspace_for(trace, 1, 1, 0, 1, NULL);
    CHECK(ptd_moments(fresh, 1, theta, NULL, 1, &mean, NULL, &error) == PTD_OK);
    CHECK(mean == first_mean);
    ptd_workspace_destroy(fresh);
    ptd_workspace_destroy(shared);
    free(sojourn);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    test_options();
    test_reuse(model_islands(3, 7));
    test_reuse(model_two_locus(7)); /* components that share blocks */
    test_reuse(model_tandem(5, 5));
    test_reuse(model_site_frequency(8));
    return check_result();
}
