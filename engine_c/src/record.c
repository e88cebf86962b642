/* Recording: from a frozen graph to its elimination trace.
 *
 * Layout (boundary, components, start), exits, plan (blocks, orders, fill), and then the arrays
 * that ptd.h describes are written, one group after the other. Every step depends on the canonical
 * graph alone, and so do the bytes. The size is bounded before the work: what the graph's own
 * arrays take is known, the plan stops when the fill would exceed the rest, the program likewise.
 */
#include "ptd.h"

#include <string.h>

#include "content_key.h"
#include "exits.h"
#include "layout.h"
#include "memory.h"
#include "plan.h"
#include "program.h"
#include "progress.h"
#include "sort.h"
#include "status.h"
#include "trace.h"

#define DEFAULT_MAX_TRACE_BYTES (INT64_C(4) << 30)
/* Numbers of program words are 32-bit, and a word is the smallest item: under this bound no array
 * outgrows its indices. */
#define LARGEST_TRACE_BYTES ((int64_t)sizeof(uint16_t) * (UINT32_MAX - 1))

typedef struct {
    ptd_graph_view graph;
    ptd_layout layout;
    ptd_exits exits;
    ptd_plan plan;
    ptd_program program;
    ptd_progress_meter progress;
    int64_t max_bytes;
    int64_t bytes;      /* known so far */
    uint32_t *position; /* of each vertex */
    uint64_t *keys;     /* room for the largest out-degree */
    ptd_trace_meta meta;
    ptd_array arrays[PTD_TRACE_ARRAY_COUNT];
} recording;

static ptd_status no_memory(ptd_error *error)
{
    return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
}

/* A new array of the trace; NULL where memory ran out. */
static void *new_array(recording *r, ptd_trace_array_id id, int64_t length)
{
    ptd_dtype dtype = ptd_trace_array_dtype(id);
    void *data = ptd_allocate((size_t)length, ptd_dtype_bytes(dtype));
    r->arrays[id] = (ptd_array){.dtype = dtype, .length = length, .data = data};
    return data;
}

static uint32_t *new_numbers(recording *r, ptd_trace_array_id id, int64_t length)
{
    return new_array(r, id, length);
}

/* Memory that the arrays take over. */
static void take_array(recording *r, ptd_trace_array_id id, int64_t length, void *data)
{
    r->arrays[id] = (ptd_array){.dtype = ptd_trace_array_dtype(id), .length = length, .data = data};
}

static uint32_t *numbers(const recording *r, ptd_trace_array_id id)
{
    return (uint32_t *)(uintptr_t)r->arrays[id].data;
}

/* ---- sizes */

static ptd_status bound_graph_arrays(recording *r, ptd_error *error)
{
    const ptd_graph_view *graph = &r->graph;
    /* position_vertex, edge_start, edge_external, edge_boundary, edge_self, exit_of_position; the
     * components and exits add less than twice two numbers a vertex. */
    r->bytes = graph->n_vertices * 4 * (graph->state_length + 6) + graph->n_edges * 8 +
               graph->n_forms * 12 + graph->form_start[graph->n_forms] * 12;
    if (r->bytes > r->max_bytes) {
        return ptd_fail(error, PTD_TRACE_TOO_LARGE, 0, (double)r->bytes);
    }
    return PTD_OK;
}

static ptd_status bound_exit_arrays(recording *r, ptd_error *error)
{
    const ptd_exits *exits = &r->exits;
    const ptd_forms *forms = &exits->forms;
    int64_t folded = forms->count - r->graph.n_forms;
    int64_t folded_entries = forms->start[forms->count] - r->graph.form_start[r->graph.n_forms];
    r->bytes += 8 * r->layout.n_components + 4 * exits->n_exits +
                4 * (int64_t)exits->start[exits->n_exits] + 12 * (folded + folded_entries);
    if (r->bytes > r->max_bytes) {
        return ptd_fail(error, PTD_TRACE_TOO_LARGE, 0, (double)r->bytes);
    }
    return PTD_OK;
}

/* ---- positions and edges */

