/* Workspace: one allocation for all of an evaluation's arrays, and the start of every block. */
#include "workspace.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "status.h"

/* Beyond this many bytes lanes cost more in memory traffic than they save. */
static const int64_t MAX_LANE_BYTES = (int64_t)2 << 30;
/* Lanes beyond 8 pay only while the solutions stay in the cache. */
static const int64_t MANY_LANES_BYTES = (int64_t)2 << 20;

/* About what a core's second-level cache holds. */
static const int64_t CACHE_BYTES = (int64_t)1 << 20;

/* MOST_SOLUTIONS keeps products of sizes within 64 bits. */
enum { LANE_BYTES = 64, MOST_SOLUTIONS = 1 << 20 };

/* Lays the arrays out; with base NULL only counts their bytes. */
static int64_t lay_out(ptd_workspace *ws, char *base)
{
    ptd_lanes *z = &ws->lanes;
    const int64_t lanes = ws->max_lanes;
    const int64_t n = z->n;
    const int64_t slots = ws->trace->arrays[PTD_SLOT_COLUMN].length;
    const int64_t rows = ws->trace->arrays[PTD_ROW_LOWER].length;
    const int64_t moments = ws->options.max_order;
    const int64_t means = ws->options.max_rewards;
    const int64_t solutions = (moments > means ? moments : means) + 1;
    const int64_t sides = ws->meta->kind == PTD_DISCRETE ? moments + 1 : 1;
    const int gradient = ws->options.gradient;
    const struct {
        double **array;
        int64_t length;
    } parts[] = {
        {&z->theta, z->n_parameters * lanes},
        {&z->form, z->n_forms * lanes},
        {&z->exit, z->n_exits * lanes},
        {&z->exit_inverse, z->n_exits * lanes},
        {&z->slot, slots * lanes},
        {&z->pivot_inverse, rows * lanes},
        {&z->theta_bar, gradient ? z->n_parameters * lanes : 0},
        {&z->form_bar, gradient ? z->n_forms * lanes : 0},
        {&z->exit_bar, gradient ? z->n_exits * lanes : 0},
        {&z->slot_bar, gradient ? slots * lanes : 0},
        {&z->pivot_bar, gradient ? rows * lanes : 0},
        {&ws->reward, n},
        {&ws->x, n * solutions * lanes},
        {&ws->y, n * solutions * lanes},
        {&ws->rhs, n * sides * lanes},
        {&ws->x_bar, gradient ? 2 * n * PTD_MAX_FUSED_ORDERS * lanes : 0},
        {&ws->y_bar, gradient ? n * lanes : 0},
        {&ws->rhs_bar, gradient ? n * lanes : 0},
    };
    int64_t bytes = 0;
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        if (base) {
            *parts[k].array = (double *)(base + bytes);
        }
        bytes +=
            (parts[k].length * (int64_t)sizeof(double) + LANE_BYTES - 1) / LANE_BYTES * LANE_BYTES;
    }
    if (base) {
        z->row_upper = (uint32_t *)(base + bytes);
        ws->mark = (uint8_t *)(base + bytes + rows * (int64_t)sizeof *z->row_upper);
    }
    return bytes + rows * (int64_t)sizeof *z->row_upper + n;
}

