/* State: see state.h. */
#include "state.h"

#include <pthread.h>
#include <stdio.h>

#include "call.h"
#include "memory.h"
#include "registry.h"

/* As many as threads that work at once, on most machines; each may be large. */
enum { MOST_IDLE = 16 };

struct phasic_state {
    ptd_elimination_trace *trace;
    pthread_mutex_t lock;
    ptd_workspace *idle[MOST_IDLE];
    int n_idle;
};

static void state_destroy(void *object)
{
    phasic_state *state = object;
    for (int k = 0; k < state->n_idle; k++) {
        ptd_workspace_destroy(state->idle[k]);
    }
    ptd_elimination_trace_destroy(state->trace);
    pthread_mutex_destroy(&state->lock);
    ptd_release(state);
}

XLA_FFI_TypeId phasic_state_type;
const XLA_FFI_TypeInfo phasic_state_info = {.struct_size = XLA_FFI_TypeInfo_STRUCT_SIZE,
                                            .deleter = state_destroy};

XLA_FFI_Error *phasic_instantiate(XLA_FFI_CallFrame *frame)
{
    int64_t word[2];
    if (phasic_answers_metadata(frame, 1)) {
        return NULL;
    }
    if (!phasic_whole_attribute(frame, "key0", &word[0]) ||
        !phasic_whole_attribute(frame, "key1", &word[1])) {
        return phasic_refuse(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                             "the executable names no trace");
    }
    const phasic_key key = {{(uint64_t)word[0], (uint64_t)word[1]}};
    phasic_state *state = ptd_allocate_zero(1, sizeof *state);
    if (!state) {
        return phasic_refuse(frame, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, "out of memory");
    }
    state->trace = phasic_registry_acquire(key);
    if (!state->trace) {
        char message[320];
        const uint8_t *byte = (const uint8_t *)&key;
        int at = snprintf(message, sizeof message, "TRACE_NOT_FOUND: the trace ");
        for (size_t k = 0; k < sizeof key; k++) {
            at += snprintf(message + at, sizeof message - (size_t)at, "%02x", byte[k]);
        }
        snprintf(message + at, sizeof message - (size_t)at,
                 "... that this executable was compiled for is not in this process: build the "
                 "model (graph.pmf_from_graph() and the like) before the executable is loaded");
        ptd_release(state);
        return phasic_refuse(frame, XLA_FFI_Error_Code_NOT_FOUND, message);
    }
    pthread_mutex_init(&state->lock, NULL);
    XLA_FFI_State_Set_Args args = {.struct_size = XLA_FFI_State_Set_Args_STRUCT_SIZE,
                                   .ctx = frame->ctx,
                                   .stage = XLA_FFI_ExecutionStage_INSTANTIATE,
                                   .type_id = &phasic_state_type,
                                   .state = state};
    XLA_FFI_Error *refusal = frame->api->XLA_FFI_State_Set(&args);
    if (refusal) {
        state_destroy(state);
    }
    return refusal;
}

phasic_state *phasic_state_of(const XLA_FFI_CallFrame *frame, XLA_FFI_Error **refusal)
{
    XLA_FFI_State_Get_Args args = {.struct_size = XLA_FFI_State_Get_Args_STRUCT_SIZE,
                                   .ctx = frame->ctx,
                                   .stage = XLA_FFI_ExecutionStage_INSTANTIATE,
                                   .type_id = &phasic_state_type};
    *refusal = frame->api->XLA_FFI_State_Get(&args);
    return *refusal ? NULL : args.state;
}

const ptd_elimination_trace *phasic_state_trace(const phasic_state *state)
{
    return state->trace;
}

ptd_status phasic_workspace_take(phasic_state *state, const ptd_workspace_options *options,
                                 ptd_workspace **workspace, ptd_error *error)
{
    *workspace = NULL;
    pthread_mutex_lock(&state->lock);
    if (state->n_idle > 0) {
        *workspace = state->idle[--state->n_idle];
    }
    pthread_mutex_unlock(&state->lock);
    return *workspace ? PTD_OK : ptd_workspace_create(state->trace, options, workspace, error);
}

void phasic_workspace_give_back(phasic_state *state, ptd_workspace *workspace)
{
    pthread_mutex_lock(&state->lock);
    if (workspace && state->n_idle < MOST_IDLE) {
        state->idle[state->n_idle++] = workspace;
        workspace = NULL;
    }
    pthread_mutex_unlock(&state->lock);
    ptd_workspace_destroy(workspace);
}
