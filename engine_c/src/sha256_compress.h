/* SHA-256's compression of whole blocks, in plain C and with the processor's own instructions. */
#ifndef PTD_SHA256_COMPRESS_H
#define PTD_SHA256_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

extern const uint32_t ptd_sha256_round_constants[64];

void ptd_sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t count);

/* Whether the processor has them; elsewhere the next function must not be called. */
int ptd_sha256_has_instructions(void);
void ptd_sha256_compress_instructions(uint32_t state[8], const uint8_t *blocks, size_t count);

#endif
