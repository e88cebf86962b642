/* Content key: SHA-256 over these bytes. All numbers are little-endian; u32, u64 unsigned, i32
 * signed two's complement, f64 IEEE 754 binary64. The order of vertices, edges and forms is that of
 * ptd_graph_view, and a form's number is the place of its first use among the edges.
 *
 *   graph  = "phasic-graph/1" 00
 *            u32 kind                          0 continuous, 1 discrete
 *            u32 n_parameters
 *            u32 state_length
 *            u64 n_vertices
 *            u64 n_edges
 *            u64 n_forms
 *            u64 n_entries                     coefficients of all forms
 *            i32 states[n_vertices][state_length]    the start's are 0
 *            u64 edge_start[n_vertices + 1]
 *            u32 edge_to[n_edges]
 *            u32 edge_form[n_edges]
 *            f64 form_base[n_forms]            never -0.0
 *            u64 form_start[n_forms + 1]
 *            u32 form_parameter[n_entries]     ascending within a form
 *            f64 form_coefficient[n_entries]   never 0.0 or -0.0
 *
 *   trace  = "phasic-trace/1" 00
 *            SHA-256 of graph                  32 bytes
 *            u32 trace format version
 *            u32 ordering version
 *
 * The content hash is SHA-256 of graph, the trace key SHA-256 of trace.
 */
#include "content_key.h"

#include <string.h>

#include "ordering.h"
#include "sha256.h"
#include "status.h"

static const char GRAPH_TAG[] = "phasic-graph/1";
static const char TRACE_TAG[] = "phasic-trace/1";

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { LITTLE_ENDIAN_HOST = 1 };
#else
enum { LITTLE_ENDIAN_HOST = 0 };
#endif

/* Hashes `count` numbers of `size` bytes (4 or 8), least significant byte first. */
static void hash_numbers(ptd_sha256 *sha, const void *numbers, int64_t count, size_t size)
{
    if (LITTLE_ENDIAN_HOST) {
        ptd_sha256_update(sha, numbers, (size_t)count * size);
        return;
    }
    const uint8_t *bytes = numbers;
    uint8_t chunk[4096];
    size_t filled = 0;
    for (int64_t k = 0; k < count; k++, bytes += size) {
        for (size_t b = 0; b < size; b++) {
            chunk[filled++] = bytes[size - 1 - b];
        }
        if (filled == sizeof chunk) {
            ptd_sha256_update(sha, chunk, filled);
            filled = 0;
        }
    }
    ptd_sha256_update(sha, chunk, filled);
}

void ptd_trace_key_of_content(const uint8_t content[PTD_HASH_BYTES], uint32_t ordering_version,
                              uint8_t key[PTD_HASH_BYTES])
{
    const uint32_t versions[] = {PTD_TRACE_FORMAT_VERSION, ordering_version};
    ptd_sha256 sha;
    ptd_sha256_start(&sha);
    ptd_sha256_update(&sha, TRACE_TAG, sizeof TRACE_TAG);
    ptd_sha256_update(&sha, content, PTD_HASH_BYTES);
    hash_numbers(&sha, versions, 2, sizeof *versions);
    ptd_sha256_finish(&sha, key);
}

ptd_status ptd_graph_content_hash(const ptd_graph *graph, uint8_t hash[PTD_HASH_BYTES],
                                  ptd_error *error)
{
    ptd_graph_view view;
    ptd_status status = ptd_graph_get_view(graph, &view, error);
    if (status != PTD_OK) {
        return status;
    }
    const int64_t n_entries = view.form_start[view.n_forms];
    const uint32_t lengths[] = {(uint32_t)view.kind, (uint32_t)view.n_parameters,
                                (uint32_t)view.state_length};
    const uint64_t counts[] = {(uint64_t)view.n_vertices, (uint64_t)view.n_edges,
                               (uint64_t)view.n_forms, (uint64_t)n_entries};
    ptd_sha256 sha;
    ptd_sha256_start(&sha);
    ptd_sha256_update(&sha, GRAPH_TAG, sizeof GRAPH_TAG);
    hash_numbers(&sha, lengths, 3, sizeof *lengths);
    hash_numbers(&sha, counts, 4, sizeof *counts);
    hash_numbers(&sha, view.states, view.n_vertices * view.state_length, sizeof *view.states);
    hash_numbers(&sha, view.edge_start, view.n_vertices + 1, sizeof *view.edge_start);
    hash_numbers(&sha, view.edge_to, view.n_edges, sizeof *view.edge_to);
    hash_numbers(&sha, view.edge_form, view.n_edges, sizeof *view.edge_form);
    hash_numbers(&sha, view.form_base, view.n_forms, sizeof *view.form_base);
    hash_numbers(&sha, view.form_start, view.n_forms + 1, sizeof *view.form_start);
    hash_numbers(&sha, view.form_parameter, n_entries, sizeof *view.form_parameter);
    hash_numbers(&sha, view.form_coefficient, n_entries, sizeof *view.form_coefficient);
    ptd_sha256_finish(&sha, hash);
    return PTD_OK;
}

ptd_status ptd_graph_trace_key(const ptd_graph *graph, uint8_t key[PTD_HASH_BYTES],
                               ptd_error *error)
{
    uint8_t content[PTD_HASH_BYTES];
    ptd_status status = ptd_graph_content_hash(graph, content, error);
    if (status == PTD_OK) {
        ptd_trace_key_of_content(content, PTD_ORDERING_VERSION, key);
    }
    return status;
}
