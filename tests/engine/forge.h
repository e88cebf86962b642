/* Forging trace files: where the arrays of a file stand, and checksums made right again after the
 * file was changed, so that what checksums cannot catch is met too. */
#ifndef FORGE_H
#define FORGE_H

#include "crc32.h"
#include "msgpack.h"
#include "ptd.h"

#include <string.h>

enum { FORGE_HEAD_AT = 20, FORGE_HEAD_LENGTH_AT = 12, FORGE_HEAD_CRC_AT = 16 };

typedef struct {
    uint64_t items; /* product of the shape */
    uint64_t offset;
    size_t crc_at; /* of the four bytes in the header */
} forge_array;

static inline uint32_t forge_get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline void forge_put_u32(uint8_t *bytes, uint32_t value)
{
    for (int k = 0; k < 4; k++) {
        bytes[k] = (uint8_t)(value >> 8 * k);
    }
}

static inline int forge_skip_string(ptd_msgpack_reader *r)
{
    const char *text;
    size_t length;
    return ptd_msgpack_read_string(r, &text, &length);
}

static inline int forge_skip_hash(ptd_msgpack_reader *r)
{
    const uint8_t *bytes;
    size_t length;
    return forge_skip_string(r) && ptd_msgpack_read_binary(r, &bytes, &length);
}

static inline int forge_read_array(ptd_msgpack_reader *r, forge_array *array)
{
    uint32_t count;
    uint32_t dimensions;
    uint64_t value;
    int ok = ptd_msgpack_read_map(r, &count) && forge_skip_string(r) && forge_skip_string(r) &&
             forge_skip_string(r) && forge_skip_string(r) && forge_skip_string(r) &&
             ptd_msgpack_read_array(r, &dimensions) && dimensions <= 2;
    array->items = 1;
    for (uint32_t k = 0; ok && k < dimensions; k++) {
        ok = ptd_msgpack_read_uint(r, &value) && value <= UINT32_MAX;
        array->items *= value;
    }
    ok = ok && forge_skip_string(r) && ptd_msgpack_read_uint(r, &array->offset) &&
         forge_skip_string(r) && ptd_msgpack_read_uint(r, &value);
    array->crc_at = FORGE_HEAD_AT + r->at - 4;
    return ok;
}

/* The meta data (NULL: not wanted) and arrays of a file; 0 where its header cannot be followed. */
static inline int forge_read(const uint8_t *file, size_t length, ptd_trace_meta *meta,
                             forge_array arrays[PTD_TRACE_ARRAY_COUNT])
{
    uint32_t count;
    uint64_t value;
    if (length < FORGE_HEAD_AT ||
        forge_get_u32(file + FORGE_HEAD_LENGTH_AT) > length - FORGE_HEAD_AT) {
        return 0;
    }
    ptd_msgpack_reader r = {.bytes = file + FORGE_HEAD_AT,
                            .length = forge_get_u32(file + FORGE_HEAD_LENGTH_AT)};
    int ok = ptd_msgpack_read_map(&r, &count) && forge_skip_string(&r) &&
             ptd_msgpack_read_map(&r, &count) && count == sizeof(ptd_trace_meta) / sizeof(int64_t);
    for (uint32_t k = 0; ok && k < count; k++) {
        ok = forge_skip_string(&r) && ptd_msgpack_read_uint(&r, &value);
        if (ok && meta) {
            memcpy((char *)meta + k * sizeof(int64_t), &value, sizeof value);
        }
    }
    ok = ok && forge_skip_hash(&r) && forge_skip_hash(&r) && forge_skip_string(&r) &&
         ptd_msgpack_read_array(&r, &count) && count == PTD_TRACE_ARRAY_COUNT;
    for (uint32_t id = 0; ok && id < PTD_TRACE_ARRAY_COUNT; id++) {
        ok = forge_read_array(&r, &arrays[id]);
    }
    return ok;
}

static inline size_t forge_item_bytes(ptd_trace_array_id id)
{
    switch (ptd_trace_array_dtype(id)) {
    case PTD_UINT16:
        return 2;
    case PTD_FLOAT64:
        return 8;
    default:
        return 4;
    }
}

/* Whether the array lies inside the file. */
static inline int forge_fits(const forge_array *array, ptd_trace_array_id id, size_t length)
{
    return array->offset <= length &&
           array->items <= (length - array->offset) / forge_item_bytes(id);
}

/* Makes every checksum right, as far as header and arrays can be found. */
static inline void forge_seal(uint8_t *file, size_t length)
{
    forge_array arrays[PTD_TRACE_ARRAY_COUNT];
    if (forge_read(file, length, NULL, arrays)) {
        for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
            if (!forge_fits(&arrays[id], (ptd_trace_array_id)id, length)) {
                continue;
            }
            const uint32_t crc =
                ptd_crc32(0, file + arrays[id].offset,
                          (size_t)arrays[id].items * forge_item_bytes((ptd_trace_array_id)id));
            for (int k = 0; k < 4; k++) { /* big-endian, as msgpack has it */
                file[arrays[id].crc_at + (size_t)k] = (uint8_t)(crc >> 8 * (3 - k));
            }
        }
    }
    if (length >= FORGE_HEAD_AT &&
        forge_get_u32(file + FORGE_HEAD_LENGTH_AT) <= length - FORGE_HEAD_AT) {
        forge_put_u32(
            file + FORGE_HEAD_CRC_AT,
            ptd_crc32(0, file + FORGE_HEAD_AT, forge_get_u32(file + FORGE_HEAD_LENGTH_AT)));
    }
}

#endif
