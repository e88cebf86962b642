/* Vertex order: rows of states in lexicographic order. */
#ifndef PTD_VERTEX_ORDER_H
#define PTD_VERTEX_ORDER_H

#include "ptd.h"

/* order[k] is the row that comes k-th when `count` rows (count < 2^31) of `length` signed numbers
 * are sorted lexicographically; equal rows keep their order. */
PTD_MUST_CHECK ptd_status ptd_order_states(int64_t count, int32_t length, const int32_t *states,
                                           uint32_t *order, ptd_error *error);

#endif
