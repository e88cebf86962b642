/* Steps of uniformisation: every instruction set gives the same bits, and those are the products
 * with the step matrix, by whatever mixture of streamed and gathered terms. */
#include <math.h>

#include "chains.h"
#include "check.h"
#include "long_double.h"
#include "sweep.h"

enum { N = 93, STEPS = 40, PARAMETERS = 2, JETS = 6 };

static uint64_t random_state = 1;

static double random_share(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(random_state >> 40) * 0x1p-24;
}

/* A band, a few hubs and random edges: some parallel, some states entered by nobody. */
static ptd_chain *mixed_chain(int order, transition *t)
{
    int count = 0;
    for (int s = 0; s < N; s++) {
        const double rates[6] = {1 + random_share(), 0.5, random_share(), 0, 1, 0.25};
        t[count] = (transition){s, s + 3 < N ? s + 3 : CHAIN_ENDS, {0}};
        memcpy(t[count++].jet, rates, sizeof rates);
        if (s % 5 == 0 && s > 0) {
            t[count] = (transition){s, 7, {random_share(), 1}};
            count += s != 7;
        }
        for (int k = 0; k < s % 4; k++) {
            const int to = (int)(random_share() * N);
            t[count] = (transition){s, to, {exp(20 * random_share() - 18), 0, 1}};
            count += to != s && to > 1;
        }
    }
    return chain_of(N, 0, order, order ? PARAMETERS : 0, t, count);
}

/* The same in long doubles, by the definition: value and one first derivative. */
static void step_by_definition(const ptd_chain *chain, long double v[2][N])
{
    const int jets = chain->jets;
    long double out[N], w[2][N], q = 0;
    for (int s = 0; s < N; s++) {
        out[s] = chain->exit[s * jets];
    }
    for (int64_t e = 0; e < chain->n_edges; e++) {
        out[chain->in_from[e]] += (long double)chain->in_rate[e * jets];
    }
    for (int s = 0; s < N; s++) {
        q = fmaxl(q, out[s]);
    }
    for (int s = 0; s < N; s++) {
        w[0][s] = v[0][s] * (q - out[s]) / q;
        w[1][s] = v[1][s] * (q - out[s]) / q;
        w[1][s] -= jets > 1 ? v[0][s] * (long double)chain->out[s * jets + 1] / q : 0;
        for (uint32_t e = chain->in_start[s]; e < chain->in_start[s + 1]; e++) {
            const double *rate = chain->in_rate + e * (size_t)jets;
            const uint32_t from = chain->in_from[e];
            w[0][s] += v[0][from] * (long double)rate[0] / q;
            w[1][s] += v[1][from] * (long double)rate[0] / q;
            w[1][s] += jets > 1 ? v[0][from] * (long double)rate[1] / q : 0;
        }
    }
    memcpy(v, w, sizeof w);
}

static void check_steps(const ptd_chain *chain, const char *instruction_set, int exactly,
                        double *values)
{
    const ptd_sweep_kernel *kernel = ptd_sweep_kernel_select(instruction_set);
    ptd_error error = {0};
    ptd_tiles tiles;
    ptd_sweep sweep;
    long double v[2][N] = {{1}};
    CHECK(kernel != NULL);
    CHECK(ptd_tiles_create(chain, &tiles, &error) == PTD_OK);
    CHECK(ptd_sweep_create(chain, &tiles, kernel, exactly, &sweep, &error) == PTD_OK);
    ptd_sweep_prepare(&sweep, 1);
    for (int k = 0; k < STEPS; k++) {
        ptd_sweep_step(&sweep);
        step_by_definition(chain, v);
    }
    CHECK(sweep.steps == STEPS);
    double leaving[JETS];
    ptd_sweep_leaving(&sweep, leaving);
    long double mass = 0, left = 0, largest = 0;
    for (int s = 0; s < N; s++) {
        const size_t at = PTD_TILE + (size_t)tiles.position[s];
        const long double value = (long double)sweep.v[at] * 0x1p-800L;
        const long double low = exactly ? (long double)sweep.v_low[at] * 0x1p-800L : 0;
        const long double most =
            exactly ? 3e-18L * STEPS : ptd_sweep_step_error(&sweep) * STEPS * 0x1p-53L;
        CHECK(fabsl(value + low - v[0][s]) <= most * v[0][s] || !long_doubles_are_long());
        mass += v[0][s];
        left += v[0][s] * (long double)chain->exit[s * chain->jets];
        largest = fmaxl(largest, fabsl(v[1][s]));
    }
    CHECK(fabsl((long double)sweep.mass[0] * 0x1p-800L - mass) <= 1e-14L * mass);
    CHECK(fabsl((long double)leaving[0] * 0x1p-800L - left) <= 1e-14L * left);
    for (int s = 0; chain->order && s < N; s++) {
        const size_t at = (size_t)tiles.stride + PTD_TILE + (size_t)tiles.position[s];
        CHECK(fabsl((long double)sweep.v[at] * 0x1p-800L - v[1][s]) <= 1e-13L * largest);
    }
    const size_t count = (size_t)(tiles.stride * tiles.planes);
    memcpy(values, sweep.v, count * sizeof *values);
    memcpy(values + count, leaving, (size_t)chain->jets * sizeof *values);
    memcpy(values + count + chain->jets, sweep.mass, (size_t)chain->jets * sizeof *values);
    ptd_sweep_release(&sweep);
    ptd_tiles_release(&tiles);
}

