/* Tiles: grouping the edges of a chain by distance. See tiles.h. */
#include "tiles.h"

#include <string.h>

#include "grow.h"
#include "id_table.h"
#include "jet.h"
#include "sort.h"
#include "status.h"

/* A streamed term pays from so many lanes on where others are gathered anyway; a gathered term
 * costs as much as so many streamed ones. */
enum { STREAMED_LANES = 3, GATHERED_COST = 3 };

/* The chain's own order is kept unless it takes so many times the terms of the other: its octets
 * repeat more often, and its states lie side by side. */
static const double WORTH_SORTING = 1.2;

/* Smaller steps than this have no normal error terms: they are left out and accounted for. */
static const double SMALLEST = 0x1p-960;

typedef struct {
    int64_t source;
    int lane;
    ptd_double_double rate;
} product;

typedef struct {
    const ptd_chain *chain;
    ptd_tiles *tiles;
    ptd_id_table octet_table;
    ptd_double_double *rate; /* n_edges: over q */
    ptd_double_double *stay; /* n */
    uint32_t *state;         /* n: at a position */

    product *products; /* of the tile at hand */
    size_t n_products, product_capacity;
    uint64_t *keys;
    size_t key_capacity;
    uint32_t *rest; /* products that are gathered */
    size_t n_rest, rest_capacity;
} layout;

static int64_t place_of(const ptd_tiles *tiles, int plane, uint32_t state)
{
    return plane * tiles->stride + PTD_TILE + tiles->position[state];
}

static int add_product(layout *l, int plane, uint32_t from, int lane, ptd_double_double rate)
{
    if (!ptd_grow(&l->products, &l->product_capacity, l->n_products + 1, sizeof *l->products)) {
        return 0;
    }
    l->products[l->n_products++] = (product){place_of(l->tiles, plane, from), lane, rate};
    return 1;
}

/* The number of an octet that equals this one. */
static int find_octet(layout *l, const double octet[2 * PTD_TILE], uint32_t *number)
{
    ptd_tiles *tiles = l->tiles;
    const size_t length = 2 * PTD_TILE;
    uint64_t hash = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t bits;
        memcpy(&bits, &octet[i], sizeof bits);
        hash = ptd_hash_mix(hash, bits);
    }
    size_t place = PTD_ID_TABLE_BEGIN;
    while ((*number = ptd_id_table_next(&l->octet_table, hash, &place)) != PTD_NONE) {
        if (!memcmp(tiles->octets + *number * length, octet, length * sizeof *octet)) {
            return 1;
        }
    }
    if (tiles->n_octets >= PTD_NONE || !ptd_grow(&tiles->octets, &tiles->octet_capacity,
                                                 (tiles->n_octets + 1) * length, sizeof *octet)) {
        return 0;
    }
    *number = (uint32_t)tiles->n_octets++;
    memcpy(tiles->octets + *number * length, octet, length * sizeof *octet);
    return ptd_id_table_add(&l->octet_table, hash, *number);
}

static int add_term(layout *l, ptd_term_list *list, int64_t source, const double *octet)
{
    uint32_t number;
    if (!find_octet(l, octet, &number) || list->n_terms >= PTD_NONE ||
        !ptd_grow(&list->terms, &list->capacity, list->n_terms + 1, sizeof *list->terms)) {
        return 0;
    }
    list->terms[list->n_terms++] = (ptd_term){(int32_t)source, number};
    return 1;
}

/* Sorts the numbers of products by distance (source - lane), or by lane. */
static int sort_products(layout *l, const uint32_t *numbers, size_t count, int by_lane)
{
    if (!ptd_grow(&l->keys, &l->key_capacity, count, sizeof *l->keys)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const uint32_t number = numbers ? numbers[i] : (uint32_t)i;
        const product *p = &l->products[number];
        const uint64_t major = (uint64_t)(by_lane ? p->lane : p->source - p->lane);
        l->keys[i] = major << 32 | number;
    }
    ptd_sort_keys(l->keys, count);
    return 1;
}

/* The products from `*i` on, sorted, that one streamed term can take: of one distance, each lane
 * once. Returns how many. */
