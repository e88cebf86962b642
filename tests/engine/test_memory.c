/* Memory: overflow is refused, cleared memory is clear, lanes are aligned. */
#include "memory.h"

#include <string.h>

#include "check.h"

int main(void)
{
    volatile size_t huge = SIZE_MAX / 2 + 2;
    CHECK(ptd_allocate(huge, 2) == NULL);
    CHECK(ptd_allocate(huge, 1) == NULL);
    CHECK(ptd_allocate_zero(huge, 4) == NULL);
    CHECK(ptd_allocate_aligned(huge, 8) == NULL);
    unsigned char *bytes = ptd_allocate_zero(1000, 3);
    CHECK(bytes != NULL);
    for (int k = 0; bytes && k < 3000; k++) {
        CHECK(bytes[k] == 0);
    }
    CHECK(ptd_reallocate(bytes, huge, 2) == NULL);
    bytes = ptd_reallocate(bytes, 6000, 1);
    CHECK(bytes != NULL && bytes[2999] == 0);
    ptd_release(bytes);
    double *lanes = ptd_allocate_aligned(17, sizeof *lanes);
    CHECK(lanes != NULL && (uintptr_t)lanes % 64 == 0 && lanes[16] == 0);
    ptd_release(lanes);
    void *nothing = ptd_allocate(0, 8);
    CHECK(nothing != NULL);
    ptd_release(nothing);
    ptd_release(NULL);
    return check_result();
}
