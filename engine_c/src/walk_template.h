/* Walk template: the loop of walk.h for one instruction set. Included by kernel_set.h with WIDTH,
 * the words of a native vector, defined; no include guard.
 *
 * WALKERS paths are under way at once. A round draws the next block of each, in vectors, and then
 * moves each by one vertex, where the lanes hide each other's waiting for memory. A path that ends
 * makes room for the next number; the first live lanes are in use. */
#define RANDOM(name) lanes_##name
#include "random_template.h"

enum { WALKERS = 32, AHEAD = 64 };

/* Paths under way, one a lane. */
typedef struct {
    uint64_t number[WALKERS]; /* of the path */
    uint64_t step[WALKERS];   /* which block is next */
    uint64_t way[WALKERS];    /* the words of this round */
    double stay[WALKERS];
    double value[WALKERS]; /* the time so far; without use where there are rewards */
    uint32_t position[WALKERS];
} __attribute__((aligned(64))) lanes;

/* Paths that have left the start and wait for a lane. */
typedef struct {
    uint64_t next; /* number of the first one */
    uint32_t taken, ready;
    uint32_t position[AHEAD];
} departures;

static void depart(const ptd_walk_chain *chain, const ptd_walk_order *order, departures *waiting)
{
    const ptd_walk_vertex *start = &chain->vertex[chain->n - 1];
    const uint64_t left = order->first + order->count - (waiting->next + waiting->ready);
    waiting->next += waiting->ready;
    waiting->ready = left < AHEAD ? (uint32_t)left : AHEAD;
    waiting->taken = 0;
    for (uint32_t k = 0; k < waiting->ready; k += WIDTH) {
        lanes_words number = {0}, block[2];
        for (int c = 0; c < WIDTH; c++) {
            number[c] = waiting->next + k + (uint64_t)c;
        }
        if (start->count > 1) {
            lanes_block(order->seed, number, (lanes_words){0}, block);
        } else {
            block[1] = (lanes_words){0};
        }
        for (int c = 0; c < WIDTH; c++) {
            waiting->position[k + (uint32_t)c] = ptd_walk_on(chain, start, block[1][c]);
        }
    }
}

/* Writes the path of `number` down, which has come to its end. */
static inline int arrive(const ptd_walk_chain *chain, const ptd_walk_order *order, uint64_t number,
                         uint32_t position, double time)
{
    const uint64_t row = number - order->first;
    const int absorbed = position < chain->n_absorbing;
    int finite = 1;
    if (order->final_vertex) {
        order->final_vertex[row] = chain->end[position];
    }
    if (!order->rewards) {
        order->values[row] = absorbed ? time : (double)INFINITY;
        return time <= DBL_MAX;
    }
    double *value = order->values + row * order->n_rewards;
    const double *reward = order->rewards + position * order->n_rewards;
    for (uint64_t r = 0; r < order->n_rewards; r++) {
        finite &= value[r] <= DBL_MAX;
        value[r] += reward[r];
    }
    return finite;
}

/* Puts the next path that has a vertex to pass into `lane`; 0 where there is none left. */
static int enter(const ptd_walk_chain *chain, const ptd_walk_order *order, departures *waiting,
                 lanes *z, int lane, int *finite)
{
    for (;;) {
        if (waiting->taken == waiting->ready) {
            depart(chain, order, waiting);
            if (waiting->ready == 0) {
                return 0;
            }
        }
        const uint64_t number = waiting->next + waiting->taken;
        const uint32_t position = waiting->position[waiting->taken++];
        double *value = order->values + (number - order->first) * order->n_rewards;
        for (uint64_t r = 0; order->rewards && r < order->n_rewards; r++) {
            value[r] = 0;
        }
        if (position >= chain->n_boundary) {
            z->number[lane] = number;
            z->step[lane] = 1;
            z->value[lane] = 0;
            z->position[lane] = position;
            return 1;
        }
        *finite &= arrive(chain, order, number, position, 0);
    }
}

/* In two loops: the steps of a word, and those of a logarithm, wait for each other, and the
 * processor does those of several vectors at once only where these are near. */
static inline void draw(const ptd_walk_order *order, lanes *z, int live)
{
    uint64_t time[WALKERS] __attribute__((aligned(64)));
    for (int lane = 0; lane < live; lane += WIDTH) {
        lanes_words *step = (lanes_words *)&z->step[lane];
        lanes_words block[2];
        lanes_block(order->seed, *(lanes_words *)&z->number[lane], *step, block);
        *step += 1;
        *(lanes_words *)&time[lane] = block[0];
        *(lanes_words *)&z->way[lane] = block[1];
    }
    for (int lane = 0; lane < live; lane += WIDTH) {
        const lanes_reals uniform = lanes_uniform(*(lanes_words *)&time[lane]);
        *(lanes_reals *)&z->stay[lane] = lanes_minus_log(uniform);
    }
}

static inline void move_lane(lanes *z, int from, int to)
{
    z->number[to] = z->number[from];
    z->step[to] = z->step[from];
    z->way[to] = z->way[from];
    z->stay[to] = z->stay[from];
    z->value[to] = z->value[from];
    z->position[to] = z->position[from];
}

static int walk(const ptd_walk_chain *chain, const ptd_walk_order *order)
{
    lanes z = {0};
    departures waiting = {.next = order->first};
    int live = 0;
    int finite = 1;
    while (live < WALKERS && enter(chain, order, &waiting, &z, live, &finite)) {
        live++;
    }
    while (live > 0) {
        draw(order, &z, live);
        for (int lane = 0; lane < live;) {
            const uint32_t here = z.position[lane];
            const ptd_walk_vertex *vertex = &chain->vertex[here];
            const double stay = ptd_walk_stay(chain, vertex, z.stay[lane]);
            const uint32_t next = ptd_walk_on(chain, vertex, z.way[lane]);
            if (order->rewards) {
                double *value = order->values + (z.number[lane] - order->first) * order->n_rewards;
                const double *reward = order->rewards + here * order->n_rewards;
                for (uint64_t r = 0; r < order->n_rewards; r++) {
                    value[r] += stay * reward[r];
                }
            } else {
                z.value[lane] += stay;
            }
            z.position[lane] = next;
            if (next < chain->n_boundary) {
                finite &= arrive(chain, order, z.number[lane], next, z.value[lane]);
                if (!enter(chain, order, &waiting, &z, lane, &finite)) {
                    /* The last lane takes its place, and this one's turn: it is not moved yet. */
                    move_lane(&z, --live, lane);
                    continue;
                }
            }
            lane++;
        }
    }
    return finite;
}
