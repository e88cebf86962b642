/* Jet pass: components downstream first, all solutions of one while its factors are at hand. See
 * jet_pass.h.
 */
#include "jet_pass.h"

#include <string.h>

#include "form_jet.h"
#include "memory.h"
#include "status.h"

static double *jet_at(const ptd_jet_pass *h, double *array, size_t item)
{
    return array + item * h->jets;
}

void ptd_jet_quotient(const ptd_jet_pass *h, double *a, const double *b, const double *c)
{
    const int P = h->shape.n_parameters;
    const double inverse = 1 / c[0];
    a[0] = b[0] * inverse;
    for (int p = 1; p <= P; p++) {
        a[p] = (b[p] - a[0] * c[p]) * inverse;
    }
    int k = 1 + P;
    for (int p = 1; p <= P && h->shape.order > 1; p++) {
        for (int q = p; q <= P; q++, k++) {
            a[k] = (b[k] - a[0] * c[k] - (a[p] * c[q] + a[q] * c[p])) * inverse;
        }
    }
}

/* a += the exit sum of a position. */
static void add_exit(const ptd_jet_pass *h, double *a, uint32_t position)
{
    const ptd_lanes *z = &h->ws->lanes;
    const uint32_t exit = z->exit_of_position[position];
    if (exit == PTD_NONE) {
        return;
    }
    for (uint32_t e = z->exit_start[exit]; e < z->exit_start[exit + 1]; e++) {
        ptd_form_jet(z, h->shape, z->exit_form[e], h->scratch);
        ptd_jet_add(h->shape, a, h->scratch);
    }
}

/* Row r of the block, whose first row is `first_row` and first slot `base`, with what its column
 * places are. */
static void eliminate_row(const ptd_jet_pass *h, uint32_t first_row, uint32_t base, uint32_t r)
{
    const ptd_lanes *z = &h->ws->lanes;
    double *const row = jet_at(h, h->slot, z->row_slot[r] - base);
    const uint32_t *column = z->slot_column + z->row_slot[r];
    const uint32_t exit = z->row_slot[r + 1] - z->row_slot[r] - 1;
    const uint32_t lower = z->row_lower[r];
    double *const l = jet_at(h, h->scratch, 1);
    for (uint32_t t = 0; t < exit; t++) {
        h->place[column[t]] = t + 1;
    }
    for (uint32_t a = 0; a < lower; a++) {
        const uint32_t k = first_row + column[a];
        const uint32_t upper = z->row_upper[k];
        const uint32_t last = z->row_slot[k + 1] - 1;
        ptd_jet_quotient(h, l, jet_at(h, row, a), jet_at(h, h->pivot, column[a]));
        memcpy(jet_at(h, row, a), l, h->jets * sizeof(double));
        for (uint32_t t = upper; t < last; t++) {
            const uint32_t to = h->place[z->slot_column[t]] - 1;
            ptd_jet_add_product(h->shape, jet_at(h, row, to), l, jet_at(h, h->slot, t - base));
        }
        ptd_jet_add_product(h->shape, jet_at(h, row, exit), l, jet_at(h, h->slot, last - base));
    }
    for (uint32_t t = 0; t < exit; t++) {
        h->place[column[t]] = 0;
    }
    double *const pivot = jet_at(h, h->pivot, r - first_row);
    ptd_jet_clear(h->shape, pivot);
    for (uint32_t t = lower + 1; t <= exit; t++) {
        ptd_jet_add(h->shape, pivot, jet_at(h, row, t));
    }
}

static void factor(ptd_jet_pass *h, uint32_t block, uint32_t begin)
{
    const ptd_lanes *z = &h->ws->lanes;
    const uint32_t first_row = z->block_row[block];
    const uint32_t end_row = z->block_row[block + 1];
    const uint32_t base = z->row_slot[first_row];
    if (h->block == block) {
        return;
    }
    memset(h->slot, 0, (z->row_slot[end_row] - base) * h->jets * sizeof(double));
    for (uint32_t r = first_row; r < end_row; r++) {
        const uint32_t position = begin + (r - first_row);
        double *const row = jet_at(h, h->slot, z->row_slot[r] - base);
        const uint32_t *form = z->edge_form + z->edge_start[position];
        for (uint32_t e = z->entry_start[r]; e < z->entry_start[r + 1]; e++, form++) {
            ptd_form_jet(z, h->shape, *form, jet_at(h, row, z->entry_slot[e]));
        }
        add_exit(h, jet_at(h, row, z->row_slot[r + 1] - z->row_slot[r] - 1), position);
        eliminate_row(h, first_row, base, r);
    }
    h->block = block;
}

/* a = right-hand side of a solution and what the edges out of the component bring. */
static void set_sum(const ptd_jet_pass *h, double *a, uint32_t position, int s)
{
    const ptd_lanes *z = &h->ws->lanes;
    double *const side = ptd_jet_right_side(h, position, s);
    ptd_jet_clear(h->shape, side);
    h->set_right_side(h, position, s, side);
    memcpy(a, side, h->jets * sizeof(double));
    for (uint32_t e = z->edge_external[position]; e < z->edge_boundary[position]; e++) {
        ptd_form_jet(z, h->shape, z->edge_form[e], h->scratch);
        ptd_jet_add_product(h->shape, a, h->scratch, ptd_jet_solution(h, z->edge_target[e], s));
    }
}

