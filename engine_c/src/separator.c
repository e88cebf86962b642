/* Vertex separators by the multilevel method (B. Hendrickson and E. Rothberg, Improving the run
 * time and quality of nested dissection ordering, SIAM J. Sci. Comput. 20, 1998; G. Karypis and V.
 * Kumar, A fast and high quality multilevel scheme for partitioning irregular graphs, same journal,
 * 1998).
 *
 * The graph is coarsened by joining the ends of heavy edges until it is small; there regions are
 * grown from several vertices; the best separator is carried back up and improved on every level by
 * moving its vertices to one side, which pulls their neighbours on the other side into it (C. M.
 * Fiduccia and R. M. Mattheyses, A linear-time heuristic for improving network partitions, 1982).
 */
#include "separator.h"

#include <string.h>

#include "heap.h"
#include "memory.h"
#include "status.h"

enum {
    NONE = -1,
    MAX_LEVELS = 64,
    COARSEST = 100,
    MAX_PASSES = 10,
    GROWN_REGIONS = 7,
};

/* ---- random numbers: xorshift64*, the same on every machine */

static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    uint64_t high = (*state * 2685821657736338717u) >> 32;
    return (uint32_t)(high * below >> 32);
}

/* ---- a graph in three parts */

typedef struct {
    const ptd_weighted_graph *graph;
    uint8_t *side;
    int32_t weight[3];
    int32_t most;       /* that a side may weigh */
    int32_t *beside[2]; /* of a separator's vertex: weight of its neighbours on a side */
    ptd_heap queues[2]; /* the separator's vertices by gain of moving to a side */
    int32_t clock;      /* of entries into the queues */
    uint8_t *is_locked; /* has moved in this pass */
    int32_t *member;    /* the separator, with some that have left it */
    int32_t n_members;
    uint8_t *is_member;
    int32_t *moved;      /* moves of a pass, in order .. */
    int32_t *pulled;     /* .. with what each pulled into the separator */
    int32_t *pulled_end; /* by move */
    int64_t work;
} parts;

/* Lower is better: the separator's weight, raised where the sides are uneven, and far above all
 * even ones where a side weighs too much. */
static int64_t score(const parts *p)
{
    int64_t total = p->graph->total;
    int64_t difference = p->weight[0] - p->weight[1];
    int64_t heavier = difference < 0 ? p->weight[1] : p->weight[0];
    difference = difference < 0 ? -difference : difference;
    int64_t result = (int64_t)p->weight[PTD_SEPARATOR] * (4 * total + difference) + difference / 4;
    if (heavier > p->most) {
        result += (heavier - p->most) * 8 * total;
    }
    return result;
}

static int32_t gain(const parts *p, int32_t v, int to)
{
    return p->graph->weight[v] - p->beside[1 - to][v];
}

/* The greatest gain first; of equal gains the last one entered, which keeps moves together. */
static void enqueue(parts *p, int32_t v, int to)
{
    int64_t key = -(int64_t)gain(p, v, to) * ((int64_t)1 << 32) - p->clock++;
    ptd_heap_set(&p->queues[to], v, key);
}

static void clear_queues(parts *p)
{
    ptd_heap_clear(&p->queues[0]);
    ptd_heap_clear(&p->queues[1]);
    p->clock = 0;
}

static void become_member(parts *p, int32_t v)
{
    if (!p->is_member[v]) {
        p->is_member[v] = 1;
        p->member[p->n_members++] = v;
    }
}

/* The vertex beside the separator's neighbours of v weighs more (or less) from now on. */
static void change_beside(parts *p, int32_t v, int side, int32_t change)
{
    p->beside[side][v] += change;
    if (ptd_heap_has(&p->queues[1 - side], v)) {
        enqueue(p, v, 1 - side);
    }
}

static void leave_separator(parts *p, int32_t v, int to)
{
    const ptd_weighted_graph *g = p->graph;
    p->side[v] = (uint8_t)to;
    p->weight[PTD_SEPARATOR] -= g->weight[v];
    p->weight[to] += g->weight[v];
    for (int32_t e = g->start[v]; e < g->start[v + 1]; e++) {
        if (p->side[g->neighbour[e]] == PTD_SEPARATOR) {
            change_beside(p, g->neighbour[e], to, g->weight[v]);
        }
    }
    p->work += g->start[v + 1] - g->start[v];
}

