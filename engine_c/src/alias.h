/* Alias tables: a draw from any discrete distribution by one word, one product and one comparison
 * (Walker 1977; built in linear time as in Vose 1991).
 *
 * A table of d entries cuts [0, 1) into d equal cells, and each cell into the part below its
 * threshold, which is its first target's, and the rest, its second one's. A word of 64 bits is a
 * cell (upper half of word x d) and a place in it (lower half). Thresholds are whole multiples of
 * 2^-64, so that a table gives its targets probabilities that are known exactly.
 */
#ifndef PTD_ALIAS_H
#define PTD_ALIAS_H

#include <stdint.h>

typedef struct {
    uint64_t threshold;
    uint32_t target[2];
} ptd_alias;

/* The table of `count` > 0 targets with positive, finite weights whose sum is `total`; a target
 * that is left alone has its cell to itself. share and order: scratch of `count` each. */
void ptd_alias_build(uint32_t count, const double *weight, const uint32_t *target, double total,
                     ptd_alias *table, double *share, uint32_t *order);

static inline uint32_t ptd_alias_pick(const ptd_alias *table, uint32_t count, uint64_t word)
{
    const unsigned __int128 product = (unsigned __int128)word * count;
    const ptd_alias *cell = &table[(uint64_t)(product >> 64)];
    return cell->target[(uint64_t)product >= cell->threshold];
}

#endif
