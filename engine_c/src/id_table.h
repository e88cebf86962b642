/* A table from 64-bit hashes to the numbers of things stored elsewhere (open addressing, linear
 * probing). Things with equal hashes are told apart by the caller, so that answers never depend on
 * the hash:
 *
 *     size_t place = PTD_ID_TABLE_BEGIN;
 *     while ((id = ptd_id_table_next(&table, hash, &place)) != PTD_NONE) { .. equal(id) .. }
 *
 * A zeroed struct is an empty table.
 */
#ifndef PTD_ID_TABLE_H
#define PTD_ID_TABLE_H

#include "ptd.h"

typedef struct {
    uint64_t *hash;
    uint32_t *id; /* PTD_NONE: free */
    size_t size;  /* a power of two, or 0 */
    size_t count;
} ptd_id_table;

#define PTD_ID_TABLE_BEGIN SIZE_MAX

static inline uint64_t ptd_hash_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

/* The next number stored under `hash`, PTD_NONE after the last. */
uint32_t ptd_id_table_next(const ptd_id_table *table, uint64_t hash, size_t *place);
/* Adds `id` without looking for others like it; 0 where memory ran out. */
int ptd_id_table_add(ptd_id_table *table, uint64_t hash, uint32_t id);
void ptd_id_table_destroy(ptd_id_table *table);

#endif