static ptd_status write_positions(recording *r, ptd_error *error)
{
    const ptd_layout *layout = &r->layout;
    const ptd_graph_view *graph = &r->graph;
    int64_t n = graph->n_vertices;
    int64_t n_components = layout->n_components;
    uint32_t *position_vertex = new_numbers(r, PTD_POSITION_VERTEX, n);
    uint32_t *component_start = new_numbers(r, PTD_COMPONENT_START, n_components + 1);
    int32_t *states = new_array(r, PTD_STATES, n * graph->state_length);
    r->position = ptd_allocate((size_t)n, sizeof *r->position);
    if (!position_vertex || !component_start || !states || !r->position) {
        return no_memory(error);
    }
    if (graph->state_length > 0) {
        memcpy(states, graph->states, (size_t)(n * graph->state_length) * sizeof *states);
    }
    memcpy(component_start, layout->start, (size_t)(n_components + 1) * sizeof *component_start);
    memcpy(position_vertex, layout->vertex, (size_t)n * sizeof *position_vertex);
    for (int64_t c = 0; c < n_components; c++) {
        uint32_t block = r->plan.component_block[c];
        if (block == PTD_NONE) {
            continue;
        }
        const int32_t *order = r->plan.patterns[r->plan.block_pattern[block]].order;
        uint32_t first = layout->start[c];
        for (uint32_t k = 0; k < layout->start[c + 1] - first; k++) {
            position_vertex[first + k] = layout->vertex[first + (uint32_t)order[k]];
        }
    }
    for (int64_t p = 0; p < n; p++) {
        r->position[position_vertex[p]] = (uint32_t)p;
    }
    take_array(r, PTD_COMPONENT_BLOCK, n_components, r->plan.component_block);
    r->plan.component_block = NULL;
    return PTD_OK;
}

/* What an edge is, in the order in which a position's edges stand. */
typedef enum { INTERNAL = 0, EXTERNAL, BOUNDARY, SELF, EDGE_CLASSES } edge_class;

static edge_class classify(const recording *r, uint32_t from, uint32_t to)
{
    const uint32_t *component = r->layout.component;
    if (from == to) {
        return SELF;
    }
    if (component[to] == PTD_NONE) {
        return BOUNDARY;
    }
    return component[from] == component[to] ? INTERNAL : EXTERNAL;
}

/* Edges of one position from `next` on; end[c] receives where class c ends. A key holds the target
 * above the form, so that sorting a class sorts by target. */
static void write_edges_of(recording *r, uint32_t vertex, uint32_t next, uint32_t *target,
                           uint32_t *form, uint32_t end[EDGE_CLASSES])
{
    const ptd_graph_view *graph = &r->graph;
    int64_t begin = graph->edge_start[vertex];
    size_t degree = (size_t)(graph->edge_start[vertex + 1] - begin);
    size_t count[EDGE_CLASSES] = {0};
    size_t place[EDGE_CLASSES];
    for (size_t e = 0; e < degree; e++) {
        count[classify(r, vertex, (uint32_t)graph->edge_to[begin + (int64_t)e])]++;
    }
    size_t sum = 0;
    for (int c = 0; c < EDGE_CLASSES; c++) {
        place[c] = sum;
        sum += count[c];
    }
    for (size_t e = 0; e < degree; e++) {
        uint32_t to = (uint32_t)graph->edge_to[begin + (int64_t)e];
        uint32_t edge_form = graph->edge_form[begin + (int64_t)e];
        r->keys[place[classify(r, vertex, to)]++] = (uint64_t)r->position[to] << 32 | edge_form;
    }
    for (int c = 0; c < EDGE_CLASSES; c++) {
        ptd_sort_keys(r->keys + place[c] - count[c], count[c]);
        end[c] = next + (uint32_t)place[c];
    }
    for (size_t e = 0; e < degree; e++) {
        target[next + e] = (uint32_t)(r->keys[e] >> 32);
        form[next + e] = (uint32_t)r->keys[e];
    }
}

