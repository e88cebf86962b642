/* Kernel of the matrix product: four rows of `left` times one panel of `right`, which lies packed.
 *
 * The panel stays in the cache while all rows pass; the sums of 4 x PTD_PRODUCT_COLUMNS entries
 * stay in registers while the inner index runs. Included by product.c once an instruction set after
 * it has defined
 *     WIDTH     doubles in a native vector
 *     TARGET    attribute that allows its instructions
 *     FUNCTION  name of the function to define
 *     VECTOR    name of the vector type to define
 */
typedef double VECTOR __attribute__((vector_size(WIDTH * sizeof(double)), may_alias));

TARGET static void FUNCTION(int64_t rows, int64_t inner, int64_t stride, const double *left,
                            const double *panel, int add, double *out)
{
    enum { HALVES = 2, PARTS = PTD_PRODUCT_COLUMNS / (HALVES * WIDTH) };
    for (int64_t i = 0; i < rows; i += PTD_PRODUCT_ROWS) {
        const double *a = left + i * stride;
        for (int part = 0; part < PARTS; part++) {
            const double *from = panel + part * HALVES * WIDTH;
            double *to = out + i * stride + part * HALVES * WIDTH;
            VECTOR sum[PTD_PRODUCT_ROWS][HALVES] = {{{0}}};
            for (int r = 0; r < PTD_PRODUCT_ROWS && add; r++) {
                for (int h = 0; h < HALVES; h++) {
                    sum[r][h] = *(const VECTOR *)(to + r * stride + h * WIDTH);
                }
            }
            for (int64_t k = 0; k < inner; k++) {
                const VECTOR *b = (const VECTOR *)(from + k * PTD_PRODUCT_COLUMNS);
                const VECTOR b0 = b[0];
                const VECTOR b1 = b[1];
                for (int r = 0; r < PTD_PRODUCT_ROWS; r++) {
                    const double factor = a[r * stride + k];
                    sum[r][0] += factor * b0;
                    sum[r][1] += factor * b1;
                }
            }
            for (int r = 0; r < PTD_PRODUCT_ROWS; r++) {
                for (int h = 0; h < HALVES; h++) {
                    *(VECTOR *)(to + r * stride + h * WIDTH) = sum[r][h];
                }
            }
        }
    }
}
