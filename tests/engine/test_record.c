/* Recording: the arrays, read back by a plain interpreter, against elimination written naively. */
#include "ptd.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trace_reading.h"

/* ---- graphs */

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int64_t random_below(int64_t bound)
{
    return (int64_t)(next_random() % (uint64_t)bound);
}

enum { N_PARAMETERS = 3 };
static const double THETA[N_PARAMETERS] = {0.3, 2.0, 1e-3};

static ptd_graph *new_graph(ptd_kind kind, int64_t n_vertices)
{
    ptd_graph *graph = NULL;
    CHECK(ptd_graph_create(kind, N_PARAMETERS, 0, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, n_vertices - 1, NULL, NULL) == PTD_OK);
    return graph;
}

static void connect(ptd_graph *graph, int64_t from, int64_t to, double base, double c0, double c1,
                    double c2)
{
    const double coefficients[N_PARAMETERS] = {c0, c1, c2};
    CHECK(ptd_graph_add_edge(graph, from, to, base, coefficients, NULL) == PTD_OK);
}

/* One of a few weights, all positive at THETA, some with coefficients of both signs. */
static void connect_at_random(ptd_graph *graph, int64_t from, int64_t to)
{
    switch (random_below(6)) {
    case 0:
        connect(graph, from, to, 0.0, 1.0, 0.0, 0.0);
        break;
    case 1:
        connect(graph, from, to, 1.0, -1.0, 0.0, 0.0);
        break;
    case 2:
        connect(graph, from, to, 0.5, 0.0, 2.0, 0.0);
        break;
    case 3:
        connect(graph, from, to, 0.0, 0.0, 1.0, -3.0);
        break;
    case 4:
        connect(graph, from, to, 0.0, 0.0, 0.0, 1.0);
        break;
    default:
        connect(graph, from, to, 0.25 * (double)(1 + random_below(3)), 0.0, 0.0, 1.0);
    }
}

static ptd_graph_view view_of(const ptd_graph *graph)
{
    ptd_graph_view view;
    memset(&view, 0, sizeof view);
    CHECK(ptd_graph_get_view(graph, &view, NULL) == PTD_OK);
    return view;
}

/* ---- elimination in the order of canonical numbers, dense, vertex by vertex */

static double edge_weight(const ptd_graph_view *graph, int64_t edge)
{
    uint32_t form = graph->edge_form[edge];
    double weight = graph->form_base[form];
    for (int64_t k = graph->form_start[form]; k < graph->form_start[form + 1]; k++) {
        weight += graph->form_coefficient[k] * THETA[graph->form_parameter[k]];
    }
    return weight;
}

static int is_solved(const ptd_graph_view *graph, int64_t vertex)
{
    return graph->vertex_class[vertex] == PTD_VERTEX_START ||
           graph->vertex_class[vertex] == PTD_VERTEX_TRANSIENT;
}

static double *eliminate_naively(const ptd_graph_view *graph, const double *reward)
{
    size_t n = (size_t)graph->n_vertices;
    double *weight = test_allocate(n * n, sizeof *weight);
    double *exit = test_allocate(n, sizeof *exit);
    double *collected = test_allocate(n, sizeof *collected);
    double *rate = test_allocate(n, sizeof *rate);
    double *x = test_allocate(n, sizeof *x);
    for (size_t v = 0; v < n; v++) {
        collected[v] = v == 0 ? 0.0 : reward[v];
        for (int64_t e = graph->edge_start[v]; e < graph->edge_start[v + 1]; e++) {
            int64_t to = graph->edge_to[e];
            if (is_solved(graph, to)) {
                weight[v * n + (size_t)to] = edge_weight(graph, e);
            } else {
                exit[v] += edge_weight(graph, e);
            }
        }
    }
    for (size_t v = n; v-- > 0;) {
        if (!is_solved(graph, (int64_t)v)) {
            continue;
        }
        rate[v] = exit[v];
        for (size_t j = 0; j < v; j++) {
            rate[v] += weight[v * n + j];
        }
        for (size_t i = 0; i < v; i++) {
            double p = weight[i * n + v] / rate[v];
            for (size_t j = 0; j < v; j++) {
                weight[i * n + j] += p * weight[v * n + j];
            }
            exit[i] += p * exit[v];
            collected[i] += p * collected[v];
        }
    }
    for (size_t v = 0; v < n; v++) {
        if (is_solved(graph, (int64_t)v)) {
            x[v] = collected[v];
            for (size_t j = 0; j < v; j++) {
                x[v] += weight[v * n + j] * x[j];
            }
            x[v] /= rate[v];
        }
    }
    free(weight);
    free(exit);
    free(collected);
    free(rate);
    return x;
}

