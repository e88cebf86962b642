/* SHA-256 (FIPS 180-4), fed piece by piece. */
#ifndef PTD_SHA256_H
#define PTD_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { PTD_SHA256_BYTES = 32, PTD_SHA256_BLOCK_BYTES = 64 };

typedef struct {
    uint32_t state[8];
    uint64_t length; /* bytes fed so far */
    uint8_t block[PTD_SHA256_BLOCK_BYTES];
    int has_instructions; /* asked once: the question is slow on virtual machines */
} ptd_sha256;

void ptd_sha256_start(ptd_sha256 *sha);
void ptd_sha256_update(ptd_sha256 *sha, const void *bytes, size_t count);
/* Leaves `sha` used up: start it again before the next message. */
void ptd_sha256_finish(ptd_sha256 *sha, uint8_t digest[PTD_SHA256_BYTES]);

#endif
