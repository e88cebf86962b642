/* Kernel template: one set of kernel functions for LANES theta-lanes in vectors of WIDTH doubles.
 * Included by kernel_set.h with LANES, WIDTH and FUNCTION(name) defined; no include guard. The
 * mathematics stands in kernel.h, the layout of the trace in ptd.h. */

#if WIDTH == 1
#define VEC            double
#define VEC_INVERSE(v) ((v) > 0 ? 1.0 / (v) : 0.0)
#else
#define VEC            vector_t
#define VEC_INVERSE(v) FUNCTION(positive_inverse)(v)
#endif
#define CHUNKS (LANES / WIDTH)
/* The vector of `array` at item `i`, chunk `c` of its lanes. */
#define AT(array, i)       (*(VEC *)((array) + (size_t)(i) * LANES + (size_t)(WIDTH * c)))
#define AT_CONST(array, i) (*(const VEC *)((array) + (size_t)(i) * LANES + (size_t)(WIDTH * c)))
#define EACH_CHUNK         for (int c = 0; c < CHUNKS; c++)

#if WIDTH != 1
static inline VEC FUNCTION(positive_inverse)(VEC v)
{
    vector_mask_t positive = v > 0;
    return (VEC)((vector_mask_t)(1.0 / v) & positive);
}
#endif

/* Lanes where not low <= v <= DBL_MAX (NaN is outside), to be or-ed up and asked once. */
#if WIDTH == 1
#define MASK            int64_t
#define OUTSIDE(v, low) (!(((v) >= (low)) & ((v) <= DBL_MAX)))
#else
#define MASK            vector_mask_t
#define OUTSIDE(v, low) (~(((v) >= (low)) & ((v) <= DBL_MAX)))
#endif

static inline int FUNCTION(any)(MASK mask)
{
#if WIDTH == 1
    return mask != 0;
#else
    int64_t any = 0;
    for (int k = 0; k < WIDTH; k++) {
        any |= mask[k];
    }
    return any != 0;
#endif
}

/* Long sums run in four partial sums, for each addition waits for the one before it; short ones do
 * not, for putting the parts together takes as long. */

/* The sum of `count` neighbouring slots. */
static inline __attribute__((always_inline)) VEC FUNCTION(sum_slots)(const double *slots,
                                                                     uint32_t count, int c)
{
    VEC s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    uint32_t t = 0;
    for (; t + 4 <= count; t += 4) {
        s0 += AT_CONST(slots, t);
        s1 += AT_CONST(slots, t + 1);
        s2 += AT_CONST(slots, t + 2);
        s3 += AT_CONST(slots, t + 3);
    }
    if (t > 0) {
        s0 = (s0 + s1) + (s2 + s3);
    }
    for (; t < count; t++) {
        s0 += AT_CONST(slots, t);
    }
    return s0;
}

/* `sum` and `count` neighbouring slots, each times the value of its column; a column's value is
 * `stride` items after the one before. */
static inline __attribute__((always_inline)) VEC FUNCTION(add_slots)(VEC sum, const double *slots,
                                                                     const uint32_t *column,
                                                                     uint32_t count,
                                                                     const double *values,
                                                                     size_t stride, int c)
{
    uint32_t t = 0;
    if (count >= 4) {
        VEC s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        for (; t + 4 <= count; t += 4) {
            s0 += AT_CONST(slots, t) * AT_CONST(values, column[t] * stride);
            s1 += AT_CONST(slots, t + 1) * AT_CONST(values, column[t + 1] * stride);
            s2 += AT_CONST(slots, t + 2) * AT_CONST(values, column[t + 2] * stride);
            s3 += AT_CONST(slots, t + 3) * AT_CONST(values, column[t + 3] * stride);
        }
        sum += (s0 + s1) + (s2 + s3);
    }
    for (; t < count; t++) {
        sum += AT_CONST(slots, t) * AT_CONST(values, column[t] * stride);
    }
    return sum;
}

static uint32_t FUNCTION(weights)(ptd_lanes *z)
{
    MASK bad = {0};
    for (uint32_t f = 0; f < z->n_forms; f++) {
        EACH_CHUNK
        {
            VEC value = (VEC){0} + z->form_base[f];
            for (uint32_t e = z->form_start[f]; e < z->form_start[f + 1]; e++) {
                value += z->form_coefficient[e] * AT(z->theta, z->form_parameter[e]);
            }
            AT(z->form, f) = value;
            bad |= OUTSIDE(value, 0.0);
        }
    }
    return FUNCTION(any)(bad) ? PTD_SAW_BAD_WEIGHT : 0;
}

