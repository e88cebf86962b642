/* Validation: whether arrays, wherever they come from, are a trace. */
#ifndef PTD_VALIDATE_H
#define PTD_VALIDATE_H

#include "ptd.h"

/* Every length against `meta`, then every index of every array. What passes can be evaluated
 * without any further check: no read or write of the evaluation leaves its array. Needs memory
 * for fewer items than the arrays hold. PTD_TRACE_INVALID carries the array and the first item
 * found wrong (array -1: the meta data themselves, value: the field, from 0). */
PTD_MUST_CHECK ptd_status ptd_trace_validate(const ptd_trace_meta *meta,
                                             const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                             ptd_error *error);

#endif
