/* Symbolic elimination, row by row (up-looking).
 *
 * Row i of the eliminated pattern is what its entries reach through rows k < i: a depth-first
 * search over the U parts already known. Symmetric pruning (S. C. Eisenstat and J. W. H. Liu,
 * SIAM J. Matrix Anal. Appl. 13, 1992) keeps the search near-linear in its output: once i is met in
 * U(k) from row i, all of U(k) beyond i is in U(i), so that later searches need look at U(k) only
 * up to i. Rows are found unsorted and sorted at the end by transposing twice, in linear time.
 */
#include "symbolic.h"

#include <string.h>

#include "memory.h"
#include "status.h"

/* Rows of one triangle, appended one after the other. */
typedef struct {
    int64_t *start;
    int32_t *column;
    int64_t capacity;
} triangle;

typedef struct {
    const ptd_pattern *pattern;
    const int32_t *order;
    int32_t *position; /* of each vertex in the order */
    int64_t max_entries;
    triangle lower;
    triangle upper;
    int64_t *pruned_end; /* row k: the search looks at upper.column[start[k] .. pruned_end[k]] */
    uint8_t *is_pruned;
    int32_t *mark; /* the last row that met a column */
} elimination;

/* Room for `needed` entries in all; a row never outgrows it by more than n. */
static int reserve(triangle *t, int64_t needed)
{
    if (needed <= t->capacity) {
        return 1;
    }
    int64_t capacity = needed + needed / 2;
    int32_t *column = ptd_reallocate(t->column, (size_t)capacity, sizeof *column);
    if (!column) {
        return 0;
    }
    t->column = column;
    t->capacity = capacity;
    return 1;
}

/* Entries of U(k) up to and including column i to the front: the rest is reached through row i. */
static void prune(elimination *e, int32_t k, int32_t i)
{
    int32_t *column = e->upper.column;
    int64_t low = e->upper.start[k];
    int64_t high = e->upper.start[k + 1] - 1;
    while (low <= high) {
        if (column[low] <= i) {
            low++;
        } else {
            int32_t swapped = column[low];
            column[low] = column[high];
            column[high--] = swapped;
        }
    }
    e->pruned_end[k] = low;
    e->is_pruned[k] = 1;
}

/* Appends row i to both triangles, unsorted. */
static void eliminate_row(elimination *e, int32_t i)
{
    const ptd_pattern *pattern = e->pattern;
    int32_t *mark = e->mark;
    int32_t vertex = e->order[i];
    int32_t *lower = e->lower.column + e->lower.start[i];
    int32_t *upper = e->upper.column + e->upper.start[i];
    int64_t n_lower = 0;
    int64_t n_upper = 0;
    mark[i] = i;
    for (int64_t p = pattern->start[vertex]; p < pattern->start[vertex + 1]; p++) {
        int32_t j = e->position[pattern->column[p]];
        if (mark[j] != i) {
            mark[j] = i;
            if (j < i) {
                lower[n_lower++] = j;
            } else {
                upper[n_upper++] = j;
            }
        }
    }
    /* `lower` is itself the queue of rows to read. */
    for (int64_t next = 0; next < n_lower; next++) {
        int32_t k = lower[next];
        int met_i = 0;
        const int32_t *column = e->upper.column;
        for (int64_t p = e->upper.start[k]; p < e->pruned_end[k]; p++) {
            int32_t j = column[p];
            if (mark[j] != i) {
                mark[j] = i;
                if (j < i) {
                    lower[n_lower++] = j;
                } else {
                    upper[n_upper++] = j;
                }
            } else if (j == i) {
                met_i = 1;
            }
        }
        if (met_i && !e->is_pruned[k]) {
            prune(e, k, i);
        }
    }
    e->lower.start[i + 1] = e->lower.start[i] + n_lower;
    e->upper.start[i + 1] = e->upper.start[i] + n_upper;
    e->pruned_end[i] = e->upper.start[i + 1];
}

static ptd_status eliminate(elimination *e, ptd_error *error)
{
    int32_t n = e->pattern->n;
    for (int32_t i = 0; i < n; i++) {
        if (!reserve(&e->lower, e->lower.start[i] + i) ||
            !reserve(&e->upper, e->upper.start[i] + (n - i))) {
            return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        }
        eliminate_row(e, i);
        int64_t entries = e->lower.start[i + 1] + e->upper.start[i + 1];
        if (entries > e->max_entries) {
            return ptd_fail(error, PTD_TRACE_TOO_LARGE, 0, (double)entries);
        }
    }
    return PTD_OK;
}

/* The transpose of a triangle, its rows sorted. */
static int transpose(int32_t n, const triangle *from, triangle *to)
{
    int64_t entries = from->start[n];
    to->start = ptd_allocate_zero((size_t)n + 2, sizeof *to->start);
    to->column = ptd_allocate((size_t)entries, sizeof *to->column);
    to->capacity = entries;
    if (!to->start || !to->column) {
        return 0;
    }
    /* Counted two places on, so that filling leaves the starts in place. */
    int64_t *next = to->start + 1;
    for (int64_t p = 0; p < entries; p++) {
        next[from->column[p] + 1]++;
    }
    for (int32_t i = 0; i < n; i++) {
        next[i + 1] += next[i];
    }
    for (int32_t i = 0; i < n; i++) {
        for (int64_t p = from->start[i]; p < from->start[i + 1]; p++) {
            to->column[next[from->column[p]]++] = i;
        }
    }
    return 1;
}

