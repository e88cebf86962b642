/* A table from hashes to numbers. See id_table.h. */
#include "id_table.h"

#include "memory.h"

enum { SMALLEST = 64 };

uint32_t ptd_id_table_next(const ptd_id_table *table, uint64_t hash, size_t *place)
{
    if (table->size == 0) {
        return PTD_NONE;
    }
    size_t mask = table->size - 1;
    size_t p = *place == PTD_ID_TABLE_BEGIN ? (size_t)hash & mask : (*place + 1) & mask;
    while (table->id[p] != PTD_NONE && table->hash[p] != hash) {
        p = (p + 1) & mask;
    }
    *place = p;
    return table->id[p];
}

static void put(ptd_id_table *table, uint64_t hash, uint32_t id)
{
    size_t mask = table->size - 1;
    size_t p = (size_t)hash & mask;
    while (table->id[p] != PTD_NONE) {
        p = (p + 1) & mask;
    }
    table->hash[p] = hash;
    table->id[p] = id;
}

static int enlarge(ptd_id_table *table)
{
    ptd_id_table larger = {0};
    larger.size = table->size ? 2 * table->size : SMALLEST;
    larger.count = table->count;
    larger.hash = ptd_allocate(larger.size, sizeof *larger.hash);
    larger.id = ptd_allocate(larger.size, sizeof *larger.id);
    if (!larger.hash || !larger.id) {
        ptd_id_table_destroy(&larger);
        return 0;
    }
    for (size_t p = 0; p < larger.size; p++) {
        larger.id[p] = PTD_NONE;
    }
    for (size_t p = 0; p < table->size; p++) {
        if (table->id[p] != PTD_NONE) {
            put(&larger, table->hash[p], table->id[p]);
        }
    }
    ptd_id_table_destroy(table);
    *table = larger;
    return 1;
}

int ptd_id_table_add(ptd_id_table *table, uint64_t hash, uint32_t id)
{
    if (2 * (table->count + 1) > table->size && !enlarge(table)) {
        return 0;
    }
    put(table, hash, id);
    table->count++;
    return 1;
}

void ptd_id_table_destroy(ptd_id_table *table)
{
    ptd_release(table->hash);
    ptd_release(table->id);
    *table = (ptd_id_table){0};
}
