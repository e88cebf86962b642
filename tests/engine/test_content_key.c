/* Content key: digests of two small graphs, made with Python's hashlib and struct from the grammar
 * in content_key.c, and what must and must not change a key. */
#include "content_key.h"

#include <string.h>

#include "check.h"

static const char *hex(const uint8_t digest[PTD_HASH_BYTES], char text[65])
{
    for (int i = 0; i < PTD_HASH_BYTES; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

/* States (2), (-1), (0): 0 -> (2) weight 1; (2) -> (-1) weight 0.5 + 3 t1; (2) -> (0) weight
 * 2 t0 + 3 t1; (-1) -> (0) weight 1. */
static ptd_graph *small_graph(ptd_kind kind, int32_t first_state, double coefficient)
{
    const int32_t states[] = {first_state, -1, 0};
    const double a[] = {-0.0, coefficient};
    const double b[] = {2.0, coefficient};
    ptd_graph *graph = NULL;
    CHECK(ptd_graph_create(kind, 2, 1, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, 3, states, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 3, -0.0, b, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 1, 2, 0.5, a, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 2, 3, 1.0, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 0, 1, 1.0, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    return graph;
}

static void content_of(ptd_graph *graph, uint8_t hash[PTD_HASH_BYTES])
{
    CHECK(ptd_graph_content_hash(graph, hash, NULL) == PTD_OK);
    ptd_graph_destroy(graph);
}

static void test_values(void)
{
    char text[65];
    uint8_t hash[PTD_HASH_BYTES];
    uint8_t key[PTD_HASH_BYTES];
    ptd_graph *graph = small_graph(PTD_CONTINUOUS, 2, 3.0);
    CHECK(ptd_graph_content_hash(graph, hash, NULL) == PTD_OK);
    CHECK(strcmp(hex(hash, text),
                 "83976fc6055ef364d1d658b53d7a5e6f260069148d264259fcfd0e150178d878") == 0);
    CHECK(ptd_graph_trace_key(graph, key, NULL) == PTD_OK);
    ptd_graph_destroy(graph);
    /* The versions stand in the key; this one is for 1 and 1. */
    CHECK(strcmp(hex(key, text),
                 "23964dd80e2425c6ff48828ee44137c038b72246bc76d3477a6f797a42ef0ea2") == 0);
    ptd_trace_key_of_content(hash, 1, hash);
    CHECK(memcmp(hash, key, sizeof key) == 0);

    graph = NULL;
    CHECK(ptd_graph_create(PTD_DISCRETE, 0, 0, &graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, 1, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_add_edge(graph, 0, 1, 1.0, NULL, NULL) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, NULL) == PTD_OK);
    content_of(graph, hash);
    CHECK(strcmp(hex(hash, text),
                 "19bb207235773c60d9ef9d5d77a8b205788eeb7b4cd6291832fb41b61a5146d9") == 0);
}

static void test_what_counts(void)
{
    uint8_t reference[PTD_HASH_BYTES];
    uint8_t other[PTD_HASH_BYTES];
    content_of(small_graph(PTD_CONTINUOUS, 2, 3.0), reference);
    content_of(small_graph(PTD_CONTINUOUS, 2, 3.0), other);
    CHECK(memcmp(reference, other, sizeof other) == 0);
    content_of(small_graph(PTD_DISCRETE, 2, 3.0), other);
    CHECK(memcmp(reference, other, sizeof other) != 0);
    content_of(small_graph(PTD_CONTINUOUS, 3, 3.0), other);
    CHECK(memcmp(reference, other, sizeof other) != 0);
    content_of(small_graph(PTD_CONTINUOUS, 2, 3.0000000000000004), other);
    CHECK(memcmp(reference, other, sizeof other) != 0);
}

int main(void)
{
    test_values();
    test_what_counts();
    return check_failures != 0;
}
