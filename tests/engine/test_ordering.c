/* Orderings: permutations, the same every time, near the best on small graphs and as good as
 * promised on real models. Costs are counted naively (digraph_eliminate) where graphs are small,
 * and by ptd_symbolic_create, which test_symbolic.c checks, where they are large. */
#include <time.h>

#include "check.h"
#include "components.h"
#include "digraphs.h"
#include "models.h"
#include "ordering.h"
#include "symbolic.h"

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static int is_permutation(int32_t n, const int32_t *order)
{
    uint8_t *seen = model_allocate((size_t)n);
    int good = 1;
    memset(seen, 0, (size_t)n);
    for (int32_t k = 0; k < n && good; k++) {
        good = order[k] >= 0 && order[k] < n && !seen[order[k]];
        if (good) {
            seen[order[k]] = 1;
        }
    }
    free(seen);
    return good;
}

/* The order of a pattern, checked to be a permutation and to come out the same a second time. */
static int32_t *order_of(const ptd_pattern *pattern)
{
    size_t n = (size_t)pattern->n;
    int32_t *order = model_allocate(n * sizeof *order);
    int32_t *again = model_allocate(n * sizeof *again);
    CHECK(ptd_order_component(pattern, order, NULL) == PTD_OK);
    CHECK(ptd_order_component(pattern, again, NULL) == PTD_OK);
    CHECK(is_permutation(pattern->n, order));
    CHECK(memcmp(order, again, n * sizeof *order) == 0);
    free(again);
    return order;
}

/* ---- small graphs, counted naively; destroys the graph */

static int64_t cost_of(digraph g)
{
    digraph_rows rows = digraph_to_rows(&g);
    int32_t *order = order_of(&rows.pattern);
    int64_t cost = digraph_eliminate(&g, order);
    free(order);
    digraph_rows_destroy(&rows);
    digraph_destroy(&g);
    return cost;
}

/* Where elimination without fill is possible it is found: then each pivot joins its two (ring), or
 * its one neighbour, or all the vertices that are left. */
static void test_known_best(void)
{
    for (int32_t n = 2; n < 40; n++) {
        CHECK(cost_of(digraph_chain(n)) == n - 1);
        CHECK(cost_of(digraph_star(n)) == n - 1);
        CHECK(cost_of(digraph_ring(n)) == 2 * (n - 2) + 1);
        CHECK(cost_of(digraph_complete(n)) == (int64_t)(n - 1) * n * (2 * n - 1) / 6);
    }
}

/* Least cost over all orders, by elimination of every subset (n <= 12): the cost of eliminating v
 * after a set depends on the set alone. */
static int64_t least_cost(digraph *g)
{
    int32_t n = g->n;
    uint32_t full = (1u << n) - 1;
    int64_t *least = model_allocate(((size_t)full + 1) * sizeof *least);
    uint32_t out[12];
    uint32_t in[12];
    for (int32_t i = 0; i < n; i++) {
        out[i] = 0;
        in[i] = 0;
        for (int32_t j = 0; j < n; j++) {
            out[i] |= (uint32_t)*digraph_edge(g, i, j) << j;
            in[i] |= (uint32_t)*digraph_edge(g, j, i) << j;
        }
    }
    least[0] = 0;
    for (uint32_t set = 1; set <= full; set++) {
        least[set] = INT64_MAX;
        for (int32_t v = 0; v < n; v++) {
            if (!(set >> v & 1)) {
                continue;
            }
            /* What v reaches, and what reaches it, through the others of the set. */
            uint32_t inside = set & ~(1u << v);
            uint32_t ahead = out[v];
            uint32_t behind = in[v];
            for (uint32_t seen = 0; (ahead & inside) != seen;) {
                seen = ahead & inside;
                for (int32_t k = 0; k < n; k++) {
                    ahead |= seen >> k & 1 ? out[k] : 0;
                }
            }
            for (uint32_t seen = 0; (behind & inside) != seen;) {
                seen = behind & inside;
                for (int32_t k = 0; k < n; k++) {
                    behind |= seen >> k & 1 ? in[k] : 0;
                }
            }
            ahead &= ~set;
            behind &= ~set;
            int64_t cost = (int64_t)__builtin_popcount(behind) * (__builtin_popcount(ahead) + 1) -
                           __builtin_popcount(ahead & behind);
            if (least[inside] + cost < least[set]) {
                least[set] = least[inside] + cost;
            }
        }
    }
    int64_t cost = least[full];
    free(least);
    return cost;
}

