/* Vertex order: least-significant-digit radix sort (Knuth, TAOCP 3, 5.2.5) on packed states.
 *
 * Each column is shifted to start at 0 and takes as many bits as its range needs; columns are
 * packed into 64-bit words, and only digits that are in use are sorted by. States of small counts
 * thus need a few passes whatever their length.
 */
#include "vertex_order.h"

#include <string.h>

#include "memory.h"
#include "status.h"

enum { WORD_BITS = 64, DIGIT_BITS = 11, BUCKETS = 1 << DIGIT_BITS };

typedef struct {
    int32_t column;
    int32_t minimum;
    int32_t bits;
} packed_column;

typedef struct {
    uint64_t *key;
    uint64_t *key_out;
    uint32_t *order;
    uint32_t *order_out;
} sort_buffers;

static int is_sorted(int64_t count, size_t length, const int32_t *states)
{
    for (int64_t row = 1; row < count; row++) {
        const int32_t *a = states + (size_t)(row - 1) * length;
        const int32_t *b = a + length;
        size_t k = 0;
        while (k < length && a[k] == b[k]) {
            k++;
        }
        if (k < length && a[k] > b[k]) {
            return 0;
        }
    }
    return 1;
}

/* Columns that differ between rows, last (least significant) first; returns how many. */
static int32_t used_columns(int64_t count, int32_t length, const int32_t *states,
                            packed_column *columns, int32_t *maximum)
{
    size_t width = (size_t)length;
    for (int32_t c = 0; c < length; c++) {
        columns[c].minimum = states[c];
        maximum[c] = states[c];
    }
    for (int64_t row = 1; row < count; row++) {
        const int32_t *state = states + (size_t)row * width;
        for (int32_t c = 0; c < length; c++) {
            columns[c].minimum = state[c] < columns[c].minimum ? state[c] : columns[c].minimum;
            maximum[c] = state[c] > maximum[c] ? state[c] : maximum[c];
        }
    }
    int32_t used = 0;
    for (int32_t c = 0; c < length; c++) {
        uint32_t range = (uint32_t)maximum[c] - (uint32_t)columns[c].minimum;
        if (range > 0) {
            columns[used++] = (packed_column){
                .column = c, .minimum = columns[c].minimum, .bits = 32 - __builtin_clz(range)};
        }
    }
    for (int32_t k = 0; k < used / 2; k++) {
        packed_column column = columns[k];
        columns[k] = columns[used - 1 - k];
        columns[used - 1 - k] = column;
    }
    return used;
}

static uint64_t pack(const int32_t *state, const packed_column *columns, int32_t count)
{
    uint64_t key = 0;
    for (int32_t k = count - 1; k >= 0; k--) {
        uint32_t digit = (uint32_t)state[columns[k].column] - (uint32_t)columns[k].minimum;
        key = key << columns[k].bits | digit;
    }
    return key;
}

/* One stable pass; the results change places with the inputs. */
static void sort_by_digit(sort_buffers *buffers, int64_t count, int32_t shift, uint32_t mask)
{
    uint32_t start[BUCKETS] = {0};
    for (int64_t k = 0; k < count; k++) {
        start[buffers->key[k] >> shift & mask]++;
    }
    uint32_t sum = 0;
    for (uint32_t bucket = 0; bucket <= mask; bucket++) {
        uint32_t size = start[bucket];
        if (size == count) {
            return;
        }
        start[bucket] = sum;
        sum += size;
    }
    for (int64_t k = 0; k < count; k++) {
        uint32_t at = start[buffers->key[k] >> shift & mask]++;
        buffers->key_out[at] = buffers->key[k];
        buffers->order_out[at] = buffers->order[k];
    }
    uint64_t *key = buffers->key;
    buffers->key = buffers->key_out;
    buffers->key_out = key;
    uint32_t *order = buffers->order;
    buffers->order = buffers->order_out;
    buffers->order_out = order;
}

ptd_status ptd_order_states(int64_t count, int32_t length, const int32_t *states, uint32_t *order,
                            ptd_error *error)
{
    for (int64_t k = 0; k < count; k++) {
        order[k] = (uint32_t)k;
    }
    if (is_sorted(count, (size_t)length, states)) {
        return PTD_OK;
    }
    ptd_status status = PTD_OK;
    packed_column *columns = ptd_allocate((size_t)length, sizeof *columns);
    int32_t *maximum = ptd_allocate((size_t)length, sizeof *maximum);
    uint64_t *keys = ptd_allocate((size_t)count, 2 * sizeof *keys);
    uint32_t *orders = ptd_allocate((size_t)count, 2 * sizeof *orders);
    if (!columns || !maximum || !keys || !orders) {
        status = ptd_fail(error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    sort_buffers buffers = {keys, keys + count, orders, orders + count};
    memcpy(orders, order, (size_t)count * sizeof *order);
    int32_t used = used_columns(count, length, states, columns, maximum);
    for (int32_t first = 0; first < used;) {
        int32_t bits = 0;
        int32_t end = first;
        while (end < used && bits + columns[end].bits <= WORD_BITS) {
            bits += columns[end++].bits;
        }
        for (int64_t k = 0; k < count; k++) {
            const int32_t *state = states + (size_t)buffers.order[k] * (size_t)length;
            buffers.key[k] = pack(state, columns + first, end - first);
        }
        int32_t passes = (bits + DIGIT_BITS - 1) / DIGIT_BITS;
        int32_t digit = (bits + passes - 1) / passes;
        uint32_t mask = (UINT32_C(1) << digit) - 1;
        for (int32_t shift = 0; shift < bits; shift += digit) {
            sort_by_digit(&buffers, count, shift, mask);
        }
        first = end;
    }
    memcpy(order, buffers.order, (size_t)count * sizeof *order);
done:
    ptd_release(columns);
    ptd_release(maximum);
    ptd_release(keys);
    ptd_release(orders);
    return status;
}
