/* Reading a trace as ptd.h describes it, as plainly as can be: the reference interpreter of the
 * engine's own tests. It believes nothing: every claim of the format that evaluation relies on is
 * checked on the way.
 */
#ifndef TRACE_READING_H
#define TRACE_READING_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "ptd.h"

static inline const void *trace_data(const ptd_elimination_trace *trace, ptd_trace_array_id id)
{
    ptd_array array;
    ptd_elimination_trace_array(trace, id, &array);
    return array.data;
}

static inline int64_t trace_length(const ptd_elimination_trace *trace, ptd_trace_array_id id)
{
    ptd_array array;
    ptd_elimination_trace_array(trace, id, &array);
    return array.length;
}

static inline const uint32_t *trace_u32(const ptd_elimination_trace *trace, ptd_trace_array_id id)
{
    return trace_data(trace, id);
}

static inline void *test_allocate(size_t count, size_t size)
{
    void *pointer = calloc(count ? count : 1, size);
    if (!pointer) {
        fprintf(stderr, "out of memory in a test\n");
        exit(2);
    }
    return pointer;
}

/* Byte for byte. */
static inline int traces_equal(const ptd_elimination_trace *a, const ptd_elimination_trace *b)
{
    int equal = !memcmp(ptd_elimination_trace_meta(a), ptd_elimination_trace_meta(b),
                        sizeof(ptd_trace_meta));
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_array x;
        ptd_array y;
        ptd_elimination_trace_array(a, (ptd_trace_array_id)id, &x);
        ptd_elimination_trace_array(b, (ptd_trace_array_id)id, &y);
        size_t size = x.dtype == PTD_FLOAT64 ? 8 : x.dtype == PTD_UINT16 ? 2 : 4;
        equal = equal && x.dtype == y.dtype && x.length == y.length &&
                (x.length == 0 || !memcmp(x.data, y.data, (size_t)x.length * size));
    }
    return equal;
}

/* Values of all forms. */
static inline double *form_values(const ptd_elimination_trace *trace, const double *theta)
{
    int64_t count = trace_length(trace, PTD_FORM_BASE);
    const double *base = trace_data(trace, PTD_FORM_BASE);
    const double *coefficient = trace_data(trace, PTD_FORM_COEFFICIENT);
    const uint32_t *start = trace_u32(trace, PTD_FORM_START);
    const uint32_t *parameter = trace_u32(trace, PTD_FORM_PARAMETER);
    double *value = test_allocate((size_t)count, sizeof *value);
    for (int64_t f = 0; f < count; f++) {
        value[f] = base[f];
        for (uint32_t k = start[f]; k < start[f + 1]; k++) {
            CHECK(k == start[f] || parameter[k - 1] < parameter[k]);
            value[f] += coefficient[k] * theta[parameter[k]];
        }
    }
    return value;
}

static inline double exit_value(const ptd_elimination_trace *trace, const double *form,
                                uint32_t exit)
{
    const uint32_t *start = trace_u32(trace, PTD_EXIT_START);
    const uint32_t *exit_form = trace_u32(trace, PTD_EXIT_FORM);
    double sum = 0.0;
    if (exit == PTD_NONE) {
        return 0.0;
    }
    for (uint32_t k = start[exit]; k < start[exit + 1]; k++) {
        CHECK(k == start[exit] || exit_form[k - 1] <= exit_form[k]);
        sum += form[exit_form[k]];
    }
    return sum;
}

/* What a program was made of, to show that a test has met all kinds. */
typedef struct {
    int64_t groups[5]; /* by rows */
    int64_t run_groups;
    int64_t list_groups;
    int64_t wide_rows;
    int64_t multiply_adds; /* of all components */
} program_census;

typedef struct {
    const ptd_elimination_trace *trace;
    const uint32_t *row_slot;
    const uint32_t *row_lower;
    const uint32_t *slot_column;
    double *slot;    /* values of all slots */
    double *inverse; /* of all rows */
    program_census *census;
} factorisation;

static inline uint32_t read_word(const uint16_t **words, int wide)
{
    uint32_t value = *(*words)++;
    if (wide) {
        value |= (uint32_t)*(*words)++ << 16;
    }
    return value;
}

static inline uint32_t upper_begin(const factorisation *f, uint32_t row)
{
    return f->row_slot[row] + f->row_lower[row] + 1;
}