static double *random_rewards(int64_t n)
{
    double *reward = test_allocate((size_t)n, sizeof *reward);
    for (int64_t v = 0; v < n; v++) {
        reward[v] = (double)random_below(1000) / 100.0;
    }
    return reward;
}

static ptd_elimination_trace *record(const ptd_graph *graph)
{
    ptd_elimination_trace *trace = NULL;
    CHECK(ptd_record_elimination_trace(graph, NULL, &trace, NULL) == PTD_OK);
    return trace;
}

/* What is recorded passes the validation that traces from elsewhere have to pass. */
static void check_validity(const ptd_elimination_trace *trace)
{
    ptd_array arrays[PTD_TRACE_ARRAY_COUNT];
    ptd_elimination_trace *copy = NULL;
    ptd_error error = {0};
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_elimination_trace_array(trace, (ptd_trace_array_id)id, &arrays[id]);
    }
    CHECK(ptd_elimination_trace_create(ptd_elimination_trace_meta(trace), arrays, &copy, &error) ==
          PTD_OK);
    if (copy) {
        CHECK(traces_equal(trace, copy));
    } else {
        fprintf(stderr, "refused: array %s at %g\n",
                ptd_trace_array_name((ptd_trace_array_id)error.index), error.value);
    }
    ptd_elimination_trace_destroy(copy);
}

/* Freezes, records, interprets, compares with naive elimination. */
static ptd_elimination_trace *check_graph(ptd_graph *graph, int32_t improper,
                                          program_census *census)
{
    CHECK(ptd_graph_freeze(graph, improper, NULL) == PTD_OK);
    ptd_graph_view view = view_of(graph);
    ptd_elimination_trace *trace = record(graph);
    if (!trace) {
        exit(1);
    }
    check_layout(trace, &view, THETA);
    check_validity(trace);
    double *reward = random_rewards(view.n_vertices);
    double *expected = eliminate_naively(&view, reward);
    double *found = interpret(trace, THETA, reward, census);
    for (int64_t v = 0; v < view.n_vertices; v++) {
        CHECK(fabs(found[v] - expected[v]) <= 1e-12 * expected[v]);
    }
    CHECK(census->multiply_adds == ptd_elimination_trace_meta(trace)->multiply_adds);
    free(reward);
    free(expected);
    free(found);
    return trace;
}

/* ---- tests */

static void test_two_vertices(void)
{
    program_census census;
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 4);
    connect(graph, 0, 1, 1.0, 0.0, 0.0, 0.0);
    connect(graph, 1, 2, 0.0, 1.0, 0.0, 0.0);
    connect(graph, 2, 1, 0.0, 0.0, 1.0, 0.0);
    connect(graph, 2, 3, 0.0, 0.0, 0.0, 1.0);
    ptd_elimination_trace *trace = check_graph(graph, 0, &census);
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    CHECK(meta->n_absorbing == 1 && meta->n_dropped == 0);
    CHECK(meta->n_components == 2 && meta->n_blocks == 1);
    CHECK(meta->lower_entries == 1 && meta->upper_entries == 1 && meta->fill_in == 0);
    CHECK(meta->largest_component == 2);
    CHECK(meta->kind == PTD_CONTINUOUS && meta->n_parameters == N_PARAMETERS);
    /* The mean from 1: (theta0 + theta1 + theta2) / (theta0 theta2). */
    double reward[4] = {0.0, 1.0, 1.0, 0.0};
    double *x = interpret(trace, THETA, reward, &census);
    CHECK(fabs(x[0] * THETA[0] * THETA[2] - (THETA[0] + THETA[1] + THETA[2])) < 1e-14);
    free(x);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

