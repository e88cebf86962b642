/* Codec: the trace file.
 *
 *   file    = magic version head_length head_crc head { zeros array } ;
 *   magic   = 93 "phase" 0D 0A ;      not text in any encoding; a text-mode copy changes it
 *   version = u32 ;                   PTD_TRACE_FORMAT_VERSION
 *   head_length = u32 ;               bytes of head, at most 1 MiB
 *   head_crc = u32 ;                  CRC-32 (zlib) of head
 *   head    = msgpack map {
 *               "meta":    map { field of ptd_trace_meta: uint, .. }      in the order of ptd.h
 *               "content": bin 32                                         content hash
 *               "key":     bin 32                                         trace key
 *               "arrays":  array of map {                                 in the order of ptd.h
 *                            "name":   str
 *                            "dtype":  "<i4" | "<u4" | "<u2" | "<f8"
 *                            "shape":  array of uint      states: n_vertices, state_length; else 1
 *                            "offset": uint 64            from the start of the file
 *                            "crc32":  uint 32            CRC-32 (zlib) of the array's bytes
 *                          } } ;
 *   zeros   = { 00 } ;                up to the next multiple of 64 bytes
 *   array   = items, little-endian, row-major ;
 *
 * u32 is little-endian. The file ends with its last array. Numbers are written in their fewest
 * bytes (offset and crc32 in 9 and 5), keys in this order, so a trace has one file: what is read is
 * written again and must give the same head. Reading trusts nothing: lengths are compared with the
 * file's before they are used, checksums before contents, and then every index is validated and the
 * graph hashed anew, because a checksum stops accidents and not enemies.
 */
#include "codec.h"

#include "bytes.h"
#include "crc32.h"
#include "memory.h"
#include "msgpack.h"
#include "status.h"
#include "trace_graph.h"
#include "validate.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "arrays are read and written in place, as little-endian");

static const uint8_t MAGIC[8] = {0x93, 'p', 'h', 'a', 's', 'e', '\r', '\n'};

enum {
    VERSION_AT = 8,
    HEAD_LENGTH_AT = 12,
    HEAD_CRC_AT = 16,
    HEAD_AT = 20,
    MAX_HEAD = 1 << 20,
    ALIGNMENT = 64,
    HEAD_FIELDS = 4,
    ARRAY_FIELDS = 5
};

static const struct {
    const char *name;
    size_t offset;
} META_FIELDS[] = {
#define META_FIELD(field) {#field, offsetof(ptd_trace_meta, field)}
    META_FIELD(kind),
    META_FIELD(n_parameters),
    META_FIELD(state_length),
    META_FIELD(n_vertices),
    META_FIELD(n_absorbing),
    META_FIELD(n_dropped),
    META_FIELD(n_components),
    META_FIELD(n_blocks),
    META_FIELD(n_edges),
    META_FIELD(n_forms),
    META_FIELD(multiply_adds),
    META_FIELD(lower_entries),
    META_FIELD(upper_entries),
    META_FIELD(fill_in),
    META_FIELD(largest_component),
    META_FIELD(ordering_version),
#undef META_FIELD
};
enum { META_FIELD_COUNT = sizeof META_FIELDS / sizeof *META_FIELDS };
_Static_assert(sizeof(ptd_trace_meta) == META_FIELD_COUNT * sizeof(int64_t),
               "every field of ptd_trace_meta is written");

static int64_t *meta_field(ptd_trace_meta *meta, size_t field)
{
    return (int64_t *)(void *)((char *)meta + META_FIELDS[field].offset);
}

static const char *dtype_name(ptd_dtype dtype)
{
    switch (dtype) {
    case PTD_INT32:
        return "<i4";
    case PTD_UINT32:
        return "<u4";
    case PTD_UINT16:
        return "<u2";
    case PTD_FLOAT64:
        return "<f8";
    }
    return "";
}

