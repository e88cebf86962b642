/* CRC-32 against published check values and against its definition, bit by bit. */
#include "crc32.h"

#include "check.h"

#include <string.h>

/* Division of the reflected message by the reflected polynomial, as ISO 3309 defines it. */
static uint32_t crc_by_bits(const uint8_t *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t k = 0; k < length; k++) {
        crc ^= bytes[k];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
    }
    return ~crc;
}

int main(void)
{
    uint8_t bytes[300];
    /* The check value of the catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC. */
    CHECK(ptd_crc32(0, "123456789", 9) == 0xcbf43926u);
    /* python3 -c "import zlib; print(hex(zlib.crc32(b'a')))" */
    CHECK(ptd_crc32(0, "a", 1) == 0xe8b7be43u);
    CHECK(ptd_crc32(0, "", 0) == 0);
    CHECK(ptd_crc32(0, NULL, 0) == 0);
    for (size_t k = 0; k < sizeof bytes; k++) {
        bytes[k] = (uint8_t)(k * k + 17 * k + (k >> 3));
    }
    for (size_t start = 0; start < 9; start++) {
        for (size_t length = 0; start + length <= sizeof bytes; length++) {
            const uint32_t crc = ptd_crc32(0, bytes + start, length);
            CHECK(crc == crc_by_bits(bytes + start, length));
            const size_t half = length / 2;
            CHECK(crc == ptd_crc32(ptd_crc32(0, bytes + start, half), bytes + start + half,
                                   length - half));
        }
    }
    return check_result();
}
