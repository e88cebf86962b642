/* Whether long doubles are longer than doubles where the test runs: valgrind computes them as
 * doubles, and then they are no truth to compare with. */
#ifndef LONG_DOUBLE_H
#define LONG_DOUBLE_H

#include <float.h>

static inline int long_doubles_are_long(void)
{
    volatile long double one = 1;
    volatile long double least = LDBL_EPSILON;
    volatile long double sum = one + least;
    return sum != one;
}

#endif
