/* Program of a block. See program.h; the word format is in ptd.h.
 *
 * Row k is nested in row k + 1 where U(k) = {k + 1} + U(k + 1). That is decided by comparing the
 * two patterns in full, where their sizes allow it: linear in the entries of U. Groups then are
 * what a greedy pass over a row's L finds; a supernode (rows nested in a chain) falls into groups
 * of four.
 */
#include "program.h"

#include <string.h>

#include "grow.h"
#include "memory.h"
#include "status.h"

static int64_t upper_size(const ptd_symbolic *symbolic, int32_t row)
{
    return symbolic->start[row + 1] - symbolic->start[row] - symbolic->lower[row];
}

static const int32_t *upper_columns(const ptd_symbolic *symbolic, int32_t row)
{
    return symbolic->column + symbolic->start[row] + symbolic->lower[row];
}

static void find_nested_rows(const ptd_symbolic *symbolic, uint8_t *is_nested)
{
    int32_t n = symbolic->n;
    for (int32_t k = 0; k < n - 1; k++) {
        int64_t size = upper_size(symbolic, k + 1);
        const int32_t *column = upper_columns(symbolic, k);
        is_nested[k] =
            upper_size(symbolic, k) == size + 1 && column[0] == k + 1 &&
            memcmp(column + 1, upper_columns(symbolic, k + 1), (size_t)size * sizeof *column) == 0;
    }
    is_nested[n - 1] = 0;
}

/* The slot of every column of the row; other columns keep what they had. */
static void number_slots(const ptd_symbolic *symbolic, int32_t row, uint32_t *slot_of)
{
    const int32_t *column = symbolic->column + symbolic->start[row];
    int64_t entries = symbolic->start[row + 1] - symbolic->start[row];
    int64_t lower = symbolic->lower[row];
    for (int64_t p = 0; p < lower; p++) {
        slot_of[column[p]] = (uint32_t)p;
    }
    slot_of[row] = (uint32_t)lower;
    for (int64_t p = lower; p < entries; p++) {
        slot_of[column[p]] = (uint32_t)(p + 1);
    }
}

static inline void put_word(uint16_t *words, size_t index, uint32_t value, int wide)
{
    if (wide) {
        words[2 * index] = (uint16_t)value;
        words[2 * index + 1] = (uint16_t)(value >> 16);
    } else {
        words[index] = (uint16_t)value;
    }
}

/* One group; returns its length in words of the row's width. Sources are `column[0..size)` and then
 * the exit. Inlined twice, so that the width costs nothing inside the loops. */
static inline __attribute__((always_inline)) size_t put_group(uint16_t *words, int rows,
                                                              const int32_t *column, size_t size,
                                                              const uint32_t *slot_of,
                                                              uint32_t exit_slot, int wide)
{
    const uint32_t max_count = (wide ? UINT32_MAX : UINT16_MAX) >> PTD_HEAD_COUNT_SHIFT;
    uint32_t expected = PTD_NONE;
    size_t n_runs = 0;
    for (size_t e = 0; e < size; e++) {
        uint32_t slot = slot_of[column[e]];
        put_word(words, 1 + e, slot, wide);
        n_runs += slot != expected;
        expected = slot + 1;
    }
    put_word(words, 1 + size, exit_slot, wide);
    n_runs += exit_slot != expected;
    if (3 * n_runs >= size + 1 || n_runs > max_count) {
        put_word(words, 0, (uint32_t)(rows - 1), wide);
        return 1 + size + 1;
    }
    put_word(words, 0,
             (uint32_t)(rows - 1) | PTD_HEAD_RUNS | (uint32_t)n_runs << PTD_HEAD_COUNT_SHIFT, wide);
    size_t next = 1;
    for (size_t e = 0; e <= size;) {
        size_t first = e;
        uint32_t slot = e < size ? slot_of[column[e]] : exit_slot;
        expected = slot;
        while (e <= size && (e < size ? slot_of[column[e]] : exit_slot) == expected) {
            e++;
            expected++;
        }
        put_word(words, next++, (uint32_t)first, wide);
        put_word(words, next++, slot, wide);
        put_word(words, next++, (uint32_t)(e - first), wide);
    }
    return next;
}

static ptd_status append_row(const ptd_symbolic *symbolic, int32_t row, const uint8_t *is_nested,
                             const uint32_t *slot_of, size_t max_words, ptd_program *program,
                             ptd_error *error)
{
    const int32_t *lower = symbolic->column + symbolic->start[row];
    int32_t n_lower = symbolic->lower[row];
    int64_t slots = symbolic->start[row + 1] - symbolic->start[row] + 2;
    uint32_t exit_slot = (uint32_t)(slots - 1);
    int wide = slots > PTD_PROGRAM_NARROW_SLOTS;
    for (int32_t a = 0; a < n_lower;) {
        int32_t last = lower[a];
        int rows = 1;
        while (rows < PTD_PROGRAM_MAX_GROUP && a + rows < n_lower && lower[a + rows] == last + 1 &&
               is_nested[last]) {
            last++;
            rows++;
        }
        a += rows;
        size_t size = (size_t)upper_size(symbolic, last);
        const int32_t *column = upper_columns(symbolic, last);
        if (!ptd_grow(&program->words, &program->capacity, program->n_words + 2 * (size + 2),
                      sizeof *program->words)) {
            return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        }
        uint16_t *words = program->words + program->n_words;
        if (wide) {
            program->n_words += 2 * put_group(words, rows, column, size, slot_of, exit_slot, 1);
        } else {
            program->n_words += put_group(words, rows, column, size, slot_of, exit_slot, 0);
        }
        if (program->n_words > max_words) {
            return ptd_fail(error, PTD_TRACE_TOO_LARGE, 0, (double)program->n_words);
        }
    }
    return PTD_OK;
}

ptd_status ptd_program_append(const ptd_symbolic *symbolic, size_t max_words, uint32_t *row_end,
                              ptd_program *program, ptd_error *error)
{
    ptd_status status = PTD_OK;
    size_t n = (size_t)symbolic->n;
    uint8_t *is_nested = ptd_allocate(n, sizeof *is_nested);
    uint32_t *slot_of = ptd_allocate(n, sizeof *slot_of);
    if (!is_nested || !slot_of) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    find_nested_rows(symbolic, is_nested);
    for (int32_t row = 0; row < symbolic->n; row++) {
        number_slots(symbolic, row, slot_of);
        status = append_row(symbolic, row, is_nested, slot_of, max_words, program, error);
        if (status != PTD_OK) {
            goto out;
        }
        row_end[row] = (uint32_t)program->n_words;
    }
out:
    ptd_release(is_nested);
    ptd_release(slot_of);
    return status;
}

ptd_status ptd_program_repeat(ptd_program *program, size_t begin, size_t count, size_t max_words,
                              ptd_error *error)
{
    size_t n_words = program->n_words + count;
    if (n_words > max_words) {
        return ptd_fail(error, PTD_TRACE_TOO_LARGE, 0, (double)n_words);
    }
    if (!ptd_grow(&program->words, &program->capacity, n_words, sizeof *program->words)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    if (count > 0) {
        memcpy(program->words + program->n_words, program->words + begin,
               count * sizeof *program->words);
    }
    program->n_words = n_words;
    return PTD_OK;
}

void ptd_program_destroy(ptd_program *program)
{
    ptd_release(program->words);
    *program = (ptd_program){0};
}
