/* Strong components in one depth-first search (R. E. Tarjan, Depth-first search and linear graph
 * algorithms, SIAM J. Comput. 1, 1972), with the recursion on an explicit stack.
 *
 * `low[v]` is the least visit number known to be reachable from v inside its component; a vertex
 * whose `low` stays its own number is the root of a component, which lies above it on `open`.
 */
#include "components.h"

#include "memory.h"
#include "status.h"

typedef struct {
    const int64_t *start;
    const int32_t *column;
    int32_t *component; /* -1 until the component is closed */
    int32_t n_components;
    int32_t *number; /* from 1 in the order of visits; 0: not visited */
    int32_t n_visited;
    int32_t *low;
    int64_t *next; /* the edge to look at next */
    int32_t *path; /* from the root of the search to the current vertex */
    int32_t *open; /* visited, component not closed */
    int32_t n_open;
} search;

static void visit(search *s, int32_t vertex)
{
    s->number[vertex] = ++s->n_visited;
    s->low[vertex] = s->number[vertex];
    s->next[vertex] = s->start[vertex];
    s->open[s->n_open++] = vertex;
}

static void lower(search *s, int32_t vertex, int32_t number)
{
    if (number < s->low[vertex]) {
        s->low[vertex] = number;
    }
}

static void close_component(search *s, int32_t root)
{
    int32_t vertex;
    do {
        vertex = s->open[--s->n_open];
        s->component[vertex] = s->n_components;
    } while (vertex != root);
    s->n_components++;
}

static void search_from(search *s, int32_t root)
{
    int32_t length = 0;
    visit(s, root);
    s->path[length++] = root;
    while (length > 0) {
        int32_t vertex = s->path[length - 1];
        if (s->next[vertex] < s->start[vertex + 1]) {
            int32_t successor = s->column[s->next[vertex]++];
            if (s->number[successor] == 0) {
                visit(s, successor);
                s->path[length++] = successor;
            } else if (s->component[successor] < 0) {
                lower(s, vertex, s->number[successor]);
            }
            continue;
        }
        length--;
        if (s->low[vertex] == s->number[vertex]) {
            close_component(s, vertex);
        }
        if (length > 0) {
            lower(s, s->path[length - 1], s->low[vertex]);
        }
    }
}

ptd_status ptd_strong_components(int32_t n, const int64_t *start, const int32_t *column,
                                 int32_t *component, int32_t *n_components, ptd_error *error)
{
    ptd_status status = PTD_OK;
    search s = {.start = start, .column = column, .component = component};
    size_t count = (size_t)n;
    s.number = ptd_allocate_zero(count, sizeof *s.number);
    s.low = ptd_allocate(count, sizeof *s.low);
    s.next = ptd_allocate(count, sizeof *s.next);
    s.path = ptd_allocate(count, sizeof *s.path);
    s.open = ptd_allocate(count, sizeof *s.open);
    if (!s.number || !s.low || !s.next || !s.path || !s.open) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    for (int32_t v = 0; v < n; v++) {
        component[v] = -1;
    }
    for (int32_t v = 0; v < n; v++) {
        if (s.number[v] == 0) {
            search_from(&s, v);
        }
    }
    *n_components = s.n_components;
out:
    ptd_release(s.number);
    ptd_release(s.low);
    ptd_release(s.next);
    ptd_release(s.path);
    ptd_release(s.open);
    return status;
}
