/* A trace worked out by hand: vertices 1, 2, 3 form a ring with rates theta[0], each is absorbed in
 * vertex 4 with rate theta[1], and the start leads to vertex 1.
 *
 * Eliminating 1, 2, 3 in this order: row 3 -> 1 is filled in at column 2 and then returns to
 * itself. So L has 2 entries, U has 2, one of the four is fill, and there are 3 multiply-adds:
 * (3,1) adds U(1) and the exit to row 3; (3,2) adds the exit and would add to the diagonal.
 */
#ifndef SAMPLE_TRACE_H
#define SAMPLE_TRACE_H

#include "ordering.h"
#include "ptd.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLE_ABSORBING_POSITION = 0, SAMPLE_START_POSITION = 4 };

/* Copies that a test may change; `scratch` arrays are plain memory. */
typedef struct {
    ptd_trace_meta meta;
    ptd_array arrays[PTD_TRACE_ARRAY_COUNT];
    void *memory[PTD_TRACE_ARRAY_COUNT];
} sample_trace;

static inline void sample_put(sample_trace *sample, ptd_trace_array_id id, ptd_dtype dtype,
                              int64_t length, const void *items, size_t bytes)
{
    sample->memory[id] = malloc(bytes ? bytes : 1);
    if (!sample->memory[id]) {
        abort();
    }
    memcpy(sample->memory[id], items, bytes);
    sample->arrays[id] = (ptd_array){dtype, length, sample->memory[id]};
}

#define SAMPLE_PUT(id, dtype, type, ...)                                                           \
    do {                                                                                           \
        const type items[] = {__VA_ARGS__};                                                        \
        sample_put(sample, id, dtype, (int64_t)(sizeof items / sizeof *items), items,              \
                   sizeof items);                                                                  \
    } while (0)
#define SAMPLE_U32(id, ...) SAMPLE_PUT(id, PTD_UINT32, uint32_t, __VA_ARGS__)

static inline void sample_make(sample_trace *sample)
{
    const uint32_t none = PTD_NONE;
    sample->meta = (ptd_trace_meta){.kind = PTD_CONTINUOUS,
                                    .n_parameters = 2,
                                    .state_length = 1,
                                    .n_vertices = 5,
                                    .n_absorbing = 1,
                                    .n_dropped = 0,
                                    .n_components = 2,
                                    .n_blocks = 1,
                                    .n_edges = 7,
                                    .n_forms = 3,
                                    .multiply_adds = 3,
                                    .lower_entries = 2,
                                    .upper_entries = 2,
                                    .fill_in = 1,
                                    .largest_component = 3,
                                    .ordering_version = PTD_ORDERING_VERSION};
    SAMPLE_PUT(PTD_STATES, PTD_INT32, int32_t, 0, 1, 2, 3, 4);
    SAMPLE_U32(PTD_POSITION_VERTEX, 4, 1, 2, 3, 0);
    SAMPLE_U32(PTD_COMPONENT_START, 1, 4, 5);
    SAMPLE_U32(PTD_COMPONENT_BLOCK, 0, none);
    SAMPLE_U32(PTD_EDGE_START, 0, 0, 2, 4, 6, 7);
    SAMPLE_U32(PTD_EDGE_EXTERNAL, 0, 1, 3, 5, 6);
    SAMPLE_U32(PTD_EDGE_BOUNDARY, 0, 1, 3, 5, 7);
    SAMPLE_U32(PTD_EDGE_SELF, 0, 2, 4, 6, 7);
    SAMPLE_U32(PTD_EDGE_TARGET, 2, 0, 3, 0, 1, 0, 1);
    SAMPLE_U32(PTD_EDGE_FORM, 1, 2, 1, 2, 1, 2, 0);
    SAMPLE_PUT(PTD_FORM_BASE, PTD_FLOAT64, double, 1.0, 0.0, 0.0);
    SAMPLE_U32(PTD_FORM_START, 0, 0, 1, 2);
    SAMPLE_U32(PTD_FORM_PARAMETER, 0, 1);
    SAMPLE_PUT(PTD_FORM_COEFFICIENT, PTD_FLOAT64, double, 1.0, 1.0);
    SAMPLE_U32(PTD_EXIT_OF_POSITION, none, 0, 0, 0, 1);
    SAMPLE_U32(PTD_EXIT_START, 0, 1, 2);
    SAMPLE_U32(PTD_EXIT_FORM, 2, 0);
    SAMPLE_U32(PTD_BLOCK_ROW, 0, 3);
    SAMPLE_U32(PTD_BLOCK_POSITION, 1);
    SAMPLE_U32(PTD_ROW_SLOT, 0, 3, 6, 10);
    SAMPLE_U32(PTD_ROW_LOWER, 0, 0, 2);
    SAMPLE_U32(PTD_SLOT_COLUMN, 0, 1, none, 1, 2, none, 0, 1, 2, none);
    SAMPLE_U32(PTD_ENTRY_START, 0, 1, 2, 3);
    SAMPLE_U32(PTD_ENTRY_SLOT, 1, 1, 0);
    SAMPLE_U32(PTD_ROW_PROGRAM, 0, 0, 0, 6);
    SAMPLE_PUT(PTD_PROGRAM, PTD_UINT16, uint16_t, 0, 1, 3, 0, 2, 3);
}

static inline void sample_release(sample_trace *sample)
{
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        free(sample->memory[id]);
    }
}

/* The same graph through the public interface, its edges added in another order. */
static inline ptd_status sample_graph(ptd_graph **graph, ptd_error *error)
{
    static const int32_t states[] = {4, 3, 2, 1}; /* vertices as added: 1, 2, 3, 4 */
    static const int64_t from[] = {2, 2, 3, 3, 4, 4, 0};
    static const int64_t to[] = {4, 1, 2, 1, 3, 1, 4};
    static const double base[] = {0, 0, 0, 0, 0, 0, 1};
    static const double coefficients[] = {1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0};
    ptd_status status = ptd_graph_create(PTD_CONTINUOUS, 2, 1, graph, error);
    if (status == PTD_OK) {
        status = ptd_graph_add_vertices(*graph, 4, states, error);
    }
    if (status == PTD_OK) {
        status = ptd_graph_add_edges(*graph, 7, from, to, base, coefficients, error);
    }
    return status == PTD_OK ? ptd_graph_freeze(*graph, 0, error) : status;
}

#endif
