/* Cache files: a trace under its key in a directory that several processes, users and machines may
 * share.
 *
 * Publishing never swaps an inode under a reader and never shows a part of a file: the file is
 * complete and on the medium before `link` gives it its name, which fails where the name is taken.
 * Whoever comes second checks that the first wrote a valid trace (all writers of a key agree) and
 * is done. Housekeeping directories exist only while they are needed.
 */
#include "bytes.h"
#include "file.h"
#include "memory.h"
#include "status.h"
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY  ".tmp"
#define QUARANTINE ".quarantine"

enum {
    ENTRY_NAME_BYTES = 2 * PTD_HASH_BYTES + sizeof ".trace",
    ENTRY_MODE = 0440,
    PRIVATE_MODE = 0700,
    MADE_AGAIN = 16 /* `.tmp` may be removed by another writer between two of our calls */
};

static void entry_name(const uint8_t key[PTD_HASH_BYTES], char name[ENTRY_NAME_BYTES])
{
    ptd_put_hex(key, PTD_HASH_BYTES, name);
    memcpy(name + (size_t)2 * PTD_HASH_BYTES, ".trace", sizeof ".trace");
}

/* ---- the directory */

static ptd_status make_directories(const char *path, ptd_error *error)
{
    ptd_status status = PTD_OK;
    const size_t length = strlen(path);
    char *part = ptd_allocate(length + 1, 1);
    if (!part) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)length);
    }
    memcpy(part, path, length + 1);
    for (size_t k = 1; k <= length && status == PTD_OK; k++) {
        if (part[k] != '/' && part[k] != '\0') {
            continue;
        }
        const char end = part[k];
        part[k] = '\0';
        /* EROFS and EACCES of a parent that is there do not matter; the last call decides. */
        if (mkdir(part, PRIVATE_MODE) != 0 && errno != EEXIST && end == '\0') {
            status = ptd_file_failed(error);
        }
        part[k] = end;
    }
    ptd_release(part);
    return status;
}

static int is_group_of_ours(gid_t group)
{
    enum { MOST = 256 };
    gid_t groups[MOST];
    if (group == getegid()) {
        return 1;
    }
    const int count = getgroups(MOST, groups);
    for (int k = 0; k < count; k++) {
        if (groups[k] == group) {
            return 1;
        }
    }
    return 0;
}

/* Trusted: closed to the world, and ours, root's, or shared (setgid) with a group of ours. */
static int is_trusted(const struct stat *about)
{
    if (about->st_mode & S_IWOTH) {
        return 0;
    }
    return about->st_uid == geteuid() || about->st_uid == 0 ||
           ((about->st_mode & S_ISGID) && is_group_of_ours(about->st_gid));
}

/* PTD_CACHE_MISS where it is missing and `make` is 0. */
static ptd_status open_cache(const char *path, int make, int *directory, ptd_error *error)
{
    struct stat about;
    int opened = ptd_file_open_directory(AT_FDCWD, path, 0);
    if (opened < 0 && errno == ENOENT) {
        if (!make) {
            return ptd_fail(error, PTD_CACHE_MISS, 0, 0);
        }
        ptd_status status = make_directories(path, error);
        if (status != PTD_OK) {
            return status;
        }
        opened = ptd_file_open_directory(AT_FDCWD, path, 0);
    }
    if (opened < 0) {
        return ptd_file_failed(error);
    }
    if (fstat(opened, &about) != 0) {
        ptd_status status = ptd_file_failed(error);
        (void)close(opened);
        return status;
    }
    if (!is_trusted(&about)) {
        (void)close(opened);
        return ptd_fail(error, PTD_CACHE_UNTRUSTED, 0, about.st_mode);
    }
    *directory = opened;
    return PTD_OK;
}

/* A housekeeping directory, as open to the group as the cache is, whatever the umask. */
static ptd_status open_housekeeping(int cache, const char *name, int *directory, ptd_error *error)
{
    struct stat about;
    if (fstat(cache, &about) != 0) {
        return ptd_file_failed(error);
    }
    const mode_t mode = PRIVATE_MODE | (about.st_mode & (S_ISGID | S_IRWXG));
    for (int is_second = 0;; is_second = 1) {
        const int made = mkdirat(cache, name, PRIVATE_MODE) == 0;
        if (!made && errno != EEXIST) {
            return ptd_file_failed(error);
        }
        *directory = ptd_file_open_directory(cache, name, O_NOFOLLOW);
        if (*directory >= 0) {
            if (made) {
                (void)fchmod(*directory, mode); /* file systems without modes need none */
            }
            return PTD_OK;
        }
        const ptd_status status = ptd_file_failed(error);
        /* Its maker has not opened it to the group yet, or died before: an empty one may go. */
        if (is_second || errno != EACCES || unlinkat(cache, name, AT_REMOVEDIR) != 0) {
            return status;
        }
    }
}

/* ---- reading */

