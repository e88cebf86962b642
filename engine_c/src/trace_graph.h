/* Graph of a trace: what was recorded, and the hashes that name it. */
#ifndef PTD_TRACE_GRAPH_H
#define PTD_TRACE_GRAPH_H

#include "trace.h"

/* The frozen graph in validated arrays; its vertices count as added in canonical order. */
PTD_MUST_CHECK ptd_status ptd_trace_graph(const ptd_trace_meta *meta,
                                          const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                          ptd_graph **graph, ptd_error *error);
/* Content hash and key of validated arrays. */
PTD_MUST_CHECK ptd_status ptd_trace_hash(const ptd_trace_meta *meta,
                                         const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                         uint8_t content[PTD_HASH_BYTES],
                                         uint8_t key[PTD_HASH_BYTES], ptd_error *error);

#endif
