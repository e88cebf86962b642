/* Resolvent kernels, the template: included by each resolvent_<instruction set>.c after it has
 * defined
 *     KERNEL       name of the ptd_resolvent_kernel to define
 *     KERNEL_NAME  its text
 *     VECTOR       doubles in a native vector
 *     vector       its type
 *     FMA(a, b, c) = a b + c     MIN(a, b)
 * The layout of the trace stands in ptd.h, the mathematics in resolvent_kernel.h. */
#include "resolvent_kernel.h"

#include <float.h>
#include <string.h>

#include "ptd.h"

#define VEC    vector
#define CHUNKS (PTD_NODES / VECTOR)
/* Real and imaginary parts of item `i`, chunk `c` of its nodes. */
#define RE(array, i) (*(VEC *)((array) + (size_t)(i) * PTD_NODE_ITEM + (size_t)(VECTOR * c)))
#define IM(array, i) RE((array) + PTD_NODES, i)
#define RE_CONST(array, i)                                                                         \
    (*(const VEC *)((array) + (size_t)(i) * PTD_NODE_ITEM + (size_t)(VECTOR * c)))
#define IM_CONST(array, i) RE_CONST((array) + PTD_NODES, i)
#define EACH_CHUNK         for (int c = 0; c < CHUNKS; c++)

/* Word `i` of a program, 16 or 32 bits wide. */
#define WORD(p, i) (wide ? (uint32_t)(p)[2 * (i)] | (uint32_t)(p)[2 * (i) + 1] << 16 : (p)[i])

/* The slot `to` of the row += sum over s of l[s] * (item `t` of u[s]). */
#define ADD_PRODUCTS(SIZE, to, t)                                                                  \
    do {                                                                                           \
        VEC re = RE(row, to);                                                                      \
        VEC im = IM(row, to);                                                                      \
        for (int s = 0; s < SIZE; s++) {                                                           \
            const VEC u_re = RE_CONST(u[s], t);                                                    \
            const VEC u_im = IM_CONST(u[s], t);                                                    \
            re = FMA(l_re[s], u_re, re);                                                           \
            im = FMA(l_re[s], u_im, im);                                                           \
            re = FMA(-l_im[s], u_im, re);                                                          \
            im = FMA(l_im[s], u_re, im);                                                           \
        }                                                                                          \
        RE(row, to) = re;                                                                          \
        IM(row, to) = im;                                                                          \
    } while (0)

/* A component at hand: its slots and inverse pivots by row of its block. */
typedef struct {
    const double *slot; /* of the block's first row */
    const double *inverse;
    uint32_t first_row;
} nodes_component;

/* Eliminates SIZE nested rows, the first of them row `k`, from the row at `row`, whose next L entry
 * is slot `a`. `program` stands on the group's head; returns the words after the group. */