static void view_trace(ptd_workspace *ws)
{
    ptd_lanes *z = &ws->lanes;
    const ptd_array *a = ws->trace->arrays;
    z->n = (uint32_t)ws->meta->n_vertices;
    z->n_boundary = (uint32_t)(ws->meta->n_absorbing + ws->meta->n_dropped);
    z->n_components = (uint32_t)ws->meta->n_components;
    z->n_blocks = (uint32_t)ws->meta->n_blocks;
    z->n_parameters = (uint32_t)ws->meta->n_parameters;
    z->n_forms = (uint32_t)a[PTD_FORM_BASE].length;
    z->n_exits = (uint32_t)(a[PTD_EXIT_START].length - 1);
    z->component_start = a[PTD_COMPONENT_START].data;
    z->component_block = a[PTD_COMPONENT_BLOCK].data;
    z->edge_start = a[PTD_EDGE_START].data;
    z->edge_external = a[PTD_EDGE_EXTERNAL].data;
    z->edge_boundary = a[PTD_EDGE_BOUNDARY].data;
    z->edge_self = a[PTD_EDGE_SELF].data;
    z->edge_target = a[PTD_EDGE_TARGET].data;
    z->edge_form = a[PTD_EDGE_FORM].data;
    z->form_base = a[PTD_FORM_BASE].data;
    z->form_coefficient = a[PTD_FORM_COEFFICIENT].data;
    z->form_start = a[PTD_FORM_START].data;
    z->form_parameter = a[PTD_FORM_PARAMETER].data;
    z->exit_of_position = a[PTD_EXIT_OF_POSITION].data;
    z->exit_start = a[PTD_EXIT_START].data;
    z->exit_form = a[PTD_EXIT_FORM].data;
    z->block_row = a[PTD_BLOCK_ROW].data;
    z->block_position = a[PTD_BLOCK_POSITION].data;
    z->row_slot = a[PTD_ROW_SLOT].data;
    z->row_lower = a[PTD_ROW_LOWER].data;
    z->slot_column = a[PTD_SLOT_COLUMN].data;
    z->entry_start = a[PTD_ENTRY_START].data;
    z->entry_slot = a[PTD_ENTRY_SLOT].data;
    z->row_program = a[PTD_ROW_PROGRAM].data;
    z->program = a[PTD_PROGRAM].data;
}

static int shares_blocks(const ptd_lanes *z)
{
    uint32_t blocked = 0;
    for (uint32_t component = 0; component < z->n_components; component++) {
        blocked += z->component_block[component] != PTD_NONE;
    }
    return blocked > z->n_blocks;
}

static int choose_lanes(ptd_workspace *ws)
{
    if (ws->options.n_thetas < 2) {
        return 1;
    }
    if (ws->options.n_thetas > ws->kernels->some.lanes && ws->meta->n_blocks == 0) {
        ws->max_lanes = ws->kernels->many.lanes;
        if (lay_out(ws, NULL) <= MANY_LANES_BYTES) {
            return ws->max_lanes;
        }
    }
    ws->max_lanes = ws->kernels->some.lanes;
    return lay_out(ws, NULL) <= MAX_LANE_BYTES ? ws->max_lanes : 1;
}

ptd_status ptd_workspace_create(const ptd_elimination_trace *trace,
                                const ptd_workspace_options *options, ptd_workspace **workspace,
                                ptd_error *error)
{
    ptd_status status = PTD_OK;
    ptd_workspace *ws = NULL;
    *workspace = NULL;
    if (options->max_order < 0 || options->max_order > MOST_SOLUTIONS || options->max_rewards < 0 ||
        options->max_rewards > MOST_SOLUTIONS || options->n_thetas < 0) {
        return ptd_fail(error, PTD_INVALID_ARGUMENT, 1, 0);
    }
    ws = ptd_allocate_zero(1, sizeof *ws);
    if (!ws) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)sizeof *ws);
    }
    ws->trace = trace;
    ws->meta = &trace->meta;
    ws->options = *options;
    ws->options.max_order = options->max_order ? options->max_order : 1;
    ws->options.max_rewards = options->max_rewards ? options->max_rewards : 1;
    ws->kernels = ptd_kernel_select(options->instruction_set);
    if (!ws->kernels) {
        status = ptd_fail(error, PTD_INVALID_ARGUMENT, 1, 0);
        goto out;
    }
    ws->options.instruction_set = NULL;
    ws->failed_theta = -1;
    view_trace(ws);
    ws->shares_blocks = shares_blocks(&ws->lanes);
    ws->max_lanes = choose_lanes(ws);
    ws->bytes = lay_out(ws, NULL);
    ws->memory = ptd_allocate_aligned((size_t)ws->bytes, 1);
    if (!ws->memory) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)ws->bytes);
        goto out;
    }
    lay_out(ws, ws->memory);
    for (int64_t r = 0; r < trace->arrays[PTD_ROW_LOWER].length; r++) {
        ws->lanes.row_upper[r] = ws->lanes.row_slot[r] + ws->lanes.row_lower[r] + 1;
    }
    *workspace = ws;
    ws = NULL;
