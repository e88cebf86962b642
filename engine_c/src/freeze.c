/* Freeze: the canonical form of a graph, which depends on its states and weights and not on the
 * order in which they were added.
 *
 * Vertices are renumbered by state. Two stable counting sorts, by target and then by source, make
 * rows with ascending targets in linear time. Parallel edges are summed in the order of the values
 * of their forms, forms are renumbered by first use. Vertices are classified by searches forward
 * from the start and backward from absorption and from the traps, none of them recursive.
 */
#include "graph.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "status.h"
#include "vertex_order.h"

typedef struct {
    ptd_graph *graph; /* as added; only its collection of forms grows */
    int64_t n;
    uint32_t *added; /* n: by canonical number, the number as added */
    ptd_frozen frozen;
    ptd_error *error;
} freezing;

/* ---- vertices */

static ptd_status check_states_differ(const freezing *work)
{
    size_t length = (size_t)work->graph->state_length;
    for (int64_t v = 2; v < work->n; v++) {
        const int32_t *state = work->frozen.states + (size_t)v * length;
        if (memcmp(state - length, state, length * sizeof *state) == 0) {
            return ptd_fail(work->error, PTD_GRAPH_STATE_REPEATED, work->added[v],
                            work->added[v - 1]);
        }
    }
    return PTD_OK;
}

static ptd_status number_vertices(freezing *work)
{
    const ptd_graph *graph = work->graph;
    ptd_frozen *frozen = &work->frozen;
    size_t n = (size_t)work->n;
    size_t length = (size_t)graph->state_length;
    work->added = ptd_allocate(n, sizeof *work->added);
    frozen->added_order = ptd_allocate(n, sizeof *frozen->added_order);
    frozen->states = ptd_allocate(n, length * sizeof *frozen->states);
    if (!work->added || !frozen->added_order || !frozen->states) {
        return ptd_fail(work->error, PTD_NO_MEMORY, -1, 0);
    }
    work->added[0] = 0;
    if (length > 0) {
        ptd_status status = ptd_order_states(work->n - 1, graph->state_length,
                                             graph->states + length, work->added + 1, work->error);
        if (status != PTD_OK) {
            return status;
        }
    } else {
        for (uint32_t v = 1; v < n; v++) {
            work->added[v] = v - 1;
        }
    }
    for (size_t v = 1; v < n; v++) {
        work->added[v]++;
    }
    for (size_t v = 0; v < n; v++) {
        frozen->added_order[work->added[v]] = (int64_t)v;
    }
    if (length == 0) {
        return PTD_OK;
    }
    for (size_t v = 0; v < n; v++) {
        memcpy(frozen->states + v * length, graph->states + work->added[v] * length,
               length * sizeof *frozen->states);
    }
    return check_states_differ(work);
}

/* ---- edges */

/* From counts in start[1..n] to first places in start[0..n]. */
static void counts_to_starts(int64_t *start, int64_t n)
{
    for (int64_t v = 0; v < n; v++) {
        start[v + 1] += start[v];
    }
}

/* After start[v] has been moved on to the end of each row v: back by one row. */
static void ends_to_starts(int64_t *start, int64_t n)
{
    memmove(start + 1, start, (size_t)n * sizeof *start);
    start[0] = 0;
}

static int counts_as_edge(const ptd_graph *graph, int64_t edge)
{
    if (graph->forms.has_zero && graph->edge_form[edge] == graph->forms.zero) {
        return 0;
    }
    return graph->kind == PTD_DISCRETE || graph->edge_from[edge] != graph->edge_to[edge];
}

/* An edge whose target is known from where it lies. */
typedef struct {
    uint32_t from;
    uint32_t form;
} incoming_edge;

