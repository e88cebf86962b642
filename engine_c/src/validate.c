/* Validation: every index of every array, once.
 *
 * The passes go from what is known to what it implies: lengths from the meta data, then vertices,
 * components, edges, forms and exits, then the blocks row by row, and at last the components
 * against their blocks. Each pass reads only what the passes before have shown to be in bounds.
 *
 * Exit sums (validate_exits.c) and blocks (validate_blocks.c) are checked for their meaning, too:
 * with the content hash, that makes a trace the trace of its graph and no other.
 *
 * Built with PTD_PLANT_BUG one check is missing, for tests that must be seen to fail.
 */
#include "validate.h"

#include <string.h>

#include "checker.h"
#include "memory.h"

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

/* ---- vertices and components */

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

/* Dropped vertices that others lead into are traps: they, and all that they lead to, have edges
 * and lead to dropped vertices alone. `queue` has room for every dropped vertex. */
static ptd_status check_traps(const checker *c, uint32_t *queue)
{
    const uint32_t *start = u32(c, PTD_EDGE_START);
    const uint32_t *target = u32(c, PTD_EDGE_TARGET);
    const int64_t first = c->meta->n_absorbing;
    int64_t end = 0;
    clear_marks(c, c->n_boundary);
    for (int64_t e = start[c->n_boundary]; e < c->meta->n_edges; e++) {
        if (target[e] >= first && target[e] < c->n_boundary && mark(c->seen, target[e])) {
            queue[end++] = target[e];
        }
    }
    for (int64_t at = 0; at < end; at++) {
        for (uint32_t e = start[queue[at]]; e < start[queue[at] + 1]; e++) {
            if (target[e] < first || target[e] >= c->n_boundary) {
                return invalid(c, PTD_EDGE_TARGET, e);
            }
            if (mark(c->seen, target[e])) {
                queue[end++] = target[e];
            }
        }
    }
    for (int64_t p = first; p < c->n_boundary; p++) {
        if (start[p] == start[p + 1]) {
            return invalid(c, PTD_EDGE_START, p + 1);
        }
    }
    return PTD_OK;
}

static ptd_status check_dropped(const checker *c)
{
    uint32_t *queue = ptd_allocate((size_t)c->meta->n_dropped, sizeof *queue);
    ptd_status status = queue ? check_traps(c, queue) : ptd_fail(c->error, PTD_NO_MEMORY, 0, 0);
    ptd_release(queue);
    return status;
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
    const double *base = c->arrays[PTD_FORM_BASE].data;
    const uint32_t *start = u32(c, PTD_FORM_START);
    const uint32_t *parameter = u32(c, PTD_FORM_PARAMETER);
    const double *coefficient = c->arrays[PTD_FORM_COEFFICIENT].data;
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

ptd_status ptd_trace_validate(const ptd_trace_meta *meta,
                              const ptd_array arrays[PTD_TRACE_ARRAY_COUNT], ptd_error *error)
{
    static ptd_status (*const passes[])(const checker *) = {
        check_positions, check_states, check_components,       check_edges,         check_dropped,
        check_forms,     check_exits,  ptd_validate_exit_sums, ptd_validate_blocks,
    };
    checker c = {.meta = meta, .arrays = arrays, .error = error};
    ptd_status status = check_meta(&c);
    if (status == PTD_OK) {
        status = check_lengths(&c);
    }
    if (status != PTD_OK) {
        return status;
    }
    c.n_boundary = meta->n_absorbing + meta->n_dropped;
    c.seen = ptd_allocate((size_t)meta->n_vertices / 64 + 1, sizeof *c.seen);
    if (!c.seen) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0);
    }
    for (size_t k = 0; k < sizeof passes / sizeof *passes && status == PTD_OK; k++) {
        status = passes[k](&c);
    }
    ptd_release(c.seen);
    return status;
}
