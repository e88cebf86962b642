/* phasic engine: the one public header.
 *
 * A parameterised Markov graph becomes an elimination trace, once; the trace is evaluated for any
 * theta. Objects are opaque. A graph is built by one thread; a trace is immutable and may be shared
 * by any number of threads; a workspace belongs to one thread. There is no global state.
 *
 * Every fallible function returns a ptd_status that must be checked and, where `error` is not NULL,
 * fills it. On failure outputs are left NULL or unchanged. Destroy functions accept NULL.
 * Parameters stand in the order: object, inputs, options, outputs, error.
 */
#ifndef PTD_H
#define PTD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PTD_API        __attribute__((visibility("default")))
#define PTD_MUST_CHECK __attribute__((warn_unused_result))

/* ---- status: one row a code. Families: 1xx graph, 2xx evaluation, 3xx trace data and files,
 * 4xx operating system, 5xx resources and use. `index` and `value` say what ptd_error carries. */
#define PTD_STATUS_TABLE(ROW)                                                                      \
    ROW(PTD_OK, 0, "done")                                                                         \
    ROW(PTD_GRAPH_EMPTY, 101, "the graph has no vertex besides the start")                         \
    ROW(PTD_GRAPH_NO_ABSORPTION, 102, "a vertex cannot reach absorption; index: the vertex")       \
    ROW(PTD_GRAPH_NO_START, 104, "the start has no edge")                                          \
    ROW(PTD_GRAPH_WEIGHT_NOT_FINITE, 105, "a weight is NaN or infinite; index: the edge")          \
    ROW(PTD_GRAPH_WEIGHT_NEGATIVE, 106, "a constant weight is negative; index: the edge")          \
    ROW(PTD_GRAPH_VERTEX_RANGE, 107, "no such vertex; index: the edge, value: the vertex")         \
    ROW(PTD_GRAPH_START_ENTERED, 108, "an edge leads into the start; index: the edge")             \
    ROW(PTD_GRAPH_TOO_LARGE, 109, "more vertices than max_vertices; value: the bound")             \
    ROW(PTD_GRAPH_FROZEN, 110, "the graph is frozen and cannot change")                            \
    ROW(PTD_GRAPH_NOT_FROZEN, 111, "the graph must be frozen first")                               \
    ROW(PTD_GRAPH_STATE_REPEATED, 112, "two vertices share a state; index, value: they")           \
    ROW(PTD_THETA_NOT_FINITE, 201, "theta is NaN or infinite; index: the parameter")               \
    ROW(PTD_WEIGHT_NEGATIVE, 202, "a weight is negative at theta; index: the edge, value: it")     \
    ROW(PTD_WEIGHT_NOT_FINITE, 203, "a weight is not finite at theta; index: the edge")            \
    ROW(PTD_ABSORPTION_UNREACHABLE, 204, "absorption is unreachable at theta; index: the vertex")  \
    ROW(PTD_PROBABILITY_ABOVE_ONE, 205, "out-weights exceed 1; index: the vertex, value: the sum") \
    ROW(PTD_RESULT_OVERFLOW, 206, "a result exceeds the range of double")                          \
    ROW(PTD_REWARD_INVALID, 207, "a reward is negative or not finite; index: the vertex")          \
    ROW(PTD_START_WEIGHT_ZERO, 208, "all start weights are zero at theta")                         \
    ROW(PTD_REWARD_NOT_WHOLE, 209, "a discrete reward is not whole; index: the vertex")            \
    ROW(PTD_DENSITY_REFUSED, 210, "the tolerance is not met; index: time, value: bound")           \
    ROW(PTD_TRANSFORM_DIVERGES, 211, "a transform is infinite; index: the point")                  \
    ROW(PTD_TIME_NAN, 212, "a time is NaN; index: the time")                                       \
    ROW(PTD_FORMAT_MAGIC, 301, "not a trace file")                                                 \
    ROW(PTD_FORMAT_VERSION, 302, "another trace format version; value: the version found")         \
    ROW(PTD_FORMAT_TRUNCATED, 303, "the file is shorter than it says; value: bytes missing")       \
    ROW(PTD_FORMAT_HEADER, 304, "the header is malformed; index: the byte")                        \
    ROW(PTD_FORMAT_CHECKSUM, 305, "a checksum does not match; index: the array, -1 the header")    \
    ROW(PTD_TRACE_INVALID, 306, "trace data are inconsistent; index: the array, value: where")     \
    ROW(PTD_FORMAT_KEY, 307, "the entry holds another key than its name says")                     \
    ROW(PTD_TRACE_TOO_LARGE, 308, "the trace would exceed its size bound; value: bytes needed")    \
    ROW(PTD_FORMAT_TOO_LARGE, 309, "the file is longer than a trace may be; value: its bytes")     \
    ROW(PTD_IO_ERROR, 401, "an operating system call failed; value: errno")                        \
    ROW(PTD_CACHE_MISS, 402, "no such entry")                                                      \
    ROW(PTD_CACHE_NOT_REGULAR, 403, "the entry is not a regular file")                             \
    ROW(PTD_CACHE_UNTRUSTED, 404, "the cache directory is open to others or owned by another")     \
    ROW(PTD_NO_MEMORY, 501, "out of memory")                                                       \
    ROW(PTD_INVALID_ARGUMENT, 502, "an argument is out of range; index: which, from 0")            \
    ROW(PTD_CANCELLED, 503, "stopped by the progress callback")