/* Entries of U. */
static inline uint32_t upper_count(const factorisation *f, uint32_t row)
{
    return f->row_slot[row + 1] - 1 - upper_begin(f, row);
}

/* Source `from` of the group that ends with row `last` is added to slot `to` of `row`. */
static inline void apply(factorisation *f, uint32_t block_row, uint32_t row, uint32_t k0, int rows,
                         const double *l, uint32_t from, uint32_t to)
{
    uint32_t slots = f->row_slot[row + 1] - f->row_slot[row];
    uint32_t last = block_row + k0 + (uint32_t)rows - 1;
    CHECK(to < slots);
    CHECK(f->slot_column[f->row_slot[row] + to] == f->slot_column[upper_begin(f, last) + from]);
    for (int j = 0; j < rows; j++) {
        uint32_t source =
            upper_begin(f, block_row + k0 + (uint32_t)j) + from + (uint32_t)(rows - 1 - j);
        CHECK(f->slot_column[source] == f->slot_column[upper_begin(f, last) + from]);
        f->slot[f->row_slot[row] + to] += l[j] * f->slot[source];
    }
}

static inline void run_row(factorisation *f, uint32_t block_row, uint32_t row)
{
    const uint32_t *row_program = trace_u32(f->trace, PTD_ROW_PROGRAM);
    const uint16_t *words = (const uint16_t *)trace_data(f->trace, PTD_PROGRAM) + row_program[row];
    const uint16_t *end =
        (const uint16_t *)trace_data(f->trace, PTD_PROGRAM) + row_program[row + 1];
    uint32_t first_slot = f->row_slot[row];
    int wide = f->row_slot[row + 1] - first_slot > 65535;
    f->census->wide_rows += wide;
    for (uint32_t a = 0; a < f->row_lower[row];) {
        double l[4];
        uint32_t head = read_word(&words, wide);
        int rows = (int)(head & 3) + 1;
        uint32_t k0 = f->slot_column[first_slot + a];
        for (int j = 0; j < rows; j++) {
            uint32_t k = block_row + k0 + (uint32_t)j;
            CHECK(f->slot_column[first_slot + a + (uint32_t)j] == k0 + (uint32_t)j);
            double value = f->slot[first_slot + a + (uint32_t)j];
            for (int i = 0; i < j; i++) {
                uint32_t source =
                    upper_begin(f, block_row + k0 + (uint32_t)i) + (uint32_t)(j - i - 1);
                CHECK(f->slot_column[source] == k0 + (uint32_t)j);
                value += l[i] * f->slot[source];
            }
            l[j] = value * f->inverse[k];
            f->slot[first_slot + a + (uint32_t)j] = l[j];
        }
        uint32_t sources = upper_count(f, block_row + k0 + (uint32_t)rows - 1) + 1;
        uint32_t covered = 0;
        if (head & 4) {
            for (uint32_t run = 0; run < head >> 3; run++) {
                uint32_t from = read_word(&words, wide);
                uint32_t to = read_word(&words, wide);
                uint32_t length = read_word(&words, wide);
                CHECK(from == covered && length > 0);
                for (uint32_t t = 0; t < length; t++) {
                    apply(f, block_row, row, k0, rows, l, from + t, to + t);
                }
                covered += length;
            }
            f->census->run_groups++;
        } else {
            CHECK(head >> 3 == 0);
            for (; covered < sources; covered++) {
                apply(f, block_row, row, k0, rows, l, covered, read_word(&words, wide));
            }
            f->census->list_groups++;
        }
        CHECK(covered == sources);
        f->census->groups[rows]++;
        a += (uint32_t)rows;
    }
    CHECK(words == end);
}

