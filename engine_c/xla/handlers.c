/* Handlers: see handlers.h. */
#include "handlers.h"

#include <stdatomic.h>

#include "state.h"

static atomic_llong calls_so_far;
static atomic_llong lanes_so_far;

void phasic_count_call(int64_t lanes)
{
    atomic_fetch_add_explicit(&calls_so_far, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&lanes_so_far, lanes, memory_order_relaxed);
}

void phasic_xla_counts(int64_t *calls, int64_t *lanes)
{
    *calls = atomic_load(&calls_so_far);
    *lanes = atomic_load(&lanes_so_far);
}

void phasic_xla_version(int32_t *major, int32_t *minor)
{
    *major = XLA_FFI_API_MAJOR;
    *minor = XLA_FFI_API_MINOR;
}

uintptr_t phasic_xla_address(phasic_xla_what what)
{
    switch (what) {
    case PHASIC_XLA_INSTANTIATE:
        return (uintptr_t)phasic_instantiate;
    case PHASIC_XLA_DENSITY:
        return (uintptr_t)phasic_density_handler;
    case PHASIC_XLA_MOMENTS:
        return (uintptr_t)phasic_moments_handler;
    case PHASIC_XLA_STATE_TYPE:
        return (uintptr_t)&phasic_state_type;
    case PHASIC_XLA_STATE_INFO:
        return (uintptr_t)&phasic_state_info;
    }
    return 0;
}