static void enter_separator(parts *p, int32_t v)
{
    const ptd_weighted_graph *g = p->graph;
    int from = p->side[v];
    int32_t beside[3] = {0, 0, 0};
    p->side[v] = PTD_SEPARATOR;
    p->weight[from] -= g->weight[v];
    p->weight[PTD_SEPARATOR] += g->weight[v];
    for (int32_t e = g->start[v]; e < g->start[v + 1]; e++) {
        int32_t k = g->neighbour[e];
        beside[p->side[k]] += g->weight[k];
        if (p->side[k] == PTD_SEPARATOR) {
            change_beside(p, k, from, -g->weight[v]);
        }
    }
    p->beside[0][v] = beside[0];
    p->beside[1][v] = beside[1];
    become_member(p, v);
    p->work += g->start[v + 1] - g->start[v];
}

/* Weights, members and what lies beside them, from `side` alone. */
static void measure(parts *p)
{
    const ptd_weighted_graph *g = p->graph;
    memset(p->weight, 0, sizeof p->weight);
    p->n_members = 0;
    for (int32_t v = 0; v < g->n; v++) {
        p->weight[p->side[v]] += g->weight[v];
        p->is_member[v] = 0;
        p->is_locked[v] = 0;
        if (p->side[v] != PTD_SEPARATOR) {
            continue;
        }
        int32_t beside[3] = {0, 0, 0};
        for (int32_t e = g->start[v]; e < g->start[v + 1]; e++) {
            beside[p->side[g->neighbour[e]]] += g->weight[g->neighbour[e]];
        }
        p->beside[0][v] = beside[0];
        p->beside[1][v] = beside[1];
        become_member(p, v);
        p->work += g->start[v + 1] - g->start[v];
    }
}

/* ---- moves */

/* Moves v to a side; returns how many it pulled, which are written to `pulled`. */
static int32_t move(parts *p, int32_t v, int to, int32_t *pulled)
{
    const ptd_weighted_graph *g = p->graph;
    int32_t n_pulled = 0;
    for (int side = 0; side < 2; side++) {
        if (ptd_heap_has(&p->queues[side], v)) {
            ptd_heap_remove(&p->queues[side], v);
        }
    }
    leave_separator(p, v, to);
    for (int32_t e = g->start[v]; e < g->start[v + 1]; e++) {
        int32_t k = g->neighbour[e];
        if (p->side[k] == 1 - to) {
            enter_separator(p, k);
            pulled[n_pulled++] = k;
            if (!p->is_locked[k]) {
                enqueue(p, k, 0);
                enqueue(p, k, 1);
            }
        }
    }
    return n_pulled;
}

static void undo(parts *p, int32_t v, int to, const int32_t *pulled, int32_t n_pulled)
{
    while (n_pulled > 0) {
        leave_separator(p, pulled[--n_pulled], 1 - to);
    }
    enter_separator(p, v);
}

/* The side to move a vertex to: greater gain, then the lighter side. NONE: no move is allowed. */
static int choose_side(const parts *p)
{
    int choice = NONE;
    int32_t best = 0;
    int lighter = p->weight[1] < p->weight[0];
    for (int k = 0; k < 2; k++) {
        int to = k == 0 ? lighter : 1 - lighter;
        const ptd_heap *q = &p->queues[to];
        if (q->size == 0) {
            continue;
        }
        int32_t v = q->item[0];
        if (to != lighter && p->weight[to] + p->graph->weight[v] > p->most) {
            continue;
        }
        if (choice == NONE || gain(p, v, to) > best) {
            choice = to;
            best = gain(p, v, to);
        }
    }
    return choice;
}

static void start_pass(parts *p)
{
    int32_t kept = 0;
    for (int32_t k = 0; k < p->n_members; k++) {
        int32_t v = p->member[k];
        if (p->side[v] == PTD_SEPARATOR) {
            p->member[kept++] = v;
        } else {
            p->is_member[v] = 0;
        }
    }
    p->n_members = kept;
    for (int32_t k = 0; k < kept; k++) {
        enqueue(p, p->member[k], 0);
        enqueue(p, p->member[k], 1);
    }
}

/* Moves each vertex at most once, on through worse states for a while, and returns to the best
 * state seen. Whether it is better than the one before. */
