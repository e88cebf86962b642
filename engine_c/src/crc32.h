/* CRC-32 as in zlib, PNG and Ethernet: zlib.crc32(bytes, crc) in Python gives the same. */
#ifndef PTD_CRC32_H
#define PTD_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* `crc` is 0 at first, the result of the bytes before when going on. */
uint32_t ptd_crc32(uint32_t crc, const void *bytes, size_t length);

#endif
