/* Validation of exit sums: each must be the sum of what leaves the component of its position.
 *
 * The content hash covers the edges and their forms and not the sums, so that without this pass a
 * forged file could answer with other numbers under the right key. A sum is either the forms
 * themselves, ascending, or one form that holds their sum; that one is added up again and must
 * agree to the last bit.
 */
#include "checker.h"

#include "memory.h"
#include "sort.h"

typedef struct {
    uint64_t *leaving; /* forms of the position at hand; room for the largest out-degree */
    double *sum;       /* coefficients of one form; room for the longest */
} exit_scratch;

/* Forms of the edges that leave the component of position `p`; their number. */
static uint32_t collect_leaving(const checker *c, int64_t p, uint64_t *leaving)
{
    const uint32_t begin = u32(c, PTD_EDGE_EXTERNAL)[p];
    const uint32_t count = u32(c, PTD_EDGE_SELF)[p] - begin;
    for (uint32_t e = 0; e < count; e++) {
        leaving[e] = u32(c, PTD_EDGE_FORM)[begin + e];
    }
    return count;
}

static int are_these(const uint32_t *forms, uint32_t n_forms, const uint64_t *leaving,
                     uint32_t count)
{
    if (n_forms != count) {
        return 0;
    }
    for (uint32_t k = 0; k < count; k++) {
        if (forms[k] != leaving[k]) {
            return 0;
        }
    }
    return 1;
}

/* The place of a parameter in the ascending parameter[0..length), `length` where it is missing. */
static uint32_t place_of(uint32_t wanted, const uint32_t *parameter, uint32_t length)
{
    uint32_t low = 0;
    uint32_t high = length;
    if (length == 1) {
        return parameter[0] != wanted;
    }
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (parameter[middle] < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < length && parameter[low] == wanted ? low : length;
}

/* Whether `form` is the sum of the leaving forms, added in their sequence, none of whose numbers is
 * negative. */
static int is_their_sum(const checker *c, uint32_t form, const uint64_t *leaving, uint32_t count,
                        double *sum)
{
    const double *form_base = c->arrays[PTD_FORM_BASE].data;
    const double *form_coefficient = c->arrays[PTD_FORM_COEFFICIENT].data;
    const uint32_t *form_start = u32(c, PTD_FORM_START);
    const uint32_t *form_parameter = u32(c, PTD_FORM_PARAMETER);
    const uint32_t begin = form_start[form];
    const uint32_t length = form_start[form + 1] - begin;
    double base = 0.0;
    for (uint32_t k = 0; k < length; k++) {
        sum[k] = 0.0;
    }
    for (uint32_t l = 0; l < count; l++) {
        const uint64_t f = leaving[l];
        if (form_base[f] < 0.0) {
            return 0;
        }
        base += form_base[f];
        for (uint32_t e = form_start[f]; e < form_start[f + 1]; e++) {
            const uint32_t k = place_of(form_parameter[e], form_parameter + begin, length);
            if (k == length || form_coefficient[e] < 0.0) {
                return 0;
            }
            sum[k] += form_coefficient[e];
        }
    }
    for (uint32_t k = 0; k < length; k++) {
        if (sum[k] != form_coefficient[begin + k]) {
            return 0;
        }
    }
    return base == form_base[form];
}

static int is_exit_sum(const checker *c, int64_t p, uint32_t exit, exit_scratch *scratch)
{
    const uint32_t begin = u32(c, PTD_EXIT_START)[exit];
    const uint32_t n_forms = u32(c, PTD_EXIT_START)[exit + 1] - begin;
    const uint32_t *forms = u32(c, PTD_EXIT_FORM) + begin;
    const uint32_t count = collect_leaving(c, p, scratch->leaving);
    if (n_forms != count && n_forms != 1) {
        return 0;
    }
    /* Where nothing is rounded, which is usual, any order gives the sum. */
    if (n_forms == 1 && is_their_sum(c, forms[0], scratch->leaving, count, scratch->sum)) {
        return 1;
    }
    ptd_sort_keys(scratch->leaving, count);
    return are_these(forms, n_forms, scratch->leaving, count) ||
           (n_forms == 1 && is_their_sum(c, forms[0], scratch->leaving, count, scratch->sum));
}

static ptd_status check_exit_sums(const checker *c, exit_scratch *scratch)
{
    const uint32_t *exit = u32(c, PTD_EXIT_OF_POSITION);
    for (int64_t p = c->n_boundary; p < c->meta->n_vertices; p++) {
        if (exit[p] != PTD_NONE && !is_exit_sum(c, p, exit[p], scratch)) {
            return invalid(c, PTD_EXIT_OF_POSITION, p);
        }
    }
    return PTD_OK;
}

ptd_status ptd_validate_exit_sums(const checker *c)
{
    const int64_t n_forms = length_of(c, PTD_FORM_BASE);
    uint32_t most_leaving = 0;
    uint32_t longest = 0;
    for (int64_t p = 0; p < c->meta->n_vertices; p++) {
        const uint32_t count = u32(c, PTD_EDGE_SELF)[p] - u32(c, PTD_EDGE_EXTERNAL)[p];
        most_leaving = count > most_leaving ? count : most_leaving;
    }
    for (int64_t f = 0; f < n_forms; f++) {
        const uint32_t length = u32(c, PTD_FORM_START)[f + 1] - u32(c, PTD_FORM_START)[f];
        longest = length > longest ? length : longest;
    }
    exit_scratch scratch = {.leaving = ptd_allocate(most_leaving, sizeof *scratch.leaving),
                            .sum = ptd_allocate(longest, sizeof *scratch.sum)};
    ptd_status status = scratch.leaving && scratch.sum ? check_exit_sums(c, &scratch)
                                                       : ptd_fail(c->error, PTD_NO_MEMORY, 0, 0);
    ptd_release(scratch.leaving);
    ptd_release(scratch.sum);
    return status;
}
