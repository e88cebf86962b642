/* Resolvent: the chain at theta, its tilts, and evaluation. See resolvent.h. */
#include "resolvent.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "status.h"

/* What y falls to from one tilt to the next, at most: any y-hat > 0 will do. */
static const double SMALLEST_STEP = 1e-280;

/* Of a vertex without elimination, which may be alike in all of a long chain. */
static const double ROUNDINGS = 4;
/* By the root of an elimination's depth: those of sums, which add up like a random walk. */
static const double ROUNDINGS_OF_ROOT = 6;

/* 2^exponent, within the range of double. */
static double power_of_two(int exponent)
{
    if (exponent < -1022) {
        return 0;
    }
    const uint64_t bits = (uint64_t)(1023 + (exponent > 1023 ? 1023 : exponent)) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int n_derived(const ptd_chain *chain)
{
    return chain->order > 0 ? chain->n_parameters : 0;
}

static size_t count_slots(const ptd_lanes *t, size_t *component_slot)
{
    size_t slots = 0;
    for (uint32_t c = 0; c + 1 < t->n_components; c++) {
        const uint32_t block = t->component_block[c];
        if (component_slot) {
            component_slot[c] = slots;
        }
        if (block != PTD_NONE) {
            slots += t->row_slot[t->block_row[block + 1]] - t->row_slot[t->block_row[block]];
        }
    }
    return slots;
}

double ptd_resolvent_bytes(const ptd_chain *chain)
{
    const ptd_trace_meta *meta = &chain->trace->meta;
    const double items =
        4.0 * (double)meta->n_vertices * (chain->order > 1 ? chain->n_parameters : 1) +
        (double)(meta->lower_entries + meta->upper_entries);
    return items * PTD_NODE_ITEM * sizeof(double);
}

/* Lays the arrays out; with base NULL only counts the doubles. */
static size_t lay_out(ptd_resolvent *r, double *base)
{
    ptd_resolvent_lanes *z = &r->lanes;
    const size_t n = z->n;
    const size_t P = (size_t)r->n_parameters;
    const size_t edges = (size_t)r->chain->trace->meta.n_edges;
    const size_t slots = count_slots(&r->ws->lanes, NULL);
    const struct {
        double **array;
        size_t length;
    } parts[] = {
        {&z->weight, edges},
        {&z->ratio, P ? edges : 0},
        {&z->leaving, n},
        {&z->speed, n},
        {&z->slot, slots * PTD_NODE_ITEM},
        {&z->pivot, n * PTD_NODE_ITEM},
        {&z->pivot_inverse, n * PTD_NODE_ITEM},
        {&r->reward, n},
        {&r->alpha, n},
        {&r->alpha_theta, P * n},
        {&r->start_theta, P},
        {&r->source, n},
        {&r->timeless, n},
        {&r->leaves, n},
        {&r->boundary, z->n_boundary},
        {&r->mantissa, n},
        {&r->start, n},
        {&r->right, n},
        {&r->y, n * PTD_NODE_ITEM},
        {&r->x, n * PTD_NODE_ITEM},
        {&r->spread, r->chain->order > 1 ? P * n * PTD_NODE_ITEM : 0},
        {&r->value, (size_t)r->jets * PTD_NODE_ITEM},
        {&r->moved, P * PTD_NODE_ITEM > n ? P * PTD_NODE_ITEM : n},
        {&r->pair, r->chain->order > 1 ? P * P * PTD_NODE_ITEM : 0},
    };
    size_t total = 0;
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        if (base) {
            *parts[k].array = base + total;
        }
        total += (parts[k].length + 7) / 8 * 8;
    }
    return total;
}

