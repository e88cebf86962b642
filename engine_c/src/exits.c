/* Exits of the components. See exits.h. */
#include "exits.h"

#include <math.h>

#include "grow.h"
#include "id_table.h"
#include "memory.h"
#include "sort.h"
#include "status.h"

typedef struct {
    const ptd_graph_view *graph;
    const ptd_layout *layout;
    ptd_exits *exits;
    size_t start_capacity;
    size_t form_capacity;
    uint8_t *may_fold;      /* of the graph's forms: base and coefficients >= 0 */
    uint32_t *exit_of_form; /* of all forms: the exit sum that is this form alone */
    size_t exit_of_form_count;
    size_t exit_of_form_capacity;
    ptd_id_table sums;   /* the exit sums of several forms */
    uint64_t *leaving;   /* forms of the vertex at hand; room for the largest out-degree */
    uint64_t *touched;   /* n_parameters: those of the sum being folded */
    double *coefficient; /* n_parameters, by parameter; 0 outside a fold */
    uint32_t *fold_parameter;
    double *fold_coefficient;
} collector;

static int form_may_fold(const ptd_graph_view *graph, int64_t form)
{
    if (graph->form_base[form] < 0.0) {
        return 0;
    }
    for (int64_t k = graph->form_start[form]; k < graph->form_start[form + 1]; k++) {
        if (graph->form_coefficient[k] < 0.0) {
            return 0;
        }
    }
    return 1;
}

static size_t largest_out_degree(const ptd_graph_view *graph)
{
    int64_t largest = 0;
    for (int64_t v = 0; v < graph->n_vertices; v++) {
        int64_t degree = graph->edge_start[v + 1] - graph->edge_start[v];
        largest = degree > largest ? degree : largest;
    }
    return (size_t)largest;
}

static ptd_status prepare(collector *c, ptd_error *error)
{
    const ptd_graph_view *graph = c->graph;
    size_t n_forms = (size_t)graph->n_forms;
    size_t n_parameters = (size_t)graph->n_parameters;
    c->may_fold = ptd_allocate(n_forms, sizeof *c->may_fold);
    c->leaving = ptd_allocate(largest_out_degree(graph), sizeof *c->leaving);
    c->touched = ptd_allocate(n_parameters, sizeof *c->touched);
    c->coefficient = ptd_allocate_zero(n_parameters, sizeof *c->coefficient);
    c->fold_parameter = ptd_allocate(n_parameters, sizeof *c->fold_parameter);
    c->fold_coefficient = ptd_allocate(n_parameters, sizeof *c->fold_coefficient);
    if (!c->may_fold || !c->leaving || !c->touched || !c->coefficient || !c->fold_parameter ||
        !c->fold_coefficient) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    for (int64_t f = 0; f < graph->n_forms; f++) {
        int64_t begin = graph->form_start[f];
        uint32_t number;
        c->may_fold[f] = (uint8_t)form_may_fold(graph, f);
        ptd_status status = ptd_forms_insert(
            &c->exits->forms, graph->form_base[f], graph->form_start[f + 1] - begin,
            graph->form_parameter + begin, graph->form_coefficient + begin, &number, error);
        if (status != PTD_OK) {
            return status;
        }
    }
    return PTD_OK;
}

/* Forms that leave the component of `vertex`, ascending; their number. */
static size_t collect_leaving(collector *c, uint32_t vertex)
{
    const ptd_graph_view *graph = c->graph;
    const uint32_t *component = c->layout->component;
    size_t count = 0;
    for (int64_t e = graph->edge_start[vertex]; e < graph->edge_start[vertex + 1]; e++) {
        if (component[graph->edge_to[e]] != component[vertex]) {
            c->leaving[count++] = graph->edge_form[e];
        }
    }
    ptd_sort_keys(c->leaving, count);
    return count;
}

/* Adds the forms up, in ascending order of their numbers. *form is PTD_NONE where they stay apart:
 * mixed signs, or a sum beyond the range of double, which theta may well bring back into it. */
static ptd_status fold(collector *c, size_t count, uint32_t *form, ptd_error *error)
{
    const ptd_graph_view *graph = c->graph;
    double base = 0.0;
    size_t n_touched = 0;
    *form = PTD_NONE;
    for (size_t k = 0; k < count; k++) {
        if (!c->may_fold[c->leaving[k]]) {
            return PTD_OK;
        }
    }
    for (size_t k = 0; k < count; k++) {
        uint64_t f = c->leaving[k];
        base += graph->form_base[f];
        for (int64_t e = graph->form_start[f]; e < graph->form_start[f + 1]; e++) {
            uint32_t parameter = graph->form_parameter[e];
            if (c->coefficient[parameter] == 0.0) {
                c->touched[n_touched++] = parameter;
            }
            c->coefficient[parameter] += graph->form_coefficient[e];
        }
    }
    ptd_sort_keys(c->touched, n_touched);
    int is_finite = isfinite(base) != 0;
    for (size_t k = 0; k < n_touched; k++) {
        uint32_t parameter = (uint32_t)c->touched[k];
        c->fold_parameter[k] = parameter;
        c->fold_coefficient[k] = c->coefficient[parameter];
        c->coefficient[parameter] = 0.0;
        is_finite &= isfinite(c->fold_coefficient[k]) != 0;
    }
    if (!is_finite) {
        return PTD_OK;
    }
    return ptd_forms_insert(&c->exits->forms, base, (int64_t)n_touched, c->fold_parameter,
                            c->fold_coefficient, form, error);
}

