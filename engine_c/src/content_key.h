/* Content key: from the hash of a graph to the key of its trace. */
#ifndef PTD_CONTENT_KEY_H
#define PTD_CONTENT_KEY_H

#include "ptd.h"

/* The key of the trace, in this engine's format and an ordering of this version, of the graph with
 * this content hash. */
void ptd_trace_key_of_content(const uint8_t content[PTD_HASH_BYTES], uint32_t ordering_version,
                              uint8_t key[PTD_HASH_BYTES]);

#endif
