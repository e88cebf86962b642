/* Walks: paths of a chain from the start to their end, many at once.
 *
 * A path at vertex v stays there for scale[v] x (an exponential of mean 1), in discrete chains one
 * step and the whole part of that: if p is the probability of leaving, an exponential exceeds
 * -k log(1 - p) with probability (1 - p)^k, which is that of k stays more. Then it goes on to one
 * of v's successors by an alias table. The first word of block k (random.h) is the time in the
 * path's k-th vertex, the second one the way from there; the second word of block 0 is the way from
 * the start. A path therefore depends on seed and number alone, and values add up along it, so they
 * are the same in any lane, vector or thread.
 */
#ifndef PTD_WALK_H
#define PTD_WALK_H

#include <stdint.h>

#include "alias.h"

typedef struct {
    double scale;
    uint32_t first; /* of its alias entries */
    uint32_t count; /* of them; 0: an end */
} ptd_walk_vertex;

/* Vertices by position: absorbing ones, then traps, then those that are passed, the start last. */
typedef struct {
    int discrete;
    uint32_t n;
    uint32_t n_absorbing;
    uint32_t n_boundary; /* with traps */
    ptd_walk_vertex *vertex;
    ptd_alias *alias;
    int64_t *end; /* n_boundary: what final_vertex says */
} ptd_walk_chain;

/* Which paths, and what of them. */
typedef struct {
    uint64_t seed;
    uint64_t first;
    uint64_t count;
    uint64_t n_rewards;
    const double *rewards; /* n x n_rewards by position: collected per unit of time, by traps (0 or
                              INFINITY) at once; NULL: the time */
    double *values;        /* count x max(1, n_rewards) */
    int64_t *final_vertex; /* count, or NULL */
} ptd_walk_order;

/* Whether every value of an absorbed path is finite. */
typedef int ptd_walk(const ptd_walk_chain *chain, const ptd_walk_order *order);

/* How long a path stays in `vertex`, from an exponential of mean 1. */
static inline double ptd_walk_stay(const ptd_walk_chain *chain, const ptd_walk_vertex *vertex,
                                   double exponential)
{
    const double stay = exponential * vertex->scale;
    if (!chain->discrete) {
        return stay;
    }
    /* The whole part: beyond 2^52 there is no other, and below it the sum rounds to a whole. */
    const double whole = (stay + 0x1p52) - 0x1p52;
    return 1 + (stay < 0x1p52 ? whole - (whole > stay) : stay);
}

static inline uint32_t ptd_walk_on(const ptd_walk_chain *chain, const ptd_walk_vertex *vertex,
                                   uint64_t word)
{
    return ptd_alias_pick(chain->alias + vertex->first, vertex->count, word);
}

#endif
