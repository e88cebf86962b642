/* The trace file: the same bytes both ways, and no other bytes accepted. */
#include "codec.h"

#include "check.h"
#include "forge.h"
#include "recorded.h"
#include "sample_trace.h"

static int64_t allocations_left = -1; /* -1: no limit */
static size_t largest_allocation;

static int allocation_fails(size_t bytes)
{
    largest_allocation = bytes > largest_allocation ? bytes : largest_allocation;
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *ptd_test_malloc(size_t bytes)
{
    return allocation_fails(bytes) ? NULL : malloc(bytes);
}

void *ptd_test_realloc(void *pointer, size_t bytes)
{
    return allocation_fails(bytes) ? NULL : realloc(pointer, bytes);
}

void *ptd_test_aligned_alloc(size_t alignment, size_t bytes)
{
    return allocation_fails(bytes) ? NULL : aligned_alloc(alignment, bytes);
}

static ptd_elimination_trace *sample(void)
{
    sample_trace arrays;
    ptd_elimination_trace *trace = NULL;
    ptd_error error;
    sample_make(&arrays);
    if (ptd_elimination_trace_create(&arrays.meta, arrays.arrays, &trace, &error) != PTD_OK) {
        abort();
    }
    sample_release(&arrays);
    return trace;
}

static uint8_t *encode(const ptd_elimination_trace *trace, int64_t *length)
{
    uint8_t *bytes = NULL;
    ptd_error error;
    if (ptd_elimination_trace_encode(trace, &bytes, length, &error) != PTD_OK) {
        abort();
    }
    return bytes;
}

/* Status of decoding; nothing may come out with a failure. */
static ptd_status decode(const uint8_t *bytes, int64_t length, ptd_error *error)
{
    ptd_elimination_trace *trace = NULL;
    *error = (ptd_error){0};
    const ptd_status status = ptd_elimination_trace_decode(bytes, length, &trace, error);
    CHECK((status == PTD_OK) == (trace != NULL));
    CHECK(status == PTD_OK || error->status == status);
    ptd_elimination_trace_destroy(trace);
    return status;
}

/* Takes the trace. */
static void check_round_trip(ptd_elimination_trace *trace)
{
    ptd_elimination_trace *back = NULL;
    ptd_error error = {0};
    int64_t length;
    int64_t length_again;
    uint8_t *bytes = encode(trace, &length);
    CHECK(ptd_elimination_trace_bytes(trace) == length);
    CHECK(ptd_elimination_trace_decode(bytes, length, &back, &error) == PTD_OK);
    if (back) {
        CHECK(memcmp(&back->meta, &trace->meta, sizeof trace->meta) == 0);
        CHECK(memcmp(back->content, trace->content, PTD_HASH_BYTES) == 0);
        CHECK(memcmp(back->key, trace->key, PTD_HASH_BYTES) == 0);
        for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
            CHECK(back->arrays[id].length == trace->arrays[id].length);
            CHECK(((uintptr_t)back->arrays[id].data & 7) == 0);
        }
        uint8_t *again = encode(back, &length_again);
        CHECK(length_again == length && memcmp(again, bytes, (size_t)length) == 0);
        ptd_buffer_release(again);
    }
    ptd_elimination_trace_destroy(back);
    ptd_buffer_release(bytes);
    ptd_elimination_trace_destroy(trace);
}

/* The layout that the grammar promises, read without the codec. */
static void check_layout(void)
{
    ptd_elimination_trace *trace = sample();
    forge_array arrays[PTD_TRACE_ARRAY_COUNT];
    ptd_trace_meta meta;
    int64_t length;
    uint8_t *bytes = encode(trace, &length);
    CHECK(memcmp(bytes, "\x93phase\r\n\x01\0\0", 12) == 0);
    CHECK(forge_read(bytes, (size_t)length, &meta, arrays));
    CHECK(memcmp(&meta, &trace->meta, sizeof meta) == 0);
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        CHECK(arrays[id].offset % 64 == 0);
        CHECK((int64_t)arrays[id].items == trace->arrays[id].length);
        CHECK(memcmp(bytes + arrays[id].offset, trace->arrays[id].data,
                     (size_t)arrays[id].items * forge_item_bytes((ptd_trace_array_id)id)) == 0);
    }
    CHECK(arrays[PTD_PROGRAM].offset + 2 * arrays[PTD_PROGRAM].items == (uint64_t)length);
    ptd_buffer_release(bytes);
    ptd_elimination_trace_destroy(trace);
}

