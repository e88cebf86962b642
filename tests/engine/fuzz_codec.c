/* Fuzzing the codec: files that are almost traces. Whatever is accepted is evaluated, so that an
 * index that validation let through is met by the sanitizers where it would do harm.
 *
 * With libFuzzer: compile with -fsanitize=fuzzer,address -DPTD_LIBFUZZER. Alone:
 *
 *   fuzz_codec [runs [seed]]
 *
 * takes valid traces, damages each in one to four places, and in seven of eight cases makes the
 * checksums right again. Arrays are also handed to ptd_elimination_trace_create, which has no
 * content hash to compare and so lets through every damage that validation does.
 */
#include "forge.h"
#include "recorded.h"
#include "sample_trace.h"

#include <math.h>

enum { MOST_PARAMETERS = 64, MOST_VERTICES = 4096, THETAS = 3, ORDER = 2 };

static int64_t n_decoded;
static int64_t n_created;
static int64_t n_answered; /* evaluations that gave moments */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double *numbers(int64_t count, double value)
{
    double *made = malloc((size_t)(count ? count : 1) * sizeof *made);
    if (!made) {
        abort();
    }
    for (int64_t k = 0; k < count; k++) {
        made[k] = value + 0.25 * (double)(k % 3);
    }
    return made;
}

/* Every kind of evaluation; statuses are free, memory is not. */
static void evaluate_accepted(const ptd_elimination_trace *trace)
{
    const ptd_trace_meta *meta = ptd_elimination_trace_meta(trace);
    const int64_t n = meta->n_vertices;
    const int64_t parameters = meta->n_parameters;
    ptd_workspace *workspace = NULL;
    ptd_trace_result *result = NULL;
    ptd_error error;
    if (parameters > MOST_PARAMETERS || n > MOST_VERTICES) {
        return;
    }
    double *thetas = numbers(THETAS * parameters, 0.5);
    double *rewards = numbers(2 * n, 1.0);
    double *out = numbers(THETAS * (n + 4) * (parameters + 1) * ORDER, 0.0);
    double *gradient = numbers(THETAS * (n + 4) * (parameters + 1) * ORDER, 0.0);
    double *means = numbers(THETAS * 2, 0.0);
    double *mean_gradients = numbers(THETAS * 2 * parameters, 0.0);
    int64_t target = 0;
    ptd_array position_vertex;
    ptd_elimination_trace_array(trace, PTD_POSITION_VERTEX, &position_vertex);
    target = ((const uint32_t *)position_vertex.data)[0];
    for (int32_t lanes = 1; lanes <= THETAS; lanes += THETAS - 1) {
        const ptd_workspace_options options = {
            .max_order = ORDER, .max_rewards = 2, .gradient = 1, .n_thetas = lanes};
        ptd_status status = ptd_workspace_create(trace, &options, &workspace, &error);
        if (status != PTD_OK) {
            continue;
        }
        status = ptd_moments(workspace, lanes, thetas, NULL, ORDER, out, gradient, &error);
        n_answered += status == PTD_OK;
        status = ptd_moments(workspace, lanes, thetas, rewards, ORDER, out, NULL, &error);
        status = ptd_vertex_moments(workspace, lanes, thetas, rewards, ORDER, out, NULL, &error);
        status = ptd_covariances(workspace, lanes, thetas, 2, rewards, means, out, mean_gradients,
                                 gradient, &error);
        status = ptd_expected_sojourn(workspace, lanes, thetas, out, &error);
        status = ptd_absorption_probabilities(workspace, lanes, thetas, 1, &target, out, gradient,
                                              &error);
        status = ptd_defect(workspace, lanes, thetas, rewards, out, &error);
        if (meta->kind == PTD_DISCRETE) {
            status = ptd_factorial_moments(workspace, lanes, thetas, ORDER, out, NULL, &error);
        }
        status = ptd_evaluate_trace(workspace, thetas, &result, &error);
        if (status == PTD_OK) {
            ptd_trace_result_destroy(result);
            result = NULL;
        }
        ptd_workspace_destroy(workspace);
        workspace = NULL;
    }
    free(thetas);
    free(rewards);
    free(out);
    free(gradient);
    free(means);
    free(mean_gradients);
}

