/* Elimination tree (J. W. H. Liu, The role of elimination trees in sparse factorization, SIAM J.
 * Matrix Anal. Appl. 11, 1990): the parent of a vertex is the first of its neighbours, after fill,
 * that is eliminated after it. Vertices of disjoint subtrees are never joined, so any order that
 * keeps children before parents fills in the same entries.
 */
#include "elimination_tree.h"

#include <string.h>

#include "memory.h"
#include "status.h"

enum { NONE = -1 };

/* parent[k] and ancestor[k] by position. `ancestor` shortens paths: they lead to roots so far. */
static void find_parents(const ptd_undirected *graph, const int32_t *order, const int32_t *position,
                         int32_t *parent, int32_t *ancestor)
{
    for (int32_t k = 0; k < graph->n; k++) {
        int32_t v = order[k];
        parent[k] = NONE;
        ancestor[k] = NONE;
        for (int64_t p = graph->start[v]; p < graph->start[v + 1]; p++) {
            int32_t i = position[graph->neighbour[p]];
            while (i < k && i != NONE) {
                int32_t next = ancestor[i];
                ancestor[i] = k;
                if (next == NONE) {
                    parent[i] = k;
                }
                i = next;
            }
        }
    }
}

/* post[m]: the position that comes m-th. Children are chained in ascending order. */
static void traverse(int32_t n, const int32_t *parent, int32_t *child, int32_t *sibling,
                     int32_t *post)
{
    int32_t roots = NONE;
    for (int32_t k = 0; k < n; k++) {
        child[k] = NONE;
    }
    for (int32_t k = n - 1; k >= 0; k--) {
        int32_t *first = parent[k] == NONE ? &roots : &child[parent[k]];
        sibling[k] = *first;
        *first = k;
    }
    int32_t next = 0;
    for (int32_t k = roots; k != NONE;) {
        while (child[k] != NONE) {
            k = child[k];
        }
        for (;;) {
            post[next++] = k;
            if (sibling[k] != NONE) {
                k = sibling[k];
                break;
            }
            k = parent[k];
            if (k == NONE) {
                return;
            }
        }
    }
}

ptd_status ptd_postorder(const ptd_undirected *graph, int32_t *order, ptd_error *error)
{
    ptd_status status = PTD_OK;
    size_t n = (size_t)graph->n;
    int32_t *position = ptd_allocate(n, sizeof *position);
    int32_t *parent = ptd_allocate(n, sizeof *parent);
    int32_t *ancestor = ptd_allocate(n, sizeof *ancestor);
    int32_t *post = ptd_allocate(n, sizeof *post);
    if (!position || !parent || !ancestor || !post) {
        status = ptd_fail(error, PTD_NO_MEMORY, 0, 0.0);
        goto out;
    }
    for (int32_t k = 0; k < graph->n; k++) {
        position[order[k]] = k;
    }
    find_parents(graph, order, position, parent, ancestor);
    /* Ancestors and positions are read no more: children and siblings take their place. */
    traverse(graph->n, parent, ancestor, position, post);
    for (size_t k = 0; k < n; k++) {
        post[k] = order[post[k]];
    }
    memcpy(order, post, n * sizeof *order);
out:
    ptd_release(position);
    ptd_release(parent);
    ptd_release(ancestor);
    ptd_release(post);
    return status;
}