static int improve_once(parts *p)
{
    int64_t first = score(p);
    int64_t best = first;
    int32_t n_moves = 0;
    int32_t n_kept = 0;
    int32_t n_pulled = 0;
    start_pass(p);
    int32_t patience = p->n_members < 25 ? 50 : p->n_members < 150 ? 2 * p->n_members : 300;
    while (n_moves - n_kept <= patience) {
        int to = choose_side(p);
        if (to == NONE) {
            break;
        }
        int32_t v = p->queues[to].item[0];
        n_pulled += move(p, v, to, p->pulled + n_pulled);
        p->is_locked[v] = 1;
        p->pulled_end[n_moves] = n_pulled;
        p->moved[n_moves++] = v;
        if (score(p) < best) {
            best = score(p);
            n_kept = n_moves;
        }
    }
    clear_queues(p);
    for (int32_t k = 0; k < n_moves; k++) {
        p->is_locked[p->moved[k]] = 0;
    }
    while (n_moves > n_kept) {
        n_moves--;
        int32_t from = n_moves > 0 ? p->pulled_end[n_moves - 1] : 0;
        int32_t v = p->moved[n_moves];
        undo(p, v, p->side[v], p->pulled + from, p->pulled_end[n_moves] - from);
    }
    return best < first;
}

static void improve(parts *p)
{
    for (int pass = 0; pass < MAX_PASSES && improve_once(p); pass++) {
    }
}

/* The first side grows from a vertex until it is as heavy as the second. */
static void grow(parts *p, int32_t first)
{
    const ptd_weighted_graph *g = p->graph;
    memset(p->side, PTD_SECOND_SIDE, (size_t)g->n);
    measure(p);
    int32_t unseen = 0;
    while (p->weight[0] < p->weight[1]) {
        if (p->queues[0].size == 0) {
            int32_t v = first;
            while (p->side[v] != PTD_SECOND_SIDE) {
                v = unseen++;
            }
            enter_separator(p, v);
            enqueue(p, v, PTD_FIRST_SIDE);
        }
        move(p, p->queues[0].item[0], PTD_FIRST_SIDE, p->pulled);
    }
    clear_queues(p);
}

/* ---- coarser graphs */

typedef struct {
    ptd_weighted_graph graph; /* level 0: the caller's arrays */
    int32_t *coarse;          /* vertex of the next level that each vertex is part of */
    uint8_t *side;
} level;

static void release_level(level *l, int owns_graph)
{
    if (owns_graph) {
        ptd_release(l->graph.start);
        ptd_release(l->graph.neighbour);
        ptd_release(l->graph.joint);
        ptd_release(l->graph.weight);
    }
    ptd_release(l->coarse);
    ptd_release(l->side);
    *l = (level){0};
}

/* A random order in which vertices of few neighbours come first. */
static void visiting_order(const ptd_weighted_graph *g, uint64_t *random, int32_t *order,
                           int32_t *scratch)
{
    enum { CAP = 15 };
    int32_t next[CAP + 2] = {0};
    int32_t cap = g->start[g->n] / g->n * 7 / 10;
    cap = cap < CAP ? cap : CAP;
    for (int32_t v = 0; v < g->n; v++) {
        int32_t k = (int32_t)draw(random, (uint32_t)v + 1);
        int32_t degree = g->start[v + 1] - g->start[v];
        scratch[v] = scratch[k];
        scratch[k] = v;
        next[(degree < cap ? degree : cap) + 1]++;
    }
    for (int32_t d = 0; d < cap; d++) {
        next[d + 1] += next[d];
    }
    for (int32_t k = 0; k < g->n; k++) {
        int32_t degree = g->start[scratch[k] + 1] - g->start[scratch[k]];
        order[next[degree < cap ? degree : cap]++] = scratch[k];
    }
}

/* Joins each vertex to the free neighbour behind its heaviest edge. coarse[v] receives the number
 * of v's pair; returns how many pairs and single vertices there are. */
