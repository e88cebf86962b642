/* Plan of the components. See plan.h.
 *
 * A component's signature is read off the graph: for each vertex in canonical order its internal
 * edges (as places inside the component), their forms, and its exit sum. Signatures are hashed, and
 * compared edge by edge where hashes agree.
 */
#include "plan.h"

#include "grow.h"
#include "id_table.h"
#include "memory.h"
#include "ordering.h"
#include "status.h"

typedef struct {
    const ptd_graph_view *graph;
    const ptd_layout *layout;
    const ptd_exits *exits;
    const ptd_plan_store *store;
    int64_t max_bytes;
    ptd_progress_meter *progress;
    ptd_plan *plan;
    size_t pattern_capacity;
    size_t block_component_capacity;
    size_t block_pattern_capacity;
    ptd_id_table pattern_table;
    ptd_id_table block_table;
    /* One component's pattern at a time. */
    int64_t *start;
    int32_t *column;
    size_t start_capacity;
    size_t column_capacity;
} planner;

static uint32_t component_size(const ptd_layout *layout, uint32_t component)
{
    return layout->start[component + 1] - layout->start[component];
}

/* The next edge from `e` on that stays inside the component and leaves its vertex. */
static int64_t next_internal(const planner *p, uint32_t vertex, uint32_t component, int64_t e)
{
    const int32_t *to = p->graph->edge_to;
    int64_t end = p->graph->edge_start[vertex + 1];
    while (e < end && (p->layout->component[to[e]] != component || (uint32_t)to[e] == vertex)) {
        e++;
    }
    return e;
}

/* Hashes of the pattern, and of the pattern with its forms and exits; the number of edges. */
static int64_t hash_component(const planner *p, uint32_t component, uint64_t *pattern_hash,
                              uint64_t *block_hash)
{
    const ptd_graph_view *graph = p->graph;
    uint32_t first = p->layout->start[component];
    uint32_t size = component_size(p->layout, component);
    int64_t n_edges = 0;
    uint64_t pattern = size;
    uint64_t block = size;
    for (uint32_t k = 0; k < size; k++) {
        uint32_t vertex = p->layout->vertex[first + k];
        int64_t end = graph->edge_start[vertex + 1];
        int64_t e = next_internal(p, vertex, component, graph->edge_start[vertex]);
        for (; e < end; e = next_internal(p, vertex, component, e + 1)) {
            pattern = ptd_hash_mix(pattern, p->layout->place[graph->edge_to[e]] - first);
            block = ptd_hash_mix(block, graph->edge_form[e]);
            n_edges++;
        }
        pattern = ptd_hash_mix(pattern, PTD_NONE);
        block = ptd_hash_mix(block, p->exits->of_vertex[vertex]);
    }
    *pattern_hash = pattern;
    *block_hash = ptd_hash_mix(pattern, block);
    return n_edges;
}

/* Whether two components agree in their patterns and, if asked for, in forms and exits. */
static int components_agree(const planner *p, uint32_t a, uint32_t b, int with_weights)
{
    const ptd_graph_view *graph = p->graph;
    uint32_t size = component_size(p->layout, a);
    uint32_t first_a = p->layout->start[a];
    uint32_t first_b = p->layout->start[b];
    if (component_size(p->layout, b) != size) {
        return 0;
    }
    for (uint32_t k = 0; k < size; k++) {
        uint32_t va = p->layout->vertex[first_a + k];
        uint32_t vb = p->layout->vertex[first_b + k];
        int64_t end_a = graph->edge_start[va + 1];
        int64_t end_b = graph->edge_start[vb + 1];
        int64_t ea = next_internal(p, va, a, graph->edge_start[va]);
        int64_t eb = next_internal(p, vb, b, graph->edge_start[vb]);
        while (ea < end_a && eb < end_b) {
            if (p->layout->place[graph->edge_to[ea]] - first_a !=
                    p->layout->place[graph->edge_to[eb]] - first_b ||
                (with_weights && graph->edge_form[ea] != graph->edge_form[eb])) {
                return 0;
            }
            ea = next_internal(p, va, a, ea + 1);
            eb = next_internal(p, vb, b, eb + 1);
        }
        if (ea < end_a || eb < end_b ||
            (with_weights && p->exits->of_vertex[va] != p->exits->of_vertex[vb])) {
            return 0;
        }
    }
    return 1;
}