static size_t next_group(const layout *l, size_t *i)
{
    const uint64_t distance = l->keys[*i] >> 32;
    unsigned filled = 0;
    const size_t begin = *i;
    while (*i < l->n_products && l->keys[*i] >> 32 == distance) {
        const unsigned lane = 1u << l->products[(uint32_t)l->keys[*i]].lane;
        if (filled & lane) {
            break;
        }
        filled |= lane;
        (*i)++;
    }
    return *i - begin;
}

/* How many lanes make a group worth streaming: any number, where gathering all smaller groups would
 * cost as much. */
static size_t least_group(const layout *l)
{
    size_t groups = 0, of_lane[PTD_TILE] = {0}, most = 0;
    for (size_t i = 0; i < l->n_products;) {
        const size_t begin = i;
        if (next_group(l, &i) < STREAMED_LANES) {
            groups++;
            for (size_t k = begin; k < i; k++) {
                const size_t count = ++of_lane[l->products[(uint32_t)l->keys[k]].lane];
                most = count > most ? count : most;
            }
        }
    }
    return groups <= GATHERED_COST * most ? 1 : STREAMED_LANES;
}

/* Terms for groups of products at equal distance; those of small groups go to `rest`. */
static int stream(layout *l, ptd_term_list *list, int always, double *cost)
{
    l->n_rest = 0;
    if (!sort_products(l, NULL, l->n_products, 0) ||
        !ptd_grow(&l->rest, &l->rest_capacity, l->n_products, sizeof *l->rest)) {
        return 0;
    }
    const size_t least = always ? 1 : least_group(l);
    for (size_t i = 0; i < l->n_products;) {
        const size_t begin = i;
        const int streamed = next_group(l, &i) >= least;
        double octet[2 * PTD_TILE] = {0};
        for (size_t k = begin; k < i; k++) {
            const product *p = &l->products[(uint32_t)l->keys[k]];
            octet[p->lane] = p->rate.high;
            octet[PTD_TILE + p->lane] = p->rate.low;
            if (!streamed) {
                l->rest[l->n_rest++] = (uint32_t)l->keys[k];
            }
        }
        *cost += streamed;
        if (streamed && list && !add_term(l, list, (int64_t)(l->keys[begin] >> 32), octet)) {
            return 0;
        }
    }
    return 1;
}

/* The g-th gathered term takes the g-th product that is left of each lane. */
static int gather(layout *l, ptd_term_list *list, double *cost)
{
    ptd_tiles *tiles = l->tiles;
    size_t at[PTD_TILE + 1] = {0};
    size_t most = 0;
    if (!sort_products(l, l->rest, l->n_rest, 1)) {
        return 0;
    }
    for (size_t i = 0; i < l->n_rest; i++) {
        at[(l->keys[i] >> 32) + 1]++;
    }
    for (int lane = 0; lane < PTD_TILE; lane++) {
        most = at[lane + 1] > most ? at[lane + 1] : most;
        at[lane + 1] += at[lane];
    }
    *cost += GATHERED_COST * (double)most;
    for (size_t g = 0; list && g < most; g++) {
        double octet[2 * PTD_TILE] = {0};
        if (!ptd_grow(&tiles->indices, &tiles->set_capacity, (tiles->n_sets + 1) * PTD_TILE,
                      sizeof *tiles->indices)) {
            return 0;
        }
        int32_t *indices = tiles->indices + tiles->n_sets * PTD_TILE;
        for (int lane = 0; lane < PTD_TILE; lane++) {
            indices[lane] = 0; /* the margin, which is 0 */
            if (at[lane] + g < at[lane + 1]) {
                const product *p = &l->products[(uint32_t)l->keys[at[lane] + g]];
                indices[lane] = (int32_t)p->source;
                octet[lane] = p->rate.high;
                octet[PTD_TILE + lane] = p->rate.low;
            }
        }
        if (!add_term(l, list, (int64_t)tiles->n_sets++, octet)) {
            return 0;
        }
    }
    return 1;
}

/* Products of the values' own step: staying and edges. */
static int collect_step(layout *l, uint32_t state, int lane)
{
    const ptd_chain *chain = l->chain;
    if (l->stay[state].high > 0 && !add_product(l, 0, state, lane, l->stay[state])) {
        return 0;
    }
    for (uint32_t e = chain->in_start[state]; e < chain->in_start[state + 1]; e++) {
        if (l->rate[e].high > 0 && !add_product(l, 0, chain->in_from[e], lane, l->rate[e])) {
            return 0;
        }
    }
    return 1;
}

