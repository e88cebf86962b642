/* Approximate minimum degree (P. R. Amestoy, T. A. Davis and I. S. Duff, An approximate minimum
 * degree ordering algorithm, SIAM J. Matrix Anal. Appl. 17, 1996) and approximate minimum fill (E.
 * Rothberg and S. C. Eisenstat, Node selection strategies for bottom-up sparse matrix ordering,
 * same journal 19, 1998), constrained to stages.
 *
 * The quotient graph: an eliminated vertex becomes an element, the list of the vertices that its
 * elimination joined. Elements stand for cliques, so the graph never grows. Vertices that have
 * become indistinguishable form one variable of several vertices. A variable's list holds its
 * elements, then the variables it is still joined to directly. All lists live in one pool, which
 * is compacted when it is full.
 */
#include "quotient_graph.h"

#include <math.h>

#include "memory.h"
#include "status.h"

enum { NONE = -1, KEYS_PER_DEGREE = 4 };

typedef enum { VARIABLE, ELEMENT, GONE, HUB } node_kind;

typedef struct {
    int32_t n;
    uint8_t *kind; /* node_kind */
    int32_t *pool;
    int64_t pool_size;
    int64_t pool_used;
    int64_t *list;     /* where a node's list starts in the pool */
    int32_t *length;   /* of the list */
    int32_t *elements; /* how many elements a variable's list starts with */
    int32_t *size;     /* vertices in a variable; negated while it is in the new element; 0: gone */
    int32_t *degree; /* of a variable: bound on its vertices outside; of an element: its vertices */
    int32_t *parent; /* of a variable that is gone: where its vertices went */
    int32_t *sequence; /* when a pivot was eliminated, from 0 on; NONE for all others */
    int32_t n_pivots;
    int64_t *mark; /* of an element in a scan: tag + its vertices outside the new element */
    int64_t tag;   /* above all marks of earlier scans */
    ptd_greedy_rule rule;
    int64_t *joined; /* of a member of the new element: twice the pairs outside it joined already */
    int32_t *key;    /* of a variable: what the pivot has least of */
    int32_t *head;   /* by key: the first variable of the current stage */
    int32_t *next;   /* in the list of a key, or of a hash value */
    int32_t *previous; /* in the list of a key; in the new element: the hash value */
    int32_t *bucket;   /* by hash value: the first variable */
    int32_t least;     /* no key below is in use */
    int32_t n_listed;
    const int32_t *stage;
    int32_t current;
    int32_t *staged;      /* vertices by stage */
    int32_t *stage_start; /* n_stages + 1, into the above */
    int32_t remaining;    /* vertices to eliminate */
    int64_t multiply_adds;
    int64_t work;
} quotient;

static int32_t stage_of(const quotient *q, int32_t vertex)
{
    return q->stage ? q->stage[vertex] : 0;
}

/* ---- variables of the current stage, by key */

/* `joined`: twice the pairs of the variable's neighbours that are known to be joined.
 * Fill grows with the square of the degree: its root spreads over as many keys. Dividing by a power
 * of the size, between fill and fill a vertex, did best on lattices and planar models. All
 * operations here are correctly rounded, so keys are the same on every machine. */
static int32_t key_of(const quotient *q, int32_t variable, int64_t joined)
{
    int64_t degree = q->degree[variable];
    if (q->rule == PTD_LEAST_DEGREE) {
        return (int32_t)degree;
    }
    int64_t fill = degree * (degree - 1) - joined;
    if (fill <= 0) {
        return 0;
    }
    double root = sqrt((double)q->size[variable]);
    double key = KEYS_PER_DEGREE * sqrt((double)fill / (root * sqrt(root)));
    return (int32_t)key;
}

static void insert(quotient *q, int32_t variable)
{
    if (stage_of(q, variable) != q->current) {
        return;
    }
    int32_t key = q->key[variable];
    int32_t first = q->head[key];
    q->next[variable] = first;
    q->previous[variable] = NONE;
    if (first != NONE) {
        q->previous[first] = variable;
    }
    q->head[key] = variable;
    q->n_listed++;
    if (key < q->least) {
        q->least = key;
    }
}

static void withdraw(quotient *q, int32_t variable)
{
    if (stage_of(q, variable) != q->current) {
        return;
    }
    int32_t before = q->previous[variable];
    int32_t after = q->next[variable];
    if (before != NONE) {
        q->next[before] = after;
    } else {
        q->head[q->key[variable]] = after;
    }
    if (after != NONE) {
        q->previous[after] = before;
    }
    q->n_listed--;
}

