/* State index: open addressing with linear probing over rows of int32.
 *
 * A slot keeps 32 bits of the hash beside the number, so that a probe rarely touches a row that is
 * not the one looked for. Batches go in blocks: hash all rows of a block and prefetch their slots,
 * then probe; the cache misses of a block overlap.
 */
#include "ptd.h"

#include <string.h>

#include "memory.h"
#include "status.h"

enum { FIRST_CAPACITY = 64, FIRST_TABLE_SIZE = 128, BLOCK = 32 };

/* Vertex numbers are stored in 32 bits, signed, throughout the engine. */
static const int64_t MOST_STATES = INT32_MAX - 1;

typedef struct {
    uint32_t number; /* PTD_NONE: free */
    uint32_t hash;
} index_slot;

struct ptd_state_index {
    int64_t count;
    int64_t capacity;
    int64_t max_states;
    int64_t table_size; /* a power of two */
    size_t state_length;
    int32_t *states; /* count x state_length */
    index_slot *table;
};

static uint32_t hash_state(const int32_t *state, size_t length)
{
    uint64_t hash = length;
    size_t k = 0;
    for (; k + 2 <= length; k += 2) {
        uint64_t word;
        memcpy(&word, state + k, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    if (k < length) {
        hash = (hash ^ (uint32_t)state[k]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32);
}

static index_slot *new_table(int64_t size)
{
    index_slot *table = ptd_allocate((size_t)size, sizeof *table);
    for (int64_t k = 0; table && k < size; k++) {
        table[k] = (index_slot){.number = PTD_NONE};
    }
    return table;
}

ptd_status ptd_state_index_create(int32_t state_length, int64_t max_states, ptd_state_index **index,
                                  ptd_error *error)
{
    *index = NULL;
    if (state_length < 1) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 0, (double)state_length);
    }
    if (max_states < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, (double)max_states);
    }
    ptd_state_index *made = ptd_allocate_zero(1, sizeof *made);
    if (!made) {
        goto no_memory;
    }
    made->state_length = (size_t)state_length;
    made->max_states = max_states < MOST_STATES ? max_states : MOST_STATES;
    made->capacity = FIRST_CAPACITY;
    made->table_size = FIRST_TABLE_SIZE;
    made->states = ptd_allocate(FIRST_CAPACITY, made->state_length * sizeof *made->states);
    made->table = new_table(FIRST_TABLE_SIZE);
    if (!made->states || !made->table) {
        goto no_memory;
    }
    *index = made;
    return PTD_OK;
no_memory:
    ptd_state_index_destroy(made);
    return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
}

void ptd_state_index_destroy(ptd_state_index *index)
{
    if (index) {
        ptd_release(index->states);
        ptd_release(index->table);
        ptd_release(index);
    }
}

/* Room for one more state in the rows, and at most half of the table taken. */
static int reserve(ptd_state_index *index)
{
    if (index->count == index->capacity) {
        int64_t capacity = index->capacity * 2;
        if (capacity > index->max_states) {
            capacity = index->max_states;
        }
        int32_t *states =
            ptd_reallocate(index->states, (size_t)capacity, index->state_length * sizeof *states);
        if (!states) {
            return 0;
        }
        index->states = states;
        index->capacity = capacity;
    }
    if (index->count < index->table_size / 2) {
        return 1;
    }
    int64_t size = index->table_size * 2;
    index_slot *table = new_table(size);
    if (!table) {
        return 0;
    }
    for (int64_t k = 0; k < index->table_size; k++) {
        index_slot slot = index->table[k];
        if (slot.number == PTD_NONE) {
            continue;
        }
        int64_t at = slot.hash & (size - 1);
        while (table[at].number != PTD_NONE) {
            at = (at + 1) & (size - 1);
        }
        table[at] = slot;
    }
    ptd_release(index->table);
    index->table = table;
    index->table_size = size;
    return 1;
}

/* The slot that holds the state, or the free one where it belongs. */
static index_slot *find_slot(const ptd_state_index *index, const int32_t *state, uint32_t hash)
{
    size_t length = index->state_length;
    int64_t mask = index->table_size - 1;
    int64_t at = hash & mask;
    for (;; at = (at + 1) & mask) {
        index_slot *slot = &index->table[at];
        if (slot->number == PTD_NONE ||
            (slot->hash == hash &&
             memcmp(index->states + slot->number * length, state, length * sizeof *state) == 0)) {
            return slot;
        }
    }
}

/* Hashes a block of states and asks for the memory that looking them up will touch. */
static int64_t prepare_block(const ptd_state_index *index, int64_t count, const int32_t *states,
                             uint32_t hash[BLOCK])
{
    int64_t size = count < BLOCK ? count : BLOCK;
    int64_t mask = index->table_size - 1;
    for (int64_t k = 0; k < size; k++) {
        hash[k] = hash_state(states + (size_t)k * index->state_length, index->state_length);
        __builtin_prefetch(&index->table[hash[k] & mask]);
    }
    for (int64_t k = 0; k < size; k++) {
        uint32_t number = index->table[hash[k] & mask].number;
        if (number != PTD_NONE) {
            __builtin_prefetch(index->states + number * index->state_length);
        }
    }
    return size;
}

ptd_status ptd_state_index_insert(ptd_state_index *index, int64_t count, const int32_t *states,
                                  int64_t *ids, ptd_error *error)
{
    if (count < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, (double)count);
    }
    uint32_t hash[BLOCK];
    size_t length = index->state_length;
    for (int64_t first = 0; first < count;) {
        const int32_t *state = states + (size_t)first * length;
        int64_t size = prepare_block(index, count - first, state, hash);
        for (int64_t k = 0; k < size; k++, state += length) {
            index_slot *slot = find_slot(index, state, hash[k]);
            if (slot->number == PTD_NONE) {
                if (index->count >= index->max_states) {
                    return ptd_fail(error, PTD_GRAPH_TOO_LARGE, first + k,
                                    (double)index->max_states);
                }
                const index_slot *table = index->table;
                if (!reserve(index)) {
                    return ptd_fail(error, PTD_NO_MEMORY, first + k, 0);
                }
                if (index->table != table) {
                    slot = find_slot(index, state, hash[k]);
                }
                *slot = (index_slot){.number = (uint32_t)index->count, .hash = hash[k]};
                memcpy(index->states + (size_t)index->count * length, state,
                       length * sizeof *state);
                index->count++;
            }
            ids[first + k] = slot->number;
        }
        first += size;
    }
    return PTD_OK;
}

void ptd_state_index_find(const ptd_state_index *index, int64_t count, const int32_t *states,
                          int64_t *ids)
{
    uint32_t hash[BLOCK];
    size_t length = index->state_length;
    for (int64_t first = 0; first < count;) {
        const int32_t *state = states + (size_t)first * length;
        int64_t size = prepare_block(index, count - first, state, hash);
        for (int64_t k = 0; k < size; k++, state += length) {
            const index_slot *slot = find_slot(index, state, hash[k]);
            ids[first + k] = slot->number == PTD_NONE ? -1 : (int64_t)slot->number;
        }
        first += size;
    }
}

int64_t ptd_state_index_size(const ptd_state_index *index)
{
    return index->count;
}

const int32_t *ptd_state_index_states(const ptd_state_index *index)
{
    return index->states;
}