static void view_trace(ptd_resolvent *r)
{
    ptd_resolvent_lanes *z = &r->lanes;
    const ptd_lanes *t = &r->ws->lanes;
    z->n = t->n;
    z->n_boundary = t->n_boundary;
    z->n_components = t->n_components - 1;
    z->component_start = t->component_start;
    z->component_block = t->component_block;
    z->edge_start = t->edge_start;
    z->edge_external = t->edge_external;
    z->edge_boundary = t->edge_boundary;
    z->edge_target = t->edge_target;
    z->edge_form = t->edge_form;
    z->form_start = t->form_start;
    z->form_parameter = t->form_parameter;
    z->form_coefficient = t->form_coefficient;
    z->block_row = t->block_row;
    z->row_slot = t->row_slot;
    z->row_lower = t->row_lower;
    z->slot_column = t->slot_column;
    z->entry_start = t->entry_start;
    z->entry_slot = t->entry_slot;
    z->row_program = t->row_program;
    z->program = t->program;
    r->rate = t->form;
}

/* The initial distribution and its derivatives: start weights by their sum W, so that alpha_i,p =
 * (w_i,p - alpha_i W_p) / W. */
static void read_start(ptd_resolvent *r)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    const uint32_t *vertex = r->chain->trace->arrays[PTD_POSITION_VERTEX].data;
    const uint32_t start = z->n - 1;
    const int P = r->n_parameters;
    double sum = 0;
    if (r->chain->start) {
        for (uint32_t i = z->n_boundary; i < start; i++) {
            r->alpha[i] = r->chain->start[vertex[i]];
            for (size_t p = 0; p < (size_t)P && r->chain->start_slope; p++) {
                r->alpha_theta[p * z->n + i] = r->chain->start_slope[vertex[i] * (size_t)P + p];
            }
        }
        return;
    }
    for (uint32_t e = z->edge_start[start]; e < z->edge_start[start + 1]; e++) {
        const uint32_t f = z->edge_form[e];
        sum += r->rate[f];
        for (uint32_t k = z->form_start[f]; k < z->form_start[f + 1] && P; k++) {
            r->start_theta[z->form_parameter[k]] += z->form_coefficient[k];
        }
    }
    for (int p = 0; p < P; p++) {
        r->start_theta[p] /= sum;
    }
    for (uint32_t e = z->edge_start[start]; e < z->edge_boundary[start]; e++) {
        const uint32_t f = z->edge_form[e];
        const uint32_t i = z->edge_target[e];
        r->alpha[i] = r->rate[f] / sum;
        for (uint32_t k = z->form_start[f]; k < z->form_start[f + 1] && P; k++) {
            r->alpha_theta[z->form_parameter[k] * (size_t)z->n + i] = z->form_coefficient[k] / sum;
        }
        for (int p = 0; p < P; p++) {
            r->alpha_theta[(size_t)p * z->n + i] -= r->alpha[i] * r->start_theta[p];
        }
    }
}

static void read_rates(ptd_resolvent *r, ptd_function function)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    const uint32_t *vertex = r->chain->trace->arrays[PTD_POSITION_VERTEX].data;
    const int64_t target = r->chain->target;
    for (uint32_t i = 0; i < z->n_boundary; i++) {
        const int counts = target < 0 ? i < r->chain->trace->meta.n_absorbing : vertex[i] == target;
        r->boundary[i] = function != PTD_SURVIVAL && counts;
    }
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        r->reward[i] = r->chain->reward ? r->chain->reward[vertex[i]] : 1;
        for (uint32_t e = z->edge_start[i]; e < z->edge_start[i + 1]; e++) {
            r->leaves[i] += r->rate[z->edge_form[e]];
        }
        if (function == PTD_SURVIVAL) {
            r->source[i] = r->reward[i];
            continue;
        }
        for (uint32_t e = z->edge_boundary[i]; e < z->edge_start[i + 1]; e++) {
            r->source[i] += r->rate[z->edge_form[e]] * r->boundary[z->edge_target[e]];
        }
    }
}

