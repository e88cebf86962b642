/* Forms: open addressing with linear probing over the IEEE bytes of each form. See forms.h. */
#include "forms.h"

#include <string.h>

#include "id_table.h"
#include "memory.h"
#include "status.h"

enum { FIRST_CAPACITY = 16, FIRST_TABLE_SIZE = 64 };

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint32_t hash_form(double base, int64_t length, const uint32_t *parameter,
                          const double *coefficient)
{
    uint64_t hash = ptd_hash_mix(0, bits_of(base));
    for (int64_t k = 0; k < length; k++) {
        if (coefficient[k] != 0.0) {
            hash = ptd_hash_mix(ptd_hash_mix(hash, parameter[k]), bits_of(coefficient[k]));
        }
    }
    return (uint32_t)ptd_hash_mix(hash, hash >> 29);
}

static int equals(const ptd_forms *forms, uint32_t number, double base, int64_t length,
                  const uint32_t *parameter, const double *coefficient)
{
    if (forms->base[number] != base) {
        return 0;
    }
    int64_t at = forms->start[number];
    int64_t end = forms->start[number + 1];
    for (int64_t k = 0; k < length; k++) {
        if (coefficient[k] == 0.0) {
            continue;
        }
        if (at == end || forms->parameter[at] != parameter[k] ||
            forms->coefficient[at] != coefficient[k]) {
            return 0;
        }
        at++;
    }
    return at == end;
}

static void *grown(void *array, int64_t count, size_t size)
{
    return ptd_reallocate(array, (size_t)count, size);
}

static int reserve_forms(ptd_forms *forms)
{
    if (forms->count < forms->capacity) {
        return 1;
    }
    int64_t capacity = forms->capacity ? forms->capacity * 2 : FIRST_CAPACITY;
    double *base = grown(forms->base, capacity, sizeof *base);
    if (!base) {
        return 0;
    }
    forms->base = base;
    int64_t *start = grown(forms->start, capacity + 1, sizeof *start);
    if (!start) {
        return 0;
    }
    forms->start = start;
    start[forms->count] = forms->count ? start[forms->count] : 0;
    forms->capacity = capacity;
    return 1;
}

static int reserve_entries(ptd_forms *forms, int64_t entries)
{
    int64_t needed = forms->start[forms->count] + entries;
    if (needed <= forms->entry_capacity) {
        return 1;
    }
    int64_t capacity = forms->entry_capacity ? forms->entry_capacity * 2 : FIRST_CAPACITY;
    if (capacity < needed) {
        capacity = needed;
    }
    uint32_t *parameter = grown(forms->parameter, capacity, sizeof *parameter);
    if (!parameter) {
        return 0;
    }
    forms->parameter = parameter;
    double *coefficient = grown(forms->coefficient, capacity, sizeof *coefficient);
    if (!coefficient) {
        return 0;
    }
    forms->coefficient = coefficient;
    forms->entry_capacity = capacity;
    return 1;
}

/* Keeps at least half of the table free. */
static int reserve_table(ptd_forms *forms)
{
    if (forms->count < forms->table_size / 2) {
        return 1;
    }
    int64_t size = forms->table_size ? forms->table_size * 2 : FIRST_TABLE_SIZE;
    ptd_form_slot *table = ptd_allocate((size_t)size, sizeof *table);
    if (!table) {
        return 0;
    }
    for (int64_t k = 0; k < size; k++) {
        table[k] = (ptd_form_slot){.number = PTD_NONE};
    }
    for (int64_t k = 0; k < forms->table_size; k++) {
        ptd_form_slot slot = forms->table[k];
        if (slot.number == PTD_NONE) {
            continue;
        }
        int64_t at = slot.hash & (size - 1);
        while (table[at].number != PTD_NONE) {
            at = (at + 1) & (size - 1);
        }
        table[at] = slot;
    }
    ptd_release(forms->table);
    forms->table = table;
    forms->table_size = size;
    return 1;
}

ptd_status ptd_forms_insert(ptd_forms *forms, double base, int64_t length,
                            const uint32_t *parameter, const double *coefficient, uint32_t *number,
                            ptd_error *error)
{
    base += 0.0; /* turns -0.0 into 0.0 */
    if (!reserve_table(forms) || !reserve_forms(forms)) {
        return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
    }
    uint32_t hash = hash_form(base, length, parameter, coefficient);
    int64_t mask = forms->table_size - 1;
    int64_t at = hash & mask;
    for (; forms->table[at].number != PTD_NONE; at = (at + 1) & mask) {
        if (forms->table[at].hash == hash &&
            equals(forms, forms->table[at].number, base, length, parameter, coefficient)) {
            *number = forms->table[at].number;
            return PTD_OK;
        }
    }
    if (forms->count >= (int64_t)PTD_NONE) {
        return ptd_fail(error, PTD_GRAPH_TOO_LARGE, -1, (double)PTD_NONE);
    }
    if (!reserve_entries(forms, length)) {
        return ptd_fail(error, PTD_NO_MEMORY, -1, 0);
    }
    int64_t end = forms->start[forms->count];
    for (int64_t k = 0; k < length; k++) {
        if (coefficient[k] != 0.0) {
            forms->parameter[end] = parameter[k];
            forms->coefficient[end] = coefficient[k];
            end++;
        }
    }
    *number = (uint32_t)forms->count;
    if (base == 0.0 && end == forms->start[forms->count]) {
        forms->has_zero = 1;
        forms->zero = *number;
    }
    forms->table[at] = (ptd_form_slot){.number = *number, .hash = hash};
    forms->base[forms->count] = base;
    forms->count++;
    forms->start[forms->count] = end;
    return PTD_OK;
}

static int compare_doubles(double a, double b)
{
    return (a > b) - (a < b);
}

int ptd_forms_compare(const ptd_forms *forms, uint32_t a, uint32_t b)
{
    if (a == b) {
        return 0;
    }
    int sign = compare_doubles(forms->base[a], forms->base[b]);
    int64_t i = forms->start[a];
    int64_t j = forms->start[b];
    for (; sign == 0 && i < forms->start[a + 1] && j < forms->start[b + 1]; i++, j++) {
        uint32_t p = forms->parameter[i];
        uint32_t q = forms->parameter[j];
        sign = p != q ? (p > q) - (p < q)
                      : compare_doubles(forms->coefficient[i], forms->coefficient[j]);
    }
    if (sign != 0) {
        return sign;
    }
    return (i < forms->start[a + 1]) - (j < forms->start[b + 1]);
}

void ptd_forms_clear(ptd_forms *forms)
{
    ptd_release(forms->base);
    ptd_release(forms->start);
    ptd_release(forms->parameter);
    ptd_release(forms->coefficient);
    ptd_release(forms->table);
    memset(forms, 0, sizeof *forms);
}
