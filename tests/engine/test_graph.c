/* Graph: canonical form, classes and every error. Expected arrays are worked out by hand. */
#include "graph.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static ptd_graph *new_graph(ptd_kind kind, int32_t n_parameters, int64_t vertices)
{
    ptd_graph *graph = NULL;
    CHECK(ptd_graph_create(kind, n_parameters, 0, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, vertices, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_vertex_count(graph) == vertices + 1);
    return graph;
}

static void add(ptd_graph *graph, int64_t from, int64_t to, double base)
{
    CHECK(ptd_graph_add_edge(graph, from, to, base, NULL, NULL) == PTD_OK);
}

static ptd_graph_view view_of(const ptd_graph *graph)
{
    ptd_graph_view view = {0};
    CHECK(ptd_graph_get_view(graph, &view, NULL) == PTD_OK);
    return view;
}

/* ---- canonical form */

static void test_canonical_order(void)
{
    /* Signed: -1 before 0 before 2^31 - 1, first column first. */
    const int32_t states[] = {3, 0, -1, INT32_MAX, 3, -7, -1, 0, INT32_MIN, 5};
    const int64_t expected[] = {0, 5, 3, 4, 2, 1};
    const int32_t sorted[] = {0, 0, INT32_MIN, 5, -1, 0, -1, INT32_MAX, 3, -7, 3, 0};
    ptd_graph *graph = NULL;
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 0, 2, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, 2, states, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, 3, states + 4, NULL) == PTD_OK);
    for (int64_t v = 0; v < 5; v++) {
        add(graph, v, v + 1, (double)(v + 1));
    }
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    ptd_graph_view view = view_of(graph);
    CHECK(view.n_vertices == 6 && view.n_edges == 5 && view.n_forms == 5 && view.n_dropped == 0);
    CHECK(memcmp(view.states, sorted, sizeof sorted) == 0);
    CHECK(memcmp(view.added_order, expected, sizeof expected) == 0);
    /* 0 -> 5 -> 3 -> 4 -> 2 -> 1 with weights 1, 2, 3, 4, 5 */
    const int64_t start[] = {0, 1, 1, 2, 3, 4, 5};
    const int32_t to[] = {5, 1, 4, 2, 3};
    const double base[] = {1, 5, 3, 4, 2};
    CHECK(memcmp(view.edge_start, start, sizeof start) == 0);
    CHECK(memcmp(view.edge_to, to, sizeof to) == 0);
    for (uint32_t e = 0; e < 5; e++) {
        CHECK(view.edge_form[e] == e && view.form_base[e] == base[e]);
    }
    CHECK(view.vertex_class[0] == PTD_VERTEX_START && view.vertex_class[1] == PTD_VERTEX_ABSORBING);
    CHECK(view.vertex_class[5] == PTD_VERTEX_TRANSIENT);
    CHECK(ptd_graph_vertex_count(graph) == 6);
    ptd_graph_destroy(graph);
}

static int comes_before(const int32_t *a, const int32_t *b, int length)
{
    for (int k = 0; k < length; k++) {
        if (a[k] != b[k]) {
            return a[k] < b[k];
        }
    }
    return 0;
}

/* States of 160 bits, which no one word holds, and equal beginnings. */
static void test_wide_states(void)
{
    enum { COUNT = 2000, LENGTH = 5 };
    static int32_t states[COUNT][LENGTH];
    uint32_t seed = 11;
    for (int k = 0; k < COUNT; k++) {
        for (int c = 0; c < LENGTH; c++) {
            uint32_t bits = next_random(&seed) << 16 ^ next_random(&seed);
            states[k][c] = c < 3 && bits % 4 ? (bits % 3 == 0 ? INT32_MIN : INT32_MAX)
                                             : (int32_t)(bits >> 1) - (1 << 30);
        }
    }
    ptd_graph *graph = NULL;
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 0, LENGTH, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, COUNT, states[0], NULL) == PTD_OK);
    add(graph, 0, 1, 1);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    ptd_graph_view view = view_of(graph);
    int ascending = 1;
    for (int64_t v = 1; v < COUNT; v++) {
        ascending &= comes_before(view.states + v * LENGTH, view.states + (v + 1) * LENGTH, LENGTH);
    }
    CHECK(ascending);
    int rows_agree = 1;
    for (int64_t k = 0; k < COUNT; k++) {
        const int32_t *row = view.states + view.added_order[k + 1] * LENGTH;
        rows_agree &= memcmp(row, states[k], sizeof states[k]) == 0;
    }
    CHECK(rows_agree);
    ptd_graph_destroy(graph);
}

