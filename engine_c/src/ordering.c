/* Ordering of a component: approximate minimum degree. */
#include "ordering.h"
#include "memory.h"
#include "minimum_degree.h"
#include "status.h"
ptd_status ptd_order_component(const ptd_pattern *pattern, int32_t *order, ptd_error *error)
{
    ptd_undirected graph = {0};
    int64_t multiply_adds;
    ptd_status status = ptd_undirected_create(pattern, &graph, error);
    if (status == PTD_OK) {
        status = ptd_minimum_degree(&graph, NULL, order, &multiply_adds, error);
    }
    ptd_undirected_destroy(&graph);
    return status;
}
