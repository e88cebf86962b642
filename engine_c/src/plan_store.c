/* Plan store. See plan_store.h.
 *
 * File, little-endian: "PTDPLAN1", ordering version (u32), n (u32), the order (n x u32), SHA-256 of
 * all before. Its length follows from n, so nothing is read or allocated on the file's own word.
 * It is written under a name of its own and renamed; it is not synced, for after a crash a torn
 * file fails its checksum and the order is found again.
 */
#include "plan_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "memory.h"
#include "sha256.h"

static const char MAGIC[8] = {'P', 'T', 'D', 'P', 'L', 'A', 'N', '1'};

enum {
    HEADER_BYTES = 16,
    SUFFIX_BYTES = 24, /* ".plan", or "." and the random part of a name in the making */
    RANDOM_BYTES = 8,
    NAME_BYTES = 2 * PTD_SHA256_BYTES + SUFFIX_BYTES
};

static void update_u32(ptd_sha256 *sha, uint32_t value)
{
    uint8_t bytes[4];
    ptd_put_u32(bytes, value);
    ptd_sha256_update(sha, bytes, sizeof bytes);
}

/* Ordering version, n, and each row as its length and its columns. */
static void name_pattern(const ptd_pattern *pattern, char hex[2 * PTD_SHA256_BYTES])
{
    uint8_t digest[PTD_SHA256_BYTES];
    ptd_sha256 sha;
    ptd_sha256_start(&sha);
    update_u32(&sha, PTD_ORDERING_VERSION);
    update_u32(&sha, (uint32_t)pattern->n);
    for (int32_t i = 0; i < pattern->n; i++) {
        update_u32(&sha, (uint32_t)(pattern->start[i + 1] - pattern->start[i]));
        for (int64_t p = pattern->start[i]; p < pattern->start[i + 1]; p++) {
            update_u32(&sha, (uint32_t)pattern->column[p]);
        }
    }
    ptd_sha256_finish(&sha, digest);
    ptd_put_hex(digest, sizeof digest, hex);
}

/* "<directory>/<hex>" with room for a suffix at *end; NULL where memory ran out. */
static char *path_of(const char *directory, const ptd_pattern *pattern, char **end)
{
    size_t length = strlen(directory);
    char *path = ptd_allocate(length + 1 + NAME_BYTES, 1);
    if (!path) {
        return NULL;
    }
    memcpy(path, directory, length);
    path[length] = '/';
    name_pattern(pattern, path + length + 1);
    *end = path + length + 1 + 2 * PTD_SHA256_BYTES;
    return path;
}

static size_t file_bytes(const ptd_pattern *pattern)
{
    return HEADER_BYTES + 4 * (size_t)pattern->n + PTD_SHA256_BYTES;
}

static int is_used(const ptd_plan_store *store, const ptd_pattern *pattern)
{
    return store && store->directory && pattern->n >= store->min_vertices;
}

/* Header and checksum. */
static void seal(const ptd_pattern *pattern, uint8_t *bytes)
{
    size_t covered = file_bytes(pattern) - PTD_SHA256_BYTES;
    ptd_sha256 sha;
    memcpy(bytes, MAGIC, sizeof MAGIC);
    ptd_put_u32(bytes + 8, PTD_ORDERING_VERSION);
    ptd_put_u32(bytes + 12, (uint32_t)pattern->n);
    ptd_sha256_start(&sha);
    ptd_sha256_update(&sha, bytes, covered);
    ptd_sha256_finish(&sha, bytes + covered);
}

static int read_file(const char *path, uint8_t *bytes, size_t count)
{
    struct stat info;
    int ok = 0;
    /* O_NONBLOCK: a fifo in the file's place must not hang the recording. */
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return 0;
    }
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == count) {
        size_t done = 0;
        ssize_t got = 1;
        while (done < count && got != 0) {
            got = read(file, bytes + done, count - done);
            if (got < 0 && errno != EINTR) {
                break;
            }
            done += got > 0 ? (size_t)got : 0;
        }
        ok = done == count;
    }
    close(file);
    return ok;
}

