/* SHA-256: the vectors of FIPS 180-4's example papers and of NIST's CAVP, in one piece and in
 * pieces of every size. */
#include "sha256.h"
#include "sha256_compress.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static const char *hex(const uint8_t digest[PTD_SHA256_BYTES], char text[65])
{
    for (int i = 0; i < PTD_SHA256_BYTES; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

static int digests_to(const void *bytes, size_t count, size_t piece, const char *expected)
{
    ptd_sha256 sha;
    uint8_t digest[PTD_SHA256_BYTES];
    char text[65];
    ptd_sha256_start(&sha);
    for (size_t at = 0; at < count; at += piece) {
        ptd_sha256_update(&sha, (const uint8_t *)bytes + at,
                          count - at < piece ? count - at : piece);
    }
    ptd_sha256_finish(&sha, digest);
    return strcmp(hex(digest, text), expected) == 0;
}

static void test_short_messages(void)
{
    static const struct {
        const char *message;
        const char *digest;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
        {"\x11\xaf", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
         "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
        size_t length = strlen(vectors[k].message);
        for (size_t piece = 1; piece <= length + 1; piece++) {
            CHECK(digests_to(vectors[k].message, length, piece, vectors[k].digest));
        }
    }
}

static void test_million(void)
{
    enum { COUNT = 1000000 };
    static const char expected[] =
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    char *message = malloc(COUNT);
    CHECK(message != NULL);
    memset(message, 'a', COUNT);
    CHECK(digests_to(message, COUNT, COUNT, expected));
    CHECK(digests_to(message, COUNT, 63, expected));
    CHECK(digests_to(message, COUNT, 64, expected));
    CHECK(digests_to(message, COUNT, 1000, expected));
    message[COUNT - 1] = 'b';
    CHECK(!digests_to(message, COUNT, COUNT, expected));
    free(message);
}

/* Lengths around the end of a block, where padding takes one block or two. The digests of n zero
 * bytes are those of coreutils: head -c n /dev/zero | sha256sum. */
static void test_padding(void)
{
    static const struct {
        size_t length;
        const char *digest;
    } vectors[] = {
        {55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
        {56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
        {57, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785"},
        {63, "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971"},
        {64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
        {65, "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7"},
    };
    static const uint8_t zeros[65];
    for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
        CHECK(digests_to(zeros, vectors[k].length, vectors[k].length, vectors[k].digest));
    }
}

/* Both compressions of random blocks, where the processor has the second. */
static void test_instructions(void)
{
    enum { BLOCKS = 9 };
    uint8_t blocks[BLOCKS * PTD_SHA256_BLOCK_BYTES];
    uint32_t seed = 12345;
    if (!ptd_sha256_has_instructions()) {
        fputs("no SHA instructions here: only the portable compression is tested\n", stderr);
        return;
    }
    for (int round = 0; round < 200; round++) {
        uint32_t one[8], other[8];
        for (size_t k = 0; k < sizeof blocks; k++) {
            seed = seed * 1664525u + 1013904223u;
            blocks[k] = (uint8_t)(seed >> 24);
        }
        for (int k = 0; k < 8; k++) {
            seed = seed * 1664525u + 1013904223u;
            one[k] = other[k] = seed;
        }
        ptd_sha256_compress_portable(one, blocks, (size_t)(round % (BLOCKS + 1)));
        ptd_sha256_compress_instructions(other, blocks, (size_t)(round % (BLOCKS + 1)));
        CHECK(memcmp(one, other, sizeof one) == 0);
    }
}

int main(void)
{
    test_instructions();
    test_short_messages();
    test_million();
    test_padding();
    return check_failures != 0;
}
