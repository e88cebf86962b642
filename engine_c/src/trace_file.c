/* Trace files anywhere: a trace under a name that the user chose, replaced as a whole or not at
 * all. */
#include "file.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the path stands for, through symbolic links: these are kept and their target is replaced. */
static ptd_status resolve(const char *path, char resolved[PATH_MAX], ptd_error *error)
{
    struct stat about;
    if (strlen(path) >= PATH_MAX) {
        return ptd_fail(error, PTD_IO_ERROR, 0, ENAMETOOLONG);
    }
    if (stat(path, &about) != 0) {
        if (errno != ENOENT) {
            return ptd_file_failed(error);
        }
        memcpy(resolved, path, strlen(path) + 1);
        return PTD_OK;
    }
    if (!S_ISREG(about.st_mode)) {
        return ptd_fail(error, PTD_CACHE_NOT_REGULAR, 0, about.st_mode);
    }
    return realpath(path, resolved) ? PTD_OK : ptd_file_failed(error);
}

ptd_status ptd_save_trace_to_file(const ptd_elimination_trace *trace, const char *path,
                                  ptd_error *error)
{
    char resolved[PATH_MAX];
    char unique[PTD_UNIQUE_NAME_BYTES];
    char temporary[PTD_UNIQUE_NAME_BYTES + 1];
    ptd_status status = resolve(path, resolved, error);
    if (status == PTD_OK) {
        status = ptd_file_unique_name(unique, error);
    }
    if (status != PTD_OK) {
        return status;
    }
    snprintf(temporary, sizeof temporary, ".%s", unique);
    char *slash = strrchr(resolved, '/');
    const char *name = slash ? slash + 1 : resolved;
    if (slash) {
        *slash = '\0';
    }
    const int directory = ptd_file_open_directory(AT_FDCWD,
                                                  !slash              ? "."
                                                  : slash == resolved ? "/"
                                                                      : resolved,
                                                  0);
    if (directory < 0) {
        return ptd_file_failed(error);
    }
    status = ptd_file_write(trace, directory, temporary, 0666, 0, error);
    if (status != PTD_OK) {
        goto done;
    }
    if (renameat(directory, temporary, directory, name) != 0) {
        status = ptd_file_failed(error);
        (void)unlinkat(directory, temporary, 0);
        goto done;
    }
    status = ptd_file_sync_directory(directory, error);
done:
    (void)close(directory);
    return status;
}

ptd_status ptd_load_trace_from_file(const char *path, ptd_elimination_trace **trace,
                                    ptd_error *error)
{
    *trace = NULL;
    ptd_status status = ptd_file_read(AT_FDCWD, path, 0, trace, error);
    return status == PTD_CACHE_MISS ? ptd_fail(error, PTD_IO_ERROR, 0, ENOENT) : status;
}
