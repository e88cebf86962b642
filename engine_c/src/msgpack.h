/* msgpack: the part of the format that a trace header needs.
 *
 * Unsigned integers, short strings, binary data, arrays and maps. Both ends are bounded: a writer
 * counts what does not fit instead of writing it, and a reader that met something unexpected stays
 * at that byte and answers 0 to everything after.
 */
#ifndef PTD_MSGPACK_H
#define PTD_MSGPACK_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *bytes; /* NULL: only count */
    size_t capacity;
    size_t length; /* of all that was asked to be written */
} ptd_msgpack_writer;

/* In the fewest bytes, as stock libraries write them. */
void ptd_msgpack_write_uint(ptd_msgpack_writer *writer, uint64_t value);
/* In 5 and 9 bytes whatever the value, so that a length does not depend on it. */
void ptd_msgpack_write_uint32(ptd_msgpack_writer *writer, uint32_t value);
void ptd_msgpack_write_uint64(ptd_msgpack_writer *writer, uint64_t value);
void ptd_msgpack_write_string(ptd_msgpack_writer *writer, const char *text);
void ptd_msgpack_write_binary(ptd_msgpack_writer *writer, const uint8_t *bytes, uint32_t length);
void ptd_msgpack_write_array(ptd_msgpack_writer *writer, uint32_t count);
void ptd_msgpack_write_map(ptd_msgpack_writer *writer, uint32_t count);

typedef struct {
    const uint8_t *bytes;
    size_t length;
    size_t at;
    int failed;
} ptd_msgpack_reader;

/* Each returns 1 and moves on, or 0. Any width of an unsigned integer is read. */
int ptd_msgpack_read_uint(ptd_msgpack_reader *reader, uint64_t *value);
/* `text` points into the bytes and is not terminated. */
int ptd_msgpack_read_string(ptd_msgpack_reader *reader, const char **text, size_t *length);
int ptd_msgpack_read_binary(ptd_msgpack_reader *reader, const uint8_t **bytes, size_t *length);
int ptd_msgpack_read_array(ptd_msgpack_reader *reader, uint32_t *count);
int ptd_msgpack_read_map(ptd_msgpack_reader *reader, uint32_t *count);

#endif
