/* Plan store: orders of large components kept in a directory, by the content of their patterns.
 *
 * `<directory>/<sha-256 of ordering version and pattern, in hex>.plan`. An order depends on the
 * pattern alone, so a stored one gives the same trace as a fresh one. The store only saves time: a
 * plan that is missing, malformed or cannot be written changes nothing else. Whoever may write to
 * the directory may choose orders, bad ones included, but every order is a valid one.
 */
#ifndef PTD_PLAN_STORE_H
#define PTD_PLAN_STORE_H

#include "ordering.h"

typedef struct {
    const char *directory; /* NULL: nothing is stored */
    int64_t min_vertices;  /* smaller components are not */
} ptd_plan_store;

/* 1 where a valid order was found; order[pattern->n] is written only then. */
int ptd_plan_store_load(const ptd_plan_store *store, const ptd_pattern *pattern, int32_t *order);
/* Makes the directory where it is missing; replaces what is there. */
void ptd_plan_store_save(const ptd_plan_store *store, const ptd_pattern *pattern,
                         const int32_t *order);

#endif
