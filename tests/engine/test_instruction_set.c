/* One rule for all families of kernels: they choose the same instruction set by the same name. */
#include "instruction_set.h"

#include <string.h>

#include "check.h"
#include "kernel.h"
#include "resolvent_kernel.h"
#include "sweep_kernel.h"

static void test_families_choose_alike(void)
{
    const char *const widest[] = {NULL, "baseline", "avx2", "avx512"};
    for (size_t k = 0; k < sizeof widest / sizeof *widest; k++) {
        const ptd_kernel_set *kernels = ptd_kernel_select(widest[k]);
        const ptd_sweep_kernel *sweep = ptd_sweep_kernel_select(widest[k]);
        const ptd_resolvent_kernel *resolvent = ptd_resolvent_kernel_select(widest[k]);
        CHECK(!kernels == (ptd_widest_set(widest[k]) == PTD_UNKNOWN_SET));
        CHECK(!sweep == !kernels && !resolvent == !kernels);
        CHECK(!kernels || strcmp(sweep->instruction_set, kernels->instruction_set) == 0);
        CHECK(!kernels || strcmp(resolvent->instruction_set, kernels->instruction_set) == 0);
    }
}

static void test_names_bound_the_choice(void)
{
    CHECK(ptd_widest_set("baseline") == PTD_BASELINE);
    CHECK(ptd_widest_set("sse9") == PTD_UNKNOWN_SET);
    CHECK(ptd_widest_set("") == PTD_UNKNOWN_SET);
    CHECK(ptd_widest_set("avx2") <= PTD_AVX2);
    CHECK(ptd_widest_set("avx512") <= ptd_widest_set(NULL));
}

int main(void)
{
    test_families_choose_alike();
    test_names_bound_the_choice();
    return check_result();
}
