/* Plan store: what is stored comes back, whatever is damaged does not, and traces never change. */
#include "plan_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "folders.h"
#include "trace_reading.h"

enum { SIZE = 12, FILE_BYTES = 16 + 4 * SIZE + 32 };

static char directory[] = "/tmp/ptd-plan-store-XXXXXX";

/* A ring of SIZE vertices. */
static int64_t ring_start[SIZE + 1];
static int32_t ring_column[SIZE];
static const ptd_pattern RING = {.n = SIZE, .start = ring_start, .column = ring_column};

static void build_ring(void)
{
    for (int32_t k = 0; k < SIZE; k++) {
        ring_start[k + 1] = k + 1;
        ring_column[k] = (k + 1) % SIZE;
    }
}

static size_t read_all(const char *path, uint8_t *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t count = file ? fread(bytes, 1, room, file) : 0;
    if (file) {
        fclose(file);
    }
    return count;
}

static void write_all(const char *path, const uint8_t *bytes, size_t count)
{
    unlink(path);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, count, file) == count);
    if (file) {
        fclose(file);
    }
}

/* Not found, and then the order is as it was. */
static void check_refused(const ptd_plan_store *store, const ptd_pattern *pattern)
{
    int32_t order[SIZE];
    memset(order, 0x55, sizeof order);
    CHECK(!ptd_plan_store_load(store, pattern, order));
    for (int k = 0; k < SIZE; k++) {
        CHECK(order[k] == 0x55555555);
    }
}

static const int32_t ORDER[SIZE] = {11, 3, 4, 0, 1, 2, 10, 9, 5, 6, 7, 8};

static void test_round_trip(const ptd_plan_store *store)
{
    char name[256];
    int32_t order[SIZE] = {0};
    check_refused(store, &RING);
    ptd_plan_store_save(store, &RING, ORDER);
    CHECK(ptd_plan_store_load(store, &RING, order));
    CHECK(!memcmp(order, ORDER, sizeof order));
    CHECK(list_folder(directory, name) == 1);
    CHECK(strlen(name) == 64 + strlen(".plan"));
    CHECK(strspn(name, "0123456789abcdef") == 64 && !strcmp(name + 64, ".plan"));
    /* Saved again: replaced. */
    ptd_plan_store_save(store, &RING, ORDER);
    CHECK(list_folder(directory, name) == 1);
}

static void test_other_pattern(const ptd_plan_store *store)
{
    int32_t column[SIZE];
    ptd_pattern other = RING;
    memcpy(column, ring_column, sizeof column);
    column[0] = 2;
    other.column = column;
    check_refused(store, &other);
    /* The same columns in other rows. */
    int64_t start[SIZE + 1];
    memcpy(start, ring_start, sizeof start);
    start[1] = 0;
    other = RING;
    other.start = start;
    check_refused(store, &other);
}

static void test_not_used(const ptd_plan_store *store)
{
    const ptd_plan_store high = {.directory = store->directory, .min_vertices = SIZE + 1};
    const ptd_plan_store equal = {.directory = store->directory, .min_vertices = SIZE};
    const ptd_plan_store none = {.directory = NULL};
    int32_t order[SIZE];
    check_refused(&high, &RING);
    check_refused(&none, &RING);
    check_refused(NULL, &RING);
    ptd_plan_store_save(NULL, &RING, ORDER);
    ptd_plan_store_save(&none, &RING, ORDER);
    CHECK(ptd_plan_store_load(&equal, &RING, order));
}

/* Every bit that is flipped, every length but the right one. */
static void test_damage(const ptd_plan_store *store)
{
    char name[256];
    char path[512];
    uint8_t bytes[FILE_BYTES + 1] = {0};
    CHECK(list_folder(directory, name) == 1);
    path_in(directory, name, path);
    CHECK(read_all(path, bytes, sizeof bytes) == FILE_BYTES);
    for (size_t bit = 0; bit < 8 * FILE_BYTES; bit += 3) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_all(path, bytes, FILE_BYTES);
        check_refused(store, &RING);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t length = 0; length <= FILE_BYTES + 1; length++) {
        write_all(path, bytes, length);
        if (length == FILE_BYTES) {
            int32_t order[SIZE];
            CHECK(ptd_plan_store_load(store, &RING, order));
        } else {
            check_refused(store, &RING);
        }
    }
    ptd_plan_store_save(store, &RING, ORDER);
    int32_t order[SIZE];
    CHECK(ptd_plan_store_load(store, &RING, order));
}

