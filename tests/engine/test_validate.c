/* Validation: true traces pass, and each promise of ptd.h, broken alone, is found where it is. */
#include "validate.h"

#include "check.h"
#include "recorded.h"
#include "sample_trace.h"
#include "trace.h"

static ptd_status validate(const sample_trace *sample, ptd_error *error)
{
    *error = (ptd_error){0};
    return ptd_trace_validate(&sample->meta, sample->arrays, error);
}

typedef struct {
    ptd_trace_array_id id;
    int item;
    uint32_t value;
    ptd_trace_array_id found; /* array that the error names; PTD_TRACE_ARRAY_COUNT: the meta data */
} broken_number;

/* The sample's arrays are in sample_trace.h. */
static const broken_number BROKEN[] = {
    {PTD_STATES, 0, 1, PTD_STATES},                   /* the start's state is zeros */
    {PTD_STATES, 2, 1, PTD_STATES},                   /* equal states */
    {PTD_STATES, 4, 0x80000000, PTD_STATES},          /* descending: it is signed */
    {PTD_POSITION_VERTEX, 0, 5, PTD_POSITION_VERTEX}, /* no such vertex */
    {PTD_POSITION_VERTEX, 0, 3, PTD_POSITION_VERTEX}, /* twice the same */
    {PTD_COMPONENT_START, 0, 0, PTD_COMPONENT_START}, /* not behind the boundary */
    {PTD_COMPONENT_START, 1, 1, PTD_COMPONENT_START}, /* empty */
    {PTD_COMPONENT_START, 1, 3, PTD_COMPONENT_BLOCK}, /* the start not alone */
    {PTD_COMPONENT_START, 1, 9, PTD_COMPONENT_START}, /* beyond the last position */
    {PTD_COMPONENT_START, 2, 6, PTD_COMPONENT_START},
    {PTD_COMPONENT_BLOCK, 0, 1, PTD_COMPONENT_BLOCK}, /* no such block */
    {PTD_COMPONENT_BLOCK, 0, PTD_NONE, PTD_COMPONENT_BLOCK},
    {PTD_COMPONENT_BLOCK, 1, 0, PTD_COMPONENT_BLOCK}, /* a single vertex has no block */
    {PTD_EDGE_START, 0, 1, PTD_EDGE_START},
    {PTD_EDGE_START, 1, 1, PTD_EDGE_START}, /* absorption with an edge */
    {PTD_EDGE_START, 2, 5, PTD_EDGE_START}, /* descending */
    {PTD_EDGE_START, 5, 8, PTD_EDGE_START}, /* beyond the edges */
    {PTD_EDGE_START, 5, 6, PTD_EDGE_START}, /* not all edges */
    {PTD_EDGE_EXTERNAL, 0, 1, PTD_EDGE_EXTERNAL},
    {PTD_EDGE_EXTERNAL, 2, 1, PTD_EDGE_EXTERNAL}, /* before its own edges */
    {PTD_EDGE_EXTERNAL, 2, 100, PTD_EDGE_EXTERNAL},
    {PTD_EDGE_EXTERNAL, 4, 7, PTD_EDGE_TARGET}, /* an internal edge of a single vertex */
    {PTD_EDGE_BOUNDARY, 1, 0, PTD_EDGE_BOUNDARY},
    {PTD_EDGE_BOUNDARY, 1, 3, PTD_EDGE_BOUNDARY},
    {PTD_EDGE_BOUNDARY, 4, 6, PTD_EDGE_TARGET}, /* transient, called boundary */
    {PTD_EDGE_BOUNDARY, 1, 2, PTD_EDGE_TARGET}, /* boundary, called external */
    {PTD_EDGE_SELF, 1, 1, PTD_EDGE_SELF},       /* a self-loop in continuous time */
    {PTD_EDGE_SELF, 4, 9, PTD_EDGE_SELF},
    {PTD_EDGE_TARGET, 0, 1, PTD_EDGE_TARGET}, /* itself */
    {PTD_EDGE_TARGET, 0, 0, PTD_EDGE_TARGET}, /* outside the component */
    {PTD_EDGE_TARGET, 0, 4, PTD_EDGE_TARGET}, /* the start */
    {PTD_EDGE_TARGET, 0, 3, PTD_ENTRY_SLOT},  /* inside, but not the entry's column */
    {PTD_EDGE_TARGET, 1, 1, PTD_EDGE_TARGET},
    {PTD_EDGE_TARGET, 6, 4, PTD_EDGE_TARGET}, /* external, but not earlier */
    {PTD_EDGE_TARGET, 6, 5, PTD_EDGE_TARGET},
    {PTD_EDGE_TARGET, 6, PTD_NONE, PTD_EDGE_TARGET},
    {PTD_EDGE_FORM, 3, 3, PTD_EDGE_FORM},
    {PTD_FORM_START, 0, 1, PTD_FORM_START},
    {PTD_FORM_START, 2, 3, PTD_FORM_START},
    {PTD_FORM_START, 3, 3, PTD_FORM_START},
    {PTD_FORM_START, 3, 1, PTD_FORM_START},
    {PTD_FORM_PARAMETER, 1, 2, PTD_FORM_PARAMETER},
    {PTD_EXIT_OF_POSITION, 0, 0, PTD_EXIT_OF_POSITION}, /* absorption has no exit */
    {PTD_EXIT_OF_POSITION, 1, 2, PTD_EXIT_OF_POSITION},
    {PTD_EXIT_OF_POSITION, 1, PTD_NONE, PTD_EXIT_OF_POSITION},
    {PTD_EXIT_OF_POSITION, 4, PTD_NONE, PTD_EXIT_OF_POSITION},
    {PTD_EXIT_START, 1, 0, PTD_EXIT_START}, /* a sum of nothing */
    {PTD_EXIT_START, 2, 3, PTD_EXIT_START},
    {PTD_EXIT_FORM, 0, 3, PTD_EXIT_FORM},
    {PTD_BLOCK_ROW, 0, 1, PTD_BLOCK_ROW},
    {PTD_BLOCK_ROW, 1, 2, PTD_BLOCK_ROW},
    {PTD_BLOCK_ROW, 1, 4, PTD_BLOCK_ROW},
    {PTD_BLOCK_POSITION, 0, 0, PTD_BLOCK_POSITION},
    {PTD_BLOCK_POSITION, 0, 1000, PTD_BLOCK_POSITION},
    {PTD_ROW_SLOT, 1, 1, PTD_ROW_SLOT}, /* no room for diagonal and exit */
    {PTD_ROW_SLOT, 1, 4, PTD_SLOT_COLUMN},
    {PTD_ROW_SLOT, 3, 11, PTD_ROW_SLOT},
    {PTD_ROW_LOWER, 0, 1, PTD_SLOT_COLUMN},
    {PTD_ROW_LOWER, 0, 2, PTD_ROW_LOWER},
    {PTD_ROW_LOWER, 2, 1, PTD_SLOT_COLUMN},
    {PTD_ROW_LOWER, 2, PTD_NONE, PTD_ROW_LOWER},
    {PTD_SLOT_COLUMN, 0, 1, PTD_SLOT_COLUMN}, /* the diagonal is the row itself */
    {PTD_SLOT_COLUMN, 1, 3, PTD_SLOT_COLUMN}, /* beyond the component */
    {PTD_SLOT_COLUMN, 2, 2, PTD_SLOT_COLUMN}, /* no exit slot */
    {PTD_SLOT_COLUMN, 7, 0, PTD_SLOT_COLUMN}, /* L not ascending */
    {PTD_ENTRY_START, 1, 0, PTD_ENTRY_START}, /* fewer entries than edges */
    {PTD_ENTRY_START, 3, 4, PTD_ENTRY_START},
    {PTD_ENTRY_SLOT, 0, 3, PTD_ENTRY_SLOT}, /* beyond the row */
    {PTD_ENTRY_SLOT, 2, 1, PTD_ENTRY_SLOT}, /* another column */
    {PTD_ENTRY_SLOT, 2, PTD_NONE, PTD_ENTRY_SLOT},
    {PTD_ROW_PROGRAM, 1, 1, PTD_ROW_PROGRAM}, /* words for a row without L */
    {PTD_ROW_PROGRAM, 3, 7, PTD_ROW_PROGRAM},
    {PTD_ROW_PROGRAM, 3, 5, PTD_ROW_PROGRAM},
};