/* The tilted chain from y-hat, for the vertices that take part; others stay alone with y = 0. */
static void set_tilt(ptd_resolvent *r)
{
    ptd_resolvent_lanes *z = &r->lanes;
    double fastest = 0;
    int32_t largest = INT32_MIN;
    int exponent;
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        const double diagonal = r->leaves[i] + fabs(r->crossing) * r->reward[i];
        fastest = r->active[i] && diagonal > fastest ? diagonal : fastest;
        if (r->alpha[i] > 0 && r->active[i] && r->exponent[i] > largest) {
            largest = r->exponent[i];
        }
    }
    if (largest == INT32_MIN) {
        largest = 0; /* the start is in none of them: y alone is asked for */
    }
    frexp(fastest, &exponent);
    r->unit = power_of_two(-exponent);
    r->total = 0;
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        if (r->active[i]) {
            r->total += r->alpha[i] * r->mantissa[i] * power_of_two(r->exponent[i] - largest);
        }
    }
    r->total_exponent = largest;
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        const double inverse = 1 / r->mantissa[i];
        double rest = 0;
        z->speed[i] = r->active[i] ? r->unit * r->reward[i] : 0;
        r->right[i] =
            r->active[i] ? r->unit * r->source[i] * inverse * power_of_two(-r->exponent[i]) : 0;
        r->start[i] =
            r->active[i] && r->alpha[i] > 0
                ? r->alpha[i] * r->mantissa[i] * power_of_two(r->exponent[i] - largest) / r->total
                : 0;
        for (uint32_t e = z->edge_start[i]; e < z->edge_start[i + 1]; e++) {
            const uint32_t j = z->edge_target[e];
            const double rate = r->rate[z->edge_form[e]];
            const double there = r->mantissa[j] * power_of_two(r->exponent[j] - r->exponent[i]);
            const double ratio = there * inverse;
            const double fall = (r->mantissa[i] - there) * inverse; /* 1 - ratio */
            const int joined = r->active[i] && r->active[j] && rate > 0;
            z->weight[e] = joined ? r->unit * rate * ratio : 0;
            rest += joined && e < z->edge_external[i] ? rate * fall : rate;
            if (r->n_parameters) {
                z->ratio[e] = ratio;
            }
        }
        z->leaving[i] = r->active[i] ? r->unit * (r->crossing * r->reward[i] + rest) : 1;
    }
}

static void tilt_by_one(ptd_resolvent *r)
{
    r->crossing = 0;
    for (uint32_t i = 0; i < r->lanes.n; i++) {
        r->mantissa[i] = 0.5;
        r->exponent[i] = 1;
    }
    set_tilt(r);
}

/* h, and b' from b. */
static void pass_timeless(ptd_resolvent *r)
{
    ptd_resolvent_lanes *z = &r->lanes;
    const double origin[PTD_NODE_ITEM] = {0};
    int any = 0;
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        r->active[i] = r->reward[i] == 0;
        any |= r->active[i];
    }
    if (any) {
        tilt_by_one(r);
        ptd_resolvent_evaluate(r, origin);
        for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
            r->timeless[i] = r->active[i] ? r->y[(size_t)i * PTD_NODE_ITEM] : 0;
        }
        for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
            for (uint32_t e = z->edge_start[i]; e < z->edge_boundary[i]; e++) {
                r->source[i] += r->rate[z->edge_form[e]] * r->timeless[z->edge_target[e]];
            }
            r->source[i] = r->active[i] ? 0 : r->source[i];
        }
    } else {
        r->timeless = NULL;
    }
}

/* Vertices that the start reaches and that reach the right-hand side, through positive weights.
 * With derivatives all take part, as a weight that is 0 has one too. */