static void open_stage(quotient *q)
{
    int32_t s = ++q->current;
    q->least = 0;
    for (int32_t k = q->stage_start[s]; k < q->stage_start[s + 1]; k++) {
        if (q->kind[q->staged[k]] == VARIABLE) {
            insert(q, q->staged[k]);
        }
    }
}

static int32_t take_least(quotient *q)
{
    while (q->n_listed == 0) {
        open_stage(q);
    }
    while (q->head[q->least] == NONE) {
        q->least++;
    }
    int32_t pivot = q->head[q->least];
    withdraw(q, pivot);
    return pivot;
}

/* ---- the pool */

/* Moves all lists together. A list is found in the pool by its first entry, which carries the
 * node's number, negated, while `list` keeps the entry. */
static void compact(quotient *q)
{
    for (int32_t v = 0; v < q->n; v++) {
        if ((q->kind[v] == VARIABLE || q->kind[v] == ELEMENT) && q->length[v] > 0) {
            int64_t first = q->list[v];
            q->list[v] = q->pool[first];
            q->pool[first] = -1 - v;
        }
    }
    int64_t to = 0;
    for (int64_t from = 0; from < q->pool_used;) {
        if (q->pool[from] >= 0) {
            from++;
            continue;
        }
        int32_t v = -1 - q->pool[from];
        q->pool[from] = (int32_t)q->list[v];
        q->list[v] = to;
        for (int32_t k = 0; k < q->length[v]; k++) {
            q->pool[to++] = q->pool[from++];
        }
    }
    q->pool_used = to;
}

/* The pool has room for the graph and one element more, and the graph never grows. */
static void make_room(quotient *q, int32_t pivot)
{
    const int32_t *list = q->pool + q->list[pivot];
    int64_t needed = q->length[pivot] - q->elements[pivot];
    for (int32_t k = 0; k < q->elements[pivot]; k++) {
        needed += q->length[list[k]];
    }
    needed = needed < q->n ? needed : q->n;
    if (q->pool_used + needed > q->pool_size) {
        compact(q);
    }
}

/* ---- one elimination */

static void discard_element(quotient *q, int32_t element)
{
    q->kind[element] = GONE;
    q->length[element] = 0;
}

/* Variables listed at `from` join the new element, whose list grows at the end of the pool. */
static int32_t gather(quotient *q, int64_t from, int32_t length)
{
    int32_t vertices = 0;
    q->work += length;
    for (int64_t p = from; p < from + length; p++) {
        int32_t i = q->pool[p];
        if (q->size[i] > 0) {
            vertices += q->size[i];
            withdraw(q, i);
            q->size[i] = -q->size[i];
            q->pool[q->pool_used++] = i;
        }
    }
    return vertices;
}

/* The pivot becomes an element; the elements it was in are part of it from now on. */
static void form_element(quotient *q, int32_t pivot)
{
    make_room(q, pivot);
    int64_t old = q->list[pivot];
    int32_t elements = q->elements[pivot];
    int32_t length = q->length[pivot];
    int64_t start = q->pool_used;
    int32_t vertices = 0;
    q->size[pivot] = -q->size[pivot];
    for (int64_t p = old; p < old + elements; p++) {
        int32_t e = q->pool[p];
        vertices += gather(q, q->list[e], q->length[e]);
        discard_element(q, e);
    }
    vertices += gather(q, old + elements, length - elements);
    q->kind[pivot] = ELEMENT;
    q->list[pivot] = start;
    q->length[pivot] = (int32_t)(q->pool_used - start);
    q->degree[pivot] = vertices;
    q->sequence[pivot] = q->n_pivots++;
}

/* For every element that meets the new one: how many of its vertices lie outside. */
static void measure_overlaps(quotient *q, int32_t pivot)
{
    const int32_t *members = q->pool + q->list[pivot];
    for (int32_t k = 0; k < q->length[pivot]; k++) {
        int32_t i = members[k];
        int32_t vertices = -q->size[i];
        const int32_t *list = q->pool + q->list[i];
        q->work += q->elements[i];
        for (int32_t m = 0; m < q->elements[i]; m++) {
            int32_t e = list[m];
            if (q->kind[e] != ELEMENT) {
                continue;
            }
            if (q->mark[e] < q->tag) {
                q->mark[e] = q->tag + q->degree[e];
            }
            q->mark[e] -= vertices;
        }
    }
}

/* Rewrites the list of a member i: elements inside the new one and variables joined through it go,
 * the new element comes in. Returns a bound on i's vertices outside the new element. */
