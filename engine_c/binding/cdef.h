/* What Python sees of the engine: ../include/ptd.h without its comments, for cffi (API mode). The
 * compiler checks each declaration against the header; `...` leaves values to it. */

typedef enum {
    PTD_OK,
    PTD_GRAPH_TOO_LARGE,
    PTD_DENSITY_REFUSED,
    PTD_CACHE_MISS,
    PTD_CANCELLED,
    ...
} ptd_status;

typedef struct {
    ptd_status status;
    int64_t index;
    double value;
} ptd_error;

const char *ptd_status_name(ptd_status status);

const char *ptd_status_text(ptd_status status);

typedef struct ptd_state_index ptd_state_index;

ptd_status ptd_state_index_create(int32_t state_length, int64_t max_states, ptd_state_index **index,
                                  ptd_error *error);
void ptd_state_index_destroy(ptd_state_index *index);

ptd_status ptd_state_index_insert(ptd_state_index *index, int64_t count, const int32_t *states,
                                  int64_t *ids, ptd_error *error);

void ptd_state_index_find(const ptd_state_index *index, int64_t count, const int32_t *states,
                          int64_t *ids);
int64_t ptd_state_index_size(const ptd_state_index *index);

const int32_t *ptd_state_index_states(const ptd_state_index *index);

typedef struct ptd_graph ptd_graph;

typedef enum { PTD_CONTINUOUS = 0, PTD_DISCRETE = 1 } ptd_kind;

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
    const int32_t *states;
    const uint8_t *vertex_class;
    const int64_t *added_order;
    const int64_t *edge_start;
    const int32_t *edge_to;
    const uint32_t *edge_form;
    const double *form_base;
    const int64_t *form_start;
    const uint32_t *form_parameter;
    const double *form_coefficient;
} ptd_graph_view;

ptd_status ptd_graph_create(ptd_kind kind, int32_t n_parameters, int32_t state_length,
                            ptd_graph **graph, ptd_error *error);
void ptd_graph_destroy(ptd_graph *graph);

ptd_status ptd_graph_add_vertices(ptd_graph *graph, int64_t count, const int32_t *states,
                                  ptd_error *error);
int64_t ptd_graph_vertex_count(const ptd_graph *graph);

ptd_status ptd_graph_add_edges(ptd_graph *graph, int64_t count, const int64_t *from,
                               const int64_t *to, const double *base, const double *coefficients,
                               ptd_error *error);
ptd_status ptd_graph_add_edge(ptd_graph *graph, int64_t from, int64_t to, double base,
                              const double *coefficients, ptd_error *error);

ptd_status ptd_graph_freeze(ptd_graph *graph, int32_t improper, ptd_error *error);

ptd_status ptd_graph_get_view(const ptd_graph *graph, ptd_graph_view *view, ptd_error *error);

enum { PTD_HASH_BYTES = 32 };

ptd_status ptd_graph_content_hash(const ptd_graph *graph, uint8_t hash[PTD_HASH_BYTES],
                                  ptd_error *error);

ptd_status ptd_graph_trace_key(const ptd_graph *graph, uint8_t key[PTD_HASH_BYTES],
                               ptd_error *error);

typedef struct ptd_elimination_trace ptd_elimination_trace;

#define PTD_TRACE_FORMAT_VERSION ...
#define PTD_NONE                 ...

typedef struct {
    int64_t kind;
    int64_t n_parameters;
    int64_t state_length;
    int64_t n_vertices;
    int64_t n_absorbing;
    int64_t n_dropped;
    int64_t n_components;
    int64_t n_blocks;
    int64_t n_edges;
    int64_t n_forms;
    int64_t multiply_adds;
    int64_t lower_entries;
    int64_t upper_entries;
    int64_t fill_in;
    int64_t largest_component;
    int64_t ordering_version;
} ptd_trace_meta;

typedef enum { PTD_INT32 = 0, PTD_UINT32 = 1, PTD_UINT16 = 2, PTD_FLOAT64 = 3 } ptd_dtype;

typedef enum { PTD_TRACE_ARRAY_COUNT, ... } ptd_trace_array_id;

typedef struct {
    ptd_dtype dtype;
    int64_t length;
    const void *data;
} ptd_array;

const char *ptd_trace_array_name(ptd_trace_array_id id);
ptd_dtype ptd_trace_array_dtype(ptd_trace_array_id id);

typedef int (*ptd_progress)(void *context, int64_t done, int64_t total);

typedef struct {
    int64_t max_trace_bytes;
    const char *plan_directory;
    int64_t plan_min_vertices;
    ptd_progress progress;
    void *progress_context;
} ptd_record_options;

ptd_status ptd_record_elimination_trace(const ptd_graph *graph, const ptd_record_options *options,
                                        ptd_elimination_trace **trace, ptd_error *error);

