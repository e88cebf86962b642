/* msgpack, as its specification says (https://github.com/msgpack/msgpack/blob/master/spec.md):
 * a tag byte, then big-endian lengths and values. See msgpack.h. */
#include "msgpack.h"

#include <string.h>

enum {
    TAG_FIXMAP = 0x80,
    TAG_FIXARRAY = 0x90,
    TAG_FIXSTR = 0xa0,
    TAG_BIN8 = 0xc4,
    TAG_BIN16 = 0xc5,
    TAG_BIN32 = 0xc6,
    TAG_UINT8 = 0xcc,
    TAG_UINT16 = 0xcd,
    TAG_UINT32 = 0xce,
    TAG_UINT64 = 0xcf,
    TAG_STR8 = 0xd9,
    TAG_STR16 = 0xda,
    TAG_STR32 = 0xdb,
    TAG_ARRAY16 = 0xdc,
    TAG_ARRAY32 = 0xdd,
    TAG_MAP16 = 0xde,
    TAG_MAP32 = 0xdf,
    FIX_LENGTH = 16, /* lengths below it are part of the tag of an array or a map */
    FIX_STRING = 32
};

static void write_bytes(ptd_msgpack_writer *writer, const void *bytes, size_t length)
{
    if (writer->bytes && writer->length <= writer->capacity &&
        length <= writer->capacity - writer->length) {
        memcpy(writer->bytes + writer->length, bytes, length);
    }
    writer->length += length;
}

static void write_tagged(ptd_msgpack_writer *writer, unsigned tag, uint64_t value, unsigned width)
{
    uint8_t bytes[9] = {(uint8_t)tag};
    for (unsigned k = 0; k < width; k++) {
        bytes[1 + k] = (uint8_t)(value >> 8 * (width - 1 - k));
    }
    write_bytes(writer, bytes, 1 + width);
}

void ptd_msgpack_write_uint32(ptd_msgpack_writer *writer, uint32_t value)
{
    write_tagged(writer, TAG_UINT32, value, 4);
}

void ptd_msgpack_write_uint64(ptd_msgpack_writer *writer, uint64_t value)
{
    write_tagged(writer, TAG_UINT64, value, 8);
}

void ptd_msgpack_write_uint(ptd_msgpack_writer *writer, uint64_t value)
{
    if (value < 0x80) {
        write_tagged(writer, (unsigned)value, 0, 0);
    } else if (value <= UINT8_MAX) {
        write_tagged(writer, TAG_UINT8, value, 1);
    } else if (value <= UINT16_MAX) {
        write_tagged(writer, TAG_UINT16, value, 2);
    } else if (value <= UINT32_MAX) {
        write_tagged(writer, TAG_UINT32, value, 4);
    } else {
        write_tagged(writer, TAG_UINT64, value, 8);
    }
}

void ptd_msgpack_write_string(ptd_msgpack_writer *writer, const char *text)
{
    size_t length = strlen(text);
    if (length < FIX_STRING) {
        write_tagged(writer, TAG_FIXSTR | (unsigned)length, 0, 0);
    } else if (length <= UINT8_MAX) {
        write_tagged(writer, TAG_STR8, length, 1);
    } else if (length <= UINT16_MAX) {
        write_tagged(writer, TAG_STR16, length, 2);
    } else {
        write_tagged(writer, TAG_STR32, length, 4);
    }
    write_bytes(writer, text, length);
}

void ptd_msgpack_write_binary(ptd_msgpack_writer *writer, const uint8_t *bytes, uint32_t length)
{
    if (length <= UINT8_MAX) {
        write_tagged(writer, TAG_BIN8, length, 1);
    } else if (length <= UINT16_MAX) {
        write_tagged(writer, TAG_BIN16, length, 2);
    } else {
        write_tagged(writer, TAG_BIN32, length, 4);
    }
    write_bytes(writer, bytes, length);
}

static void write_count(ptd_msgpack_writer *writer, unsigned fix, unsigned tag16, uint32_t count)
{
    if (count < FIX_LENGTH) {
        write_tagged(writer, fix | count, 0, 0);
    } else if (count <= UINT16_MAX) {
        write_tagged(writer, tag16, count, 2);
    } else {
        write_tagged(writer, tag16 + 1, count, 4);
    }
}

