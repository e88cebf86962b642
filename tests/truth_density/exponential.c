/* alpha e^{St} in 113-bit floating point, by uniformisation or by squaring.
 *
 * With P = I + S / q, alpha e^{St} = sum_k w_k(qt) alpha P^k, w_k(x) = e^{-x} x^k / k! (Jensen
 * 1953). "sweep" sums this for all times at once, in qt steps. "squaring" makes e^{S/q} so and
 * squares it as often as qt has binary digits, so that stiff chains cost no more than others. State
 * n collects what has been absorbed. All numbers are non-negative and nothing is subtracted:
 * relative errors are about qt 2^-113 at most, in both tails.
 *
 * In:  sweep or squaring / n edges times / q / alpha (n) / exit rates (n) / edges: from to rate /
 *      times. q is at least the rate of leaving any state.
 * Out: one line a time: density, distribution (without what is absorbed at 0), survival
 */
#include <quadmath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef __float128 real;
#define of(function) function##q

static long n, n_edges, n_times;
static real q;
static real *alpha, *leave, *times;
static long *from, *to;
static real
    *probability; /* of each edge of P, the ones that stay and the ones that leave included */

static void *array(long count, size_t size)
{
    void *made = calloc((size_t)count + 1, size);
    if (!made)
        exit(3);
    return made;
}

static real number(void)
{
    char text[128];
    if (scanf("%127s", text) != 1)
        exit(2);
    return strtoflt128(text, NULL);
}

static real *numbers(long count)
{
    real *read = array(count, sizeof *read);
    for (long i = 0; i < count; i++)
        read[i] = number();
    return read;
}

static void read_chain(void)
{
    if (scanf("%ld %ld %ld", &n, &n_edges, &n_times) != 3)
        exit(2);
    q = number();
    alpha = numbers(n);
    leave = numbers(n);
    const long all = n_edges + 2 * n;
    from = array(all, sizeof *from);
    to = array(all, sizeof *to);
    probability = array(all, sizeof *probability);
    real *leaving = array(n, sizeof *leaving);
    for (long e = 0; e < n_edges; e++) {
        if (scanf("%ld %ld", from + e, to + e) != 2)
            exit(2);
        const real rate = number();
        probability[e] = rate / q;
        leaving[from[e]] += rate;
    }
    for (long i = 0; i < n; i++) {
        const long stays = n_edges + 2 * i, ends = stays + 1;
        from[stays] = to[stays] = from[ends] = i;
        to[ends] = n;
        probability[stays] = (q - leaving[i] - leave[i]) / q;
        probability[ends] = leave[i] / q;
    }
    n_edges = all;
    times = numbers(n_times);
}

/* next = now P */
static void step(const real *now, real *next)
{
    memset(next, 0, (size_t)n * sizeof *next);
    next[n] = now[n];
    for (long e = 0; e < n_edges; e++)
        if (now[from[e]] != 0)
            next[to[e]] += now[from[e]] * probability[e];
}

/* into = sum_k w_k(x) vector P^k, for x up to 1; `scratch` holds two vectors */
static void mix(const real *vector, real x, real *into, real *scratch)
{
    const long terms = 60 + (n < 150 ? n : 150);
    real *now = scratch, *next = scratch + n + 1, weight = of(exp)(-x);
    memcpy(now, vector, (size_t)(n + 1) * sizeof *now);
    memset(into, 0, (size_t)(n + 1) * sizeof *into);
    for (long k = 0; k < terms; k++) {
        for (long i = 0; i <= n; i++)
            into[i] += weight * now[i];
        step(now, next);
        real *other = now;
        now = next;
        next = other;
        weight *= x / (k + 1);
    }
}

/* into = vector rows */
static void apply(const real *vector, real *const *rows, real *into)
{
    memset(into, 0, (size_t)(n + 1) * sizeof *into);
    for (long i = 0; i <= n; i++)
        for (long j = 0; vector[i] != 0 && j <= n; j++)
            if (rows[i][j] != 0)
                into[j] += vector[i] * rows[i][j];
}