static void check_broken_numbers(void)
{
    for (size_t k = 0; k < sizeof BROKEN / sizeof *BROKEN; k++) {
        sample_trace sample;
        ptd_error error;
        sample_make(&sample);
        ((uint32_t *)sample.memory[BROKEN[k].id])[BROKEN[k].item] = BROKEN[k].value;
        const int64_t found =
            BROKEN[k].found == PTD_TRACE_ARRAY_COUNT ? -1 : (int64_t)BROKEN[k].found;
        const int ok = validate(&sample, &error) == PTD_TRACE_INVALID && error.index == found;
        CHECK(ok);
        if (!ok) {
            fprintf(stderr, "  %s[%d] = %u: status %d, array %lld, item %g\n",
                    ptd_trace_array_name(BROKEN[k].id), BROKEN[k].item, BROKEN[k].value,
                    error.status, (long long)error.index, error.value);
        }
        sample_release(&sample);
    }
}

typedef struct {
    uint16_t words[10];
    int length;
    int is_valid;
} program_case;

/* Other programs of the sample's one row with L = {0, 1}, slots 0..3; the valid ones say the same
 * as 0 1 3 | 0 2 3. */
static const program_case PROGRAMS[] = {
    {{0, 1, 3, 0, 2, 3}, 6, 1},
    {{0, 1, 3, 4 | 1 << 3, 0, 2, 2}, 7, 1},           /* a run: slots 2, 3 */
    {{4 | 2 << 3, 0, 1, 1, 1, 3, 1, 0, 2, 3}, 10, 1}, /* two runs of one */
    {{0, 1, 3, 4 | 1 << 3, 0, 2, 1}, 7, 0},           /* the exit left out */
    {{0, 1, 3, 4 | 1 << 3, 0, 2, 3}, 7, 0},           /* longer than the sources */
    {{0, 1, 3, 4 | 1 << 3, 1, 2, 2}, 7, 0},           /* first source left out */
    {{0, 1, 3, 4 | 1 << 3, 0, 3, 2}, 7, 0},           /* beyond the row */
    {{0, 1, 3, 4 | 1 << 3, 0, 65535, 2}, 7, 0},
    {{0, 1, 3, 4 | 1 << 3, 0, 2, 0}, 7, 0},    /* an empty run */
    {{0, 1, 3, 4 | 8191 << 3, 0, 2, 2}, 7, 0}, /* more runs than words */
    {{0, 1, 3, 4, 0, 2, 2}, 7, 0},             /* no run at all */
    {{1, 2, 3}, 3, 0},                         /* a group of rows not nested */
    {{3, 1, 3, 0, 2, 3}, 6, 0},                /* more rows than L has */
    {{8, 1, 3, 0, 2, 3}, 6, 0},                /* a count without runs */
    {{0, 1, 3, 0, 2, 4}, 6, 0},                /* beyond the row */
    {{0, 1, 3, 0, 2, 65535}, 6, 0},
    {{0, 0, 3, 0, 2, 3}, 6, 0}, /* another column */
    {{0, 1, 2, 0, 2, 3}, 6, 0}, /* the exit to a column */
    {{0, 1, 3, 0, 2}, 5, 0},    /* cut */
    {{0, 1, 3, 0}, 4, 0},
    {{0, 1, 3}, 3, 0},
    {{0}, 0, 0},
    {{0, 1, 3, 0, 2, 3, 0}, 7, 0}, /* a word too many */
};

