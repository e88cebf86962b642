/* Uniformisation when memory runs out: whichever allocation fails is said, and nothing is lost. */
#include "chains.h"
#include "check.h"
#include "density.h"

static int64_t allocations;
static int64_t failing = -1; /* the allocation that fails, from 0; -1: none */

static int fails(void)
{
    return allocations++ == failing;
}

void *ptd_test_malloc(size_t bytes)
{
    return fails() ? NULL : malloc(bytes);
}

void *ptd_test_realloc(void *pointer, size_t bytes)
{
    return fails() ? NULL : realloc(pointer, bytes);
}

void *ptd_test_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : aligned_alloc(alignment, bytes);
}

/* States that also go back to those before, at many distances: some terms are gathered. */
static ptd_chain *chain_with_returns(int order)
{
    enum { N = 40 };
    static transition t[2 * N];
    int count = 0;
    for (int s = 0; s < N; s++) {
        t[count++] = (transition){s, s + 1 < N ? s + 1 : CHAIN_ENDS, {1, 0.5}};
        if (s > 1) {
            t[count++] = (transition){s, s * 7 % 11 % s, {1.0 / s, 1}};
        }
    }
    return chain_of(N, 0, order, order, t, count);
}

static ptd_status ask(const ptd_chain *chain, ptd_error *error)
{
    const double times[2] = {1, 300};
    double log_value[2], bound[2], log_jet[2];
    ptd_question question = {.function = PTD_DISTRIBUTION,
                             .tolerance = 1e-13,
                             .max_work = 1e9,
                             .n_times = 2,
                             .times = times,
                             .log_value = log_value,
                             .bound = bound,
                             .log_jet = chain->order ? log_jet : NULL};
    return ptd_uniformise(chain, &question, error);
}

static ptd_status occupy(const ptd_chain *chain, ptd_error *error)
{
    double probability[40], accumulated[40], bound;
    ptd_bound_kind kind;
    return ptd_chain_occupation(chain, 30, probability, accumulated, &bound, &kind, error);
}

static void exhaust(const ptd_chain *chain, ptd_status (*call)(const ptd_chain *, ptd_error *),
                    int least)
{
    ptd_error error = {0};
    failing = -1;
    allocations = 0;
    CHECK(call(chain, &error) == PTD_OK);
    const int64_t count = allocations;
    CHECK(count >= least);
    for (int64_t k = 0; k < count; k++) {
        allocations = 0;
        failing = k;
        CHECK(call(chain, &error) == PTD_NO_MEMORY);
        CHECK(error.status == PTD_NO_MEMORY);
    }
    failing = -1;
}

int main(void)
{
    ptd_elimination_trace trace = {.meta.n_vertices = 40};
    for (int order = 0; order < 2; order++) {
        ptd_chain *chain = chain_with_returns(order);
        chain->trace = &trace;
        exhaust(chain, ask, 20);
        if (order == 0) {
            exhaust(chain, occupy, 15);
        }
        chain_free(chain);
    }
    return check_result();
}