static ptd_status write_edges(recording *r, ptd_error *error)
{
    const ptd_graph_view *graph = &r->graph;
    int64_t n = graph->n_vertices;
    int64_t largest = 0;
    for (int64_t v = 0; v < n; v++) {
        int64_t degree = graph->edge_start[v + 1] - graph->edge_start[v];
        largest = degree > largest ? degree : largest;
    }
    uint32_t *start = new_numbers(r, PTD_EDGE_START, n + 1);
    uint32_t *external = new_numbers(r, PTD_EDGE_EXTERNAL, n);
    uint32_t *boundary = new_numbers(r, PTD_EDGE_BOUNDARY, n);
    uint32_t *self = new_numbers(r, PTD_EDGE_SELF, n);
    uint32_t *target = new_numbers(r, PTD_EDGE_TARGET, graph->n_edges);
    uint32_t *form = new_numbers(r, PTD_EDGE_FORM, graph->n_edges);
    uint32_t *exit_of_position = new_numbers(r, PTD_EXIT_OF_POSITION, n);
    r->keys = ptd_allocate((size_t)largest, sizeof *r->keys);
    if (!start || !external || !boundary || !self || !target || !form || !exit_of_position ||
        !r->keys) {
        return no_memory(error);
    }
    const uint32_t *position_vertex = numbers(r, PTD_POSITION_VERTEX);
    start[0] = 0;
    for (int64_t p = 0; p < n; p++) {
        uint32_t vertex = position_vertex[p];
        uint32_t end[EDGE_CLASSES];
        write_edges_of(r, vertex, start[p], target, form, end);
        external[p] = end[INTERNAL];
        boundary[p] = end[EXTERNAL];
        self[p] = end[BOUNDARY];
        start[p + 1] = end[SELF];
        exit_of_position[p] = r->exits.of_vertex[vertex];
        ptd_status status = ptd_progress_add(&r->progress, 1, error);
        if (status != PTD_OK) {
            return status;
        }
    }
    return PTD_OK;
}

/* ---- forms and exits */

static ptd_status write_forms(recording *r, ptd_error *error)
{
    ptd_exits *exits = &r->exits;
    ptd_forms *forms = &exits->forms;
    uint32_t *start = new_numbers(r, PTD_FORM_START, forms->count + 1);
    if (!start) {
        return no_memory(error);
    }
    for (int64_t f = 0; f <= forms->count; f++) {
        start[f] = (uint32_t)forms->start[f];
    }
    take_array(r, PTD_FORM_BASE, forms->count, forms->base);
    take_array(r, PTD_FORM_PARAMETER, start[forms->count], forms->parameter);
    take_array(r, PTD_FORM_COEFFICIENT, start[forms->count], forms->coefficient);
    take_array(r, PTD_EXIT_FORM, exits->start[exits->n_exits], exits->form);
    take_array(r, PTD_EXIT_START, exits->n_exits + 1, exits->start);
    forms->base = NULL;
    forms->parameter = NULL;
    forms->coefficient = NULL;
    exits->form = NULL;
    exits->start = NULL;
    return PTD_OK;
}

/* ---- blocks */

/* Where the next block starts in each array. */
typedef struct {
    uint32_t row;
    uint32_t slot;
    uint32_t entry;
} block_cursor;

/* The slots of one row. */
static void write_columns(const ptd_symbolic *symbolic, int32_t row, uint32_t *slot_column)
{
    const int32_t *column = symbolic->column + symbolic->start[row];
    int64_t entries = symbolic->start[row + 1] - symbolic->start[row];
    int64_t lower = symbolic->lower[row];
    for (int64_t p = 0; p < lower; p++) {
        slot_column[p] = (uint32_t)column[p];
    }
    slot_column[lower] = (uint32_t)row;
    for (int64_t p = lower; p < entries; p++) {
        slot_column[p + 1] = (uint32_t)column[p];
    }
    slot_column[entries + 1] = PTD_NONE;
}

