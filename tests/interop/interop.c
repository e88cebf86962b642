/* A C program on the engine alone, for tests of interoperation with Python.
 *
 *   interop record DIRECTORY    records the graph below, keeps it, prints its key
 *   interop load DIRECTORY KEY  loads an entry and prints its key, vertices and edges
 *   interop copy FROM TO        loads a trace file and writes it again
 *
 * The graph: a queue with room for `CAPACITY` customers, arrivals at theta[0], services at
 * theta[1], from one customer until none. tests/rules.py has the same.
 */
#include "ptd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 40 };

static int failed(const char *what, ptd_status status, const ptd_error *error)
{
    fprintf(stderr, "%s: %s (%" PRId64 ", %g)\n", what, ptd_status_name(status), error->index,
            error->value);
    return 1;
}

static void print_key(const uint8_t key[PTD_HASH_BYTES])
{
    for (int i = 0; i < PTD_HASH_BYTES; i++) {
        printf("%02x", key[i]);
    }
    printf("\n");
}

static ptd_status build(ptd_graph **graph, ptd_error *error)
{
    int32_t states[CAPACITY + 1];
    ptd_status status = ptd_graph_create(PTD_CONTINUOUS, 2, 1, graph, error);
    if (status) {
        return status;
    }
    /* added in descending order: canonical numbers differ from these */
    for (int32_t n = 0; n <= CAPACITY; n++) {
        states[n] = CAPACITY - n;
    }
    status = ptd_graph_add_vertices(*graph, CAPACITY + 1, states, error);
    if (!status) {
        status = ptd_graph_add_edge(*graph, 0, CAPACITY, 1.0, NULL, error);
    }
    for (int32_t n = 1; n <= CAPACITY && !status; n++) {
        const int64_t here = CAPACITY - n + 1;
        const double arrival[2] = {1, 0};
        const double service[2] = {0, 1};
        status = ptd_graph_add_edge(*graph, here, here + 1, 0.0, service, error);
        if (!status && n < CAPACITY) {
            status = ptd_graph_add_edge(*graph, here, here - 1, 0.0, arrival, error);
        }
    }
    return status ? status : ptd_graph_freeze(*graph, 0, error);
}

static int record(const char *directory)
{
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {PTD_OK, 0, 0};
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    ptd_status status = build(&graph, &error);
    if (!status) {
        status = ptd_record_elimination_trace(graph, NULL, &trace, &error);
    }
    if (!status) {
        status = ptd_save_trace_to_cache(trace, directory, &error);
    }
    if (!status) {
        ptd_elimination_trace_hash(trace, content, key);
        print_key(key);
    }
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
    return status ? failed("record", status, &error) : 0;
}

static int read_key(const char *text, uint8_t key[PTD_HASH_BYTES])
{
    for (int i = 0; i < PTD_HASH_BYTES; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
            return 1;
        }
        key[i] = (uint8_t)byte;
    }
    return 0;
}

static int load(const char *directory, const char *text)
{
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {PTD_OK, 0, 0};
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    if (strlen(text) != 2 * PTD_HASH_BYTES || read_key(text, key)) {
        fprintf(stderr, "load: no key\n");
        return 1;
    }
    ptd_status status = ptd_load_trace_from_cache(directory, key, &trace, &error);
    if (!status) {
        const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
        ptd_elimination_trace_hash(trace, content, key);
        print_key(key);
        printf("%" PRId64 " %" PRId64 "\n", meta->n_vertices, meta->n_edges);
    }
    ptd_elimination_trace_destroy(trace);
    return status ? failed("load", status, &error) : 0;
}

static int copy(const char *from, const char *to)
{
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {PTD_OK, 0, 0};
    ptd_status status = ptd_load_trace_from_file(from, &trace, &error);
    if (!status) {
        status = ptd_save_trace_to_file(trace, to, &error);
    }
    ptd_elimination_trace_destroy(trace);
    return status ? failed("copy", status, &error) : 0;
}

int main(int count, char **arguments)
{
    if (count == 3 && !strcmp(arguments[1], "record")) {
        return record(arguments[2]);
    }
    if (count == 4 && !strcmp(arguments[1], "load")) {
        return load(arguments[2], arguments[3]);
    }
    if (count == 4 && !strcmp(arguments[1], "copy")) {
        return copy(arguments[2], arguments[3]);
    }
    fprintf(stderr, "usage: interop record|load|copy ...\n");
    return 2;
}