/* A new exit sum of the first `count` forms of `leaving`. */
static ptd_status append_exit(collector *c, size_t count, uint32_t *exit, ptd_error *error)
{
    ptd_exits *exits = c->exits;
    size_t n = (size_t)exits->n_exits;
    uint32_t end = n ? exits->start[n] : 0;
    if (!ptd_grow(&exits->start, &c->start_capacity, n + 2, sizeof *exits->start) ||
        !ptd_grow(&exits->form, &c->form_capacity, end + count, sizeof *exits->form)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    exits->start[n] = end;
    for (size_t k = 0; k < count; k++) {
        exits->form[end + k] = (uint32_t)c->leaving[k];
    }
    exits->start[n + 1] = end + (uint32_t)count;
    *exit = (uint32_t)exits->n_exits++;
    return PTD_OK;
}

static ptd_status find_single(collector *c, uint32_t form, uint32_t *exit, ptd_error *error)
{
    if (!ptd_grow(&c->exit_of_form, &c->exit_of_form_capacity, (size_t)form + 1,
                  sizeof *c->exit_of_form)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    while (c->exit_of_form_count <= form) {
        c->exit_of_form[c->exit_of_form_count++] = PTD_NONE;
    }
    if (c->exit_of_form[form] == PTD_NONE) {
        c->leaving[0] = form;
        ptd_status status = append_exit(c, 1, &c->exit_of_form[form], error);
        if (status != PTD_OK) {
            return status;
        }
    }
    *exit = c->exit_of_form[form];
    return PTD_OK;
}

static int sum_equals(const collector *c, uint32_t exit, size_t count)
{
    const ptd_exits *exits = c->exits;
    uint32_t begin = exits->start[exit];
    if (exits->start[exit + 1] - begin != count) {
        return 0;
    }
    for (size_t k = 0; k < count; k++) {
        if (exits->form[begin + k] != c->leaving[k]) {
            return 0;
        }
    }
    return 1;
}

static ptd_status find_sum(collector *c, size_t count, uint32_t *exit, ptd_error *error)
{
    uint64_t hash = count;
    for (size_t k = 0; k < count; k++) {
        hash = ptd_hash_mix(hash, c->leaving[k]);
    }
    size_t place = PTD_ID_TABLE_BEGIN;
    while ((*exit = ptd_id_table_next(&c->sums, hash, &place)) != PTD_NONE) {
        if (sum_equals(c, *exit, count)) {
            return PTD_OK;
        }
    }
    ptd_status status = append_exit(c, count, exit, error);
    if (status == PTD_OK && !ptd_id_table_add(&c->sums, hash, *exit)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    return status;
}

static ptd_status find_exit(collector *c, uint32_t vertex, uint32_t *exit, ptd_error *error)
{
    size_t count = collect_leaving(c, vertex);
    *exit = PTD_NONE;
    if (count == 0) {
        return PTD_OK;
    }
    uint32_t form = (uint32_t)c->leaving[0];
    if (count > 1) {
        ptd_status status = fold(c, count, &form, error);
        if (status != PTD_OK) {
            return status;
        }
    }
    return form == PTD_NONE ? find_sum(c, count, exit, error) : find_single(c, form, exit, error);
}

ptd_status ptd_exits_create(const ptd_graph_view *graph, const ptd_layout *layout, ptd_exits *exits,
                            ptd_error *error)
{
    ptd_status status = PTD_OK;
    collector c = {.graph = graph, .layout = layout, .exits = exits};
    *exits = (ptd_exits){0};
    exits->of_vertex = ptd_allocate((size_t)graph->n_vertices, sizeof *exits->of_vertex);
    if (!exits->of_vertex) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    status = prepare(&c, error);
    for (int64_t p = 0; p < layout->n_vertices && status == PTD_OK; p++) {
        uint32_t vertex = layout->vertex[p];
        if (p < layout->n_boundary) {
            exits->of_vertex[vertex] = PTD_NONE;
        } else {
            status = find_exit(&c, vertex, &exits->of_vertex[vertex], error);
        }
    }
out:
    ptd_release(c.may_fold);
    ptd_release(c.exit_of_form);
    ptd_id_table_destroy(&c.sums);
    ptd_release(c.leaving);
    ptd_release(c.touched);
    ptd_release(c.coefficient);
    ptd_release(c.fold_parameter);
    ptd_release(c.fold_coefficient);
    if (status != PTD_OK) {
        ptd_exits_destroy(exits);
    }
    return status;
}

void ptd_exits_destroy(ptd_exits *exits)
{
    ptd_release(exits->of_vertex);
    ptd_release(exits->start);
    ptd_release(exits->form);
    ptd_forms_clear(&exits->forms);
    *exits = (ptd_exits){0};
}