static void check_programs(void)
{
    for (size_t k = 0; k < sizeof PROGRAMS / sizeof *PROGRAMS; k++) {
        sample_trace sample;
        ptd_error error;
        sample_make(&sample);
        free(sample.memory[PTD_PROGRAM]);
        sample_put(&sample, PTD_PROGRAM, PTD_UINT16, PROGRAMS[k].length, PROGRAMS[k].words,
                   (size_t)PROGRAMS[k].length * sizeof(uint16_t));
        ((uint32_t *)sample.memory[PTD_ROW_PROGRAM])[3] = (uint32_t)PROGRAMS[k].length;
        const ptd_status status = validate(&sample, &error);
        CHECK(status == (PROGRAMS[k].is_valid ? PTD_OK : PTD_TRACE_INVALID));
        CHECK(PROGRAMS[k].is_valid || error.index == PTD_PROGRAM || error.index == PTD_ROW_PROGRAM);
        if (status != (PROGRAMS[k].is_valid ? PTD_OK : PTD_TRACE_INVALID)) {
            fprintf(stderr, "  program %zu: status %d, array %lld, item %g\n", k, status,
                    (long long)error.index, error.value);
        }
        sample_release(&sample);
    }
}

/* Each meta field, one more and one less, and out of any range. */
static void check_meta(void)
{
    enum { FIELDS = sizeof(ptd_trace_meta) / sizeof(int64_t) };
    enum { KIND = 0, N_PARAMETERS = 1, ORDERING_VERSION = 15 };
    static const int64_t far[] = {-1, INT64_MIN, INT64_MAX, (int64_t)1 << 32};
    for (int field = 0; field < FIELDS; field++) {
        for (int k = 0; k < 6; k++) {
            sample_trace sample;
            ptd_error error;
            sample_make(&sample);
            int64_t *value = (int64_t *)(void *)&sample.meta + field;
            *value = k < 4 ? far[k] : *value + (k == 4 ? 1 : -1);
            /* What a trace without self-loops may also be: discrete, of more parameters than are
             * used, of another ordering. */
            const int is_valid =
                (k == 4 && (field == KIND || field == N_PARAMETERS || field == ORDERING_VERSION)) ||
                (k == 5 && field == ORDERING_VERSION);
            const ptd_status status = validate(&sample, &error);
            CHECK(status == (is_valid ? PTD_OK : PTD_TRACE_INVALID));
            if (status != (is_valid ? PTD_OK : PTD_TRACE_INVALID)) {
                fprintf(stderr, "  field %d case %d: status %d\n", field, k, status);
            }
            sample_release(&sample);
        }
    }
}