static void test_merging(void)
{
    const double coefficients[][2] = {{0, 1}, {2, 0}, {0, -1}, {1, 1}};
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 2, 3);
    add(graph, 0, 1, 1.0);
    /* 1 -> 2: (1 + t1) + (2 t0) + (2 - t1) = 3 + 2 t0 */
    CHECK(ptd_graph_add_edge(graph, 1, 2, 1.0, coefficients[0], NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 3, 0.0, coefficients[3], NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 2, 0.0, coefficients[1], NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 2, 2.0, coefficients[2], NULL) == PTD_OK);
    /* 2 -> 3: a sum that vanishes is no edge, so 2 absorbs */
    CHECK(ptd_graph_add_edge(graph, 2, 3, 0.0, coefficients[0], NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 2, 3, 0.0, coefficients[2], NULL) == PTD_OK);
    add(graph, 3, 2, 0.0);
    add(graph, 3, 1, -0.0);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    ptd_graph_view view = view_of(graph);
    const int64_t start[] = {0, 1, 3, 3, 3};
    const int32_t to[] = {1, 2, 3};
    const uint32_t form[] = {0, 1, 2};
    const double base[] = {1, 3, 0};
    const int64_t form_start[] = {0, 0, 1, 3};
    const uint32_t parameter[] = {0, 0, 1};
    const double coefficient[] = {2, 1, 1};
    CHECK(view.n_edges == 3 && view.n_forms == 3);
    CHECK(memcmp(view.edge_start, start, sizeof start) == 0);
    CHECK(memcmp(view.edge_to, to, sizeof to) == 0);
    CHECK(memcmp(view.edge_form, form, sizeof form) == 0);
    CHECK(memcmp(view.form_base, base, sizeof base) == 0);
    CHECK(memcmp(view.form_start, form_start, sizeof form_start) == 0);
    CHECK(memcmp(view.form_parameter, parameter, sizeof parameter) == 0);
    CHECK(memcmp(view.form_coefficient, coefficient, sizeof coefficient) == 0);
    CHECK(view.vertex_class[2] == PTD_VERTEX_ABSORBING);
    CHECK(view.vertex_class[3] == PTD_VERTEX_ABSORBING);
    ptd_graph_destroy(graph);
}

/* Rounding makes sums depend on their order: 1 + 2^-53 + 2^-53 is 1 or more than 1. */
static void test_parallel_sums_ignore_order(void)
{
    enum { COUNT = 40 };
    double first_sum = 0;
    uint32_t seed = 7;
    double weights[COUNT];
    for (int k = 0; k < COUNT; k++) {
        weights[k] = ldexp(1.0 + next_random(&seed) % 1000, -(int)(next_random(&seed) % 80));
    }
    int orders_differ = 0;
    double plain_first = 0;
    for (int round = 0; round < 20; round++) {
        ptd_graph *graph = new_graph(PTD_CONTINUOUS, 0, 1);
        double plain = 0;
        for (uint32_t k = 0; k < COUNT; k++) {
            add(graph, 0, 1, weights[k]);
            plain += weights[k];
        }
        CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
        ptd_graph_view view = view_of(graph);
        CHECK(view.n_edges == 1 && view.n_forms == 1);
        first_sum = round == 0 ? view.form_base[0] : first_sum;
        plain_first = round == 0 ? plain : plain_first;
        CHECK(view.form_base[0] == first_sum);
        CHECK(fabs(view.form_base[0] - plain) <= 1e-14 * plain);
        orders_differ |= plain != plain_first;
        ptd_graph_destroy(graph);
        for (uint32_t k = COUNT - 1; k > 0; k--) {
            uint32_t j = next_random(&seed) % (k + 1);
            double weight = weights[k];
            weights[k] = weights[j];
            weights[j] = weight;
        }
    }
    CHECK(orders_differ);
}

