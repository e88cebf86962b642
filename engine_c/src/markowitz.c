/* Markowitz ordering with diagonal pivots (H. M. Markowitz, The elimination form of the inverse and
 * its application to linear programming, Management Science 3, 1957): next comes the vertex with
 * the least product of predecessors and successors.
 *
 * Both lists of every vertex are kept exactly: sorted lists while the pattern is sparse, rows and
 * columns of bits when few or dense vertices are left. In a small remainder the vertex of least
 * fill comes next instead.
 */
#include "markowitz.h"

#include <string.h>

#include "heap.h"
#include "memory.h"
#include "status.h"

enum {
    SUCCESSORS = 0,
    PREDECESSORS = 1,
    WORD = 64,
    MOST_BIT_VERTICES = 8192,
    SMALL = 96,           /* vertices of which the exact fill is counted */
    SPARSE_AT_LEAST = 24, /* bits are used where lists fill more than one in so many places */
    WORDS_AN_ENTRY = 4,   /* so many words take the time of one list entry */
};

typedef struct {
    int64_t *start;    /* by vertex, into `column` */
    int32_t *length;   /* by vertex */
    int32_t *capacity; /* by vertex */
    int32_t *column;
    int64_t used;
    int64_t size;
} lists;

typedef struct {
    int32_t n;
    lists lists[2];
    int64_t entries; /* of the successors' lists */
    uint8_t *is_gone;
    int32_t *order;
    int32_t n_ordered;
    int32_t *merged;
    ptd_heap heap; /* vertices by product, then by number */
    int64_t cost;
    int64_t most_cost;
    int64_t work;
    int64_t most_work;

    /* The remainder in bits. */
    int32_t m;
    int32_t words;
    int32_t *vertex; /* m */
    uint64_t *bits[2];
    int32_t *count[2];
    int64_t *fill; /* m, -1: to be counted */
} elimination;

static int is_given_up(const elimination *e)
{
    return e->cost >= e->most_cost || e->work > e->most_work;
}

/* ---- lists */

static const int32_t *list_of(const lists *l, int32_t v)
{
    return l->column + l->start[v];
}

static int append_list(lists *l, int32_t v, int32_t capacity)
{
    if (l->used + capacity > l->size) {
        int64_t size = l->used + capacity + l->size / 2;
        int32_t *column = ptd_reallocate(l->column, (size_t)size, sizeof *column);
        if (!column) {
            return 0;
        }
        l->column = column;
        l->size = size;
    }
    l->start[v] = l->used;
    l->capacity[v] = capacity;
    l->used += capacity;
    return 1;
}

/* The list of v takes in the list of the pivot; neither v nor the pivot stays in it. */
static int join_list(elimination *e, int which, int32_t v, int32_t pivot)
{
    lists *l = &e->lists[which];
    const int32_t *a = list_of(l, v);
    const int32_t *a_end = a + l->length[v];
    const int32_t *b = list_of(l, pivot);
    const int32_t *b_end = b + l->length[pivot];
    int32_t length = 0;
    e->work += l->length[v] + l->length[pivot];
    while (a < a_end || b < b_end) {
        int32_t next;
        if (b == b_end || (a < a_end && *a < *b)) {
            next = *a++;
        } else {
            a += a < a_end && *a == *b;
            next = *b++;
        }
        e->merged[length] = next;
        length += next != v && next != pivot;
    }
    if (length > l->capacity[v] && !append_list(l, v, length + length / 2)) {
        return 0;
    }
    if (which == SUCCESSORS) {
        e->entries += length - l->length[v];
    }
    memcpy(l->column + l->start[v], e->merged, (size_t)length * sizeof *e->merged);
    l->length[v] = length;
    return 1;
}

static int32_t count_common(const int32_t *a, int32_t n_a, const int32_t *b, int32_t n_b)
{
    int32_t common = 0;
    for (int32_t i = 0, j = 0; i < n_a && j < n_b;) {
        common += a[i] == b[j];
        int32_t difference = a[i] - b[j];
        i += difference <= 0;
        j += difference >= 0;
    }
    return common;
}

