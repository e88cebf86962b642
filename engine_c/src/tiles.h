/* Tiles: the step matrix of a chain, laid out for vectors.
 *
 * Uniformisation multiplies a row vector by P = I + S / q over and over: w_j = sum_i v_i p_ij.
 * Eight neighbouring states make a tile, whose new values are a sum of terms; a term is eight rates
 * times eight old values. Where edges of a tile come from states at the same distance (from - to),
 * as in grids, islands, queues and coalescents, the old values lie side by side and are streamed;
 * the others are gathered. A rate that is missing from a term is 0, which adds nothing, exactly.
 * Equal sets of eight rates (octets) are kept once, so that the octets of a grid stay in the cache.
 *
 * Rates over q are double-doubles. Staying is a term like others; q is the largest rate of
 * leaving, so that no 1 - out/q is negative.
 *
 * Derivatives in theta (jets) are planes of their own, of `stride` doubles each: plane c steps by
 * the same terms as the value, plus terms that multiply other planes by derivatives of rates.
 */
#ifndef PTD_TILES_H
#define PTD_TILES_H

#include "chain.h"
#include "double_double.h"

enum { PTD_TILE = 8 };

/* Eight products: old values from `source` on (gathered: at eight indices, the source-th set of
 * them), times an octet. Sources count from the first double of plane 0. */
typedef struct {
    int32_t source;
    uint32_t octet;
} ptd_term;

typedef struct {
    uint32_t *first;    /* n_tiles + 1: terms of a tile, streamed ones first */
    uint32_t *gathered; /* n_tiles: the first gathered one */
    ptd_term *terms;
    size_t n_terms, capacity;
} ptd_term_list;

typedef struct {
    int64_t n;
    int planes; /* = jets */
    uint32_t n_tiles;
    int64_t stride;            /* doubles a plane, with a margin of one tile at each end */
    uint32_t *position;        /* n: where a state stands in a plane */
    ptd_double_double fastest; /* q; 1 where the chain is discrete */

    ptd_term_list step;   /* high parts of octets, low parts behind them */
    ptd_term_list *cross; /* planes: what derivatives of rates add to a plane */
    ptd_term_list *leave; /* planes: rates into absorption times 2^-exit_scale, all in tile 0 */
    double *octets;       /* n_octets x 16: high parts, low parts */
    size_t n_octets, octet_capacity;
    int32_t *indices; /* sets of eight */
    size_t n_sets, set_capacity;

    int most_products;   /* of which a new value is the sum */
    double dropped;      /* a bound on rates left out, being too small for doubles, as share of q */
    double least_rate;   /* the least that is not 0, over q; of exits over the fastest */
    double fastest_exit; /* the largest rate into absorption times 2^-exit_scale: 1 to 2, or 0 */
    int exit_scale;
    double visits; /* work of a step: states and edges, by plane */
} ptd_tiles;

PTD_MUST_CHECK ptd_status ptd_tiles_create(const ptd_chain *chain, ptd_tiles *tiles,
                                           ptd_error *error);
/* Works after a failed create. */
void ptd_tiles_release(ptd_tiles *tiles);

#endif