static void test_self_loops(void)
{
    for (int kind = PTD_CONTINUOUS; kind <= PTD_DISCRETE; kind++) {
        ptd_graph *graph = new_graph((ptd_kind)kind, 0, 2);
        add(graph, 0, 1, 1.0);
        add(graph, 1, 1, 0.5);
        add(graph, 1, 2, 0.5);
        CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
        ptd_graph_view view = view_of(graph);
        CHECK(view.n_edges == (kind == PTD_DISCRETE ? 3 : 2));
        CHECK(view.edge_to[1] == (kind == PTD_DISCRETE ? 1 : 2));
        ptd_graph_destroy(graph);

        /* A vertex that only returns to itself: a trap (discrete), absorbing (continuous). */
        graph = new_graph((ptd_kind)kind, 0, 2);
        add(graph, 0, 1, 1.0);
        add(graph, 1, 1, 0.5);
        ptd_error error = {0};
        ptd_status status = ptd_graph_freeze(graph, 0, &error);
        CHECK(status == (kind == PTD_DISCRETE ? PTD_GRAPH_NO_ABSORPTION : PTD_OK));
        CHECK(kind == PTD_CONTINUOUS || error.index == 1);
        ptd_graph_destroy(graph);
    }
}

/* ---- one graph, added in many orders */

enum { SIDE = 7, LATTICE = SIDE * SIDE * SIDE, LATTICE_EDGES = 8 * LATTICE };

typedef struct {
    int32_t states[LATTICE][3];
    int64_t n_edges;
    int64_t from[LATTICE_EDGES]; /* -1: the start */
    int64_t to[LATTICE_EDGES];
    double base[LATTICE_EDGES];
    double coefficients[LATTICE_EDGES][2];
} lattice;

static void lattice_edge(lattice *l, int64_t from, int64_t to, double base, double a, double b)
{
    int64_t e = l->n_edges++;
    l->from[e] = from;
    l->to[e] = to;
    l->base[e] = base;
    l->coefficients[e][0] = a;
    l->coefficients[e][1] = b;
}

static lattice *make_lattice(void)
{
    lattice *l = calloc(1, sizeof *l);
    for (int32_t v = 0; v < LATTICE; v++) {
        const int32_t x[] = {v / (SIDE * SIDE), v / SIDE % SIDE, v % SIDE};
        for (int k = 0; k < 3; k++) {
            l->states[v][k] = x[k] - 3;
        }
        const int32_t step[] = {SIDE * SIDE, SIDE, 1};
        for (int k = 0; k < 3; k++) {
            if (x[k] + 1 < SIDE) {
                lattice_edge(l, v, v + step[k], 0.1 * x[k], 1.0 + x[k], 0.0);
                lattice_edge(l, v, v + step[k], 0.3, 0.0, 0.7 * k);
            }
        }
        if (x[0] > 0) {
            lattice_edge(l, v, v - step[0], 1e-9, 0.0, 1.0);
        }
    }
    lattice_edge(l, LATTICE - 1, 0, 0.0, 0.0, 0.0);
    lattice_edge(l, -1, 0, 0.1, 0.0, 0.0);
    lattice_edge(l, -1, 5, 0.2, 0.0, 0.0);
    lattice_edge(l, -1, 0, 0.7, 0.0, 0.0);
    return l;
}