static void enqueue(elimination *e, int32_t v)
{
    int64_t product = (int64_t)e->lists[0].length[v] * e->lists[1].length[v];
    product = product < INT32_MAX ? product : INT32_MAX;
    ptd_heap_set(&e->heap, v, product * ((int64_t)1 << 32) + v);
}

static int eliminate_in_lists(elimination *e, int32_t pivot)
{
    lists *successors = &e->lists[SUCCESSORS];
    lists *predecessors = &e->lists[PREDECESSORS];
    int32_t n_successors = successors->length[pivot];
    int32_t n_predecessors = predecessors->length[pivot];
    e->is_gone[pivot] = 1;
    e->order[e->n_ordered++] = pivot;
    ptd_heap_remove(&e->heap, pivot);
    e->cost += (int64_t)n_predecessors * (n_successors + 1) -
               count_common(list_of(predecessors, pivot), n_predecessors,
                            list_of(successors, pivot), n_successors);
    e->entries -= n_successors;
    /* Lists move when they grow: each is looked up anew. */
    for (int32_t k = 0; k < n_predecessors; k++) {
        if (!join_list(e, SUCCESSORS, list_of(predecessors, pivot)[k], pivot)) {
            return 0;
        }
    }
    for (int32_t k = 0; k < n_successors; k++) {
        if (!join_list(e, PREDECESSORS, list_of(successors, pivot)[k], pivot)) {
            return 0;
        }
    }
    for (int32_t k = 0; k < n_predecessors; k++) {
        enqueue(e, list_of(predecessors, pivot)[k]);
    }
    for (int32_t k = 0; k < n_successors; k++) {
        enqueue(e, list_of(successors, pivot)[k]);
    }
    return 1;
}

/* Lists are left when what remains is small or dense enough for bits. */
static int eliminate_sparse(elimination *e)
{
    while (e->n_ordered < e->n && !is_given_up(e)) {
        int64_t left = e->n - e->n_ordered;
        if (left <= SMALL ||
            (left <= MOST_BIT_VERTICES && e->entries > left * left / SPARSE_AT_LEAST)) {
            break;
        }
        if (!eliminate_in_lists(e, e->heap.item[0])) {
            return 0;
        }
    }
    return 1;
}

/* ---- bits */

static uint64_t *bits_of(const elimination *e, int which, int32_t a)
{
    return e->bits[which] + (size_t)a * (size_t)e->words;
}

static int has_bit(const uint64_t *bits, int32_t a)
{
    return (int)(bits[a / WORD] >> (a % WORD) & 1);
}

static void flip_bit(uint64_t *bits, int32_t a)
{
    bits[a / WORD] ^= (uint64_t)1 << (a % WORD);
}

/* Writes the numbers of the bits that are set; returns how many. */
static int32_t unpack(const elimination *e, const uint64_t *bits, int32_t *into)
{
    int32_t count = 0;
    for (int32_t w = 0; w < e->words; w++) {
        for (uint64_t rest = bits[w]; rest; rest &= rest - 1) {
            into[count++] = w * WORD + __builtin_ctzll(rest);
        }
    }
    return count;
}

static int enter_bits(elimination *e)
{
    size_t m = (size_t)(e->n - e->n_ordered);
    size_t words = (m + WORD - 1) / WORD;
    int32_t *number = e->merged;
    e->m = (int32_t)m;
    e->words = (int32_t)words;
    e->vertex = ptd_allocate(m, sizeof *e->vertex);
    e->fill = ptd_allocate(m, sizeof *e->fill);
    for (int which = 0; which < 2; which++) {
        e->bits[which] = ptd_allocate_zero(m * words, sizeof *e->bits[which]);
        e->count[which] = ptd_allocate(m, sizeof *e->count[which]);
        if (!e->bits[which] || !e->count[which]) {
            return 0;
        }
    }
    if (!e->vertex || !e->fill) {
        return 0;
    }
    int32_t a = 0;
    for (int32_t v = 0; v < e->n; v++) {
        if (!e->is_gone[v]) {
            number[v] = a;
            e->vertex[a++] = v;
        }
    }
    for (a = 0; a < e->m; a++) {
        e->fill[a] = -1;
        for (int which = 0; which < 2; which++) {
            const lists *l = &e->lists[which];
            int32_t v = e->vertex[a];
            e->count[which][a] = l->length[v];
            for (int32_t k = 0; k < l->length[v]; k++) {
                flip_bit(bits_of(e, which, a), number[list_of(l, v)[k]]);
            }
        }
    }
    return 1;
}

