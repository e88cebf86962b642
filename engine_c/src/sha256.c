/* SHA-256 as FIPS 180-4 states it (sections 4.1.2, 5.1.1, 5.3.3, 6.2), on whole blocks straight
 * from the caller's memory; only what is left over is kept. */
#include "sha256.h"

#include <string.h>

#include "sha256_compress.h"

/* Fractional parts of the cube roots of the first 64 primes (4.2.2). */
const uint32_t ptd_sha256_round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const uint32_t INITIAL_STATE[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static inline uint32_t rotate_right(uint32_t x, int count)
{
    return (x >> count) | (x << (32 - count));
}

static inline uint32_t read_big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void write_big_endian(uint8_t *bytes, uint32_t x)
{
    bytes[0] = (uint8_t)(x >> 24);
    bytes[1] = (uint8_t)(x >> 16);
    bytes[2] = (uint8_t)(x >> 8);
    bytes[3] = (uint8_t)x;
}

void ptd_sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    uint32_t w[64];
    for (; count > 0; count--, blocks += PTD_SHA256_BLOCK_BYTES) {
        for (int t = 0; t < 16; t++) {
            w[t] = read_big_endian(blocks + 4 * t);
        }
        for (int t = 16; t < 64; t++) {
            uint32_t x = w[t - 15];
            uint32_t y = w[t - 2];
            uint32_t sigma0 = rotate_right(x, 7) ^ rotate_right(x, 18) ^ (x >> 3);
            uint32_t sigma1 = rotate_right(y, 17) ^ rotate_right(y, 19) ^ (y >> 10);
            w[t] = sigma1 + w[t - 7] + sigma0 + w[t - 16];
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (int t = 0; t < 64; t++) {
            uint32_t sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
            uint32_t choice = (e & f) ^ (~e & g);
            uint32_t t1 = h + sum1 + choice + ptd_sha256_round_constants[t] + w[t];
            uint32_t sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
            uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + sum0 + majority;
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}

static void compress(ptd_sha256 *sha, const uint8_t *blocks, size_t count)
{
    if (sha->has_instructions) {
        ptd_sha256_compress_instructions(sha->state, blocks, count);
    } else {
        ptd_sha256_compress_portable(sha->state, blocks, count);
    }
}

void ptd_sha256_start(ptd_sha256 *sha)
{
    memset(sha, 0, sizeof *sha);
    memcpy(sha->state, INITIAL_STATE, sizeof sha->state);
    sha->has_instructions = ptd_sha256_has_instructions();
}

void ptd_sha256_update(ptd_sha256 *sha, const void *bytes, size_t count)
{
    if (count == 0) {
        return;
    }
    const uint8_t *next = bytes;
    size_t filled = (size_t)(sha->length % PTD_SHA256_BLOCK_BYTES);
    sha->length += count;
    if (filled > 0) {
        size_t room = PTD_SHA256_BLOCK_BYTES - filled;
        size_t taken = count < room ? count : room;
        memcpy(sha->block + filled, next, taken);
        next += taken;
        count -= taken;
        if (filled + taken < PTD_SHA256_BLOCK_BYTES) {
            return;
        }
        compress(sha, sha->block, 1);
    }
    size_t blocks = count / PTD_SHA256_BLOCK_BYTES;
    compress(sha, next, blocks);
    size_t rest = count % PTD_SHA256_BLOCK_BYTES;
    if (rest > 0) {
        memcpy(sha->block, next + blocks * PTD_SHA256_BLOCK_BYTES, rest);
    }
}

void ptd_sha256_finish(ptd_sha256 *sha, uint8_t digest[PTD_SHA256_BYTES])
{
    enum { LENGTH_AT = PTD_SHA256_BLOCK_BYTES - 8 };
    size_t filled = (size_t)(sha->length % PTD_SHA256_BLOCK_BYTES);
    uint64_t bits = sha->length * 8;
    sha->block[filled++] = 0x80;
    if (filled > LENGTH_AT) {
        memset(sha->block + filled, 0, PTD_SHA256_BLOCK_BYTES - filled);
        compress(sha, sha->block, 1);
        filled = 0;
    }
    memset(sha->block + filled, 0, LENGTH_AT - filled);
    write_big_endian(sha->block + LENGTH_AT, (uint32_t)(bits >> 32));
    write_big_endian(sha->block + LENGTH_AT + 4, (uint32_t)bits);
    compress(sha, sha->block, 1);
    for (int i = 0; i < 8; i++) {
        write_big_endian(digest + 4 * i, sha->state[i]);
    }
}
