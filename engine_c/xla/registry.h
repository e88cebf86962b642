/* Registry: the traces of this process by key, for executables that name them.
 *
 * An executable must not hold the address of a trace, which would be kept when it is stored and
 * mean another one, or nothing, in the process that loads it. It holds half of the key, and finds
 * the trace here. The one global object of the engine; guarded by a lock, that no evaluation takes.
 */
#ifndef PHASIC_REGISTRY_H
#define PHASIC_REGISTRY_H

#include "ptd.h"

/* The first 16 bytes of a trace's key, as numbers of the machine. */
typedef struct {
    uint64_t word[2];
} phasic_key;

phasic_key phasic_key_of(const ptd_elimination_trace *trace);

/* Adds a trace; added more than once it must be removed as often. PTD_NO_MEMORY. */
PTD_MUST_CHECK ptd_status phasic_registry_add(ptd_elimination_trace *trace, ptd_error *error);
void phasic_registry_remove(const ptd_elimination_trace *trace);

/* The trace of a key, retained for the caller, who destroys it; NULL: it is not here. */
ptd_elimination_trace *phasic_registry_acquire(phasic_key key);

#endif
