/* Handler of moments: operands theta (.., P) and rewards (.., V) or (.., 0), results E[Y^1] ..
 * E[Y^n] (.., n) and, with the attribute `order`, their gradients (.., n, P) and Hessians
 * (.., n, P, P).
 *
 * Lanes of one reward are evaluated side by side, whatever lies between them.
 */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "memory.h"
#include "share.h"
#include "state.h"
#include "status.h"

/* Thetas of a unit: as many as the widest kernel takes, some times over. */
enum { MOST_THETAS = 64 };
/* Floating-point operations below which another thread is not worth waking. */
static const double WORTH_SHARING = 2e5;

/* A lane and where its rewards begin. */
typedef struct {
    int64_t rewards;
    int64_t lane;
} placed;

typedef struct {
    int64_t first; /* into `lanes_in_order` */
    int64_t count;
} unit_of_lanes;

typedef struct {
    phasic_state *state;
    ptd_workspace_options workspace;
    int32_t order;     /* of derivatives */
    int32_t n_moments; /* E[Y^1] .. */
    int64_t n_parameters;
    phasic_lanes lanes;
    phasic_operand theta, rewards;
    phasic_result result[3];
    placed *in_order; /* lanes by reward */
    unit_of_lanes *units;
    int64_t n_units;
} moments_job;

static const char *read_job(const XLA_FFI_CallFrame *frame, moments_job *job)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(phasic_state_trace(job->state));
    int64_t order, n_moments;
    if (!phasic_whole_attribute(frame, "order", &order) ||
        !phasic_whole_attribute(frame, "n_moments", &n_moments)) {
        return "an attribute is missing";
    }
    if (order < 0 || order > 2 || n_moments < 1 || n_moments > INT32_MAX ||
        frame->rets.size != order + 1 || frame->args.size != 2) {
        return "an attribute is out of range, or there are too few operands or results";
    }
    job->order = (int32_t)order;
    job->n_moments = (int32_t)n_moments;
    job->n_parameters = meta->n_parameters;
    const char *wrong = phasic_read_lanes(frame, 1, &job->lanes);
    if (!wrong) {
        wrong = phasic_read_operand(frame, 0, &job->lanes, &job->theta);
    }
    if (!wrong) {
        wrong = phasic_read_operand(frame, 1, &job->lanes, &job->rewards);
    }
    int64_t length = n_moments;
    for (int k = 0; k <= job->order && !wrong; k++, length *= job->n_parameters) {
        wrong = phasic_read_result(frame, k, &job->lanes, length, &job->result[k]);
    }
    if (!wrong && (job->theta.length != job->n_parameters ||
                   (job->rewards.length != 0 && job->rewards.length != meta->n_vertices))) {
        wrong = "theta or rewards have another length than the trace needs";
    }
    return wrong;
}

static int by_rewards(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->rewards != y->rewards) {
        return x->rewards < y->rewards ? -1 : 1;
    }
    return (x->lane > y->lane) - (x->lane < y->lane);
}

static ptd_status make_units(moments_job *job, ptd_error *error)
{
    const size_t count = (size_t)job->lanes.count;
    job->in_order = ptd_allocate(count, sizeof *job->in_order);
    job->units = ptd_allocate(count, sizeof *job->units);
    if (!job->in_order || !job->units) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)count);
    }
    int sorted = 1;
    for (size_t k = 0; k < count; k++) {
        job->in_order[k] =
            (placed){phasic_offset(&job->rewards, &job->lanes, (int64_t)k), (int64_t)k};
        sorted &= k == 0 || job->in_order[k - 1].rewards <= job->in_order[k].rewards;
    }
    if (!sorted) {
        qsort(job->in_order, count, sizeof *job->in_order, by_rewards);
    }
    for (size_t k = 0; k < count; k++) {
        unit_of_lanes *last = job->n_units > 0 ? &job->units[job->n_units - 1] : NULL;
        if (last && last->count < MOST_THETAS &&
            job->in_order[last->first].rewards == job->in_order[k].rewards) {
            last->count++;
        } else {
            job->units[job->n_units++] = (unit_of_lanes){(int64_t)k, 1};
        }
    }
    return PTD_OK;
}