static void mark_active(ptd_resolvent *r)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    int changed = 1;
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        r->active[i] = (uint8_t)((r->alpha[i] > 0) | (r->source[i] > 0) << 1);
    }
    while (changed) {
        changed = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (uint32_t k = z->n_boundary; k + 1 < z->n; k++) {
                const uint32_t i = pass ? k : z->n - 2 - (k - z->n_boundary);
                for (uint32_t e = z->edge_start[i]; e < z->edge_boundary[i]; e++) {
                    const uint32_t j = z->edge_target[e];
                    if (!(r->rate[z->edge_form[e]] > 0)) {
                        continue;
                    }
                    if (r->active[i] & 1 & ~r->active[j]) {
                        r->active[j] |= 1;
                        changed = 1;
                    }
                    if (r->active[j] & 2 & ~r->active[i]) {
                        r->active[i] |= 2;
                        changed = 1;
                    }
                }
            }
        }
    }
    r->is_empty = 1;
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        r->is_empty &= r->active[i] != 3;
        r->active[i] = r->active[i] == 3 || r->n_parameters > 0;
    }
}

ptd_status ptd_resolvent_create(const ptd_chain *chain, ptd_function function,
                                ptd_resolvent **resolvent, ptd_error *error)
{
    const ptd_workspace_options options = {.n_thetas = 1};
    ptd_status status = PTD_OK;
    ptd_resolvent *r = ptd_allocate_aligned(1, sizeof *r);
    *resolvent = NULL;
    if (!r) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, sizeof *r);
    }
    r->chain = chain;
    r->n_parameters = n_derived(chain);
    r->jets = chain->jets;
    status = ptd_workspace_create(chain->trace, &options, &r->ws, error);
    if (status) {
        goto out;
    }
    ptd_workspace_take(r->ws, 1);
    status = ptd_workspace_begin(r->ws, chain->theta, 0, 1, error);
    if (status) {
        goto out;
    }
    r->kernel = ptd_resolvent_kernel_select(NULL);
    view_trace(r);
    const size_t n = r->lanes.n;
    const size_t doubles = lay_out(r, NULL);
    r->memory = ptd_allocate_aligned(doubles, sizeof(double));
    r->exponent = ptd_allocate_zero(n, sizeof *r->exponent);
    r->active = ptd_allocate_zero(n, sizeof *r->active);
    r->lanes.component_slot =
        ptd_allocate_zero(r->lanes.n_components, sizeof *r->lanes.component_slot);
    if (!r->memory || !r->exponent || !r->active || !r->lanes.component_slot) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)doubles * sizeof(double));
        goto out;
    }
    lay_out(r, r->memory);
    count_slots(&r->ws->lanes, r->lanes.component_slot);
    read_start(r);
    read_rates(r, function);
    pass_timeless(r);
    mark_active(r);
    tilt_by_one(r);
    *resolvent = r;
    r = NULL;
out:
    ptd_resolvent_destroy(r);
    return status;
}

void ptd_resolvent_destroy(ptd_resolvent *r)
{
    if (r) {
        ptd_workspace_destroy(r->ws);
        ptd_release(r->memory);
        ptd_release(r->exponent);
        ptd_release(r->active);
        ptd_release(r->lanes.component_slot);
        ptd_release(r);
    }
}

/* value = sum of coefficient_i v_i: an item. */
static void dot(const ptd_resolvent *r, const double *coefficient, const double *v, double *value)
{
    double sum[PTD_NODE_ITEM] = {0};
    for (size_t i = r->lanes.n_boundary; i + 1 < r->lanes.n; i++) {
        if (coefficient[i] != 0) {
            for (int k = 0; k < PTD_NODE_ITEM; k++) {
                sum[k] += coefficient[i] * v[i * PTD_NODE_ITEM + (size_t)k];
            }
        }
    }
    memcpy(value, sum, sizeof sum);
}

void ptd_resolvent_evaluate(ptd_resolvent *r, const double *node)
{
    memcpy(r->lanes.node, node, sizeof r->lanes.node);
    r->kernel->factor(&r->lanes);
    r->kernel->solve(&r->lanes, r->right, r->y);
    dot(r, r->start, r->y, r->value);
}

