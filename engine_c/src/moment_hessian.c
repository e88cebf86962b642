/* Second derivatives of moments in theta: the elimination and its solves, done with jets.
 *
 * Every number of kernel.h's recursion is a jet (jet.h): weights are affine in theta, so that their
 * second derivatives are 0, and each product, sum and inverse carries value, gradient and Hessian
 * on. The factors themselves are differentiated, not the solution: M x' = b' - M' x subtracts
 * potentials, and loses on nearly decomposable chains what the elimination has won.
 *
 * Components are solved downstream first, all orders of one while its factors are at hand.
 */
#include <math.h>
#include <string.h>

#include "form_jet.h"
#include "memory.h"
#include "status.h"
#include "workspace.h"

/* All arrays but the last two are of jets. */
typedef struct {
    ptd_workspace *ws;
    ptd_jet_shape shape;
    size_t jets;
    int order;
    double *slot;    /* of the block at hand */
    double *pivot;   /* of its rows */
    double *y;       /* its rows */
    double *x;       /* positions x order */
    double *rhs;     /* positions x order: right-hand sides */
    double *scratch; /* 3 */
    uint32_t *place; /* rows of the block: slot of a column in the row at hand, from 1; 0: none */
    uint32_t block;  /* at hand; PTD_NONE: none */
} hessian_pass;

static double *jet_at(const hessian_pass *h, double *array, size_t item)
{
    return array + item * h->jets;
}

/* a += b * c for a number b. */
static void add_scaled(const hessian_pass *h, double *a, double b, const double *c)
{
    for (size_t k = 0; k < h->jets; k++) {
        a[k] += b * c[k];
    }
}

/* a = b / c; a is not c. By q' = (b' - q c') / c: where b and c change alike nothing is left of it,
 * as in the reverse mode, which b' (1 / c) + b (1 / c)' misses by its rounding. */
static void set_quotient(const hessian_pass *h, double *a, const double *b, const double *c)
{
    const int P = h->shape.n_parameters;
    const double inverse = 1 / c[0];
    a[0] = b[0] * inverse;
    for (int p = 1; p <= P; p++) {
        a[p] = (b[p] - a[0] * c[p]) * inverse;
    }
    int k = 1 + P;
    for (int p = 1; p <= P; p++) {
        for (int q = p; q <= P; q++, k++) {
            a[k] = (b[k] - a[0] * c[k] - (a[p] * c[q] + a[q] * c[p])) * inverse;
        }
    }
}

/* a += the exit sum of a position. */
static void add_exit(const hessian_pass *h, double *a, uint32_t position)
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
static void eliminate_row(const hessian_pass *h, uint32_t first_row, uint32_t base, uint32_t r)
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
        set_quotient(h, l, jet_at(h, row, a), jet_at(h, h->pivot, column[a]));
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

static void factor(hessian_pass *h, uint32_t block, uint32_t begin)
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

static double *solution(const hessian_pass *h, uint32_t position, int k)
{
    return jet_at(h, h->x, (size_t)position * (size_t)h->order + (size_t)k - 1);
}

static double *right_side(const hessian_pass *h, uint32_t position, int k)
{
    return jet_at(h, h->rhs, (size_t)position * (size_t)h->order + (size_t)k - 1);
}

/* The right-hand side of order k (moments.c), in its place. */
static void set_right_side(const hessian_pass *h, uint32_t position, int k)
{
    const double reward = h->ws->reward[position];
    double *const side = right_side(h, position, k);
    ptd_jet_clear(h->shape, side);
    if (h->ws->meta->kind == PTD_CONTINUOUS) {
        if (k == 1) {
            side[0] = reward;
        } else {
            add_scaled(h, side, k * reward, solution(h, position, k - 1));
        }
        return;
    }
    double ways = 1; /* C(k, l) */
    side[0] = pow(reward, k);
    for (int l = 1; l < k; l++) {
        ways = ways * (k - l + 1) / l;
        const double factor = ways * pow(reward, k - l);
        add_scaled(h, side, factor, solution(h, position, l));
        add_scaled(h, side, -factor, right_side(h, position, l));
    }
}

