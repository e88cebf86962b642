/* Sorting of 64-bit keys. See sort.h. */
#include "sort.h"

enum { SHORT_RUN = 24 };

static void insertion_sort(uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) {
            keys[j] = keys[j - 1];
        }
        keys[j] = key;
    }
}

static void sift_down(uint64_t *keys, size_t root, size_t count)
{
    uint64_t key = keys[root];
    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && keys[child + 1] > keys[child]) {
            child++;
        }
        if (keys[child] <= key) {
            break;
        }
        keys[root] = keys[child];
        root = child;
    }
    keys[root] = key;
}

static int is_sorted(const uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (keys[i - 1] > keys[i]) {
            return 0;
        }
    }
    return 1;
}

void ptd_sort_keys(uint64_t *keys, size_t count)
{
    if (count <= SHORT_RUN) {
        insertion_sort(keys, count);
        return;
    }
    if (is_sorted(keys, count)) {
        return;
    }
    for (size_t root = count / 2; root-- > 0;) {
        sift_down(keys, root, count);
    }
    for (size_t last = count - 1; last > 0; last--) {
        uint64_t greatest = keys[0];
        keys[0] = keys[last];
        keys[last] = greatest;
        sift_down(keys, 0, last);
    }
}
