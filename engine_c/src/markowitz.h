/* Greedy ordering of a directed pattern, for patterns far from symmetric. */
#ifndef PTD_MARKOWITZ_H
#define PTD_MARKOWITZ_H

#include "ordering.h"

/* order[k] is the vertex eliminated k-th. *cost, on entry a bound, receives the multiply-adds of
 * the order, or -1 where the attempt was given up: the bound was reached, or more than `most_work`
 * list entries were looked at. *work grows by that number. */
PTD_MUST_CHECK ptd_status ptd_markowitz_order(const ptd_pattern *pattern, int64_t most_work,
                                              int32_t *order, int64_t *cost, int64_t *work,
                                              ptd_error *error);

#endif