/* Slots of the internal edges of one position: both they and the slots ascend by column. */
static uint32_t write_entries(const recording *r, uint32_t first, uint32_t position,
                              const uint32_t *slot_column, uint32_t *entry_slot)
{
    const uint32_t *target = numbers(r, PTD_EDGE_TARGET);
    uint32_t begin = numbers(r, PTD_EDGE_START)[position];
    uint32_t end = numbers(r, PTD_EDGE_EXTERNAL)[position];
    uint32_t slot = 0;
    for (uint32_t e = begin; e < end; e++) {
        while (slot_column[slot] != target[e] - first) {
            slot++;
        }
        entry_slot[e - begin] = slot;
    }
    return end - begin;
}

/* All but the program of one block. */
static void write_block(recording *r, int64_t block, block_cursor *at)
{
    const ptd_plan_pattern *pattern = &r->plan.patterns[r->plan.block_pattern[block]];
    const ptd_symbolic *symbolic = &pattern->symbolic;
    uint32_t *row_slot = numbers(r, PTD_ROW_SLOT);
    uint32_t *row_lower = numbers(r, PTD_ROW_LOWER);
    uint32_t *slot_column = numbers(r, PTD_SLOT_COLUMN);
    uint32_t *entry_start = numbers(r, PTD_ENTRY_START);
    uint32_t *entry_slot = numbers(r, PTD_ENTRY_SLOT);
    uint32_t first = r->layout.start[r->plan.block_component[block]];
    numbers(r, PTD_BLOCK_POSITION)[block] = first;
    for (int32_t i = 0; i < symbolic->n; i++) {
        write_columns(symbolic, i, slot_column + at->slot);
        at->entry += write_entries(r, first, first + (uint32_t)i, slot_column + at->slot,
                                   entry_slot + at->entry);
        row_lower[at->row] = (uint32_t)symbolic->lower[i];
        at->slot += (uint32_t)(symbolic->start[i + 1] - symbolic->start[i] + 2);
        at->row++;
        row_slot[at->row] = at->slot;
        entry_start[at->row] = at->entry;
    }
    numbers(r, PTD_BLOCK_ROW)[block + 1] = at->row;
}

/* The program of one block, copied from `block_of_pattern` where a block of the same pattern has
 * one already. */
static ptd_status write_program(recording *r, int64_t block, uint32_t *block_of_pattern,
                                size_t max_words, ptd_error *error)
{
    uint32_t number = r->plan.block_pattern[block];
    const ptd_symbolic *symbolic = &r->plan.patterns[number].symbolic;
    const uint32_t *block_row = numbers(r, PTD_BLOCK_ROW);
    uint32_t *row_program = numbers(r, PTD_ROW_PROGRAM);
    uint32_t *row_end = row_program + block_row[block] + 1;
    if (block_of_pattern[number] == PTD_NONE) {
        block_of_pattern[number] = (uint32_t)block;
        return ptd_program_append(symbolic, max_words, row_end, &r->program, error);
    }
    const uint32_t *rows = row_program + block_row[block_of_pattern[number]];
    size_t begin = rows[0];
    size_t count = rows[symbolic->n] - begin;
    ptd_status status = ptd_program_repeat(&r->program, begin, count, max_words, error);
    if (status == PTD_OK) {
        uint32_t shift = (uint32_t)(r->program.n_words - count - begin);
        for (int32_t i = 0; i < symbolic->n; i++) {
            row_end[i] = rows[i + 1] + shift;
        }
    }
    return status;
}