out:
    ptd_workspace_destroy(ws);
    return status;
}

void ptd_workspace_destroy(ptd_workspace *workspace)
{
    if (workspace) {
        ptd_release(workspace->memory);
        ptd_release(workspace);
    }
}

int64_t ptd_workspace_bytes(const ptd_workspace *workspace)
{
    return workspace->bytes;
}

int64_t ptd_workspace_failed_theta(const ptd_workspace *workspace)
{
    return workspace->failed_theta;
}

const char *ptd_workspace_instruction_set(const ptd_workspace *workspace)
{
    return workspace->kernels->instruction_set;
}

int ptd_workspace_take(ptd_workspace *ws, int64_t left)
{
    const ptd_kernel *kernel = &ws->kernels->one;
    if (left > 1 && ws->max_lanes >= ws->kernels->some.lanes) {
        kernel = &ws->kernels->some;
        if (left > kernel->lanes && ws->max_lanes >= ws->kernels->many.lanes) {
            kernel = &ws->kernels->many;
        }
    }
    ws->kernel = kernel;
    return left < kernel->lanes ? (int)left : kernel->lanes;
}

static ptd_status load_thetas(ptd_workspace *ws, const double *thetas, int64_t points,
                              int64_t first, int count, ptd_error *error)
{
    const int lanes = ws->kernel->lanes;
    const int64_t n_parameters = ws->meta->n_parameters;
    for (int lane = 0; lane < lanes; lane++) {
        const int64_t pair = first % points + (lane < count ? lane : count - 1);
        const double *theta = thetas + pair / points * n_parameters;
        for (int64_t p = 0; p < n_parameters; p++) {
            if (!isfinite(theta[p])) {
                ws->failed_theta = first + lane;
                return ptd_fail(error, PTD_THETA_NOT_FINITE, p, theta[p]);
            }
            ws->lanes.theta[p * lanes + lane] = theta[p];
        }
    }
    return PTD_OK;
}

ptd_status ptd_workspace_begin(ptd_workspace *ws, const double *thetas, int64_t first, int count,
                               ptd_error *error)
{
    return ptd_workspace_begin_pairs(ws, thetas, 1, first, count, error);
}

ptd_status ptd_workspace_begin_pairs(ptd_workspace *ws, const double *thetas, int64_t points,
                                     int64_t first, int count, ptd_error *error)
{
    ws->failed_theta = -1;
    ws->lanes.shift = NULL;
    ptd_status status = load_thetas(ws, thetas, points, first, count, error);
    if (status) {
        return status;
    }
    if (ws->kernel->weights(&ws->lanes) & PTD_SAW_BAD_WEIGHT) {
        status = ptd_diagnose_weights(ws, first, count, error);
        if (status) {
            return status;
        }
    }
    ws->seen = ws->kernel->exits(&ws->lanes);
    if (ws->meta->kind == PTD_DISCRETE) {
        return ptd_diagnose_probabilities(ws, first, count, error);
    }
    return PTD_OK;
}

int ptd_workspace_prefers_refactor(const ptd_workspace *ws)
{
    const ptd_lanes *z = &ws->lanes;
    const int64_t slots = ws->trace->arrays[PTD_SLOT_COLUMN].length;
    int64_t largest = 0;
    for (uint32_t block = 0; block < z->n_blocks; block++) {
        const int64_t size =
            z->row_slot[z->block_row[block + 1]] - z->row_slot[z->block_row[block]];
        largest = size > largest ? size : largest;
    }
    const int64_t slot_bytes = ws->kernel->lanes * (int64_t)sizeof(double);
    return !ws->shares_blocks && slots * slot_bytes > CACHE_BYTES &&
           largest * slot_bytes <= 4 * CACHE_BYTES && largest <= slots / 4;
}

