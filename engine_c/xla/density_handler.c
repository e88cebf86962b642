/* Handler of a function of the density family: operands theta (.., P), times (.., K) and rewards
 * (.., V) or (.., 0), results values (.., K) and, with the attribute `order`, their gradients
 * (.., K, P) and Hessians (.., K, P, P).
 *
 * Lanes of one theta whose times follow one another are one question: vmap over times costs what
 * all times at once cost.
 */
#include "handlers.h"

#include <stdatomic.h>

#include "call.h"
#include "memory.h"
#include "share.h"
#include "state.h"
#include "status.h"

/* Consecutive lanes of one theta and reward, and consecutive times. */
typedef struct {
    int64_t lane;
    int64_t count;
} group;

typedef struct {
    const ptd_elimination_trace *trace;
    ptd_values_options options;
    phasic_lanes lanes;
    phasic_operand theta, times, rewards;
    phasic_result result[3]; /* values, gradients, Hessians */
    group *groups;
    int64_t n_groups;
} density_job;

static const char *read_options(const XLA_FFI_CallFrame *frame, ptd_values_options *options)
{
    int64_t function, method, order, logarithm;
    if (!phasic_whole_attribute(frame, "function", &function) ||
        !phasic_whole_attribute(frame, "method", &method) ||
        !phasic_whole_attribute(frame, "order", &order) ||
        !phasic_whole_attribute(frame, "logarithm", &logarithm) ||
        !phasic_real_attribute(frame, "tolerance", &options->tolerance)) {
        return "an attribute is missing";
    }
    if (function < 0 || function > PTD_SURVIVAL || method < 0 || method >= (int64_t)PTD_METHODS ||
        order < 0 || order > 2 || frame->rets.size != order + 1 || frame->args.size != 3) {
        return "an attribute is out of range, or there are too few operands or results";
    }
    options->function = (ptd_function)function;
    options->method = (ptd_method)method;
    options->order = (int32_t)order;
    options->logarithm = logarithm != 0;
    return NULL;
}

static const char *read_job(const XLA_FFI_CallFrame *frame, density_job *job)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(job->trace);
    const int64_t P = meta->n_parameters;
    const char *wrong = read_options(frame, &job->options);
    if (!wrong) {
        wrong = phasic_read_lanes(frame, 1, &job->lanes);
    }
    phasic_operand *operands[] = {&job->theta, &job->times, &job->rewards};
    for (int k = 0; k < 3 && !wrong; k++) {
        wrong = phasic_read_operand(frame, k, &job->lanes, operands[k]);
    }
    int64_t length = job->times.length;
    for (int k = 0; k <= job->options.order && !wrong; k++, length *= P) {
        wrong = phasic_read_result(frame, k, &job->lanes, length, &job->result[k]);
    }
    if (!wrong && (job->theta.length != P ||
                   (job->rewards.length != 0 && job->rewards.length != meta->n_vertices))) {
        wrong = "theta or rewards have another length than the trace needs";
    }
    return wrong;
}

static ptd_status make_groups(density_job *job, ptd_error *error)
{
    const phasic_lanes *lanes = &job->lanes;
    job->groups = ptd_allocate((size_t)lanes->count, sizeof *job->groups);
    if (!job->groups) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)lanes->count);
    }
    int64_t theta = -1, rewards = -1, next_time = -1;
    for (int64_t lane = 0; lane < lanes->count; lane++) {
        const int64_t here[] = {phasic_offset(&job->theta, lanes, lane),
                                phasic_offset(&job->rewards, lanes, lane),
                                phasic_offset(&job->times, lanes, lane)};
        if (here[0] == theta && here[1] == rewards && here[2] == next_time) {
            job->groups[job->n_groups - 1].count++;
        } else {
            job->groups[job->n_groups++] = (group){lane, 1};
        }
        theta = here[0];
        rewards = here[1];
        next_time = here[2] + job->times.length;
    }
    return PTD_OK;
}

/* Doubles that a group needs where numbers are floats. */
static size_t room_of(const density_job *job, int64_t count)
{
    size_t room = (size_t)(job->theta.length + job->rewards.length + count * job->times.length);
    for (int k = 0; k <= job->options.order; k++) {
        room += (size_t)(count * job->result[k].length);
    }
    return room;
}

static ptd_status evaluate_group(void *data, int64_t unit, ptd_error *error)
{
    const density_job *job = data;
    const group *g = &job->groups[unit];
    const int64_t n_times = g->count * job->times.length;
    double *room = NULL;
    if (job->theta.single || job->result[0].single) {
        room = ptd_allocate(room_of(job, g->count), sizeof *room);
        if (!room) {
            return ptd_fail(error, PTD_NO_MEMORY, 0, (double)n_times);
        }
    }
    double *at = room;
    const double *theta = phasic_numbers(
        &job->theta, phasic_offset(&job->theta, &job->lanes, g->lane), job->theta.length, at);
    at += room ? job->theta.length : 0;
    const double *rewards = phasic_numbers(
        &job->rewards, phasic_offset(&job->rewards, &job->lanes, g->lane), job->rewards.length, at);
    at += room ? job->rewards.length : 0;
    const double *times =
        phasic_numbers(&job->times, phasic_offset(&job->times, &job->lanes, g->lane), n_times, at);
    at += room ? n_times : 0;
    double *out[3] = {NULL, NULL, NULL};
    for (int k = 0; k <= job->options.order; k++) {
        out[k] = phasic_place(&job->result[k], g->lane * job->result[k].length, at);
        at += room ? g->count * job->result[k].length : 0;
    }
    ptd_status status =
        ptd_density_values(job->trace, theta, job->rewards.length > 0 ? rewards : NULL,
                           &job->options, n_times, times, out[0], out[1], out[2], error);
    for (int k = 0; k <= job->options.order && !status; k++) {
        phasic_store(&job->result[k], g->lane * job->result[k].length,
                     g->count * job->result[k].length, out[k]);
    }
    ptd_release(room);
    return status;
}

XLA_FFI_Error *phasic_density_handler(XLA_FFI_CallFrame *frame)
{
    XLA_FFI_Error *refusal = NULL;
    if (phasic_answers_metadata(frame, 1)) {
        return NULL;
    }
    const phasic_state *state = phasic_state_of(frame, &refusal);
    if (!state) {
        return refusal;
    }
    density_job job = {.trace = phasic_state_trace(state)};
    const char *wrong = read_job(frame, &job);
    if (wrong) {
        return phasic_refuse(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT, wrong);
    }
    ptd_error error = {0};
    int64_t failed = 0;
    ptd_status status = make_groups(&job, &error);
    if (!status) {
        phasic_count_call(job.lanes.count);
        status = phasic_share(frame, 1, job.n_groups, evaluate_group, &job, &failed, &error);
    }
    if (status) {
        const int64_t lane = job.groups ? job.groups[failed].lane : 0;
        refusal = phasic_tell(frame, status, &error, &job.lanes, lane, &job.theta);
    }
    ptd_release(job.groups);
    return refusal;
}