static int32_t match(const ptd_weighted_graph *g, uint64_t *random, int32_t *coarse, int32_t *order,
                     int32_t *partner)
{
    int32_t most = g->total / COARSEST + g->total / COARSEST / 2 + 1;
    visiting_order(g, random, order, partner);
    for (int32_t v = 0; v < g->n; v++) {
        partner[v] = NONE;
    }
    for (int32_t k = 0; k < g->n; k++) {
        int32_t v = order[k];
        if (partner[v] != NONE) {
            continue;
        }
        int32_t best = v;
        int32_t best_joint = 0;
        for (int32_t e = g->start[v]; e < g->start[v + 1]; e++) {
            int32_t u = g->neighbour[e];
            if (partner[u] == NONE && g->joint[e] > best_joint &&
                g->weight[u] + g->weight[v] <= most) {
                best = u;
                best_joint = g->joint[e];
            }
        }
        partner[v] = best;
        partner[best] = v;
    }
    int32_t n = 0;
    for (int32_t v = 0; v < g->n; v++) {
        coarse[v] = partner[v] < v ? coarse[partner[v]] : n++;
    }
    return n;
}

/* The graph of pairs; parallel edges are joined. `place`: one for each pair. */
static int contract(const ptd_weighted_graph *fine, const int32_t *coarse, int32_t n,
                    const int32_t *partner, int32_t *place, ptd_weighted_graph *into)
{
    size_t entries = (size_t)fine->start[fine->n];
    into->n = n;
    into->total = fine->total;
    into->start = ptd_allocate((size_t)n + 1, sizeof *into->start);
    into->neighbour = ptd_allocate(entries, sizeof *into->neighbour);
    into->joint = ptd_allocate(entries, sizeof *into->joint);
    into->weight = ptd_allocate((size_t)n, sizeof *into->weight);
    if (!into->start || !into->neighbour || !into->joint || !into->weight) {
        return 0;
    }
    for (int32_t c = 0; c < n; c++) {
        place[c] = NONE;
    }
    int32_t used = 0;
    into->start[0] = 0;
    for (int32_t v = 0; v < fine->n; v++) {
        if (partner[v] < v) {
            continue;
        }
        int32_t self = coarse[v];
        int32_t first = used;
        into->weight[self] = 0;
        for (int32_t u = v;; u = partner[v]) {
            into->weight[self] += fine->weight[u];
            for (int32_t e = fine->start[u]; e < fine->start[u + 1]; e++) {
                int32_t c = coarse[fine->neighbour[e]];
                if (c == self) {
                    continue;
                }
                if (place[c] < first) {
                    place[c] = used;
                    into->neighbour[used] = c;
                    into->joint[used++] = fine->joint[e];
                } else {
                    into->joint[place[c]] += fine->joint[e];
                }
            }
            if (u == partner[v]) {
                break;
            }
        }
        into->start[self + 1] = used;
    }
    return 1;
}

/* ---- all levels */

typedef struct {
    level levels[MAX_LEVELS];
    int32_t n_levels;
    parts parts;
    int32_t *scratch[3];
    uint8_t *best_side;
} multilevel;

static int allocate(multilevel *m, const ptd_weighted_graph *graph)
{
    size_t n = (size_t)graph->n;
    parts *p = &m->parts;
    for (int k = 0; k < 2; k++) {
        ptd_heap *q = &p->queues[k];
        q->key = ptd_allocate(n, sizeof *q->key);
        q->item = ptd_allocate(n, sizeof *q->item);
        q->position = ptd_allocate(n, sizeof *q->position);
        p->beside[k] = ptd_allocate(n, sizeof *p->beside[k]);
        if (!q->key || !q->item || !q->position || !p->beside[k]) {
            return 0;
        }
        for (size_t v = 0; v < n; v++) {
            q->position[v] = PTD_HEAP_ABSENT;
        }
    }
    p->is_locked = ptd_allocate(n, sizeof *p->is_locked);
    p->is_member = ptd_allocate(n, sizeof *p->is_member);
    p->member = ptd_allocate(n, sizeof *p->member);
    p->moved = ptd_allocate(n, sizeof *p->moved);
    p->pulled = ptd_allocate(2 * n, sizeof *p->pulled);
    p->pulled_end = ptd_allocate(n, sizeof *p->pulled_end);
    m->best_side = ptd_allocate(n, sizeof *m->best_side);
    for (int k = 0; k < 3; k++) {
        m->scratch[k] = ptd_allocate(n, sizeof *m->scratch[k]);
    }
    m->levels[0].graph = *graph;
    m->levels[0].side = ptd_allocate(n, sizeof *m->levels[0].side);
    m->levels[0].coarse = ptd_allocate(n, sizeof *m->levels[0].coarse);
    return p->is_locked && p->is_member && p->member && p->moved && p->pulled && p->pulled_end &&
           m->best_side && m->scratch[0] && m->scratch[1] && m->scratch[2] && m->levels[0].side &&
           m->levels[0].coarse;
}