static int64_t update_list(quotient *q, int32_t i, int32_t pivot)
{
    int32_t *list = q->pool + q->list[i];
    int32_t length = q->length[i];
    int32_t elements = 0;
    int64_t degree = 0;
    int64_t joined = 0;
    uint32_t hash = (uint32_t)pivot;
    q->work += length;
    for (int32_t m = 0; m < q->elements[i]; m++) {
        int32_t e = list[m];
        if (q->kind[e] != ELEMENT) {
            continue;
        }
        int64_t outside = q->mark[e] - q->tag;
        if (outside == 0) {
            discard_element(q, e);
            continue;
        }
        /* Pairs of the element, less i itself, but those inside the new one. */
        joined += outside * (outside - 1 + 2 * (q->degree[e] + q->size[i] - outside));
        degree += outside;
        hash += (uint32_t)e;
        list[elements++] = e;
    }
    int32_t kept = elements;
    for (int32_t m = q->elements[i]; m < length; m++) {
        int32_t j = list[m];
        if (q->size[j] > 0) {
            degree += q->size[j];
            hash += (uint32_t)j;
            list[kept++] = j;
        }
    }
    /* At least one entry went (the pivot or an element of its), so there is room for one. */
    list[kept] = list[elements];
    list[elements] = pivot;
    q->elements[i] = elements + 1;
    q->length[i] = kept + 1;
    q->joined[i] = joined;
    q->previous[i] = (int32_t)(hash % (uint32_t)q->n);
    return degree;
}

/* i is joined to nothing but the new element: it may go with the pivot at no further fill. */
static void eliminate_with(quotient *q, int32_t i, int32_t pivot)
{
    int32_t vertices = -q->size[i];
    q->degree[pivot] -= vertices;
    q->size[pivot] -= vertices;
    q->size[i] = 0;
    q->kind[i] = GONE;
    q->parent[i] = pivot;
}

static void update_members(quotient *q, int32_t pivot)
{
    for (int32_t k = 0; k < q->length[pivot]; k++) {
        int32_t i = q->pool[q->list[pivot] + k];
        int64_t degree = update_list(q, i, pivot);
        if (degree == 0 && stage_of(q, i) == q->current) {
            eliminate_with(q, i, pivot);
            continue;
        }
        if (degree < q->degree[i]) {
            q->degree[i] = (int32_t)degree;
        }
        int32_t hash = q->previous[i];
        q->next[i] = q->bucket[hash];
        q->bucket[hash] = i;
    }
    q->tag += (int64_t)q->n + 1;
}

static int is_indistinguishable(const quotient *q, int32_t i, int32_t j)
{
    if (q->length[i] != q->length[j] || q->elements[i] != q->elements[j] ||
        stage_of(q, i) != stage_of(q, j)) {
        return 0;
    }
    const int32_t *list = q->pool + q->list[j];
    for (int32_t k = 0; k < q->length[j]; k++) {
        if (q->mark[list[k]] != q->tag) {
            return 0;
        }
    }
    return 1;
}

/* Members with the same list become one variable. */
static void merge_indistinguishable(quotient *q, int32_t pivot)
{
    const int32_t *members = q->pool + q->list[pivot];
    for (int32_t k = 0; k < q->length[pivot]; k++) {
        if (q->size[members[k]] == 0) {
            continue;
        }
        int32_t hash = q->previous[members[k]];
        int32_t i = q->bucket[hash];
        q->bucket[hash] = NONE;
        for (; i != NONE && q->next[i] != NONE; i = q->next[i]) {
            const int32_t *list = q->pool + q->list[i];
            for (int32_t m = 0; m < q->length[i]; m++) {
                q->mark[list[m]] = q->tag;
            }
            int32_t last = i;
            for (int32_t j = q->next[i]; j != NONE; j = q->next[j]) {
                if (is_indistinguishable(q, i, j)) {
                    q->size[i] += q->size[j];
                    q->size[j] = 0;
                    q->kind[j] = GONE;
                    q->parent[j] = i;
                    q->next[last] = q->next[j];
                } else {
                    last = j;
                }
            }
            q->tag++;
        }
    }
}