static void check_every_bit(const uint8_t *bytes, int64_t length)
{
    uint8_t *changed = malloc((size_t)length);
    ptd_error error;
    if (!changed) {
        abort();
    }
    memcpy(changed, bytes, (size_t)length);
    for (int64_t at = 0; at < length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            changed[at] ^= (uint8_t)(1 << bit);
            const ptd_status status = decode(changed, length, &error);
            CHECK(status >= PTD_FORMAT_MAGIC && status <= PTD_FORMAT_KEY);
            CHECK(at >= 8 || status == PTD_FORMAT_MAGIC);
            CHECK(at < 8 || at >= 12 || status == PTD_FORMAT_VERSION);
            changed[at] ^= (uint8_t)(1 << bit);
        }
    }
    CHECK(decode(changed, length, &error) == PTD_OK);
    free(changed);
}

static void check_every_length(const uint8_t *bytes, int64_t length)
{
    ptd_error error;
    for (int64_t cut = 0; cut < length; cut++) {
        uint8_t *shorter = malloc(cut ? (size_t)cut : 1); /* its end is watched by sanitizers */
        if (!shorter) {
            abort();
        }
        memcpy(shorter, bytes, (size_t)cut);
        CHECK(decode(shorter, cut, &error) == PTD_FORMAT_TRUNCATED);
        CHECK(error.value > 0 && error.value <= (double)(length - cut));
        free(shorter);
    }
    for (int more = 1; more < 130; more += 64) {
        uint8_t *longer = calloc(1, (size_t)(length + more));
        if (!longer) {
            abort();
        }
        memcpy(longer, bytes, (size_t)length);
        CHECK(decode(longer, length + more, &error) == PTD_FORMAT_HEADER);
        CHECK(error.index == length);
        free(longer);
    }
    CHECK(decode(bytes, -1, &error) == PTD_INVALID_ARGUMENT);
    CHECK(decode(NULL, 1, &error) == PTD_INVALID_ARGUMENT);
    CHECK(decode(NULL, 0, &error) == PTD_FORMAT_TRUNCATED);
}

/* Every item of every index array, set to what is out of range, under right checksums. */
static void check_forged_items(const uint8_t *bytes, int64_t length)
{
    forge_array arrays[PTD_TRACE_ARRAY_COUNT];
    uint8_t *forged = malloc((size_t)length);
    ptd_error error;
    int64_t refused[PTD_FORMAT_KEY + 1] = {0};
    if (!forged || !forge_read(bytes, (size_t)length, NULL, arrays)) {
        abort();
    }
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        const size_t item = forge_item_bytes((ptd_trace_array_id)id);
        for (uint64_t k = 0; k < arrays[id].items; k++) {
            memcpy(forged, bytes, (size_t)length);
            memset(forged + arrays[id].offset + k * item, 0xf7, item);
            forge_seal(forged, (size_t)length);
            const ptd_status status = decode(forged, length, &error);
            /* States may become others, and finite numbers other numbers: another graph. */
            const int is_index =
                id != PTD_STATES && id != PTD_FORM_BASE && id != PTD_FORM_COEFFICIENT;
            CHECK(is_index ? status == PTD_TRACE_INVALID
                           : status == PTD_TRACE_INVALID || status == PTD_FORMAT_KEY);
            if (status >= 0 && status <= PTD_FORMAT_KEY) {
                refused[status]++;
            }
        }
    }
    CHECK(refused[PTD_TRACE_INVALID] > 50 && refused[PTD_FORMAT_KEY] > 0);
    free(forged);
}

