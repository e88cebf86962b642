/* Files: writing that survives a crash, reading that survives a hostile or shrinking file.
 *
 * Large files on local file systems are mapped and so shared by all processes. Everything else is
 * read into memory: a mapped file that another machine truncates would be a SIGBUS.
 */
#include "file.h"

#include "bytes.h"
#include "codec.h"
#include "memory.h"
#include "status.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/random.h>
#include <sys/vfs.h>
#endif

static const int64_t MAP_FROM_BYTES = 1 << 20;
static const int64_t MAX_FILE_BYTES = (int64_t)1 << 34;
static const size_t MAX_CALL_BYTES = (size_t)1 << 30;

ptd_status ptd_file_failed(ptd_error *error)
{
    return ptd_fail(error, PTD_IO_ERROR, 0, errno);
}

ptd_status ptd_file_unique_name(char name[PTD_UNIQUE_NAME_BYTES], ptd_error *error)
{
    unsigned char random[16];
    char host[33] = "";
    char hex[2 * sizeof random + 1] = "";
    if (getentropy(random, sizeof random) != 0) {
        return ptd_file_failed(error);
    }
    ptd_put_hex(random, sizeof random, hex);
    (void)gethostname(host, sizeof host - 1); /* a longer name is cut, which does no harm */
    for (char *c = host; *c; c++) {
        *c = *c == '/' ? '_' : *c;
    }
    snprintf(name, PTD_UNIQUE_NAME_BYTES, "%s.%ld.%s", host, (long)getpid(), hex);
    return PTD_OK;
}

int ptd_file_open_directory(int at, const char *name, int flags)
{
    int directory;
    do {
        directory = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    } while (directory < 0 && errno == EINTR);
    return directory;
}

/* ---- writing */

static ptd_status write_all(int file, const void *bytes, uint64_t length, ptd_error *error)
{
    const char *at = bytes;
    while (length > 0) {
        const size_t chunk = length < MAX_CALL_BYTES ? (size_t)length : MAX_CALL_BYTES;
        const ssize_t written = write(file, at, chunk);
        if (written < 0 && errno != EINTR) {
            return ptd_file_failed(error);
        }
        if (written > 0) {
            at += written;
            length -= (uint64_t)written;
        }
    }
    return PTD_OK;
}

static ptd_status write_trace(int file, const ptd_elimination_trace *trace, ptd_error *error)
{
    static const uint8_t zeros[64];
    ptd_codec_layout layout;
    uint8_t *head = NULL;
    ptd_codec_plan(trace, &layout);
    ptd_status status = ptd_codec_write_head(trace, &layout, &head, error);
    if (status == PTD_OK) {
        status = write_all(file, head, layout.head_bytes, error);
    }
    uint64_t end = layout.head_bytes;
    for (int id = 0; id < PTD_TRACE_ARRAY_COUNT && status == PTD_OK; id++) {
        status = write_all(file, zeros, layout.offset[id] - end, error);
        if (status == PTD_OK) {
            status = write_all(file, trace->arrays[id].data, layout.bytes[id], error);
        }
        end = layout.offset[id] + layout.bytes[id];
    }
    ptd_release(head);
    return status;
}

ptd_status ptd_file_write(const ptd_elimination_trace *trace, int directory, const char *name,
                          mode_t mode, int whatever_umask, ptd_error *error)
{
    int file;
    do {
        file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    } while (file < 0 && errno == EINTR);
    if (file < 0) {
        return ptd_file_failed(error);
    }
    ptd_status status = write_trace(file, trace, error);
    if (status == PTD_OK && whatever_umask) {
        (void)fchmod(file, mode); /* file systems without modes need none */
    }
    if (status == PTD_OK && fsync(file) != 0) {
        status = ptd_file_failed(error);
    }
    /* A network file system may say only here that the disk is full. */
    if (close(file) != 0 && errno != EINTR && status == PTD_OK) {
        status = ptd_file_failed(error);
    }
    if (status != PTD_OK) {
        (void)unlinkat(directory, name, 0);
    }
    return status;
}

ptd_status ptd_file_sync_directory(int directory, ptd_error *error)
{
    /* EINVAL: a file system that has no such thing. */
    if (fsync(directory) != 0 && errno != EINVAL) {
        return ptd_file_failed(error);
    }
    return PTD_OK;
}