static void release_triangle(triangle *t)
{
    ptd_release(t->start);
    ptd_release(t->column);
    *t = (triangle){0};
}

/* Predecessors and successors of v at its elimination are column v of L and row v of U. */
static int64_t count_multiply_adds(int32_t n, const triangle *lower_columns, const triangle *upper,
                                   int32_t *mark)
{
    int64_t multiply_adds = 0;
    for (int32_t v = 0; v < n; v++) {
        mark[v] = -1;
    }
    for (int32_t v = 0; v < n; v++) {
        int64_t predecessors = lower_columns->start[v + 1] - lower_columns->start[v];
        int64_t successors = upper->start[v + 1] - upper->start[v];
        multiply_adds += predecessors * (successors + 1);
        for (int64_t p = lower_columns->start[v]; p < lower_columns->start[v + 1]; p++) {
            mark[lower_columns->column[p]] = v;
        }
        for (int64_t p = upper->start[v]; p < upper->start[v + 1]; p++) {
            multiply_adds -= mark[upper->column[p]] == v;
        }
    }
    return multiply_adds;
}

/* Row by row, L then U, sorted: the transposed triangles are read column by column. */
static void join(int32_t n, const int64_t *lower_start, const triangle *lower_columns,
                 const int64_t *upper_start, const triangle *upper_columns, int64_t *next,
                 ptd_symbolic *symbolic)
{
    for (int32_t i = 0; i <= n; i++) {
        symbolic->start[i] = lower_start[i] + upper_start[i];
    }
    for (int32_t i = 0; i < n; i++) {
        symbolic->lower[i] = (int32_t)(lower_start[i + 1] - lower_start[i]);
        next[i] = symbolic->start[i];
    }
    for (int32_t j = 0; j < n; j++) {
        for (int64_t p = lower_columns->start[j]; p < lower_columns->start[j + 1]; p++) {
            symbolic->column[next[lower_columns->column[p]]++] = j;
        }
    }
    for (int32_t j = 0; j < n; j++) {
        for (int64_t p = upper_columns->start[j]; p < upper_columns->start[j + 1]; p++) {
            symbolic->column[next[upper_columns->column[p]]++] = j;
        }
    }
}

static ptd_status assemble(elimination *e, ptd_symbolic *symbolic, ptd_error *error)
{
    ptd_status status = PTD_OK;
    int32_t n = e->pattern->n;
    triangle lower_columns = {0};
    triangle upper_columns = {0};
    int64_t entries = e->lower.start[n] + e->upper.start[n];
    if (!transpose(n, &e->lower, &lower_columns) || !transpose(n, &e->upper, &upper_columns)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    symbolic->n = n;
    symbolic->multiply_adds = count_multiply_adds(n, &lower_columns, &e->upper, e->mark);
    /* The unsorted columns are read no more: their memory makes room for the result. */
    ptd_release(e->lower.column);
    ptd_release(e->upper.column);
    e->lower.column = NULL;
    e->upper.column = NULL;
    symbolic->start = ptd_allocate((size_t)n + 1, sizeof *symbolic->start);
    symbolic->lower = ptd_allocate((size_t)n, sizeof *symbolic->lower);
    symbolic->column = ptd_allocate((size_t)entries, sizeof *symbolic->column);
    if (!symbolic->start || !symbolic->lower || !symbolic->column) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    join(n, e->lower.start, &lower_columns, e->upper.start, &upper_columns, e->pruned_end,
         symbolic);
out:
    release_triangle(&lower_columns);
    release_triangle(&upper_columns);
    return status;
}

ptd_status ptd_symbolic_create(const ptd_pattern *pattern, const int32_t *order,
                               int64_t max_entries, ptd_symbolic *symbolic, ptd_error *error)
{
    ptd_status status = PTD_OK;
    size_t n = (size_t)pattern->n;
    elimination e = {.pattern = pattern, .order = order, .max_entries = max_entries};
    *symbolic = (ptd_symbolic){0};
    e.position = ptd_allocate(n, sizeof *e.position);
    e.lower.start = ptd_allocate(n + 1, sizeof *e.lower.start);
    e.upper.start = ptd_allocate(n + 1, sizeof *e.upper.start);
    e.pruned_end = ptd_allocate(n, sizeof *e.pruned_end);
    e.is_pruned = ptd_allocate_zero(n, sizeof *e.is_pruned);
    e.mark = ptd_allocate(n, sizeof *e.mark);
    if (!e.position || !e.lower.start || !e.upper.start || !e.pruned_end || !e.is_pruned ||
        !e.mark) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    for (int32_t i = 0; i < pattern->n; i++) {
        e.position[order[i]] = i;
        e.mark[i] = -1;
    }
    e.lower.start[0] = 0;
    e.upper.start[0] = 0;
    status = eliminate(&e, error);
    if (status == PTD_OK) {
        status = assemble(&e, symbolic, error);
    }
out:
    ptd_release(e.position);
    release_triangle(&e.lower);
    release_triangle(&e.upper);
    ptd_release(e.pruned_end);
    ptd_release(e.is_pruned);
    ptd_release(e.mark);
    if (status != PTD_OK) {
        ptd_symbolic_destroy(symbolic);
    }
    return status;
}

void ptd_symbolic_destroy(ptd_symbolic *symbolic)
{
    ptd_release(symbolic->start);
    ptd_release(symbolic->lower);
    ptd_release(symbolic->column);
    *symbolic = (ptd_symbolic){0};
}