static void test_sets_agree(int order, int exactly)
{
    enum { ROOM = (N + 3 * PTD_TILE) * JETS + 2 * JETS };
    static double widest[ROOM], narrower[ROOM];
    static transition t[8 * N];
    ptd_chain *chain = mixed_chain(order, t);
    memset(widest, 0, sizeof widest);
    check_steps(chain, NULL, exactly, widest);
    const char *const names[] = {"baseline", "avx2", "avx512"};
    for (int k = 0; k < 3; k++) {
        if (ptd_sweep_kernel_select(names[k])) {
            memset(narrower, 0, sizeof narrower);
            check_steps(chain, names[k], exactly, narrower);
            CHECK(memcmp(widest, narrower, sizeof widest) == 0);
        }
    }
    CHECK(ptd_sweep_kernel_select("abacus") == NULL);
    chain_free(chain);
}

/* A mass that falls is followed by the scale, and nothing is lost. */
static void test_scale(void)
{
    const transition t = {0, CHAIN_ENDS, {0.75}};
    ptd_chain *chain = chain_of(1, 1, 0, 0, &t, 1);
    ptd_error error = {0};
    ptd_tiles tiles;
    ptd_sweep sweep;
    CHECK(ptd_tiles_create(chain, &tiles, &error) == PTD_OK);
    CHECK(ptd_sweep_create(chain, &tiles, ptd_sweep_kernel_select(NULL), 0, &sweep, &error) ==
          PTD_OK);
    for (int k = 0; k < 10000; k++) {
        if (k % PTD_SWEEP_STEPS == 0) {
            ptd_sweep_prepare(&sweep, 1);
        }
        ptd_sweep_step(&sweep);
    }
    CHECK(log2(sweep.mass[0]) - sweep.shift == -20000);
    CHECK(sweep.lost == 0);
    ptd_sweep_release(&sweep);
    ptd_tiles_release(&tiles);
    chain_free(chain);
}

/* Grids: interior tiles share their octets, and all but the seams is streamed. */
static void test_grid_is_streamed(void)
{
    enum { SIDE = 32 };
    static transition t[3 * SIDE * SIDE];
    int count = 0;
    for (int s = 0; s < SIDE * SIDE; s++) {
        t[count++] = (transition){s, s + SIDE < SIDE * SIDE ? s + SIDE : CHAIN_ENDS, {1}};
        if (s % SIDE > 0) {
            t[count++] = (transition){s, s - 1, {2}};
        }
        if (s >= SIDE) {
            t[count++] = (transition){s, s - SIDE, {0.5}};
        }
    }
    ptd_chain *chain = chain_of(SIDE * SIDE, 0, 0, 0, t, count);
    ptd_error error = {0};
    ptd_tiles tiles;
    CHECK(ptd_tiles_create(chain, &tiles, &error) == PTD_OK);
    CHECK(tiles.n_sets == 0);
    CHECK(tiles.n_octets < 12);
    CHECK(tiles.most_products == 4);
    ptd_tiles_release(&tiles);
    chain_free(chain);
}

int main(void)
{
    for (int order = 0; order <= 2; order++) {
        test_sets_agree(order, 0);
        test_sets_agree(order, 1);
    }
    test_scale();
    test_grid_is_streamed();
    return check_result();
}