void ptd_resolvent_slope(ptd_resolvent *r, double *slope)
{
    for (size_t i = r->lanes.n_boundary; i + 1 < r->lanes.n; i++) {
        for (size_t k = i * PTD_NODE_ITEM; k < (i + 1) * PTD_NODE_ITEM; k++) {
            r->x[k] = -r->lanes.speed[i] * r->y[k];
        }
    }
    r->kernel->solve(&r->lanes, NULL, r->x);
    dot(r, r->start, r->x, slope);
}

static void solve_left(ptd_resolvent *r)
{
    for (size_t i = r->lanes.n_boundary; i + 1 < r->lanes.n; i++) {
        for (size_t k = 0; k < PTD_NODES; k++) {
            r->x[i * PTD_NODE_ITEM + k] = r->start[i];
            r->x[i * PTD_NODE_ITEM + PTD_NODES + k] = 0;
        }
    }
    r->kernel->solve_left(&r->lanes, r->x);
}

/* Length of the longest chain of rows of a block, each to be eliminated after the one before. */
static uint32_t block_depth(const ptd_resolvent_lanes *z, uint32_t block, double *scratch)
{
    const uint32_t first = z->block_row[block];
    uint32_t deepest = 1;
    for (uint32_t r = first; r < z->block_row[block + 1]; r++) {
        scratch[r - first] = 1;
    }
    for (uint32_t r = first; r < z->block_row[block + 1]; r++) {
        const uint32_t upper = z->row_slot[r] + z->row_lower[r] + 1;
        if (upper + 1 < z->row_slot[r + 1]) {
            double *const parent = &scratch[z->slot_column[upper]];
            *parent = fmax(*parent, scratch[r - first] + 1);
            deepest = *parent > deepest ? (uint32_t)*parent : deepest;
        }
    }
    return deepest;
}

double ptd_resolvent_depth(ptd_resolvent *r)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    double depth = 0;
    r->visits = 0;
    solve_left(r);
    for (uint32_t c = 0; c < z->n_components; c++) {
        double visits = 0;
        for (uint32_t i = z->component_start[c]; i < z->component_start[c + 1]; i++) {
            visits += r->unit * (r->leaves[i] + r->crossing * r->reward[i]) *
                      r->x[(size_t)i * PTD_NODE_ITEM];
        }
        r->visits += visits;
        depth += z->component_block[c] == PTD_NONE
                     ? ROUNDINGS * visits
                     : fmin(visits, ROUNDINGS_OF_ROOT *
                                        sqrt(block_depth(z, z->component_block[c], r->moved)));
    }
    return depth;
}

/* Derivatives of the initial distribution, in the tilt: alpha_i,p y-hat_i / F-hat. */
static void dot_start(const ptd_resolvent *r, size_t p, const double *v, double factor,
                      double *value)
{
    const double *derivative = r->alpha_theta + p * r->lanes.n;
    if (r->chain->start && !r->chain->start_slope) {
        return;
    }
    for (size_t i = r->lanes.n_boundary; i + 1 < r->lanes.n; i++) {
        if (derivative[i] != 0) {
            const double tilted = factor * derivative[i] * (r->mantissa[i] / r->total) *
                                  power_of_two(r->exponent[i] - r->total_exponent);
            for (int k = 0; k < PTD_NODE_ITEM; k++) {
                value[k] += tilted * v[i * PTD_NODE_ITEM + (size_t)k];
            }
        }
    }
}

/* y = h + y' in the tilt, and its boundary. */
static void complete_solution(ptd_resolvent *r)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    for (size_t i = 0; i < z->n_boundary; i++) {
        for (size_t k = 0; k < PTD_NODES; k++) {
            r->y[i * PTD_NODE_ITEM + k] = r->boundary[i];
            r->y[i * PTD_NODE_ITEM + PTD_NODES + k] = 0;
        }
    }
    for (size_t i = z->n_boundary; i + 1 < z->n && r->timeless; i++) {
        const double timeless = r->timeless[i] / r->mantissa[i] * power_of_two(-r->exponent[i]);
        for (size_t k = 0; k < PTD_NODES; k++) {
            r->y[i * PTD_NODE_ITEM + k] += timeless;
        }
    }
}

