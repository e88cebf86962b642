/* The smallest test harness: CHECK counts and prints failures, main returns check_result(). */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

static int check_failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            check_failures++;                                                                      \
        }                                                                                          \
    } while (0)

static inline int check_result(void)
{
    if (check_failures) {
        fprintf(stderr, "%d checks failed\n", check_failures);
    }
    return check_failures ? 1 : 0;
}

#endif
