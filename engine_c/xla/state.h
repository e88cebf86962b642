/* State: what an executable holds of a model from its loading to its end: the trace, and idle
 * workspaces. */
#ifndef PHASIC_STATE_H
#define PHASIC_STATE_H

#include "ptd.h"

#include "xla/ffi/api/c_api.h"

typedef struct phasic_state phasic_state;

/* XLA gives the number when the type is registered. */
extern XLA_FFI_TypeId phasic_state_type;
extern const XLA_FFI_TypeInfo phasic_state_info;

/* The handler of the stage "instantiate": finds the trace that attributes key0 and key1 name.
 * NOT_FOUND: it is not in this process. */
XLA_FFI_Error *phasic_instantiate(XLA_FFI_CallFrame *frame);

/* The state of an executable, for handlers of the stage "execute"; NULL: `*refusal` says why. */
phasic_state *phasic_state_of(const XLA_FFI_CallFrame *frame, XLA_FFI_Error **refusal);

const ptd_elimination_trace *phasic_state_trace(const phasic_state *state);

/* A workspace of the caller's own until it is given back. All calls of a state ask for the same
 * options. */
PTD_MUST_CHECK ptd_status phasic_workspace_take(phasic_state *state,
                                                const ptd_workspace_options *options,
                                                ptd_workspace **workspace, ptd_error *error);
void phasic_workspace_give_back(phasic_state *state, ptd_workspace *workspace);

#endif