static ptd_status find_pattern(planner *p, uint32_t component, uint64_t hash, int64_t n_edges,
                               uint32_t *pattern, ptd_error *error)
{
    ptd_plan *plan = p->plan;
    size_t place = PTD_ID_TABLE_BEGIN;
    while ((*pattern = ptd_id_table_next(&p->pattern_table, hash, &place)) != PTD_NONE) {
        if (components_agree(p, component, plan->patterns[*pattern].component, 0)) {
            return PTD_OK;
        }
    }
    *pattern = (uint32_t)plan->n_patterns;
    if (!ptd_grow(&plan->patterns, &p->pattern_capacity, *pattern + (size_t)1,
                  sizeof *plan->patterns) ||
        !ptd_id_table_add(&p->pattern_table, hash, *pattern)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    plan->patterns[*pattern] = (ptd_plan_pattern){.component = component, .n_edges = n_edges};
    plan->n_patterns++;
    return PTD_OK;
}

/* The component's block, and through it its pattern. */
static ptd_status find_block(planner *p, uint32_t component, ptd_error *error)
{
    ptd_plan *plan = p->plan;
    uint64_t pattern_hash;
    uint64_t block_hash;
    int64_t n_edges = hash_component(p, component, &pattern_hash, &block_hash);
    size_t place = PTD_ID_TABLE_BEGIN;
    uint32_t block;
    while ((block = ptd_id_table_next(&p->block_table, block_hash, &place)) != PTD_NONE) {
        if (components_agree(p, component, plan->block_component[block], 1)) {
            plan->component_block[component] = block;
            plan->patterns[plan->block_pattern[block]].n_components++;
            return PTD_OK;
        }
    }
    uint32_t pattern;
    ptd_status status = find_pattern(p, component, pattern_hash, n_edges, &pattern, error);
    if (status != PTD_OK) {
        return status;
    }
    block = (uint32_t)plan->n_blocks;
    if (!ptd_grow(&plan->block_component, &p->block_component_capacity, block + (size_t)1,
                  sizeof *plan->block_component) ||
        !ptd_grow(&plan->block_pattern, &p->block_pattern_capacity, block + (size_t)1,
                  sizeof *plan->block_pattern) ||
        !ptd_id_table_add(&p->block_table, block_hash, block)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    plan->block_component[block] = component;
    plan->block_pattern[block] = pattern;
    plan->component_block[component] = block;
    plan->patterns[pattern].n_components++;
    plan->patterns[pattern].n_blocks++;
    plan->n_blocks++;
    return PTD_OK;
}

/* Bytes of a block whose rows hold so many entries of L and U: block_row and block_position; in
 * each row row_slot, row_lower, entry_start, row_program, and the slots of diagonal and exit; the
 * other slots; entry_slot. */
static int64_t block_bytes(int64_t rows, int64_t entries, int64_t n_edges)
{
    return 4 * (2 + 4 * rows + 2 * rows + entries + n_edges);
}

/* What the blocks take even without fill. */
static ptd_status bound_from_below(planner *p, ptd_error *error)
{
    ptd_plan *plan = p->plan;
    for (int64_t k = 0; k < plan->n_patterns; k++) {
        const ptd_plan_pattern *pattern = &plan->patterns[k];
        int64_t rows = component_size(p->layout, pattern->component);
        plan->n_rows += pattern->n_blocks * rows;
        plan->n_entries += pattern->n_blocks * pattern->n_edges;
        plan->n_slots += pattern->n_blocks * (pattern->n_edges + 2 * rows);
        plan->bytes += pattern->n_blocks * block_bytes(rows, pattern->n_edges, pattern->n_edges);
    }
    if (plan->bytes > p->max_bytes) {
        return ptd_fail(error, PTD_TRACE_TOO_LARGE, 0, (double)plan->bytes);
    }
    return PTD_OK;
}

static ptd_status extract_pattern(planner *p, const ptd_plan_pattern *planned, ptd_pattern *pattern,
                                  ptd_error *error)
{
    const ptd_graph_view *graph = p->graph;
    uint32_t component = planned->component;
    uint32_t first = p->layout->start[component];
    uint32_t size = component_size(p->layout, component);
    if (!ptd_grow(&p->start, &p->start_capacity, size + (size_t)1, sizeof *p->start) ||
        !ptd_grow(&p->column, &p->column_capacity, (size_t)planned->n_edges, sizeof *p->column)) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    int64_t count = 0;
    for (uint32_t k = 0; k < size; k++) {
        uint32_t vertex = p->layout->vertex[first + k];
        int64_t end = graph->edge_start[vertex + 1];
        int64_t e = next_internal(p, vertex, component, graph->edge_start[vertex]);
        p->start[k] = count;
        for (; e < end; e = next_internal(p, vertex, component, e + 1)) {
            p->column[count++] = (int32_t)(p->layout->place[graph->edge_to[e]] - first);
        }
    }
    p->start[size] = count;
    *pattern = (ptd_pattern){.n = (int32_t)size, .start = p->start, .column = p->column};
    return PTD_OK;
}

static ptd_status find_order(const planner *p, const ptd_pattern *pattern, int32_t *order,
                             ptd_error *error)
{
    if (ptd_plan_store_load(p->store, pattern, order)) {
        return PTD_OK;
    }
    ptd_status status = ptd_order_component(pattern, order, error);
    if (status == PTD_OK) {
        ptd_plan_store_save(p->store, pattern, order);
    }
    return status;
}

/* Order and fill of one pattern, within what the bound leaves. */
static ptd_status plan_pattern(planner *p, ptd_plan_pattern *planned, ptd_error *error)
{
    ptd_plan *plan = p->plan;
    ptd_pattern pattern;
    ptd_error failure = {0};
    ptd_status status = extract_pattern(p, planned, &pattern, error);
    if (status != PTD_OK) {
        return status;
    }
    planned->order = ptd_allocate((size_t)pattern.n, sizeof *planned->order);
    if (!planned->order) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
    }
    status = find_order(p, &pattern, planned->order, error);
    if (status != PTD_OK) {
        return status;
    }
    int64_t entry_bytes = 4 * planned->n_blocks;
    int64_t max_fill = (p->max_bytes - plan->bytes) / entry_bytes;
    status = ptd_symbolic_create(&pattern, planned->order, planned->n_edges + max_fill,
                                 &planned->symbolic, &failure);
    if (status == PTD_TRACE_TOO_LARGE) {
        double fill = failure.value - (double)planned->n_edges;
        return ptd_fail(error, status, 0, (double)plan->bytes + fill * (double)entry_bytes);
    }
    if (status != PTD_OK) {
        return ptd_fail(error, status, failure.index, failure.value);
    }
    int64_t fill = planned->symbolic.start[pattern.n] - planned->n_edges;
    plan->n_slots += planned->n_blocks * fill;
    plan->bytes += entry_bytes * fill;
    return PTD_OK;
}

static ptd_status find_blocks(planner *p, int64_t *n_single, ptd_error *error)
{
    *n_single = 0;
    for (uint32_t c = 0; c < p->layout->n_components; c++) {
        if (component_size(p->layout, c) == 1) {
            p->plan->component_block[c] = PTD_NONE;
            ++*n_single;
            continue;
        }
        ptd_status status = find_block(p, c, error);
        if (status != PTD_OK) {
            return status;
        }
    }
    return PTD_OK;
}

ptd_status ptd_plan_create(const ptd_graph_view *graph, const ptd_layout *layout,
                           const ptd_exits *exits, const ptd_plan_store *store, int64_t max_bytes,
                           ptd_progress_meter *progress, ptd_plan *plan, ptd_error *error)
{
    ptd_status status = PTD_OK;
    int64_t n_single;
    planner p = {.graph = graph,
                 .layout = layout,
                 .exits = exits,
                 .store = store,
                 .max_bytes = max_bytes,
                 .progress = progress,
                 .plan = plan};
    *plan = (ptd_plan){0};
    plan->component_block =
        ptd_allocate((size_t)layout->n_components, sizeof *plan->component_block);
    if (!plan->component_block) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    status = find_blocks(&p, &n_single, error);
    if (status == PTD_OK) {
        status = bound_from_below(&p, error);
    }
    if (status == PTD_OK) {
        status = ptd_progress_add(progress, layout->n_boundary + n_single, error);
    }
    for (int64_t k = 0; k < plan->n_patterns && status == PTD_OK; k++) {
        ptd_plan_pattern *pattern = &plan->patterns[k];
        int64_t size = component_size(layout, pattern->component);
        status = plan_pattern(&p, pattern, error);
        if (status == PTD_OK) {
            status = ptd_progress_add(progress, size * pattern->n_components, error);
        }
    }
out:
    ptd_id_table_destroy(&p.pattern_table);
    ptd_id_table_destroy(&p.block_table);
    ptd_release(p.start);
    ptd_release(p.column);
    if (status != PTD_OK) {
        ptd_plan_destroy(plan);
    }
    return status;
}

void ptd_plan_destroy(ptd_plan *plan)
{
    for (int64_t k = 0; k < plan->n_patterns; k++) {
        ptd_release(plan->patterns[k].order);
        ptd_symbolic_destroy(&plan->patterns[k].symbolic);
    }
    ptd_release(plan->patterns);
    ptd_release(plan->component_block);
    ptd_release(plan->block_component);
    ptd_release(plan->block_pattern);
    *plan = (ptd_plan){0};
}
