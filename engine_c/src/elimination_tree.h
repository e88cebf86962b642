/* Elimination tree of an order: which eliminations must precede which. */
#ifndef PTD_ELIMINATION_TREE_H
#define PTD_ELIMINATION_TREE_H

#include "undirected.h"

/* Rearranges `order` so that every subtree is a run of it, without changing what is filled in: rows
 * of equal pattern come to stand together. Children keep their order. */
PTD_MUST_CHECK ptd_status ptd_postorder(const ptd_undirected *graph, int32_t *order,
                                        ptd_error *error);

#endif
