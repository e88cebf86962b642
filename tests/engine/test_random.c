/* The generator: published known answers, ends of the uniforms, logarithms beside long double. */
#include "random.h"

#include <float.h>
#include <math.h>

#include "check.h"
#include "long_double.h"

/* "philox4x32 10" of kat_vectors in Random123 1.14.0 (github.com/DEShawResearch/random123). */
static void test_known_answers(void)
{
    const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         {UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        const uint32_t *c = known[k].counter;
        const uint32_t *a = known[k].answer;
        uint64_t word[2];
        ptd_random_block(known[k].key[0] | (uint64_t)known[k].key[1] << 32,
                         c[2] | (uint64_t)c[3] << 32, c[0] | (uint64_t)c[1] << 32, word);
        CHECK(word[0] == (a[0] | (uint64_t)a[1] << 32));
        CHECK(word[1] == (a[2] | (uint64_t)a[3] << 32));
    }
}

static void test_uniforms(void)
{
    CHECK(ptd_random_uniform(0) == 0x1p-53);
    CHECK(ptd_random_uniform(2047) == 0x1p-53);
    CHECK(ptd_random_uniform(2048) == 0x1p-52);
    CHECK(ptd_random_uniform(UINT64_MAX) == 1);
    CHECK(ptd_random_uniform(UINT64_MAX - 2048) == 1 - 0x1p-53);
    CHECK(ptd_random_uniform((uint64_t)1 << 63) == 0.5 + 0x1p-53);
    CHECK(ptd_random_uniform((uint64_t)UINT32_MAX << 11) == 0x1p-21);
    CHECK(ptd_random_exponential(UINT64_MAX) == 0 && !signbit(ptd_random_exponential(UINT64_MAX)));
    CHECK(ptd_random_exponential(UINT64_MAX - 2048) == 0x1p-53);
    CHECK(ptd_random_exponential(0) == 0x1.25e4f7b2737fap+5); /* 53 log 2 */
}

/* Distance in units in the last place of `exact`. */
static double ulps(double found, long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    return (double)fabsl((long double)found - exact) / ldexp(1, exponent - DBL_MANT_DIG);
}

static void test_logarithms(void)
{
    double worst = 0;
    double worst_complement = 0;
    uint64_t word[2];
    for (uint64_t k = 0; k < 400000; k++) {
        ptd_random_block(1, k, 0, word);
        /* all of (0, 1], small numbers as often as large ones, and the neighbourhood of 1 */
        const double u = ptd_random_uniform(word[0]);
        const double small = ldexp(u, -(int)(word[1] % 1000));
        const double near = 1 - ldexp(u, -(int)(word[1] % 50));
        const double x = k % 3 == 0 ? u : k % 3 == 1 ? small : near;
        if (x > DBL_MIN && x < 1) {
            worst = fmax(worst, ulps(ptd_minus_log(x), -logl(x)));
        }
        if (small < 1) {
            worst_complement =
                fmax(worst_complement, ulps(ptd_minus_log_complement(small), -log1pl(-small)));
        }
        if (near > 0 && near < 1) {
            worst_complement =
                fmax(worst_complement, ulps(ptd_minus_log_complement(near), -log1pl(-near)));
        }
    }
    CHECK((worst < 1 && worst_complement < 4) || !long_doubles_are_long());
    CHECK(worst > 0.4 && worst_complement > 0.4); /* the ruler measures */
    CHECK(ptd_minus_log_complement(0) == 0);
    CHECK(ptd_minus_log_complement(DBL_TRUE_MIN) == DBL_TRUE_MIN);
}

int main(void)
{
    test_known_answers();
    test_uniforms();
    test_logarithms();
    return check_result();
}