static uint64_t aligned(uint64_t offset)
{
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- writing */

static void write_array_entry(ptd_msgpack_writer *writer, const ptd_elimination_trace *trace,
                              ptd_trace_array_id id, uint64_t offset, uint32_t crc)
{
    ptd_msgpack_write_map(writer, ARRAY_FIELDS);
    ptd_msgpack_write_string(writer, "name");
    ptd_msgpack_write_string(writer, ptd_trace_array_name(id));
    ptd_msgpack_write_string(writer, "dtype");
    ptd_msgpack_write_string(writer, dtype_name(trace->arrays[id].dtype));
    ptd_msgpack_write_string(writer, "shape");
    if (id == PTD_STATES) {
        ptd_msgpack_write_array(writer, 2);
        ptd_msgpack_write_uint(writer, (uint64_t)trace->meta.n_vertices);
        ptd_msgpack_write_uint(writer, (uint64_t)trace->meta.state_length);
    } else {
        ptd_msgpack_write_array(writer, 1);
        ptd_msgpack_write_uint(writer, (uint64_t)trace->arrays[id].length);
    }
    ptd_msgpack_write_string(writer, "offset");
    ptd_msgpack_write_uint64(writer, offset);
    ptd_msgpack_write_string(writer, "crc32");
    ptd_msgpack_write_uint32(writer, crc);
}

static void write_header(ptd_msgpack_writer *writer, const ptd_elimination_trace *trace,
                         const uint64_t offset[PTD_TRACE_ARRAY_COUNT],
                         const uint32_t crc[PTD_TRACE_ARRAY_COUNT])
{
    ptd_trace_meta meta = trace->meta;
    ptd_msgpack_write_map(writer, HEAD_FIELDS);
    ptd_msgpack_write_string(writer, "meta");
    ptd_msgpack_write_map(writer, META_FIELD_COUNT);
    for (size_t field = 0; field < META_FIELD_COUNT; field++) {
        ptd_msgpack_write_string(writer, META_FIELDS[field].name);
        ptd_msgpack_write_uint(writer, (uint64_t)*meta_field(&meta, field));
    }
    ptd_msgpack_write_string(writer, "content");
    ptd_msgpack_write_binary(writer, trace->content, PTD_HASH_BYTES);
    ptd_msgpack_write_string(writer, "key");
    ptd_msgpack_write_binary(writer, trace->key, PTD_HASH_BYTES);
    ptd_msgpack_write_string(writer, "arrays");
    ptd_msgpack_write_array(writer, PTD_TRACE_ARRAY_COUNT);
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        write_array_entry(writer, trace, (ptd_trace_array_id)id, offset[id], crc[id]);
    }
}

void ptd_codec_plan(const ptd_elimination_trace *trace, ptd_codec_layout *layout)
{
    const uint32_t no_crc[PTD_TRACE_ARRAY_COUNT] = {0};
    ptd_msgpack_writer counter = {0};
    *layout = (ptd_codec_layout){0};
    write_header(&counter, trace, layout->offset, no_crc);
    layout->head_bytes = HEAD_AT + counter.length;
    layout->file_bytes = layout->head_bytes;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        const ptd_array *array = &trace->arrays[id];
        layout->bytes[id] = (uint64_t)array->length * ptd_dtype_bytes(array->dtype);
        layout->offset[id] = aligned(layout->file_bytes);
        layout->file_bytes = layout->offset[id] + layout->bytes[id];
    }
}

ptd_status ptd_codec_write_head(const ptd_elimination_trace *trace, const ptd_codec_layout *layout,
                                uint8_t **head, ptd_error *error)
{
    uint32_t crc[PTD_TRACE_ARRAY_COUNT];
    uint8_t *made = ptd_allocate((size_t)layout->head_bytes, 1);
    if (!made) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)layout->head_bytes);
    }
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        crc[id] = ptd_crc32(0, trace->arrays[id].data, (size_t)layout->bytes[id]);
    }
    const size_t length = (size_t)layout->head_bytes - HEAD_AT;
    ptd_msgpack_writer writer = {.bytes = made + HEAD_AT, .capacity = length};
    write_header(&writer, trace, layout->offset, crc);
    memcpy(made, MAGIC, sizeof MAGIC);
    ptd_put_u32(made + VERSION_AT, PTD_TRACE_FORMAT_VERSION);
    ptd_put_u32(made + HEAD_LENGTH_AT, (uint32_t)length);
    ptd_put_u32(made + HEAD_CRC_AT, ptd_crc32(0, made + HEAD_AT, length));
    *head = made;
    return PTD_OK;
}

