/* Validation: every index of every array, once.
 *
 * The passes go from what is known to what it implies: lengths from the meta data, then vertices,
 * components, edges, forms and exits, then the blocks row by row, and at last the components
 * against their blocks. Each pass reads only what the passes before have shown to be in bounds.
 *
 * A block is checked for its meaning too, since that costs no more than reading it: a destination
 * must stand for the same column as its source, the groups of a row must use up its L, and the
 * entries must be the component's internal edges. Fill that a row's program needs is thereby there.
 * What is left unchecked is arithmetic: that a folded exit sum is the sum of the edges' forms.
 *
 * Built with PTD_PLANT_BUG one check is missing, for tests that must be seen to fail.
 */
#include "validate.h"

#include "memory.h"
#include "program_format.h"
#include "status.h"
#include "trace.h"

#include <string.h>

typedef struct {
    const ptd_trace_meta *meta;
    const ptd_array *arrays;
    ptd_error *error;
    int64_t n_boundary; /* absorbing and dropped: the first positions */
    uint64_t *seen;     /* a bit for each vertex, then for each block */
    uint8_t *is_nested; /* by row of a block: U(k) = {k + 1} + U(k + 1) */
} checker;

/* Work and size of one block. */
typedef struct {
    int64_t lower;
    int64_t upper;
    int64_t multiply_adds;
} block_work;

/* Meta fields in the order of ptd_trace_meta, for the value of an error. */
typedef enum {
    META_KIND,
    META_N_PARAMETERS,
    META_STATE_LENGTH,
    META_N_VERTICES,
    META_N_ABSORBING,
    META_N_DROPPED,
    META_N_COMPONENTS,
    META_N_BLOCKS,
    META_N_EDGES,
    META_N_FORMS,
    META_MULTIPLY_ADDS,
    META_LOWER_ENTRIES,
    META_UPPER_ENTRIES,
    META_FILL_IN,
    META_LARGEST_COMPONENT,
    META_ORDERING_VERSION,
    META_COUNT
} meta_field;

static ptd_status invalid(const checker *c, ptd_trace_array_id id, int64_t where)
{
    return ptd_fail(c->error, PTD_TRACE_INVALID, (int64_t)id, (double)where);
}

static ptd_status invalid_meta(const checker *c, meta_field field)
{
    return ptd_fail(c->error, PTD_TRACE_INVALID, -1, (double)field);
}

static const uint32_t *u32(const checker *c, ptd_trace_array_id id)
{
    return ptd_array_u32(c->arrays, id);
}

static const double *f64(const checker *c, ptd_trace_array_id id)
{
    return c->arrays[id].data;
}

static int64_t length_of(const checker *c, ptd_trace_array_id id)
{
    return c->arrays[id].length;
}

/* ---- meta data and lengths */

static ptd_status check_meta(const checker *c)
{
    const ptd_trace_meta *m = c->meta;
    const struct {
        int64_t value;
        int64_t least;
        int64_t most;
    } bound[META_COUNT] = {
        [META_KIND] = {m->kind, PTD_CONTINUOUS, PTD_DISCRETE},
        [META_N_PARAMETERS] = {m->n_parameters, 0, INT32_MAX},
        [META_STATE_LENGTH] = {m->state_length, 0, INT32_MAX},
        [META_N_VERTICES] = {m->n_vertices, 2, INT32_MAX},
        [META_N_ABSORBING] = {m->n_absorbing, 0, INT32_MAX},
        [META_N_DROPPED] = {m->n_dropped, 0, INT32_MAX},
        [META_N_COMPONENTS] = {m->n_components, 1, INT32_MAX},
        [META_N_BLOCKS] = {m->n_blocks, 0, INT32_MAX},
        [META_N_EDGES] = {m->n_edges, 1, PTD_NONE - 1},
        [META_N_FORMS] = {m->n_forms, 1, PTD_NONE - 1},
        [META_MULTIPLY_ADDS] = {m->multiply_adds, 0, INT64_MAX},
        [META_LOWER_ENTRIES] = {m->lower_entries, 0, INT64_MAX},
        [META_UPPER_ENTRIES] = {m->upper_entries, 0, INT64_MAX},
        [META_FILL_IN] = {m->fill_in, 0, INT64_MAX},
        [META_LARGEST_COMPONENT] = {m->largest_component, 1, INT32_MAX},
        [META_ORDERING_VERSION] = {m->ordering_version, 0, UINT32_MAX},
    };
    for (int field = 0; field < META_COUNT; field++) {
        if (bound[field].value < bound[field].least || bound[field].value > bound[field].most) {
            return invalid_meta(c, (meta_field)field);
        }
    }
    /* The start is always there, in a component of its own and without a block. */
    const int64_t n_solved = m->n_vertices - m->n_absorbing - m->n_dropped;
    if (n_solved < 1) {
        return invalid_meta(c, META_N_VERTICES);
    }
    if (m->n_components > n_solved) {
        return invalid_meta(c, META_N_COMPONENTS);
    }
    if (m->n_blocks >= m->n_components) {
        return invalid_meta(c, META_N_BLOCKS);
    }
    return m->largest_component <= n_solved ? PTD_OK : invalid_meta(c, META_LARGEST_COMPONENT);
}