ptd_status ptd_elimination_trace_create(const ptd_trace_meta *meta,
                                        const ptd_array arrays[PTD_TRACE_ARRAY_COUNT],
                                        ptd_elimination_trace **trace, ptd_error *error);
void ptd_elimination_trace_retain(ptd_elimination_trace *trace);
void ptd_elimination_trace_destroy(ptd_elimination_trace *trace);

const ptd_trace_meta *ptd_elimination_trace_meta(const ptd_elimination_trace *trace);

void ptd_elimination_trace_array(const ptd_elimination_trace *trace, ptd_trace_array_id id,
                                 ptd_array *array);

void ptd_elimination_trace_hash(const ptd_elimination_trace *trace, uint8_t content[PTD_HASH_BYTES],
                                uint8_t key[PTD_HASH_BYTES]);

int64_t ptd_elimination_trace_bytes(const ptd_elimination_trace *trace);

ptd_status ptd_elimination_trace_graph(const ptd_elimination_trace *trace, ptd_graph **graph,
                                       ptd_error *error);

ptd_status ptd_elimination_trace_encode(const ptd_elimination_trace *trace, uint8_t **bytes,
                                        int64_t *length, ptd_error *error);

ptd_status ptd_elimination_trace_decode(const uint8_t *bytes, int64_t length,
                                        ptd_elimination_trace **trace, ptd_error *error);
void ptd_buffer_release(uint8_t *bytes);

ptd_status ptd_save_trace_to_cache(const ptd_elimination_trace *trace, const char *directory,
                                   ptd_error *error);

ptd_status ptd_load_trace_from_cache(const char *directory, const uint8_t key[PTD_HASH_BYTES],
                                     ptd_elimination_trace **trace, ptd_error *error);

ptd_status ptd_quarantine_cache_entry(const char *directory, const uint8_t key[PTD_HASH_BYTES],
                                      ptd_error *error);

ptd_status ptd_save_trace_to_file(const ptd_elimination_trace *trace, const char *path,
                                  ptd_error *error);
ptd_status ptd_load_trace_from_file(const char *path, ptd_elimination_trace **trace,
                                    ptd_error *error);

typedef struct ptd_workspace ptd_workspace;

typedef struct {
    int32_t max_order;
    int32_t max_rewards;
    int32_t gradient;
    int64_t n_thetas;
    const char *instruction_set;
} ptd_workspace_options;

ptd_status ptd_workspace_create(const ptd_elimination_trace *trace,
                                const ptd_workspace_options *options, ptd_workspace **workspace,
                                ptd_error *error);
void ptd_workspace_destroy(ptd_workspace *workspace);
int64_t ptd_workspace_bytes(const ptd_workspace *workspace);

int64_t ptd_workspace_failed_theta(const ptd_workspace *workspace);

const char *ptd_workspace_instruction_set(const ptd_workspace *workspace);

ptd_status ptd_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                       const double *rewards, int32_t order, double *moments, double *gradient,
                       ptd_error *error);

ptd_status ptd_factorial_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                                 int32_t order, double *factorial_moments, double *gradient,
                                 ptd_error *error);

ptd_status ptd_vertex_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                              const double *rewards, int32_t order, double *moments,
                              double *gradient, ptd_error *error);

ptd_status ptd_joint_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                             int64_t n_rewards, const double *rewards, const int32_t *powers,
                             double *moments, double *gradient, ptd_error *error);
#define PTD_MOST_CENTRAL ...
ptd_status ptd_central_moments(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                               const double *rewards, int32_t order, double *moments,
                               double *bounds, double *gradient, ptd_error *error);
ptd_status ptd_moment_hessians(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                               const double *rewards, int32_t order, double *hessians,
                               ptd_error *error);
ptd_status ptd_covariances(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                           int64_t n_rewards, const double *rewards, double *means,
                           double *covariances, double *mean_gradients,
                           double *covariance_gradients, ptd_error *error);

ptd_status ptd_expected_sojourn(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                                double *sojourn, ptd_error *error);

ptd_status ptd_absorption_probabilities(ptd_workspace *workspace, int64_t n_thetas,
                                        const double *thetas, int64_t n_targets,
                                        const int64_t *targets, double *probabilities,
                                        double *gradient, ptd_error *error);

ptd_status ptd_defect(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                      const double *rewards, double *defect, ptd_error *error);
ptd_status ptd_transform(ptd_workspace *workspace, int64_t n_thetas, const double *thetas,
                         int64_t n_points, const double *shifts, double *values, double *gradient,
                         ptd_error *error);

typedef struct ptd_chain ptd_chain;

typedef struct {
    int32_t order;
    const double *rewards;
    int64_t target;
    const double *start;
    int32_t unending;
    int64_t n_directions;
    const double *start_slope;
} ptd_chain_options;

ptd_status ptd_chain_create(const ptd_elimination_trace *trace, const double *theta,
                            const ptd_chain_options *options, ptd_chain **chain, ptd_error *error);