/* Pairs of a predecessor and a different successor that are not joined yet. */
static int64_t count_fill(elimination *e, int32_t a, int32_t *scratch)
{
    const uint64_t *successors = bits_of(e, SUCCESSORS, a);
    int32_t n = unpack(e, bits_of(e, PREDECESSORS, a), scratch);
    int64_t fill = 0;
    for (int32_t k = 0; k < n; k++) {
        const uint64_t *joined = bits_of(e, SUCCESSORS, scratch[k]);
        for (int32_t w = 0; w < e->words; w++) {
            fill += __builtin_popcountll(successors[w] & ~joined[w]);
        }
        fill -= has_bit(successors, scratch[k]);
    }
    e->work += (int64_t)n * e->words / WORDS_AN_ENTRY;
    return fill;
}

static int32_t choose_by_bits(elimination *e, int32_t *scratch)
{
    int32_t best = -1;
    int64_t best_fill = 0;
    int64_t best_product = 0;
    for (int32_t a = 0; a < e->m; a++) {
        if (e->is_gone[e->vertex[a]]) {
            continue;
        }
        int64_t product = (int64_t)e->count[0][a] * e->count[1][a];
        if (e->m <= SMALL && e->fill[a] < 0) {
            e->fill[a] = count_fill(e, a, scratch);
        }
        int64_t fill = e->m <= SMALL ? e->fill[a] : 0;
        if (best < 0 || fill < best_fill || (fill == best_fill && product < best_product)) {
            best = a;
            best_fill = fill;
            best_product = product;
        }
    }
    e->work += e->m / WORDS_AN_ENTRY;
    return best;
}

/* The bits of a take in those of the pivot. */
static void join_bits(elimination *e, int which, int32_t a, int32_t pivot)
{
    uint64_t *bits = bits_of(e, which, a);
    const uint64_t *added = bits_of(e, which, pivot);
    int32_t count = 0;
    for (int32_t w = 0; w < e->words; w++) {
        bits[w] |= added[w];
    }
    flip_bit(bits, pivot);
    if (has_bit(bits, a)) {
        flip_bit(bits, a);
    }
    for (int32_t w = 0; w < e->words; w++) {
        count += __builtin_popcountll(bits[w]);
    }
    e->count[which][a] = count;
    e->work += e->words / WORDS_AN_ENTRY + 1;
}

/* A vertex's fill changes with its own lists and with those of what it is joined to. */
static void forget_fill_around(elimination *e, const int32_t *members, int32_t n)
{
    for (int32_t k = 0; k < n; k++) {
        e->fill[members[k]] = -1;
        for (int which = 0; which < 2; which++) {
            const uint64_t *bits = bits_of(e, which, members[k]);
            for (int32_t w = 0; w < e->words; w++) {
                for (uint64_t rest = bits[w]; rest; rest &= rest - 1) {
                    e->fill[w * WORD + __builtin_ctzll(rest)] = -1;
                }
            }
        }
    }
}

static void eliminate_in_bits(elimination *e, int32_t pivot, int32_t *predecessors,
                              int32_t *successors)
{
    int32_t n_predecessors = unpack(e, bits_of(e, PREDECESSORS, pivot), predecessors);
    int32_t n_successors = unpack(e, bits_of(e, SUCCESSORS, pivot), successors);
    e->is_gone[e->vertex[pivot]] = 1;
    e->order[e->n_ordered++] = e->vertex[pivot];
    e->cost += (int64_t)n_predecessors * (n_successors + 1) -
               count_common(predecessors, n_predecessors, successors, n_successors);
    for (int32_t k = 0; k < n_predecessors; k++) {
        join_bits(e, SUCCESSORS, predecessors[k], pivot);
    }
    for (int32_t k = 0; k < n_successors; k++) {
        join_bits(e, PREDECESSORS, successors[k], pivot);
    }
    if (e->m <= SMALL) {
        forget_fill_around(e, predecessors, n_predecessors);
        forget_fill_around(e, successors, n_successors);
    }
}