static void test_random_digraphs(void)
{
    program_census census;
    int64_t groups[5] = {0};
    int64_t runs = 0;
    int64_t lists = 0;
    for (int trial = 0; trial < 300; trial++) {
        random_state = 88172645463325252u + (uint64_t)trial;
        int64_t n = 3 + random_below(trial < 250 ? 40 : 150);
        ptd_kind kind = trial % 4 == 0 ? PTD_DISCRETE : PTD_CONTINUOUS;
        ptd_graph *graph = new_graph(kind, n);
        int64_t n_edges = random_below(n * (1 + random_below(trial % 10 == 0 ? n : 6)));
        connect_at_random(graph, 0, 1 + random_below(n - 1));
        for (int64_t e = 0; e < n_edges; e++) {
            int64_t from = random_below(n - 1);
            int64_t to = 1 + random_below(n - 1);
            if (kind == PTD_DISCRETE || from != to) {
                connect_at_random(graph, from, to);
            }
        }
        /* Every vertex has a way to the last one, that of its number. */
        for (int64_t v = 1; v < n - 1; v++) {
            if (random_below(3) == 0 || v == n - 2) {
                connect_at_random(graph, v, n - 1);
            } else {
                connect_at_random(graph, v, v + 1);
            }
        }
        ptd_elimination_trace *trace = check_graph(graph, 0, &census);
        for (int s = 1; s <= 4; s++) {
            groups[s] += census.groups[s];
        }
        runs += census.run_groups;
        lists += census.list_groups;
        ptd_elimination_trace_destroy(trace);
        ptd_graph_destroy(graph);
    }
    CHECK(groups[1] > 0 && groups[2] > 0 && groups[3] > 0 && groups[4] > 0);
    CHECK(runs > 0 && lists > 0);
}

/* A complete digraph: each row of L is one supernode, groups of four and one run each. */
static void test_dense(void)
{
    enum { SIZE = 41 };
    program_census census;
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, SIZE + 2);
    random_state = 7;
    connect_at_random(graph, 0, 1);
    for (int64_t i = 1; i <= SIZE; i++) {
        for (int64_t j = 1; j <= SIZE + 1; j++) {
            if (i != j) {
                connect_at_random(graph, i, j);
            }
        }
    }
    ptd_elimination_trace *trace = check_graph(graph, 0, &census);
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    int64_t off_diagonal = (int64_t)SIZE * (SIZE - 1) * (SIZE - 2) / 3;
    CHECK(meta->multiply_adds == off_diagonal + SIZE * (SIZE - 1) / 2);
    CHECK(meta->fill_in == 0);
    CHECK(census.groups[4] > census.groups[1] + census.groups[2] + census.groups[3]);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

static void add_ring(ptd_graph *graph, int64_t first, int64_t size, int64_t out, double weight)
{
    for (int64_t k = 0; k < size; k++) {
        connect(graph, first + k, first + (k + 1) % size, weight, 1.0, 0.0, 0.0);
        connect(graph, first + k, out, 0.0, 0.0, 1.0, 0.0);
    }
}