static void square(real **rows, real **into)
{
    for (long i = 0; i <= n; i++)
        apply(rows[i], rows, into[i]);
    for (long i = 0; i <= n; i++) {
        real *other = rows[i];
        rows[i] = into[i];
        into[i] = other;
    }
}

static void print(real x, char end)
{
    char text[64];
    quadmath_snprintf(text, sizeof text, "%.33Qg", x);
    printf("%s%c", text, end);
}

static void squaring(void)
{
    real **rows = array(n + 1, sizeof *rows), **into = array(n + 1, sizeof *into);
    real **vectors = array(n_times, sizeof *vectors), *scratch = array(2 * n + 2, sizeof *scratch);
    real *whole = array(n_times, sizeof *whole), largest = 0;
    for (long i = 0; i <= n; i++) {
        rows[i] = array(n + 1, sizeof **rows);
        into[i] = array(n + 1, sizeof **into);
        real *unit = array(n + 1, sizeof *unit);
        unit[i] = 1;
        mix(unit, 1, rows[i], scratch);
        free(unit);
    }
    for (long t = 0; t < n_times; t++) {
        whole[t] = of(floor)(q * times[t]);
        largest = of(fmax)(largest, whole[t]);
        vectors[t] = array(n + 1, sizeof **vectors);
        mix(alpha, q * times[t] - whole[t], vectors[t], scratch);
    }
    for (; largest > 0; largest = of(floor)(largest / 2)) {
        for (long t = 0; t < n_times; t++) {
            if (of(fmod)(whole[t], 2) == 1) {
                apply(vectors[t], rows, scratch);
                memcpy(vectors[t], scratch, (size_t)(n + 1) * sizeof *scratch);
            }
            whole[t] = of(floor)(whole[t] / 2);
        }
        square(rows, into);
    }
    for (long t = 0; t < n_times; t++) {
        real flow = 0, survival = 0;
        for (long i = 0; i < n; i++)
            flow += vectors[t][i] * leave[i];
        for (long i = 0; i < n; i++)
            survival += vectors[t][i];
        print(flow, ' ');
        print(vectors[t][n], ' ');
        print(survival, '\n');
    }
}

static void sweep(void)
{
    real *now = array(n, sizeof *now), *next = array(n, sizeof *next), latest = 0;
    real *sums = array(3 * n_times, sizeof *sums), *logs = array(n_times, sizeof *logs);
    memcpy(now, alpha, (size_t)n * sizeof *now);
    for (long t = 0; t < n_times; t++) {
        latest = of(fmax)(latest, times[t]);
        logs[t] = of(log)(q * times[t]);
    }
    const real steps = q * latest + 60 * of(sqrt)(q * latest) + 2000;
    for (long k = 0; k <= steps; k++) {
        const real factorial = of(lgamma)((real)k + 1);
        real flow = 0, survival = 0;
        for (long i = 0; i < n; i++)
            flow += now[i] * leave[i];
        for (long i = 0; i < n; i++)
            survival += now[i];
        for (long t = 0; t < n_times; t++) {
            const real exponent = k * logs[t] - q * times[t] - factorial;
            if (exponent < -1500)
                continue;
            const real weight = of(exp)(exponent);
            sums[3 * t] += weight * flow;
            sums[3 * t + 1] += weight * now[n];
            sums[3 * t + 2] += weight * survival;
        }
        step(now, next);
        real *other = now;
        now = next;
        next = other;
    }
    for (long i = 0; i < 3 * n_times; i++)
        print(sums[i], i % 3 == 2 ? '\n' : ' ');
}

int main(void)
{
    char way[16];
    if (scanf("%15s", way) != 1)
        return 2;
    read_chain();
    if (strcmp(way, "sweep") == 0)
        sweep();
    else
        squaring();
    return 0;
}
