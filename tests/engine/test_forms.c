/* Forms: equal values have one number, different values never share one. */
#include "forms.h"

#include <float.h>

#include "check.h"

static uint32_t insert(ptd_forms *forms, double base, double first, double second)
{
    static const uint32_t parameters[] = {0, 1};
    const double coefficients[] = {first, second};
    uint32_t number = PTD_NONE;
    CHECK(ptd_forms_insert(forms, base, 2, parameters, coefficients, &number, NULL) == PTD_OK);
    return number;
}

static void test_equality(void)
{
    ptd_forms forms = {0};
    uint32_t sparse_parameter = 1;
    double sparse_coefficient = 3.0;
    uint32_t number = PTD_NONE;
    CHECK(insert(&forms, 1.0, 2.0, 3.0) == 0);
    CHECK(insert(&forms, 1.0, 2.0, 3.0) == 0);
    CHECK(insert(&forms, 1.0, 3.0, 2.0) == 1);
    CHECK(insert(&forms, 1.0, 0.0, 3.0) == 2);
    CHECK(insert(&forms, 1.0, 3.0, 0.0) == 3);
    CHECK(insert(&forms, 1.0, -0.0, 3.0) == 2);
    CHECK(ptd_forms_insert(&forms, 1.0, 1, &sparse_parameter, &sparse_coefficient, &number, NULL) ==
          PTD_OK);
    CHECK(number == 2);
    CHECK(insert(&forms, 1.0 + DBL_EPSILON, 2.0, 3.0) == 4);
    CHECK(!forms.has_zero);
    CHECK(insert(&forms, -0.0, 0.0, -0.0) == 5);
    CHECK(forms.has_zero && forms.zero == 5);
    CHECK(insert(&forms, 0.0, 0.0, 0.0) == 5);
    CHECK(ptd_forms_insert(&forms, 0.0, 0, NULL, NULL, &number, NULL) == PTD_OK);
    CHECK(number == 5);
    CHECK(forms.count == 6);
    CHECK(forms.start[2] == 4 && forms.start[3] == 5 && forms.parameter[4] == 1);
    ptd_forms_clear(&forms);
    CHECK(forms.count == 0 && forms.table == NULL);
}

static void test_growth(void)
{
    ptd_forms forms = {0};
    int right = 1;
    for (int round = 0; round < 2; round++) {
        for (uint32_t k = 0; k < 20000; k++) {
            right &= insert(&forms, k % 100, 1.0 / (1 + k / 100), k % 2) == k;
        }
    }
    CHECK(right);
    CHECK(forms.count == 20000);
    ptd_forms_clear(&forms);
}

static void test_order(void)
{
    ptd_forms forms = {0};
    /* Ascending by value, inserted from the last. */
    const double values[][3] = {{-1.0, 1.0, 0.0}, {0.0, 0.0, 0.0},    {0.0, 1.0, 0.0},
                                {0.0, 1.0, 2.0},  {0.0, 1.0, 2.5},    {0.0, 1.5, 0.0},
                                {0.0, 0.0, 1.0},  {1e-300, 0.0, 0.0}, {1.0, -5.0, 0.0}};
    enum { COUNT = sizeof values / sizeof *values };
    for (int k = COUNT - 1; k >= 0; k--) {
        insert(&forms, values[k][0], values[k][1], values[k][2]);
    }
    for (uint32_t a = 0; a < COUNT; a++) {
        for (uint32_t b = 0; b < COUNT; b++) {
            int sign = ptd_forms_compare(&forms, COUNT - 1 - a, COUNT - 1 - b);
            CHECK((sign > 0) - (sign < 0) == (a > b) - (a < b));
        }
    }
    ptd_forms_clear(&forms);
}

int main(void)
{
    test_equality();
    test_growth();
    test_order();
    return check_failures != 0;
}