void ptd_chain_destroy(ptd_chain *chain);

double ptd_chain_fastest(const ptd_chain *chain);

typedef struct {
    int64_t n;
    int64_t n_edges;
    int64_t trap;
    int32_t jets;
    const uint32_t *vertex;
    const double *alpha;
    const double *out;
    const double *stay;
    const double *exit;
    const uint32_t *in_start;
    const uint32_t *in_from;
    const double *in_rate;
} ptd_chain_view;

void ptd_chain_get_view(const ptd_chain *chain, ptd_chain_view *view);

typedef enum { PTD_DENSITY = 0, PTD_DISTRIBUTION = 1, PTD_SURVIVAL = 2 } ptd_function;
typedef enum {
    PTD_METHOD_AUTO = 0,
    PTD_METHOD_UNIFORMISE = 1,
    PTD_METHOD_CONTOUR = 2,
    PTD_METHOD_DENSE = 3
} ptd_method;
enum { PTD_METHODS = 4 };

typedef enum { PTD_CERTIFIED = 0, PTD_VERIFIED = 1 } ptd_bound_kind;

typedef struct {
    ptd_function function;
    ptd_method method;
    double tolerance;
    double max_work;
} ptd_density_options;

void ptd_chain_at_zero(const ptd_chain *chain, ptd_function function, double *jet);

ptd_status ptd_density_evaluate(const ptd_chain *chain, const ptd_density_options *options,
                                int64_t n_times, const double *times, double *log_value,
                                double *bound, uint8_t *method, uint8_t *kind, double *log_jet,
                                ptd_error *error);

ptd_status ptd_density_estimate(const ptd_chain *chain, const ptd_density_options *options,
                                int64_t n_times, const double *times, double work[PTD_METHODS],
                                ptd_error *error);

typedef struct {
    ptd_function function;
    ptd_method method;
    double tolerance;
    int32_t order;
    int32_t logarithm;
} ptd_values_options;

ptd_status ptd_density_values(const ptd_elimination_trace *trace, const double *theta,
                              const double *rewards, const ptd_values_options *options,
                              int64_t n_times, const double *times, double *values,
                              double *gradient, double *hessian, ptd_error *error);

void ptd_exp_all(int64_t count, const double *x, double *y);
void ptd_log_all(int64_t count, const double *x, double *y);
void ptd_log1p_all(int64_t count, const double *x, double *y);

ptd_status ptd_chain_occupation(const ptd_chain *chain, double time, double *probability,
                                double *accumulated, double *bound, ptd_bound_kind *kind,
                                ptd_error *error);

typedef struct ptd_sampler ptd_sampler;

ptd_status ptd_sampler_create(const ptd_elimination_trace *trace, const double *theta,
                              const char *instruction_set, ptd_sampler **sampler, ptd_error *error);
void ptd_sampler_destroy(ptd_sampler *sampler);

double ptd_sampler_expected_moves(const ptd_sampler *sampler);

ptd_status ptd_sample_times(const ptd_sampler *sampler, uint64_t seed, int64_t first, int64_t count,
                            int64_t n_rewards, const double *rewards, double *values,
                            int64_t *final_vertex, ptd_error *error);

ptd_status ptd_sample_path(const ptd_sampler *sampler, uint64_t seed, int64_t number,
                           int64_t capacity, int64_t *vertices, double *times, int64_t *length,
                           ptd_error *error);

typedef struct {
    int64_t n_vertices;
    int64_t n_targets;
    double *rates;
    int64_t *start;
    int64_t *targets;
    double *probabilities;
} ptd_trace_result;

ptd_status ptd_evaluate_trace(ptd_workspace *workspace, const double *theta,
                              ptd_trace_result **result, ptd_error *error);
void ptd_trace_result_destroy(ptd_trace_result *result);

/* xla/ */
typedef enum {
    PHASIC_XLA_INSTANTIATE = 0,
    PHASIC_XLA_DENSITY = 1,
    PHASIC_XLA_MOMENTS = 2,
    PHASIC_XLA_STATE_TYPE = 3,
    PHASIC_XLA_STATE_INFO = 4
} phasic_xla_what;
uintptr_t phasic_xla_address(phasic_xla_what what);
void phasic_xla_version(int32_t *major, int32_t *minor);
void phasic_xla_counts(int64_t *calls, int64_t *lanes);
ptd_status phasic_registry_add(ptd_elimination_trace *trace, ptd_error *error);
void phasic_registry_remove(const ptd_elimination_trace *trace);

/* source.c */
static const char *phasic_built_version(void);
static const char *phasic_built_sanitizers(void);
static const char *phasic_built_compiler(void);
static const char *phasic_built_flags(void);
static const char *phasic_instruction_set(void);

/* A recording's progress, answered by phasic/_engine/record.py. */
extern "Python" int phasic_progress(void *context, int64_t done, int64_t total);