/* The element keeps the members that are left; they return to the lists with their new degrees. */
static void finish_element(quotient *q, int32_t pivot)
{
    int32_t *members = q->pool + q->list[pivot];
    int32_t kept = 0;
    int64_t vertices = -q->size[pivot];
    q->remaining -= (int32_t)vertices;
    for (int64_t k = 0; k < vertices; k++) {
        int64_t neighbours = q->degree[pivot] + k;
        q->multiply_adds += neighbours * neighbours;
    }
    for (int32_t k = 0; k < q->length[pivot]; k++) {
        int32_t i = members[k];
        if (q->size[i] == 0) {
            continue;
        }
        q->size[i] = -q->size[i];
        int64_t bound = (int64_t)q->degree[i] + q->degree[pivot] - q->size[i];
        int64_t others = q->remaining - q->size[i];
        int64_t clique = q->degree[pivot] - q->size[i];
        q->degree[i] = (int32_t)(bound < others ? bound : others);
        q->key[i] = key_of(q, i, q->joined[i] + clique * (clique - 1));
        members[kept++] = i;
        insert(q, i);
    }
    q->pool_used = q->list[pivot] + kept;
    q->length[pivot] = kept;
    if (kept == 0) {
        q->kind[pivot] = GONE;
    }
    q->size[pivot] = 0;
}

static void eliminate(quotient *q, int32_t pivot)
{
    form_element(q, pivot);
    measure_overlaps(q, pivot);
    update_members(q, pivot);
    merge_indistinguishable(q, pivot);
    finish_element(q, pivot);
}

/* ---- before and after */

static int allocate(quotient *q, const ptd_undirected *graph, int32_t n_stages)
{
    size_t n = (size_t)graph->n;
    int64_t entries = graph->start[n];
    q->n = graph->n;
    q->pool_size = entries + entries / 5 + q->n;
    q->kind = ptd_allocate_zero(n, sizeof *q->kind);
    q->pool = ptd_allocate((size_t)q->pool_size, sizeof *q->pool);
    q->list = ptd_allocate(n, sizeof *q->list);
    q->length = ptd_allocate_zero(n, sizeof *q->length);
    q->elements = ptd_allocate_zero(n, sizeof *q->elements);
    q->size = ptd_allocate_zero(n, sizeof *q->size);
    q->degree = ptd_allocate_zero(n, sizeof *q->degree);
    q->parent = ptd_allocate(n, sizeof *q->parent);
    q->sequence = ptd_allocate(n, sizeof *q->sequence);
    q->mark = ptd_allocate_zero(n, sizeof *q->mark);
    q->joined = ptd_allocate_zero(n, sizeof *q->joined);
    q->key = ptd_allocate(n, sizeof *q->key);
    q->head = ptd_allocate(KEYS_PER_DEGREE * n, sizeof *q->head);
    q->next = ptd_allocate(n, sizeof *q->next);
    q->previous = ptd_allocate(n, sizeof *q->previous);
    q->bucket = ptd_allocate(n, sizeof *q->bucket);
    q->staged = ptd_allocate(n, sizeof *q->staged);
    q->stage_start = ptd_allocate_zero((size_t)n_stages + 2, sizeof *q->stage_start);
    return q->kind && q->pool && q->list && q->length && q->elements && q->size && q->degree &&
           q->parent && q->sequence && q->mark && q->joined && q->key && q->head && q->next &&
           q->previous && q->bucket && q->staged && q->stage_start;
}

static void release(quotient *q)
{
    ptd_release(q->kind);
    ptd_release(q->pool);
    ptd_release(q->list);
    ptd_release(q->length);
    ptd_release(q->elements);
    ptd_release(q->size);
    ptd_release(q->degree);
    ptd_release(q->parent);
    ptd_release(q->sequence);
    ptd_release(q->mark);
    ptd_release(q->joined);
    ptd_release(q->key);
    ptd_release(q->head);
    ptd_release(q->next);
    ptd_release(q->previous);
    ptd_release(q->bucket);
    ptd_release(q->staged);
    ptd_release(q->stage_start);
}

static void sort_by_stage(quotient *q, int32_t n_stages)
{
    int32_t *next = q->stage_start + 1;
    for (int32_t v = 0; v < q->n; v++) {
        next[stage_of(q, v) + 1]++;
    }
    for (int32_t s = 0; s < n_stages; s++) {
        next[s + 1] += next[s];
    }
    for (int32_t v = 0; v < q->n; v++) {
        q->staged[next[stage_of(q, v)]++] = v;
    }
}