static void shuffle(int64_t *permutation, int64_t count, uint32_t *seed)
{
    for (int64_t k = 0; k < count; k++) {
        permutation[k] = k;
    }
    for (int64_t k = count - 1; *seed != 0 && k > 0; k--) {
        int64_t j = next_random(seed) % (k + 1);
        int64_t value = permutation[k];
        permutation[k] = permutation[j];
        permutation[j] = value;
    }
}

/* The lattice with vertices and edges in an order that depends on the seed; 0: as they are. */
static ptd_graph *shuffled_graph(const lattice *l, uint32_t seed)
{
    int64_t vertex[LATTICE];
    int64_t number[LATTICE];
    int64_t *edge = malloc((size_t)l->n_edges * sizeof *edge);
    int one_by_one = seed % 2 != 0;
    ptd_graph *graph = NULL;
    shuffle(vertex, LATTICE, &seed);
    shuffle(edge, l->n_edges, &seed);
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 2, 3, &graph, NULL) == PTD_OK);
    for (int64_t k = 0; k < LATTICE; k++) {
        number[vertex[k]] = k + 1;
        CHECK(ptd_graph_add_vertices(graph, 1, l->states[vertex[k]], NULL) == PTD_OK);
    }
    int64_t count = 0;
    int64_t *from = malloc((size_t)l->n_edges * sizeof *from);
    int64_t *to = malloc((size_t)l->n_edges * sizeof *to);
    double *base = malloc((size_t)l->n_edges * sizeof *base);
    double (*coefficients)[2] = malloc((size_t)l->n_edges * sizeof *coefficients);
    for (int64_t k = 0; k < l->n_edges; k++) {
        int64_t e = edge[k];
        if (l->from[e] == LATTICE - 1 && l->base[e] != 0.0) {
            continue; /* the last vertex absorbs: of its edges only the one of weight 0 is added */
        }
        from[count] = l->from[e] < 0 ? 0 : number[l->from[e]];
        to[count] = number[l->to[e]];
        base[count] = l->base[e];
        memcpy(coefficients[count], l->coefficients[e], sizeof coefficients[count]);
        count++;
    }
    if (one_by_one) {
        for (int64_t k = 0; k < count; k++) {
            CHECK(ptd_graph_add_edge(graph, from[k], to[k], base[k], coefficients[k], NULL) ==
                  PTD_OK);
        }
    } else {
        CHECK(ptd_graph_add_edges(graph, count, from, to, base, coefficients[0], NULL) == PTD_OK);
    }
    free(edge);
    free(from);
    free(to);
    free(base);
    free(coefficients);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    return graph;
}

static int same_bytes(const void *a, const void *b, int64_t count, size_t size)
{
    return memcmp(a, b, (size_t)count * size) == 0;
}

/* Everything but added_order. */
static int views_agree(const ptd_graph *a, const ptd_graph *b)
{
    ptd_graph_view x = view_of(a);
    ptd_graph_view y = view_of(b);
    int64_t n = x.n_vertices;
    if (n != y.n_vertices || x.n_edges != y.n_edges || x.n_forms != y.n_forms ||
        x.n_dropped != y.n_dropped) {
        return 0;
    }
    int64_t entries = x.form_start[x.n_forms];
    return same_bytes(x.states, y.states, n * x.state_length, sizeof *x.states) &&
           same_bytes(x.vertex_class, y.vertex_class, n, sizeof *x.vertex_class) &&
           same_bytes(x.edge_start, y.edge_start, n + 1, sizeof *x.edge_start) &&
           same_bytes(x.edge_to, y.edge_to, x.n_edges, sizeof *x.edge_to) &&
           same_bytes(x.edge_form, y.edge_form, x.n_edges, sizeof *x.edge_form) &&
           same_bytes(x.form_base, y.form_base, x.n_forms, sizeof *x.form_base) &&
           same_bytes(x.form_start, y.form_start, x.n_forms + 1, sizeof *x.form_start) &&
           same_bytes(x.form_parameter, y.form_parameter, entries, sizeof *x.form_parameter) &&
           same_bytes(x.form_coefficient, y.form_coefficient, entries, sizeof *x.form_coefficient);
}