/* The lengths that follow from other lengths are those of the last items of offset arrays; these
 * are compared where the offsets are checked. */
static ptd_status check_lengths(const checker *c)
{
    const ptd_trace_meta *m = c->meta;
    const int64_t n = m->n_vertices;
    const int64_t rows = length_of(c, PTD_ROW_LOWER);
    const struct {
        ptd_trace_array_id id;
        int64_t length;
    } expected[] = {
        {PTD_STATES, n * m->state_length},
        {PTD_POSITION_VERTEX, n},
        {PTD_COMPONENT_START, m->n_components + 1},
        {PTD_COMPONENT_BLOCK, m->n_components},
        {PTD_EDGE_START, n + 1},
        {PTD_EDGE_EXTERNAL, n},
        {PTD_EDGE_BOUNDARY, n},
        {PTD_EDGE_SELF, n},
        {PTD_EDGE_TARGET, m->n_edges},
        {PTD_EDGE_FORM, m->n_edges},
        {PTD_FORM_START, length_of(c, PTD_FORM_BASE) + 1},
        {PTD_FORM_COEFFICIENT, length_of(c, PTD_FORM_PARAMETER)},
        {PTD_EXIT_OF_POSITION, n},
        {PTD_BLOCK_ROW, m->n_blocks + 1},
        {PTD_BLOCK_POSITION, m->n_blocks},
        {PTD_ROW_SLOT, rows + 1},
        {PTD_ENTRY_START, rows + 1},
        {PTD_ROW_PROGRAM, rows + 1},
    };
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        const ptd_array *array = &c->arrays[id];
        if (array->length < 0 || array->length > PTD_NONE || (array->length > 0 && !array->data) ||
            array->dtype != ptd_trace_array_dtype((ptd_trace_array_id)id)) {
            return invalid(c, (ptd_trace_array_id)id, array->length);
        }
    }
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        if (length_of(c, expected[k].id) != expected[k].length) {
            return invalid(c, expected[k].id, length_of(c, expected[k].id));
        }
    }
    if (length_of(c, PTD_FORM_BASE) < m->n_forms) {
        return invalid(c, PTD_FORM_BASE, length_of(c, PTD_FORM_BASE));
    }
    if (length_of(c, PTD_EXIT_START) < 2) {
        return invalid(c, PTD_EXIT_START, length_of(c, PTD_EXIT_START));
    }
    return PTD_OK;
}

/* Offsets from 0 that grow by at least `step` up to `end`. */
static ptd_status check_offsets(const checker *c, ptd_trace_array_id id, uint32_t step, int64_t end)
{
    const uint32_t *offset = u32(c, id);
    const int64_t last = length_of(c, id) - 1;
    if (offset[0] != 0) {
        return invalid(c, id, 0);
    }
    for (int64_t k = 0; k < last; k++) {
        if (offset[k + 1] < offset[k] || offset[k + 1] - offset[k] < step) {
            return invalid(c, id, k + 1);
        }
    }
    return offset[last] == end ? PTD_OK : invalid(c, id, last);
}

/* ---- vertices and components */

static int mark(uint64_t *seen, uint32_t item)
{
    const uint64_t bit = (uint64_t)1 << (item & 63);
    const int is_new = !(seen[item >> 6] & bit);
    seen[item >> 6] |= bit;
    return is_new;
}