/* Never below the least possible, and in sum close to it. */
static void test_small_graphs_near_the_least(void)
{
    digraph_random r = {4};
    int64_t sum = 0;
    int64_t least_sum = 0;
    for (int32_t trial = 0; trial < 60; trial++) {
        int32_t n = 3 + (int32_t)digraph_draw(&r, 8);
        digraph g = digraph_scatter(n, (int32_t)digraph_draw(&r, 4), &r);
        int64_t least = least_cost(&g);
        int64_t cost = cost_of(g);
        CHECK(cost >= least);
        sum += cost;
        least_sum += least;
    }
    CHECK((double)sum <= 1.05 * (double)least_sum);
}

static void test_random_digraphs_are_permuted(void)
{
    digraph_random r = {5};
    for (int32_t trial = 0; trial < 100; trial++) {
        int32_t n = 2 + (int32_t)digraph_draw(&r, 150);
        CHECK(cost_of(digraph_scatter(n, (int32_t)digraph_draw(&r, 6), &r)) > 0);
    }
}

/* ---- real models, component by component */

typedef struct {
    int64_t multiply_adds;
    double order_seconds;
} model_cost;

static void add_component(const model *m, const int32_t *component, int32_t which,
                          const int32_t *members, int32_t n, int32_t *local, model_cost *cost)
{
    int64_t entries = 0;
    for (int32_t k = 0; k < n; k++) {
        local[members[k]] = k;
        entries += m->start[members[k] + 1] - m->start[members[k]];
    }
    int64_t *start = model_allocate(((size_t)n + 1) * sizeof *start);
    int32_t *column = model_allocate((size_t)entries * sizeof *column);
    start[0] = 0;
    entries = 0;
    for (int32_t k = 0; k < n; k++) {
        for (int64_t e = m->start[members[k]]; e < m->start[members[k] + 1]; e++) {
            if (m->to[e] < m->n && component[m->to[e]] == which) {
                column[entries++] = local[m->to[e]];
            }
        }
        start[k + 1] = entries;
    }
    ptd_pattern pattern = {n, start, column};
    double before = cpu_seconds();
    int32_t *order = order_of(&pattern);
    cost->order_seconds += (cpu_seconds() - before) / 2; /* ordered twice */
    ptd_symbolic symbolic = {0};
    CHECK(ptd_symbolic_create(&pattern, order, INT64_MAX, &symbolic, NULL) == PTD_OK);
    cost->multiply_adds += symbolic.multiply_adds;
    ptd_symbolic_destroy(&symbolic);
    free(order);
    free(start);
    free(column);
}

/* Destroys the model. */
static model_cost cost_of_model(const char *name, model m)
{
    size_t n = (size_t)m.n;
    model_cost cost = {0, 0.0};
    int32_t n_components = 0;
    int64_t *start = model_allocate((n + 2) * sizeof *start);
    int32_t *component = model_allocate((n + 1) * sizeof *component);
    int32_t *members = model_allocate(n * sizeof *members);
    int32_t *local = model_allocate(n * sizeof *local);
    memcpy(start, m.start, (n + 1) * sizeof *start);
    start[n + 1] = start[n]; /* the absorbing vertex */
    CHECK(ptd_strong_components(m.n + 1, start, m.to, component, &n_components, NULL) == PTD_OK);
    int32_t *first = model_allocate(((size_t)n_components + 2) * sizeof *first);
    memset(first, 0, ((size_t)n_components + 2) * sizeof *first);
    for (int32_t i = 0; i < m.n; i++) {
        first[component[i] + 2]++;
    }
    for (int32_t c = 0; c < n_components; c++) {
        first[c + 2] += first[c + 1];
    }
    for (int32_t i = 0; i < m.n; i++) {
        members[first[component[i] + 1]++] = i;
    }
    for (int32_t c = 0; c < n_components; c++) {
        if (first[c + 1] - first[c] >= 2) {
            add_component(&m, component, c, members + first[c], first[c + 1] - first[c], local,
                          &cost);
        }
    }
    printf("%-24s %7d states %11lld multiply-adds, ordered in %.4f s\n", name, m.n,
           (long long)cost.multiply_adds, cost.order_seconds);
    free(start);
    free(component);
    free(members);
    free(local);
    free(first);
    model_destroy(&m);
    return cost;
}

