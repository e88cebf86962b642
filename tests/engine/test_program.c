/* Programs: the very words for patterns small enough to write them down, and the limits of the
 * format. That programs compute what they should is shown in test_record.c. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A pattern given row by row, as a list of columns that ends with -1. */
typedef struct {
    ptd_symbolic symbolic;
    ptd_program program;
    uint32_t *row_end;
} fixture;

static void add_row(fixture *f, const int32_t *columns)
{
    ptd_symbolic *s = &f->symbolic;
    int32_t row = s->n++;
    int64_t end = s->start[row];
    s->lower[row] = 0;
    for (; *columns >= 0; columns++) {
        s->column[end++] = *columns;
        s->lower[row] += *columns < row;
    }
    s->start[row + 1] = end;
}

static fixture new_fixture(size_t rows, size_t entries)
{
    fixture f;
    memset(&f, 0, sizeof f);
    f.symbolic.start = calloc(rows + 1, sizeof *f.symbolic.start);
    f.symbolic.lower = calloc(rows + 1, sizeof *f.symbolic.lower);
    f.symbolic.column = calloc(entries + 1, sizeof *f.symbolic.column);
    f.row_end = calloc(rows + 1, sizeof *f.row_end);
    if (!f.symbolic.start || !f.symbolic.lower || !f.symbolic.column || !f.row_end) {
        exit(2);
    }
    return f;
}

static void destroy_fixture(fixture *f)
{
    free(f->symbolic.start);
    free(f->symbolic.lower);
    free(f->symbolic.column);
    free(f->row_end);
    ptd_program_destroy(&f->program);
}

static ptd_status append(fixture *f)
{
    return ptd_program_append(&f->symbolic, SIZE_MAX, f->row_end, &f->program, NULL);
}