typedef enum {
#define PTD_STATUS_ENUM(name, code, text) name = code,
    PTD_STATUS_TABLE(PTD_STATUS_ENUM)
#undef PTD_STATUS_ENUM
} ptd_status;

typedef struct {
    ptd_status status;
    int64_t index;
    double value;
} ptd_error;

/* "PTD_GRAPH_EMPTY"; "PTD_UNKNOWN" for a number outside the table. */
PTD_API const char *ptd_status_name(ptd_status status);
/* The text of the row. */
PTD_API const char *ptd_status_text(ptd_status status);

/* ---- state index: states (rows of int32) numbered in order of first appearance. The hash table
 * under callbacks and batch rules. */
typedef struct ptd_state_index ptd_state_index;

/* `max_states` bounds its growth: beyond it PTD_GRAPH_TOO_LARGE. */
PTD_API PTD_MUST_CHECK ptd_status ptd_state_index_create(int32_t state_length, int64_t max_states,
                                                         ptd_state_index **index, ptd_error *error);
PTD_API void ptd_state_index_destroy(ptd_state_index *index);
/* Finds or adds `count` states (count x state_length); ids[count] receives their numbers. On
 * PTD_GRAPH_TOO_LARGE the states before the one that did not fit have been added. */
PTD_API PTD_MUST_CHECK ptd_status ptd_state_index_insert(ptd_state_index *index, int64_t count,
                                                         const int32_t *states, int64_t *ids,
                                                         ptd_error *error);
/* ids[k] = -1 where state k is unknown. */
PTD_API void ptd_state_index_find(const ptd_state_index *index, int64_t count,
                                  const int32_t *states, int64_t *ids);
PTD_API int64_t ptd_state_index_size(const ptd_state_index *index);
/* size x state_length, in the order of their numbers; valid until the next insert. */
PTD_API const int32_t *ptd_state_index_states(const ptd_state_index *index);

/* ---- graph: vertices and edges with weights base + coefficients . theta.
 * Vertex 0 is the virtual start and exists from creation on. Vertices are added with their states
 * (or none: state_length 0). `ptd_graph_freeze` renumbers them canonically: the start, then by
 * state in lexicographic order (by index where there are no states). */
typedef struct ptd_graph ptd_graph;

typedef enum { PTD_CONTINUOUS = 0, PTD_DISCRETE = 1 } ptd_kind;

/* What a vertex of a frozen graph is. Dropped: cannot reach absorption; and cannot be reached from
 * the start either, unless the graph was frozen as improper. */
typedef enum {
    PTD_VERTEX_START = 0,
    PTD_VERTEX_TRANSIENT = 1,
    PTD_VERTEX_ABSORBING = 2,
    PTD_VERTEX_DROPPED = 3
} ptd_vertex_class;

typedef struct {
    ptd_kind kind;
    int32_t n_parameters;
    int32_t state_length;
    int64_t n_vertices;
    int64_t n_edges;
    int64_t n_forms;
    int64_t n_dropped;
    const int32_t *states;          /* n_vertices x state_length; the start's row is zeros */
    const uint8_t *vertex_class;    /* n_vertices, ptd_vertex_class */
    const int64_t *added_order;     /* n_vertices: canonical number of the vertex added k-th */
    const int64_t *edge_start;      /* n_vertices + 1 */
    const int32_t *edge_to;         /* n_edges, ascending within a vertex */
    const uint32_t *edge_form;      /* n_edges, into the forms */
    const double *form_base;        /* n_forms */
    const int64_t *form_start;      /* n_forms + 1, into the two below */
    const uint32_t *form_parameter; /* ascending within a form */
    const double *form_coefficient; /* never 0 */
} ptd_graph_view;

PTD_API PTD_MUST_CHECK ptd_status ptd_graph_create(ptd_kind kind, int32_t n_parameters,
                                                   int32_t state_length, ptd_graph **graph,
                                                   ptd_error *error);
PTD_API void ptd_graph_destroy(ptd_graph *graph);
/* Adds `count` vertices (their states must differ from those already there, which freezing checks:
 * PTD_GRAPH_STATE_REPEATED; states is NULL where state_length is 0); they are numbered on from
 * ptd_graph_vertex_count. */
PTD_API PTD_MUST_CHECK ptd_status ptd_graph_add_vertices(ptd_graph *graph, int64_t count,
                                                         const int32_t *states, ptd_error *error);
PTD_API int64_t ptd_graph_vertex_count(const ptd_graph *graph);
/* coefficients: count x n_parameters (NULL: all zero). Parallel edges add. Numbers must be finite,
 * and a weight without coefficients not negative; nothing leads into the start. On failure no edge
 * is added. */
PTD_API PTD_MUST_CHECK ptd_status ptd_graph_add_edges(ptd_graph *graph, int64_t count,
                                                      const int64_t *from, const int64_t *to,
                                                      const double *base,
                                                      const double *coefficients, ptd_error *error);
PTD_API PTD_MUST_CHECK ptd_status ptd_graph_add_edge(ptd_graph *graph, int64_t from, int64_t to,
                                                     double base, const double *coefficients,
                                                     ptd_error *error);