static inline void factor_block(factorisation *f, uint32_t block, const double *form)
{
    const ptd_elimination_trace *trace = f->trace;
    const uint32_t *block_row = trace_u32(trace, PTD_BLOCK_ROW);
    const uint32_t *entry_start = trace_u32(trace, PTD_ENTRY_START);
    const uint32_t *entry_slot = trace_u32(trace, PTD_ENTRY_SLOT);
    const uint32_t *edge_start = trace_u32(trace, PTD_EDGE_START);
    const uint32_t *edge_external = trace_u32(trace, PTD_EDGE_EXTERNAL);
    const uint32_t *edge_form = trace_u32(trace, PTD_EDGE_FORM);
    const uint32_t *edge_target = trace_u32(trace, PTD_EDGE_TARGET);
    const uint32_t *exit_of_position = trace_u32(trace, PTD_EXIT_OF_POSITION);
    uint32_t position = trace_u32(trace, PTD_BLOCK_POSITION)[block];
    for (uint32_t row = block_row[block]; row < block_row[block + 1]; row++) {
        uint32_t local = row - block_row[block];
        uint32_t p = position + local;
        uint32_t begin = f->row_slot[row];
        uint32_t end = f->row_slot[row + 1];
        CHECK(f->slot_column[begin + f->row_lower[row]] == local);
        CHECK(f->slot_column[end - 1] == PTD_NONE);
        for (uint32_t s = begin; s + 2 < end; s++) {
            CHECK(f->slot_column[s] < f->slot_column[s + 1]);
        }
        for (uint32_t s = begin; s < end; s++) {
            f->slot[s] = 0.0;
        }
        CHECK(entry_start[row + 1] - entry_start[row] == edge_external[p] - edge_start[p]);
        for (uint32_t e = edge_start[p]; e < edge_external[p]; e++) {
            uint32_t slot = entry_slot[entry_start[row] + e - edge_start[p]];
            CHECK(f->slot_column[begin + slot] == edge_target[e] - position);
            f->slot[begin + slot] = form[edge_form[e]];
        }
        f->slot[end - 1] = exit_value(trace, form, exit_of_position[p]);
        run_row(f, block_row[block], row);
        double pivot = 0.0;
        for (uint32_t s = begin + f->row_lower[row] + 1; s < end; s++) {
            pivot += f->slot[s];
        }
        f->inverse[row] = 1.0 / pivot;
    }
}

/* Rows of L that return to their own row are no multiply-add (the diagonal is never read). */
static inline int64_t block_multiply_adds(const factorisation *f, uint32_t first, uint32_t end)
{
    int64_t count = 0;
    for (uint32_t row = first; row < end; row++) {
        for (uint32_t s = f->row_slot[row]; s < f->row_slot[row] + f->row_lower[row]; s++) {
            uint32_t k = first + f->slot_column[s];
            count += upper_count(f, k) + 1;
            uint32_t low = upper_begin(f, k);
            uint32_t high = f->row_slot[k + 1] - 1;
            while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                if (f->slot_column[middle] < row - first) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            count -= f->slot_column[low] == row - first;
        }
    }
    return count;
}

static inline void solve_component(const factorisation *f, uint32_t first_row, uint32_t begin,
                                   uint32_t end, double *x)
{
    for (uint32_t p = begin; p < end; p++) {
        uint32_t row = first_row + p - begin;
        for (uint32_t s = f->row_slot[row]; s < f->row_slot[row] + f->row_lower[row]; s++) {
            x[p] += f->slot[s] * x[begin + f->slot_column[s]];
        }
    }
    for (uint32_t p = end; p-- > begin;) {
        uint32_t row = first_row + p - begin;
        for (uint32_t s = upper_begin(f, row); s < f->row_slot[row + 1] - 1; s++) {
            x[p] += f->slot[s] * x[begin + f->slot_column[s]];
        }
        x[p] *= f->inverse[row];
    }
}

/* Expected total reward from every vertex (canonical), with `reward` by vertex for transient
 * vertices. Released by the caller. */
