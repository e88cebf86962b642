/* Trace: the object, its storage and its accessors. See trace.h. */
#include "trace.h"

#include "memory.h"
#include "status.h"
#include "trace_graph.h"
#include "validate.h"

#include <string.h>
#include <sys/mman.h>

static const char *const ARRAY_NAME[PTD_TRACE_ARRAY_COUNT] = {
#define ARRAY_NAME_ROW(identifier, name, dtype) name,
    PTD_TRACE_ARRAY_TABLE(ARRAY_NAME_ROW)
#undef ARRAY_NAME_ROW
};

static const ptd_dtype ARRAY_DTYPE[PTD_TRACE_ARRAY_COUNT] = {
#define ARRAY_DTYPE_ROW(identifier, name, dtype) dtype,
    PTD_TRACE_ARRAY_TABLE(ARRAY_DTYPE_ROW)
#undef ARRAY_DTYPE_ROW
};

const char *ptd_trace_array_name(ptd_trace_array_id id)
{
    return (size_t)id < PTD_TRACE_ARRAY_COUNT ? ARRAY_NAME[id] : NULL;
}

ptd_dtype ptd_trace_array_dtype(ptd_trace_array_id id)
{
    return (size_t)id < PTD_TRACE_ARRAY_COUNT ? ARRAY_DTYPE[id] : PTD_INT32;
}

size_t ptd_dtype_bytes(ptd_dtype dtype)
{
    switch (dtype) {
    case PTD_INT32:
    case PTD_UINT32:
        return 4;
    case PTD_UINT16:
        return 2;
    case PTD_FLOAT64:
        return 8;
    }
    return 0;
}

ptd_status
ptd_trace_adopt_storage(const ptd_trace_meta *meta, const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                        const uint8_t content[PTD_HASH_BYTES], const uint8_t key[PTD_HASH_BYTES],
                        ptd_trace_storage storage_kind, void *storage, size_t storage_bytes,
                        ptd_elimination_trace **trace, ptd_error *error)
{
    ptd_elimination_trace *made = ptd_allocate_zero(1, sizeof *made);
    if (!made) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)sizeof *made);
    }
    made->meta = *meta;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        made->arrays[id] = arrays[id];
        made->arrays[id].dtype = ARRAY_DTYPE[id];
    }
    memcpy(made->content, content, PTD_HASH_BYTES);
    memcpy(made->key, key, PTD_HASH_BYTES);
    made->storage_kind = storage_kind;
    made->storage = storage;
    made->storage_bytes = storage_bytes;
    atomic_init(&made->owners, 1);
    *trace = made;
    return PTD_OK;
}

ptd_status ptd_trace_adopt(const ptd_trace_meta *meta,
                           const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                           const uint8_t content[PTD_HASH_BYTES], const uint8_t key[PTD_HASH_BYTES],
                           ptd_elimination_trace **trace, ptd_error *error)
{
    return ptd_trace_adopt_storage(meta, arrays, content, key, PTD_STORAGE_ARRAYS, NULL, 0, trace,
                                   error);
}

static void release_arrays(ptd_array arrays[PTD_TRACE_ARRAY_COUNT])
{
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_release((void *)(uintptr_t)arrays[id].data);
    }
}

static ptd_status copy_arrays(const ptd_array from[PTD_TRACE_ARRAY_COUNT],
                              ptd_array to[PTD_TRACE_ARRAY_COUNT], ptd_error *error)
{
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        const ptd_array *array = &from[id];
        if (array->dtype != ARRAY_DTYPE[id] || array->length < 0 || array->length > PTD_NONE ||
            (array->length > 0 && !array->data)) {
            return ptd_fail(error, PTD_TRACE_INVALID, id, (double)array->length);
        }
        const size_t item = ptd_dtype_bytes(array->dtype);
        void *copy = ptd_allocate((size_t)array->length, item);
        if (!copy) {
            return ptd_fail(error, PTD_NO_MEMORY, id, (double)array->length * (double)item);
        }
        if (array->length > 0) {
            memcpy(copy, array->data, (size_t)array->length * item);
        }
        to[id] = (ptd_array){array->dtype, array->length, copy};
    }
    return PTD_OK;
}

ptd_status ptd_elimination_trace_create(const ptd_trace_meta *meta,
                                        const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                        ptd_elimination_trace **trace, ptd_error *error)
{
    ptd_array copies[PTD_TRACE_ARRAY_COUNT] = {0};
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    *trace = NULL;
    ptd_status status = copy_arrays(arrays, copies, error);
    if (status == PTD_OK) {
        status = ptd_trace_validate(meta, copies, error);
    }
    if (status == PTD_OK) {
        status = ptd_trace_hash(meta, copies, content, key, error);
    }
    if (status == PTD_OK) {
        status = ptd_trace_adopt(meta, copies, content, key, trace, error);
    }
    if (status != PTD_OK) {
        release_arrays(copies);
    }
    return status;
}

void ptd_elimination_trace_retain(ptd_elimination_trace *trace)
{
    atomic_fetch_add(&trace->owners, 1);
}

void ptd_elimination_trace_destroy(ptd_elimination_trace *trace)
{
    if (!trace || atomic_fetch_sub(&trace->owners, 1) > 1) {
        return;
    }
    switch (trace->storage_kind) {
    case PTD_STORAGE_ARRAYS:
        release_arrays(trace->arrays);
        break;
    case PTD_STORAGE_BUFFER:
        ptd_release(trace->storage);
        break;
    case PTD_STORAGE_MAPPING:
        munmap(trace->storage, trace->storage_bytes);
        break;
    }
    ptd_release(trace);
}

const ptd_trace_meta *ptd_elimination_trace_meta(const ptd_elimination_trace *trace)
{
    return &trace->meta;
}

void ptd_elimination_trace_array(const ptd_elimination_trace *trace, ptd_trace_array_id id,
                                 ptd_array *array)
{
    if ((size_t)id < PTD_TRACE_ARRAY_COUNT) {
        *array = trace->arrays[id];
    } else {
        *array = (ptd_array){PTD_INT32, 0, NULL};
    }
}

void ptd_elimination_trace_hash(const ptd_elimination_trace *trace, uint8_t content[PTD_HASH_BYTES],
                                uint8_t key[PTD_HASH_BYTES])
{
    memcpy(content, trace->content, PTD_HASH_BYTES);
    memcpy(key, trace->key, PTD_HASH_BYTES);
}