/* A file with the same arrays and a header of our own. */
typedef struct {
    const char *text; /* replaced at its first place in the header, .. */
    size_t length;
    const char *by; /* .. by as many bytes */
    ptd_status status;
} forged_header;

static const forged_header HEADERS[] = {
    {"kind", 4, "kinD", PTD_FORMAT_HEADER},
    {"<u2", 3, "<u4", PTD_FORMAT_HEADER},
    {"states", 6, "stateS", PTD_FORMAT_HEADER},
    {"\xa4kind\x00", 6, "\xa4kind\xc0", PTD_FORMAT_HEADER}, /* nil */
    {"\xa4kind\x00", 6, "\xa4kind\xff", PTD_FORMAT_HEADER}, /* -1 */
    {"\xa4kind\x00", 6, "\xa4kind\x02", PTD_TRACE_INVALID},
    {"n_vertices\x05", 11, "n_vertices\x06", PTD_TRACE_INVALID},
    {"multiply_adds\x03", 14, "multiply_adds\x04", PTD_TRACE_INVALID},
    {"n_parameters\x02", 13, "n_parameters\x03", PTD_FORMAT_KEY},
    {"ordering_version", 16, "ordering_versioN", PTD_FORMAT_HEADER},
    {"shape\x92\x05\x01", 8, "shape\x92\x01\x05", PTD_FORMAT_HEADER}, /* as long, but not so */
    {"shape\x91\x05", 7, "shape\x91\x06", PTD_FORMAT_CHECKSUM},       /* with some padding */
    {"offset\xcf\0\0\0\0\0\0", 13, "offset\xcf\0\0\0\0\0\1", PTD_FORMAT_HEADER},
    {"offset\xcf\0", 8, "offset\xcf\xff", PTD_FORMAT_HEADER},
};

static size_t find(const uint8_t *bytes, size_t length, const char *text, size_t text_length)
{
    for (size_t at = 0; at + text_length <= length; at++) {
        if (memcmp(bytes + at, text, text_length) == 0) {
            return at;
        }
    }
    return length;
}

static void check_forged_headers(const uint8_t *bytes, int64_t length)
{
    uint8_t *forged = malloc((size_t)length);
    if (!forged) {
        abort();
    }
    for (size_t k = 0; k < sizeof HEADERS / sizeof *HEADERS; k++) {
        const forged_header *h = &HEADERS[k];
        ptd_error error;
        memcpy(forged, bytes, (size_t)length);
        const size_t at = find(forged, (size_t)length, h->text, h->length);
        CHECK(at < (size_t)length);
        if (at == (size_t)length) {
            continue;
        }
        memcpy(forged + at, h->by, h->length);
        const uint32_t head = forge_get_u32(forged + FORGE_HEAD_LENGTH_AT);
        forge_put_u32(forged + FORGE_HEAD_CRC_AT, ptd_crc32(0, forged + FORGE_HEAD_AT, head));
        const ptd_status status = decode(forged, length, &error);
        CHECK(status == h->status);
        if (status != h->status) {
            fprintf(stderr, "  header %zu: status %d\n", k, status);
        }
    }
    /* Padding in which something is hidden. */
    const size_t head_end = FORGE_HEAD_AT + forge_get_u32(bytes + FORGE_HEAD_LENGTH_AT);
    if (head_end % 64 != 0) {
        ptd_error error;
        memcpy(forged, bytes, (size_t)length);
        forged[head_end] = 1;
        CHECK(decode(forged, length, &error) == PTD_FORMAT_HEADER);
        CHECK(error.index == (int64_t)head_end);
    }
    free(forged);
}

