/* Times KLU the way a parameter sweep would use it: analyse and factor once, then refactor and
 * solve for new numbers in the same pattern. Built and called by klu.py. */
#define _POSIX_C_SOURCE 199309L
#include <string.h>
#include <suitesparse/klu.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Solves A(k) x = b for k = 0..count-1, `repeats` times over. A is n x n by columns (start, row),
 * values count x start[n]. answers: count, the entry of x at `wanted`. seconds: repeats, each the
 * CPU time of one sweep over all k. scratch: n. Returns 0, or KLU's status where it fails. */
int bench_klu(int n, int *start, int *row, double *values, int count, const double *b, int wanted,
              int scale, int repeats, double *scratch, double *answers, double *seconds,
              double *analyse_seconds)
{
    klu_common common;
    klu_symbolic *symbolic = NULL;
    klu_numeric *numeric = NULL;
    int failed = 0;
    double began = cpu_seconds();

    klu_defaults(&common);
    common.scale = scale;
    symbolic = klu_analyze(n, start, row, &common);
    if (symbolic)
        numeric = klu_factor(start, row, values, symbolic, &common);
    if (!numeric) {
        failed = common.status;
        goto out;
    }
    *analyse_seconds = cpu_seconds() - began;

    for (int repeat = 0; repeat < repeats; repeat++) {
        began = cpu_seconds();
        for (int k = 0; k < count; k++) {
            double *numbers = values + (size_t)k * (size_t)start[n];
            memcpy(scratch, b, (size_t)n * sizeof *scratch);
            if (!klu_refactor(start, row, numbers, symbolic, numeric, &common) ||
                !klu_solve(symbolic, numeric, n, 1, scratch, &common)) {
                failed = common.status;
                goto out;
            }
            answers[k] = scratch[wanted];
        }
        seconds[repeat] = cpu_seconds() - began;
    }
out:
    klu_free_numeric(&numeric, &common);
    klu_free_symbolic(&symbolic, &common);
    return failed;
}
