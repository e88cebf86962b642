/* State index: numbers by first appearance, compared with a plain search through all rows. */
#include "ptd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void test_numbers(int32_t length, int32_t range)
{
    enum { COUNT = 3000 };
    uint32_t seed = (uint32_t)(length * 31 + range);
    ptd_state_index *index = NULL;
    int32_t *states = malloc((size_t)COUNT * (size_t)length * sizeof *states);
    int64_t *ids = malloc(COUNT * sizeof *ids);
    int64_t *expected = malloc(COUNT * sizeof *expected);
    int64_t size = 0;
    size_t row = (size_t)length * sizeof *states;
    for (int64_t k = 0; k < COUNT; k++) {
        int32_t *state = states + k * length;
        for (int32_t c = 0; c < length; c++) {
            state[c] = (int32_t)(next_random(&seed) % (uint32_t)range) - range / 2;
        }
        expected[k] = -1;
        for (int64_t j = 0; j < k && expected[k] < 0; j++) {
            if (memcmp(states + j * length, state, row) == 0) {
                expected[k] = expected[j];
            }
        }
        if (expected[k] < 0) {
            expected[k] = size++;
        }
    }
    CHECK(ptd_state_index_create(length, 1000000, &index, NULL) == PTD_OK);
    /* In batches of many sizes, so that batches end inside blocks and across growth. */
    int64_t batch = 1;
    for (int64_t at = 0; at < COUNT; at += batch, batch = batch * 3 % 101) {
        int64_t rest = COUNT - at;
        batch = batch < rest ? batch : rest;
        CHECK(ptd_state_index_insert(index, batch, states + at * length, ids + at, NULL) == PTD_OK);
    }
    CHECK(memcmp(ids, expected, COUNT * sizeof *ids) == 0);
    CHECK(ptd_state_index_size(index) == size);
    const int32_t *kept = ptd_state_index_states(index);
    int rows_agree = 1;
    for (int64_t k = 0; k < COUNT; k++) {
        rows_agree &= memcmp(kept + ids[k] * length, states + k * length, row) == 0;
    }
    CHECK(rows_agree);
    memset(ids, 0x55, COUNT * sizeof *ids);
    ptd_state_index_find(index, COUNT, states, ids);
    CHECK(memcmp(ids, expected, COUNT * sizeof *ids) == 0);
    states[0] = 2 * range;
    ptd_state_index_find(index, 1, states, ids);
    CHECK(ids[0] == -1);
    CHECK(ptd_state_index_size(index) == size);
    ptd_state_index_destroy(index);
    free(states);
    free(ids);
    free(expected);
}

static void test_bound(void)
{
    ptd_state_index *index = NULL;
    ptd_error error = {0};
    int32_t states[200];
    int64_t ids[200];
    for (int32_t k = 0; k < 200; k++) {
        states[k] = k / 2;
    }
    CHECK(ptd_state_index_create(1, 70, &index, &error) == PTD_OK);
    CHECK(ptd_state_index_insert(index, 200, states, ids, &error) == PTD_GRAPH_TOO_LARGE);
    CHECK(error.status == PTD_GRAPH_TOO_LARGE && error.index == 140 && error.value == 70.0);
    CHECK(ptd_state_index_size(index) == 70);
    CHECK(ids[139] == 69);
    /* What is there can still be found. */
    CHECK(ptd_state_index_insert(index, 140, states, ids, &error) == PTD_OK);
    ptd_state_index_destroy(index);
}

static void test_arguments(void)
{
    ptd_state_index *index = (ptd_state_index *)&index;
    ptd_error error = {0};
    CHECK(ptd_state_index_create(0, 10, &index, &error) == PTD_INVALID_ARGUMENT);
    CHECK(index == NULL && error.index == 0);
    CHECK(ptd_state_index_create(1, -1, &index, &error) == PTD_INVALID_ARGUMENT);
    CHECK(index == NULL && error.index == 1);
    ptd_state_index_destroy(NULL);
    CHECK(ptd_state_index_create(2, 0, &index, &error) == PTD_OK);
    int32_t state[] = {0, 0};
    int64_t id = 0;
    ptd_state_index_find(index, 1, state, &id);
    CHECK(id == -1);
    CHECK(ptd_state_index_insert(index, 0, NULL, NULL, &error) == PTD_OK);
    CHECK(ptd_state_index_insert(index, -1, NULL, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_state_index_insert(index, 1, state, &id, &error) == PTD_GRAPH_TOO_LARGE);
    ptd_state_index_destroy(index);
}

/* Lattices are what models are made of, and what a weak hash clusters on. */
static void test_lattice_is_fast(void)
{
    enum { SIDE = 64, COUNT = SIDE * SIDE * SIDE };
    ptd_state_index *index = NULL;
    int32_t *states = malloc(3 * COUNT * sizeof *states);
    int64_t *ids = malloc(COUNT * sizeof *ids);
    for (int32_t k = 0; k < COUNT; k++) {
        states[3 * k] = k / (SIDE * SIDE) << 10;
        states[3 * k + 1] = k / SIDE % SIDE << 10;
        states[3 * k + 2] = k % SIDE << 10;
    }
    clock_t before = clock();
    CHECK(ptd_state_index_create(3, COUNT, &index, NULL) == PTD_OK);
    CHECK(ptd_state_index_insert(index, COUNT, states, ids, NULL) == PTD_OK);
    CHECK(ptd_state_index_insert(index, COUNT, states, ids, NULL) == PTD_OK);
    CHECK((double)(clock() - before) / CLOCKS_PER_SEC < 2.0);
    CHECK(ptd_state_index_size(index) == COUNT && ids[COUNT - 1] == COUNT - 1);
    ptd_state_index_destroy(index);
    free(states);
    free(ids);
}

int main(void)
{
    test_numbers(1, 5000);
    test_numbers(2, 30);
    test_numbers(5, 4);
    test_numbers(20, 2);
    test_bound();
    test_arguments();
    test_lattice_is_fast();
    return check_failures != 0;
}