#define ROW(f, ...) add_row(f, (const int32_t[]){__VA_ARGS__})
#define WORDS(f, row, ...)                                                                         \
    check_words(f, row, (const uint16_t[]){__VA_ARGS__},                                           \
                sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static void check_words(const fixture *f, int32_t row, const uint16_t *words, size_t count)
{
    size_t begin = row ? f->row_end[row - 1] : 0;
    CHECK(f->row_end[row] - begin == count);
    CHECK(f->row_end[row] - begin == count &&
          memcmp(f->program.words + begin, words, count * sizeof *words) == 0);
}

enum { RUNS = 4 };

/* The ring of three: 0 -> 1 -> 2 -> 0. Row 2 takes over (2 <- 0 -> 1), then (2 <- 1 -> 2). Rows 0
 * and 1 are not nested: U(0) = {1}, U(1) = {2}. */
static void test_ring(void)
{
    fixture f = new_fixture(3, 8);
    ROW(&f, 1, -1);
    ROW(&f, 2, -1);
    ROW(&f, 0, 1, -1);
    CHECK(append(&f) == PTD_OK);
    CHECK(f.row_end[0] == 0 && f.row_end[1] == 0);
    /* Slots of row 2: L 0, L 1, diagonal, exit. */
    WORDS(&f, 2, 0, 1, 3, 0, 2, 3);
    destroy_fixture(&f);
}

/* Complete on 7: U(k) = {k + 1, ..}. Row 6 has a group of four, then one of two. */
static void test_complete(void)
{
    fixture f = new_fixture(7, 42);
    for (int32_t i = 0; i < 7; i++) {
        int32_t columns[7];
        int count = 0;
        for (int32_t j = 0; j < 7; j++) {
            if (j != i) {
                columns[count++] = j;
            }
        }
        columns[count] = -1;
        add_row(&f, columns);
    }
    CHECK(append(&f) == PTD_OK);
    CHECK(f.row_end[0] == 0);
    /* U(0) = 1..6 and the exit to the diagonal, U and exit: one run of 7. */
    WORDS(&f, 1, 0 | RUNS | 1 << 3, 0, 1, 7);
    WORDS(&f, 2, 1 | RUNS | 1 << 3, 0, 2, 6);
    WORDS(&f, 3, 2 | RUNS | 1 << 3, 0, 3, 5);
    WORDS(&f, 4, 3 | RUNS | 1 << 3, 0, 4, 4);
    /* U(3) = 4, 5, 6 and the exit: four words as a list against three; then U(4) = 5, 6, exit: as
     * many either way, so a list. */
    WORDS(&f, 5, 3 | RUNS | 1 << 3, 0, 4, 4, 0, 5, 6, 7);
    WORDS(&f, 6, 3 | RUNS | 1 << 3, 0, 4, 4, 1, 6, 7);
    destroy_fixture(&f);
}

/* U(0) and U(1) agree in size (but for column 1) and in their first, middle and last columns, and
 * differ in between: no group, or row 9 would be wrong. */
static void test_almost_nested(void)
{
    fixture f = new_fixture(12, 64);
    ROW(&f, 1, 2, 3, 6, 9, 10, -1);
    ROW(&f, 2, 4, 6, 9, 10, -1);
    for (int row = 2; row < 9; row++) {
        ROW(&f, -1);
    }
    ROW(&f, 0, 1, 2, 3, 4, 6, 10, -1);
    ROW(&f, -1);
    ROW(&f, -1);
    CHECK(append(&f) == PTD_OK);
    /* Slots of row 9: 0 1 2 3 4 6 | diagonal 6 | 10 at 7 | exit 8. U(0) = 1, 2, 3, 6, 9, 10, exit
     * at slots 1, 2, 3, 5, 6, 7, 8: two runs would take six words, a list seven. */
    uint32_t begin = f.row_end[8];
    const uint16_t expected[] = {
        0 | RUNS | 2 << 3, 0, 1, 3, 3, 5, 4, 0, 2, 4, 5, 6, 7, 8, 0, 8, 0, 8, 0, 8, 0, 8};
    CHECK(f.row_end[9] - begin == sizeof expected / sizeof *expected);
    CHECK(memcmp(f.program.words + begin, expected, sizeof expected) == 0);
    destroy_fixture(&f);
}

/* Row 1 has all columns; U(0) lacks every fifth, so that it falls into runs of four. */
static fixture broken_runs(int32_t n)
{
    fixture f = new_fixture((size_t)n, 2 * (size_t)n);
    int32_t *columns = malloc(((size_t)n + 1) * sizeof *columns);
    if (!columns) {
        exit(2);
    }
    int32_t count = 0;
    for (int32_t j = 1; j < n; j++) {
        if (j % 5 != 0) {
            columns[count++] = j;
        }
    }
    columns[count] = -1;
    add_row(&f, columns);
    columns[0] = 0;
    for (int32_t j = 2; j < n; j++) {
        columns[j - 1] = j;
    }
    columns[n - 1] = -1;
    add_row(&f, columns);
    for (int32_t row = 2; row < n; row++) {
        ROW(&f, -1);
    }
    free(columns);
    return f;
}

static size_t row_words(const fixture *f, int32_t row)
{
    return f->row_end[row] - f->row_end[row - 1];
}

/* A 16-bit head counts 8,191 runs; where there are more the list is taken though it is longer. */
static void test_most_runs(void)
{
    /* Columns 1 .. 40954 without every fifth: 8,191 runs, the last one with the exit. */
    fixture f = broken_runs(5 * 8190 + 5);
    CHECK(append(&f) == PTD_OK);
    CHECK(f.program.words[0] == (RUNS | 8191 << 3));
    CHECK(row_words(&f, 1) == 1 + 3 * 8191);
    destroy_fixture(&f);
    f = broken_runs(5 * 8191 + 5);
    CHECK(append(&f) == PTD_OK);
    CHECK(f.program.words[0] == 0);
    CHECK(row_words(&f, 1) == 1 + 4 * 8192 + 1);
    destroy_fixture(&f);
}

/* 65,535 slots are numbered by 16 bits; with one more all words of the row take 32, low half
 * first. */
static void test_width(void)
{
    fixture f = broken_runs(65534);
    CHECK(append(&f) == PTD_OK);
    CHECK(f.program.words[0] == 0);
    CHECK(row_words(&f, 1) == (size_t)f.symbolic.start[1] + 2);
    CHECK(f.program.words[f.program.n_words - 1] == 65534);
    destroy_fixture(&f);
    f = broken_runs(65535);
    CHECK(append(&f) == PTD_OK);
    uint32_t runs = 13107;
    CHECK(row_words(&f, 1) == 2 * (1 + 3 * (size_t)runs));
    CHECK(f.program.words[0] == (uint16_t)(RUNS | runs << 3));
    CHECK(f.program.words[1] == runs >> 13);
    /* The last run: columns 65531 .. 65534 and the exit, to slot 65531 (columns 0 to 65530 and 1
     * itself come before, from 0). */
    const uint16_t *last = f.program.words + f.program.n_words - 6;
    CHECK(last[0] == 4 * (runs - 1) && last[1] == (4 * (runs - 1)) >> 16);
    CHECK(last[2] == 65531 && last[3] == 0);
    CHECK(last[4] == 5 && last[5] == 0);
    destroy_fixture(&f);
    f = broken_runs(65600);
    CHECK(append(&f) == PTD_OK);
    last = f.program.words + f.program.n_words - 6;
    CHECK(last[2] == (uint16_t)65596 && last[3] == 1);
    CHECK(last[4] == 5 && last[5] == 0);
    destroy_fixture(&f);
}

static void test_bound_and_repeat(void)
{
    fixture f = new_fixture(3, 8);
    ptd_error error;
    ROW(&f, 1, -1);
    ROW(&f, 2, -1);
    ROW(&f, 0, 1, -1);
    CHECK(ptd_program_append(&f.symbolic, 5, f.row_end, &f.program, &error) == PTD_TRACE_TOO_LARGE);
    CHECK(error.value == 6.0);
    ptd_program_destroy(&f.program);
    CHECK(ptd_program_append(&f.symbolic, 6, f.row_end, &f.program, &error) == PTD_OK);
    CHECK(ptd_program_repeat(&f.program, 0, 6, 11, &error) == PTD_TRACE_TOO_LARGE);
    CHECK(error.value == 12.0 && f.program.n_words == 6);
    CHECK(ptd_program_repeat(&f.program, 0, 6, 12, &error) == PTD_OK);
    CHECK(f.program.n_words == 12);
    CHECK(memcmp(f.program.words, f.program.words + 6, 6 * sizeof(uint16_t)) == 0);
    destroy_fixture(&f);
}

int main(void)
{
    test_ring();
    test_complete();
    test_almost_nested();
    test_most_runs();
    test_width();
    test_bound_and_repeat();
    return check_result();
}
