/* Status: fills the caller's ptd_error. */
#ifndef PTD_STATUS_H
#define PTD_STATUS_H

#include "ptd.h"

/* Returns `status`, so that a failure is one line: return ptd_fail(error, STATUS, index, value). */
ptd_status ptd_fail(ptd_error *error, ptd_status status, int64_t index, double value);

#endif
