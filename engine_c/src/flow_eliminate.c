/* Elimination of vertices in which no time passes (no reward), from the flow of a graph.
 *
 * Vertex z is left for j with probability p_zj = w_zj / sum_k w_zk (k != z), so each path i -> z
 * becomes paths i -> j of rate w_iz p_zj (Grassmann, Taksar & Heyman 1985: nothing is subtracted).
 * A path that returns to i is no transition of a continuous chain; in a discrete one it is another
 * visit, and adds to the probability of staying. Values are double-doubles, so that what was
 * eliminated does not limit the accuracy of densities. Vertices go in the order of the trace, in
 * which little is filled in.
 */
#include <string.h>

#include "double_double.h"
#include "flow.h"
#include "grow.h"
#include "status.h"

/* A row that grows. */
typedef struct {
    uint32_t *to;
    double *rate, *low;
    size_t length;
    size_t to_capacity, rate_capacity, low_capacity;
} row;

/* Who leads to a vertex, possibly named several times. */
typedef struct {
    uint32_t *from;
    size_t length, capacity;
} sources;

typedef struct {
    ptd_flow *flow;
    const uint8_t *timeless;
    row *rows;       /* n */
    sources *into;   /* n: of timeless vertices */
    uint32_t *place; /* n + 3: where a column stands in the row at hand, from 1; 0: nowhere */
    double *inverse; /* jet */
    double *weight;  /* jet */
    double *ways;    /* of the vertex being eliminated: its probabilities */
    double *ways_low;
    size_t ways_capacity, ways_low_capacity;
} elimination;

static int reserve(row *r, size_t jets, size_t length)
{
    return ptd_grow(&r->to, &r->to_capacity, length, sizeof *r->to) &&
           ptd_grow(&r->rate, &r->rate_capacity, length * jets, sizeof *r->rate) &&
           ptd_grow(&r->low, &r->low_capacity, length, sizeof *r->low);
}

/* A jet whose value is a double-double. */
typedef struct {
    double *jet, *low;
} exact_jet;

static exact_jet in_row(const row *r, size_t at, size_t jets)
{
    return (exact_jet){r->rate + at * jets, r->low + at};
}

static ptd_double_double value_of(exact_jet a)
{
    return (ptd_double_double){a.jet[0], *a.low};
}

static void set_value(exact_jet a, ptd_double_double value)
{
    a.jet[0] = value.high;
    *a.low = value.low;
}

/* a += b */
static void add(ptd_jet_shape shape, exact_jet a, exact_jet b)
{
    const ptd_double_double sum = ptd_dd_sum(value_of(a), value_of(b));
    ptd_jet_add(shape, a.jet, b.jet);
    set_value(a, sum);
}

/* a += b c */
static void add_product(ptd_jet_shape shape, exact_jet a, exact_jet b, exact_jet c)
{
    const ptd_double_double product = ptd_dd_multiply(value_of(b), value_of(c));
    const ptd_double_double sum = ptd_dd_sum(value_of(a), product);
    ptd_jet_add_product(shape, a.jet, b.jet, c.jet);
    set_value(a, sum);
}

static void clear(ptd_jet_shape shape, exact_jet a)
{
    ptd_jet_clear(shape, a.jet);
    *a.low = 0;
}

static void copy(ptd_jet_shape shape, exact_jet a, exact_jet b)
{
    memcpy(a.jet, b.jet, (size_t)shape.jets * sizeof(double));
    *a.low = *b.low;
}

static int note_source(elimination *x, uint32_t from, uint32_t to)
{
    if (to >= x->flow->n || !x->timeless[to]) {
        return 1;
    }
    sources *into = &x->into[to];
    if (!ptd_grow(&into->from, &into->capacity, into->length + 1, sizeof *into->from)) {
        return 0;
    }
    into->from[into->length++] = from;
    return 1;
}

