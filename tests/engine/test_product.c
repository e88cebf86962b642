/* The matrix product against the definition, bit for bit: the order of its sums is fixed. */
#include "check.h"
#include "product.h"

#include <stdlib.h>

enum { LARGEST = 80 };

static uint64_t seed = 5;

static double draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) * 0x1p-53 - 0.25;
}

static double *matrix(int64_t rows, int64_t stride)
{
    double *m = aligned_alloc(64, (size_t)(rows * stride) * sizeof *m);
    for (int64_t k = 0; m && k < rows * stride; k++) {
        m[k] = draw();
    }
    return m;
}

static void check_size(int64_t rows, int64_t inner, int64_t columns)
{
    const int64_t padded = ptd_product_padded(rows, PTD_PRODUCT_ROWS);
    const int64_t larger = inner > columns ? inner : columns;
    const int64_t stride = ptd_product_padded(larger, PTD_PRODUCT_COLUMNS);
    double *left = matrix(padded, stride);
    double *right = matrix(inner, stride);
    double *out = matrix(padded, stride);
    double *panel = matrix(inner, PTD_PRODUCT_COLUMNS);
    CHECK(left && right && out && panel);
    for (int add = 0; add <= 1 && left && right && out && panel; add++) {
        double *before = matrix(padded, stride);
        int same = before != NULL;
        for (int64_t k = 0; same && k < padded * stride; k++) {
            before[k] = out[k];
        }
        ptd_product(padded, inner, stride, left, right, add, panel, out);
        for (int64_t i = 0; same && i < padded; i++) {
            for (int64_t j = 0; j < stride; j++) {
                double sum = add ? before[i * stride + j] : 0;
                for (int64_t k = 0; k < inner; k++) {
                    sum += left[i * stride + k] * right[k * stride + j];
                }
                same &= out[i * stride + j] == sum;
            }
        }
        CHECK(same);
        free(before);
    }
    free(left);
    free(right);
    free(out);
    free(panel);
}

int main(void)
{
    for (int64_t inner = 1; inner <= LARGEST; inner += 13) {
        check_size(1, inner, 1);
        check_size(5, inner, inner);
        check_size(inner, inner, inner);
    }
    CHECK(ptd_product_padded(16, 16) == 16);
    CHECK(ptd_product_padded(17, 16) == 32);
    return check_result();
}