static void check_lengths(void)
{
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        for (int k = 0; k < 4; k++) {
            sample_trace sample;
            ptd_error error;
            sample_make(&sample);
            ptd_array *array = &sample.arrays[id];
            const size_t bytes = (size_t)array->length * ptd_dtype_bytes(array->dtype);
            const int64_t wrong[] = {array->length - 1, array->length + 1, 0, -5};
            void *longer = calloc(1, bytes + ptd_dtype_bytes(array->dtype));
            if (!longer) {
                abort();
            }
            memcpy(longer, sample.memory[id], bytes);
            free(sample.memory[id]);
            sample.memory[id] = longer;
            array->data = longer;
            array->length = wrong[k];
            CHECK(validate(&sample, &error) == PTD_TRACE_INVALID);
            sample_release(&sample);
        }
    }
}

static void check_broken_forms(void)
{
    static const struct {
        ptd_trace_array_id id;
        int item;
        double value;
    } broken[] = {
        {PTD_FORM_BASE, 0, -1.0},          {PTD_FORM_BASE, 1, 1e308 * 10},
        {PTD_FORM_BASE, 1, -(1e308 * 10)}, {PTD_FORM_COEFFICIENT, 0, 0.0},
        {PTD_FORM_COEFFICIENT, 0, -0.0},   {PTD_FORM_COEFFICIENT, 1, 1e308 * 10},
    };
    const uint64_t not_a_number[] = {(uint64_t)0x7ff8 << 48, (uint64_t)0x7ff << 52 | 1,
                                     (uint64_t)0xfff << 52 | 1};
    for (size_t k = 0; k < sizeof broken / sizeof *broken; k++) {
        sample_trace sample;
        ptd_error error;
        sample_make(&sample);
        ((double *)sample.memory[broken[k].id])[broken[k].item] = broken[k].value;
        CHECK(validate(&sample, &error) == PTD_TRACE_INVALID && error.index == broken[k].id);
        CHECK(error.value == broken[k].item);
        sample_release(&sample);
    }
    for (size_t k = 0; k < 3; k++) {
        sample_trace sample;
        ptd_error error;
        sample_make(&sample);
        ((uint64_t *)sample.memory[PTD_FORM_COEFFICIENT])[1] = not_a_number[k];
        CHECK(validate(&sample, &error) == PTD_TRACE_INVALID);
        sample_release(&sample);
    }
}