static int keys_agree(const ptd_graph *a, const ptd_graph *b)
{
    uint8_t x[PTD_HASH_BYTES];
    uint8_t y[PTD_HASH_BYTES];
    CHECK(ptd_graph_content_hash(a, x, NULL) == PTD_OK);
    CHECK(ptd_graph_content_hash(b, y, NULL) == PTD_OK);
    return memcmp(x, y, sizeof x) == 0;
}

static void test_insertion_orders(void)
{
    lattice *l = make_lattice();
    ptd_graph *reference = shuffled_graph(l, 0);
    ptd_graph_view view = view_of(reference);
    CHECK(view.n_vertices == LATTICE + 1);
    /* Each way up once, the ways down but the last vertex's, two from the start. */
    CHECK(view.n_edges == 3 * SIDE * SIDE * (SIDE - 1) + SIDE * SIDE * (SIDE - 1) - 1 + 2);
    CHECK(view.vertex_class[LATTICE] == PTD_VERTEX_ABSORBING && view.n_dropped == 0);
    for (uint32_t seed = 1; seed <= 20; seed++) {
        ptd_graph *graph = shuffled_graph(l, seed);
        CHECK(views_agree(graph, reference));
        CHECK(keys_agree(graph, reference));
        ptd_graph_destroy(graph);
    }
    /* The last bit of one start weight. */
    l->base[l->n_edges - 2] = nextafter(0.2, 1.0);
    ptd_graph *other = shuffled_graph(l, 3);
    CHECK(!views_agree(other, reference));
    CHECK(!keys_agree(other, reference));
    ptd_graph_destroy(other);
    ptd_graph_destroy(reference);
    free(l);
}

typedef struct {
    const lattice *source;
    ptd_graph *graph;
    uint32_t seed;
} building;

static void *build(void *argument)
{
    building *b = argument;
    for (int round = 0; round < 10; round++) {
        ptd_graph_destroy(b->graph);
        b->graph = shuffled_graph(b->source, b->seed + (uint32_t)round);
    }
    return NULL;
}

static void test_two_threads(void)
{
    lattice *l = make_lattice();
    ptd_graph *reference = shuffled_graph(l, 0);
    building buildings[2] = {{l, NULL, 100}, {l, NULL, 200}};
    pthread_t threads[2];
    for (int k = 0; k < 2; k++) {
        CHECK(pthread_create(&threads[k], NULL, build, &buildings[k]) == 0);
    }
    for (int k = 0; k < 2; k++) {
        CHECK(pthread_join(threads[k], NULL) == 0);
        CHECK(views_agree(buildings[k].graph, reference));
        CHECK(keys_agree(buildings[k].graph, reference));
        ptd_graph_destroy(buildings[k].graph);
    }
    ptd_graph_destroy(reference);
    free(l);
}

/* ---- classes */

static void check_classes(const ptd_graph *graph, const char *expected, int64_t dropped)
{
    ptd_graph_view view = view_of(graph);
    char found[16] = {0};
    for (int64_t v = 0; v < view.n_vertices; v++) {
        found[v] = "STAD"[view.vertex_class[v]];
    }
    CHECK(strcmp(found, expected) == 0);
    CHECK(view.n_dropped == dropped);
}

static void test_unreached_vertices(void)
{
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 0, 8);
    add(graph, 0, 1, 1);
    add(graph, 1, 2, 1);
    add(graph, 3, 2, 1); /* unreached, absorbed */
    add(graph, 4, 5, 1); /* unreached trap 4 <-> 5 */
    add(graph, 5, 4, 1);
    add(graph, 6, 4, 1); /* unreached, may end in the trap */
    add(graph, 6, 2, 1);
    add(graph, 7, 6, 1); /* unreached, by way of 6 */
    add(graph, 7, 8, 1);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    check_classes(graph, "STATDDDDA", 4);
    ptd_graph_destroy(graph);
}

