/* Kernel template, reverse mode: the adjoint twin of every forward function, in opposite order.
 * Included at the end of kernel_template.h, whose macros it uses; no include guard. */

/* Reverse of what ADD_EXTERNAL and the right-hand sides did for order o of position i, `time` being
 * the cotangent of that sum. */
#define REVERSE_EXTERNAL(i, o, time)                                                               \
    do {                                                                                           \
        for (uint32_t e = z->edge_external[i]; e < edge_end[i]; e++) {                             \
            const uint32_t form = z->edge_form[e];                                                 \
            const size_t target = (size_t)z->edge_target[e] * orders + o;                          \
            AT(z->form_bar, form) += (time) * AT(x, target);                                       \
            AT(x_bar, target) += (time) * AT(z->form, form);                                       \
        }                                                                                          \
        if (o > 0) {                                                                               \
            AT(x_bar, (size_t)(i) * orders + o - 1) +=                                             \
                (system->first_order + o) * system->reward[i] * (time);                            \
        } else if (rhs_bar) {                                                                      \
            AT(rhs_bar, i) = (time);                                                               \
        }                                                                                          \
    } while (0)

static void FUNCTION(reverse_solve)(ptd_lanes *z, uint32_t first, uint32_t last,
                                    const ptd_system *system, double *x_bar, double *y_bar,
                                    double *rhs_bar, int fresh_slots)
{
    const double *const x = system->x;
    const double *const y = system->y;
    const uint8_t *const killed = system->killed;
    const int orders = system->orders;
    const uint32_t *const edge_end = system->with_boundary ? z->edge_self : z->edge_boundary;
    for (uint32_t component = last; component-- > first;) {
        const uint32_t begin = z->component_start[component];
        const uint32_t end = z->component_start[component + 1];
        const uint32_t block = z->component_block[component];
        if (block == PTD_NONE) {
            const uint32_t i = begin;
            const uint32_t exit = z->exit_of_position[i];
            if (killed && killed[i]) {
                continue;
            }
            EACH_CHUNK
            {
                VEC inverse = AT(z->exit_inverse, exit);
                if (z->shift) {
                    inverse = VEC_INVERSE(AT(z->exit, exit) + AT_CONST(z->shift, i));
                }
                for (int o = orders - 1; o >= 0; o--) {
                    const size_t at = (size_t)i * orders + o;
                    const VEC time = AT(x_bar, at) * inverse;
                    AT(z->exit_bar, exit) -= time * AT_CONST(x, at);
                    REVERSE_EXTERNAL(i, o, time);
                }
            }
            continue;
        }
        const uint32_t first_row = z->block_row[block];
        for (int o = orders - 1; o >= 0; o--) {
            const int fresh = fresh_slots && o == orders - 1;
            for (uint32_t i = begin; i < end; i++) {
                const uint32_t r = first_row + (i - begin);
                const uint32_t lower = z->row_lower[r] + 1;
                const double *const row =
                    z->slot + (size_t)(z->row_slot[r] - z->slot_base + lower) * LANES;
                double *const row_bar =
                    z->slot_bar + (size_t)(z->row_slot[r] - z->slot_bar_base + lower) * LANES;
                const uint32_t *const column = z->slot_column + z->row_slot[r] + lower;
                const uint32_t upper = z->row_slot[r + 1] - z->row_slot[r] - lower - 1;
                const size_t at = (size_t)i * orders + o;
                EACH_CHUNK
                {
                    const VEC time = AT(x_bar, at) * AT(z->pivot_inverse, r);
                    AT(y_bar, i) = time;
                    const VEC pivot_before = fresh ? (VEC){0} : AT(z->pivot_bar, r);
                    AT(z->pivot_bar, r) = pivot_before - time * AT_CONST(x, at);
                    for (uint32_t t = 0; t < upper; t++) {
                        const size_t target = (size_t)(begin + column[t]) * orders + o;
                        const VEC before = fresh ? (VEC){0} : AT(row_bar, t);
                        AT(row_bar, t) = before + time * AT_CONST(x, target);
                        AT(x_bar, target) += time * AT_CONST(row, t);
                    }
                    if (fresh) {
                        double *const row_bar_end = row_bar + (size_t)upper * LANES;
                        double *const diagonal_bar = row_bar - LANES;
                        AT(row_bar_end, 0) = (VEC){0};
                        AT(diagonal_bar, 0) = (VEC){0};
                    }
                }
            }
            for (uint32_t i = end; i-- > begin;) {
                const uint32_t r = first_row + (i - begin);
                const double *const row = z->slot + (size_t)(z->row_slot[r] - z->slot_base) * LANES;
                double *const row_bar =
                    z->slot_bar + (size_t)(z->row_slot[r] - z->slot_bar_base) * LANES;
                const uint32_t *const column = z->slot_column + z->row_slot[r];
                const uint32_t lower = z->row_lower[r];
                EACH_CHUNK
                {
                    const VEC time = AT(y_bar, i);
                    for (uint32_t t = 0; t < lower; t++) {
                        const uint32_t source = begin + column[t];
                        const VEC before = fresh ? (VEC){0} : AT(row_bar, t);
                        AT(row_bar, t) = before + time * AT_CONST(y, (size_t)source * orders + o);
                        AT(y_bar, source) += time * AT_CONST(row, t);
                    }
                    if (!(killed && killed[i])) {
                        REVERSE_EXTERNAL(i, o, time);
                    }
                }
            }
        }
    }
}
#undef REVERSE_EXTERNAL