static void release(multilevel *m)
{
    parts *p = &m->parts;
    for (int k = 0; k < 2; k++) {
        ptd_release(p->queues[k].key);
        ptd_release(p->queues[k].item);
        ptd_release(p->queues[k].position);
        ptd_release(p->beside[k]);
    }
    ptd_release(p->is_locked);
    ptd_release(p->is_member);
    ptd_release(p->member);
    ptd_release(p->moved);
    ptd_release(p->pulled);
    ptd_release(p->pulled_end);
    ptd_release(m->best_side);
    for (int k = 0; k < 3; k++) {
        ptd_release(m->scratch[k]);
    }
    for (int k = 0; k < MAX_LEVELS; k++) {
        release_level(&m->levels[k], k > 0);
    }
}

/* Adds levels until the last is small or hardly smaller than the one before. */
static int coarsen(multilevel *m, uint64_t *random)
{
    m->n_levels = 1;
    for (int k = 1; k < MAX_LEVELS; k++) {
        release_level(&m->levels[k], 1);
    }
    while (m->n_levels < MAX_LEVELS) {
        level *fine = &m->levels[m->n_levels - 1];
        level *next = fine + 1;
        const ptd_weighted_graph *g = &fine->graph;
        if (g->n <= COARSEST) {
            break;
        }
        int32_t n = match(g, random, fine->coarse, m->scratch[0], m->scratch[1]);
        m->parts.work += 2 * (int64_t)g->start[g->n];
        if (n > g->n - g->n / 10) {
            break;
        }
        next->side = ptd_allocate((size_t)n, sizeof *next->side);
        next->coarse = ptd_allocate((size_t)n, sizeof *next->coarse);
        if (!next->side || !next->coarse ||
            !contract(g, fine->coarse, n, m->scratch[1], m->scratch[2], &next->graph)) {
            return 0;
        }
        m->n_levels++;
    }
    return 1;
}

static void select_level(parts *p, level *l)
{
    p->graph = &l->graph;
    p->side = l->side;
}

/* The best of several regions grown on the coarsest level is left there. */
static void part_coarsest(multilevel *m, uint64_t *random)
{
    parts *p = &m->parts;
    level *l = &m->levels[m->n_levels - 1];
    int64_t best = INT64_MAX;
    select_level(p, l);
    for (int k = 0; k < GROWN_REGIONS; k++) {
        grow(p, (int32_t)draw(random, (uint32_t)l->graph.n));
        improve(p);
        if (score(p) < best) {
            best = score(p);
            memcpy(m->best_side, p->side, (size_t)l->graph.n);
        }
    }
    memcpy(p->side, m->best_side, (size_t)l->graph.n);
}

/* From the coarsest level up to the caller's graph, improved on each. */
static void carry_up(multilevel *m)
{
    parts *p = &m->parts;
    for (int32_t k = m->n_levels - 2; k >= 0; k--) {
        level *fine = &m->levels[k];
        for (int32_t v = 0; v < fine->graph.n; v++) {
            fine->side[v] = fine[1].side[fine->coarse[v]];
        }
        select_level(p, fine);
        measure(p);
        improve(p);
    }
}

ptd_status ptd_find_separator(const ptd_weighted_graph *graph, int32_t trials, uint64_t seed,
                              uint8_t *side, int64_t *work, ptd_error *error)
{
    ptd_status status = PTD_OK;
    multilevel *m = ptd_allocate_zero(1, sizeof *m);
    uint64_t random = seed * 2 + 1;
    int64_t best = INT64_MAX;
    if (!m || !allocate(m, graph)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    m->parts.most = (int32_t)((int64_t)graph->total * 3 / 5);
    for (int32_t k = 0; k < trials; k++) {
        if (!coarsen(m, &random)) {
            status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
            goto out;
        }
        part_coarsest(m, &random);
        carry_up(m);
        /* A graph of one level is left as it was before the last region grown. */
        select_level(&m->parts, &m->levels[0]);
        measure(&m->parts);
        if (score(&m->parts) < best) {
            best = score(&m->parts);
            memcpy(side, m->levels[0].side, (size_t)graph->n);
        }
    }
    *work += m->parts.work;
out:
    if (m) {
        release(m);
    }
    ptd_release(m);
    return status;
}