/* Bounds of time are loose: they catch a wrong order of growth, also under sanitizers. */
static void test_real_models(void)
{
    model_cost cost = cost_of_model("3 demes, 40 lineages", model_islands(3, 40));
    CHECK(cost.multiply_adds > 0 && cost.multiply_adds <= 2600000);
    CHECK(cost.order_seconds < 3.0);
    cost = cost_of_model("4 demes, 20 lineages", model_islands(4, 20));
    CHECK(cost.multiply_adds > 0 && cost.multiply_adds <= 60000000);
    CHECK(cost.order_seconds < 10.0);
    cost = cost_of_model("two loci, 30 samples", model_two_locus(30));
    CHECK(cost.multiply_adds > 0 && cost.multiply_adds <= 10000);
    cost = cost_of_model("tandem queue 100 x 100", model_tandem(100, 100));
    CHECK(cost.multiply_adds > 0 && cost.multiply_adds <= 16000000);
    cost = cost_of_model("SIRS, 300", model_epidemic(300, 1));
    CHECK(cost.multiply_adds > 0 && cost.multiply_adds <= 180000000);
    CHECK(cost.order_seconds < 60.0);
    CHECK(cost_of_model("SIR, 60", model_epidemic(60, 0)).multiply_adds == 0);
    CHECK(cost_of_model("site frequencies, 18", model_site_frequency(18)).multiply_adds == 0);
    CHECK(cost_of_model("Kingman, 200", model_kingman(200)).multiply_adds == 0);
    CHECK(cost_of_model("birth-death, 200", model_birth_death(200)).multiply_adds == 199);
}

/* ---- large sparse graphs */

typedef struct {
    int32_t n;
    int64_t *start;
    int32_t *column;
} rows;

static rows rows_create(int32_t n, int64_t entries)
{
    return (rows){n, model_allocate(((size_t)n + 1) * sizeof(int64_t)),
                  model_allocate((size_t)entries * sizeof(int32_t))};
}

/* Destroys the rows. */
static void check_large(rows r, int64_t most_multiply_adds, double most_seconds)
{
    ptd_pattern pattern = {r.n, r.start, r.column};
    double before = cpu_seconds();
    int32_t *order = order_of(&pattern);
    CHECK((cpu_seconds() - before) / 2 < most_seconds);
    ptd_symbolic symbolic = {0};
    CHECK(ptd_symbolic_create(&pattern, order, INT64_MAX, &symbolic, NULL) == PTD_OK);
    CHECK(symbolic.multiply_adds <= most_multiply_adds);
    ptd_symbolic_destroy(&symbolic);
    free(order);
    free(r.start);
    free(r.column);
}

static void test_hub_of_100000_leaves(void)
{
    int32_t n = 100001;
    rows r = rows_create(n, 2 * (int64_t)(n - 1));
    for (int32_t k = 0; k < n - 1; k++) {
        r.column[k] = k + 1;
        r.column[n - 1 + k] = 0;
    }
    r.start[0] = 0;
    for (int32_t i = 1; i <= n; i++) {
        r.start[i] = n - 2 + i;
    }
    check_large(r, n - 1, 3.0);
}

/* Three hubs, all joined to every one of 100,000 vertices that form a directed ring. */
static void test_ring_with_hubs(void)
{
    int32_t ring = 100000;
    int32_t n = ring + 3;
    rows r = rows_create(n, 7 * (int64_t)ring);
    int64_t entries = 0;
    for (int32_t i = 0; i < n; i++) {
        r.start[i] = entries;
        if (i >= ring) {
            for (int32_t k = 0; k < ring; k++) {
                r.column[entries++] = k;
            }
            continue;
        }
        r.column[entries++] = (i + 1) % ring;
        for (int32_t h = 0; h < 3; h++) {
            r.column[entries++] = ring + h;
        }
    }
    r.start[n] = entries;
    check_large(r, 30 * (int64_t)ring, 10.0);
}

static void test_chain_of_a_million(void)
{
    int32_t n = 1000000;
    rows r = rows_create(n, 2 * (int64_t)(n - 1));
    int64_t entries = 0;
    for (int32_t i = 0; i < n; i++) {
        r.start[i] = entries;
        if (i > 0) {
            r.column[entries++] = i - 1;
        }
        if (i < n - 1) {
            r.column[entries++] = i + 1;
        }
    }
    r.start[n] = entries;
    check_large(r, n - 1, 20.0);
}

int main(void)
{
    test_known_best();
    test_small_graphs_near_the_least();
    test_random_digraphs_are_permuted();
    test_real_models();
    test_hub_of_100000_leaves();
    test_ring_with_hubs();
    test_chain_of_a_million();
    return check_result();
}
