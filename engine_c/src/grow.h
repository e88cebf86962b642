/* Growing arrays: room for `needed` items of `size` bytes, half as much again when it must grow.
 * `array` is the address of the caller's pointer. 0 on failure, and then nothing has changed. */
#ifndef PTD_GROW_H
#define PTD_GROW_H

#include <string.h>

#include "memory.h"

static inline int ptd_grow(void *array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) {
        return 1;
    }
    void *pointer;
    memcpy(&pointer, array, sizeof pointer);
    size_t room = needed + needed / 2 + 16;
    pointer = ptd_reallocate(pointer, room, size);
    if (!pointer) {
        return 0;
    }
    memcpy(array, &pointer, sizeof pointer);
    *capacity = room;
    return 1;
}

#endif