/* Canonical order, parallel edges merged, self-loops without effect removed (continuous), and every
 * vertex classified. A vertex that the start can reach (through edges whatever their weights) and
 * that cannot reach absorption is PTD_GRAPH_NO_ABSORPTION, or, where `improper` is not 0, dropped:
 * the time is then infinite with positive probability. Vertices that cannot be reached and can
 * reach such a trap are dropped too. Error indices are numbers as added. A graph with every start
 * edge into absorption is valid (its time is 0). On failure the graph is unchanged. */
PTD_API PTD_MUST_CHECK ptd_status ptd_graph_freeze(ptd_graph *graph, int32_t improper,
                                                   ptd_error *error);
/* Pointers stay valid while the graph lives. */
PTD_API PTD_MUST_CHECK ptd_status ptd_graph_get_view(const ptd_graph *graph, ptd_graph_view *view,
                                                     ptd_error *error);

/* ---- content key: SHA-256 over the canonical form of a frozen graph. */
enum { PTD_HASH_BYTES = 32 };

/* The graph alone. */
PTD_API PTD_MUST_CHECK ptd_status ptd_graph_content_hash(const ptd_graph *graph,
                                                         uint8_t hash[PTD_HASH_BYTES],
                                                         ptd_error *error);
/* The graph, the trace format and the ordering version: names a trace, and its file. */
PTD_API PTD_MUST_CHECK ptd_status ptd_graph_trace_key(const ptd_graph *graph,
                                                      uint8_t key[PTD_HASH_BYTES],
                                                      ptd_error *error);

/* ---- trace: the elimination of one graph, written down.
 *
 * Vertices have positions: first the boundary (absorbing, then dropped), then the components
 * downstream first, in each its vertices in elimination order; the start comes last. Absorbing
 * positions have no edges; dropped ones keep those of the graph, and no exit. The edges of a
 * position stand by what they lead to, targets ascending in each class: internal ones (its own
 * component), external ones (other components), those into the boundary, and the self-loop
 * (discrete only). An exit sum adds the weights of the external and boundary edges: their forms,
 * ascending, or one form that is their sum, folded where no number in them is negative. A component
 * of one vertex needs no elimination. Each other one points to a block: the pattern and program of
 * its factorisation, shared by components with equal weights. Numbers inside a block are local: row
 * and column i stand for position component_start + i.
 *
 * A block's row has slots [L | diagonal | U | exit]. Its values come up-looking: the slots are
 * cleared, entry_slot receives the weights of the component's internal edges (in edge order), the
 * exit slot the exit sum, and the row's program then adds l_k * U(k) for each k in L, in ascending
 * order, l_k being the slot's value so far times the inverse pivot of k. The pivot is the sum of U
 * and exit. The diagonal slot collects what returns to the row itself and is never read.
 *
 * Program of a row: 16-bit words (32-bit words stored low half first where the row has more than
 * 65,535 slots). Groups of s = 1..4 consecutive rows k0..k0+s-1 of L whose U patterns are nested
 * (each U(k) = {k+1} + U(k+1)) are one group. A group: a head word (s - 1) | runs << 2 | count
 * << 3. With runs = 1, `count` triples follow: (first of U(last), first slot, length); with runs =
 * 0, one destination slot for each entry of U(last) and then for its exit. Sources number U(last)
 * from 0, its exit last. For the rows before the last the first s-1-j entries of U(k0+j) lie inside
 * the group and are applied when the l are computed. `count` is 0 where runs = 0. */
typedef struct ptd_elimination_trace ptd_elimination_trace;

#define PTD_TRACE_FORMAT_VERSION 1
#define PTD_NONE                 UINT32_MAX

typedef struct {
    int64_t kind; /* ptd_kind */
    int64_t n_parameters;
    int64_t state_length;
    int64_t n_vertices;
    int64_t n_absorbing;
    int64_t n_dropped;
    int64_t n_components; /* of transient vertices and the start */
    int64_t n_blocks;
    int64_t n_edges;
    int64_t n_forms;       /* of edges; folded exit sums follow them in the form arrays */
    int64_t multiply_adds; /* of all components, as if none shared its block */
    int64_t lower_entries; /* L entries of all components */
    int64_t upper_entries;
    int64_t fill_in; /* off-diagonal entries of L and U that are no edge */
    int64_t largest_component;
    int64_t ordering_version;
} ptd_trace_meta;

typedef enum { PTD_INT32 = 0, PTD_UINT32 = 1, PTD_UINT16 = 2, PTD_FLOAT64 = 3 } ptd_dtype;

/* The arrays of a trace: ROW(identifier, name, dtype). Lengths follow in the comments; n is
 * n_vertices, R the rows of all blocks, S their slots, X the exit sums. */