/* Whether the bytes are sealed as `pattern`'s and hold a permutation; writes it then. */
static int parse(const ptd_pattern *pattern, uint8_t *bytes, uint8_t *seen, int32_t *order)
{
    uint8_t digest[PTD_SHA256_BYTES];
    size_t covered = file_bytes(pattern) - PTD_SHA256_BYTES;
    uint8_t header[HEADER_BYTES];
    memcpy(header, bytes, HEADER_BYTES);
    memcpy(digest, bytes + covered, sizeof digest);
    seal(pattern, bytes);
    if (memcmp(header, bytes, HEADER_BYTES) != 0 ||
        memcmp(digest, bytes + covered, sizeof digest) != 0) {
        return 0;
    }
    for (int32_t k = 0; k < pattern->n; k++) {
        uint32_t vertex = ptd_get_u32(bytes + HEADER_BYTES + 4 * (size_t)k);
        if (vertex >= (uint32_t)pattern->n || seen[vertex]) {
            return 0;
        }
        seen[vertex] = 1;
    }
    for (int32_t k = 0; k < pattern->n; k++) {
        order[k] = (int32_t)ptd_get_u32(bytes + HEADER_BYTES + 4 * (size_t)k);
    }
    return 1;
}

int ptd_plan_store_load(const ptd_plan_store *store, const ptd_pattern *pattern, int32_t *order)
{
    if (!is_used(store, pattern)) {
        return 0;
    }
    int ok = 0;
    char *end = NULL;
    char *path = path_of(store->directory, pattern, &end);
    uint8_t *bytes = ptd_allocate(file_bytes(pattern), 1);
    uint8_t *seen = ptd_allocate_zero((size_t)pattern->n, 1);
    if (path && bytes && seen) {
        memcpy(end, ".plan", sizeof ".plan");
        ok = read_file(path, bytes, file_bytes(pattern)) && parse(pattern, bytes, seen, order);
    }
    ptd_release(path);
    ptd_release(bytes);
    ptd_release(seen);
    return ok;
}

static int write_file(const char *path, const uint8_t *bytes, size_t count)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0440);
    if (file < 0) {
        return 0;
    }
    size_t done = 0;
    while (done < count) {
        ssize_t put = write(file, bytes + done, count - done);
        if (put < 0 && errno != EINTR) {
            break;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return (close(file) == 0) & (done == count);
}

void ptd_plan_store_save(const ptd_plan_store *store, const ptd_pattern *pattern,
                         const int32_t *order)
{
    if (!is_used(store, pattern)) {
        return;
    }
    uint8_t random[RANDOM_BYTES];
    char *end = NULL;
    char *unfinished_end = NULL;
    char *path = path_of(store->directory, pattern, &end);
    char *unfinished = path_of(store->directory, pattern, &unfinished_end);
    uint8_t *bytes = ptd_allocate(file_bytes(pattern), 1);
    if (!path || !unfinished || !bytes || getentropy(random, sizeof random) != 0) {
        goto out;
    }
    for (int32_t k = 0; k < pattern->n; k++) {
        ptd_put_u32(bytes + HEADER_BYTES + 4 * (size_t)k, (uint32_t)order[k]);
    }
    seal(pattern, bytes);
    memcpy(end, ".plan", sizeof ".plan");
    unfinished_end[0] = '.';
    ptd_put_hex(random, sizeof random, unfinished_end + 1);
    unfinished_end[1 + 2 * RANDOM_BYTES] = '\0';
    /* Where the directory is missing for good, so is the file. */
    mkdir(store->directory, 0700);
    if (!write_file(unfinished, bytes, file_bytes(pattern)) || rename(unfinished, path) != 0) {
        unlink(unfinished);
    }
out:
    ptd_release(path);
    ptd_release(unfinished);
    ptd_release(bytes);
}
