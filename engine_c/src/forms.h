/* Forms: affine functions base + coefficients . theta, equal ones kept once.
 *
 * A form is stored sparsely: its parameters ascending, its coefficients never 0, -0.0 written as
 * 0.0. Forms are equal where these numbers are, so that a form's number stands for its value.
 */
#ifndef PTD_FORMS_H
#define PTD_FORMS_H

#include "ptd.h"

typedef struct {
    uint32_t number; /* PTD_NONE: free */
    uint32_t hash;
} ptd_form_slot;

/* A zeroed struct is an empty collection. */
typedef struct {
    int64_t count;
    int64_t capacity;
    int64_t entry_capacity;
    int64_t table_size; /* 0 or a power of two */
    uint32_t zero;      /* number of the form that is 0 for every theta, where has_zero */
    int32_t has_zero;
    double *base;        /* count */
    int64_t *start;      /* count + 1, into the two below; NULL while empty */
    uint32_t *parameter; /* start[count] */
    double *coefficient; /* start[count] */
    ptd_form_slot *table;
} ptd_forms;

/* Finds or adds base + sum of coefficient[k] * theta[parameter[k]], k < length. The parameters
 * ascend; coefficients that are 0 are left out. All numbers are finite. On failure `forms` is as
 * before. */
PTD_MUST_CHECK ptd_status ptd_forms_insert(ptd_forms *forms, double base, int64_t length,
                                           const uint32_t *parameter, const double *coefficient,
                                           uint32_t *number, ptd_error *error);
/* Negative, zero, positive: a total order of values, independent of the numbers. */
int ptd_forms_compare(const ptd_forms *forms, uint32_t a, uint32_t b);
/* Releases what it holds and empties it. */
void ptd_forms_clear(ptd_forms *forms);

#endif
