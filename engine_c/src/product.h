/* Product of two matrices, for the squarings of the dense method.
 *
 * Matrices are row-major. Rows come in groups of PTD_PRODUCT_ROWS and columns in panels of
 * PTD_PRODUCT_COLUMNS; callers pad with zeros. Each entry is summed over ascending inner indices,
 * product by product, so that its bits do not depend on the instruction set.
 */
#ifndef PTD_PRODUCT_H
#define PTD_PRODUCT_H

#include <stdint.h>

enum { PTD_PRODUCT_ROWS = 4, PTD_PRODUCT_COLUMNS = 16 };

static inline int64_t ptd_product_padded(int64_t size, int64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* out (rows x stride) = left (rows x stride, its first `inner` columns) right (inner x stride);
 * with `add` the product is added to what is there. All are aligned to 64 bytes. `panel`: room for
 * inner x PTD_PRODUCT_COLUMNS, aligned. */
void ptd_product(int64_t rows, int64_t inner, int64_t stride, const double *left,
                 const double *right, int add, double *panel, double *out);

#endif