void ptd_workspace_factor(ptd_workspace *ws)
{
    ptd_lanes *z = &ws->lanes;
    z->slot_base = 0;
    ws->factors_kept = 1;
    for (uint32_t block = 0; block < z->n_blocks; block++) {
        ws->seen |= ws->kernel->factor(z, block, z->block_position[block], NULL);
    }
}

/* Whether components that share a block differ in their factors. */
static int shared_factors_differ(const ptd_workspace *ws, const ptd_system *system)
{
    return ws->shares_blocks && (ws->lanes.shift || system->killed);
}

void ptd_workspace_factor_and_solve(ptd_workspace *ws, const ptd_system *system, int once)
{
    ptd_lanes *z = &ws->lanes;
    const int each = shared_factors_differ(ws, system);
    const int recycle = each || (once && !ws->shares_blocks);
    uint32_t solved = 0;
    z->slot_base = 0;
    ws->factors_kept = !recycle;
    for (uint32_t component = 0; component < z->n_components; component++) {
        const uint32_t block = z->component_block[component];
        const uint32_t begin = z->component_start[component];
        if (block == PTD_NONE || (z->block_position[block] != begin && !each)) {
            continue;
        }
        ws->kernel->solve(z, solved, component, system);
        if (recycle) {
            z->slot_base = z->row_slot[z->block_row[block]];
        }
        ws->seen |= ws->kernel->factor(z, block, begin, system->killed);
        ws->kernel->solve(z, component, component + 1, system);
        solved = component + 1;
    }
    ws->kernel->solve(z, solved, z->n_components, system);
    z->slot_base = 0;
}

ptd_status ptd_workspace_verdict(ptd_workspace *ws, int64_t first, int count, ptd_error *error)
{
    if (ws->seen & PTD_SAW_BAD_PIVOT) {
        ws->failed_theta = count == 1 ? first : -1;
        return ptd_fail(error, PTD_RESULT_OVERFLOW, 0, 0);
    }
    if (ws->seen & PTD_SAW_ZERO_PIVOT) {
        return ptd_diagnose_zero_pivot(ws, first, count, error);
    }
    return PTD_OK;
}

int64_t ptd_workspace_trap(const ptd_workspace *ws)
{
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    const ptd_lanes *z = &ws->lanes;
    if (ws->meta->n_dropped == 0) {
        return -1;
    }
    for (uint32_t e = z->edge_start[z->n_boundary]; e < z->edge_start[z->n]; e++) {
        if (z->edge_target[e] >= ws->meta->n_absorbing && z->edge_target[e] < z->n_boundary) {
            return vertex[z->edge_target[e]];
        }
    }
    return -1;
}

int64_t ptd_workspace_endless(const ptd_workspace *ws, const double *rewards)
{
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    for (int64_t i = ws->meta->n_absorbing; i < (int64_t)ws->lanes.n_boundary; i++) {
        if (!rewards || rewards[vertex[i]] > 0) {
            return ptd_workspace_trap(ws);
        }
    }
    return -1;
}

ptd_status ptd_workspace_set_reward(ptd_workspace *ws, const double *rewards, ptd_error *error)
{
    const uint32_t *vertex = ws->trace->arrays[PTD_POSITION_VERTEX].data;
    ws->failed_theta = -1;
    for (uint32_t i = 0; i < ws->lanes.n; i++) {
        const double reward = rewards ? rewards[vertex[i]] : 1.0;
        if (!(reward >= 0.0 && isfinite(reward))) {
            return ptd_fail(error, PTD_REWARD_INVALID, vertex[i], reward);
        }
        ws->reward[i] = i < ws->lanes.n_boundary || i + 1 == ws->lanes.n ? 0.0 : reward;
    }
    return PTD_OK;
}