static ptd_status write_programs(recording *r, ptd_error *error)
{
    const ptd_plan *plan = &r->plan;
    ptd_error failure = {0};
    ptd_status status = PTD_OK;
    uint32_t *block_of_pattern = ptd_allocate((size_t)plan->n_patterns, sizeof *block_of_pattern);
    if (!block_of_pattern) {
        return no_memory(error);
    }
    for (int64_t k = 0; k < plan->n_patterns; k++) {
        block_of_pattern[k] = PTD_NONE;
    }
    size_t max_words = (size_t)(r->max_bytes - r->bytes) / sizeof(uint16_t);
    numbers(r, PTD_ROW_PROGRAM)[0] = 0;
    for (int64_t block = 0; block < plan->n_blocks && status == PTD_OK; block++) {
        status = write_program(r, block, block_of_pattern, max_words, &failure);
        if (status == PTD_OK) {
            const uint32_t *row = numbers(r, PTD_BLOCK_ROW) + block;
            status = ptd_progress_add(&r->progress, row[1] - row[0], &failure);
        }
    }
    ptd_release(block_of_pattern);
    if (status == PTD_TRACE_TOO_LARGE) {
        failure.value = (double)r->bytes + failure.value * (double)sizeof(uint16_t);
    }
    if (status != PTD_OK) {
        return ptd_fail(error, status, failure.index, failure.value);
    }
    void *words = ptd_reallocate(r->program.words, r->program.n_words, sizeof(uint16_t));
    if (!words) {
        return no_memory(error);
    }
    take_array(r, PTD_PROGRAM, (int64_t)r->program.n_words, words);
    r->program = (ptd_program){0};
    return PTD_OK;
}

static ptd_status write_blocks(recording *r, ptd_error *error)
{
    const ptd_plan *plan = &r->plan;
    uint32_t *block_row = new_numbers(r, PTD_BLOCK_ROW, plan->n_blocks + 1);
    uint32_t *block_position = new_numbers(r, PTD_BLOCK_POSITION, plan->n_blocks);
    uint32_t *row_slot = new_numbers(r, PTD_ROW_SLOT, plan->n_rows + 1);
    uint32_t *row_lower = new_numbers(r, PTD_ROW_LOWER, plan->n_rows);
    uint32_t *slot_column = new_numbers(r, PTD_SLOT_COLUMN, plan->n_slots);
    uint32_t *entry_start = new_numbers(r, PTD_ENTRY_START, plan->n_rows + 1);
    uint32_t *entry_slot = new_numbers(r, PTD_ENTRY_SLOT, plan->n_entries);
    uint32_t *row_program = new_numbers(r, PTD_ROW_PROGRAM, plan->n_rows + 1);
    if (!block_row || !block_position || !row_slot || !row_lower || !slot_column || !entry_start ||
        !entry_slot || !row_program) {
        return no_memory(error);
    }
    block_cursor at = {0};
    block_row[0] = 0;
    row_slot[0] = 0;
    entry_start[0] = 0;
    for (int64_t block = 0; block < plan->n_blocks; block++) {
        write_block(r, block, &at);
    }
    return write_programs(r, error);
}

/* ---- the whole */

static void write_meta(recording *r)
{
    const ptd_graph_view *graph = &r->graph;
    const ptd_layout *layout = &r->layout;
    ptd_trace_meta *meta = &r->meta;
    int64_t n_internal = 0;
    *meta = (ptd_trace_meta){.kind = graph->kind,
                             .n_parameters = graph->n_parameters,
                             .state_length = graph->state_length,
                             .n_vertices = graph->n_vertices,
                             .n_absorbing = layout->n_absorbing,
                             .n_dropped = layout->n_boundary - layout->n_absorbing,
                             .n_components = layout->n_components,
                             .n_blocks = r->plan.n_blocks,
                             .n_edges = graph->n_edges,
                             .n_forms = graph->n_forms,
                             .ordering_version = PTD_ORDERING_VERSION};
    for (int64_t c = 0; c < layout->n_components; c++) {
        int64_t size = layout->start[c + 1] - layout->start[c];
        meta->largest_component = size > meta->largest_component ? size : meta->largest_component;
    }
    for (int64_t k = 0; k < r->plan.n_patterns; k++) {
        const ptd_plan_pattern *pattern = &r->plan.patterns[k];
        const ptd_symbolic *symbolic = &pattern->symbolic;
        int64_t lower = 0;
        for (int32_t i = 0; i < symbolic->n; i++) {
            lower += symbolic->lower[i];
        }
        meta->multiply_adds += pattern->n_components * symbolic->multiply_adds;
        meta->lower_entries += pattern->n_components * lower;
        meta->upper_entries += pattern->n_components * (symbolic->start[symbolic->n] - lower);
        n_internal += pattern->n_components * pattern->n_edges;
    }
    meta->fill_in = meta->lower_entries + meta->upper_entries - n_internal;
}

