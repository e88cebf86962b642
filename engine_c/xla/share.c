/* Share: see share.h. */
#include "share.h"

#include <pthread.h>
#include <stdatomic.h>

#include "memory.h"
#include "status.h"

typedef struct {
    phasic_unit run;
    void *job; /* of the caller: touched only by those who have a unit */
    int64_t count;
    atomic_llong next;
    atomic_int owners; /* caller and tasks, some of which may begin after all is done */
    pthread_mutex_t lock;
    pthread_cond_t all_done;
    int64_t done;
    int64_t failed; /* lowest unit that failed, -1: none */
    ptd_status status;
    ptd_error error;
} share;

static void leave(share *s)
{
    if (atomic_fetch_sub(&s->owners, 1) == 1) {
        pthread_mutex_destroy(&s->lock);
        pthread_cond_destroy(&s->all_done);
        ptd_release(s);
    }
}

static void report(share *s, int64_t unit, ptd_status status, const ptd_error *error)
{
    pthread_mutex_lock(&s->lock);
    if (status && (s->failed < 0 || unit < s->failed)) {
        s->failed = unit;
        s->status = status;
        s->error = *error;
    }
    if (++s->done == s->count) {
        pthread_cond_broadcast(&s->all_done);
    }
    pthread_mutex_unlock(&s->lock);
}

static void work(share *s)
{
    int64_t unit;
    while ((unit = atomic_fetch_add(&s->next, 1)) < s->count) {
        ptd_error error = {0};
        const ptd_status status = s->run(s->job, unit, &error);
        report(s, unit, status, &error);
    }
}

static void task(void *data)
{
    share *s = data;
    work(s);
    leave(s);
}

static int64_t pool_threads(const XLA_FFI_CallFrame *frame)
{
    int64_t count = 1;
    XLA_FFI_ThreadPool_NumThreads_Args args = {.struct_size =
                                                   XLA_FFI_ThreadPool_NumThreads_Args_STRUCT_SIZE,
                                               .ctx = frame->ctx,
                                               .num_threads = &count};
    XLA_FFI_Error *refused = frame->api->XLA_FFI_ThreadPool_NumThreads(&args);
    if (refused) { /* there is no pool */
        XLA_FFI_Error_Destroy_Args destroy = {.struct_size = XLA_FFI_Error_Destroy_Args_STRUCT_SIZE,
                                              .error = refused};
        frame->api->XLA_FFI_Error_Destroy(&destroy);
        return 1;
    }
    return count;
}

static int schedule(const XLA_FFI_CallFrame *frame, share *s)
{
    XLA_FFI_ThreadPool_Schedule_Args args = {.struct_size =
                                                 XLA_FFI_ThreadPool_Schedule_Args_STRUCT_SIZE,
                                             .ctx = frame->ctx,
                                             .task = task,
                                             .data = s};
    atomic_fetch_add(&s->owners, 1);
    XLA_FFI_Error *refused = frame->api->XLA_FFI_ThreadPool_Schedule(&args);
    if (refused) {
        XLA_FFI_Error_Destroy_Args destroy = {.struct_size = XLA_FFI_Error_Destroy_Args_STRUCT_SIZE,
                                              .error = refused};
        frame->api->XLA_FFI_Error_Destroy(&destroy);
        leave(s);
        return 0;
    }
    return 1;
}

static ptd_status run_alone(int64_t count, phasic_unit run, void *job, int64_t *failed,
                            ptd_error *error)
{
    ptd_status status = PTD_OK;
    for (int64_t unit = 0; unit < count && !status; unit++) {
        status = run(job, unit, error);
        *failed = unit;
    }
    return status;
}

ptd_status phasic_share(const XLA_FFI_CallFrame *frame, int parallel, int64_t count,
                        phasic_unit run, void *job, int64_t *failed, ptd_error *error)
{
    const int64_t threads = parallel && count > 1 ? pool_threads(frame) : 1;
    if (threads < 2) {
        return run_alone(count, run, job, failed, error);
    }
    share *s = ptd_allocate_zero(1, sizeof *s);
    if (!s) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)sizeof *s);
    }
    s->run = run;
    s->job = job;
    s->count = count;
    s->failed = -1;
    atomic_init(&s->next, 0);
    atomic_init(&s->owners, 1);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->all_done, NULL);
    for (int64_t helpers = 1; helpers < threads && helpers < count; helpers++) {
        if (!schedule(frame, s)) {
            break;
        }
    }
    work(s);
    pthread_mutex_lock(&s->lock);
    while (s->done < s->count) {
        pthread_cond_wait(&s->all_done, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    const ptd_status status = s->status;
    *failed = s->failed;
    *error = s->error;
    leave(s);
    return status;
}
