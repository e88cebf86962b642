/* Progress of a recording, told to the caller's callback every few thousand vertices. */
#ifndef PTD_PROGRESS_H
#define PTD_PROGRESS_H

#include "status.h"

typedef struct {
    ptd_progress callback; /* NULL: nobody listens */
    void *context;
    int64_t done;
    int64_t total;
    int64_t told; /* `done` at the last call */
} ptd_progress_meter;

enum { PTD_PROGRESS_STEP = 2048 };

static inline ptd_status ptd_progress_tell(ptd_progress_meter *meter, ptd_error *error)
{
    meter->told = meter->done;
    if (meter->callback && meter->callback(meter->context, meter->done, meter->total) != 0) {
        return ptd_fail(error, PTD_CANCELLED, 0, 0.0);
    }
    return PTD_OK;
}

static inline ptd_status ptd_progress_add(ptd_progress_meter *meter, int64_t work, ptd_error *error)
{
    meter->done += work;
    return meter->done - meter->told < PTD_PROGRESS_STEP ? PTD_OK : ptd_progress_tell(meter, error);
}

#endif
