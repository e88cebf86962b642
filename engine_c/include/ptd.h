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

#define PTD_API __attribute__((visibility("default")))
#define PTD_MUST_CHECK __attribute__((warn_unused_result))

/* ---- status: one row a code. Families: 1xx graph, 2xx evaluation, 3xx trace data and files,
 * 4xx operating system, 5xx resources and use. `index` and `value` say what ptd_error carries. */
#define PTD_STATUS_TABLE(ROW)                                                                      \
    ROW(PTD_OK, 0, "done")                                                                         \
    ROW(PTD_GRAPH_EMPTY, 101, "the graph has no vertex besides the start")                         \
    ROW(PTD_GRAPH_NO_ABSORPTION, 102, "a vertex cannot reach absorption; index: the vertex")       \
    ROW(PTD_GRAPH_START_ABSORBED, 103, "every start edge leads to an absorbing vertex")            \
    ROW(PTD_GRAPH_NO_START, 104, "the start has no edge")                                          \
    ROW(PTD_GRAPH_WEIGHT_NOT_FINITE, 105, "a weight is NaN or infinite; index: the edge")          \
    ROW(PTD_GRAPH_WEIGHT_NEGATIVE, 106, "a constant weight is negative; index: the edge")          \
    ROW(PTD_GRAPH_VERTEX_RANGE, 107, "no such vertex; index: the edge, value: the vertex")         \
    ROW(PTD_GRAPH_START_ENTERED, 108, "an edge leads into the start; index: the edge")             \
    ROW(PTD_GRAPH_TOO_LARGE, 109, "more vertices than max_vertices; value: the bound")             \
    ROW(PTD_GRAPH_FROZEN, 110, "the graph is frozen and cannot change")                            \
    ROW(PTD_GRAPH_NOT_FROZEN, 111, "the graph must be frozen first")                               \
    ROW(PTD_THETA_NOT_FINITE, 201, "theta is NaN or infinite; index: the parameter")               \
    ROW(PTD_WEIGHT_NEGATIVE, 202, "a weight is negative at theta; index: the edge, value: it")     \
    ROW(PTD_WEIGHT_NOT_FINITE, 203, "a weight is not finite at theta; index: the edge")            \
    ROW(PTD_ABSORPTION_UNREACHABLE, 204, "absorption is unreachable at theta; index: the vertex")  \
    ROW(PTD_PROBABILITY_ABOVE_ONE, 205, "out-weights exceed 1; index: the vertex, value: the sum") \
    ROW(PTD_RESULT_OVERFLOW, 206, "a result exceeds the range of double")                          \
    ROW(PTD_REWARD_INVALID, 207, "a reward is negative or not finite; index: the vertex")          \
    ROW(PTD_START_WEIGHT_ZERO, 208, "all start weights are zero at theta")                         \
    ROW(PTD_FORMAT_MAGIC, 301, "not a trace file")                                                 \
    ROW(PTD_FORMAT_VERSION, 302, "another trace format version; value: the version found")         \
    ROW(PTD_FORMAT_TRUNCATED, 303, "the file is shorter than it says; value: bytes missing")       \
    ROW(PTD_FORMAT_HEADER, 304, "the header is malformed; index: the byte")                        \
    ROW(PTD_FORMAT_CHECKSUM, 305, "a checksum does not match; index: the array, -1 the header")    \
    ROW(PTD_TRACE_INVALID, 306, "trace data are inconsistent; index: the array, value: where")     \
    ROW(PTD_FORMAT_KEY, 307, "the entry holds another key than its name says")                     \
    ROW(PTD_TRACE_TOO_LARGE, 308, "the trace would exceed its size bound; value: bytes needed")    \
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

#ifdef __cplusplus
}
#endif

#endif
