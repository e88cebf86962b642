/* Checker: what the passes of validation share. See validate.h.
 *
 * A pass returns PTD_OK or what `invalid` returns: PTD_TRACE_INVALID with the array and the place
 * in it, or, for the meta data, with index -1 and the field.
 */
#ifndef PTD_CHECKER_H
#define PTD_CHECKER_H

#include <string.h>

#include "status.h"
#include "trace.h"

/* What the passes know. */
typedef struct {
    const ptd_trace_meta *meta;
    const ptd_array *arrays;
    ptd_error *error;
    int64_t n_boundary; /* absorbing and dropped: the first positions */
    uint64_t *seen;     /* a bit for each vertex, or for each block */
} checker;

/* Meta fields in the order of ptd_trace_meta, for the value of an error. */
typedef enum {
    META_KIND,
    META_N_PARAMETERS,
    META_STATE_LENGTH,
    META_N_VERTICES,
    META_N_ABSORBING,
    META_N_DROPPED,
    META_N_COMPONENTS,
    META_N_BLOCKS,
    META_N_EDGES,
    META_N_FORMS,
    META_MULTIPLY_ADDS,
    META_LOWER_ENTRIES,
    META_UPPER_ENTRIES,
    META_FILL_IN,
    META_LARGEST_COMPONENT,
    META_ORDERING_VERSION,
    META_COUNT
} meta_field;

static inline ptd_status invalid(const checker *c, ptd_trace_array_id id, int64_t where)
{
    return ptd_fail(c->error, PTD_TRACE_INVALID, (int64_t)id, (double)where);
}

static inline ptd_status invalid_meta(const checker *c, meta_field field)
{
    return ptd_fail(c->error, PTD_TRACE_INVALID, -1, (double)field);
}

static inline const uint32_t *u32(const checker *c, ptd_trace_array_id id)
{
    return ptd_array_u32(c->arrays, id);
}

static inline int64_t length_of(const checker *c, ptd_trace_array_id id)
{
    return c->arrays[id].length;
}

/* Offsets from 0 that grow by at least `step` up to `end`. */
static inline ptd_status check_offsets(const checker *c, ptd_trace_array_id id, uint32_t step,
                                       int64_t end)
{
    const uint32_t *offset = u32(c, id);
    const int64_t last = length_of(c, id) - 1;
    if (offset[0] != 0) {
        return invalid(c, id, 0);
    }
    for (int64_t k = 0; k < last; k++) {
        if (offset[k + 1] < offset[k] || offset[k + 1] - offset[k] < step) {
            return invalid(c, id, k + 1);
        }
    }
    return offset[last] == end ? PTD_OK : invalid(c, id, last);
}

/* Sets the bit of an item; whether it was clear. */
static inline int mark(uint64_t *seen, uint32_t item)
{
    const uint64_t bit = (uint64_t)1 << (item & 63);
    const int is_new = !(seen[item >> 6] & bit);
    seen[item >> 6] |= bit;
    return is_new;
}

static inline void clear_marks(const checker *c, int64_t count)
{
    memset(c->seen, 0, (size_t)((count + 63) / 64) * sizeof *c->seen);
}

/* The pass over the exit sums, once edges, forms and exits have passed (validate_exits.c). */
PTD_MUST_CHECK ptd_status ptd_validate_exit_sums(const checker *c);
/* The passes over the blocks, once all others have passed (validate_blocks.c). */
PTD_MUST_CHECK ptd_status ptd_validate_blocks(const checker *c);

#endif