void ptd_workspace_set_boundary(ptd_workspace *ws, double *x, int orders, double absorbing,
                                double dropped)
{
    const size_t row = (size_t)orders * (size_t)ws->kernel->lanes;
    for (size_t i = 0; i < ws->lanes.n_boundary; i++) {
        const double value = i < (size_t)ws->meta->n_absorbing ? absorbing : dropped;
        for (size_t k = 0; k < row; k++) {
            x[i * row + k] = value;
        }
    }
}

/* With one solve to reverse and factors of one component each, a block's adjoints live only while
 * its component is at hand, and all blocks use the same memory. */
static int recycles_adjoints(const ptd_workspace *ws, ptd_reverse_step step)
{
    return step == PTD_REVERSE_ONLY && !ws->shares_blocks;
}

void ptd_workspace_begin_reverse(ptd_workspace *ws, ptd_reverse_step first_step)
{
    ptd_lanes *z = &ws->lanes;
    const size_t lane_bytes = (size_t)ws->kernel->lanes * sizeof(double);
    memset(z->form_bar, 0, z->n_forms * lane_bytes);
    memset(z->exit_bar, 0, z->n_exits * lane_bytes);
    memset(z->pivot_bar, 0, (size_t)ws->trace->arrays[PTD_ROW_LOWER].length * lane_bytes);
    if (!recycles_adjoints(ws, first_step)) {
        memset(z->slot_bar, 0, (size_t)ws->trace->arrays[PTD_SLOT_COLUMN].length * lane_bytes);
    }
}

void ptd_workspace_reverse(ptd_workspace *ws, ptd_reverse_step step, const ptd_system *system,
                           double *x_bar, double *rhs_bar)
{
    ptd_lanes *z = &ws->lanes;
    const ptd_kernel *kernel = ws->kernel;
    const int each = shared_factors_differ(ws, system);
    const int recycle = each || recycles_adjoints(ws, step);
    uint32_t todo = z->n_components;
    z->slot_bar_base = 0;
    for (uint32_t component = z->n_components; component-- > 0 && step != PTD_REVERSE_MORE;) {
        const uint32_t block = z->component_block[component];
        const uint32_t begin = z->component_start[component];
        if (block == PTD_NONE || (z->block_position[block] != begin && !each)) {
            continue;
        }
        /* The block's first component: the others have been reversed. */
        kernel->reverse_solve(z, component + 1, todo, system, x_bar, ws->y_bar, rhs_bar, 0);
        if (!ws->factors_kept) {
            z->slot_base = z->row_slot[z->block_row[block]];
            kernel->factor(z, block, begin, system->killed);
        }
        if (recycle) {
            z->slot_bar_base = z->row_slot[z->block_row[block]];
        }
        kernel->reverse_solve(z, component, component + 1, system, x_bar, ws->y_bar, rhs_bar,
                              recycle);
        kernel->reverse_factor(z, block, begin, system->killed);
        todo = component;
    }
    kernel->reverse_solve(z, 0, todo, system, x_bar, ws->y_bar, rhs_bar, 0);
    z->slot_base = 0;
    z->slot_bar_base = 0;
}

void ptd_workspace_finish_reverse(ptd_workspace *ws, int count, double *gradient, int64_t stride)
{
    const int lanes = ws->kernel->lanes;
    ws->kernel->reverse_weights(&ws->lanes);
    for (int lane = 0; lane < count; lane++) {
        for (int64_t p = 0; p < ws->meta->n_parameters; p++) {
            gradient[lane * stride + p] = ws->lanes.theta_bar[p * lanes + lane];
        }
    }
}

ptd_status ptd_workspace_check_finite(ptd_workspace *ws, const double *values, int64_t first,
                                      int count, int64_t per_theta, ptd_error *error)
{
    for (int64_t k = 0; k < count * per_theta; k++) {
        if (!isfinite(values[k])) {
            ws->failed_theta = first + k / per_theta;
            return ptd_fail(error, PTD_RESULT_OVERFLOW, 0, values[k]);
        }
    }
    return PTD_OK;
}