void ptd_msgpack_write_array(ptd_msgpack_writer *writer, uint32_t count)
{
    write_count(writer, TAG_FIXARRAY, TAG_ARRAY16, count);
}

void ptd_msgpack_write_map(ptd_msgpack_writer *writer, uint32_t count)
{
    write_count(writer, TAG_FIXMAP, TAG_MAP16, count);
}

/* The next byte; 0 where there is none. */
static unsigned peek_tag(ptd_msgpack_reader *reader)
{
    if (reader->failed || reader->at >= reader->length) {
        reader->failed = 1;
        return 0;
    }
    return reader->bytes[reader->at];
}

/* The big-endian number of `width` bytes behind the tag; moves behind it. */
static int read_behind_tag(ptd_msgpack_reader *reader, unsigned width, uint64_t *value)
{
    if (reader->length - reader->at <= width) {
        reader->failed = 1;
        return 0;
    }
    *value = 0;
    for (unsigned k = 1; k <= width; k++) {
        *value = *value << 8 | reader->bytes[reader->at + k];
    }
    reader->at += 1 + width;
    return 1;
}

static int refuse(ptd_msgpack_reader *reader)
{
    reader->failed = 1;
    return 0;
}

int ptd_msgpack_read_uint(ptd_msgpack_reader *reader, uint64_t *value)
{
    unsigned tag = peek_tag(reader);
    if (reader->failed) {
        return 0;
    }
    if (tag < 0x80) {
        reader->at++;
        *value = tag;
        return 1;
    }
    if (tag < TAG_UINT8 || tag > TAG_UINT64) {
        return refuse(reader);
    }
    return read_behind_tag(reader, 1u << (tag - TAG_UINT8), value);
}

/* Moves over `length` bytes that must be there. */
static int take(ptd_msgpack_reader *reader, uint64_t length, const uint8_t **bytes, size_t *count)
{
    if (length > reader->length - reader->at) {
        return refuse(reader);
    }
    *bytes = reader->bytes + reader->at;
    *count = (size_t)length;
    reader->at += (size_t)length;
    return 1;
}

int ptd_msgpack_read_string(ptd_msgpack_reader *reader, const char **text, size_t *length)
{
    unsigned tag = peek_tag(reader);
    uint64_t count = 0;
    const uint8_t *bytes = NULL;
    if (reader->failed) {
        return 0;
    }
    if (tag >= TAG_FIXSTR && tag < TAG_FIXSTR + FIX_STRING) {
        count = tag - TAG_FIXSTR;
        reader->at++;
    } else if (tag < TAG_STR8 || tag > TAG_STR32) {
        return refuse(reader);
    } else if (!read_behind_tag(reader, 1u << (tag - TAG_STR8), &count)) {
        return 0;
    }
    if (!take(reader, count, &bytes, length)) {
        return 0;
    }
    *text = (const char *)bytes;
    return 1;
}

int ptd_msgpack_read_binary(ptd_msgpack_reader *reader, const uint8_t **bytes, size_t *length)
{
    unsigned tag = peek_tag(reader);
    uint64_t count = 0;
    if (reader->failed) {
        return 0;
    }
    if (tag < TAG_BIN8 || tag > TAG_BIN32) {
        return refuse(reader);
    }
    return read_behind_tag(reader, 1u << (tag - TAG_BIN8), &count) &&
           take(reader, count, bytes, length);
}

static int read_count(ptd_msgpack_reader *reader, unsigned fix, unsigned tag16, uint32_t *count)
{
    unsigned tag = peek_tag(reader);
    uint64_t value = 0;
    if (reader->failed) {
        return 0;
    }
    if (tag >= fix && tag < fix + FIX_LENGTH) {
        value = tag - fix;
        reader->at++;
    } else if (tag != tag16 && tag != tag16 + 1) {
        return refuse(reader);
    } else if (!read_behind_tag(reader, tag == tag16 ? 2 : 4, &value)) {
        return 0;
    }
    *count = (uint32_t)value;
    return 1;
}

int ptd_msgpack_read_array(ptd_msgpack_reader *reader, uint32_t *count)
{
    return read_count(reader, TAG_FIXARRAY, TAG_ARRAY16, count);
}

int ptd_msgpack_read_map(ptd_msgpack_reader *reader, uint32_t *count)
{
    return read_count(reader, TAG_FIXMAP, TAG_MAP16, count);
}