static void test_improper(void)
{
    for (int improper = 0; improper < 2; improper++) {
        ptd_graph *graph = new_graph(PTD_CONTINUOUS, 1, 6);
        const double theta[] = {1.0};
        ptd_error error = {0};
        add(graph, 0, 3, 1);
        add(graph, 3, 4, 1);
        CHECK(ptd_graph_add_edge(graph, 3, 2, 0.0, theta, NULL) == PTD_OK);
        add(graph, 2, 1, 1); /* a trap 2 <-> 1, reached through a weight that may be 0 */
        add(graph, 1, 2, 1);
        add(graph, 5, 3, 1); /* unreached, may end in the trap */
        add(graph, 6, 4, 1);
        ptd_status status = ptd_graph_freeze(graph, improper, &error);
        if (improper) {
            CHECK(status == PTD_OK);
            check_classes(graph, "SDDTADT", 3);
        } else {
            CHECK(status == PTD_GRAPH_NO_ABSORPTION && error.index == 1);
            /* The graph is unchanged and can be mended. */
            add(graph, 1, 4, 1);
            CHECK(ptd_graph_freeze(graph, improper, &error) == PTD_OK);
            check_classes(graph, "STTTATT", 0);
        }
        ptd_graph_destroy(graph);
    }
}

static void test_start_into_absorption(void)
{
    ptd_graph *graph = new_graph(PTD_DISCRETE, 0, 2);
    add(graph, 0, 1, 1);
    add(graph, 0, 2, 3);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    check_classes(graph, "SAA", 0);
    ptd_graph_destroy(graph);
}

/* ---- errors */

static void test_create_errors(void)
{
    ptd_graph *graph = (ptd_graph *)&graph;
    ptd_error error = {0};
    CHECK(ptd_graph_create((ptd_kind)2, 0, 0, &graph, &error) == PTD_INVALID_ARGUMENT);
    CHECK(graph == NULL && error.index == 0 && error.value == 2.0);
    CHECK(ptd_graph_create(PTD_DISCRETE, -1, 0, &graph, &error) == PTD_INVALID_ARGUMENT);
    CHECK(error.index == 1);
    CHECK(ptd_graph_create(PTD_DISCRETE, 0, -1, &graph, NULL) == PTD_INVALID_ARGUMENT);
    ptd_graph_destroy(NULL);
}

static void test_vertex_errors(void)
{
    ptd_graph *graph = NULL;
    ptd_error error = {0};
    const int32_t states[] = {4, 2, 9, 2};
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 0, 1, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, -1, states, &error) == PTD_INVALID_ARGUMENT);
    CHECK(error.index == 1);
    CHECK(ptd_graph_add_vertices(graph, 1, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(error.index == 2);
    CHECK(ptd_graph_add_vertices(graph, INT32_MAX, states, &error) == PTD_GRAPH_TOO_LARGE);
    CHECK(error.value == INT32_MAX - 1.0);
    CHECK(ptd_graph_vertex_count(graph) == 1);
    CHECK(ptd_graph_add_vertices(graph, 4, states, &error) == PTD_OK);
    add(graph, 0, 1, 1);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_STATE_REPEATED);
    CHECK(error.index == 4 && error.value == 2.0);
    ptd_graph_destroy(graph);
}