static void clear_marks(const checker *c, int64_t count)
{
    memset(c->seen, 0, (size_t)((count + 63) / 64) * sizeof *c->seen);
}

static ptd_status check_positions(const checker *c)
{
    const int64_t n = c->meta->n_vertices;
    const uint32_t *vertex = u32(c, PTD_POSITION_VERTEX);
    clear_marks(c, n);
    for (int64_t p = 0; p < n; p++) {
        if (vertex[p] >= n || !mark(c->seen, vertex[p])) {
            return invalid(c, PTD_POSITION_VERTEX, p);
        }
    }
    return vertex[n - 1] == 0 ? PTD_OK : invalid(c, PTD_POSITION_VERTEX, n - 1);
}

/* Canonical order: the start's zeros, then states in strictly ascending order. */
static ptd_status check_states(const checker *c)
{
    const int64_t length = c->meta->state_length;
    const int32_t *states = c->arrays[PTD_STATES].data;
    for (int64_t k = 0; k < length; k++) {
        if (states[k] != 0) {
            return invalid(c, PTD_STATES, k);
        }
    }
    for (int64_t v = 2; v < c->meta->n_vertices && length > 0; v++) {
        const int32_t *before = states + (v - 1) * length;
        const int32_t *state = states + v * length;
        int64_t k = 0;
        while (k < length - 1 && state[k] == before[k]) {
            k++;
        }
        if (state[k] <= before[k]) {
            return invalid(c, PTD_STATES, v * length + k);
        }
    }
    return PTD_OK;
}

static ptd_status check_components(const checker *c)
{
    const ptd_trace_meta *m = c->meta;
    const uint32_t *start = u32(c, PTD_COMPONENT_START);
    const uint32_t *block = u32(c, PTD_COMPONENT_BLOCK);
    uint32_t largest = 0;
    if (start[0] != c->n_boundary) {
        return invalid(c, PTD_COMPONENT_START, 0);
    }
    for (int64_t k = 0; k < m->n_components; k++) {
        if (start[k + 1] <= start[k] || start[k + 1] > m->n_vertices) {
            return invalid(c, PTD_COMPONENT_START, k + 1);
        }
        const uint32_t size = start[k + 1] - start[k];
        largest = size > largest ? size : largest;
        if (size == 1 ? block[k] != PTD_NONE : block[k] >= m->n_blocks) {
            return invalid(c, PTD_COMPONENT_BLOCK, k);
        }
    }
    if (start[m->n_components] != m->n_vertices ||
        start[m->n_components - 1] != m->n_vertices - 1) {
        return invalid(c, PTD_COMPONENT_START, m->n_components);
    }
    return largest == m->largest_component ? PTD_OK : invalid_meta(c, META_LARGEST_COMPONENT);
}

/* ---- edges: of an absorbing vertex none; of a dropped one those that its graph has, which nothing
 * but that graph needs */

/* Edges begin..end: targets ascending in low..high, never `own`. */
static ptd_status check_targets(const checker *c, uint32_t begin, uint32_t end, int64_t low,
                                int64_t high, int64_t own)
{
    const uint32_t *target = u32(c, PTD_EDGE_TARGET);
#ifdef PTD_PLANT_BUG
    high = INT64_MAX;
#endif
    for (uint32_t e = begin; e < end; e++) {
        if (target[e] < low || target[e] >= high || target[e] == own) {
            return invalid(c, PTD_EDGE_TARGET, e);
        }
        low = (int64_t)target[e] + 1;
    }
    return PTD_OK;
}

