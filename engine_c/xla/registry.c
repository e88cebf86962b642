/* Registry: see registry.h. */
#include "registry.h"

#include <pthread.h>
#include <string.h>

#include "memory.h"
#include "status.h"

typedef struct {
    phasic_key key;
    ptd_elimination_trace *trace;
    int64_t count; /* how often it was added */
} entry;

/* A process has few models: they are looked through one after another. */
static struct {
    pthread_mutex_t lock;
    entry *entries;
    size_t count;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

phasic_key phasic_key_of(const ptd_elimination_trace *trace)
{
    uint8_t content[PTD_HASH_BYTES], hash[PTD_HASH_BYTES];
    phasic_key key;
    ptd_elimination_trace_hash(trace, content, hash);
    memcpy(&key, hash, sizeof key);
    return key;
}

static entry *find(phasic_key key)
{
    for (size_t k = 0; k < registry.count; k++) {
        if (memcmp(&registry.entries[k].key, &key, sizeof key) == 0) {
            return &registry.entries[k];
        }
    }
    return NULL;
}

ptd_status phasic_registry_add(ptd_elimination_trace *trace, ptd_error *error)
{
    const phasic_key key = phasic_key_of(trace);
    ptd_status status = PTD_OK;
    pthread_mutex_lock(&registry.lock);
    entry *found = find(key);
    if (found) {
        found->count++;
    } else {
        entry *grown =
            ptd_reallocate(registry.entries, registry.count + 1, sizeof *registry.entries);
        if (grown) {
            ptd_elimination_trace_retain(trace);
            registry.entries = grown;
            registry.entries[registry.count++] = (entry){key, trace, 1};
        } else {
            status = ptd_fail(error, PTD_NO_MEMORY, 0, (double)sizeof(entry));
        }
    }
    pthread_mutex_unlock(&registry.lock);
    return status;
}

void phasic_registry_remove(const ptd_elimination_trace *trace)
{
    const phasic_key key = phasic_key_of(trace);
    ptd_elimination_trace *gone = NULL;
    pthread_mutex_lock(&registry.lock);
    entry *found = find(key);
    if (found && --found->count == 0) {
        gone = found->trace;
        *found = registry.entries[--registry.count];
    }
    if (registry.count == 0) {
        ptd_release(registry.entries);
        registry.entries = NULL;
    }
    pthread_mutex_unlock(&registry.lock);
    ptd_elimination_trace_destroy(gone);
}

ptd_elimination_trace *phasic_registry_acquire(phasic_key key)
{
    pthread_mutex_lock(&registry.lock);
    entry *found = find(key);
    ptd_elimination_trace *trace = found ? found->trace : NULL;
    if (trace) {
        ptd_elimination_trace_retain(trace);
    }
    pthread_mutex_unlock(&registry.lock);
    return trace;
}
