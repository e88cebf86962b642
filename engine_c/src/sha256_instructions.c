/* SHA-256's compression with the x86 SHA extensions (Intel, "Intel SHA Extensions", 2013): four
 * rounds a step, the message schedule four words at a time. */
#include "sha256_compress.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

int ptd_sha256_has_instructions(void)
{
    const unsigned sha_bit = 1u << 29;
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & sha_bit) != 0 &&
           __builtin_cpu_supports("sse4.1");
}

__attribute__((target("sha,sse4.1"))) void
ptd_sha256_compress_instructions(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    const __m128i swap_bytes = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    /* The instructions keep the state as (a, b, e, f) and (c, d, g, h), highest word first. */
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, cdab, 0xF0);
    for (; count > 0; count--, blocks += 64) {
        const __m128i abef_before = abef;
        const __m128i cdgh_before = cdgh;
        __m128i w[4];
        for (int k = 0; k < 4; k++) {
            w[k] =
                _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(blocks + 16 * k)), swap_bytes);
        }
        for (int step = 0; step < 16; step++) {
            __m128i *const now = &w[step & 3];
            const __m128i next = w[(step + 1) & 3];
            const __m128i third = w[(step + 2) & 3];
            const __m128i last = w[(step + 3) & 3];
            __m128i sum = _mm_add_epi32(
                *now, _mm_loadu_si128((const __m128i *)(ptd_sha256_round_constants + 4 * step)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            sum = _mm_shuffle_epi32(sum, 0x0E);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, sum);
            /* w[t] from w[t-16..t-13], w[t-15..], w[t-7..] and w[t-2..] */
            *now = _mm_sha256msg2_epu32(
                _mm_add_epi32(_mm_sha256msg1_epu32(*now, next), _mm_alignr_epi8(last, third, 4)),
                last);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

int ptd_sha256_has_instructions(void)
{
    return 0;
}

void ptd_sha256_compress_instructions(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    ptd_sha256_compress_portable(state, blocks, count);
}

#endif
