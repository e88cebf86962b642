/* Share: units of work on the threads of XLA's pool, the caller's among them.
 *
 * The caller takes units like everyone else, so that work ends however busy the pool is; nobody
 * waits for a task that has not begun.
 */
#ifndef PHASIC_SHARE_H
#define PHASIC_SHARE_H

#include "ptd.h"

#include "xla/ffi/api/c_api.h"

/* One unit of a job; several run at once, each unit once. */
typedef ptd_status (*phasic_unit)(void *job, int64_t unit, ptd_error *error);

/* Runs `count` units. On failure: the status and error of the lowest unit that failed, and
 * `*failed`, its number. `parallel`: whether the work is worth another thread's attention. */
PTD_MUST_CHECK ptd_status phasic_share(const XLA_FFI_CallFrame *frame, int parallel, int64_t count,
                                       phasic_unit run, void *job, int64_t *failed,
                                       ptd_error *error);

#endif