static void test_edge_errors(void)
{
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 2, 2);
    ptd_error error = {0};
    const struct {
        int64_t from, to;
        double base;
        double coefficients[2];
        ptd_status status;
        double value;
    } bad[] = {
        {3, 1, 1, {0, 0}, PTD_GRAPH_VERTEX_RANGE, 3},
        {-1, 1, 1, {0, 0}, PTD_GRAPH_VERTEX_RANGE, -1},
        {1, 3, 1, {0, 0}, PTD_GRAPH_VERTEX_RANGE, 3},
        {1, -1, 1, {0, 0}, PTD_GRAPH_VERTEX_RANGE, -1},
        {1, INT64_C(1) << 32, 1, {0, 0}, PTD_GRAPH_VERTEX_RANGE, 4294967296.0},
        {1, 0, 1, {0, 0}, PTD_GRAPH_START_ENTERED, 1},
        {1, 2, INFINITY, {0, 0}, PTD_GRAPH_WEIGHT_NOT_FINITE, INFINITY},
        {1, 2, 1, {0, -INFINITY}, PTD_GRAPH_WEIGHT_NOT_FINITE, -INFINITY},
        {1, 2, -2, {0, 0}, PTD_GRAPH_WEIGHT_NEGATIVE, -2},
        {1, 2, -2, {0, -0.0}, PTD_GRAPH_WEIGHT_NEGATIVE, -2},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        const int64_t from[] = {0, 1, bad[k].from};
        const int64_t to[] = {1, 2, bad[k].to};
        const double base[] = {1, 1, bad[k].base};
        const double coefficients[] = {0, 0, 0, 0, bad[k].coefficients[0], bad[k].coefficients[1]};
        CHECK(ptd_graph_add_edges(graph, 3, from, to, base, coefficients, &error) == bad[k].status);
        CHECK(error.status == bad[k].status && error.index == 2 && error.value == bad[k].value);
    }
    const double nans[] = {1, NAN};
    CHECK(ptd_graph_add_edge(graph, 1, 2, NAN, NULL, &error) == PTD_GRAPH_WEIGHT_NOT_FINITE);
    CHECK(ptd_graph_add_edge(graph, 1, 2, 1, nans, &error) == PTD_GRAPH_WEIGHT_NOT_FINITE);
    CHECK(ptd_graph_add_edge(graph, 1, 2, -1, NULL, NULL) == PTD_GRAPH_WEIGHT_NEGATIVE);
    CHECK(ptd_graph_add_edges(graph, -1, NULL, NULL, NULL, NULL, &error) == PTD_INVALID_ARGUMENT);
    CHECK(ptd_graph_add_edges(graph, 0, NULL, NULL, NULL, NULL, &error) == PTD_OK);
    /* None of the edges beside the bad ones was added. */
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_NO_START);
    /* A base may be negative where a coefficient may make up for it. */
    const double up[] = {1, 0};
    add(graph, 0, 1, 1);
    CHECK(ptd_graph_add_edge(graph, 1, 2, -1, up, &error) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_OK);
    ptd_graph_destroy(graph);
}

static void test_merged_weight_errors(void)
{
    const double up[] = {1};
    const double down[] = {-1};
    ptd_error error = {0};
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 1, 2);
    add(graph, 0, 1, 1);
    CHECK(ptd_graph_add_edge(graph, 1, 2, -1, up, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 2, 0, down, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_WEIGHT_NEGATIVE);
    CHECK(error.index == 1 && error.value == -1.0);
    add(graph, 1, 2, 1e308);
    add(graph, 1, 2, 1e308);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_WEIGHT_NOT_FINITE);
    CHECK(error.index == 1);
    ptd_graph_destroy(graph);
}