/* Rows of live vertices, ends merged. */
static int open_rows(elimination *x)
{
    const ptd_flow *flow = x->flow;
    const size_t jets = (size_t)flow->shape.jets;
    for (uint32_t v = 0; v < flow->n; v++) {
        row *r = &x->rows[v];
        if (!flow->live[v]) {
            continue;
        }
        const size_t begin = flow->row_start[v];
        const size_t end = flow->row_start[v + 1];
        if (!reserve(r, jets, end - begin)) {
            return 0;
        }
        for (size_t at = begin; at < end; at++) {
            const uint32_t to = flow->to[at];
            const exact_jet rate = {flow->rate + at * jets, flow->rate_low + at};
            if (x->place[to]) {
                add(flow->shape, in_row(r, x->place[to] - 1, jets), rate);
                continue;
            }
            r->to[r->length] = to;
            copy(flow->shape, in_row(r, r->length, jets), rate);
            x->place[to] = (uint32_t)++r->length;
            if (!note_source(x, v, to)) {
                return 0;
            }
        }
        for (size_t at = 0; at < r->length; at++) {
            x->place[r->to[at]] = 0;
        }
    }
    return 1;
}

/* The flow that goes from i to z goes on to where z leads. */
static int bypass(elimination *x, uint32_t i, uint32_t z)
{
    const ptd_jet_shape shape = x->flow->shape;
    const size_t jets = (size_t)shape.jets;
    const row *through = &x->rows[z];
    row *r = &x->rows[i];
    size_t found = 0;
    while (found < r->length && r->to[found] != z) {
        found++;
    }
    if (found == r->length) {
        return 1;
    }
    double weight_low;
    const exact_jet weight = {x->weight, &weight_low};
    copy(shape, weight, in_row(r, found, jets));
    r->length--;
    r->to[found] = r->to[r->length];
    copy(shape, in_row(r, found, jets), in_row(r, r->length, jets));
    if (!reserve(r, jets, r->length + through->length)) {
        return 0;
    }
    for (size_t at = 0; at < r->length; at++) {
        x->place[r->to[at]] = (uint32_t)at + 1;
    }
    int complete = 1;
    for (size_t t = 0; t < through->length && complete; t++) {
        const uint32_t to = through->to[t];
        const exact_jet way = {x->ways + t * jets, x->ways_low + t};
        if (to == i) {
            if (x->flow->stay && !x->timeless[i]) {
                const exact_jet stay = {x->flow->stay + i * jets, x->flow->stay_low + i};
                add_product(shape, stay, weight, way);
            }
            continue;
        }
        if (!x->place[to]) {
            r->to[r->length] = to;
            clear(shape, in_row(r, r->length, jets));
            x->place[to] = (uint32_t)++r->length;
            complete = note_source(x, i, to);
        }
        add_product(shape, in_row(r, x->place[to] - 1, jets), weight, way);
    }
    for (size_t at = 0; at < r->length; at++) {
        x->place[r->to[at]] = 0;
    }
    return complete;
}

static int eliminate(elimination *x, uint32_t z)
{
    const ptd_jet_shape shape = x->flow->shape;
    const size_t jets = (size_t)shape.jets;
    row *r = &x->rows[z];
    double sum_low;
    const exact_jet sum = {x->weight, &sum_low};
    clear(shape, sum);
    for (size_t at = 0; at < r->length; at++) {
        add(shape, sum, in_row(r, at, jets));
    }
    if (!(sum.jet[0] > 0)) {
        /* Nothing that counts comes here: what does would have no end. */
        r->length = 0;
    } else {
        ptd_jet_inverse(shape, x->inverse, sum.jet);
        if (!ptd_grow(&x->ways, &x->ways_capacity, r->length * jets, sizeof *x->ways) ||
            !ptd_grow(&x->ways_low, &x->ways_low_capacity, r->length, sizeof *x->ways_low)) {
            return 0;
        }
        for (size_t at = 0; at < r->length; at++) {
            const exact_jet rate = in_row(r, at, jets);
            const exact_jet way = {x->ways + at * jets, x->ways_low + at};
            ptd_jet_clear(shape, way.jet);
            ptd_jet_add_product(shape, way.jet, rate.jet, x->inverse);
            set_value(way, ptd_dd_divide(value_of(rate), value_of(sum)));
        }
    }
    for (size_t k = 0; k < x->into[z].length; k++) {
        const uint32_t i = x->into[z].from[k];
        if (i != z && x->flow->live[i] && !bypass(x, i, z)) {
            return 0;
        }
    }
    x->flow->live[z] = 0;
    ptd_release(r->to);
    ptd_release(r->rate);
    ptd_release(r->low);
    memset(r, 0, sizeof *r);
    return 1;
}