#define PTD_TRACE_ARRAY_TABLE(ROW)                                                                 \
    ROW(PTD_STATES, "states", PTD_INT32)                    /* n x state_length, canonical */      \
    ROW(PTD_POSITION_VERTEX, "position_vertex", PTD_UINT32) /* n */                                \
    ROW(PTD_COMPONENT_START, "component_start", PTD_UINT32) /* n_components + 1, positions */      \
    ROW(PTD_COMPONENT_BLOCK, "component_block", PTD_UINT32) /* n_components, PTD_NONE: single */   \
    ROW(PTD_EDGE_START, "edge_start", PTD_UINT32)           /* n + 1, by position */               \
    ROW(PTD_EDGE_EXTERNAL, "edge_external", PTD_UINT32)     /* n: where external edges begin */    \
    ROW(PTD_EDGE_BOUNDARY, "edge_boundary", PTD_UINT32)     /* n: where boundary edges begin */    \
    ROW(PTD_EDGE_SELF, "edge_self", PTD_UINT32)             /* n: where the self-loop stands */    \
    ROW(PTD_EDGE_TARGET, "edge_target", PTD_UINT32)         /* n_edges, positions */               \
    ROW(PTD_EDGE_FORM, "edge_form", PTD_UINT32)             /* n_edges */                          \
    ROW(PTD_FORM_BASE, "form_base", PTD_FLOAT64)            /* all forms */                        \
    ROW(PTD_FORM_START, "form_start", PTD_UINT32)           /* all forms + 1 */                    \
    ROW(PTD_FORM_PARAMETER, "form_parameter", PTD_UINT32)                                          \
    ROW(PTD_FORM_COEFFICIENT, "form_coefficient", PTD_FLOAT64)                                     \
    ROW(PTD_EXIT_OF_POSITION, "exit_of_position", PTD_UINT32) /* n, PTD_NONE: no way out */        \
    ROW(PTD_EXIT_START, "exit_start", PTD_UINT32)             /* X + 1 */                          \
    ROW(PTD_EXIT_FORM, "exit_form", PTD_UINT32)               /* forms to add */                   \
    ROW(PTD_BLOCK_ROW, "block_row", PTD_UINT32)               /* n_blocks + 1, into rows */        \
    ROW(PTD_BLOCK_POSITION, "block_position", PTD_UINT32)     /* n_blocks: first component's */    \
    ROW(PTD_ROW_SLOT, "row_slot", PTD_UINT32)                 /* R + 1, into slots */              \
    ROW(PTD_ROW_LOWER, "row_lower", PTD_UINT32)               /* R: entries of L */                \
    ROW(PTD_SLOT_COLUMN, "slot_column", PTD_UINT32)           /* S, local; PTD_NONE: exit */       \
    ROW(PTD_ENTRY_START, "entry_start", PTD_UINT32)           /* R + 1, into entry_slot */         \
    ROW(PTD_ENTRY_SLOT, "entry_slot", PTD_UINT32)             /* within the row */                 \
    ROW(PTD_ROW_PROGRAM, "row_program", PTD_UINT32)           /* R + 1, into program */            \
    ROW(PTD_PROGRAM, "program", PTD_UINT16)

typedef enum {
#define PTD_ARRAY_ENUM(identifier, name, dtype) identifier,
    PTD_TRACE_ARRAY_TABLE(PTD_ARRAY_ENUM)
#undef PTD_ARRAY_ENUM
        PTD_TRACE_ARRAY_COUNT
} ptd_trace_array_id;

typedef struct {
    ptd_dtype dtype;
    int64_t length;
    const void *data;
} ptd_array;

PTD_API const char *ptd_trace_array_name(ptd_trace_array_id id);
PTD_API ptd_dtype ptd_trace_array_dtype(ptd_trace_array_id id);

/* How a long recording shows itself: called now and then with work done and in all; a result other
 * than 0 stops it with PTD_CANCELLED. */
typedef int (*ptd_progress)(void *context, int64_t done, int64_t total);

typedef struct {
    int64_t max_trace_bytes;    /* 0: 4 GiB; more is PTD_TRACE_TOO_LARGE before the work */
    const char *plan_directory; /* NULL: none. Where orders of components are kept and found */
    int64_t plan_min_vertices;  /* only for components of at least so many vertices */
    ptd_progress progress;      /* NULL: none */
    void *progress_context;
} ptd_record_options;

/* `options` may be NULL. The same frozen graph gives the same trace, byte for byte. */
PTD_API PTD_MUST_CHECK ptd_status ptd_record_elimination_trace(const ptd_graph *graph,
                                                               const ptd_record_options *options,
                                                               ptd_elimination_trace **trace,
                                                               ptd_error *error);
/* From arrays (indexed by ptd_trace_array_id), copied and fully validated: how any language makes
 * a trace. */
PTD_API PTD_MUST_CHECK ptd_status ptd_elimination_trace_create(
    const ptd_trace_meta *meta, const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
    ptd_elimination_trace **trace, ptd_error *error);
/* One more owner: destroy is then called once more. From any thread. */
PTD_API void ptd_elimination_trace_retain(ptd_elimination_trace *trace);
PTD_API void ptd_elimination_trace_destroy(ptd_elimination_trace *trace);

PTD_API const ptd_trace_meta *ptd_elimination_trace_meta(const ptd_elimination_trace *trace);
/* `array->data` stays valid while the trace lives. */
PTD_API void ptd_elimination_trace_array(const ptd_elimination_trace *trace, ptd_trace_array_id id,
                                         ptd_array *array);
/* As recorded, or as the file says (verified on load). */
PTD_API void ptd_elimination_trace_hash(const ptd_elimination_trace *trace,
                                        uint8_t content[PTD_HASH_BYTES],
                                        uint8_t key[PTD_HASH_BYTES]);
