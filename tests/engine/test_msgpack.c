/* msgpack against the bytes of its specification, and a reader that never leaves its bytes. */
#include "msgpack.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t value;
    const char *bytes;
    size_t length;
} uint_case;

/* msgpack.packb(value) in Python. */
static const uint_case UINTS[] = {
    {0, "\x00", 1},
    {127, "\x7f", 1},
    {128, "\xcc\x80", 2},
    {255, "\xcc\xff", 2},
    {256, "\xcd\x01\x00", 3},
    {65535, "\xcd\xff\xff", 3},
    {65536, "\xce\x00\x01\x00\x00", 5},
    {UINT32_MAX, "\xce\xff\xff\xff\xff", 5},
    {(uint64_t)UINT32_MAX + 1, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9},
    {UINT64_MAX, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9},
};

static void check_uints(void)
{
    for (size_t k = 0; k < sizeof UINTS / sizeof *UINTS; k++) {
        uint8_t bytes[16];
        uint64_t value = 1;
        ptd_msgpack_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
        ptd_msgpack_write_uint(&writer, UINTS[k].value);
        CHECK(writer.length == UINTS[k].length);
        CHECK(memcmp(bytes, UINTS[k].bytes, UINTS[k].length) == 0);
        ptd_msgpack_reader reader = {.bytes = bytes, .length = writer.length};
        CHECK(ptd_msgpack_read_uint(&reader, &value) && value == UINTS[k].value);
        CHECK(reader.at == writer.length && !reader.failed);
        for (size_t cut = 0; cut < writer.length; cut++) {
            ptd_msgpack_reader shorter = {.bytes = bytes, .length = cut};
            CHECK(!ptd_msgpack_read_uint(&shorter, &value) && shorter.failed);
        }
    }
}

static void check_fixed_widths(void)
{
    uint8_t bytes[16];
    ptd_msgpack_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    ptd_msgpack_write_uint32(&writer, 1);
    ptd_msgpack_write_uint64(&writer, 2);
    CHECK(writer.length == 14);
    CHECK(memcmp(bytes, "\xce\x00\x00\x00\x01\xcf\x00\x00\x00\x00\x00\x00\x00\x02", 14) == 0);
}

static void check_strings(size_t length, const char *head, size_t head_length)
{
    char *text = malloc(length + 1);
    uint8_t *bytes = malloc(length + 8);
    const char *read;
    size_t count;
    if (!text || !bytes) {
        abort();
    }
    memset(text, 'x', length);
    text[length] = '\0';
    ptd_msgpack_writer writer = {.bytes = bytes, .capacity = length + 8};
    ptd_msgpack_write_string(&writer, text);
    CHECK(writer.length == head_length + length);
    CHECK(memcmp(bytes, head, head_length) == 0);
    ptd_msgpack_reader reader = {.bytes = bytes, .length = writer.length};
    CHECK(ptd_msgpack_read_string(&reader, &read, &count) && count == length);
    CHECK(memcmp(read, text, length) == 0 && reader.at == writer.length);
    ptd_msgpack_reader shorter = {.bytes = bytes, .length = writer.length - 1};
    CHECK(!ptd_msgpack_read_string(&shorter, &read, &count) || length == 0);
    free(text);
    free(bytes);
}

static void check_binary(void)
{
    uint8_t data[300] = {1, 2, 3};
    uint8_t bytes[400];
    const uint8_t *read;
    size_t count;
    ptd_msgpack_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    ptd_msgpack_write_binary(&writer, data, 3);
    CHECK(writer.length == 5 && memcmp(bytes, "\xc4\x03\x01\x02\x03", 5) == 0);
    ptd_msgpack_write_binary(&writer, data, 300);
    CHECK(memcmp(bytes + 5, "\xc5\x01\x2c", 3) == 0);
    ptd_msgpack_reader reader = {.bytes = bytes, .length = writer.length};
    CHECK(ptd_msgpack_read_binary(&reader, &read, &count) && count == 3 && read == bytes + 2);
    CHECK(ptd_msgpack_read_binary(&reader, &read, &count) && count == 300);
    CHECK(reader.at == writer.length);
}