/* ---- reading */

/* Whether no other machine can change the file under us; unknown file systems count as remote. */
static int is_local(int file)
{
#ifdef __linux__
    static const uint32_t local_types[] = {
        0xef53,     /* ext2, ext3, ext4 */
        0x58465342, /* xfs */
        0x9123683e, /* btrfs */
        0x2fc12fc1, /* zfs */
        0xf2f52010, /* f2fs */
        0xca451a4e, /* bcachefs */
        0x01021994, /* tmpfs */
        0x858458f6, /* ramfs */
        0x794c7630, /* overlay */
        0x73717368, /* squashfs */
        0xe0f5e1e2, /* erofs */
    };
    struct statfs system;
    if (fstatfs(file, &system) != 0) {
        return 0;
    }
    for (size_t k = 0; k < sizeof local_types / sizeof *local_types; k++) {
        if ((uint32_t)system.f_type == local_types[k]) {
            return 1;
        }
    }
#else
    (void)file;
#endif
    return 0;
}

/* Reads up to `length` bytes; *count is what was there. */
static ptd_status read_all(int file, void *bytes, size_t length, size_t *count, ptd_error *error)
{
    *count = 0;
    while (*count < length) {
        const size_t left = length - *count;
        const ssize_t got =
            read(file, (char *)bytes + *count, left < MAX_CALL_BYTES ? left : MAX_CALL_BYTES);
        if (got < 0 && errno != EINTR) {
            return ptd_file_failed(error);
        }
        if (got == 0) {
            break;
        }
        if (got > 0) {
            *count += (size_t)got;
        }
    }
    return PTD_OK;
}

static ptd_status read_mapped(int file, size_t length, ptd_elimination_trace **trace,
                              ptd_error *error)
{
    void *mapping = mmap(NULL, length, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapping == MAP_FAILED) {
        return ptd_file_failed(error);
    }
    ptd_status status = ptd_codec_read(PTD_STORAGE_MAPPING, mapping, length, trace, error);
    if (status != PTD_OK) {
        munmap(mapping, length);
    }
    return status;
}

static ptd_status read_buffered(int file, size_t length, ptd_elimination_trace **trace,
                                ptd_error *error)
{
    size_t count = 0;
    void *buffer = ptd_allocate(length, 1);
    if (!buffer) {
        return ptd_fail(error, PTD_NO_MEMORY, 0, (double)length);
    }
    ptd_status status = read_all(file, buffer, length, &count, error);
    if (status == PTD_OK) {
        status = ptd_codec_read(PTD_STORAGE_BUFFER, buffer, count, trace, error);
    }
    if (status != PTD_OK) {
        ptd_release(buffer);
    }
    return status;
}

static ptd_status read_open_file(int file, ptd_elimination_trace **trace, ptd_error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0) {
        return ptd_file_failed(error);
    }
    if (!S_ISREG(about.st_mode)) {
        return ptd_fail(error, PTD_CACHE_NOT_REGULAR, 0, about.st_mode);
    }
    if (about.st_size > MAX_FILE_BYTES) {
        return ptd_fail(error, PTD_FORMAT_TOO_LARGE, 0, (double)about.st_size);
    }
    return about.st_size > MAP_FROM_BYTES && is_local(file)
               ? read_mapped(file, (size_t)about.st_size, trace, error)
               : read_buffered(file, (size_t)about.st_size, trace, error);
}

ptd_status ptd_file_read(int directory, const char *name, int no_follow,
                         ptd_elimination_trace **trace, ptd_error *error)
{
    int file;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | (no_follow ? O_NOFOLLOW : 0);
    do {
        file = openat(directory, name, flags);
    } while (file < 0 && errno == EINTR);
    if (file < 0 && errno == ENOENT) {
        return ptd_fail(error, PTD_CACHE_MISS, 0, 0);
    }
    if (file < 0 && ((errno == ELOOP && no_follow) || errno == ENXIO)) {
        return ptd_fail(error, PTD_CACHE_NOT_REGULAR, 0, 0);
    }
    if (file < 0) {
        return ptd_file_failed(error);
    }
    ptd_status status = read_open_file(file, trace, error);
    (void)close(file); /* nothing was written */
    return status;
}
