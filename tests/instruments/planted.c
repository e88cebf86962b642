/* Bugs on purpose: `planted NAME` has one of them. `scripts/check` runs each instrument on the bugs
 * that it is there for before it trusts its silence on the engine. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

int planted_out_of_bounds(void);
int planted_uninitialised(void);
int planted_leak(void);
int planted_overflow(void);
int planted_race(void);

static volatile int sink;

/* Reads one item behind the end. */
EXPORTED int planted_out_of_bounds(void)
{
    volatile int length = 8;
    int *items = calloc((size_t)length, sizeof *items);
    int sum = 0;
    for (int k = 0; items && k <= length; k++) {
        sum += items[k];
    }
    free(items);
    return sum;
}

/* Branches on memory that nobody wrote. */
EXPORTED int planted_uninitialised(void)
{
    volatile int length = 8;
    int *items = malloc((size_t)length * sizeof *items);
    if (items && ((volatile int *)items)[length / 2] > 3) {
        sink = 1; /* volatile: the branch stays one */
    }
    free(items);
    return sink;
}

EXPORTED int planted_leak(void)
{
    volatile int length = 100;
    char *items = malloc((size_t)length);
    if (items) {
        memset(items, 1, (size_t)length);
        sink = items[length / 2];
    }
    items = NULL;
    return sink;
}

EXPORTED int planted_overflow(void)
{
    volatile int largest = INT_MAX;
    return largest + 1;
}

static int shared;

static void *count(void *unused)
{
    for (int k = 0; k < 1000; k++) {
        shared += k;
    }
    return unused;
}

/* Two threads write one variable. */
EXPORTED int planted_race(void)
{
    pthread_t threads[2];
    for (int k = 0; k < 2; k++) {
        if (pthread_create(&threads[k], NULL, count, NULL) != 0) {
            exit(2);
        }
    }
    for (int k = 0; k < 2; k++) {
        pthread_join(threads[k], NULL);
    }
    return shared;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } bugs[] = {
        {"out_of_bounds", planted_out_of_bounds},
        {"uninitialised", planted_uninitialised},
        {"leak", planted_leak},
        {"overflow", planted_overflow},
        {"race", planted_race},
    };
    for (size_t k = 0; argc > 1 && k < sizeof bugs / sizeof *bugs; k++) {
        if (strcmp(argv[1], bugs[k].name) == 0) {
            sink = bugs[k].run();
            return 0;
        }
    }
    fputs("planted: which bug?\n", stderr);
    return 2;
}