/* A good checksum over what is no permutation. */
static void test_no_permutation(const ptd_plan_store *store)
{
    int32_t order[SIZE];
    memcpy(order, ORDER, sizeof order);
    order[3] = order[4];
    ptd_plan_store_save(store, &RING, order);
    check_refused(store, &RING);
    order[3] = SIZE;
    ptd_plan_store_save(store, &RING, order);
    check_refused(store, &RING);
    order[3] = -1;
    ptd_plan_store_save(store, &RING, order);
    check_refused(store, &RING);
}

/* What is not a regular file is not read: it could lead elsewhere, or never end. */
static void test_not_regular(const ptd_plan_store *store)
{
    char name[256];
    char path[512];
    char elsewhere[512];
    ptd_plan_store_save(store, &RING, ORDER);
    CHECK(list_folder(directory, name) == 1);
    path_in(directory, name, path);
    path_in(directory, "elsewhere", elsewhere);
    CHECK(rename(path, elsewhere) == 0);
    CHECK(symlink(elsewhere, path) == 0);
    check_refused(store, &RING);
    CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    check_refused(store, &RING);
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
    check_refused(store, &RING);
    /* A file cannot take a directory's place: nothing is left behind. */
    ptd_plan_store_save(store, &RING, ORDER);
    CHECK(list_folder(directory, name) == 2);
    CHECK(rmdir(path) == 0 && rename(elsewhere, path) == 0);
    int32_t order[SIZE];
    CHECK(ptd_plan_store_load(store, &RING, order));
}

/* ---- recordings */

static ptd_graph *two_rings(void)
{
    ptd_graph *graph = NULL;
    const double coefficient = 1.0;
    int64_t absorbing = 1 + 2 * SIZE;
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 1, 0, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, absorbing, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 0, 1, 1.0, NULL, NULL) == PTD_OK);
    for (int64_t k = 0; k < 2 * SIZE; k++) {
        int64_t next = k / SIZE * SIZE + (k + 1) % SIZE;
        CHECK(ptd_graph_add_edge(graph, 1 + k, 1 + next, (double)k, &coefficient, NULL) == PTD_OK);
    }
    CHECK(ptd_graph_add_edge(graph, 4, 5 + SIZE, 1.0, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 5 + SIZE, absorbing, 1.0, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    return graph;
}

static ptd_elimination_trace *record_with(const ptd_graph *graph, const char *folder)
{
    const ptd_record_options options = {.plan_directory = folder, .plan_min_vertices = 2};
    ptd_elimination_trace *trace = NULL;
    CHECK(ptd_record_elimination_trace(graph, &options, &trace, NULL) == PTD_OK);
    return trace;
}

/* Recorded without a store, into one, from one, from a damaged one: the same. That a stored order
 * is taken shows when another one is put in its place. */
static void test_recording(void)
{
    char folder[512];
    char name[256];
    char path[512];
    ptd_graph *graph = two_rings();
    ptd_elimination_trace *fresh = record_with(graph, NULL);
    path_in(directory, "made", folder);
    for (int pass = 0; pass < 2; pass++) {
        ptd_elimination_trace *trace = record_with(graph, folder);
        CHECK(traces_equal(fresh, trace));
        ptd_elimination_trace_destroy(trace);
        /* Both rings have one pattern. */
        CHECK(list_folder(folder, name) == 1);
    }
    path_in(folder, name, path);
    write_all(path, (const uint8_t *)"PTDPLAN1", 8);
    ptd_elimination_trace *trace = record_with(graph, folder);
    CHECK(traces_equal(fresh, trace));
    ptd_elimination_trace_destroy(trace);
    const ptd_plan_store made = {.directory = folder};
    int32_t order[SIZE];
    CHECK(ptd_plan_store_load(&made, &RING, order));
    int32_t reversed[SIZE];
    for (int k = 0; k < SIZE; k++) {
        reversed[k] = order[SIZE - 1 - k];
    }
    ptd_plan_store_save(&made, &RING, reversed);
    trace = record_with(graph, folder);
    CHECK(!traces_equal(fresh, trace));
    ptd_elimination_trace_destroy(trace);
    /* Where nothing can be kept, nothing is lost. */
    path_in(path, "below a file", folder);
    trace = record_with(graph, folder);
    CHECK(traces_equal(fresh, trace));
    ptd_elimination_trace_destroy(trace);
    ptd_elimination_trace_destroy(fresh);
    ptd_graph_destroy(graph);
    path_in(directory, "made", folder);
    empty_folder(folder);
}

int main(void)
{
    build_ring();
    if (!mkdtemp(directory)) {
        return 2;
    }
    const ptd_plan_store store = {.directory = directory};
    test_round_trip(&store);
    test_other_pattern(&store);
    test_not_used(&store);
    test_damage(&store);
    test_no_permutation(&store);
    test_not_regular(&store);
    test_recording();
    empty_folder(directory);
    rmdir(directory);
    return check_result();
}