/* Reverse of one group: `program` stands on its head. */
#define DEFINE_REVERSE_GROUP(SIZE)                                                                 \
    static inline __attribute__((always_inline)) void FUNCTION(reverse_group##SIZE)(               \
        const ptd_lanes *z, const uint16_t *program, const int wide, uint32_t k,                   \
        const double *restrict row, double *restrict row_bar, uint32_t a)                          \
    {                                                                                              \
        const uint32_t head = WORD(program, 0);                                                    \
        const uint32_t runs = head >> 3;                                                           \
        const uint32_t last = k + SIZE - 1;                                                        \
        const uint32_t sources = z->row_slot[last + 1] - z->row_upper[last];                       \
        const uint16_t *const words = program + (wide ? 2 : 1);                                    \
        EACH_CHUNK                                                                                 \
        {                                                                                          \
            VEC l[SIZE], l_bar[SIZE];                                                              \
            const double *u[SIZE];                                                                 \
            double *u_bar[SIZE];                                                                   \
            for (int s = 0; s < SIZE; s++) {                                                       \
                l[s] = AT_CONST(row, a + s);                                                       \
                l_bar[s] = AT(row_bar, a + s);                                                     \
                u[s] = UPPER(z->slot, z->slot_base, k + s) + (size_t)(SIZE - 1 - s) * LANES;       \
                u_bar[s] =                                                                         \
                    UPPER(z->slot_bar, z->slot_bar_base, k + s) + (size_t)(SIZE - 1 - s) * LANES;  \
            }                                                                                      \
            if (head & 4) {                                                                        \
                for (uint32_t r = 0; r < runs; r++) {                                              \
                    const uint32_t from = WORD(words, 3 * r);                                      \
                    const uint32_t to = WORD(words, 3 * r + 1);                                    \
                    const uint32_t length = WORD(words, 3 * r + 2);                                \
                    for (uint32_t t = 0; t < length; t++) {                                        \
                        const VEC bar = AT(row_bar, to + t);                                       \
                        for (int s = 0; s < SIZE; s++) {                                           \
                            l_bar[s] += bar * AT_CONST(u[s], from + t);                            \
                            AT(u_bar[s], from + t) += l[s] * bar;                                  \
                        }                                                                          \
                    }                                                                              \
                }                                                                                  \
            } else {                                                                               \
                for (uint32_t t = 0; t < sources; t++) {                                           \
                    const VEC bar = AT(row_bar, WORD(words, t));                                   \
                    for (int s = 0; s < SIZE; s++) {                                               \
                        l_bar[s] += bar * AT_CONST(u[s], t);                                       \
                        AT(u_bar[s], t) += l[s] * bar;                                             \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
            for (int s = SIZE - 1; s >= 0; s--) {                                                  \
                const double *const inner = UPPER(z->slot, z->slot_base, k + s);                   \
                double *const inner_bar = UPPER(z->slot_bar, z->slot_bar_base, k + s);             \
                for (int q = s + 1; q < SIZE; q++) {                                               \
                    const VEC bar = AT(row_bar, a + q);                                            \
                    l_bar[s] += bar * AT_CONST(inner, q - s - 1);                                  \
                    AT(inner_bar, q - s - 1) += l[s] * bar;                                        \
                }                                                                                  \
                const VEC bar = l_bar[s] * AT(z->pivot_inverse, k + s);                            \
                AT(row_bar, a + s) = bar;                                                          \
                AT(z->pivot_bar, k + s) -= bar * l[s];                                             \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_REVERSE_GROUP(1)
DEFINE_REVERSE_GROUP(2)
DEFINE_REVERSE_GROUP(3)
DEFINE_REVERSE_GROUP(4)
#undef DEFINE_REVERSE_GROUP

/* Groups are read forwards only, so their places are noted, some at a time from the row's end. */
static inline __attribute__((always_inline)) void
FUNCTION(reverse_row)(const ptd_lanes *z, uint32_t first_row, uint32_t r, const int wide)
{
    enum { NOTED = 256 };
    const uint16_t *noted_program[NOTED];
    uint32_t noted_slot[NOTED];
    const uint16_t *const program = z->program + z->row_program[r];
    const uint32_t *const column = z->slot_column + z->row_slot[r];
    const double *const row = z->slot + (size_t)(z->row_slot[r] - z->slot_base) * LANES;
    double *const row_bar = z->slot_bar + (size_t)(z->row_slot[r] - z->slot_bar_base) * LANES;
    uint32_t todo = z->row_lower[r];
    while (todo > 0) {
        /* The last NOTED groups that begin before slot `todo`. */
        uint32_t count = 0;
        const uint16_t *p = program;
        for (uint32_t a = 0; a < todo;) {
            const uint32_t head = WORD(p, 0);
            const uint32_t size = (head & 3) + 1;
            const uint32_t last = first_row + column[a] + size - 1;
            const uint32_t sources = z->row_slot[last + 1] - z->row_upper[last];
            noted_program[count % NOTED] = p;
            noted_slot[count % NOTED] = a;
            count++;
            p += (wide ? 2 : 1) * (1 + (head & 4 ? 3 * (head >> 3) : sources));
            a += size;
        }
        const uint32_t kept = count < NOTED ? count : NOTED;
        for (uint32_t g = 0; g < kept; g++) {
            const uint32_t at = (count - 1 - g) % NOTED;
            const uint32_t a = noted_slot[at];
            const uint32_t k = first_row + column[a];
            switch (WORD(noted_program[at], 0) & 3) {
            case 0:
                FUNCTION(reverse_group1)(z, noted_program[at], wide, k, row, row_bar, a);
                break;
            case 1:
                FUNCTION(reverse_group2)(z, noted_program[at], wide, k, row, row_bar, a);
                break;
            case 2:
                FUNCTION(reverse_group3)(z, noted_program[at], wide, k, row, row_bar, a);
                break;
            default:
                FUNCTION(reverse_group4)(z, noted_program[at], wide, k, row, row_bar, a);
                break;
            }
            todo = a;
        }
    }
}

static __attribute__((noinline)) void FUNCTION(reverse_wide_row)(const ptd_lanes *z,
                                                                 uint32_t first_row, uint32_t r)
{
    FUNCTION(reverse_row)(z, first_row, r, 1);
}

static void FUNCTION(reverse_factor)(ptd_lanes *z, uint32_t block, uint32_t begin,
                                     const uint8_t *killed)
{
    const uint32_t first_row = z->block_row[block];
    for (uint32_t r = z->block_row[block + 1]; r-- > first_row;) {
        const uint32_t position = begin + (r - first_row);
        if (killed && killed[position]) {
            continue;
        }
        double *const row_bar = z->slot_bar + (size_t)(z->row_slot[r] - z->slot_bar_base) * LANES;
        const uint32_t slots = z->row_slot[r + 1] - z->row_slot[r];
        EACH_CHUNK
        {
            const VEC bar = AT(z->pivot_bar, r);
            for (uint32_t t = z->row_lower[r] + 1; t < slots; t++) {
                AT(row_bar, t) += bar;
            }
        }
        if (slots <= UINT16_MAX) {
            FUNCTION(reverse_row)(z, first_row, r, 0);
        } else {
            FUNCTION(reverse_wide_row)(z, first_row, r);
        }
        const uint32_t *form = z->edge_form + z->edge_start[position];
        for (uint32_t e = z->entry_start[r]; e < z->entry_start[r + 1]; e++, form++) {
            EACH_CHUNK
            {
                AT(z->form_bar, *form) += AT(row_bar, z->entry_slot[e]);
            }
        }
        if (z->exit_of_position[position] != PTD_NONE) {
            EACH_CHUNK
            {
                AT(z->exit_bar, z->exit_of_position[position]) += AT(row_bar, slots - 1);
            }
        }
    }
}

static void FUNCTION(reverse_weights)(ptd_lanes *z)
{
    memset(z->theta_bar, 0, (size_t)z->n_parameters * LANES * sizeof(double));
    EACH_CHUNK
    {
        for (uint32_t e = 0; e < z->n_exits; e++) {
            for (uint32_t t = z->exit_start[e]; t < z->exit_start[e + 1]; t++) {
                AT(z->form_bar, z->exit_form[t]) += AT(z->exit_bar, e);
            }
        }
        for (uint32_t f = 0; f < z->n_forms; f++) {
            for (uint32_t e = z->form_start[f]; e < z->form_start[f + 1]; e++) {
                AT(z->theta_bar, z->form_parameter[e]) +=
                    z->form_coefficient[e] * AT(z->form_bar, f);
            }
        }
    }
}
