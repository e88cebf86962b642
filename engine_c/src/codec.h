/* Codec: a trace as bytes. The grammar is in codec.c. */
#ifndef PTD_CODEC_H
#define PTD_CODEC_H

#include "trace.h"

/* Where a trace's arrays stand in its file. */
typedef struct {
    uint64_t offset[PTD_TRACE_ARRAY_COUNT];
    uint64_t bytes[PTD_TRACE_ARRAY_COUNT];
    uint64_t head_bytes; /* everything before the first array, without its padding */
    uint64_t file_bytes;
} ptd_codec_layout;

void ptd_codec_plan(const ptd_elimination_trace *trace, ptd_codec_layout *layout);
/* The first layout->head_bytes bytes of the file, in new memory. Reads all arrays for their
 * checksums. */
PTD_MUST_CHECK ptd_status ptd_codec_write_head(const ptd_elimination_trace *trace,
                                               const ptd_codec_layout *layout, uint8_t **head,
                                               ptd_error *error);

/* The trace in `storage`, which holds the whole file, aligned for any dtype. On success the trace
 * owns it; on failure the caller still does. */
PTD_MUST_CHECK ptd_status ptd_codec_read(ptd_trace_storage storage_kind, void *storage,
                                         size_t storage_bytes, ptd_elimination_trace **trace,
                                         ptd_error *error);

#endif
