/* Binary heap of numbered items, the least key first. Keys can change; the caller keeps them
 * different, so that the order of removal is determined. Memory is the caller's. */
#ifndef PTD_HEAP_H
#define PTD_HEAP_H

#include <stdint.h>

enum { PTD_HEAP_ABSENT = -1 };

typedef struct {
    int32_t size;
    int64_t *key;      /* by place in the heap */
    int32_t *item;     /* by place in the heap */
    int32_t *position; /* by item: its place, PTD_HEAP_ABSENT where it has none */
} ptd_heap;

static inline void ptd_heap_put(ptd_heap *heap, int32_t place, int64_t key, int32_t item)
{
    heap->key[place] = key;
    heap->item[place] = item;
    heap->position[item] = place;
}

static inline void ptd_heap_rise(ptd_heap *heap, int32_t place, int64_t key, int32_t item)
{
    while (place > 0 && heap->key[(place - 1) / 2] > key) {
        int32_t above = (place - 1) / 2;
        ptd_heap_put(heap, place, heap->key[above], heap->item[above]);
        place = above;
    }
    ptd_heap_put(heap, place, key, item);
}

static inline void ptd_heap_sink(ptd_heap *heap, int32_t place, int64_t key, int32_t item)
{
    for (;;) {
        int32_t below = 2 * place + 1;
        if (below >= heap->size) {
            break;
        }
        if (below + 1 < heap->size && heap->key[below + 1] < heap->key[below]) {
            below++;
        }
        if (heap->key[below] >= key) {
            break;
        }
        ptd_heap_put(heap, place, heap->key[below], heap->item[below]);
        place = below;
    }
    ptd_heap_put(heap, place, key, item);
}

static inline int ptd_heap_has(const ptd_heap *heap, int32_t item)
{
    return heap->position[item] != PTD_HEAP_ABSENT;
}

/* Adds an item that is absent, or gives it a new key. */
static inline void ptd_heap_set(ptd_heap *heap, int32_t item, int64_t key)
{
    int32_t place = heap->position[item];
    if (place == PTD_HEAP_ABSENT) {
        ptd_heap_rise(heap, heap->size++, key, item);
    } else if (key < heap->key[place]) {
        ptd_heap_rise(heap, place, key, item);
    } else {
        ptd_heap_sink(heap, place, key, item);
    }
}

/* Removes an item that is there. */
static inline void ptd_heap_remove(ptd_heap *heap, int32_t item)
{
    int32_t place = heap->position[item];
    heap->position[item] = PTD_HEAP_ABSENT;
    heap->size--;
    if (place < heap->size) {
        int64_t key = heap->key[heap->size];
        int32_t moved = heap->item[heap->size];
        if (place > 0 && heap->key[(place - 1) / 2] > key) {
            ptd_heap_rise(heap, place, key, moved);
        } else {
            ptd_heap_sink(heap, place, key, moved);
        }
    }
}

static inline void ptd_heap_clear(ptd_heap *heap)
{
    for (int32_t k = 0; k < heap->size; k++) {
        heap->position[heap->item[k]] = PTD_HEAP_ABSENT;
    }
    heap->size = 0;
}

#endif