static ptd_status check_edges_of_position(const checker *c, int64_t p, int64_t low, int64_t high)
{
    const uint32_t *start = u32(c, PTD_EDGE_START);
    const uint32_t *target = u32(c, PTD_EDGE_TARGET);
    const uint32_t external = u32(c, PTD_EDGE_EXTERNAL)[p];
    const uint32_t boundary = u32(c, PTD_EDGE_BOUNDARY)[p];
    const uint32_t self = u32(c, PTD_EDGE_SELF)[p];
    if (external < start[p] || external > start[p + 1]) {
        return invalid(c, PTD_EDGE_EXTERNAL, p);
    }
    if (boundary < external || boundary > start[p + 1]) {
        return invalid(c, PTD_EDGE_BOUNDARY, p);
    }
    if (self < boundary || self > start[p + 1]) {
        return invalid(c, PTD_EDGE_SELF, p);
    }
    const uint32_t n_self = start[p + 1] - self;
    const int may_loop = c->meta->kind == PTD_DISCRETE && p != c->meta->n_vertices - 1;
    const int64_t external_high = p < c->n_boundary ? c->meta->n_vertices - 1 : low;
    if (n_self > (may_loop ? 1u : 0u)) {
        return invalid(c, PTD_EDGE_SELF, p);
    }
    if (n_self == 1 && target[self] != p) {
        return invalid(c, PTD_EDGE_TARGET, self);
    }
    ptd_status status = check_targets(c, start[p], external, low, high, p);
    if (status == PTD_OK) {
        status = check_targets(c, external, boundary, c->n_boundary, external_high, p);
    }
    if (status == PTD_OK) {
        status = check_targets(c, boundary, self, 0, c->n_boundary, p);
    }
    return status;
}

static ptd_status check_edges(const checker *c)
{
    const ptd_trace_meta *m = c->meta;
    const uint32_t *component = u32(c, PTD_COMPONENT_START);
    const uint32_t *form = u32(c, PTD_EDGE_FORM);
    ptd_status status = check_offsets(c, PTD_EDGE_START, 0, m->n_edges);
    for (int64_t p = 0; p < c->n_boundary && status == PTD_OK; p++) {
        if (p < m->n_absorbing && u32(c, PTD_EDGE_START)[p + 1] != 0) {
            return invalid(c, PTD_EDGE_START, p + 1);
        }
        status = check_edges_of_position(c, p, 0, 0);
    }
    for (int64_t k = 0; k < m->n_components && status == PTD_OK; k++) {
        for (int64_t p = component[k]; p < component[k + 1] && status == PTD_OK; p++) {
            status = check_edges_of_position(c, p, component[k], component[k + 1]);
        }
    }
    if (status != PTD_OK) {
        return status;
    }
    for (int64_t e = 0; e < m->n_edges; e++) {
        if (form[e] >= m->n_forms) {
            return invalid(c, PTD_EDGE_FORM, e);
        }
    }
    return PTD_OK;
}

/* ---- forms and exits */

static int is_finite_bits(double value)
{
    const uint64_t exponent = (uint64_t)0x7ff << 52;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & exponent) != exponent;
}

static ptd_status check_forms(const checker *c)
{
    const int64_t n_forms = length_of(c, PTD_FORM_BASE);
    const int64_t n_parameters = c->meta->n_parameters;
    const double *base = f64(c, PTD_FORM_BASE);
    const uint32_t *start = u32(c, PTD_FORM_START);
    const uint32_t *parameter = u32(c, PTD_FORM_PARAMETER);
    const double *coefficient = f64(c, PTD_FORM_COEFFICIENT);
    ptd_status status = check_offsets(c, PTD_FORM_START, 0, length_of(c, PTD_FORM_PARAMETER));
    if (status != PTD_OK) {
        return status;
    }
    for (int64_t f = 0; f < n_forms; f++) {
        if (!is_finite_bits(base[f]) || (start[f] == start[f + 1] && base[f] < 0.0)) {
            return invalid(c, PTD_FORM_BASE, f);
        }
        int64_t least = 0;
        for (uint32_t k = start[f]; k < start[f + 1]; k++) {
            if (parameter[k] < least || parameter[k] >= n_parameters) {
                return invalid(c, PTD_FORM_PARAMETER, k);
            }
            if (!is_finite_bits(coefficient[k]) || coefficient[k] == 0.0) {
                return invalid(c, PTD_FORM_COEFFICIENT, k);
            }
            least = (int64_t)parameter[k] + 1;
        }
    }
    return PTD_OK;
}