static void test_freeze_errors(void)
{
    ptd_error error = {0};
    ptd_graph_view view;
    uint8_t hash[PTD_HASH_BYTES];
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 0, 0);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_EMPTY);
    CHECK(ptd_graph_add_vertices(graph, 2, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_NO_START);
    add(graph, 0, 1, 0.0);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_NO_START);
    add(graph, 0, 1, 1);
    CHECK(ptd_graph_get_view(graph, &view, &error) == PTD_GRAPH_NOT_FROZEN);
    CHECK(ptd_graph_content_hash(graph, hash, &error) == PTD_GRAPH_NOT_FROZEN);
    CHECK(ptd_graph_trace_key(graph, hash, &error) == PTD_GRAPH_NOT_FROZEN);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_GRAPH_FROZEN);
    CHECK(ptd_graph_add_vertices(graph, 1, NULL, &error) == PTD_GRAPH_FROZEN);
    CHECK(ptd_graph_add_edge(graph, 0, 1, 1, NULL, &error) == PTD_GRAPH_FROZEN);
    CHECK(view_of(graph).n_vertices == 3);
    ptd_graph_destroy(graph);
}

/* A failing freeze leaves no trace of itself in the one that succeeds. */
static void test_freeze_again(void)
{
    ptd_graph *graphs[2];
    for (int k = 0; k < 2; k++) {
        graphs[k] = new_graph(PTD_CONTINUOUS, 0, 3);
        add(graphs[k], 0, 1, 1);
        add(graphs[k], 1, 2, 0.25);
        add(graphs[k], 1, 2, 0.5);
        add(graphs[k], 2, 1, 0.125);
        if (k == 0) {
            CHECK(ptd_graph_freeze(graphs[k], 0, NULL) == PTD_GRAPH_NO_ABSORPTION);
        }
        add(graphs[k], 2, 3, 0.5);
        add(graphs[k], 2, 3, 0.5);
        CHECK(ptd_graph_freeze(graphs[k], 0, NULL) == PTD_OK);
    }
    CHECK(views_agree(graphs[0], graphs[1]));
    ptd_graph_destroy(graphs[0]);
    ptd_graph_destroy(graphs[1]);
}

/* ---- size */

static void test_long_chain(void)
{
    enum { COUNT = 1000000 };
    ptd_graph *graph = NULL;
    int32_t *states = malloc(COUNT * sizeof *states);
    int64_t *from = malloc(COUNT * sizeof *from);
    int64_t *to = malloc(COUNT * sizeof *to);
    double *base = malloc(COUNT * sizeof *base);
    /* Added scattered: 7919 has no common factor with the count. */
    for (int64_t k = 0; k < COUNT; k++) {
        states[k] = (int32_t)(k * 7919 % COUNT);
        from[states[k]] = k + 1;
    }
    for (int64_t k = 0; k < COUNT; k++) {
        to[k] = from[k];
        base[k] = 1.0 + (double)(k % 3);
    }
    for (int64_t k = COUNT - 1; k > 0; k--) {
        from[k] = to[k - 1];
    }
    from[0] = 0;
    clock_t before = clock();
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 0, 1, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, COUNT, states, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edges(graph, COUNT, from, to, base, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    CHECK((double)(clock() - before) / CLOCKS_PER_SEC < 10.0);
    ptd_graph_view view = view_of(graph);
    CHECK(view.n_edges == COUNT && view.n_forms == 3 && view.n_dropped == 0);
    int right = 1;
    for (int64_t v = 0; v < COUNT; v++) {
        right &= view.edge_start[v] == v && view.edge_to[v] == v + 1;
        right &= view.form_base[view.edge_form[v]] == 1.0 + (double)(v % 3);
    }
    CHECK(right);
    CHECK(view.vertex_class[COUNT] == PTD_VERTEX_ABSORBING);
    ptd_graph_destroy(graph);
    free(states);
    free(from);
    free(to);
    free(base);
}

int main(void)
{
    test_canonical_order();
    test_wide_states();
    test_merging();
    test_parallel_sums_ignore_order();
    test_self_loops();
    test_insertion_orders();
    test_two_threads();
    test_unreached_vertices();
    test_improper();
    test_start_into_absorption();
    test_create_errors();
    test_vertex_errors();
    test_edge_errors();
    test_merged_weight_errors();
    test_freeze_errors();
    test_freeze_again();
    test_long_chain();
    return check_failures != 0;
}
