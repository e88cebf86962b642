/* Check: the whole test harness. A test program ends with `return check_failures != 0;`. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

static int check_failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            check_failures++;                                                                      \
        }                                                                                          \
    } while (0)

#endif