/* Bytes of its file. */
PTD_API int64_t ptd_elimination_trace_bytes(const ptd_elimination_trace *trace);
/* The frozen graph that the trace holds, for its edges in canonical order. */
PTD_API PTD_MUST_CHECK ptd_status ptd_elimination_trace_graph(const ptd_elimination_trace *trace,
                                                              ptd_graph **graph, ptd_error *error);

/* ---- files. Layout: codec.c. */
/* The whole file in memory; release with ptd_buffer_release. */
PTD_API PTD_MUST_CHECK ptd_status ptd_elimination_trace_encode(const ptd_elimination_trace *trace,
                                                               uint8_t **bytes, int64_t *length,
                                                               ptd_error *error);
/* Copies what it needs. Hostile bytes are refused without allocating more than their length. */
PTD_API PTD_MUST_CHECK ptd_status ptd_elimination_trace_decode(const uint8_t *bytes, int64_t length,
                                                               ptd_elimination_trace **trace,
                                                               ptd_error *error);
PTD_API void ptd_buffer_release(uint8_t *bytes);

/* `<directory>/<key in hex>.trace`, published durably: written under a unique name in `.tmp`,
 * fsynced, closed, linked to its name (first wins), the directory fsynced. PTD_OK also where a
 * valid entry was there already. The directory is made (0700) where it is missing. An entry has
 * mode 0440 whatever the umask, housekeeping directories are as open to the group as the cache:
 * users of a group share a setgid one. After an error nothing of it is visible. Values of
 * PTD_IO_ERROR are errno. */
PTD_API PTD_MUST_CHECK ptd_status ptd_save_trace_to_cache(const ptd_elimination_trace *trace,
                                                          const char *directory, ptd_error *error);
/* Maps and validates the entry. PTD_CACHE_MISS where there is none; a bad entry is an error of
 * family 3xx and is left where it is (see ptd_quarantine_cache_entry). */
PTD_API PTD_MUST_CHECK ptd_status ptd_load_trace_from_cache(const char *directory,
                                                            const uint8_t key[PTD_HASH_BYTES],
                                                            ptd_elimination_trace **trace,
                                                            ptd_error *error);
/* Moves a bad entry to `.quarantine`, once: re-checks that it is still the bad one. */
PTD_API PTD_MUST_CHECK ptd_status ptd_quarantine_cache_entry(const char *directory,
                                                             const uint8_t key[PTD_HASH_BYTES],
                                                             ptd_error *error);
/* Any path, the same durability; replaces what is there. */
PTD_API PTD_MUST_CHECK ptd_status ptd_save_trace_to_file(const ptd_elimination_trace *trace,
                                                         const char *path, ptd_error *error);
PTD_API PTD_MUST_CHECK ptd_status ptd_load_trace_from_file(const char *path,
                                                           ptd_elimination_trace **trace,
                                                           ptd_error *error);

/* ---- evaluation. Thetas are rows of n_parameters; all outputs are row-major, one row a theta.
 * Vertices are in canonical order. Nothing is allocated: the workspace holds all that is needed
 * (but for ptd_evaluate_trace, ptd_moment_hessians, and gradients of factorial and central moments
 * and of those by vertex).
 * The trace must outlive its workspaces. Edge indices of errors count the trace's own edges (those
 * of PTD_EDGE_TARGET); the row of theta that failed is ptd_workspace_failed_theta.
 * Values are right to a small multiple of machine precision. The error of a gradient's component is
 * so small beside |value / theta|, which it may itself be far below: then it has as many digits
 * fewer. */
typedef struct ptd_workspace ptd_workspace;

typedef struct {
    int32_t max_order;           /* highest moment asked for; 0: 1 */
    int32_t max_rewards;         /* most rewards in a call of ptd_covariances; 0: 1 */
    int32_t gradient;            /* whether gradients will be asked for */
    int64_t n_thetas;            /* how many thetas a call will usually bring: chooses lanes */
    const char *instruction_set; /* the widest to use, by name; NULL: the processor's. Same bits */
} ptd_workspace_options;

PTD_API PTD_MUST_CHECK ptd_status ptd_workspace_create(const ptd_elimination_trace *trace,
                                                       const ptd_workspace_options *options,
                                                       ptd_workspace **workspace, ptd_error *error);
PTD_API void ptd_workspace_destroy(ptd_workspace *workspace);
PTD_API int64_t ptd_workspace_bytes(const ptd_workspace *workspace);
/* Row of the theta at which the last call failed, -1 where the error is not about one theta. */
PTD_API int64_t ptd_workspace_failed_theta(const ptd_workspace *workspace);
/* Name of the instruction set in use: "baseline", "avx2", "avx512". */
PTD_API const char *ptd_workspace_instruction_set(const ptd_workspace *workspace);

/* E[Y^1], .., E[Y^order] of Y = integral of the reward along the path (discrete: its sum over the
 * visited vertices); infinite where the start reaches dropped vertices with positive probability
 * and any dropped vertex has a reward. `rewards`: n_vertices, finite and >= 0; NULL: all 1 (the
 * time itself). Rewards of start, absorbing and dropped vertices have no effect. moments: n_thetas
 * x order. gradient: n_thetas x order x n_parameters, or NULL. */
PTD_API PTD_MUST_CHECK ptd_status ptd_moments(ptd_workspace *workspace, int64_t n_thetas,
                                              const double *thetas, const double *rewards,
                                              int32_t order, double *moments, double *gradient,
                                              ptd_error *error);
