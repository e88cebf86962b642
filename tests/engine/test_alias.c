/* Alias tables: the probabilities that a table gives, added up exactly, and what words pick. */
#include "alias.h"

#include <math.h>
#include <string.h>

#include "check.h"
#include "random.h"

enum { MOST = 1000 };

typedef unsigned __int128 wide;

static ptd_alias table[MOST];
static double share[MOST];
static uint32_t order[MOST], target[MOST];
static double weight[MOST];

static double build(uint32_t count)
{
    double total = 0;
    for (uint32_t k = 0; k < count; k++) {
        target[k] = k;
        total += weight[k];
    }
    ptd_alias_build(count, weight, target, total, table, share, order);
    return total;
}

/* What a target has of `count` cells of 2^64, exactly. */
static void add_up(uint32_t count, wide *part)
{
    memset(part, 0, count * sizeof *part);
    for (uint32_t k = 0; k < count; k++) {
        part[table[k].target[0]] += table[k].threshold;
        part[table[k].target[1]] += ((wide)1 << 64) - table[k].threshold;
    }
}

/* Weights of which the shares are whole multiples of 2^-50: nothing is rounded. */
static void test_exact(void)
{
    static wide part[MOST];
    const double weights[4][8] = {
        {1},
        {1, 3},
        {1, 0x1p-40, 3 - 0x1p-40, 4},
        {0.5, 0.25, 0.25, 1, 5, 0x1p-20, 1 - 0x1p-20, 8},
    };
    for (int k = 0; k < 4; k++) {
        const uint32_t count = 1u << k;
        memcpy(weight, weights[k], sizeof weights[k]);
        const double total = build(count);
        add_up(count, part);
        for (uint32_t t = 0; t < count; t++) {
            CHECK(part[t] == (wide)(weight[t] / total * count * 0x1p50) << 14);
        }
    }
}

/* Rare targets keep their digits beside common ones, in tables of every size. */
static void test_close(void)
{
    static wide part[MOST];
    double worst = 0;
    for (uint32_t count = 1; count <= MOST; count += 1 + count / 8) {
        uint64_t word[2];
        for (uint32_t k = 0; k < count; k++) {
            ptd_random_block(count, k, 0, word);
            weight[k] = ldexp(ptd_random_uniform(word[0]), -(int)(word[1] % 30));
        }
        const double total = build(count);
        add_up(count, part);
        for (uint32_t k = 0; k < count; k++) {
            const double found = ldexp((double)part[k], -64) / count;
            worst = fmax(worst, fabs(found / (weight[k] / total) - 1));
        }
    }
    CHECK(worst < 1e-9); /* 2^-64 beside a share of 2^-30 */
    CHECK(worst > 0);
}

static void test_tiny(void)
{
    static wide part[MOST];
    const double weights[] = {1e300, 1e-300, 0x1p-1074, 1e300};
    memcpy(weight, weights, sizeof weights);
    build(4);
    add_up(4, part);
    CHECK(part[0] + part[3] == (wide)4 << 64 && part[0] == (wide)2 << 64);
}

static void test_pick(void)
{
    weight[0] = 1;
    weight[1] = 3;
    build(2);
    /* the cell of target 0 is half its own, the other half and the other cell are target 1's */
    CHECK(ptd_alias_pick(table, 2, 0) == 0);
    CHECK(ptd_alias_pick(table, 2, ((uint64_t)1 << 62) - 1) == 0);
    CHECK(ptd_alias_pick(table, 2, (uint64_t)1 << 62) == 1);
    CHECK(ptd_alias_pick(table, 2, UINT64_MAX) == 1);
    build(1);
    CHECK(ptd_alias_pick(table, 1, 0) == 0 && ptd_alias_pick(table, 1, UINT64_MAX) == 0);
}

int main(void)
{
    test_exact();
    test_close();
    test_tiny();
    test_pick();
    return check_result();
}