/* Writes the rows back. */
static int close_rows(elimination *x)
{
    ptd_flow *flow = x->flow;
    const size_t jets = (size_t)flow->shape.jets;
    size_t edges = 0;
    for (uint32_t v = 0; v < flow->n; v++) {
        edges += x->rows[v].length;
    }
    uint32_t *to = ptd_allocate(edges, sizeof *to);
    double *rate = ptd_allocate(edges * jets, sizeof *rate);
    double *low = ptd_allocate(edges, sizeof *low);
    if (!to || !rate || !low) {
        ptd_release(to);
        ptd_release(rate);
        ptd_release(low);
        return 0;
    }
    edges = 0;
    for (uint32_t v = 0; v < flow->n; v++) {
        const row *r = &x->rows[v];
        flow->row_start[v] = edges;
        if (r->length > 0) {
            memcpy(to + edges, r->to, r->length * sizeof *to);
            memcpy(rate + edges * jets, r->rate, r->length * jets * sizeof *rate);
            memcpy(low + edges, r->low, r->length * sizeof *low);
            edges += r->length;
        }
    }
    flow->row_start[flow->n] = edges;
    ptd_release(flow->to);
    ptd_release(flow->rate);
    ptd_release(flow->rate_low);
    flow->to = to;
    flow->rate = rate;
    flow->rate_low = low;
    return 1;
}

ptd_status ptd_flow_eliminate(ptd_flow *flow, const ptd_elimination_trace *trace,
                              const uint8_t *timeless, ptd_error *error)
{
    const uint32_t *vertex = ptd_array_u32(trace->arrays, PTD_POSITION_VERTEX);
    const size_t jets = (size_t)flow->shape.jets;
    elimination x = {.flow = flow, .timeless = timeless};
    x.rows = ptd_allocate_zero(flow->n, sizeof *x.rows);
    x.into = ptd_allocate_zero(flow->n, sizeof *x.into);
    x.place = ptd_allocate_zero((size_t)flow->n + 3, sizeof *x.place);
    x.inverse = ptd_allocate(jets, sizeof *x.inverse);
    x.weight = ptd_allocate(jets, sizeof *x.weight);
    int complete = x.rows && x.into && x.place && x.inverse && x.weight && open_rows(&x);
    for (uint32_t position = 0; position < flow->n && complete; position++) {
        const uint32_t z = vertex[position];
        if (z != 0 && flow->live[z] && timeless[z]) {
            complete = eliminate(&x, z);
        }
    }
    complete = complete && close_rows(&x);
    for (uint32_t v = 0; v < flow->n; v++) {
        if (x.rows) {
            ptd_release(x.rows[v].to);
            ptd_release(x.rows[v].rate);
            ptd_release(x.rows[v].low);
        }
        if (x.into) {
            ptd_release(x.into[v].from);
        }
    }
    ptd_release(x.rows);
    ptd_release(x.into);
    ptd_release(x.place);
    ptd_release(x.inverse);
    ptd_release(x.weight);
    ptd_release(x.ways);
    ptd_release(x.ways_low);
    return complete ? PTD_OK : ptd_fail(error, PTD_NO_MEMORY, 0, flow->n);
}