static ptd_status record(recording *r, const ptd_plan_store *store, ptd_error *error)
{
    ptd_status status = bound_graph_arrays(r, error);
    if (status == PTD_OK) {
        status = ptd_progress_tell(&r->progress, error);
    }
    if (status == PTD_OK) {
        status = ptd_layout_create(&r->graph, &r->layout, error);
    }
    if (status == PTD_OK) {
        status = ptd_exits_create(&r->graph, &r->layout, &r->exits, error);
    }
    if (status == PTD_OK) {
        status = bound_exit_arrays(r, error);
    }
    if (status == PTD_OK) {
        ptd_error failure = {0};
        status = ptd_plan_create(&r->graph, &r->layout, &r->exits, store, r->max_bytes - r->bytes,
                                 &r->progress, &r->plan, &failure);
        if (status == PTD_TRACE_TOO_LARGE) {
            failure.value += (double)r->bytes;
        }
        if (status != PTD_OK) {
            return ptd_fail(error, status, failure.index, failure.value);
        }
        r->bytes += r->plan.bytes;
    }
    if (status == PTD_OK) {
        write_meta(r);
        status = write_positions(r, error);
    }
    if (status == PTD_OK) {
        status = write_edges(r, error);
    }
    if (status == PTD_OK) {
        status = write_forms(r, error);
    }
    if (status == PTD_OK) {
        status = write_blocks(r, error);
    }
    return status;
}

static void release_recording(recording *r)
{
    ptd_layout_destroy(&r->layout);
    ptd_exits_destroy(&r->exits);
    ptd_plan_destroy(&r->plan);
    ptd_program_destroy(&r->program);
    ptd_release(r->position);
    ptd_release(r->keys);
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_release((void *)(uintptr_t)r->arrays[id].data);
    }
}

/* Hands the arrays over. */
static ptd_status finish(recording *r, const ptd_graph *graph, ptd_elimination_trace **trace,
                         ptd_error *error)
{
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    ptd_elimination_trace *recorded = NULL;
    ptd_status status = ptd_graph_content_hash(graph, content, error);
    if (status == PTD_OK) {
        ptd_trace_key_of_content(content, PTD_ORDERING_VERSION, key);
        r->progress.done = r->progress.total;
        status = ptd_progress_tell(&r->progress, error);
    }
    if (status == PTD_OK) {
        status = ptd_trace_adopt(&r->meta, r->arrays, content, key, &recorded, error);
    }
    if (status == PTD_OK) {
        memset(r->arrays, 0, sizeof r->arrays);
        *trace = recorded;
    }
    return status;
}

ptd_status ptd_record_elimination_trace(const ptd_graph *graph, const ptd_record_options *options,
                                        ptd_elimination_trace **trace, ptd_error *error)
{
    const ptd_record_options defaults = {0};
    const ptd_record_options *chosen = options ? options : &defaults;
    if (chosen->max_trace_bytes < 0 || chosen->plan_min_vertices < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, 0.0);
    }
    recording r = {.progress = {.callback = chosen->progress, .context = chosen->progress_context}};
    r.max_bytes = chosen->max_trace_bytes ? chosen->max_trace_bytes : DEFAULT_MAX_TRACE_BYTES;
    r.max_bytes = r.max_bytes < LARGEST_TRACE_BYTES ? r.max_bytes : LARGEST_TRACE_BYTES;
    const ptd_plan_store store = {.directory = chosen->plan_directory,
                                  .min_vertices = chosen->plan_min_vertices};
    *trace = NULL;
    ptd_status status = ptd_graph_get_view(graph, &r.graph, error);
    if (status == PTD_OK) {
        /* Every vertex is planned and gets its edges; at most as many rows get their program. */
        r.progress.total = 3 * r.graph.n_vertices;
        status = record(&r, &store, error);
    }
    if (status == PTD_OK) {
        status = finish(&r, graph, trace, error);
    }
    release_recording(&r);
    return status;
}