static ptd_status check_exits(const checker *c)
{
    const int64_t n_exits = length_of(c, PTD_EXIT_START) - 1;
    const int64_t n_forms = length_of(c, PTD_FORM_BASE);
    const uint32_t *exit = u32(c, PTD_EXIT_OF_POSITION);
    const uint32_t *external = u32(c, PTD_EDGE_EXTERNAL);
    const uint32_t *self = u32(c, PTD_EDGE_SELF);
    const uint32_t *form = u32(c, PTD_EXIT_FORM);
    ptd_status status = check_offsets(c, PTD_EXIT_START, 1, length_of(c, PTD_EXIT_FORM));
    if (status != PTD_OK) {
        return status;
    }
    for (int64_t k = 0; k < length_of(c, PTD_EXIT_FORM); k++) {
        if (form[k] >= n_forms) {
            return invalid(c, PTD_EXIT_FORM, k);
        }
    }
    for (int64_t p = 0; p < c->meta->n_vertices; p++) {
        const int has_exit = p >= c->n_boundary && self[p] > external[p];
        if (has_exit ? exit[p] >= n_exits : exit[p] != PTD_NONE) {
            return invalid(c, PTD_EXIT_OF_POSITION, p);
        }
    }
    /* A single vertex is transient or the start: without a way out it could not be left. */
    const uint32_t *component = u32(c, PTD_COMPONENT_START);
    for (int64_t k = 0; k < c->meta->n_components; k++) {
        const uint32_t p = component[k];
        if (component[k + 1] - p == 1 && exit[p] == PTD_NONE) {
            return invalid(c, PTD_EXIT_OF_POSITION, p);
        }
    }
    return PTD_OK;
}

/* ---- blocks */

static ptd_status check_row_slots(const checker *c, uint32_t row, uint32_t i, uint32_t size)
{
    const uint32_t begin = u32(c, PTD_ROW_SLOT)[row];
    const uint32_t slots = u32(c, PTD_ROW_SLOT)[row + 1] - begin;
    const uint32_t lower = u32(c, PTD_ROW_LOWER)[row];
    const uint32_t *column = u32(c, PTD_SLOT_COLUMN) + begin;
    if (lower > slots - 2) { /* slots >= 2: the step of the offsets */
        return invalid(c, PTD_ROW_LOWER, row);
    }
    uint32_t least = 0;
    for (uint32_t k = 0; k < slots - 1; k++) {
        const uint32_t end = k < lower ? i : k == lower ? i + 1 : size;
        least = k == lower ? i : least;
        if (column[k] < least || column[k] >= end) {
            return invalid(c, PTD_SLOT_COLUMN, (int64_t)begin + k);
        }
        least = column[k] + 1;
    }
    return column[slots - 1] == PTD_NONE ? PTD_OK
                                         : invalid(c, PTD_SLOT_COLUMN, (int64_t)begin + slots - 1);
}

/* What a row adds to others, and how much of it: U and the exit. */
static const uint32_t *row_sources(const checker *c, uint32_t row, uint32_t *count)
{
    const uint32_t first = u32(c, PTD_ROW_LOWER)[row] + 1;
    *count = u32(c, PTD_ROW_SLOT)[row + 1] - u32(c, PTD_ROW_SLOT)[row] - first;
    return u32(c, PTD_SLOT_COLUMN) + u32(c, PTD_ROW_SLOT)[row] + first;
}

static void find_nested_rows(const checker *c, uint32_t first_row, uint32_t size)
{
    for (uint32_t k = 0; k + 1 < size; k++) {
        uint32_t count;
        uint32_t next_count;
        const uint32_t *source = row_sources(c, first_row + k, &count);
        const uint32_t *next_source = row_sources(c, first_row + k + 1, &next_count);
        c->is_nested[k] = count == next_count + 1 && source[0] == k + 1 &&
                          memcmp(source + 1, next_source, next_count * sizeof *source) == 0;
    }
    c->is_nested[size - 1] = 0;
}

typedef struct {
    const uint16_t *word;
    uint32_t at;
    uint32_t end;
    int is_wide;
} program_reader;

static inline uint32_t next_word(program_reader *r)
{
    const size_t at = r->at++;
    return r->is_wide ? (uint32_t)r->word[2 * at] | (uint32_t)r->word[2 * at + 1] << 16
                      : r->word[at];
}

/* One group's destinations, listed: each must be a slot with its source's column. `diagonal`
 * receives whether one of them is the row's diagonal. */
static int listed_destinations_fit(program_reader *r, const uint32_t *source, uint32_t count,
                                   const uint32_t *column, uint32_t slots, uint32_t lower,
                                   int *diagonal)
{
    if (r->end - r->at < count) {
        return 0;
    }
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t slot = next_word(r);
        if (slot >= slots || column[slot] != source[k]) {
            return 0;
        }
        *diagonal |= slot == lower;
    }
    return 1;
}