static uint32_t FUNCTION(exits)(ptd_lanes *z)
{
    MASK bad = {0};
    MASK low = {0};
    for (uint32_t e = 0; e < z->n_exits; e++) {
        EACH_CHUNK
        {
            VEC sum = {0};
            for (uint32_t t = z->exit_start[e]; t < z->exit_start[e + 1]; t++) {
                sum += AT(z->form, z->exit_form[t]);
            }
            const VEC inverse = VEC_INVERSE(sum);
            AT(z->exit, e) = sum;
            AT(z->exit_inverse, e) = inverse;
            bad |= OUTSIDE(sum, 0.0) | OUTSIDE(inverse, 0.0);
            low |= OUTSIDE(sum, DBL_TRUE_MIN);
        }
    }
    return (FUNCTION(any)(bad) ? PTD_SAW_BAD_PIVOT : 0) |
           (FUNCTION(any)(low) ? PTD_SAW_ZERO_PIVOT : 0);
}

/* Word `i` of a program, 16 or 32 bits wide. */
#define WORD(p, i) (wide ? (uint32_t)(p)[2 * (i)] | (uint32_t)(p)[2 * (i) + 1] << 16 : (p)[i])

/* Where row k of a block keeps its U: the slot after L and the diagonal. */
#define UPPER(array, base, r) ((array) + (size_t)(z->row_upper[r] - (base)) * LANES)

/* `length` slots of `to`, from slot `from` of each u, in the order of the rows. One lane alone has
 * its neighbouring slots for a vector; the sums of each slot are the same. */
#if LANES == 1
#define ADD_STEPS(SIZE, to, from, length, vector, width)                                           \
    for (; t + (width) <= (length); t += (width)) {                                                \
        vector v = *(const vector *)(row + (to) + t);                                              \
        for (int s = 0; s < SIZE; s++) {                                                           \
            v += l[s] * *(const vector *)(u[s] + (from) + t);                                      \
        }                                                                                          \
        *(vector *)(row + (to) + t) = v;                                                           \
    }
#define ADD_RUN(SIZE, to, from, length)                                                            \
    do {                                                                                           \
        uint32_t t = 0;                                                                            \
        ADD_STEPS(SIZE, to, from, length, unaligned_t, VECTOR)                                     \
        if (VECTOR > 4) {                                                                          \
            ADD_STEPS(SIZE, to, from, length, unaligned_quad_t, 4)                                 \
        }                                                                                          \
        ADD_STEPS(SIZE, to, from, length, double, 1)                                               \
    } while (0)
#else
#define ADD_RUN(SIZE, to, from, length)                                                            \
    for (uint32_t t = 0; t < (length); t++) {                                                      \
        VEC v = AT(row, (to) + t);                                                                 \
        for (int s = 0; s < SIZE; s++) {                                                           \
            v += l[s] * AT_CONST(u[s], (from) + t);                                                \
        }                                                                                          \
        AT(row, (to) + t) = v;                                                                     \
    }
#endif

/* Eliminates SIZE nested rows, the first of them row `k`, from the row at `row`, whose next L entry
 * is slot `a`. `program` stands on the group's head; returns the words after the group. */