static ptd_status sort_edges(freezing *work)
{
    const ptd_graph *graph = work->graph;
    ptd_frozen *frozen = &work->frozen;
    ptd_status status = PTD_OK;
    int64_t n = work->n;
    incoming_edge *incoming = NULL;
    uint32_t *number = ptd_allocate((size_t)n, sizeof *number);
    int64_t *to_start = ptd_allocate_zero((size_t)n + 1, sizeof *to_start);
    frozen->edge_start = ptd_allocate_zero((size_t)n + 1, sizeof *frozen->edge_start);
    if (!number || !to_start || !frozen->edge_start) {
        status = ptd_fail(work->error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    for (int64_t v = 0; v < n; v++) {
        number[v] = (uint32_t)frozen->added_order[v];
    }
    int64_t *from_start = frozen->edge_start;
    for (int64_t e = 0; e < graph->n_edges; e++) {
        if (counts_as_edge(graph, e)) {
            to_start[number[graph->edge_to[e]] + 1]++;
            from_start[number[graph->edge_from[e]] + 1]++;
        }
    }
    counts_to_starts(to_start, n);
    counts_to_starts(from_start, n);
    size_t m = (size_t)to_start[n];
    incoming = ptd_allocate(m, sizeof *incoming);
    frozen->edge_to = ptd_allocate(m, sizeof *frozen->edge_to);
    frozen->edge_form = ptd_allocate(m, sizeof *frozen->edge_form);
    if (!incoming || !frozen->edge_to || !frozen->edge_form) {
        status = ptd_fail(work->error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    for (int64_t e = 0; e < graph->n_edges; e++) {
        if (counts_as_edge(graph, e)) {
            int64_t at = to_start[number[graph->edge_to[e]]]++;
            incoming[at].from = number[graph->edge_from[e]];
            incoming[at].form = graph->edge_form[e];
        }
    }
    int64_t k = 0;
    for (int64_t to = 0; to < n; to++) {
        for (; k < to_start[to]; k++) {
            int64_t at = from_start[incoming[k].from]++;
            frozen->edge_to[at] = (int32_t)to;
            frozen->edge_form[at] = incoming[k].form;
        }
    }
    ends_to_starts(from_start, n);
done:
    ptd_release(number);
    ptd_release(to_start);
    ptd_release(incoming);
    return status;
}

static void sift_down(const ptd_forms *forms, uint32_t *heap, int64_t at, int64_t count)
{
    for (;;) {
        int64_t largest = 2 * at + 1;
        if (largest >= count) {
            return;
        }
        if (largest + 1 < count && ptd_forms_compare(forms, heap[largest], heap[largest + 1]) < 0) {
            largest++;
        }
        if (ptd_forms_compare(forms, heap[at], heap[largest]) >= 0) {
            return;
        }
        uint32_t form = heap[at];
        heap[at] = heap[largest];
        heap[largest] = form;
        at = largest;
    }
}

/* Heap sort: in place, and no input makes it slow. */
static void sort_by_value(const ptd_forms *forms, uint32_t *numbers, int64_t count)
{
    for (int64_t at = count / 2 - 1; at >= 0; at--) {
        sift_down(forms, numbers, at, count);
    }
    for (int64_t last = count - 1; last > 0; last--) {
        uint32_t form = numbers[0];
        numbers[0] = numbers[last];
        numbers[last] = form;
        sift_down(forms, numbers, 0, last);
    }
}

/* First edge added that has the ends given in canonical numbers. */
static int64_t find_added_edge(const freezing *work, int64_t from, int64_t to)
{
    const ptd_graph *graph = work->graph;
    for (int64_t e = 0; e < graph->n_edges; e++) {
        if (graph->edge_from[e] == work->added[from] && graph->edge_to[e] == work->added[to]) {
            return e;
        }
    }
    return -1;
}

/* The sum of `count` forms, put into `forms[0]`; `sum` has room for n_parameters. */
static ptd_status add_parallel(freezing *work, int64_t from, int64_t to, uint32_t *numbers,
                               int64_t count, double *sum)
{
    ptd_forms *forms = &work->graph->forms;
    int64_t n_parameters = work->graph->n_parameters;
    sort_by_value(forms, numbers, count);
    double base = 0.0;
    for (int64_t p = 0; p < n_parameters; p++) {
        sum[p] = 0.0;
    }
    for (int64_t k = 0; k < count; k++) {
        base += forms->base[numbers[k]];
        for (int64_t at = forms->start[numbers[k]]; at < forms->start[numbers[k] + 1]; at++) {
            sum[forms->parameter[at]] += forms->coefficient[at];
        }
    }
    int finite = isfinite(base) != 0;
    int constant = 1;
    for (int64_t p = 0; p < n_parameters; p++) {
        finite &= isfinite(sum[p]) != 0;
        constant &= sum[p] == 0.0;
    }
    if (!finite) {
        return ptd_fail(work->error, PTD_GRAPH_WEIGHT_NOT_FINITE, find_added_edge(work, from, to),
                        base);
    }
    if (constant && base < 0.0) {
        return ptd_fail(work->error, PTD_GRAPH_WEIGHT_NEGATIVE, find_added_edge(work, from, to),
                        base);
    }
    return ptd_forms_insert(forms, base, n_parameters, work->graph->all_parameters, sum, numbers,
                            work->error);
}

/* Adds parallel edges up, in place; sums that vanish are no edges. */
static ptd_status merge_parallel(freezing *work)
{
    const ptd_forms *forms = &work->graph->forms;
    ptd_frozen *frozen = &work->frozen;
    double *sum = ptd_allocate((size_t)work->graph->n_parameters, sizeof *sum);
    if (!sum) {
        return ptd_fail(work->error, PTD_NO_MEMORY, -1, 0);
    }
    ptd_status status = PTD_OK;
    int64_t kept = 0;
    int64_t k = 0;
    for (int64_t v = 0; v < work->n; v++) {
        int64_t end = frozen->edge_start[v + 1];
        frozen->edge_start[v] = kept;
        while (k < end) {
            int64_t first = k;
            int32_t to = frozen->edge_to[k++];
            while (k < end && frozen->edge_to[k] == to) {
                k++;
            }
            if (k - first > 1) {
                status = add_parallel(work, v, to, frozen->edge_form + first, k - first, sum);
                if (status != PTD_OK) {
                    goto done;
                }
            }
            uint32_t form = frozen->edge_form[first];
            if (!(forms->has_zero && form == forms->zero)) {
                frozen->edge_to[kept] = to;
                frozen->edge_form[kept] = form;
                kept++;
            }
        }
    }
    frozen->edge_start[work->n] = kept;
    frozen->n_edges = kept;
done:
    ptd_release(sum);
    return status;
}

/* ---- forms */

/* Numbers forms by first use in canonical edge order and copies those that are used. */
static ptd_status number_forms(freezing *work)
{
    const ptd_forms *forms = &work->graph->forms;
    ptd_frozen *frozen = &work->frozen;
    ptd_status status = PTD_OK;
    uint32_t *number = ptd_allocate((size_t)forms->count, sizeof *number);
    uint32_t *used = ptd_allocate((size_t)forms->count, sizeof *used);
    if (!number || !used) {
        status = ptd_fail(work->error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    for (int64_t f = 0; f < forms->count; f++) {
        number[f] = PTD_NONE;
    }
    uint32_t n_used = 0;
    int64_t entries = 0;
    for (int64_t e = 0; e < frozen->n_edges; e++) {
        uint32_t form = frozen->edge_form[e];
        if (number[form] == PTD_NONE) {
            entries += forms->start[form + 1] - forms->start[form];
            used[n_used] = form;
            number[form] = n_used++;
        }
        frozen->edge_form[e] = number[form];
    }
    frozen->n_forms = n_used;
    frozen->form_base = ptd_allocate(n_used, sizeof *frozen->form_base);
    frozen->form_start = ptd_allocate_zero((size_t)n_used + 1, sizeof *frozen->form_start);
    frozen->form_parameter = ptd_allocate((size_t)entries, sizeof *frozen->form_parameter);
    frozen->form_coefficient = ptd_allocate((size_t)entries, sizeof *frozen->form_coefficient);
    if (!frozen->form_base || !frozen->form_start || !frozen->form_parameter ||
        !frozen->form_coefficient) {
        status = ptd_fail(work->error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    int64_t end = 0;
    for (uint32_t f = 0; f < n_used; f++) {
        frozen->form_base[f] = forms->base[used[f]];
        for (int64_t at = forms->start[used[f]]; at < forms->start[used[f] + 1]; at++) {
            frozen->form_parameter[end] = forms->parameter[at];
            frozen->form_coefficient[end] = forms->coefficient[at];
            end++;
        }
        frozen->form_start[f + 1] = end;
    }
done:
    ptd_release(number);
    ptd_release(used);
    return status;
}

/* ---- classes */

enum { REACHED = 1, ABSORBS = 2, TRAPPED = 4 };

typedef struct {
    uint8_t *marks;      /* n, a sum of the above */
    uint32_t *queue;     /* n */
    int64_t *into;       /* n + 1 */
    uint32_t *into_from; /* n_edges: sources of the edges into each vertex */
} searching;

static void reverse_edges(const freezing *work, searching *search)
{
    const ptd_frozen *frozen = &work->frozen;
    for (int64_t e = 0; e < frozen->n_edges; e++) {
        search->into[frozen->edge_to[e] + 1]++;
    }
    counts_to_starts(search->into, work->n);
    for (int64_t v = 0; v < work->n; v++) {
        for (int64_t e = frozen->edge_start[v]; e < frozen->edge_start[v + 1]; e++) {
            search->into_from[search->into[frozen->edge_to[e]]++] = (uint32_t)v;
        }
    }
    ends_to_starts(search->into, work->n);
}

/* Marks what can be reached, or what reaches, the `end` vertices that are in the queue. */
static void search_forward(const freezing *work, searching *search, int64_t end, uint8_t mark)
{
    const ptd_frozen *frozen = &work->frozen;
    for (int64_t at = 0; at < end; at++) {
        uint32_t v = search->queue[at];
        for (int64_t e = frozen->edge_start[v]; e < frozen->edge_start[v + 1]; e++) {
            uint32_t to = (uint32_t)frozen->edge_to[e];
            if (!(search->marks[to] & mark)) {
                search->marks[to] |= mark;
                search->queue[end++] = to;
            }
        }
    }
}

static void search_backward(searching *search, int64_t end, uint8_t mark)
{
    for (int64_t at = 0; at < end; at++) {
        uint32_t v = search->queue[at];
        for (int64_t e = search->into[v]; e < search->into[v + 1]; e++) {
            uint32_t from = search->into_from[e];
            if (!(search->marks[from] & mark)) {
                search->marks[from] |= mark;
                search->queue[end++] = from;
            }
        }
    }
}

static int is_absorbing(const ptd_frozen *frozen, int64_t v)
{
    return v > 0 && frozen->edge_start[v] == frozen->edge_start[v + 1];
}

/* Fills the marks. */
static void search_all(const freezing *work, searching *search)
{
    const ptd_frozen *frozen = &work->frozen;
    search->marks[0] |= REACHED;
    search->queue[0] = 0;
    search_forward(work, search, 1, REACHED);
    int64_t end = 0;
    for (int64_t v = 1; v < work->n; v++) {
        if (is_absorbing(frozen, v)) {
            search->marks[v] |= ABSORBS;
            search->queue[end++] = (uint32_t)v;
        }
    }
    search_backward(search, end, ABSORBS);
    end = 0;
    for (int64_t v = 0; v < work->n; v++) {
        if (!(search->marks[v] & ABSORBS)) {
            search->marks[v] |= TRAPPED;
            search->queue[end++] = (uint32_t)v;
        }
    }
    search_backward(search, end, TRAPPED);
}

static ptd_status classify(freezing *work, int32_t improper)
{
    ptd_frozen *frozen = &work->frozen;
    size_t n = (size_t)work->n;
    ptd_status status = PTD_OK;
    searching search = {
        .marks = ptd_allocate_zero(n, sizeof *search.marks),
        .queue = ptd_allocate(n, sizeof *search.queue),
        .into = ptd_allocate_zero(n + 1, sizeof *search.into),
        .into_from = ptd_allocate((size_t)frozen->n_edges, sizeof *search.into_from),
    };
    frozen->vertex_class = ptd_allocate(n, sizeof *frozen->vertex_class);
    if (!search.marks || !search.queue || !search.into || !search.into_from ||
        !frozen->vertex_class) {
        status = ptd_fail(work->error, PTD_NO_MEMORY, -1, 0);
        goto done;
    }
    reverse_edges(work, &search);
    search_all(work, &search);
    frozen->vertex_class[0] = PTD_VERTEX_START;
    for (size_t v = 1; v < n; v++) {
        int reached = search.marks[v] & REACHED;
        int absorbs = search.marks[v] & ABSORBS;
        int trapped = search.marks[v] & TRAPPED;
        if (reached && !absorbs && !improper) {
            status = ptd_fail(work->error, PTD_GRAPH_NO_ABSORPTION, work->added[v], 0);
            goto done;
        }
        int dropped = !absorbs || (trapped && !reached);
        frozen->vertex_class[v] = dropped                            ? PTD_VERTEX_DROPPED
                                  : is_absorbing(frozen, (int64_t)v) ? PTD_VERTEX_ABSORBING
                                                                     : PTD_VERTEX_TRANSIENT;
        frozen->n_dropped += dropped;
    }
done:
    ptd_release(search.marks);
    ptd_release(search.queue);
    ptd_release(search.into);
    ptd_release(search.into_from);
    return status;
}

/* ---- the whole */

/* Gives back what merging left unused; a failure to shrink does no harm. */
static void shrink_edges(ptd_frozen *frozen)
{
    int32_t *to = ptd_reallocate(frozen->edge_to, (size_t)frozen->n_edges, sizeof *to);
    frozen->edge_to = to ? to : frozen->edge_to;
    uint32_t *form = ptd_reallocate(frozen->edge_form, (size_t)frozen->n_edges, sizeof *form);
    frozen->edge_form = form ? form : frozen->edge_form;
}

static void replace_by_frozen(ptd_graph *graph, freezing *work)
{
    uint32_t **arrays[] = {&graph->edge_from, &graph->edge_to, &graph->edge_form,
                           &graph->all_parameters};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
        ptd_release(*arrays[k]);
        *arrays[k] = NULL;
    }
    ptd_release(graph->states);
    graph->states = NULL;
    graph->vertex_capacity = 0;
    graph->n_edges = 0;
    graph->edge_capacity = 0;
    ptd_forms_clear(&graph->forms);
    graph->frozen = work->frozen;
    graph->is_frozen = 1;
    memset(&work->frozen, 0, sizeof work->frozen);
}

ptd_status ptd_graph_freeze(ptd_graph *graph, int32_t improper, ptd_error *error)
{
    if (graph->is_frozen) {
        return ptd_fail(error, PTD_GRAPH_FROZEN, -1, 0);
    }
    if (graph->n_vertices < 2) {
        return ptd_fail(error, PTD_GRAPH_EMPTY, -1, 0);
    }
    freezing work = {.graph = graph, .n = graph->n_vertices, .error = error};
    ptd_status status = number_vertices(&work);
    if (status != PTD_OK) {
        goto done;
    }
    status = sort_edges(&work);
    if (status != PTD_OK) {
        goto done;
    }
    status = merge_parallel(&work);
    if (status != PTD_OK) {
        goto done;
    }
    if (work.frozen.edge_start[1] == 0) {
        status = ptd_fail(error, PTD_GRAPH_NO_START, 0, 0);
        goto done;
    }
    status = number_forms(&work);
    if (status != PTD_OK) {
        goto done;
    }
    status = classify(&work, improper);
    if (status != PTD_OK) {
        goto done;
    }
    shrink_edges(&work.frozen);
    replace_by_frozen(graph, &work);
done:
    ptd_release(work.added);
    ptd_frozen_clear(&work.frozen);
    return status;
}