static void solve_block(const ptd_jet_pass *h, uint32_t block, uint32_t begin, int s)
{
    const ptd_lanes *z = &h->ws->lanes;
    const uint32_t first_row = z->block_row[block];
    const uint32_t rows = z->block_row[block + 1] - first_row;
    const uint32_t base = z->row_slot[first_row];
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t slot = z->row_slot[first_row + i];
        double *const sum = jet_at(h, h->y, i);
        set_sum(h, sum, begin + i, s);
        for (uint32_t t = 0; t < z->row_lower[first_row + i]; t++) {
            ptd_jet_add_product(h->shape, sum, jet_at(h, h->slot, slot + t - base),
                                jet_at(h, h->y, z->slot_column[slot + t]));
        }
    }
    for (uint32_t i = rows; i-- > 0;) {
        double *const sum = jet_at(h, h->y, i);
        const uint32_t last = z->row_slot[first_row + i + 1] - 1;
        for (uint32_t t = z->row_upper[first_row + i]; t < last; t++) {
            ptd_jet_add_product(h->shape, sum, jet_at(h, h->slot, t - base),
                                ptd_jet_solution(h, begin + z->slot_column[t], s));
        }
        ptd_jet_quotient(h, ptd_jet_solution(h, begin + i, s), sum, jet_at(h, h->pivot, i));
    }
}

static void solve_single(const ptd_jet_pass *h, uint32_t position)
{
    double *const sum = jet_at(h, h->scratch, 1);
    double *const exit = jet_at(h, h->scratch, 2);
    ptd_jet_clear(h->shape, exit);
    add_exit(h, exit, position);
    for (int s = 0; s < h->solutions; s++) {
        set_sum(h, sum, position, s);
        ptd_jet_quotient(h, ptd_jet_solution(h, position, s), sum, exit);
    }
}

static void solve_components(ptd_jet_pass *h)
{
    const ptd_lanes *z = &h->ws->lanes;
    h->block = PTD_NONE;
    for (uint32_t component = 0; component < z->n_components; component++) {
        const uint32_t begin = z->component_start[component];
        const uint32_t block = z->component_block[component];
        if (block == PTD_NONE) {
            solve_single(h, begin);
            continue;
        }
        factor(h, block, begin);
        for (int s = 0; s < h->solutions; s++) {
            solve_block(h, block, begin, s);
        }
    }
}

static ptd_status allocate(ptd_jet_pass *h, ptd_error *error)
{
    const ptd_lanes *z = &h->ws->lanes;
    size_t rows = 0;
    size_t slots = 0;
    for (uint32_t block = 0; block < z->n_blocks; block++) {
        const size_t here = z->block_row[block + 1] - z->block_row[block];
        const size_t its_slots =
            z->row_slot[z->block_row[block + 1]] - z->row_slot[z->block_row[block]];
        rows = here > rows ? here : rows;
        slots = its_slots > slots ? its_slots : slots;
    }
    const size_t solutions = (size_t)z->n * (size_t)h->solutions;
    h->slot = ptd_allocate(slots * h->jets, sizeof(double));
    h->pivot = ptd_allocate(rows * h->jets, sizeof(double));
    h->y = ptd_allocate(rows * h->jets, sizeof(double));
    h->x = ptd_allocate(solutions * h->jets, sizeof(double));
    h->rhs = ptd_allocate(solutions * h->jets, sizeof(double));
    h->scratch = ptd_allocate(3 * h->jets, sizeof(double));
    h->place = ptd_allocate_zero(rows, sizeof *h->place);
    if (!h->slot || !h->pivot || !h->y || !h->x || !h->rhs || !h->scratch || !h->place) {
        const size_t items = slots + 2 * rows + 2 * solutions;
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)(items * h->jets * sizeof(double)));
    }
    return PTD_OK;
}

void ptd_jet_pass_release(ptd_jet_pass *h)
{
    ptd_release(h->slot);
    ptd_release(h->pivot);
    ptd_release(h->y);
    ptd_release(h->x);
    ptd_release(h->rhs);
    ptd_release(h->scratch);
    ptd_release(h->place);
}

ptd_status ptd_jet_pass_create(ptd_workspace *ws, int order, int solutions, ptd_jet_pass *h,
                               ptd_error *error)
{
    const int P = (int)ws->meta->n_parameters;
    *h = (ptd_jet_pass){.ws = ws, .solutions = solutions};
    h->shape = (ptd_jet_shape){order, P, ptd_jets(order, P)};
    h->jets = (size_t)h->shape.jets;
    return allocate(h, error);
}

ptd_status ptd_jet_pass_solve(ptd_jet_pass *h, const double *theta, const double *rewards,
                              int64_t row, ptd_error *error)
{
    ptd_workspace *ws = h->ws;
    (void)ptd_workspace_take(ws, 1);
    ptd_status status = ptd_workspace_begin(ws, theta, row, 1, error);
    if (status) {
        return status;
    }
    ptd_workspace_factor(ws);
    status = ptd_workspace_verdict(ws, row, 1, error);
    if (status) {
        return status;
    }
    const int64_t trap = ptd_workspace_endless(ws, rewards);
    if ((ws->seen & PTD_SAW_ZERO_PIVOT) || trap >= 0) {
        ws->failed_theta = row;
        return ptd_fail(error, PTD_ABSORPTION_UNREACHABLE, trap >= 0 ? trap : ws->dead_vertex, 0);
    }
    solve_components(h);
    return PTD_OK;
}
