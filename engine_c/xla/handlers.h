/* Handlers: what XLA calls, and what Python needs to register them.
 *
 * A handler is a C function on the path of a compiled JAX program: no Python and no interpreter
 * lock.
 */
#ifndef PHASIC_HANDLERS_H
#define PHASIC_HANDLERS_H

#include "ptd.h"

#include "xla/ffi/api/c_api.h"

XLA_FFI_Error *phasic_density_handler(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *phasic_moments_handler(XLA_FFI_CallFrame *frame);

/* Counts a call of a handler and its lanes. */
void phasic_count_call(int64_t lanes);

/* For the binding: addresses of handlers and of the state's type, as numbers. */
typedef enum {
    PHASIC_XLA_INSTANTIATE = 0,
    PHASIC_XLA_DENSITY = 1,
    PHASIC_XLA_MOMENTS = 2,
    PHASIC_XLA_STATE_TYPE = 3,
    PHASIC_XLA_STATE_INFO = 4
} phasic_xla_what;
uintptr_t phasic_xla_address(phasic_xla_what what);
/* Version of XLA's interface that the handlers speak, and calls and lanes so far. */
void phasic_xla_version(int32_t *major, int32_t *minor);
void phasic_xla_counts(int64_t *calls, int64_t *lanes);

#endif
