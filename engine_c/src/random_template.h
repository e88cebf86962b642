/* Random template: the generator in vectors of WIDTH lanes. Included with WIDTH and RANDOM(name)
 * defined; no include guard. What the numbers are stands in random.h.
 *
 * Words are 64 bits wide in every lane. Philox works on halves of them: the multiplication takes
 * the low halves of its operands, so what stands in the high halves may be left there.
 *
 * The logarithm: x = 2^e m with sqrt(1/2) <= m < sqrt(2), f = m - 1, s = f / (2 + f), z = s^2, and
 *     log m = 2 atanh s = f - s (f - R),  R = 2 z/3 + 2 z^2/5 + ..,
 * whose nine terms leave less than z^10/21 < 3e-17 of it. f is exact, so log keeps its relative
 * accuracy at 1; e log 2 is added in two parts, the first short enough for e times it to be exact
 * (after the logarithm of Sun's fdlibm, with the series itself in place of fitted coefficients). */
typedef uint64_t RANDOM(words) __attribute__((vector_size(WIDTH * sizeof(uint64_t))));
typedef double RANDOM(reals) __attribute__((vector_size(WIDTH * sizeof(double))));
#define WORDS RANDOM(words)
#define REALS RANDOM(reals)

/* Products of the low halves, 64 bits long. */
static inline __attribute__((always_inline)) WORDS RANDOM(product)(WORDS a, uint64_t factor)
{
#if WIDTH == 8 && defined __AVX512F__
    return (WORDS)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64((long long)factor));
#elif WIDTH == 4 && defined __AVX2__
    return (WORDS)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x((long long)factor));
#elif WIDTH == 2 && defined __SSE2__
    return (WORDS)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x((long long)factor));
#else
    return (a & UINT32_MAX) * factor;
#endif
}

static inline __attribute__((always_inline)) void RANDOM(block)(uint64_t seed, WORDS number,
                                                                WORDS step, WORDS word[2])
{
    uint32_t key0 = (uint32_t)seed;
    uint32_t key1 = (uint32_t)(seed >> 32);
    WORDS c0 = step, c1 = step >> 32, c2 = number, c3 = number >> 32;
    for (int round = 0; round < 10; round++) {
        const WORDS p0 = RANDOM(product)(c0, 0xD2511F53);
        const WORDS p1 = RANDOM(product)(c2, 0xCD9E8D57);
        c0 = (p1 >> 32) ^ c1 ^ (uint64_t)key0;
        c1 = p1;
        c2 = (p0 >> 32) ^ c3 ^ (uint64_t)key1;
        c3 = p0;
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    word[0] = (c0 & UINT32_MAX) | c1 << 32;
    word[1] = (c2 & UINT32_MAX) | c3 << 32;
}

/* The upper 53 bits n as the double (n + 1) 2^-53, every step of it exact: the halves of n become
 * the last bits of 2^84 + 2^32 high and 2^52 + low. */
static inline __attribute__((always_inline)) REALS RANDOM(uniform)(WORDS word)
{
    const WORDS n = word >> 11;
    const WORDS high = n >> 32 | 0x4530000000000000;
    const WORDS low = (n & UINT32_MAX) | 0x4330000000000000;
    return (((REALS)high - (0x1p84 + 0x1p52)) + (REALS)low + 1.0) * 0x1p-53;
}

static inline __attribute__((always_inline)) REALS RANDOM(minus_log)(REALS x)
{
    const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
    const uint64_t half_root = 0x3fe6a09e667f3bcd; /* bits of sqrt(1/2) */
    const WORDS moved = (WORDS)x - half_root + 0x3ff0000000000000;
    const REALS m = (REALS)((moved & 0x000fffffffffffff) + half_root);
    const REALS e = (REALS)(moved >> 52 | 0x4330000000000000) - (0x1p52 + 1023);
    const REALS f = m - 1.0;
    const REALS s = f / (f + 2.0);
    const REALS z = s * s;
    /* odd and even terms apart: two short chains of operations instead of a long one */
    const REALS w = z * z;
    REALS odd = w * (2.0 / 19) + 2.0 / 15;
    REALS even = w * (2.0 / 17) + 2.0 / 13;
    odd = w * odd + 2.0 / 11;
    even = w * even + 2.0 / 9;
    odd = w * odd + 2.0 / 7;
    even = w * even + 2.0 / 5;
    odd = w * odd + 2.0 / 3;
    const REALS R = z * (odd + z * even);
    return ((s * (f - R) - e * ln2_low) - f) - e * ln2_high;
}
#undef WORDS
#undef REALS