static inline double *interpret(const ptd_elimination_trace *trace, const double *theta,
                                const double *reward, program_census *census)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const uint32_t *position_vertex = trace_u32(trace, PTD_POSITION_VERTEX);
    const uint32_t *component_start = trace_u32(trace, PTD_COMPONENT_START);
    const uint32_t *component_block = trace_u32(trace, PTD_COMPONENT_BLOCK);
    const uint32_t *block_row = trace_u32(trace, PTD_BLOCK_ROW);
    const uint32_t *edge_external = trace_u32(trace, PTD_EDGE_EXTERNAL);
    const uint32_t *edge_boundary = trace_u32(trace, PTD_EDGE_BOUNDARY);
    const uint32_t *edge_target = trace_u32(trace, PTD_EDGE_TARGET);
    const uint32_t *edge_form = trace_u32(trace, PTD_EDGE_FORM);
    const uint32_t *exit_of_position = trace_u32(trace, PTD_EXIT_OF_POSITION);
    double *form = form_values(trace, theta);
    memset(census, 0, sizeof *census);
    factorisation f = {
        .trace = trace,
        .row_slot = trace_u32(trace, PTD_ROW_SLOT),
        .row_lower = trace_u32(trace, PTD_ROW_LOWER),
        .slot_column = trace_u32(trace, PTD_SLOT_COLUMN),
        .slot = test_allocate((size_t)trace_length(trace, PTD_SLOT_COLUMN), sizeof(double)),
        .inverse = test_allocate((size_t)trace_length(trace, PTD_ROW_LOWER), sizeof(double)),
        .census = census};
    for (uint32_t b = 0; b < meta->n_blocks; b++) {
        factor_block(&f, b, form);
    }
    double *x = test_allocate((size_t)meta->n_vertices, sizeof *x);
    for (uint32_t c = 0; c < meta->n_components; c++) {
        uint32_t begin = component_start[c];
        uint32_t end = component_start[c + 1];
        for (uint32_t p = begin; p < end; p++) {
            x[p] = c == meta->n_components - 1 ? 0.0 : reward[position_vertex[p]];
            for (uint32_t e = edge_external[p]; e < edge_boundary[p]; e++) {
                x[p] += form[edge_form[e]] * x[edge_target[e]];
            }
        }
        if (component_block[c] == PTD_NONE) {
            CHECK(end == begin + 1);
            x[begin] /= exit_value(trace, form, exit_of_position[begin]);
        } else {
            uint32_t row = block_row[component_block[c]];
            uint32_t row_end = block_row[component_block[c] + 1];
            CHECK(row_end - row == end - begin);
            census->multiply_adds += block_multiply_adds(&f, row, row_end);
            solve_component(&f, row, begin, end, x);
        }
    }
    double *by_vertex = test_allocate((size_t)meta->n_vertices, sizeof *by_vertex);
    for (int64_t p = 0; p < meta->n_vertices; p++) {
        by_vertex[position_vertex[p]] = x[p];
    }
    free(form);
    free(f.slot);
    free(f.inverse);
    free(x);
    return by_vertex;
}

/* ---- the layout: positions, edges, exits against the graph they were recorded from */

static inline int graph_edge_form(const ptd_graph_view *graph, uint32_t from, uint32_t to,
                                  uint32_t *form)
{
    for (int64_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
        if ((uint32_t)graph->edge_to[e] == to) {
            *form = graph->edge_form[e];
            return 1;
        }
    }
    return 0;
}

static inline void check_edge_class(const ptd_elimination_trace *trace, const ptd_graph_view *graph,
                                    uint32_t position, uint32_t begin, uint32_t end, uint32_t low,
                                    uint32_t high)
{
    const uint32_t *position_vertex = trace_u32(trace, PTD_POSITION_VERTEX);
    const uint32_t *target = trace_u32(trace, PTD_EDGE_TARGET);
    CHECK(begin <= end);
    for (uint32_t e = begin; e < end; e++) {
        uint32_t form = PTD_NONE;
        CHECK(e == begin || target[e - 1] < target[e]);
        CHECK(target[e] >= low && target[e] < high);
        CHECK(graph_edge_form(graph, position_vertex[position], position_vertex[target[e]], &form));
        CHECK(form == trace_u32(trace, PTD_EDGE_FORM)[e]);
    }
}

static inline void check_boundary_position(const ptd_elimination_trace *trace,
                                           const ptd_graph_view *graph, uint32_t p)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    uint32_t n_boundary = (uint32_t)(meta->n_absorbing + meta->n_dropped);
    uint32_t start = trace_u32(trace, PTD_EDGE_START)[p];
    uint32_t external = trace_u32(trace, PTD_EDGE_EXTERNAL)[p];
    uint32_t boundary = trace_u32(trace, PTD_EDGE_BOUNDARY)[p];
    uint32_t self = trace_u32(trace, PTD_EDGE_SELF)[p];
    uint32_t next = trace_u32(trace, PTD_EDGE_START)[p + 1];
    uint32_t vertex = trace_u32(trace, PTD_POSITION_VERTEX)[p];
    CHECK(next - start == graph->edge_start[vertex + 1] - graph->edge_start[vertex]);
    CHECK(external == start);
    check_edge_class(trace, graph, p, external, boundary, n_boundary, (uint32_t)meta->n_vertices);
    check_edge_class(trace, graph, p, boundary, self, 0, n_boundary);
    check_edge_class(trace, graph, p, self, next, p, p + 1);
    CHECK(trace_u32(trace, PTD_EXIT_OF_POSITION)[p] == PTD_NONE);
}

