/* CRC-32 (reflected polynomial 0xEDB88320), eight bytes a step: M. E. Kounavis and F. L. Berry,
 * "Novel table lookup-based algorithms for high-performance CRC generation", IEEE Transactions on
 * Computers 57 (2008), 1550-1560.
 *
 * TABLE[s][i] is the remainder of byte i followed by s zero bytes. It is linear in the bits of i,
 * so eight remainders a table, those of the single bits, say all of it.
 */
#include "crc32.h"

#include <string.h>

#define BIT(i, b, remainder) (((i) >> (b)) & 1 ? (remainder) : 0u)
#define ENTRY(i, r0, r1, r2, r3, r4, r5, r6, r7)                                                   \
    (BIT(i, 0, r0) ^ BIT(i, 1, r1) ^ BIT(i, 2, r2) ^ BIT(i, 3, r3) ^ BIT(i, 4, r4) ^               \
     BIT(i, 5, r5) ^ BIT(i, 6, r6) ^ BIT(i, 7, r7))
#define ENTRIES_4(i, ...)                                                                          \
    ENTRY(i, __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__), ENTRY((i) + 2, __VA_ARGS__),               \
        ENTRY((i) + 3, __VA_ARGS__)
#define ENTRIES_16(i, ...)                                                                         \
    ENTRIES_4(i, __VA_ARGS__), ENTRIES_4((i) + 4, __VA_ARGS__), ENTRIES_4((i) + 8, __VA_ARGS__),   \
        ENTRIES_4((i) + 12, __VA_ARGS__)
#define ENTRIES_64(i, ...)                                                                         \
    ENTRIES_16(i, __VA_ARGS__), ENTRIES_16((i) + 16, __VA_ARGS__),                                 \
        ENTRIES_16((i) + 32, __VA_ARGS__), ENTRIES_16((i) + 48, __VA_ARGS__)
#define ENTRIES_256(...)                                                                           \
    {ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),        \
     ENTRIES_64(192, __VA_ARGS__)}

static const uint32_t TABLE[8][256] = {
    ENTRIES_256(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190,
                0xedb88320),
    ENTRIES_256(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05,
                0x3b83984b),
    ENTRIES_256(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0,
                0xe1351b80),
    ENTRIES_256(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d,
                0xed59b63b),
    ENTRIES_256(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782, 0xc1c12f04, 0x58f35849,
                0xb1e6b092),
    ENTRIES_256(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b, 0x07ac0536, 0x0f580a6c,
                0x1eb014d8),
    ENTRIES_256(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce, 0xcfbd399c, 0x440b7579,
                0x8816eaf2),
    ENTRIES_256(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b, 0xf9766256, 0x299dc2ed,
                0x533b85da),
};

uint32_t ptd_crc32(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; length >= 8; length -= 8, at += 8) {
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + 4, 4);
        low ^= crc;
        crc = TABLE[7][low & 0xff] ^ TABLE[6][low >> 8 & 0xff] ^ TABLE[5][low >> 16 & 0xff] ^
              TABLE[4][low >> 24] ^ TABLE[3][high & 0xff] ^ TABLE[2][high >> 8 & 0xff] ^
              TABLE[1][high >> 16 & 0xff] ^ TABLE[0][high >> 24];
    }
    for (; length > 0; length--, at++) {
        crc = TABLE[0][(crc ^ *at) & 0xff] ^ crc >> 8;
    }
    return ~crc;
}