int64_t ptd_elimination_trace_bytes(const ptd_elimination_trace *trace)
{
    ptd_codec_layout layout;
    ptd_codec_plan(trace, &layout);
    return (int64_t)layout.file_bytes;
}

ptd_status ptd_elimination_trace_encode(const ptd_elimination_trace *trace, uint8_t **bytes,
                                        int64_t *length, ptd_error *error)
{
    ptd_codec_layout layout;
    uint8_t *head = NULL;
    uint8_t *file = NULL;
    ptd_codec_plan(trace, &layout);
    ptd_status status = ptd_codec_write_head(trace, &layout, &head, error);
    if (status != PTD_OK) {
        goto done;
    }
    file = ptd_allocate((size_t)layout.file_bytes, 1);
    if (!file) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)layout.file_bytes);
        goto done;
    }
    memcpy(file, head, (size_t)layout.head_bytes);
    uint64_t end = layout.head_bytes;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        memset(file + end, 0, (size_t)(layout.offset[id] - end));
        if (layout.bytes[id] > 0) {
            memcpy(file + layout.offset[id], trace->arrays[id].data, (size_t)layout.bytes[id]);
        }
        end = layout.offset[id] + layout.bytes[id];
    }
    *bytes = file;
    *length = (int64_t)layout.file_bytes;
done:
    ptd_release(head);
    return status;
}

void ptd_buffer_release(uint8_t *bytes)
{
    ptd_release(bytes);
}

/* ---- reading */

typedef struct {
    const uint8_t *file;
    size_t length;
    size_t head_length;
    ptd_elimination_trace *trace; /* meta, arrays and hashes, as the head says them */
    uint64_t offset[PTD_TRACE_ARRAY_COUNT];
    uint32_t crc[PTD_TRACE_ARRAY_COUNT];
    ptd_error *error;
} file_reader;

static ptd_status malformed(const file_reader *file, size_t at)
{
    return ptd_fail(file->error, PTD_FORMAT_HEADER, (int64_t)at, 0);
}

static ptd_status truncated(const file_reader *file, uint64_t needed)
{
    return ptd_fail(file->error, PTD_FORMAT_TRUNCATED, (int64_t)file->length,
                    (double)(needed - file->length));
}

static ptd_status check_prefix(file_reader *file)
{
    const size_t known = file->length < sizeof MAGIC ? file->length : sizeof MAGIC;
    if (memcmp(file->file, MAGIC, known) != 0) {
        return ptd_fail(file->error, PTD_FORMAT_MAGIC, 0, 0);
    }
    if (file->length < HEAD_AT) {
        return truncated(file, HEAD_AT);
    }
    const uint32_t version = ptd_get_u32(file->file + VERSION_AT);
    if (version != PTD_TRACE_FORMAT_VERSION) {
        return ptd_fail(file->error, PTD_FORMAT_VERSION, VERSION_AT, version);
    }
    const uint32_t head_length = ptd_get_u32(file->file + HEAD_LENGTH_AT);
    if (head_length > MAX_HEAD) {
        return malformed(file, HEAD_LENGTH_AT);
    }
    if (head_length > file->length - HEAD_AT) {
        return truncated(file, (uint64_t)HEAD_AT + head_length);
    }
    if (ptd_crc32(0, file->file + HEAD_AT, head_length) != ptd_get_u32(file->file + HEAD_CRC_AT)) {
        return ptd_fail(file->error, PTD_FORMAT_CHECKSUM, -1, 0);
    }
    file->head_length = head_length;
    return PTD_OK;
}

static int read_expected_string(ptd_msgpack_reader *reader, const char *expected)
{
    const char *text;
    size_t length;
    return ptd_msgpack_read_string(reader, &text, &length) && length == strlen(expected) &&
           memcmp(text, expected, length) == 0;
}