/* E[T (T-1) .. (T-k+1)], k = 1..order, of the number of steps T; discrete traces only
 * (PTD_INVALID_ARGUMENT else). factorial_moments: n_thetas x order; gradient: with n_parameters
 * behind, or NULL. */
PTD_API PTD_MUST_CHECK ptd_status ptd_factorial_moments(ptd_workspace *workspace, int64_t n_thetas,
                                                        const double *thetas, int32_t order,
                                                        double *factorial_moments, double *gradient,
                                                        ptd_error *error);
/* E[Y^order | start in v] for every vertex: n_thetas x n_vertices; gradient: with n_parameters
 * behind, or NULL. */
PTD_API PTD_MUST_CHECK ptd_status ptd_vertex_moments(ptd_workspace *workspace, int64_t n_thetas,
                                                     const double *thetas, const double *rewards,
                                                     int32_t order, double *moments,
                                                     double *gradient, ptd_error *error);
/* E[prod_i Y_i^powers[i]] of rewards (n_rewards x n_vertices): n_thetas. The workspace needs a
 * max_order of prod_i (powers[i] + 1) - 1. gradient: n_thetas x n_parameters, or NULL. */
PTD_API PTD_MUST_CHECK ptd_status ptd_joint_moments(ptd_workspace *workspace, int64_t n_thetas,
                                                    const double *thetas, int64_t n_rewards,
                                                    const double *rewards, const int32_t *powers,
                                                    double *moments, double *gradient,
                                                    ptd_error *error);
/* E[(Y - E[Y])^k], k = 1..order: n_thetas x order; bounds: of the rounding error of each, absolute.
 * The workspace needs a max_order of 2 order; order is at most PTD_MOST_CENTRAL. gradient: n_thetas
 * x order x n_parameters, or NULL. */
#define PTD_MOST_CENTRAL 32
PTD_API PTD_MUST_CHECK ptd_status ptd_central_moments(ptd_workspace *workspace, int64_t n_thetas,
                                                      const double *thetas, const double *rewards,
                                                      int32_t order, double *moments,
                                                      double *bounds, double *gradient,
                                                      ptd_error *error);
/* Second derivatives of E[Y^1], .., E[Y^order] in theta: n_thetas x order x n_parameters x
 * n_parameters. Allocates what it works with. */
PTD_API PTD_MUST_CHECK ptd_status ptd_moment_hessians(ptd_workspace *workspace, int64_t n_thetas,
                                                      const double *thetas, const double *rewards,
                                                      int32_t order, double *hessians,
                                                      ptd_error *error);
/* Covariances of the rewards (n_rewards x n_vertices), each by the law of total covariance, so that
 * a small variance beside a large mean keeps its digits. means: n_thetas x n_rewards. covariances:
 * n_thetas x n_rewards x n_rewards. Gradients (or NULL): the same with n_parameters behind. */
PTD_API PTD_MUST_CHECK ptd_status ptd_covariances(ptd_workspace *workspace, int64_t n_thetas,
                                                  const double *thetas, int64_t n_rewards,
                                                  const double *rewards, double *means,
                                                  double *covariances, double *mean_gradients,
                                                  double *covariance_gradients, ptd_error *error);
/* Expected total time (discrete: visits) in every vertex: n_thetas x n_vertices. */
PTD_API PTD_MUST_CHECK ptd_status ptd_expected_sojourn(ptd_workspace *workspace, int64_t n_thetas,
                                                       const double *thetas, double *sojourn,
                                                       ptd_error *error);
/* Probability of ending in each of `targets` (absorbing vertices): n_thetas x n_targets; gradient:
 * with n_parameters behind, or NULL. */
PTD_API PTD_MUST_CHECK ptd_status ptd_absorption_probabilities(
    ptd_workspace *workspace, int64_t n_thetas, const double *thetas, int64_t n_targets,
    const int64_t *targets, double *probabilities, double *gradient, ptd_error *error);
/* P(Y = 0): absorbed without having visited a vertex of positive reward. n_thetas. */
PTD_API PTD_MUST_CHECK ptd_status ptd_defect(ptd_workspace *workspace, int64_t n_thetas,
                                             const double *thetas, const double *rewards,
                                             double *defect, ptd_error *error);

/* Transforms E[exp(-s Y)] (continuous) and E[z^Y] (discrete) of rewards, also joint: at each point
 * every vertex v has a shift, n_points x n_vertices: sum_i s_i r_i(v); discrete: 1 / prod_i
 * z_i^(r_i(v)) - 1. INFINITY: only paths that avoid v count. Only paths that are absorbed count.
 * Shifts of start, absorbing and dropped vertices have no effect. values: n_thetas x n_points;
 * gradient: with n_parameters behind, or NULL; not with negative shifts (PTD_INVALID_ARGUMENT).
 * PTD_TRANSFORM_DIVERGES: negative shifts, and the transform is infinite or so near its abscissa
 * that its series does not end (value: 1). */
PTD_API PTD_MUST_CHECK ptd_status ptd_transform(ptd_workspace *workspace, int64_t n_thetas,
                                                const double *thetas, int64_t n_points,
                                                const double *shifts, double *values,
                                                double *gradient, ptd_error *error);