static int eliminate_dense(elimination *e)
{
    if (!enter_bits(e)) {
        return 0;
    }
    /* The heap is used no more: its arrays hold the pivot's lists. */
    int32_t *predecessors = e->heap.item;
    int32_t *successors = e->heap.position;
    while (e->n_ordered < e->n && !is_given_up(e)) {
        int32_t pivot = choose_by_bits(e, predecessors);
        eliminate_in_bits(e, pivot, predecessors, successors);
    }
    return 1;
}

/* ---- the whole */

/* Lists as in the pattern, with a little room to grow; then their transpose. */
static int load(elimination *e, const ptd_pattern *pattern)
{
    size_t n = (size_t)pattern->n;
    for (int which = 0; which < 2; which++) {
        lists *l = &e->lists[which];
        l->start = ptd_allocate(n, sizeof *l->start);
        l->length = ptd_allocate_zero(n, sizeof *l->length);
        l->capacity = ptd_allocate(n, sizeof *l->capacity);
        if (!l->start || !l->length || !l->capacity) {
            return 0;
        }
    }
    e->is_gone = ptd_allocate_zero(n, sizeof *e->is_gone);
    e->merged = ptd_allocate(n, sizeof *e->merged);
    e->heap.key = ptd_allocate(n, sizeof *e->heap.key);
    e->heap.item = ptd_allocate(n, sizeof *e->heap.item);
    e->heap.position = ptd_allocate(n, sizeof *e->heap.position);
    if (!e->is_gone || !e->merged || !e->heap.key || !e->heap.item || !e->heap.position) {
        return 0;
    }
    lists *successors = &e->lists[SUCCESSORS];
    lists *predecessors = &e->lists[PREDECESSORS];
    int32_t *n_predecessors = e->merged;
    memset(n_predecessors, 0, n * sizeof *n_predecessors);
    e->entries = pattern->start[n];
    for (int64_t p = 0; p < e->entries; p++) {
        n_predecessors[pattern->column[p]]++;
    }
    for (int32_t v = 0; v < e->n; v++) {
        int32_t length = (int32_t)(pattern->start[v + 1] - pattern->start[v]);
        if (!append_list(successors, v, length + 2) ||
            !append_list(predecessors, v, n_predecessors[v] + 2)) {
            return 0;
        }
        successors->length[v] = length;
        memcpy(successors->column + successors->start[v], pattern->column + pattern->start[v],
               (size_t)length * sizeof *pattern->column);
        e->heap.position[v] = PTD_HEAP_ABSENT;
    }
    for (int32_t v = 0; v < e->n; v++) {
        for (int64_t p = pattern->start[v]; p < pattern->start[v + 1]; p++) {
            int32_t to = pattern->column[p];
            predecessors->column[predecessors->start[to] + predecessors->length[to]++] = v;
        }
    }
    for (int32_t v = 0; v < e->n; v++) {
        enqueue(e, v);
    }
    return 1;
}

static void release(elimination *e)
{
    for (int which = 0; which < 2; which++) {
        ptd_release(e->lists[which].start);
        ptd_release(e->lists[which].length);
        ptd_release(e->lists[which].capacity);
        ptd_release(e->lists[which].column);
        ptd_release(e->bits[which]);
        ptd_release(e->count[which]);
    }
    ptd_release(e->is_gone);
    ptd_release(e->merged);
    ptd_release(e->heap.key);
    ptd_release(e->heap.item);
    ptd_release(e->heap.position);
    ptd_release(e->vertex);
    ptd_release(e->fill);
}

ptd_status ptd_markowitz_order(const ptd_pattern *pattern, int64_t most_work, int32_t *order,
                               int64_t *cost, int64_t *work, ptd_error *error)
{
    ptd_status status = PTD_OK;
    elimination e = {.n = pattern->n, .order = order, .most_cost = *cost, .most_work = most_work};
    if (!load(&e, pattern) || !eliminate_sparse(&e) ||
        (e.n_ordered < e.n && !is_given_up(&e) && !eliminate_dense(&e))) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    *cost = is_given_up(&e) ? -1 : e.cost;
    *work += e.work;
out:
    release(&e);
    return status;
}
