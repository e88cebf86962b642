/* Building alias tables: a share below one cell is filled up from a share above one. */
#include "alias.h"

void ptd_alias_build(uint32_t count, const double *weight, const uint32_t *target, double total,
                     ptd_alias *table, double *share, uint32_t *order)
{
    uint32_t small = 0;     /* order[0 .. small): shares below one cell */
    uint32_t large = count; /* order[large .. count): the others */
    for (uint32_t k = 0; k < count; k++) {
        share[k] = weight[k] / total * count;
        order[share[k] < 1 ? small++ : --large] = k;
        table[k] = (ptd_alias){.threshold = 0, .target = {target[k], target[k]}};
    }
    while (small > 0 && large < count) {
        const uint32_t poor = order[--small];
        const uint32_t rich = order[large];
        table[poor].threshold = (uint64_t)(share[poor] * 0x1p64);
        table[poor].target[1] = target[rich];
        share[rich] = (share[rich] + share[poor]) - 1;
        if (share[rich] < 1) {
            large++;
            order[small++] = rich;
        }
    }
    /* What is left over has a share of one cell but for rounding, and keeps its own. */
}