static ptd_status evaluate_lanes(const moments_job *job, ptd_workspace *ws, int64_t count,
                                 const double *thetas, const double *rewards, double *const out[3],
                                 ptd_error *error)
{
    ptd_status status = ptd_moments(ws, count, thetas, rewards, job->n_moments, out[0],
                                    job->order > 0 ? out[1] : NULL, error);
    if (!status && job->order > 1) {
        status = ptd_moment_hessians(ws, count, thetas, rewards, job->n_moments, out[2], error);
    }
    return status;
}

static ptd_status evaluate_unit(void *data, int64_t number, ptd_error *error)
{
    const moments_job *job = data;
    const unit_of_lanes *unit = &job->units[number];
    const placed *lanes = job->in_order + unit->first;
    const size_t P = (size_t)job->n_parameters, count = (size_t)unit->count;
    size_t room_size = count * P + (size_t)job->rewards.length;
    for (int k = 0; k <= job->order; k++) {
        room_size += count * (size_t)job->result[k].length;
    }
    ptd_workspace *ws = NULL;
    double *room = ptd_allocate(room_size, sizeof *room);
    if (!room) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)room_size);
    }
    double *rewards_room = room + count * P;
    double *out[3] = {rewards_room + job->rewards.length, NULL, NULL};
    for (int k = 1; k <= job->order; k++) {
        out[k] = out[k - 1] + count * (size_t)job->result[k - 1].length;
    }
    for (size_t k = 0; k < count; k++) {
        const int64_t from = phasic_offset(&job->theta, &job->lanes, lanes[k].lane);
        const double *theta = phasic_numbers(&job->theta, from, (int64_t)P, room + k * P);
        if (theta != room + k * P && P > 0) {
            memcpy(room + k * P, theta, P * sizeof *room);
        }
    }
    const double *rewards =
        phasic_numbers(&job->rewards, lanes[0].rewards, job->rewards.length, rewards_room);
    ptd_status status = phasic_workspace_take(job->state, &job->workspace, &ws, error);
    if (!status) {
        status = evaluate_lanes(job, ws, unit->count, room,
                                job->rewards.length > 0 ? rewards : NULL, out, error);
    }
    for (int k = 0; k <= job->order && !status; k++) {
        const int64_t length = job->result[k].length;
        for (size_t lane = 0; lane < count; lane++) {
            phasic_store(&job->result[k], lanes[lane].lane * length, length,
                         out[k] + lane * (size_t)length);
        }
    }
    if (status && ws) {
        /* which of the unit's lanes: the caller knows the unit */
        const int64_t failed = ptd_workspace_failed_theta(ws);
        job->units[number].first += failed > 0 ? failed : 0;
    }
    phasic_workspace_give_back(job->state, ws);
    ptd_release(room);
    return status;
}

static double work_of(const moments_job *job)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(phasic_state_trace(job->state));
    const double once =
        4.0 * (double)meta->multiply_adds + 8.0 * (double)meta->n_edges + (double)meta->n_vertices;
    return once * job->n_moments * (job->order > 0 ? 4 : 1) * (double)job->lanes.count;
}

XLA_FFI_Error *phasic_moments_handler(XLA_FFI_CallFrame *frame)
{
    XLA_FFI_Error *refusal = NULL;
    if (phasic_answers_metadata(frame, 1)) {
        return NULL;
    }
    moments_job job = {.state = phasic_state_of(frame, &refusal)};
    if (!job.state) {
        return refusal;
    }
    const char *wrong = read_job(frame, &job);
    if (wrong) {
        return phasic_refuse(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT, wrong);
    }
    job.workspace = (ptd_workspace_options){
        .max_order = job.n_moments,
        .max_rewards = 1,
        .gradient = job.order > 0,
        .n_thetas = job.lanes.count < MOST_THETAS ? job.lanes.count : MOST_THETAS};
    ptd_error error = {0};
    int64_t failed = 0;
    ptd_status status = make_units(&job, &error);
    if (!status) {
        phasic_count_call(job.lanes.count);
        status = phasic_share(frame, work_of(&job) > WORTH_SHARING, job.n_units, evaluate_unit,
                              &job, &failed, &error);
    }
    if (status) {
        const int64_t lane =
            job.units && job.in_order ? job.in_order[job.units[failed].first].lane : 0;
        refusal = phasic_tell(frame, status, &error, &job.lanes, lane, &job.theta);
    }
    ptd_release(job.in_order);
    ptd_release(job.units);
    return refusal;
}