/* Every 32-bit item of the sample takes each value of interest: refused, or a trace whose graph can
 * be read (the sanitizers watch). */
static void check_every_number(void)
{
    static const uint32_t values[] = {0,       1,     2,     3,          4,          5,
                                      6,       7,     8,     9,          10,         11,
                                      255,     65535, 65536, 0x7fffffff, 0x80000000, PTD_NONE - 1,
                                      PTD_NONE};
    int64_t refused = 0;
    int64_t accepted = 0;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT; id++) {
        sample_trace sample;
        sample_make(&sample);
        const size_t item = ptd_dtype_bytes(sample.arrays[id].dtype);
        for (int64_t k = 0; k < sample.arrays[id].length * (int64_t)(item == 2 ? 1 : item / 4);
             k++) {
            for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
                sample_trace changed;
                ptd_elimination_trace *trace = NULL;
                ptd_error error = {0};
                sample_make(&changed);
                if (item == 2) {
                    ((uint16_t *)changed.memory[id])[k] = (uint16_t)values[v];
                } else {
                    ((uint32_t *)changed.memory[id])[k] = values[v];
                }
                const ptd_status status =
                    ptd_elimination_trace_create(&changed.meta, changed.arrays, &trace, &error);
                CHECK(status == PTD_OK || status == PTD_TRACE_INVALID);
                refused += status != PTD_OK;
                accepted += status == PTD_OK;
                ptd_elimination_trace_destroy(trace);
                sample_release(&changed);
            }
        }
        sample_release(&sample);
    }
    CHECK(refused > 1000 && accepted > 100);
}

static void check_valid(ptd_elimination_trace *trace)
{
    ptd_error error = {0};
    const ptd_status status = ptd_trace_validate(&trace->meta, trace->arrays, &error);
    CHECK(status == PTD_OK);
    if (status != PTD_OK) {
        fprintf(stderr, "  array %lld, item %g\n", (long long)error.index, error.value);
    }
    ptd_elimination_trace_destroy(trace);
}

