/* Denormals: numbers below 2^-1022 cost a hundred cycles each, and a sweep is full of them. Between
 * these two calls they become 0 on this thread; what is lost is counted by who asks for it.
 */
#ifndef PTD_FLUSH_H
#define PTD_FLUSH_H

#ifdef __SSE2__
#include <immintrin.h>

typedef unsigned ptd_flush_state;

static inline ptd_flush_state ptd_flush_begin(void)
{
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u); /* results (bit 15) and operands (bit 6) */
    return before;
}

static inline void ptd_flush_end(ptd_flush_state before)
{
    _mm_setcsr((_mm_getcsr() & ~0x8040u) | (before & 0x8040u));
}

#elif defined(__aarch64__)
#include <stdint.h>

typedef uint64_t ptd_flush_state;

static inline ptd_flush_state ptd_flush_begin(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (UINT64_C(1) << 24)));
    return before;
}

static inline void ptd_flush_end(ptd_flush_state before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}

#else

typedef int ptd_flush_state;

static inline ptd_flush_state ptd_flush_begin(void)
{
    return 0;
}

static inline void ptd_flush_end(ptd_flush_state before)
{
    (void)before;
}

#endif
#endif