/* The same bytes, decoded again from what was decoded. */
static void check_encoding(const ptd_elimination_trace *trace, const uint8_t *data, size_t size)
{
    uint8_t *bytes = NULL;
    int64_t length = 0;
    ptd_error error;
    if (ptd_elimination_trace_encode(trace, &bytes, &length, &error) != PTD_OK ||
        (size_t)length != size || memcmp(bytes, data, size) != 0) {
        abort();
    }
    ptd_buffer_release(bytes);
}

static void try_arrays(const uint8_t *data, size_t size)
{
    forge_array found[PTD_TRACE_ARRAY_COUNT];
    ptd_array arrays[PTD_TRACE_ARRAY_COUNT];
    ptd_trace_meta meta;
    ptd_elimination_trace *trace = NULL;
    ptd_error error;
    if (!forge_read(data, size, &meta, found)) {
        return;
    }
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        if (!forge_fits(&found[id], (ptd_trace_array_id)id, size)) {
            return;
        }
        arrays[id] = (ptd_array){ptd_trace_array_dtype((ptd_trace_array_id)id),
                                 (int64_t)found[id].items, data + found[id].offset};
    }
    if (ptd_elimination_trace_create(&meta, arrays, &trace, &error) == PTD_OK) {
        n_created++;
        evaluate_accepted(trace);
        ptd_elimination_trace_destroy(trace);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ptd_elimination_trace *trace = NULL;
    ptd_error error;
    if (ptd_elimination_trace_decode(data, (int64_t)size, &trace, &error) == PTD_OK) {
        n_decoded++;
        check_encoding(trace, data, size);
        evaluate_accepted(trace);
        ptd_elimination_trace_destroy(trace);
    }
    try_arrays(data, size);
    return 0;
}

#ifndef PTD_LIBFUZZER

/* splitmix64 (S. Vigna): the same damage for the same seed everywhere. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
    return next_random(state) % bound;
}

typedef struct {
    uint8_t *bytes;
    size_t length;
} file_bytes;

static file_bytes encode(ptd_elimination_trace *trace)
{
    file_bytes file = {0};
    int64_t length = 0;
    ptd_error error;
    if (ptd_elimination_trace_encode(trace, &file.bytes, &length, &error) != PTD_OK) {
        abort();
    }
    file.length = (size_t)length;
    ptd_elimination_trace_destroy(trace);
    return file;
}

static ptd_elimination_trace *sample(void)
{
    sample_trace arrays;
    ptd_elimination_trace *trace = NULL;
    ptd_error error;
    sample_make(&arrays);
    if (ptd_elimination_trace_create(&arrays.meta, arrays.arrays, &trace, &error) != PTD_OK) {
        abort();
    }
    sample_release(&arrays);
    return trace;
}

/* Discrete, with self-loops, two rings that share a block, and dropped vertices. */
static ptd_elimination_trace *discrete(void)
{
    static const int64_t from[] = {0, 0, 1, 2, 3, 4, 2, 4, 1, 3, 6, 6, 0};
    static const int64_t to[] = {1, 3, 2, 1, 4, 3, 5, 5, 1, 3, 7, 6, 5};
    static const double base[] = {1,   1,     0.25,  0.25, 0.25, 0.25, 0.5,
                                  0.5, 0.125, 0.125, 0.5,  0.25, 0.5};
    static const int64_t trap_from = 7;
    static const int64_t trap_to = 6;
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error;
    if (ptd_graph_create(PTD_DISCRETE, 1, 0, &graph, &error) != PTD_OK ||
        ptd_graph_add_vertices(graph, 7, NULL, &error) != PTD_OK ||
        ptd_graph_add_edges(graph, 13, from, to, base, NULL, &error) != PTD_OK ||
        ptd_graph_add_edge(graph, trap_from, trap_to, 1.0, NULL, &error) != PTD_OK ||
        ptd_graph_freeze(graph, 1, &error) != PTD_OK ||
        ptd_record_elimination_trace(graph, NULL, &trace, &error) != PTD_OK) {
        abort();
    }
    ptd_graph_destroy(graph);
    return trace;
}

static uint64_t interesting(uint64_t *state, uint64_t now)
{
    switch (below(state, 8)) {
    case 0:
        return now + 1;
    case 1:
        return now - 1;
    case 2:
        return PTD_NONE;
    case 3:
        return PTD_NONE - 1;
    case 4:
        return 0x80000000u;
    case 5:
        return now + (1u << below(state, 16));
    default:
        return below(state, 64);
    }
}