/* A hub with more leaves than 16 bits count: its row needs 32-bit words. */
static void check_wide_row(void)
{
    enum { LEAVES = 65600 };
    int64_t *from = malloc((2 * LEAVES + 2) * sizeof *from);
    int64_t *to = malloc((2 * LEAVES + 2) * sizeof *to);
    double *base = malloc((2 * LEAVES + 2) * sizeof *base);
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {0};
    const int64_t hub = LEAVES + 1;
    const int64_t absorbing = LEAVES + 2;
    int64_t count = 0;
    if (!from || !to || !base) {
        abort();
    }
    for (int64_t leaf = 1; leaf <= LEAVES; leaf++) {
        from[count] = leaf;
        to[count++] = hub;
        from[count] = hub;
        to[count++] = leaf;
    }
    from[count] = 0;
    to[count++] = hub;
    from[count] = hub;
    to[count++] = absorbing;
    for (int64_t e = 0; e < count; e++) {
        base[e] = 1.0;
    }
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 0, 0, &graph, &error) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, LEAVES + 2, NULL, &error) == PTD_OK);
    CHECK(ptd_graph_add_edges(graph, count, from, to, base, NULL, &error) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_OK);
    CHECK(ptd_record_elimination_trace(graph, NULL, &trace, &error) == PTD_OK);
    const uint32_t rows = (uint32_t)trace->arrays[PTD_ROW_LOWER].length;
    const uint32_t *row_slot = ptd_array_u32(trace->arrays, PTD_ROW_SLOT);
    CHECK(rows == LEAVES + 1 && row_slot[rows] - row_slot[rows - 1] > 65535);
    CHECK(ptd_trace_validate(&trace->meta, trace->arrays, &error) == PTD_OK);
    /* Half of a 32-bit destination: its high word. */
    uint16_t *program = (uint16_t *)(uintptr_t)trace->arrays[PTD_PROGRAM].data;
    const uint32_t begin = ptd_array_u32(trace->arrays, PTD_ROW_PROGRAM)[rows - 1];
    program[begin + 3] ^= 0x8000;
    CHECK(ptd_trace_validate(&trace->meta, trace->arrays, &error) == PTD_TRACE_INVALID);
    CHECK(error.index == PTD_PROGRAM && error.value == begin);
    program[begin + 3] ^= 0x8000;
    uint32_t *row_program = (uint32_t *)(uintptr_t)trace->arrays[PTD_ROW_PROGRAM].data;
    row_program[rows - 1]++; /* an odd number of words */
    CHECK(ptd_trace_validate(&trace->meta, trace->arrays, &error) == PTD_TRACE_INVALID);
    CHECK(error.index == PTD_ROW_PROGRAM);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
    free(from);
    free(to);
    free(base);
}

/* Two rings with equal weights share a block; with one form changed they no longer may. */
static void check_shared_block(void)
{
    static const int64_t from[] = {0, 0, 1, 2, 3, 4, 2, 4};
    static const int64_t to[] = {1, 3, 2, 1, 4, 3, 5, 5};
    static const double base[] = {1, 1, 2, 3, 2, 3, 4, 4};
    ptd_graph *graph = NULL;
    ptd_elimination_trace *trace = NULL;
    ptd_error error = {0};
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 0, 0, &graph, &error) == PTD_OK);
    CHECK(ptd_graph_add_vertices(graph, 5, NULL, &error) == PTD_OK);
    CHECK(ptd_graph_add_edges(graph, 8, from, to, base, NULL, &error) == PTD_OK);
    CHECK(ptd_graph_freeze(graph, 0, &error) == PTD_OK);
    CHECK(ptd_record_elimination_trace(graph, NULL, &trace, &error) == PTD_OK);
    CHECK(trace->meta.n_components == 3 && trace->meta.n_blocks == 1);
    CHECK(ptd_trace_validate(&trace->meta, trace->arrays, &error) == PTD_OK);
    const uint32_t second = ptd_array_u32(trace->arrays, PTD_COMPONENT_START)[1];
    uint32_t *form = (uint32_t *)(uintptr_t)trace->arrays[PTD_EDGE_FORM].data;
    const uint32_t edge = ptd_array_u32(trace->arrays, PTD_EDGE_START)[second];
    form[edge] ^= 1;
    CHECK(ptd_trace_validate(&trace->meta, trace->arrays, &error) == PTD_TRACE_INVALID);
    CHECK(error.index == PTD_COMPONENT_BLOCK && error.value == 1);
    ptd_elimination_trace_destroy(trace);
    ptd_graph_destroy(graph);
}

int main(void)
{
    sample_trace sample;
    ptd_error error;
    sample_make(&sample);
    CHECK(validate(&sample, &error) == PTD_OK);
    sample_release(&sample);
    check_broken_numbers();
    check_programs();
    check_meta();
    check_lengths();
    check_broken_forms();
    check_every_number();
    check_valid(recorded_trace(model_islands(3, 8)));
    check_valid(recorded_trace(model_two_locus(6)));
    check_valid(recorded_trace(model_tandem(12, 12)));
    check_valid(recorded_trace(model_epidemic(20, 1)));
    check_valid(recorded_trace(model_kingman(20)));
    check_valid(recorded_trace(model_site_frequency(9)));
    check_valid(recorded_trace(model_birth_death(30)));
    check_wide_row();
    check_shared_block();
    return check_result();
}