/* Hubs stay out of the graph. */
static void load(quotient *q, const ptd_undirected *graph)
{
    int64_t hub = ptd_hub_degree(q->n);
    for (int64_t k = 0; k < KEYS_PER_DEGREE * (int64_t)q->n; k++) {
        q->head[k] = NONE;
    }
    for (int32_t v = 0; v < q->n; v++) {
        q->bucket[v] = NONE;
        q->parent[v] = NONE;
        q->sequence[v] = NONE;
        if (graph->start[v + 1] - graph->start[v] > hub) {
            q->kind[v] = HUB;
        } else {
            q->size[v] = 1;
            q->remaining++;
        }
    }
    for (int32_t v = 0; v < q->n; v++) {
        if (q->kind[v] == HUB) {
            continue;
        }
        q->list[v] = q->pool_used;
        for (int64_t p = graph->start[v]; p < graph->start[v + 1]; p++) {
            if (q->kind[graph->neighbour[p]] != HUB) {
                q->pool[q->pool_used++] = graph->neighbour[p];
            }
        }
        q->length[v] = (int32_t)(q->pool_used - q->list[v]);
        q->degree[v] = q->length[v];
        q->key[v] = key_of(q, v, 0);
    }
    q->tag = 1;
}

/* The pivot whose elimination took the vertex along; shortens the way for later calls. */
static int32_t pivot_of(quotient *q, int32_t vertex)
{
    int32_t pivot = vertex;
    while (q->sequence[pivot] == NONE) {
        pivot = q->parent[pivot];
    }
    while (q->sequence[vertex] == NONE) {
        int32_t parent = q->parent[vertex];
        q->parent[vertex] = pivot;
        vertex = parent;
    }
    return pivot;
}

typedef struct {
    int64_t degree;
    int32_t vertex;
} hub;

static int compare_hubs(const void *a, const void *b)
{
    const hub *x = a;
    const hub *y = b;
    if (x->degree != y->degree) {
        return x->degree < y->degree ? -1 : 1;
    }
    return x->vertex < y->vertex ? -1 : x->vertex > y->vertex;
}

/* Hubs come last, the smaller first. */
static int order_hubs(const quotient *q, const ptd_undirected *graph, int32_t n_hubs,
                      int32_t *order)
{
    hub *hubs = ptd_allocate((size_t)n_hubs, sizeof *hubs);
    if (!hubs) {
        return 0;
    }
    int32_t k = 0;
    for (int32_t v = 0; v < q->n; v++) {
        if (q->kind[v] == HUB) {
            hubs[k++] = (hub){graph->start[v + 1] - graph->start[v], v};
        }
    }
    qsort(hubs, (size_t)n_hubs, sizeof *hubs, compare_hubs);
    for (k = 0; k < n_hubs; k++) {
        order[k] = hubs[k].vertex;
    }
    ptd_release(hubs);
    return 1;
}

/* Pivots in sequence, each followed by the vertices that went with it. */
static void order_pivots(quotient *q, int32_t *order)
{
    int32_t *place = q->head;
    for (int32_t k = 0; k < q->n_pivots; k++) {
        place[k] = 0;
    }
    for (int32_t v = 0; v < q->n; v++) {
        if (q->kind[v] != HUB) {
            place[q->sequence[pivot_of(q, v)]]++;
        }
    }
    int32_t filled = 0;
    for (int32_t k = 0; k < q->n_pivots; k++) {
        int32_t count = place[k];
        place[k] = filled;
        filled += count;
    }
    for (int32_t v = 0; v < q->n; v++) {
        if (q->sequence[v] != NONE) {
            order[place[q->sequence[v]]++] = v;
        }
    }
    for (int32_t v = 0; v < q->n; v++) {
        if (q->kind[v] != HUB && q->sequence[v] == NONE) {
            order[place[q->sequence[pivot_of(q, v)]]++] = v;
        }
    }
}

ptd_status ptd_greedy_order(const ptd_undirected *graph, ptd_greedy_rule rule, const int32_t *stage,
                            int32_t *order, int64_t *multiply_adds, int64_t *work, ptd_error *error)
{
    ptd_status status = PTD_OK;
    quotient q = {.rule = rule, .stage = stage, .current = NONE};
    int32_t n_stages = 1;
    for (int32_t v = 0; stage && v < graph->n; v++) {
        n_stages = stage[v] >= n_stages ? stage[v] + 1 : n_stages;
    }
    if (!allocate(&q, graph, n_stages)) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    sort_by_stage(&q, n_stages);
    load(&q, graph);
    int32_t n_hubs = q.n - q.remaining;
    while (q.remaining > 0) {
        eliminate(&q, take_least(&q));
    }
    order_pivots(&q, order);
    if (n_hubs > 0 && !order_hubs(&q, graph, n_hubs, order + (q.n - n_hubs))) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    *multiply_adds = q.multiply_adds;
    *work += q.work;
out:
    release(&q);
    return status;
}
