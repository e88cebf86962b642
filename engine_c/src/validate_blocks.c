/* Validation of blocks: rows, programs, and the components that share them. See validate.h.
 *
 * A block is checked for its meaning too, since that costs no more than reading it: a destination
 * must stand for the same column as its source, the groups of a row must use up its L, and the
 * entries must be the component's internal edges. Fill that a row's program needs is thereby there.
 */
#include "checker.h"

#include "memory.h"
#include "program_format.h"

/* Work and size of one block. */
typedef struct {
    int64_t lower;
    int64_t upper;
    int64_t multiply_adds;
} block_work;

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

static void find_nested_rows(const checker *c, uint32_t first_row, uint32_t size,
                             uint8_t *is_nested)
{
    for (uint32_t k = 0; k + 1 < size; k++) {
        uint32_t count;
        uint32_t next_count;
        const uint32_t *source = row_sources(c, first_row + k, &count);
        const uint32_t *next_source = row_sources(c, first_row + k + 1, &next_count);
        is_nested[k] = count == next_count + 1 && source[0] == k + 1 &&
                       memcmp(source + 1, next_source, next_count * sizeof *source) == 0;
    }
    is_nested[size - 1] = 0;
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
                                    const uint8_t *is_nested, block_work *work)
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
            if (column[used + k] != first + k || !is_nested[first + k - 1]) {
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

/* `is_nested` has room for the rows of the largest block. */
static ptd_status check_block(const checker *c, int64_t block, uint8_t *is_nested, block_work *work)
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
    find_nested_rows(c, first_row, size, is_nested);
    for (uint32_t i = 0; i < size && status == PTD_OK; i++) {
        status = check_row_program(c, first_row, first_row + i, is_nested, work);
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
static ptd_status check_blocks(const checker *c, uint8_t *is_nested, block_work *work)
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
        status = check_block(c, b, is_nested, &work[b]);
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

ptd_status ptd_validate_blocks(const checker *c)
{
    /* n_blocks < n_components <= n_vertices: the lengths bound what is allocated here. */
    uint8_t *is_nested = ptd_allocate((size_t)c->meta->largest_component, sizeof *is_nested);
    block_work *work = ptd_allocate((size_t)c->meta->n_blocks, sizeof *work);
    ptd_status status = is_nested && work ? check_blocks(c, is_nested, work)
                                          : ptd_fail(c->error, PTD_NO_MEMORY, 0, 0);
    ptd_release(is_nested);
    ptd_release(work);
    return status;
}