/* Rings in a row: equal weights share a block, other forms or exits do not. */
static void test_shared_blocks(void)
{
    enum { SIZE = 5, RINGS = 6 };
    program_census census;
    int64_t absorbing = 1 + SIZE * RINGS;
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, absorbing + 1);
    connect(graph, 0, 1, 1.0, 0.0, 0.0, 0.0);
    for (int64_t r = 0; r < RINGS; r++) {
        int64_t next = r + 1 < RINGS ? 1 + (r + 1) * SIZE : absorbing;
        add_ring(graph, 1 + r * SIZE, SIZE, next, r == 4 ? 2.0 : 1.0);
    }
    connect(graph, 1, absorbing, 0.0, 0.0, 0.0, 1.0);
    ptd_elimination_trace *trace = check_graph(graph, 0, &census);
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const uint32_t *block = trace_u32(trace, PTD_COMPONENT_BLOCK);
    CHECK(meta->n_components == RINGS + 1);
    CHECK(meta->n_blocks == 3);
    /* Downstream first: ring 5, 4 (other forms), 3, 2, 1, 0 (another exit), start. */
    CHECK(block[0] == 0 && block[1] == 1 && block[2] == 0 && block[3] == 0 && block[4] == 0);
    CHECK(block[5] == 2 && block[6] == PTD_NONE);
    CHECK(trace_u32(trace, PTD_BLOCK_POSITION)[1] == 1 + SIZE);
    CHECK(meta->lower_entries + meta->upper_entries - meta->fill_in == RINGS * SIZE);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

/* A component whose only exit is at one vertex: the others have none. */
static void test_no_way_out(void)
{
    enum { SIZE = 9 };
    program_census census;
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, SIZE + 2);
    connect(graph, 0, 1, 1.0, 0.0, 0.0, 0.0);
    for (int64_t k = 0; k < SIZE; k++) {
        connect(graph, 1 + k, 1 + (k + 1) % SIZE, 1.0, 0.0, 0.0, 0.0);
        connect(graph, 1 + (k + 1) % SIZE, 1 + k, 0.0, 1.0, 0.0, 0.0);
    }
    connect(graph, 3, SIZE + 1, 0.0, 0.0, 0.0, 1.0);
    ptd_elimination_trace *trace = check_graph(graph, 0, &census);
    const uint32_t *exit = trace_u32(trace, PTD_EXIT_OF_POSITION);
    int none = 0;
    for (int64_t p = 1; p < SIZE + 1; p++) {
        none += exit[p] == PTD_NONE;
    }
    CHECK(none == SIZE - 1);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

/* Two absorbing vertices and a trap: boundary first, traps after absorption, start last. */
static void test_boundary(void)
{
    program_census census;
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 8);
    connect(graph, 0, 5, 1.0, 0.0, 0.0, 0.0);
    connect(graph, 0, 6, 0.5, 0.0, 0.0, 0.0);
    connect(graph, 0, 3, 0.5, 0.0, 0.0, 0.0);
    connect(graph, 5, 6, 0.0, 1.0, 0.0, 0.0);
    connect(graph, 6, 5, 0.0, 1.0, 0.0, 0.0);
    connect(graph, 6, 1, 0.0, 0.0, 1.0, 0.0);
    connect(graph, 5, 7, 0.0, 0.0, 1.0, 0.0);
    connect(graph, 5, 2, 1.0, 0.0, 0.0, 0.0);
    connect(graph, 2, 4, 1.0, 0.0, 0.0, 0.0);
    connect(graph, 4, 2, 1.0, 0.0, 0.0, 0.0);
    ptd_elimination_trace *trace = check_graph(graph, 1, &census);
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const uint32_t *vertex = trace_u32(trace, PTD_POSITION_VERTEX);
    CHECK(meta->n_absorbing == 3 && meta->n_dropped == 2);
    CHECK(vertex[0] == 1 && vertex[1] == 3 && vertex[2] == 7);
    CHECK(vertex[3] == 2 && vertex[4] == 4 && vertex[7] == 0);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

/* Vertices that nothing leads to: one that is absorbed is solved, one that can fall into a trap is
 * dropped with the trap, and keeps its edges, those to solved vertices too. */