/* With v_q = (z R - S)^{-1} (b_q + S_q y):
 *     F_pq = alpha_pq y + alpha_p v_q + alpha_q v_p + x S_p v_q + x S_q v_p,
 * where alpha_pq = -(alpha_p W_q + alpha_q W_p) / W. */
static void derive_twice(ptd_resolvent *r)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    const size_t P = (size_t)r->n_parameters;
    const size_t item = PTD_NODE_ITEM;
    double *second = r->value + (1 + P) * item;
    r->kernel->spread(z, r->y, (uint32_t)P, r->spread);
    memset(r->pair, 0, P * P * item * sizeof *r->pair);
    for (size_t q = 0; q < P; q++) {
        double *const v = r->spread + q * z->n * item;
        double *const pair = r->pair + q * P * item;
        r->kernel->solve(z, NULL, v);
        r->kernel->contract(z, r->x, v, pair);
        for (size_t k = 0; k < P * item; k++) {
            pair[k] *= r->unit * r->unit;
        }
        for (size_t p = 0; p < P; p++) {
            dot_start(r, p, v, r->unit, pair + p * item);
        }
    }
    for (size_t p = 0; p < P; p++) {
        for (size_t q = p; q < P; q++, second += item) {
            for (size_t k = 0; k < item; k++) {
                second[k] = r->pair[(q * P + p) * item + k] + r->pair[(p * P + q) * item + k] -
                            (r->start_theta[q] * r->moved[p * item + k] +
                             r->start_theta[p] * r->moved[q * item + k]);
            }
        }
    }
}

/* F_p = alpha_p y + x (b_p + S_p y). Rates are multiplied by r->unit: x and v come out divided by
 * it. */
void ptd_resolvent_derive(ptd_resolvent *r)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    const size_t P = (size_t)r->n_parameters;
    const size_t item = PTD_NODE_ITEM;
    double *const first = r->value + item;
    solve_left(r);
    memset(r->moved, 0, P * item * sizeof *r->moved);
    for (size_t p = 0; p < P; p++) {
        dot_start(r, p, r->y, 1, r->moved + p * item);
    }
    complete_solution(r);
    memset(first, 0, P * item * sizeof *first);
    r->kernel->contract(z, r->x, r->y, first);
    for (size_t k = 0; k < P * item; k++) {
        first[k] = r->unit * first[k] + r->moved[k];
    }
    if (r->chain->order > 1) {
        derive_twice(r);
    }
}

void ptd_resolvent_tilt(ptd_resolvent *r, int lane, double crossing)
{
    const ptd_resolvent_lanes *z = &r->lanes;
    for (uint32_t c = 0; c < z->n_components; c++) {
        const int alone = z->component_block[c] == PTD_NONE;
        for (uint32_t i = z->component_start[c]; i < z->component_start[c + 1]; i++) {
            const double y = r->y[(size_t)i * PTD_NODE_ITEM + (size_t)lane];
            const double step = y > SMALLEST_STEP ? y : SMALLEST_STEP;
            int shift;
            if (r->active[i]) {
                r->mantissa[i] = frexp(r->mantissa[i] * step, &shift);
                r->exponent[i] += shift;
            }
            if (alone) {
                /* powers of two round no weight */
                r->mantissa[i] = 0.5;
            }
        }
    }
    r->crossing = crossing;
    set_tilt(r);
}

long double ptd_resolvent_log_total(const ptd_resolvent *r)
{
    return logl((long double)r->total) +
           r->total_exponent * 0.693147180559945309417232121458176568L;
}
