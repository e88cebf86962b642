/* One evaluation, opened up: the acyclic chain that elimination leaves at one theta. */
#include "workspace.h"

#include "memory.h"
#include "status.h"

/* A position's way out in the eliminated chain: of single vertices every edge; in blocks the row's
 * U and, as one target, all that leaves the component. */
static int64_t count_targets(const ptd_lanes *z, const uint8_t *exits, uint32_t position,
                             uint32_t row)
{
    if (row == PTD_NONE) {
        return z->edge_self[position] - z->edge_external[position];
    }
    return z->row_slot[row + 1] - z->row_slot[row] - z->row_lower[row] - 2 + exits[row];
}

/* Whether a row has a way out of its component: its own, or by fill-in that of a row in its L. */
static void find_exits(const ptd_lanes *z, uint8_t *exits)
{
    for (uint32_t block = 0; block < z->n_blocks; block++) {
        const uint32_t first_row = z->block_row[block];
        for (uint32_t row = first_row; row < z->block_row[block + 1]; row++) {
            const uint32_t position = z->block_position[block] + row - first_row;
            const uint32_t *lower = z->slot_column + z->row_slot[row];
            exits[row] = z->exit_of_position[position] != PTD_NONE;
            for (uint32_t k = 0; k < z->row_lower[row]; k++) {
                exits[row] |= exits[first_row + lower[k]];
            }
        }
    }
}

static void fill_targets(const ptd_workspace *ws, const uint8_t *exits, uint32_t position,
                         uint32_t begin, uint32_t row, ptd_trace_result *result, int64_t at)
{
    const ptd_lanes *z = &ws->lanes;
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    double *rate = &result->rates[vertex[position]];
    if (row == PTD_NONE) {
        const uint32_t exit = z->exit_of_position[position];
        *rate = z->exit[exit];
        for (uint32_t e = z->edge_external[position]; e < z->edge_self[position]; e++, at++) {
            result->targets[at] = vertex[z->edge_target[e]];
            result->probabilities[at] = z->form[z->edge_form[e]] * z->exit_inverse[exit];
        }
        return;
    }
    const uint32_t first = z->row_slot[row] + z->row_lower[row] + 1;
    double sum = 0;
    for (uint32_t slot = first; slot < z->row_slot[row + 1]; slot++) {
        sum += z->slot[slot];
    }
    *rate = sum;
    for (uint32_t slot = first; slot + 1 < z->row_slot[row + 1]; slot++, at++) {
        result->targets[at] = vertex[begin + z->slot_column[slot]];
        result->probabilities[at] = z->slot[slot] * z->pivot_inverse[row];
    }
    if (exits[row]) {
        result->targets[at] = -1;
        result->probabilities[at] = z->slot[z->row_slot[row + 1] - 1] * z->pivot_inverse[row];
    }
}

ptd_status ptd_evaluate_trace(ptd_workspace *workspace, const double *theta,
                              ptd_trace_result **result, ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const ptd_lanes *z = &ws->lanes;
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const size_t n = z->n;
    ptd_trace_result *r = NULL;
    uint8_t *exits = NULL;
    *result = NULL;
    ptd_workspace_take(ws, 1);
    ptd_status status = ptd_workspace_begin(ws, theta, 0, 1, error);
    if (status) {
        return status;
    }
    ptd_workspace_factor(ws);
    status = ptd_workspace_verdict(ws, 0, 1, error);
    if (status) {
        return status;
    }
    r = ptd_allocate_zero(1, sizeof *r);
    exits = ptd_allocate_zero(z->block_row[z->n_blocks], sizeof *exits);
    if (!r || !exits) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0);
        goto out;
    }
    find_exits(z, exits);
    r->n_vertices = (int64_t)n;
    r->rates = ptd_allocate_zero(n, sizeof *r->rates);
    r->start = ptd_allocate_zero(n + 1, sizeof *r->start);
    if (!r->rates || !r->start) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0);
        goto out;
    }
    for (int fill = 0; fill < 2; fill++) {
        for (uint32_t component = 0; component < z->n_components; component++) {
            const uint32_t begin = z->component_start[component];
            const uint32_t block = z->component_block[component];
            for (uint32_t i = begin; i < z->component_start[component + 1]; i++) {
                const uint32_t row = block == PTD_NONE ? PTD_NONE : z->block_row[block] + i - begin;
                if (fill) {
                    fill_targets(ws, exits, i, begin, row, r, r->start[vertex[i]]);
                } else {
                    r->start[vertex[i] + 1] = count_targets(z, exits, i, row);
                }
            }
        }
        if (!fill) {
            for (size_t v = 0; v < n; v++) {
                r->start[v + 1] += r->start[v];
            }
            r->n_targets = r->start[n];
            r->targets = ptd_allocate_zero((size_t)r->n_targets, sizeof *r->targets);
            r->probabilities = ptd_allocate_zero((size_t)r->n_targets, sizeof *r->probabilities);
            if (!r->targets || !r->probabilities) {
                status = ptd_fail(error, PTD_NO_MEMORY, 0, 0);
                goto out;
            }
        }
    }
    *result = r;
    r = NULL;
out:
    ptd_release(exits);
    ptd_trace_result_destroy(r);
    return status;
}

void ptd_trace_result_destroy(ptd_trace_result *result)
{
    if (result) {
        ptd_release(result->rates);
        ptd_release(result->start);
        ptd_release(result->targets);
        ptd_release(result->probabilities);
        ptd_release(result);
    }
}