static void check_counts(void)
{
    static const struct {
        uint32_t count;
        const char *array;
        const char *map;
        size_t length;
    } cases[] = {
        {0, "\x90", "\x80", 1},
        {15, "\x9f", "\x8f", 1},
        {16, "\xdc\x00\x10", "\xde\x00\x10", 3},
        {65535, "\xdc\xff\xff", "\xde\xff\xff", 3},
        {65536, "\xdd\x00\x01\x00\x00", "\xdf\x00\x01\x00\x00", 5},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint8_t bytes[16];
        uint32_t count = 1;
        ptd_msgpack_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
        ptd_msgpack_write_array(&writer, cases[k].count);
        ptd_msgpack_write_map(&writer, cases[k].count);
        CHECK(writer.length == 2 * cases[k].length);
        CHECK(memcmp(bytes, cases[k].array, cases[k].length) == 0);
        CHECK(memcmp(bytes + cases[k].length, cases[k].map, cases[k].length) == 0);
        ptd_msgpack_reader reader = {.bytes = bytes, .length = writer.length};
        CHECK(ptd_msgpack_read_array(&reader, &count) && count == cases[k].count);
        CHECK(ptd_msgpack_read_map(&reader, &count) && count == cases[k].count);
        CHECK(!ptd_msgpack_read_map(&reader, &count) && reader.failed);
    }
}

/* A writer without room counts and writes nothing. */
static void check_bounded_writer(void)
{
    uint8_t bytes[4] = {0xaa, 0xaa, 0xaa, 0xaa};
    ptd_msgpack_writer counter = {0};
    ptd_msgpack_writer writer = {.bytes = bytes, .capacity = 3};
    ptd_msgpack_write_string(&counter, "abc");
    CHECK(counter.length == 4);
    ptd_msgpack_write_string(&writer, "abc");
    ptd_msgpack_write_uint(&writer, 1);
    CHECK(writer.length == 5 && bytes[3] == 0xaa);
}

/* Whatever the tag, a reader of any kind stays inside one byte more of the wrong kind. */
static void check_wrong_tags(void)
{
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t *bytes = malloc(2);
        if (!bytes) {
            abort();
        }
        bytes[0] = (uint8_t)tag;
        bytes[1] = 0xff;
        uint64_t value;
        uint32_t count;
        const char *text;
        const uint8_t *data;
        size_t length;
        ptd_msgpack_reader reader[5];
        for (int k = 0; k < 5; k++) {
            reader[k] = (ptd_msgpack_reader){.bytes = bytes, .length = 2};
        }
        const int accepted[5] = {ptd_msgpack_read_uint(&reader[0], &value),
                                 ptd_msgpack_read_string(&reader[1], &text, &length),
                                 ptd_msgpack_read_binary(&reader[2], &data, &length),
                                 ptd_msgpack_read_array(&reader[3], &count),
                                 ptd_msgpack_read_map(&reader[4], &count)};
        CHECK(accepted[0] == (tag < 0x80 || tag == 0xcc));
        CHECK(accepted[1] == (tag == 0xa0 || tag == 0xa1));
        CHECK(!accepted[2]);
        CHECK(accepted[3] == (tag >> 4 == 9));
        CHECK(accepted[4] == (tag >> 4 == 8));
        for (int k = 0; k < 5; k++) {
            CHECK(reader[k].failed == !accepted[k] && reader[k].at <= 2);
            CHECK(accepted[k] || !ptd_msgpack_read_uint(&reader[k], &value));
        }
        free(bytes);
    }
}

int main(void)
{
    check_uints();
    check_fixed_widths();
    check_strings(0, "\xa0", 1);
    check_strings(31, "\xbf", 1);
    check_strings(32, "\xd9\x20", 2);
    check_strings(255, "\xd9\xff", 2);
    check_strings(256, "\xda\x01\x00", 3);
    check_strings(65536, "\xdb\x00\x01\x00\x00", 5);
    check_binary();
    check_counts();
    check_bounded_writer();
    check_wrong_tags();
    return check_result();
}