static void test_unreachable(void)
{
    program_census census;
    ptd_graph *graph = new_graph(PTD_DISCRETE, 7);
    connect(graph, 0, 4, 1.0, 0.0, 0.0, 0.0);
    connect(graph, 4, 6, 0.25, 0.0, 0.0, 0.0);
    connect(graph, 3, 4, 0.5, 0.0, 0.0, 0.0);
    connect(graph, 1, 2, 0.25, 0.0, 0.0, 0.0);
    connect(graph, 1, 4, 0.25, 0.0, 0.0, 0.0);
    connect(graph, 1, 3, 0.25, 0.0, 0.0, 0.0);
    connect(graph, 1, 1, 0.25, 0.0, 0.0, 0.0);
    connect(graph, 2, 5, 0.5, 0.0, 0.0, 0.0);
    connect(graph, 5, 2, 0.5, 0.0, 0.0, 0.0);
    ptd_elimination_trace *trace = check_graph(graph, 0, &census);
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const uint32_t *vertex = trace_u32(trace, PTD_POSITION_VERTEX);
    const uint32_t *edge_start = trace_u32(trace, PTD_EDGE_START);
    CHECK(meta->n_absorbing == 1 && meta->n_dropped == 3 && meta->n_components == 3);
    CHECK(vertex[0] == 6 && vertex[1] == 1 && vertex[2] == 2 && vertex[3] == 5);
    CHECK(edge_start[2] - edge_start[1] == 4);
    CHECK(trace_u32(trace, PTD_EDGE_EXTERNAL)[1] == edge_start[1]);
    CHECK(trace_u32(trace, PTD_EDGE_BOUNDARY)[1] == edge_start[1] + 2);
    CHECK(trace_u32(trace, PTD_EDGE_SELF)[1] == edge_start[1] + 3);
    CHECK(trace_u32(trace, PTD_EXIT_OF_POSITION)[1] == PTD_NONE);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

/* Acyclic and with the start into absorption only: no block, arrays of length 0 or 1. */
static void test_no_blocks(void)
{
    program_census census;
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 2);
    connect(graph, 0, 1, 1.0, 0.0, 0.0, 0.0);
    ptd_elimination_trace *trace = check_graph(graph, 0, &census);
    CHECK(ptd_elimination_trace_meta(trace)->n_blocks == 0);
    CHECK(ptd_elimination_trace_meta(trace)->multiply_adds == 0);
    CHECK(trace_length(trace, PTD_ROW_SLOT) == 1 && trace_u32(trace, PTD_ROW_SLOT)[0] == 0);
    CHECK(trace_length(trace, PTD_PROGRAM) == 0);
    CHECK(trace_length(trace, PTD_STATES) == 0);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

/* Six hubs, joined to 70,000 leaves: rows of more than 65,535 slots, in 32-bit words. The exit of
 * every vertex is half of what leaves it, so a residual bounds the error by twice itself. */
static void test_wide_rows(void)
{
    enum { HUBS = 6, LEAVES = 70000, N = 2 + HUBS + LEAVES };
    program_census census;
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, N);
    int64_t absorbing = N - 1;
    connect(graph, 0, 1, 1.0, 0.0, 0.0, 0.0);
    for (int64_t h = 1; h <= HUBS; h++) {
        connect(graph, h, absorbing, (double)LEAVES, 0.0, 0.0, 0.0);
        for (int64_t v = 1 + HUBS; v < absorbing; v++) {
            connect(graph, h, v, 1.0, 0.0, 0.0, 0.0);
            connect(graph, v, h, 0.0, 1.0, 0.0, 0.0);
        }
    }
    for (int64_t v = 1 + HUBS; v < absorbing; v++) {
        int64_t k = v - 1 - HUBS;
        connect(graph, v, absorbing, 0.0, 12.0, 0.0, 0.0);
        if (k % 2 == 0) {
            connect(graph, v, v + 1, 0.0, 3.0, 0.0, 0.0);
            connect(graph, v + 1, v, 0.0, 3.0, 0.0, 0.0);
        }
    }
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    ptd_graph_view view = view_of(graph);
    ptd_elimination_trace *trace = record(graph);
    double *reward = random_rewards(N);
    check_validity(trace);
    double *x = interpret(trace, THETA, reward, &census);
    CHECK(census.wide_rows >= HUBS);
    CHECK(census.groups[2] > 0);
    CHECK(census.run_groups > 0 && census.list_groups > 0);
    for (int64_t v = 1; v < absorbing; v++) {
        double rate = 0.0;
        double sum = reward[v];
        for (int64_t e = view.edge_start[v]; e < view.edge_start[v + 1]; e++) {
            rate += edge_weight(&view, e);
            sum += edge_weight(&view, e) * x[view.edge_to[e]];
        }
        CHECK(fabs(rate * x[v] - sum) <= 1e-11 * sum);
    }
    free(reward);
    free(x);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

/* A grid of states, added in the order of a random permutation. */
static ptd_graph *shuffled_grid(int32_t side, uint64_t seed)
{
    int64_t n = (int64_t)side * side;
    int64_t *rank = test_allocate((size_t)n, sizeof *rank);
    int32_t *states = test_allocate((size_t)(2 * n), sizeof *states);
    ptd_graph *graph = NULL;
    random_state = seed;
    for (int64_t k = 0; k < n; k++) {
        int64_t other = random_below(k + 1);
        rank[k] = rank[other];
        rank[other] = k;
    }
    for (int64_t k = 0; k < n; k++) {
        states[2 * rank[k]] = (int32_t)(k / side);
        states[2 * rank[k] + 1] = (int32_t)(k % side);
    }
    CHECK(ptd_graph_create(PTD_CONTINUOUS, N_PARAMETERS, 2, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, n, states, NULL) == PTD_OK);
    connect(graph, 0, 1 + rank[n / 2], 1.0, 0.0, 0.0, 0.0);
    for (int64_t place = 0; place < n; place++) {
        int64_t k = seed % 2 ? place : n - 1 - place;
        if (k == 0) {
            continue;
        }
        if (k % side + 1 < side) {
            double rate = 1.0 + 0.1 * (double)(k % 3);
            connect(graph, 1 + rank[k], 1 + rank[k + 1], 0.0, rate, 0.0, 0.0);
        }
        if (k % side > 0) {
            connect(graph, 1 + rank[k], 1 + rank[k - 1], 0.0, 0.0, 1.0, 0.0);
        }
        if (k / side + 1 < side) {
            connect(graph, 1 + rank[k], 1 + rank[k + side], 0.3, 0.0, 0.0, 0.0);
        }
        if (k / side > 0) {
            connect(graph, 1 + rank[k], 1 + rank[k - side], 0.7, 0.0, 0.0, 0.1);
        }
    }
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    free(rank);
    free(states);
    return graph;
}

static void test_determinism(void)
{
    ptd_graph *first_graph = shuffled_grid(30, 1);
    ptd_elimination_trace *first = record(first_graph);
    for (uint64_t seed = 2; seed < 10; seed++) {
        ptd_graph *graph = shuffled_grid(30, seed);
        ptd_elimination_trace *trace = record(graph);
        CHECK(traces_equal(first, trace));
        ptd_elimination_trace_destroy(trace);
        ptd_graph_destroy(graph);
    }
    ptd_graph *other_graph = shuffled_grid(31, 1);
    ptd_elimination_trace *other = record(other_graph);
    CHECK(!traces_equal(first, other));
    uint8_t content[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    uint8_t expected[PTD_HASH_BYTES];
    ptd_elimination_trace_hash(first, content, key);
    CHECK(ptd_graph_content_hash(first_graph, expected, NULL) == PTD_OK);
    CHECK(!memcmp(content, expected, PTD_HASH_BYTES));
    CHECK(ptd_graph_trace_key(first_graph, expected, NULL) == PTD_OK);
    CHECK(!memcmp(key, expected, PTD_HASH_BYTES));
    ptd_elimination_trace_destroy(first);
    ptd_elimination_trace_destroy(other);
    ptd_graph_destroy(first_graph);
    ptd_graph_destroy(other_graph);
}

typedef struct {
    int64_t calls;
    int64_t stop_at; /* the call to be refused, from 0 */
    int64_t done;
    int64_t total;
} listener;

static int listen(void *context, int64_t done, int64_t total)
{
    listener *l = context;
    CHECK(done >= l->done && done <= total);
    l->done = done;
    l->total = total;
    return l->calls++ == l->stop_at;
}

static void test_progress(void)
{
    ptd_graph *graph = shuffled_grid(80, 1);
    listener l = {.stop_at = -1};
    ptd_record_options options = {.progress = listen, .progress_context = &l};
    ptd_elimination_trace *trace = NULL;
    ptd_error error;
    CHECK(ptd_record_elimination_trace(graph, &options, &trace, &error) == PTD_OK);
    ptd_elimination_trace_destroy(trace);
    CHECK(l.done == l.total && l.total > 0);
    int64_t calls = l.calls;
    CHECK(calls > 4);
    for (int64_t stop = 0; stop < calls; stop++) {
        l = (listener){.stop_at = stop};
        trace = (ptd_elimination_trace *)&l;
        CHECK(ptd_record_elimination_trace(graph, &options, &trace, &error) == PTD_CANCELLED);
        CHECK(error.status == PTD_CANCELLED);
        CHECK(trace == NULL);
        CHECK(l.calls == stop + 1);
    }
    ptd_graph_destroy(graph);
}

static int64_t array_bytes(const ptd_elimination_trace *trace)
{
    int64_t bytes = 0;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        ptd_array array;
        ptd_elimination_trace_array(trace, (ptd_trace_array_id)id, &array);
        int64_t size = array.dtype == PTD_FLOAT64 ? 8 : array.dtype == PTD_UINT16 ? 2 : 4;
        bytes += array.length * size;
    }
    return bytes;
}

/* The bound holds at every size, and a trace that fits is recorded as without it. */
static void test_too_large(void)
{
    ptd_graph *graph = shuffled_grid(40, 1);
    ptd_elimination_trace *whole = record(graph);
    int64_t bytes = array_bytes(whole);
    for (int64_t bound = 1; bound < bytes + bytes / 4; bound += 1 + bytes / 50) {
        ptd_record_options options = {.max_trace_bytes = bound};
        ptd_elimination_trace *trace = NULL;
        ptd_error error;
        ptd_status status = ptd_record_elimination_trace(graph, &options, &trace, &error);
        if (status == PTD_OK) {
            CHECK(traces_equal(whole, trace));
            CHECK(bytes <= bound + 64);
        } else {
            CHECK(status == PTD_TRACE_TOO_LARGE && error.status == status);
            CHECK(error.value > (double)bound && error.value <= (double)bytes + 64);
            CHECK(trace == NULL);
            CHECK(bytes > bound - 64);
        }
        ptd_elimination_trace_destroy(trace);
    }
    ptd_elimination_trace_destroy(whole);
    ptd_graph_destroy(graph);
}

static void test_arguments(void)
{
    ptd_graph *graph = new_graph(PTD_CONTINUOUS, 2);
    ptd_elimination_trace *trace = (ptd_elimination_trace *)&graph;
    ptd_error error;
    connect(graph, 0, 1, 1.0, 0.0, 0.0, 0.0);
    CHECK(ptd_record_elimination_trace(graph, NULL, &trace, &error) == PTD_GRAPH_NOT_FROZEN);
    CHECK(trace == NULL);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    ptd_record_options negative = {.max_trace_bytes = -1};
    CHECK(ptd_record_elimination_trace(graph, &negative, &trace, &error) == PTD_INVALID_ARGUMENT);
    CHECK(error.index == 1);
    negative = (ptd_record_options){.plan_min_vertices = -1};
    CHECK(ptd_record_elimination_trace(graph, &negative, &trace, NULL) == PTD_INVALID_ARGUMENT);
    ptd_graph_destroy(graph);
}

int main(void)
{
    test_two_vertices();
    test_random_digraphs();
    test_dense();
    test_shared_blocks();
    test_no_way_out();
    test_boundary();
    test_unreachable();
    test_no_blocks();
    test_wide_rows();
    test_determinism();
    test_progress();
    test_too_large();
    test_arguments();
    return check_result();
}