/* a = right-hand side of order k and what the edges out of the component bring. */
static void set_sum(const hessian_pass *h, double *a, uint32_t position, int k)
{
    const ptd_lanes *z = &h->ws->lanes;
    set_right_side(h, position, k);
    memcpy(a, right_side(h, position, k), h->jets * sizeof(double));
    for (uint32_t e = z->edge_external[position]; e < z->edge_boundary[position]; e++) {
        ptd_form_jet(z, h->shape, z->edge_form[e], h->scratch);
        ptd_jet_add_product(h->shape, a, h->scratch, solution(h, z->edge_target[e], k));
    }
}

static void solve_block(const hessian_pass *h, uint32_t block, uint32_t begin, int k)
{
    const ptd_lanes *z = &h->ws->lanes;
    const uint32_t first_row = z->block_row[block];
    const uint32_t rows = z->block_row[block + 1] - first_row;
    const uint32_t base = z->row_slot[first_row];
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t slot = z->row_slot[first_row + i];
        double *const sum = jet_at(h, h->y, i);
        set_sum(h, sum, begin + i, k);
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
                                solution(h, begin + z->slot_column[t], k));
        }
        set_quotient(h, solution(h, begin + i, k), sum, jet_at(h, h->pivot, i));
    }
}

static void solve_single(const hessian_pass *h, uint32_t position)
{
    double *const sum = jet_at(h, h->scratch, 1);
    double *const exit = jet_at(h, h->scratch, 2);
    ptd_jet_clear(h->shape, exit);
    add_exit(h, exit, position);
    for (int k = 1; k <= h->order; k++) {
        set_sum(h, sum, position, k);
        set_quotient(h, solution(h, position, k), sum, exit);
    }
}

static void solve_components(hessian_pass *h)
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
        for (int k = 1; k <= h->order; k++) {
            solve_block(h, block, begin, k);
        }
    }
}

static void store(const hessian_pass *h, double *hessians)
{
    const int P = h->shape.n_parameters;
    for (int k = 1; k <= h->order; k++) {
        const double *second = solution(h, h->ws->lanes.n - 1, k) + 1 + P;
        double *const matrix = hessians + (size_t)(k - 1) * (size_t)P * (size_t)P;
        for (int p = 0; p < P; p++) {
            for (int q = p; q < P; q++, second++) {
                matrix[p * P + q] = *second;
                matrix[q * P + p] = *second;
            }
        }
    }
}

static ptd_status allocate(hessian_pass *h, ptd_error *error)
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
    const size_t solutions = (size_t)z->n * (size_t)h->order;
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

static void release(hessian_pass *h)
{
    ptd_release(h->slot);
    ptd_release(h->pivot);
    ptd_release(h->y);
    ptd_release(h->x);
    ptd_release(h->rhs);
    ptd_release(h->scratch);
    ptd_release(h->place);
}

/* Brings one theta to where the kernels would take a gradient of a moment. */
static ptd_status begin(ptd_workspace *ws, const double *theta, const double *rewards, int64_t row,
                        ptd_error *error)
{
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
    return PTD_OK;
}

ptd_status ptd_moment_hessians(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                               const double *rewards, int32_t order, double *hessians,
                               ptd_error *error)
{
    ptd_workspace *ws = workspace;
    const int P = (int)ws->meta->n_parameters;
    const int64_t per_theta = (int64_t)order * P * P;
    hessian_pass h = {.ws = ws, .order = order};
    h.shape = (ptd_jet_shape){2, P, ptd_jets(2, P)};
    h.jets = (size_t)h.shape.jets;
    ws->failed_theta = -1;
    if (order < 1) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 4, order);
    }
    ptd_status status = ptd_workspace_set_reward(ws, rewards, error);
    if (!status) {
        status = allocate(&h, error);
    }
    for (int64_t row = 0; row < n_thetas && !status; row++) {
        (void)ptd_workspace_take(ws, 1);
        status = begin(ws, thetas + row * P, rewards, row, error);
        if (!status) {
            solve_components(&h);
            store(&h, hessians + row * per_theta);
            status = ptd_workspace_check_finite(ws, hessians + row * per_theta, row, 1, per_theta,
                                                error);
        }
    }
    release(&h);
    return status;
}