/* ---- chain: the graph at one theta, for the questions of the density family: the distribution of
 * Y, the time to absorption or, with rewards, what is collected until then.
 *
 * States of a chain are the vertices in which Y grows (positive reward), in canonical order. It is
 * immutable but for its start and may be shared by threads. The trace must outlive it. */
typedef struct ptd_chain ptd_chain;

typedef struct {
    int32_t order;         /* derivatives in theta that will be asked for: 0, 1, 2 */
    const double *rewards; /* n_vertices, finite, >= 0, discrete: whole; NULL: all 1 (the time) */
    int64_t target;        /* only absorption in this vertex counts; -1: in any */
    const double *start;   /* n_vertices, >= 0: an initial distribution in place of the graph's (not
                              normalised); on absorbing vertices: the atom. NULL */
    int32_t unending;      /* whether absorption may be out of reach (of an epoch that ends) */
    int64_t n_directions;  /* derivatives of order 1 behind those in theta: in what `start` alone
                              depends on */
    const double *start_slope; /* n_vertices x (n_parameters + n_directions): derivatives of
                                  `start`, of any sign; NULL: 0. Order 1 only */
} ptd_chain_options;

PTD_API PTD_MUST_CHECK ptd_status ptd_chain_create(const ptd_elimination_trace *trace,
                                                   const double *theta,
                                                   const ptd_chain_options *options,
                                                   ptd_chain **chain, ptd_error *error);
PTD_API void ptd_chain_destroy(ptd_chain *chain);
/* Largest rate of leaving a state; q t is what uniformisation costs. */
PTD_API double ptd_chain_fastest(const ptd_chain *chain);

/* The chain's numbers, as values: state i is entered with probability alpha, left at rate `out` (of
 * which `exit` into absorption; into the target, where there is one), and in a discrete chain kept
 * with probability `stay`. Edges lead into state j from in_from[k], k in
 * in_start[j]..in_start[j+1], at in_rate[k * jets]. A number stands at the first of its `jets`
 * doubles. */
typedef struct {
    int64_t n;
    int64_t n_edges;
    int64_t trap; /* the state of those that never are absorbed, or -1 */
    int32_t jets;
    const uint32_t *vertex; /* n: canonical vertex; PTD_NONE for the trap */
    const double *alpha;
    const double *out;
    const double *stay; /* NULL in continuous chains */
    const double *exit;
    const uint32_t *in_start; /* n + 1 */
    const uint32_t *in_from;
    const double *in_rate;
} ptd_chain_view;

/* Pointers stay valid while the chain lives. */
PTD_API void ptd_chain_get_view(const ptd_chain *chain, ptd_chain_view *view);

typedef enum { PTD_DENSITY = 0, PTD_DISTRIBUTION = 1, PTD_SURVIVAL = 2 } ptd_function;
typedef enum {
    PTD_METHOD_AUTO = 0,
    PTD_METHOD_UNIFORMISE = 1,
    PTD_METHOD_CONTOUR = 2,
    PTD_METHOD_DENSE = 3
} ptd_method;
enum { PTD_METHODS = 4 };
/* Certified: the error is at most the bound, by an inequality. Verified: two computations that err
 * differently agree to the bound. */
typedef enum { PTD_CERTIFIED = 0, PTD_VERIFIED = 1 } ptd_bound_kind;

typedef struct {
    ptd_function function;
    ptd_method method;
    double tolerance; /* relative error of values that is accepted */
    double max_work;  /* visits of edges or multiply-adds that may be spent; 0: about a minute */
} ptd_density_options;

/* The value at 0 as a jet (jets doubles): of the density from above, P(Y = 0), P(Y > 0). */
PTD_API void ptd_chain_at_zero(const ptd_chain *chain, ptd_function function, double *jet);

/* log of the density (discrete: of the pmf), of P(Y <= t) without the atom, or of P(Y > t), at
 * positive, finite times (discrete: whole numbers) in ascending order. Arrays by time: log_value;
 * bound, the relative error; method and kind (ptd_method, ptd_bound_kind); log_jet (n_times x (jets
 * - 1), NULL where the chain's order is 0): derivatives of the value, divided by the value unless
 * that is 0.
 * PTD_DENSITY_REFUSED: no method reaches the tolerance within max_work, or the one asked for does
 * not; index: the first such time, value: the bound there; the arrays hold what was reached
 * (INFINITY bounds: nothing). */
PTD_API PTD_MUST_CHECK ptd_status ptd_density_evaluate(const ptd_chain *chain,
                                                       const ptd_density_options *options,
                                                       int64_t n_times, const double *times,
                                                       double *log_value, double *bound,
                                                       uint8_t *method, uint8_t *kind,
                                                       double *log_jet, ptd_error *error);

/* What each method would cost (by ptd_method; INFINITY: it does not apply), in units of max_work.
 */
PTD_API PTD_MUST_CHECK ptd_status ptd_density_estimate(const ptd_chain *chain,
                                                       const ptd_density_options *options,
                                                       int64_t n_times, const double *times,
                                                       double work[PTD_METHODS], ptd_error *error);

/* The same as callers want it, at one theta and any times: in any order, repeated, negative, 0 (a
 * density: its limit from above), infinite; discrete: any numbers, pmf being 0 at those that are
 * not whole. P(Y <= t) has its atom. values: n_times; gradient: n_times x n_parameters, from order
 * 1 on; hessian: n_times x n_parameters x n_parameters, with order 2; others NULL. Derivatives of a
 * logarithm of 0 are 0. PTD_DENSITY_REFUSED: index: the time. */