#define DEFINE_GROUP(SIZE)                                                                         \
    static inline __attribute__((always_inline)) const uint16_t *FUNCTION(group##SIZE)(            \
        const ptd_lanes *z, const uint16_t *program, const int wide, uint32_t k,                   \
        double *restrict row, uint32_t a)                                                          \
    {                                                                                              \
        const uint32_t head = WORD(program, 0);                                                    \
        const uint32_t runs = head >> 3;                                                           \
        const uint32_t last = k + SIZE - 1;                                                        \
        const uint32_t sources = z->row_slot[last + 1] - z->row_upper[last];                       \
        const uint16_t *const words = program + (wide ? 2 : 1);                                    \
        EACH_CHUNK                                                                                 \
        {                                                                                          \
            VEC l[SIZE];                                                                           \
            const double *u[SIZE];                                                                 \
            for (int s = 0; s < SIZE; s++) {                                                       \
                u[s] = UPPER(z->slot, z->slot_base, k + s);                                        \
                VEC v = AT(row, a + s);                                                            \
                for (int p = 0; p < s; p++) {                                                      \
                    v += l[p] * AT_CONST(u[p], s - p - 1);                                         \
                }                                                                                  \
                l[s] = v * AT(z->pivot_inverse, k + s);                                            \
                AT(row, a + s) = l[s];                                                             \
            }                                                                                      \
            for (int s = 0; s < SIZE; s++) {                                                       \
                u[s] += (size_t)(SIZE - 1 - s) * LANES;                                            \
            }                                                                                      \
            if (head & 4) {                                                                        \
                for (uint32_t r = 0; r < runs; r++) {                                              \
                    const uint32_t from = WORD(words, 3 * r);                                      \
                    const uint32_t to = WORD(words, 3 * r + 1);                                    \
                    const uint32_t length = WORD(words, 3 * r + 2);                                \
                    ADD_RUN(SIZE, to, from, length);                                               \
                }                                                                                  \
            } else {                                                                               \
                for (uint32_t t = 0; t < sources; t++) {                                           \
                    const uint32_t to = WORD(words, t);                                            \
                    VEC v = AT(row, to);                                                           \
                    for (int s = 0; s < SIZE; s++) {                                               \
                        v += l[s] * AT_CONST(u[s], t);                                             \
                    }                                                                              \
                    AT(row, to) = v;                                                               \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        return words + (wide ? 2 : 1) * (head & 4 ? 3 * runs : sources);                           \
    }
DEFINE_GROUP(1)
DEFINE_GROUP(2)
DEFINE_GROUP(3)
DEFINE_GROUP(4)
#undef DEFINE_GROUP
#undef ADD_RUN
#undef ADD_STEPS

static inline
    __attribute__((always_inline)) void FUNCTION(eliminate_row)(const ptd_lanes *z,
                                                                uint32_t first_row, uint32_t r,
                                                                double *row, const int wide)
{
    const uint16_t *program = z->program + z->row_program[r];
    const uint32_t *column = z->slot_column + z->row_slot[r];
    const uint32_t lower = z->row_lower[r];
    for (uint32_t a = 0; a < lower;) {
        const uint32_t size = (WORD(program, 0) & 3) + 1;
        const uint32_t k = first_row + column[a];
        switch (size) {
        case 1:
            program = FUNCTION(group1)(z, program, wide, k, row, a);
            break;
        case 2:
            program = FUNCTION(group2)(z, program, wide, k, row, a);
            break;
        case 3:
            program = FUNCTION(group3)(z, program, wide, k, row, a);
            break;
        default:
            program = FUNCTION(group4)(z, program, wide, k, row, a);
            break;
        }
        a += size;
    }
}

/* Rare, and apart so that it takes no registers from the usual case. */
static __attribute__((noinline)) void
FUNCTION(eliminate_wide_row)(const ptd_lanes *z, uint32_t first_row, uint32_t r, double *row)
{
    FUNCTION(eliminate_row)(z, first_row, r, row, 1);
}

static uint32_t FUNCTION(factor)(ptd_lanes *z, uint32_t block, uint32_t position,
                                 const uint8_t *killed)
{
    MASK bad = {0};
    MASK low = {0};
    const uint32_t first_row = z->block_row[block];
    for (uint32_t r = first_row; r < z->block_row[block + 1]; r++, position++) {
        double *row = z->slot + (size_t)(z->row_slot[r] - z->slot_base) * LANES;
        const uint32_t slots = z->row_slot[r + 1] - z->row_slot[r];
        memset(row, 0, (size_t)slots * LANES * sizeof(double));
        if (killed && killed[position]) {
            EACH_CHUNK
            {
                AT(row, slots - 1) = (VEC){0} + 1.0;
            }
        } else {
            const uint32_t *form = z->edge_form + z->edge_start[position];
            for (uint32_t e = z->entry_start[r]; e < z->entry_start[r + 1]; e++, form++) {
                memcpy(row + (size_t)z->entry_slot[e] * LANES, z->form + (size_t)*form * LANES,
                       LANES * sizeof(double));
            }
            if (z->exit_of_position[position] != PTD_NONE) {
                memcpy(row + (size_t)(slots - 1) * LANES,
                       z->exit + (size_t)z->exit_of_position[position] * LANES,
                       LANES * sizeof(double));
            }
            if (z->shift) {
                EACH_CHUNK
                {
                    AT(row, slots - 1) += AT_CONST(z->shift, position);
                }
            }
        }
        if (slots <= UINT16_MAX) {
            FUNCTION(eliminate_row)(z, first_row, r, row, 0);
        } else {
            FUNCTION(eliminate_wide_row)(z, first_row, r, row);
        }
        EACH_CHUNK
        {
            const uint32_t upper = z->row_lower[r] + 1;
            const VEC pivot = FUNCTION(sum_slots)(row + (size_t)upper * LANES, slots - upper, c);
            const VEC inverse = VEC_INVERSE(pivot);
            AT(z->pivot_inverse, r) = inverse;
            bad |= OUTSIDE(pivot, 0.0) | OUTSIDE(inverse, 0.0);
            low |= OUTSIDE(pivot, DBL_TRUE_MIN);
        }
    }
    return (FUNCTION(any)(bad) ? PTD_SAW_BAD_PIVOT : 0) |
           (FUNCTION(any)(low) ? PTD_SAW_ZERO_PIVOT : 0);
}

/* Adds to sum[] what the edges that leave i's component bring: weight times the target's solution.
 */
#define ADD_EXTERNAL(sum, i)                                                                       \
    for (uint32_t e = z->edge_external[i]; e < edge_end[i]; e++) {                                 \
        const VEC weight = AT(z->form, z->edge_form[e]);                                           \
        const uint32_t target = z->edge_target[e];                                                 \
        for (int q = 0; q < ORDERS; q++) {                                                         \
            sum[q] += weight * AT(x, target * ORDERS + q);                                         \
        }                                                                                          \
    }

/* ORDERS is a constant in each instance, so that the sums of all orders stay in registers, and
 * SHIFTED, so that a shift costs nothing where there is none. */
static inline __attribute__((always_inline)) void
FUNCTION(solve_orders)(ptd_lanes *z, uint32_t first, uint32_t last, const ptd_system *system,
                       const int ORDERS, const int SHIFTED)
{
    double *const x = system->x;
    const double *const rhs = system->rhs;
    const uint32_t *const edge_end = system->with_boundary ? z->edge_self : z->edge_boundary;
    for (uint32_t component = first; component < last; component++) {
        const uint32_t begin = z->component_start[component];
        const uint32_t end = z->component_start[component + 1];
        const uint32_t block = z->component_block[component];
        if (block == PTD_NONE) {
            const uint32_t i = begin;
            const double reward = system->reward[i];
            const uint32_t exit = z->exit_of_position[i];
            EACH_CHUNK
            {
                VEC sum[PTD_MAX_FUSED_ORDERS];
                for (int o = 0; o < ORDERS; o++) {
                    sum[o] = (VEC){0};
                }
                ADD_EXTERNAL(sum, i)
                VEC inverse;
                if (SHIFTED) {
                    inverse = VEC_INVERSE(AT(z->exit, exit) + AT_CONST(z->shift, i));
                } else {
                    inverse = AT(z->exit_inverse, exit);
                }
                if (system->killed && system->killed[i]) {
                    inverse = (VEC){0};
                }
                VEC before = rhs ? AT_CONST(rhs, i) : (VEC){0} + reward;
                for (int o = 0; o < ORDERS; o++) {
                    const VEC value = (before + sum[o]) * inverse;
                    AT(x, i * ORDERS + o) = value;
                    before = (system->first_order + o + 1) * reward * value;
                }
            }
            continue;
        }
        const uint32_t first_row = z->block_row[block];
        double *const y = system->y + (system->keep_y ? (size_t)begin * ORDERS * LANES : 0);
        /* What comes from outside is added up for all orders at once; one order alone does it on
         * its way. */
        for (uint32_t i = begin; i < end && ORDERS > 1; i++) {
            const int dead = system->killed && system->killed[i];
            EACH_CHUNK
            {
                VEC sum[PTD_MAX_FUSED_ORDERS];
                for (int o = 0; o < ORDERS; o++) {
                    sum[o] = (VEC){0};
                }
                if (!dead) {
                    ADD_EXTERNAL(sum, i)
                }
                for (int o = 0; o < ORDERS; o++) {
                    AT(y, (i - begin) * ORDERS + o) = sum[o];
                }
            }
        }
        for (int o = 0; o < ORDERS; o++) {
            for (uint32_t i = begin; i < end; i++) {
                const uint32_t r = first_row + (i - begin);
                const double *const row = z->slot + (size_t)(z->row_slot[r] - z->slot_base) * LANES;
                const uint32_t *const column = z->slot_column + z->row_slot[r];
                const uint32_t lower = z->row_lower[r];
                const double reward = system->reward[i];
                EACH_CHUNK
                {
                    VEC sum;
                    if (ORDERS == 1) {
                        VEC outside[1];
                        outside[0] = (VEC){0};
                        if (!(system->killed && system->killed[i])) {
                            ADD_EXTERNAL(outside, i)
                        }
                        sum = outside[0];
                    } else {
                        sum = AT(y, (i - begin) * ORDERS + o);
                    }
                    if (o > 0) {
                        sum += (system->first_order + o) * reward * AT(x, i * ORDERS + o - 1);
                    } else {
                        sum += rhs ? AT_CONST(rhs, i) : (VEC){0} + reward;
                    }
                    sum = FUNCTION(add_slots)(sum, row, column, lower, y + (size_t)o * LANES,
                                              (size_t)ORDERS, c);
                    AT(y, (i - begin) * ORDERS + o) = sum;
                }
            }
            for (uint32_t i = end; i-- > begin;) {
                const uint32_t r = first_row + (i - begin);
                const uint32_t lower = z->row_lower[r] + 1;
                const double *const row =
                    z->slot + (size_t)(z->row_slot[r] - z->slot_base + lower) * LANES;
                const uint32_t *const column = z->slot_column + z->row_slot[r] + lower;
                const uint32_t upper = z->row_slot[r + 1] - z->row_slot[r] - lower - 1;
                EACH_CHUNK
                {
                    VEC sum = AT(y, (i - begin) * ORDERS + o);
                    sum = FUNCTION(add_slots)(sum, row, column, upper,
                                              x + ((size_t)begin * ORDERS + o) * LANES,
                                              (size_t)ORDERS, c);
                    AT(x, i * ORDERS + o) = sum * AT(z->pivot_inverse, r);
                }
            }
        }
    }
}
#undef ADD_EXTERNAL

static void FUNCTION(solve)(ptd_lanes *z, uint32_t first, uint32_t last, const ptd_system *system)
{
    if (z->shift) {
        FUNCTION(solve_orders)(z, first, last, system, 1, 1);
        return;
    }
    switch (system->orders) {
    case 1:
        FUNCTION(solve_orders)(z, first, last, system, 1, 0);
        break;
    case 2:
        FUNCTION(solve_orders)(z, first, last, system, 2, 0);
        break;
    case 3:
        FUNCTION(solve_orders)(z, first, last, system, 3, 0);
        break;
    default:
        FUNCTION(solve_orders)(z, first, last, system, 4, 0);
        break;
    }
}

/* Turns the flow into the rows of a block into the expected total time there (in place). */
static inline void FUNCTION(solve_block_transposed)(ptd_lanes *z, uint32_t block, uint32_t begin,
                                                    double *flow)
{
    const uint32_t first_row = z->block_row[block];
    const uint32_t end_row = z->block_row[block + 1];
    for (uint32_t r = first_row; r < end_row; r++) {
        const uint32_t lower = z->row_lower[r] + 1;
        const double *const row = z->slot + (size_t)(z->row_slot[r] - z->slot_base + lower) * LANES;
        const uint32_t *const column = z->slot_column + z->row_slot[r] + lower;
        const uint32_t upper = z->row_slot[r + 1] - z->row_slot[r] - lower - 1;
        EACH_CHUNK
        {
            const VEC time = AT(flow, begin + (r - first_row)) * AT(z->pivot_inverse, r);
            AT(flow, begin + (r - first_row)) = time;
            for (uint32_t t = 0; t < upper; t++) {
                AT(flow, begin + column[t]) += time * AT_CONST(row, t);
            }
        }
    }
    for (uint32_t r = end_row; r-- > first_row;) {
        const double *const row = z->slot + (size_t)(z->row_slot[r] - z->slot_base) * LANES;
        const uint32_t *const column = z->slot_column + z->row_slot[r];
        EACH_CHUNK
        {
            const VEC time = AT(flow, begin + (r - first_row));
            for (uint32_t t = 0; t < z->row_lower[r]; t++) {
                AT(flow, begin + column[t]) += time * AT_CONST(row, t);
            }
        }
    }
}

static void FUNCTION(solve_transposed)(ptd_lanes *z, double *flow)
{
    for (uint32_t component = z->n_components; component-- > 0;) {
        const uint32_t begin = z->component_start[component];
        const uint32_t end = z->component_start[component + 1];
        const uint32_t block = z->component_block[component];
        if (block == PTD_NONE) {
            EACH_CHUNK
            {
                AT(flow, begin) *= AT(z->exit_inverse, z->exit_of_position[begin]);
            }
        } else {
            FUNCTION(solve_block_transposed)(z, block, begin, flow);
        }
        for (uint32_t i = begin; i < end; i++) {
            EACH_CHUNK
            {
                const VEC time = AT(flow, i);
                for (uint32_t e = z->edge_external[i]; e < z->edge_self[i]; e++) {
                    AT(flow, z->edge_target[e]) += time * AT(z->form, z->edge_form[e]);
                }
            }
        }
    }
}

#include "kernel_reverse_template.h"

#undef VEC
#undef MASK
#undef OUTSIDE
#undef VEC_INVERSE
#undef CHUNKS
#undef AT
#undef AT_CONST
#undef EACH_CHUNK
#undef WORD
#undef UPPER