static int read_expected_map(ptd_msgpack_reader *reader, uint32_t expected)
{
    uint32_t count;
    return ptd_msgpack_read_map(reader, &count) && count == expected;
}

static int read_hash(ptd_msgpack_reader *reader, uint8_t hash[PTD_HASH_BYTES])
{
    const uint8_t *bytes;
    size_t length;
    if (!ptd_msgpack_read_binary(reader, &bytes, &length) || length != PTD_HASH_BYTES) {
        return 0;
    }
    memcpy(hash, bytes, PTD_HASH_BYTES);
    return 1;
}

static int read_meta(ptd_msgpack_reader *reader, ptd_trace_meta *meta)
{
    if (!read_expected_map(reader, META_FIELD_COUNT)) {
        return 0;
    }
    for (size_t field = 0; field < META_FIELD_COUNT; field++) {
        uint64_t value;
        if (!read_expected_string(reader, META_FIELDS[field].name) ||
            !ptd_msgpack_read_uint(reader, &value) || value > INT64_MAX) {
            return 0;
        }
        *meta_field(meta, field) = (int64_t)value;
    }
    return 1;
}

/* The array's length: the product of its shape, which must fit into 32 bits. */
static int read_shape(ptd_msgpack_reader *reader, ptd_trace_array_id id, int64_t *length)
{
    const uint32_t dimensions = id == PTD_STATES ? 2 : 1;
    uint32_t count;
    uint64_t product = 1;
    if (!ptd_msgpack_read_array(reader, &count) || count != dimensions) {
        return 0;
    }
    for (uint32_t k = 0; k < dimensions; k++) {
        uint64_t size;
        if (!ptd_msgpack_read_uint(reader, &size) || size > PTD_NONE ||
            __builtin_mul_overflow(product, size, &product) || product > PTD_NONE) {
            return 0;
        }
    }
    *length = (int64_t)product;
    return 1;
}

static int read_array_entry(ptd_msgpack_reader *reader, file_reader *file, ptd_trace_array_id id)
{
    ptd_array *array = &file->trace->arrays[id];
    uint64_t crc;
    array->dtype = ptd_trace_array_dtype(id);
    if (!read_expected_map(reader, ARRAY_FIELDS) || !read_expected_string(reader, "name") ||
        !read_expected_string(reader, ptd_trace_array_name(id)) ||
        !read_expected_string(reader, "dtype") ||
        !read_expected_string(reader, dtype_name(array->dtype)) ||
        !read_expected_string(reader, "shape") || !read_shape(reader, id, &array->length) ||
        !read_expected_string(reader, "offset") ||
        !ptd_msgpack_read_uint(reader, &file->offset[id]) ||
        !read_expected_string(reader, "crc32") || !ptd_msgpack_read_uint(reader, &crc) ||
        crc > UINT32_MAX) {
        return 0;
    }
    file->crc[id] = (uint32_t)crc;
    return 1;
}

static ptd_status read_header(file_reader *file)
{
    ptd_elimination_trace *trace = file->trace;
    ptd_msgpack_reader reader = {.bytes = file->file + HEAD_AT, .length = file->head_length};
    uint32_t count;
    int ok = read_expected_map(&reader, HEAD_FIELDS) && read_expected_string(&reader, "meta") &&
             read_meta(&reader, &trace->meta) && read_expected_string(&reader, "content") &&
             read_hash(&reader, trace->content) && read_expected_string(&reader, "key") &&
             read_hash(&reader, trace->key) && read_expected_string(&reader, "arrays") &&
             ptd_msgpack_read_array(&reader, &count) && count == PTD_TRACE_ARRAY_COUNT;
    for (int id = 0; ok && id < PTD_TRACE_ARRAY_COUNT; id++) {
        ok = read_array_entry(&reader, file, (ptd_trace_array_id)id);
    }
    return ok && reader.at == reader.length ? PTD_OK : malformed(file, HEAD_AT + reader.at);
}

/* Offsets are those that the lengths imply, the padding is zero, and the file ends with the last
 * array. Checked before anything is read there. */