/* Of the product of two jets, what plane `c` takes from the first's planes times derivatives of the
 * second: at most three pairs. */
static int cross_pairs(const ptd_chain *chain, int c, int planes[3], int derivatives[3])
{
    const int P = chain->n_parameters;
    planes[0] = 0;
    derivatives[0] = c;
    if (c <= P) {
        return 1;
    }
    int k = 1 + P;
    for (int p = 1; p <= P; p++) {
        for (int q = p; q <= P; q++, k++) {
            if (k == c) {
                planes[1] = derivatives[2] = p;
                planes[2] = derivatives[1] = q;
            }
        }
    }
    return 3;
}

/* What plane `c` takes from `from` by a rate that is the jet `rate` times `scale`. */
static int collect_cross(layout *l, int c, uint32_t from, int lane, const double *rate,
                         double scale)
{
    int planes[3], derivatives[3];
    const int pairs = cross_pairs(l->chain, c, planes, derivatives);
    for (int k = 0; k < pairs; k++) {
        const ptd_double_double derivative = {rate[derivatives[k]] * scale, 0};
        if (derivative.high != 0 && !add_product(l, planes[k], from, lane, derivative)) {
            return 0;
        }
    }
    return 1;
}

static int collect_step_cross(layout *l, int c, uint32_t state, int lane)
{
    const ptd_chain *chain = l->chain;
    const size_t jets = (size_t)chain->jets;
    const double *stay = chain->discrete ? chain->stay : chain->out;
    const double scale = 1 / l->tiles->fastest.high;
    if (!collect_cross(l, c, state, lane, stay + state * jets, chain->discrete ? 1 : -scale)) {
        return 0;
    }
    for (uint32_t e = chain->in_start[state]; e < chain->in_start[state + 1]; e++) {
        if (!collect_cross(l, c, chain->in_from[e], lane, chain->in_rate + e * jets, scale)) {
            return 0;
        }
    }
    return 1;
}

static int collect_leave(layout *l, int c, uint32_t state, int lane)
{
    const double *exit = l->chain->exit + (size_t)state * (size_t)l->chain->jets;
    const double rate = ldexp(exit[0], -l->tiles->exit_scale);
    if (rate > 0 && !add_product(l, c, state, lane, (ptd_double_double){rate, 0})) {
        return 0;
    }
    return c == 0 || collect_cross(l, c, state, lane, exit, exp2(-l->tiles->exit_scale));
}

typedef enum { STEP, CROSS, LEAVE } part;

static int lay_tile(layout *l, part which, int c, uint32_t tile, ptd_term_list *list, double *cost)
{
    const int64_t end = l->tiles->n;
    l->n_products = 0;
    for (int lane = 0; lane < PTD_TILE && (int64_t)tile * PTD_TILE + lane < end; lane++) {
        const uint32_t state = l->state[(size_t)tile * PTD_TILE + (size_t)lane];
        const int done = which == STEP    ? collect_step(l, state, lane)
                         : which == CROSS ? collect_step_cross(l, c, state, lane)
                                          : collect_leave(l, c, state, lane);
        if (!done) {
            return 0;
        }
    }
    if (!stream(l, list, which == LEAVE, cost)) {
        return 0;
    }
    if (list && list->gathered) {
        list->gathered[tile] = (uint32_t)list->n_terms;
    }
    return gather(l, list, cost);
}

/* Steps have their terms by tile; what leaves is one sum. */
static int lay_out(layout *l, part which, int c, ptd_term_list *list)
{
    const uint32_t n_tiles = l->tiles->n_tiles;
    double cost = 0;
    if (which != LEAVE) {
        list->first = ptd_allocate((size_t)n_tiles + 1, sizeof *list->first);
        list->gathered = ptd_allocate(n_tiles, sizeof *list->gathered);
        if (!list->first || !list->gathered) {
            return 0;
        }
    }
    for (uint32_t tile = 0; tile < n_tiles; tile++) {
        if (which != LEAVE) {
            list->first[tile] = (uint32_t)list->n_terms;
        }
        if (!lay_tile(l, which, c, tile, list, &cost)) {
            return 0;
        }
    }
    if (which != LEAVE) {
        list->first[n_tiles] = (uint32_t)list->n_terms;
    }
    return 1;
}