static inline void check_position(const ptd_elimination_trace *trace, const ptd_graph_view *graph,
                                  uint32_t p, uint32_t begin, uint32_t end, const double *form)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    uint32_t n_boundary = (uint32_t)(meta->n_absorbing + meta->n_dropped);
    uint32_t start = trace_u32(trace, PTD_EDGE_START)[p];
    uint32_t external = trace_u32(trace, PTD_EDGE_EXTERNAL)[p];
    uint32_t boundary = trace_u32(trace, PTD_EDGE_BOUNDARY)[p];
    uint32_t self = trace_u32(trace, PTD_EDGE_SELF)[p];
    uint32_t next = trace_u32(trace, PTD_EDGE_START)[p + 1];
    uint32_t vertex = trace_u32(trace, PTD_POSITION_VERTEX)[p];
    uint32_t exit = trace_u32(trace, PTD_EXIT_OF_POSITION)[p];
    CHECK(next - start == graph->edge_start[vertex + 1] - graph->edge_start[vertex]);
    check_edge_class(trace, graph, p, start, external, begin, end);
    check_edge_class(trace, graph, p, external, boundary, n_boundary, begin);
    check_edge_class(trace, graph, p, boundary, self, 0, n_boundary);
    check_edge_class(trace, graph, p, self, next, p, p + 1);
    CHECK(next - self <= 1);
    double sum = 0.0;
    for (uint32_t e = external; e < self; e++) {
        sum += form[trace_u32(trace, PTD_EDGE_FORM)[e]];
    }
    CHECK((exit == PTD_NONE) == (external == self));
    CHECK(fabs(exit_value(trace, form, exit) - sum) <= 1e-14 * sum);
}

/* Downstream first, the start last, every edge where it belongs, exits equal to what leaves. */
static inline void check_layout(const ptd_elimination_trace *trace, const ptd_graph_view *graph,
                                const double *theta)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const uint32_t *position_vertex = trace_u32(trace, PTD_POSITION_VERTEX);
    const uint32_t *component_start = trace_u32(trace, PTD_COMPONENT_START);
    int64_t n_boundary = meta->n_absorbing + meta->n_dropped;
    int64_t n = meta->n_vertices;
    int64_t largest = 0;
    uint8_t *seen = test_allocate((size_t)n, 1);
    double *form = form_values(trace, theta);
    CHECK(n == graph->n_vertices);
    CHECK(meta->n_edges == graph->n_edges);
    CHECK(meta->n_forms == graph->n_forms);
    CHECK(position_vertex[n - 1] == 0);
    CHECK(component_start[0] == n_boundary);
    CHECK(component_start[meta->n_components - 1] == n - 1);
    CHECK(component_start[meta->n_components] == n);
    for (int64_t p = 0; p < n; p++) {
        CHECK(position_vertex[p] < n && !seen[position_vertex[p]]);
        seen[position_vertex[p]] = 1;
        uint8_t class = graph->vertex_class[position_vertex[p]];
        CHECK((class == PTD_VERTEX_ABSORBING) == (p < meta->n_absorbing));
        CHECK((class == PTD_VERTEX_DROPPED) == (p >= meta->n_absorbing && p < n_boundary));
        CHECK(p == 0 || p == meta->n_absorbing || p >= n_boundary ||
              position_vertex[p - 1] < position_vertex[p]);
    }
    for (uint32_t p = 0; p < n_boundary; p++) {
        check_boundary_position(trace, graph, p);
    }
    for (int64_t c = 0; c < meta->n_components; c++) {
        uint32_t begin = component_start[c];
        uint32_t end = component_start[c + 1];
        largest = end - begin > largest ? end - begin : largest;
        CHECK((end - begin == 1) == (trace_u32(trace, PTD_COMPONENT_BLOCK)[c] == PTD_NONE));
        for (uint32_t p = begin; p < end; p++) {
            check_position(trace, graph, p, begin, end, form);
        }
    }
    CHECK(largest == meta->largest_component);
    free(seen);
    free(form);
}

#endif