/* One item of one array: a value of interest, or that of another item. */
static void damage_item(file_bytes *file, uint64_t *state)
{
    forge_array arrays[PTD_TRACE_ARRAY_COUNT];
    if (!forge_read(file->bytes, file->length, NULL, arrays)) {
        return;
    }
    const uint64_t id = below(state, PTD_TRACE_ARRAY_COUNT);
    const size_t item = forge_item_bytes((ptd_trace_array_id)id);
    if (arrays[id].items == 0 || !forge_fits(&arrays[id], (ptd_trace_array_id)id, file->length)) {
        return;
    }
    uint8_t *first = file->bytes + arrays[id].offset;
    uint8_t *at = first + below(state, arrays[id].items) * item;
    uint64_t value = 0;
    if (below(state, 3) == 0) {
        memmove(at, first + below(state, arrays[id].items) * item, item);
        return;
    }
    memcpy(&value, at, item < 8 ? item : 8);
    value = interesting(state, value);
    memcpy(at, &value, item);
}

/* One byte of the header, mostly a small change: lengths, counts, tags. */
static void damage_header(file_bytes *file, uint64_t *state)
{
    if (file->length <= FORGE_HEAD_AT) {
        return;
    }
    const uint64_t length = forge_get_u32(file->bytes + FORGE_HEAD_LENGTH_AT);
    const uint64_t end =
        length < file->length - FORGE_HEAD_AT ? length : file->length - FORGE_HEAD_AT;
    if (end > 0) {
        uint8_t *at = file->bytes + FORGE_HEAD_AT + below(state, end);
        *at = (uint8_t)(below(state, 2) ? *at + 1u : next_random(state));
    }
}

static void damage(file_bytes *file, size_t capacity, uint64_t *state)
{
    switch (below(state, 16)) {
    case 0:
        file->bytes[below(state, file->length)] ^= (uint8_t)(1u << below(state, 8));
        break;
    case 1:
        file->length = 1 + below(state, file->length);
        break;
    case 2:
        if (file->length < capacity) {
            file->bytes[file->length++] = (uint8_t)next_random(state);
        }
        break;
    case 3:
    case 4:
        damage_header(file, state);
        break;
    default:
        damage_item(file, state);
        break;
    }
}

static void run_damaged(const file_bytes *valid, uint64_t *state)
{
    const size_t capacity = valid->length + 8;
    file_bytes file = {malloc(capacity), valid->length};
    if (!file.bytes) {
        abort();
    }
    memcpy(file.bytes, valid->bytes, valid->length);
    const uint64_t places = 1 + below(state, 4);
    for (uint64_t k = 0; k < places; k++) {
        damage(&file, capacity, state);
    }
    if (below(state, 8) != 0) {
        forge_seal(file.bytes, file.length);
    }
    /* An exact copy, so that a read behind the end is seen. */
    uint8_t *exact = malloc(file.length);
    if (!exact) {
        abort();
    }
    memcpy(exact, file.bytes, file.length);
    (void)LLVMFuzzerTestOneInput(exact, file.length);
    free(exact);
    free(file.bytes);
}

int main(int argc, char **argv)
{
    const int64_t runs = argc > 1 ? atoll(argv[1]) : 5000;
    uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    const file_bytes valid[] = {
        encode(sample()),
        encode(discrete()),
        encode(recorded_trace(model_islands(2, 4))),
        encode(recorded_trace(model_kingman(6))),
        encode(recorded_trace(model_tandem(3, 4))),
        encode(recorded_trace(model_birth_death(6))),
    };
    enum { VALID = sizeof valid / sizeof *valid };
    for (int k = 0; k < VALID; k++) {
        (void)LLVMFuzzerTestOneInput(valid[k].bytes, valid[k].length);
    }
    const int all_valid = n_decoded == VALID && n_created == VALID;
    for (int64_t k = 0; k < runs; k++) {
        run_damaged(&valid[below(&state, VALID)], &state);
    }
    for (int k = 0; k < VALID; k++) {
        ptd_buffer_release(valid[k].bytes);
    }
    printf("%lld damaged files: %lld decoded, %lld made of arrays; %lld answers\n", (long long)runs,
           (long long)(n_decoded - VALID), (long long)(n_created - VALID), (long long)n_answered);
    /* Some damage leaves a trace that is valid (another rate, say): else nothing was tried. */
    return all_valid &&
                   (runs < 1000 || (n_created > VALID && n_created < runs && n_answered > VALID))
               ? 0
               : 1;
}

#endif