/* An NFS client may stay blind to a new name until the directory is opened and read. */
static void look_into(int cache)
{
    const int copy = ptd_file_open_directory(cache, ".", 0);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (stream) {
        (void)readdir(stream);
        (void)closedir(stream);
    } else if (copy >= 0) {
        (void)close(copy);
    }
}

static int is_passing(ptd_status status, const ptd_error *error)
{
    return status == PTD_IO_ERROR && (error->value == ESTALE || error->value == EIO);
}

static ptd_status read_entry(int cache, const uint8_t key[PTD_HASH_BYTES],
                             ptd_elimination_trace **trace, ptd_error *error)
{
    char name[ENTRY_NAME_BYTES];
    ptd_error own = {0};
    ptd_elimination_trace *read = NULL;
    entry_name(key, name);
    ptd_status status = ptd_file_read(cache, name, 1, &read, &own);
    if (status == PTD_CACHE_MISS) {
        look_into(cache);
    }
    if (status == PTD_CACHE_MISS || is_passing(status, &own)) {
        status = ptd_file_read(cache, name, 1, &read, &own);
    }
    if (status != PTD_OK) {
        return ptd_fail(error, status, own.index, own.value);
    }
    if (memcmp(read->key, key, PTD_HASH_BYTES) != 0) {
        ptd_elimination_trace_destroy(read);
        return ptd_fail(error, PTD_FORMAT_KEY, 0, 0);
    }
    *trace = read;
    return PTD_OK;
}

ptd_status ptd_load_trace_from_cache(const char *directory, const uint8_t key[PTD_HASH_BYTES],
                                     ptd_elimination_trace **trace, ptd_error *error)
{
    int cache = -1;
    *trace = NULL;
    ptd_status status = open_cache(directory, 0, &cache, error);
    if (status != PTD_OK) {
        return status;
    }
    status = read_entry(cache, key, trace, error);
    (void)close(cache);
    return status;
}

/* ---- quarantine */

/* Whether loading failed because of what the entry is, and not because of the machine. */
static int is_bad_entry(ptd_status status)
{
    return (status >= PTD_FORMAT_MAGIC && status < PTD_IO_ERROR) || status == PTD_CACHE_NOT_REGULAR;
}

/* Moves the entry that is `bad`. Should another have taken its name just before, that one is given
 * its name back. */
static ptd_status move_aside(int cache, const char *name, const struct stat *bad, ptd_error *error)
{
    char unique[PTD_UNIQUE_NAME_BYTES];
    char moved_name[ENTRY_NAME_BYTES + PTD_UNIQUE_NAME_BYTES];
    struct stat moved;
    int quarantine = -1;
    ptd_status status = ptd_file_unique_name(unique, error);
    if (status != PTD_OK) {
        return status;
    }
    snprintf(moved_name, sizeof moved_name, "%.*s.%s", 2 * PTD_HASH_BYTES, name,
             strrchr(unique, '.') + 1);
    status = open_housekeeping(cache, QUARANTINE, &quarantine, error);
    if (status != PTD_OK) {
        return status;
    }
    if (renameat(cache, name, quarantine, moved_name) != 0) {
        if (errno != ENOENT) { /* else another process has moved it */
            status = ptd_file_failed(error);
        }
        goto done;
    }
    if (fstatat(quarantine, moved_name, &moved, AT_SYMLINK_NOFOLLOW) == 0 &&
        (moved.st_ino != bad->st_ino || moved.st_dev != bad->st_dev) &&
        (linkat(quarantine, moved_name, cache, name, 0) == 0 || errno == EEXIST)) {
        (void)unlinkat(quarantine, moved_name, 0);
    }
    status = ptd_file_sync_directory(cache, error);
done:
    (void)close(quarantine);
    (void)unlinkat(cache, QUARANTINE, AT_REMOVEDIR); /* only where it is empty */
    return status;
}