#define DEFINE_GROUP(SIZE)                                                                         \
    static inline __attribute__((always_inline)) const uint16_t *nodes_group##SIZE(                \
        const ptd_resolvent_lanes *z, const nodes_component *at, const uint16_t *program,          \
        const int wide, uint32_t k, double *restrict row, uint32_t a)                              \
    {                                                                                              \
        const uint32_t head = WORD(program, 0);                                                    \
        const uint32_t runs = head >> 3;                                                           \
        const uint32_t last = k + SIZE - 1;                                                        \
        const uint32_t sources =                                                                   \
            z->row_slot[last + 1] - z->row_slot[last] - z->row_lower[last] - 1;                    \
        const uint16_t *const words = program + (wide ? 2 : 1);                                    \
        EACH_CHUNK                                                                                 \
        {                                                                                          \
            VEC l_re[SIZE];                                                                        \
            VEC l_im[SIZE];                                                                        \
            const double *u[SIZE];                                                                 \
            for (int s = 0; s < SIZE; s++) {                                                       \
                const uint32_t r = k + (uint32_t)s;                                                \
                u[s] = at->slot + (size_t)(z->row_slot[r] + z->row_lower[r] + 1 -                  \
                                           z->row_slot[at->first_row]) *                           \
                                      PTD_NODE_ITEM;                                               \
                VEC re = RE(row, a + s);                                                           \
                VEC im = IM(row, a + s);                                                           \
                for (int p = 0; p < s; p++) {                                                      \
                    const VEC u_re = RE_CONST(u[p], s - p - 1);                                    \
                    const VEC u_im = IM_CONST(u[p], s - p - 1);                                    \
                    re = FMA(-l_im[p], u_im, FMA(l_re[p], u_re, re));                              \
                    im = FMA(l_im[p], u_re, FMA(l_re[p], u_im, im));                               \
                }                                                                                  \
                const VEC d_re = RE_CONST(at->inverse, r - at->first_row);                         \
                const VEC d_im = IM_CONST(at->inverse, r - at->first_row);                         \
                l_re[s] = re * d_re - im * d_im;                                                   \
                l_im[s] = re * d_im + im * d_re;                                                   \
                RE(row, a + s) = l_re[s];                                                          \
                IM(row, a + s) = l_im[s];                                                          \
            }                                                                                      \
            for (int s = 0; s < SIZE; s++) {                                                       \
                u[s] += (size_t)(SIZE - 1 - s) * PTD_NODE_ITEM;                                    \
            }                                                                                      \
            if (head & 4) {                                                                        \
                for (uint32_t q = 0; q < runs; q++) {                                              \
                    const uint32_t from = WORD(words, 3 * q);                                      \
                    const uint32_t to = WORD(words, 3 * q + 1);                                    \
                    const uint32_t length = WORD(words, 3 * q + 2);                                \
                    for (uint32_t t = 0; t < length; t++) {                                        \
                        ADD_PRODUCTS(SIZE, to + t, from + t);                                      \
                    }                                                                              \
                }                                                                                  \
            } else {                                                                               \
                for (uint32_t t = 0; t < sources; t++) {                                           \
                    const uint32_t to = WORD(words, t);                                            \
                    ADD_PRODUCTS(SIZE, to, t);                                                     \
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
#undef ADD_PRODUCTS

static inline
    __attribute__((always_inline)) void nodes_eliminate_row(const ptd_resolvent_lanes *z,
                                                            const nodes_component *at, uint32_t r,
                                                            double *row, const int wide)
{
    const uint16_t *program = z->program + z->row_program[r];
    const uint32_t *column = z->slot_column + z->row_slot[r];
    const uint32_t lower = z->row_lower[r];
    for (uint32_t a = 0; a < lower;) {
        const uint32_t size = (WORD(program, 0) & 3) + 1;
        const uint32_t k = at->first_row + column[a];
        switch (size) {
        case 1:
            program = nodes_group1(z, at, program, wide, k, row, a);
            break;
        case 2:
            program = nodes_group2(z, at, program, wide, k, row, a);
            break;
        case 3:
            program = nodes_group3(z, at, program, wide, k, row, a);
            break;
        default:
            program = nodes_group4(z, at, program, wide, k, row, a);
            break;
        }
        a += size;
    }
}

/* Rare, and apart so that it takes no registers from the usual case. */
static __attribute__((noinline)) void nodes_eliminate_wide_row(const ptd_resolvent_lanes *z,
                                                               const nodes_component *at,
                                                               uint32_t r, double *row)
{
    nodes_eliminate_row(z, at, r, row, 1);
}

/* Keeps a vertex's pivot and its inverse. */
#define KEEP_PIVOT(i, re, im)                                                                      \
    do {                                                                                           \
        const VEC inverse = 1.0 / ((re) * (re) + (im) * (im));                                     \
        VEC *const lowest = (VEC *)(z->lowest + VECTOR * c);                                       \
        *lowest = MIN(re, *lowest);                                                                \
        RE(z->pivot, i) = re;                                                                      \
        IM(z->pivot, i) = im;                                                                      \
        RE(z->pivot_inverse, i) = (re) * inverse;                                                  \
        IM(z->pivot_inverse, i) = -(im) * inverse;                                                 \
    } while (0)

static void nodes_factor_block(ptd_resolvent_lanes *z, uint32_t component)
{
    const uint32_t block = z->component_block[component];
    const uint32_t begin = z->component_start[component];
    double *const slots = z->slot + z->component_slot[component] * PTD_NODE_ITEM;
    const nodes_component at = {
        .slot = slots,
        .inverse = z->pivot_inverse + (size_t)begin * PTD_NODE_ITEM,
        .first_row = z->block_row[block],
    };
    for (uint32_t r = at.first_row; r < z->block_row[block + 1]; r++) {
        const uint32_t i = begin + (r - at.first_row);
        const uint32_t width = z->row_slot[r + 1] - z->row_slot[r];
        double *const row =
            slots + (size_t)(z->row_slot[r] - z->row_slot[at.first_row]) * PTD_NODE_ITEM;
        const double *weight = z->weight + z->edge_start[i];
        memset(row, 0, (size_t)width * PTD_NODE_ITEM * sizeof *row);
        for (uint32_t e = z->entry_start[r]; e < z->entry_start[r + 1]; e++, weight++) {
            EACH_CHUNK
            {
                RE(row, z->entry_slot[e]) = (VEC){0} + *weight;
            }
        }
        EACH_CHUNK
        {
            RE(row, width - 1) = z->leaving[i] + z->speed[i] * RE_CONST(z->node, 0);
            IM(row, width - 1) = z->speed[i] * IM_CONST(z->node, 0);
        }
        if (width <= UINT16_MAX) {
            nodes_eliminate_row(z, &at, r, row, 0);
        } else {
            nodes_eliminate_wide_row(z, &at, r, row);
        }
        EACH_CHUNK
        {
            VEC re = {0};
            VEC im = {0};
            for (uint32_t t = z->row_lower[r] + 1; t < width; t++) {
                re += RE_CONST(row, t);
                im += IM_CONST(row, t);
            }
            KEEP_PIVOT(i, re, im);
        }
    }
}

static void nodes_factor(ptd_resolvent_lanes *z)
{
    for (int k = 0; k < PTD_NODES; k++) {
        z->lowest[k] = DBL_MAX;
    }
    for (uint32_t component = 0; component < z->n_components; component++) {
        if (z->component_block[component] != PTD_NONE) {
            nodes_factor_block(z, component);
            continue;
        }
        const uint32_t i = z->component_start[component];
        EACH_CHUNK
        {
            const VEC re = z->leaving[i] + z->speed[i] * RE_CONST(z->node, 0);
            const VEC im = z->speed[i] * IM_CONST(z->node, 0);
            KEEP_PIVOT(i, re, im);
        }
    }
}
#undef KEEP_PIVOT

/* The right-hand side of vertex i and what the edges to other components bring. */
#define OUTSIDE_SUM(i, re, im)                                                                     \
    VEC re = {0};                                                                                  \
    VEC im = {0};                                                                                  \
    if (real) {                                                                                    \
        re += real[i];                                                                             \
    } else {                                                                                       \
        re = RE_CONST(y, i);                                                                       \
        im = IM_CONST(y, i);                                                                       \
    }                                                                                              \
    for (uint32_t e = z->edge_external[i]; e < z->edge_boundary[i]; e++) {                         \
        const VEC weight = (VEC){0} + z->weight[e];                                                \
        re = FMA(weight, RE_CONST(y, z->edge_target[e]), re);                                      \
        im = FMA(weight, IM_CONST(y, z->edge_target[e]), im);                                      \
    }

/* re, im += the sum of `count` slots, each times the value of its column. */
#define ADD_SLOTS(re, im, slots, column, count, values)                                            \
    do {                                                                                           \
        VEC more_re = {0};                                                                         \
        VEC more_im = {0};                                                                         \
        for (uint32_t t = 0; t < (count); t++) {                                                   \
            const VEC a_re = RE_CONST(slots, t);                                                   \
            const VEC a_im = IM_CONST(slots, t);                                                   \
            const VEC b_re = RE_CONST(values, (column)[t]);                                        \
            const VEC b_im = IM_CONST(values, (column)[t]);                                        \
            re = FMA(a_re, b_re, re);                                                              \
            im = FMA(a_re, b_im, im);                                                              \
            more_re = FMA(a_im, b_im, more_re);                                                    \
            more_im = FMA(a_im, b_re, more_im);                                                    \
        }                                                                                          \
        re -= more_re;                                                                             \
        im += more_im;                                                                             \
    } while (0)

#define TIMES_INVERSE(array, i, re, im)                                                            \
    do {                                                                                           \
        const VEC d_re = RE_CONST(z->pivot_inverse, i);                                            \
        const VEC d_im = IM_CONST(z->pivot_inverse, i);                                            \
        RE(array, i) = (re) * d_re - (im) * d_im;                                                  \
        IM(array, i) = (re) * d_im + (im) * d_re;                                                  \
    } while (0)

static void nodes_solve(const ptd_resolvent_lanes *z, const double *real, double *y)
{
    for (uint32_t component = 0; component < z->n_components; component++) {
        const uint32_t block = z->component_block[component];
        const uint32_t begin = z->component_start[component];
        const uint32_t end = z->component_start[component + 1];
        if (block == PTD_NONE) {
            EACH_CHUNK
            {
                OUTSIDE_SUM(begin, re, im)
                TIMES_INVERSE(y, begin, re, im);
            }
            continue;
        }
        const uint32_t first_row = z->block_row[block];
        const double *const slots = z->slot + z->component_slot[component] * PTD_NODE_ITEM;
        double *const inside = y + (size_t)begin * PTD_NODE_ITEM;
        for (uint32_t i = begin; i < end; i++) {
            const uint32_t r = first_row + (i - begin);
            const double *const row =
                slots + (size_t)(z->row_slot[r] - z->row_slot[first_row]) * PTD_NODE_ITEM;
            const uint32_t *const column = z->slot_column + z->row_slot[r];
            EACH_CHUNK
            {
                OUTSIDE_SUM(i, re, im)
                ADD_SLOTS(re, im, row, column, z->row_lower[r], inside);
                RE(y, i) = re;
                IM(y, i) = im;
            }
        }
        for (uint32_t i = end; i-- > begin;) {
            const uint32_t r = first_row + (i - begin);
            const uint32_t upper = z->row_slot[r] + z->row_lower[r] + 1;
            const double *const row =
                slots + (size_t)(upper - z->row_slot[first_row]) * PTD_NODE_ITEM;
            const uint32_t *const column = z->slot_column + upper;
            EACH_CHUNK
            {
                VEC re = RE_CONST(y, i);
                VEC im = IM_CONST(y, i);
                ADD_SLOTS(re, im, row, column, z->row_slot[r + 1] - upper - 1, inside);
                TIMES_INVERSE(y, i, re, im);
            }
        }
    }
}

/* to[column] += x times slot, for `count` slots */
#define SCATTER_SLOTS(to, x_re, x_im, slots, column, count)                                        \
    for (uint32_t t = 0; t < (count); t++) {                                                       \
        const VEC a_re = RE_CONST(slots, t);                                                       \
        const VEC a_im = IM_CONST(slots, t);                                                       \
        RE(to, (column)[t]) = FMA(-(x_im), a_im, FMA(x_re, a_re, RE(to, (column)[t])));            \
        IM(to, (column)[t]) = FMA(x_im, a_re, FMA(x_re, a_im, IM(to, (column)[t])));               \
    }

static void nodes_solve_left(const ptd_resolvent_lanes *z, double *x)
{
    for (uint32_t component = z->n_components; component-- > 0;) {
        const uint32_t block = z->component_block[component];
        const uint32_t begin = z->component_start[component];
        const uint32_t end = z->component_start[component + 1];
        if (block == PTD_NONE) {
            EACH_CHUNK
            {
                const VEC re = RE_CONST(x, begin);
                const VEC im = IM_CONST(x, begin);
                TIMES_INVERSE(x, begin, re, im);
            }
        } else {
            const uint32_t first_row = z->block_row[block];
            const double *const slots = z->slot + z->component_slot[component] * PTD_NODE_ITEM;
            double *const inside = x + (size_t)begin * PTD_NODE_ITEM;
            for (uint32_t i = begin; i < end; i++) {
                const uint32_t r = first_row + (i - begin);
                const uint32_t upper = z->row_slot[r] + z->row_lower[r] + 1;
                const double *const row =
                    slots + (size_t)(upper - z->row_slot[first_row]) * PTD_NODE_ITEM;
                const uint32_t *const column = z->slot_column + upper;
                EACH_CHUNK
                {
                    VEC re = RE_CONST(x, i);
                    VEC im = IM_CONST(x, i);
                    TIMES_INVERSE(x, i, re, im);
                    re = RE_CONST(x, i);
                    im = IM_CONST(x, i);
                    SCATTER_SLOTS(inside, re, im, row, column, z->row_slot[r + 1] - upper - 1)
                }
            }
            for (uint32_t i = end; i-- > begin;) {
                const uint32_t r = first_row + (i - begin);
                const double *const row =
                    slots + (size_t)(z->row_slot[r] - z->row_slot[first_row]) * PTD_NODE_ITEM;
                const uint32_t *const column = z->slot_column + z->row_slot[r];
                EACH_CHUNK
                {
                    const VEC re = RE_CONST(x, i);
                    const VEC im = IM_CONST(x, i);
                    SCATTER_SLOTS(inside, re, im, row, column, z->row_lower[r])
                }
            }
        }
        for (uint32_t i = begin; i < end; i++) {
            EACH_CHUNK
            {
                const VEC re = RE_CONST(x, i);
                const VEC im = IM_CONST(x, i);
                for (uint32_t e = z->edge_external[i]; e < z->edge_boundary[i]; e++) {
                    const VEC weight = (VEC){0} + z->weight[e];
                    RE(x, z->edge_target[e]) = FMA(re, weight, RE(x, z->edge_target[e]));
                    IM(x, z->edge_target[e]) = FMA(im, weight, IM(x, z->edge_target[e]));
                }
            }
        }
    }
}

/* The difference y_j - y_i along edge e from i, in the tilt of i. */
#define EDGE_DIFFERENCE(e, i)                                                                      \
    const VEC d_re = z->ratio[e] * RE_CONST(y, z->edge_target[e]) - RE_CONST(y, i);                \
    const VEC d_im = z->ratio[e] * IM_CONST(y, z->edge_target[e]) - IM_CONST(y, i);

static void nodes_contract(const ptd_resolvent_lanes *z, const double *x, const double *y,
                           double *sum)
{
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        for (uint32_t e = z->edge_start[i]; e < z->edge_start[i + 1]; e++) {
            const uint32_t f = z->edge_form[e];
            if (z->form_start[f] == z->form_start[f + 1]) {
                continue;
            }
            EACH_CHUNK
            {
                EDGE_DIFFERENCE(e, i)
                const VEC x_re = RE_CONST(x, i);
                const VEC x_im = IM_CONST(x, i);
                const VEC re = x_re * d_re - x_im * d_im;
                const VEC im = x_re * d_im + x_im * d_re;
                for (uint32_t k = z->form_start[f]; k < z->form_start[f + 1]; k++) {
                    RE(sum, z->form_parameter[k]) += z->form_coefficient[k] * re;
                    IM(sum, z->form_parameter[k]) += z->form_coefficient[k] * im;
                }
            }
        }
    }
}

static void nodes_spread(const ptd_resolvent_lanes *z, const double *y, uint32_t n_parameters,
                         double *b)
{
    memset(b, 0, (size_t)n_parameters * z->n * PTD_NODE_ITEM * sizeof *b);
    for (uint32_t i = z->n_boundary; i + 1 < z->n; i++) {
        for (uint32_t e = z->edge_start[i]; e < z->edge_start[i + 1]; e++) {
            const uint32_t f = z->edge_form[e];
            EACH_CHUNK
            {
                EDGE_DIFFERENCE(e, i)
                for (uint32_t k = z->form_start[f]; k < z->form_start[f + 1]; k++) {
                    double *const of = b + (size_t)z->form_parameter[k] * z->n * PTD_NODE_ITEM;
                    RE(of, i) += z->form_coefficient[k] * d_re;
                    IM(of, i) += z->form_coefficient[k] * d_im;
                }
            }
        }
    }
}

const ptd_resolvent_kernel KERNEL = {
    KERNEL_NAME, nodes_factor, nodes_solve, nodes_solve_left, nodes_contract, nodes_spread,
};