/* The same for runs, which must cover the sources in order and without gaps. */
static int run_destinations_fit(program_reader *r, uint32_t n_runs, const uint32_t *source,
                                uint32_t count, const uint32_t *column, uint32_t slots,
                                uint32_t lower, int *diagonal)
{
    if ((r->end - r->at) / 3 < n_runs) {
        return 0;
    }
    uint32_t covered = 0;
    for (uint32_t k = 0; k < n_runs; k++) {
        const uint32_t first = next_word(r);
        const uint32_t slot = next_word(r);
        const uint32_t length = next_word(r);
        if (first != covered || length == 0 || length > count - covered || slot >= slots ||
            length > slots - slot ||
            memcmp(column + slot, source + first, length * sizeof *column) != 0) {
            return 0;
        }
        *diagonal |= slot <= lower && lower - slot < length;
        covered += length;
    }
    return covered == count;
}

static ptd_status check_row_program(const checker *c, uint32_t first_row, uint32_t row,
                                    block_work *work)
{
    const uint32_t begin = u32(c, PTD_ROW_PROGRAM)[row];
    const uint32_t n_words = u32(c, PTD_ROW_PROGRAM)[row + 1] - begin;
    const uint32_t slots = u32(c, PTD_ROW_SLOT)[row + 1] - u32(c, PTD_ROW_SLOT)[row];
    const uint32_t lower = u32(c, PTD_ROW_LOWER)[row];
    const uint32_t *column = u32(c, PTD_SLOT_COLUMN) + u32(c, PTD_ROW_SLOT)[row];
    const int is_wide = slots > PTD_PROGRAM_NARROW_SLOTS;
    program_reader r = {.word = (const uint16_t *)c->arrays[PTD_PROGRAM].data + begin,
                        .end = is_wide ? n_words / 2 : n_words,
                        .is_wide = is_wide};
    if (is_wide && n_words % 2 != 0) {
        return invalid(c, PTD_ROW_PROGRAM, (int64_t)row + 1);
    }
    uint32_t used = 0;
    while (used < lower) {
        const int64_t group_at = (int64_t)begin + (int64_t)r.at * (is_wide ? 2 : 1);
        if (r.at >= r.end) {
            return invalid(c, PTD_PROGRAM, group_at);
        }
        const uint32_t head = next_word(&r);
        const uint32_t rows = (head & (PTD_PROGRAM_MAX_GROUP - 1)) + 1;
        const uint32_t n_runs = head >> PTD_HEAD_COUNT_SHIFT;
        if (rows > lower - used) {
            return invalid(c, PTD_PROGRAM, group_at);
        }
        const uint32_t first = column[used];
        for (uint32_t k = 1; k < rows; k++) {
            if (column[used + k] != first + k || !c->is_nested[first + k - 1]) {
                return invalid(c, PTD_PROGRAM, group_at);
            }
        }
        uint32_t count;
        const uint32_t *source = row_sources(c, first_row + first + rows - 1, &count);
        int diagonal = 0;
        const int fits =
            head & PTD_HEAD_RUNS
                ? run_destinations_fit(&r, n_runs, source, count, column, slots, lower, &diagonal)
                : n_runs == 0 &&
                      listed_destinations_fit(&r, source, count, column, slots, lower, &diagonal);
        if (!fits) {
            return invalid(c, PTD_PROGRAM, group_at);
        }
        const int64_t inside = (int64_t)rows * (rows - 1) / 2;
        const int64_t added = (int64_t)rows * (count - (diagonal ? 1u : 0u)) + inside;
        if (__builtin_add_overflow(work->multiply_adds, added, &work->multiply_adds)) {
            return invalid_meta(c, META_MULTIPLY_ADDS);
        }
        used += rows;
    }
    if (r.at != r.end) {
        return invalid(c, PTD_ROW_PROGRAM, (int64_t)row + 1);
    }
    work->lower += lower;
    work->upper += slots - 2 - lower;
    return PTD_OK;
}