static int cost_of_order(layout *l, double *cost)
{
    *cost = 0;
    for (uint32_t tile = 0; tile < l->tiles->n_tiles; tile++) {
        if (!lay_tile(l, STEP, 0, tile, NULL, cost)) {
            return 0;
        }
    }
    return 1;
}

static void order_by_number(layout *l)
{
    for (uint32_t s = 0; s < l->tiles->n; s++) {
        l->state[s] = l->tiles->position[s] = s;
    }
}

/* Tiles of equal degree waste no lane of a gathered term. */
static int order_by_degree(layout *l)
{
    const ptd_chain *chain = l->chain;
    uint64_t *keys = ptd_allocate((size_t)chain->n, sizeof *keys);
    if (!keys) {
        return 0;
    }
    for (uint32_t s = 0; s < chain->n; s++) {
        const uint32_t degree = chain->in_start[s + 1] - chain->in_start[s];
        keys[s] = (uint64_t)(PTD_NONE - degree) << 32 | s;
    }
    ptd_sort_keys(keys, (size_t)chain->n);
    for (uint32_t s = 0; s < chain->n; s++) {
        l->state[s] = (uint32_t)keys[s];
        l->tiles->position[l->state[s]] = s;
    }
    ptd_release(keys);
    return 1;
}

static int choose_order(layout *l)
{
    double by_number, by_degree;
    order_by_number(l);
    if (!cost_of_order(l, &by_number) || !order_by_degree(l) || !cost_of_order(l, &by_degree)) {
        return 0;
    }
    if (by_number <= WORTH_SORTING * by_degree) {
        order_by_number(l);
    }
    return 1;
}

static void keep_or_drop(ptd_tiles *tiles, ptd_double_double *rate, double given)
{
    if (rate->high >= SMALLEST) {
        tiles->least_rate = fmin(tiles->least_rate, rate->high);
    } else if (given > 0) {
        tiles->dropped += fmax(rate->high, 0x1p-1022);
        *rate = (ptd_double_double){0, 0};
    }
}

static ptd_double_double leaving(const ptd_chain *chain, int64_t s)
{
    return ptd_two_sum(chain->out[s * chain->jets], chain->out_low[s]);
}

/* The largest rate of leaving. */
static ptd_double_double fastest(const ptd_chain *chain)
{
    ptd_double_double most = {0, 0};
    for (int64_t s = 0; s < chain->n; s++) {
        const ptd_double_double out = leaving(chain, s);
        if (out.high > most.high || (out.high == most.high && out.low > most.low)) {
            most = out;
        }
    }
    return most.high > 0 ? most : (ptd_double_double){1, 0};
}

/* The probability of staying: 1 - out / q, where that is not merely the rounding of sums. */
static ptd_double_double staying(const ptd_chain *chain, int64_t s, ptd_double_double q)
{
    if (chain->discrete) {
        return ptd_two_sum(chain->stay[s * chain->jets], chain->stay_low[s]);
    }
    const ptd_double_double rest = ptd_dd_subtract(q, leaving(chain, s));
    return rest.high > 0x1p-100 * q.high ? ptd_dd_divide(rest, q) : (ptd_double_double){0, 0};
}

/* Brings rates into absorption close to 1: times the values of a sweep, which are large, they might
 * leave the range of doubles. */
static void scale_exits(layout *l)
{
    ptd_tiles *tiles = l->tiles;
    const size_t jets = (size_t)l->chain->jets;
    if (!(tiles->fastest_exit > 0)) {
        return;
    }
    tiles->exit_scale = ilogb(tiles->fastest_exit);
    tiles->fastest_exit = ldexp(tiles->fastest_exit, -tiles->exit_scale);
    for (int64_t s = 0; s < l->chain->n; s++) {
        const double exit = l->chain->exit[(size_t)s * jets];
        if (exit > 0) {
            tiles->least_rate =
                fmin(tiles->least_rate, fmax(ldexp(exit, -tiles->exit_scale), 0x1p-1022));
        }
    }
}