/* Lengths that promise more than is there cost no memory. */
static void check_hostile_lengths(const uint8_t *bytes, int64_t length)
{
    uint8_t *forged = malloc((size_t)length);
    ptd_error error;
    if (!forged) {
        abort();
    }
    memcpy(forged, bytes, (size_t)length);
    forge_put_u32(forged + FORGE_HEAD_LENGTH_AT, UINT32_MAX);
    CHECK(decode(forged, length, &error) == PTD_FORMAT_HEADER);
    forge_put_u32(forged + FORGE_HEAD_LENGTH_AT, 1 << 20);
    CHECK(decode(forged, length, &error) == PTD_FORMAT_TRUNCATED);
    forge_put_u32(forged + FORGE_HEAD_LENGTH_AT, (1 << 20) + 1);
    CHECK(decode(forged, length, &error) == PTD_FORMAT_HEADER);

    /* The same header with the largest lengths that fit into the format; "program" has 6 items. */
    static const char program[] = "\xa7program\xa5"
                                  "dtype\xa3<u2\xa5shape\x91\x06";
    uint8_t *longer = malloc((size_t)length + 4);
    const size_t at = find(bytes, (size_t)length, program, sizeof program - 1);
    const uint32_t head = forge_get_u32(bytes + FORGE_HEAD_LENGTH_AT);
    CHECK(longer && at < (size_t)length);
    const size_t number = at + sizeof program - 2;
    memcpy(longer, bytes, number);
    memcpy(longer + number, "\xce\xff\xff\xff\xfe", 5);
    memcpy(longer + number + 5, bytes + number + 1, FORGE_HEAD_AT + head - number - 1);
    forge_put_u32(longer + FORGE_HEAD_LENGTH_AT, head + 4);
    /* What follows the header must stay where the offsets say: the padding takes up the four. */
    const size_t new_end = FORGE_HEAD_AT + head + 4;
    CHECK((new_end + 63) / 64 == (new_end - 4 + 63) / 64);
    memcpy(longer + new_end, bytes + new_end, (size_t)length - new_end);
    forge_put_u32(longer + FORGE_HEAD_CRC_AT, ptd_crc32(0, longer + FORGE_HEAD_AT, head + 4));
    largest_allocation = 0;
    CHECK(decode(longer, length, &error) == PTD_FORMAT_TRUNCATED);
    CHECK(error.value > 8e9);
    CHECK(largest_allocation <= (size_t)length);
    /* A number in more bytes than it needs: read well, but not what we write. */
    memcpy(longer + number, "\xce\0\0\0\x06", 5);
    forge_put_u32(longer + FORGE_HEAD_CRC_AT, ptd_crc32(0, longer + FORGE_HEAD_AT, head + 4));
    CHECK(decode(longer, length, &error) == PTD_FORMAT_HEADER);
    free(longer);
    free(forged);
}

static void check_allocation_failures(const uint8_t *bytes, int64_t length)
{
    ptd_elimination_trace *trace = NULL;
    ptd_error error;
    int64_t failures = 0;
    for (;; failures++) {
        allocations_left = failures;
        const ptd_status status = decode(bytes, length, &error);
        allocations_left = -1;
        if (status == PTD_OK) {
            break;
        }
        CHECK(status == PTD_NO_MEMORY);
    }
    CHECK(failures > 5);
    CHECK(ptd_elimination_trace_decode(bytes, length, &trace, &error) == PTD_OK);
    for (failures = 0;; failures++) {
        uint8_t *again = NULL;
        int64_t again_length = -1;
        allocations_left = failures;
        const ptd_status status =
            ptd_elimination_trace_encode(trace, &again, &again_length, &error);
        allocations_left = -1;
        ptd_buffer_release(again);
        if (status == PTD_OK) {
            break;
        }
        CHECK(status == PTD_NO_MEMORY && again == NULL && again_length == -1);
    }
    CHECK(failures == 2);
    ptd_elimination_trace_destroy(trace);
}

int main(void)
{
    ptd_elimination_trace *trace = sample();
    int64_t length;
    uint8_t *bytes = encode(trace, &length);
    ptd_elimination_trace_destroy(trace);
    check_round_trip(sample());
    check_round_trip(recorded_trace(model_islands(2, 6)));
    check_round_trip(recorded_trace(model_kingman(20)));
    check_layout();
    check_every_bit(bytes, length);
    check_every_length(bytes, length);
    check_forged_items(bytes, length);
    check_forged_headers(bytes, length);
    check_hostile_lengths(bytes, length);
    check_allocation_failures(bytes, length);
    ptd_buffer_release(bytes);
    return check_result();
}
