/* The heap against a plain search for the least key. */
#include "check.h"
#include "digraphs.h"
#include "heap.h"

enum { ITEMS = 60 };

int main(void)
{
    int64_t place_key[ITEMS];
    int32_t item[ITEMS];
    int32_t position[ITEMS];
    int64_t key[ITEMS];
    int present[ITEMS] = {0};
    int32_t n_present = 0;
    ptd_heap heap = {0, place_key, item, position};
    digraph_random r = {12};
    for (int32_t k = 0; k < ITEMS; k++) {
        position[k] = PTD_HEAP_ABSENT;
    }
    for (int64_t step = 0; step < 20000; step++) {
        int32_t chosen = (int32_t)digraph_draw(&r, ITEMS);
        if (digraph_draw(&r, 3) > 0) {
            key[chosen] = ((int64_t)digraph_draw(&r, 1000) - 500) * 100000 + step;
            n_present += !present[chosen];
            present[chosen] = 1;
            ptd_heap_set(&heap, chosen, key[chosen]);
        } else if (present[chosen]) {
            present[chosen] = 0;
            n_present--;
            ptd_heap_remove(&heap, chosen);
        }
        int32_t least = -1;
        for (int32_t k = 0; k < ITEMS; k++) {
            CHECK(!ptd_heap_has(&heap, k) == !present[k]);
            if (present[k] && (least < 0 || key[k] < key[least])) {
                least = k;
            }
        }
        CHECK(heap.size == n_present);
        CHECK(least < 0 || (heap.item[0] == least && heap.key[0] == key[least]));
    }
    ptd_heap_clear(&heap);
    CHECK(heap.size == 0);
    for (int32_t k = 0; k < ITEMS; k++) {
        CHECK(!ptd_heap_has(&heap, k));
    }
    return check_result();
}