/* PTD_OK where the entry is valid, gone, or moved. */
static ptd_status quarantine_entry(int cache, const uint8_t key[PTD_HASH_BYTES], ptd_error *error)
{
    char name[ENTRY_NAME_BYTES];
    struct stat before;
    struct stat now;
    ptd_elimination_trace *trace = NULL;
    ptd_error why = {0};
    entry_name(key, name);
    if (fstatat(cache, name, &before, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? PTD_OK : ptd_file_failed(error);
    }
    const ptd_status status = read_entry(cache, key, &trace, &why);
    ptd_elimination_trace_destroy(trace);
    if (status == PTD_OK || status == PTD_CACHE_MISS) {
        return PTD_OK;
    }
    if (!is_bad_entry(status)) {
        return ptd_fail(error, status, why.index, why.value);
    }
    if (fstatat(cache, name, &now, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? PTD_OK : ptd_file_failed(error);
    }
    if (now.st_ino != before.st_ino || now.st_dev != before.st_dev) {
        return PTD_OK;
    }
    return move_aside(cache, name, &before, error);
}

ptd_status ptd_quarantine_cache_entry(const char *directory, const uint8_t key[PTD_HASH_BYTES],
                                      ptd_error *error)
{
    int cache = -1;
    ptd_status status = open_cache(directory, 0, &cache, error);
    if (status != PTD_OK) {
        return status == PTD_CACHE_MISS ? PTD_OK : status;
    }
    status = quarantine_entry(cache, key, error);
    (void)close(cache);
    return status;
}

/* ---- publishing */

/* A complete file in `.tmp`, open as *temporary. */
static ptd_status write_temporary(const ptd_elimination_trace *trace, int cache, const char *name,
                                  int *temporary, ptd_error *error)
{
    ptd_status status = PTD_IO_ERROR;
    for (int attempt = 0; attempt < MADE_AGAIN; attempt++) {
        ptd_error own = {0};
        status = open_housekeeping(cache, TEMPORARY, temporary, &own);
        if (status == PTD_OK) {
            status = ptd_file_write(trace, *temporary, name, ENTRY_MODE, 1, &own);
        }
        if (status == PTD_OK) {
            return PTD_OK;
        }
        if (*temporary >= 0) {
            (void)close(*temporary);
            *temporary = -1;
        }
        (void)ptd_fail(error, status, own.index, own.value);
        if (status != PTD_IO_ERROR || own.value != ENOENT) {
            break;
        }
    }
    return status;
}

/* The file systems that cannot link say so in several ways. */
static int cannot_link(int reason)
{
    return reason == EPERM || reason == EOPNOTSUPP || reason == ENOTSUP || reason == EMLINK ||
           reason == ENOSYS;
}

/* Whether the entry under the name is valid; a bad one is moved aside. */
static ptd_status check_winner(int cache, const uint8_t key[PTD_HASH_BYTES], int *is_valid,
                               ptd_error *error)
{
    ptd_elimination_trace *winner = NULL;
    ptd_error why = {0};
    const ptd_status status = read_entry(cache, key, &winner, &why);
    *is_valid = status == PTD_OK;
    ptd_elimination_trace_destroy(winner);
    if (status == PTD_OK || status == PTD_CACHE_MISS) {
        return PTD_OK;
    }
    if (!is_bad_entry(status)) {
        return ptd_fail(error, status, why.index, why.value);
    }
    return quarantine_entry(cache, key, error);
}

/* Makes a new name last; one that may not last is taken back, so that failing means "not there". */
static ptd_status settle(int cache, const char *name, ptd_error *error)
{
    const ptd_status status = ptd_file_sync_directory(cache, error);
    if (status != PTD_OK) {
        (void)unlinkat(cache, name, 0);
    }
    return status;
}

static ptd_status publish(const ptd_elimination_trace *trace, int cache, int temporary,
                          const char *unique, ptd_error *error)
{
    enum { ATTEMPTS = 8 }; /* more than one only where entries are removed meanwhile */
    char name[ENTRY_NAME_BYTES];
    entry_name(trace->key, name);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int is_valid = 0;
        if (linkat(temporary, unique, cache, name, 0) == 0) {
            return settle(cache, name, error);
        }
        if (cannot_link(errno)) {
            if (renameat(temporary, unique, cache, name) != 0) {
                return ptd_file_failed(error);
            }
            return settle(cache, name, error);
        }
        if (errno != EEXIST) {
            return ptd_file_failed(error);
        }
        ptd_status status = check_winner(cache, trace->key, &is_valid, error);
        if (status != PTD_OK || is_valid) {
            return status;
        }
    }
    return ptd_fail(error, PTD_IO_ERROR, 0, EEXIST);
}

static ptd_status save_entry(const ptd_elimination_trace *trace, int cache, ptd_error *error)
{
    char unique[PTD_UNIQUE_NAME_BYTES];
    int temporary = -1;
    int is_valid = 0;
    ptd_status status = check_winner(cache, trace->key, &is_valid, error);
    if (status != PTD_OK || is_valid) {
        return status;
    }
    status = ptd_file_unique_name(unique, error);
    if (status != PTD_OK) {
        return status;
    }
    status = write_temporary(trace, cache, unique, &temporary, error);
    if (status == PTD_OK) {
        status = publish(trace, cache, temporary, unique, error);
        (void)unlinkat(temporary, unique, 0); /* gone already where it was renamed */
        (void)close(temporary);
    }
    (void)unlinkat(cache, TEMPORARY, AT_REMOVEDIR); /* only where it is empty */
    return status;
}

ptd_status ptd_save_trace_to_cache(const ptd_elimination_trace *trace, const char *directory,
                                   ptd_error *error)
{
    int cache = -1;
    ptd_status status = open_cache(directory, 1, &cache, error);
    if (status != PTD_OK) {
        return status;
    }
    status = save_entry(trace, cache, error);
    (void)close(cache);
    return status;
}