static ptd_status check_layout(const file_reader *file)
{
    uint64_t end = HEAD_AT + file->head_length;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        const ptd_array *array = &file->trace->arrays[id];
        const uint64_t start = aligned(end);
        const uint64_t bytes = (uint64_t)array->length * ptd_dtype_bytes(array->dtype);
        if (file->offset[id] != start) {
            return malformed(file, HEAD_AT);
        }
        if (start > file->length || bytes > file->length - start) {
            return truncated(file, start + bytes);
        }
        for (; end < start; end++) {
            if (file->file[end] != 0) {
                return malformed(file, (size_t)end);
            }
        }
        end = start + bytes;
    }
    return end == file->length ? PTD_OK : malformed(file, (size_t)end);
}

static ptd_status check_arrays(file_reader *file)
{
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_array *array = &file->trace->arrays[id];
        array->data = file->file + file->offset[id];
        const size_t bytes = (size_t)array->length * ptd_dtype_bytes(array->dtype);
        if (ptd_crc32(0, array->data, bytes) != file->crc[id]) {
            return ptd_fail(file->error, PTD_FORMAT_CHECKSUM, id, 0);
        }
    }
    return PTD_OK;
}

/* Whether the head is the one that the trace would be written with. */
static ptd_status check_canonical(const file_reader *file)
{
    ptd_status status = PTD_OK;
    uint8_t *written = ptd_allocate(file->head_length, 1);
    if (!written) {
        return ptd_fail(file->error, PTD_NO_MEMORY, 0, (double)file->head_length);
    }
    ptd_msgpack_writer writer = {.bytes = written, .capacity = file->head_length};
    write_header(&writer, file->trace, file->offset, file->crc);
    if (writer.length != file->head_length ||
        memcmp(written, file->file + HEAD_AT, file->head_length) != 0) {
        status = malformed(file, HEAD_AT);
    }
    ptd_release(written);
    return status;
}

static ptd_status check_hashes(const file_reader *file)
{
    const ptd_elimination_trace *trace = file->trace;
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    ptd_status status = ptd_trace_hash(&trace->meta, trace->arrays, content, key, file->error);
    if (status != PTD_OK) {
        return status;
    }
    if (memcmp(content, trace->content, PTD_HASH_BYTES) != 0 ||
        memcmp(key, trace->key, PTD_HASH_BYTES) != 0) {
        return ptd_fail(file->error, PTD_FORMAT_KEY, 0, 0);
    }
    return PTD_OK;
}

ptd_status ptd_codec_read(ptd_trace_storage storage_kind, void *storage, size_t storage_bytes,
                          ptd_elimination_trace **trace, ptd_error *error)
{
    ptd_elimination_trace said = {0};
    file_reader file = {.file = storage, .length = storage_bytes, .trace = &said, .error = error};
    ptd_status status = check_prefix(&file);
    if (status == PTD_OK) {
        status = read_header(&file);
    }
    if (status == PTD_OK) {
        status = check_layout(&file);
    }
    if (status == PTD_OK) {
        status = check_arrays(&file);
    }
    if (status == PTD_OK) {
        status = ptd_trace_validate(&said.meta, said.arrays, error);
    }
    if (status == PTD_OK) {
        status = check_canonical(&file);
    }
    if (status == PTD_OK) {
        status = check_hashes(&file);
    }
    if (status != PTD_OK) {
        return status;
    }
    return ptd_trace_adopt_storage(&said.meta, said.arrays, said.content, said.key, storage_kind,
                                   storage, storage_bytes, trace, error);
}

ptd_status ptd_elimination_trace_decode(const uint8_t *bytes, int64_t length,
                                        ptd_elimination_trace **trace, ptd_error *error)
{
    *trace = NULL;
    if (length < 0 || (length > 0 && !bytes)) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, (double)length);
    }
    void *copy = ptd_allocate((size_t)length, 1);
    if (!copy) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)length);
    }
    if (length > 0) {
        memcpy(copy, bytes, (size_t)length);
    }
    ptd_status status = ptd_codec_read(PTD_STORAGE_BUFFER, copy, (size_t)length, trace, error);
    if (status != PTD_OK) {
        ptd_release(copy);
    }
    return status;
}