/* P as double-doubles. */
static void divide_by_fastest(layout *l)
{
    const ptd_chain *chain = l->chain;
    ptd_tiles *tiles = l->tiles;
    const size_t jets = (size_t)chain->jets;
    tiles->least_rate = 1;
    tiles->fastest = chain->discrete ? (ptd_double_double){1, 0} : fastest(chain);
    for (int64_t e = 0; e < chain->n_edges; e++) {
        const double given = chain->in_rate[(size_t)e * jets];
        l->rate[e] = ptd_dd_divide(ptd_two_sum(given, chain->in_low[e]), tiles->fastest);
        keep_or_drop(tiles, &l->rate[e], given);
    }
    for (int64_t s = 0; s < chain->n; s++) {
        l->stay[s] = staying(chain, s, tiles->fastest);
        keep_or_drop(tiles, &l->stay[s], l->stay[s].high);
        const int products = (int)(chain->in_start[s + 1] - chain->in_start[s]) + 1;
        tiles->most_products = products > tiles->most_products ? products : tiles->most_products;
        tiles->fastest_exit = fmax(tiles->fastest_exit, chain->exit[(size_t)s * jets]);
    }
    scale_exits(l);
}

static int lay_out_all(layout *l)
{
    ptd_tiles *tiles = l->tiles;
    if (!choose_order(l) || !lay_out(l, STEP, 0, &tiles->step)) {
        return 0;
    }
    for (int c = 0; c < tiles->planes; c++) {
        if ((c > 0 && !lay_out(l, CROSS, c, &tiles->cross[c])) ||
            !lay_out(l, LEAVE, c, &tiles->leave[c])) {
            return 0;
        }
    }
    return 1;
}

ptd_status ptd_tiles_create(const ptd_chain *chain, ptd_tiles *tiles, ptd_error *error)
{
    const size_t n = (size_t)chain->n;
    layout l = {.chain = chain, .tiles = tiles};
    ptd_status status = PTD_OK;
    memset(tiles, 0, sizeof *tiles);
    tiles->n = chain->n;
    tiles->planes = chain->jets;
    tiles->n_tiles = (uint32_t)((n + PTD_TILE - 1) / PTD_TILE);
    tiles->stride = ((int64_t)tiles->n_tiles + 2) * PTD_TILE;
    tiles->visits = (double)(chain->n + chain->n_edges) * chain->jets;
    if ((double)tiles->stride * chain->jets > (double)INT32_MAX) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)tiles->stride * chain->jets * 8);
    }
    tiles->position = ptd_allocate(n, sizeof *tiles->position);
    tiles->cross = ptd_allocate_zero((size_t)chain->jets, sizeof *tiles->cross);
    tiles->leave = ptd_allocate_zero((size_t)chain->jets, sizeof *tiles->leave);
    l.state = ptd_allocate(n, sizeof *l.state);
    l.rate = ptd_allocate((size_t)chain->n_edges, sizeof *l.rate);
    l.stay = ptd_allocate(n, sizeof *l.stay);
    if (!tiles->position || !tiles->cross || !tiles->leave || !l.state || !l.rate || !l.stay) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)n);
        goto out;
    }
    divide_by_fastest(&l);
    if (!lay_out_all(&l)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)chain->n_edges);
    }
out:
    ptd_id_table_destroy(&l.octet_table);
    ptd_release(l.rate);
    ptd_release(l.stay);
    ptd_release(l.state);
    ptd_release(l.products);
    ptd_release(l.keys);
    ptd_release(l.rest);
    return status;
}

static void release_list(ptd_term_list *list)
{
    ptd_release(list->first);
    ptd_release(list->gathered);
    ptd_release(list->terms);
}

void ptd_tiles_release(ptd_tiles *tiles)
{
    release_list(&tiles->step);
    for (int c = 0; c < tiles->planes; c++) {
        if (tiles->cross) {
            release_list(&tiles->cross[c]);
        }
        if (tiles->leave) {
            release_list(&tiles->leave[c]);
        }
    }
    ptd_release(tiles->cross);
    ptd_release(tiles->leave);
    ptd_release(tiles->position);
    ptd_release(tiles->octets);
    ptd_release(tiles->indices);
    memset(tiles, 0, sizeof *tiles);
}