static ptd_status check_block_offsets(const checker *c)
{
    const struct {
        ptd_trace_array_id id;
        uint32_t step;
        ptd_trace_array_id into;
    } offsets[] = {{PTD_ROW_SLOT, 2, PTD_SLOT_COLUMN},
                   {PTD_ENTRY_START, 0, PTD_ENTRY_SLOT},
                   {PTD_ROW_PROGRAM, 0, PTD_PROGRAM}};
    ptd_status status = check_offsets(c, PTD_BLOCK_ROW, 2, length_of(c, PTD_ROW_LOWER));
    for (int k = 0; k < 3 && status == PTD_OK; k++) {
        status = check_offsets(c, offsets[k].id, offsets[k].step, length_of(c, offsets[k].into));
    }
    return status;
}

static ptd_status check_block(const checker *c, int64_t block, block_work *work)
{
    const uint32_t first_row = u32(c, PTD_BLOCK_ROW)[block];
    const uint32_t size = u32(c, PTD_BLOCK_ROW)[block + 1] - first_row;
    ptd_status status = PTD_OK;
    if (size > c->meta->largest_component) {
        return invalid(c, PTD_BLOCK_ROW, block + 1);
    }
    *work = (block_work){0};
    for (uint32_t i = 0; i < size && status == PTD_OK; i++) {
        status = check_row_slots(c, first_row + i, i, size);
    }
    if (status != PTD_OK) {
        return status;
    }
    find_nested_rows(c, first_row, size);
    for (uint32_t i = 0; i < size && status == PTD_OK; i++) {
        status = check_row_program(c, first_row, first_row + i, work);
    }
    return status;
}

/* The row's entries are the position's internal edges: the same columns in the same order. */
static ptd_status check_entries(const checker *c, uint32_t row, uint32_t position,
                                uint32_t component_start)
{
    const uint32_t begin = u32(c, PTD_ENTRY_START)[row];
    const uint32_t count = u32(c, PTD_ENTRY_START)[row + 1] - begin;
    const uint32_t first_edge = u32(c, PTD_EDGE_START)[position];
    const uint32_t *target = u32(c, PTD_EDGE_TARGET) + first_edge;
    const uint32_t slots = u32(c, PTD_ROW_SLOT)[row + 1] - u32(c, PTD_ROW_SLOT)[row];
    const uint32_t *column = u32(c, PTD_SLOT_COLUMN) + u32(c, PTD_ROW_SLOT)[row];
    const uint32_t *slot = u32(c, PTD_ENTRY_SLOT) + begin;
    if (count != u32(c, PTD_EDGE_EXTERNAL)[position] - first_edge) {
        return invalid(c, PTD_ENTRY_START, (int64_t)row + 1);
    }
    for (uint32_t e = 0; e < count; e++) {
        if (slot[e] >= slots || column[slot[e]] != target[e] - component_start) {
            return invalid(c, PTD_ENTRY_SLOT, (int64_t)begin + e);
        }
    }
    return PTD_OK;
}

/* Components that share a block have the same weights: forms of internal edges, and exit sums. */
static ptd_status check_same_weights(const checker *c, int64_t component, uint32_t position,
                                     uint32_t first_position)
{
    const uint32_t *start = u32(c, PTD_EDGE_START);
    const uint32_t *form = u32(c, PTD_EDGE_FORM);
    const uint32_t *exit = u32(c, PTD_EXIT_OF_POSITION);
    const uint32_t count = u32(c, PTD_EDGE_EXTERNAL)[position] - start[position];
    if (exit[position] != exit[first_position] ||
        memcmp(form + start[position], form + start[first_position], count * sizeof *form) != 0) {
        return invalid(c, PTD_COMPONENT_BLOCK, component);
    }
    return PTD_OK;
}

/* What one more component with this block adds to the totals. */
static int add_component(block_work *total, int64_t *n_internal, const block_work *work,
                         int64_t internal)
{
    *n_internal += internal;
    total->lower += work->lower;
    total->upper += work->upper;
    return !__builtin_add_overflow(total->multiply_adds, work->multiply_adds,
                                   &total->multiply_adds);
}