typedef struct {
    ptd_function function;
    ptd_method method;
    double tolerance;
    int32_t order;     /* derivatives in theta: 0, 1, 2 */
    int32_t logarithm; /* whether answers are logarithms of the function */
} ptd_values_options;

PTD_API PTD_MUST_CHECK ptd_status ptd_density_values(const ptd_elimination_trace *trace,
                                                     const double *theta, const double *rewards,
                                                     const ptd_values_options *options,
                                                     int64_t n_times, const double *times,
                                                     double *values, double *gradient,
                                                     double *hessian, ptd_error *error);

/* exp, log and log1p as the engine takes them, so that others who go on from its logarithms get its
 * bits.
 */
PTD_API void ptd_exp_all(int64_t count, const double *x, double *y);
PTD_API void ptd_log_all(int64_t count, const double *x, double *y);
PTD_API void ptd_log1p_all(int64_t count, const double *x, double *y);

/* Where the chain is at a time (discrete: after so many steps): probability of each vertex, and the
 * expected time (visits) spent in each until then, as jets, n_vertices x jets, by canonical vertex;
 * absorbed mass on no vertex. Chains without rewards, order 0 or 1. `bound`: relative error of each
 * value above 2^-900, and `kind` of that: certified by uniformisation, or verified where a chain of
 * at most 300 states has so many steps ahead of it that powers of its step matrix take over.
 * PTD_DENSITY_REFUSED: neither is within reach (value: the time). */
PTD_API PTD_MUST_CHECK ptd_status ptd_chain_occupation(const ptd_chain *chain, double time,
                                                       double *probability, double *accumulated,
                                                       double *bound, ptd_bound_kind *kind,
                                                       ptd_error *error);

/* ---- sampling: paths of the graph at one theta. Path `number` of a `seed` is a function of these
 * two alone: however numbers are cut into calls, threads and machines, it is the same to the last
 * bit. A sampler is immutable and may be shared by threads. The trace must outlive it.
 *
 * A path leaves the start at time 0 and ends where it is absorbed, or where it enters a trap (a
 * dropped vertex of an improper graph): then its time is INFINITY, and so is a reward of which any
 * dropped vertex has some; of other rewards it has what was collected before. */
typedef struct ptd_sampler ptd_sampler;

/* Refuses the thetas that ptd_expected_sojourn refuses, by the same errors. `instruction_set`: as
 * in ptd_workspace_options. */
PTD_API PTD_MUST_CHECK ptd_status ptd_sampler_create(const ptd_elimination_trace *trace,
                                                     const double *theta,
                                                     const char *instruction_set,
                                                     ptd_sampler **sampler, ptd_error *error);
PTD_API void ptd_sampler_destroy(ptd_sampler *sampler);
/* Expected moves of a path from vertex to vertex, which is what it costs; the start's counts. */
PTD_API double ptd_sampler_expected_moves(const ptd_sampler *sampler);
/* Paths first .. first + count - 1: the time to absorption (n_rewards 0, rewards NULL), or the
 * rewards (n_rewards x n_vertices, finite and >= 0) collected until then. values: count x max(1,
 * n_rewards). final_vertex: count, or NULL; the absorbing vertex, -1 for a trap. Times of discrete
 * graphs are whole numbers. PTD_RESULT_OVERFLOW: a value of an absorbed path is none of double. */
PTD_API PTD_MUST_CHECK ptd_status ptd_sample_times(const ptd_sampler *sampler, uint64_t seed,
                                                   int64_t first, int64_t count, int64_t n_rewards,
                                                   const double *rewards, double *values,
                                                   int64_t *final_vertex, ptd_error *error);
/* One path: the vertices that it passes, the last being where it ends, and when it enters each; the
 * time at the last is what ptd_sample_times gives, unless that is a trap. A discrete path names a
 * vertex once for all the steps that it stays there in a row. `length` receives how many there are;
 * the first `capacity` are written. */
PTD_API PTD_MUST_CHECK ptd_status ptd_sample_path(const ptd_sampler *sampler, uint64_t seed,
                                                  int64_t number, int64_t capacity,
                                                  int64_t *vertices, double *times, int64_t *length,
                                                  ptd_error *error);

/* ---- one evaluation, opened up: the eliminated chain at one theta. In this acyclic chain vertex v
 * is left with rate rates[v] (the pivot) to targets[k], k in start[v]..start[v+1], with
 * probabilities[k]. Target -1 stands for everything outside v's strong component, where that has
 * more than one vertex. Absorbing and dropped vertices have rate 0 and no targets; the start's rate
 * is the sum of its weights. */
typedef struct {
    int64_t n_vertices;
    int64_t n_targets;
    double *rates;         /* n_vertices */
    int64_t *start;        /* n_vertices + 1 */
    int64_t *targets;      /* n_targets */
    double *probabilities; /* n_targets */
} ptd_trace_result;

PTD_API PTD_MUST_CHECK ptd_status ptd_evaluate_trace(ptd_workspace *workspace, const double *theta,
                                                     ptd_trace_result **result, ptd_error *error);
PTD_API void ptd_trace_result_destroy(ptd_trace_result *result);

#ifdef __cplusplus
}
#endif

#endif
