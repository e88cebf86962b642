/* Bytes: numbers as little-endian bytes, and bytes as hexadecimal text. */
#ifndef PTD_BYTES_H
#define PTD_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void ptd_put_u32(uint8_t bytes[4], uint32_t value)
{
    for (int k = 0; k < 4; k++) {
        bytes[k] = (uint8_t)(value >> 8 * k);
    }
}

static inline uint32_t ptd_get_u32(const uint8_t bytes[4])
{
    uint32_t value = 0;
    for (int k = 0; k < 4; k++) {
        value |= (uint32_t)bytes[k] << 8 * k;
    }
    return value;
}

/* text[2 * count], not terminated. */
static inline void ptd_put_hex(const uint8_t *bytes, size_t count, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t k = 0; k < count; k++) {
        text[2 * k] = digits[bytes[k] >> 4];
        text[2 * k + 1] = digits[bytes[k] & 15];
    }
}

#endif