static ptd_status check_component(const checker *c, int64_t component, int is_first)
{
    const uint32_t block = u32(c, PTD_COMPONENT_BLOCK)[component];
    const uint32_t start = u32(c, PTD_COMPONENT_START)[component];
    const uint32_t size = u32(c, PTD_COMPONENT_START)[component + 1] - start;
    const uint32_t row = u32(c, PTD_BLOCK_ROW)[block];
    const uint32_t first_position = u32(c, PTD_BLOCK_POSITION)[block];
    ptd_status status = PTD_OK;
    if (u32(c, PTD_BLOCK_ROW)[block + 1] - row != size) {
        return invalid(c, PTD_COMPONENT_BLOCK, component);
    }
    if (is_first && first_position != start) {
        return invalid(c, PTD_BLOCK_POSITION, block);
    }
    for (uint32_t i = 0; i < size && status == PTD_OK; i++) {
        status = check_entries(c, row + i, start + i, start);
        if (status == PTD_OK && !is_first) {
            status = check_same_weights(c, component, start + i, first_position + i);
        }
    }
    return status;
}

static ptd_status check_totals(const checker *c, const block_work *total, int64_t n_internal)
{
    const ptd_trace_meta *m = c->meta;
    if (total->multiply_adds != m->multiply_adds) {
        return invalid_meta(c, META_MULTIPLY_ADDS);
    }
    if (total->lower != m->lower_entries) {
        return invalid_meta(c, META_LOWER_ENTRIES);
    }
    if (total->upper != m->upper_entries) {
        return invalid_meta(c, META_UPPER_ENTRIES);
    }
    return total->lower + total->upper - n_internal == m->fill_in ? PTD_OK
                                                                  : invalid_meta(c, META_FILL_IN);
}

/* `work` has room for every block. */
static ptd_status check_blocks(const checker *c, block_work *work)
{
    const ptd_trace_meta *m = c->meta;
    const uint32_t *component_block = u32(c, PTD_COMPONENT_BLOCK);
    const uint32_t *entry = u32(c, PTD_ENTRY_START);
    const uint32_t *block_row = u32(c, PTD_BLOCK_ROW);
    block_work total = {0};
    int64_t n_internal = 0;
    int64_t n_used = 0;
    ptd_status status = check_block_offsets(c);
    for (int64_t b = 0; b < m->n_blocks && status == PTD_OK; b++) {
        status = check_block(c, b, &work[b]);
    }
    clear_marks(c, m->n_blocks);
    for (int64_t k = 0; k < m->n_components && status == PTD_OK; k++) {
        const uint32_t b = component_block[k];
        if (b == PTD_NONE) {
            continue;
        }
        const int is_first = mark(c->seen, b);
        n_used += is_first;
        status = check_component(c, k, is_first);
        const int64_t internal = (int64_t)entry[block_row[b + 1]] - entry[block_row[b]];
        if (status == PTD_OK && !add_component(&total, &n_internal, &work[b], internal)) {
            status = invalid_meta(c, META_MULTIPLY_ADDS);
        }
    }
    if (status != PTD_OK) {
        return status;
    }
    return n_used == m->n_blocks ? check_totals(c, &total, n_internal)
                                 : invalid_meta(c, META_N_BLOCKS);
}

ptd_status ptd_trace_validate(const ptd_trace_meta *meta,
                              const ptd_array arrays[PTD_TRACE_ARRAY_COUNT], ptd_error *error)
{
    checker c = {.meta = meta, .arrays = arrays, .error = error};
    block_work *work = NULL;
    ptd_status status = check_meta(&c);
    if (status == PTD_OK) {
        status = check_lengths(&c);
    }
    if (status != PTD_OK) {
        return status;
    }
    c.n_boundary = meta->n_absorbing + meta->n_dropped;
    /* n_blocks < n_components <= n_vertices: the lengths bound what is allocated here. */
    c.seen = ptd_allocate((size_t)meta->n_vertices / 64 + 1, sizeof *c.seen);
    c.is_nested = ptd_allocate((size_t)meta->largest_component, sizeof *c.is_nested);
    work = ptd_allocate((size_t)meta->n_blocks, sizeof *work);
    if (!c.seen || !c.is_nested || !work) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0);
        goto done;
    }
    static ptd_status (*const passes[])(const checker *) = {
        check_positions, check_states, check_components, check_edges, check_forms, check_exits,
    };
    for (size_t k = 0; k < sizeof passes / sizeof *passes && status == PTD_OK; k++) {
        status = passes[k](&c);
    }
    if (status == PTD_OK) {
        status = check_blocks(&c, work);
    }
done:
    ptd_release(c.seen);
    ptd_release(c.is_nested);
    ptd_release(work);
    return status;
}
