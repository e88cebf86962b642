/* Trace: the elimination of one graph as an immutable set of arrays.
 *
 * The arrays are owned one by one (recorded, or copied by ptd_elimination_trace_create), lie in one
 * owned buffer, or lie in a read-only mapping of the trace's file. Who reads a trace need not know.
 */
#ifndef PTD_TRACE_H
#define PTD_TRACE_H

#include "ptd.h"

#include <stdatomic.h>
#include <stddef.h>

typedef enum {
    PTD_STORAGE_ARRAYS = 0, /* each array was allocated by itself */
    PTD_STORAGE_BUFFER,     /* `storage` was allocated and holds all arrays */
    PTD_STORAGE_MAPPING     /* `storage` is mapped and holds all arrays */
} ptd_trace_storage;

struct ptd_elimination_trace {
    ptd_trace_meta meta;
    ptd_array arrays[PTD_TRACE_ARRAY_COUNT];
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    ptd_trace_storage storage_kind;
    void *storage;
    size_t storage_bytes;
    atomic_int owners; /* how often it must be destroyed until it is */
};

/* Makes a trace of arrays that were each allocated by ptd_allocate (NULL data: length 0); nothing
 * is copied and nothing validated. On success the trace owns the arrays; on failure the caller
 * still does. Lengths and data are taken from `arrays`, dtypes from the table. */
PTD_MUST_CHECK ptd_status ptd_trace_adopt(const ptd_trace_meta *meta,
                                          const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                          const uint8_t content[PTD_HASH_BYTES],
                                          const uint8_t key[PTD_HASH_BYTES],
                                          ptd_elimination_trace **trace, ptd_error *error);

/* The same for arrays that lie in `storage` (a buffer from ptd_allocate or a mapping). */
PTD_MUST_CHECK ptd_status ptd_trace_adopt_storage(const ptd_trace_meta *meta,
                                                  const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                                  const uint8_t content[PTD_HASH_BYTES],
                                                  const uint8_t key[PTD_HASH_BYTES],
                                                  ptd_trace_storage storage_kind, void *storage,
                                                  size_t storage_bytes,
                                                  ptd_elimination_trace **trace, ptd_error *error);

/* Bytes of one item. */
size_t ptd_dtype_bytes(ptd_dtype dtype);

static inline const uint32_t *ptd_array_u32(const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                            ptd_trace_array_id id)
{
    return arrays[id].data;
}

#endif
