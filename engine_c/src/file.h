/* Files: one trace written or read through file descriptors. */
#ifndef PTD_FILE_H
#define PTD_FILE_H

#include "ptd.h"

#include <sys/types.h>

/* PTD_IO_ERROR with the errno of the call that just failed. */
ptd_status ptd_file_failed(ptd_error *error);

/* Host, pid and 128 random bits: pids are not unique where a directory is shared by machines. */
enum { PTD_UNIQUE_NAME_BYTES = 128 };
PTD_MUST_CHECK ptd_status ptd_file_unique_name(char name[PTD_UNIQUE_NAME_BYTES], ptd_error *error);

/* A descriptor of directory `name` in directory `at`, -1 with errno on failure. `flags` are more
 * flags of openat. */
int ptd_file_open_directory(int at, const char *name, int flags);

/* Makes `name`, which must not be there yet, in the directory; what it holds is on the medium when
 * this returns. On failure nothing is left behind. `whatever_umask`: the mode is exactly that. */
PTD_MUST_CHECK ptd_status ptd_file_write(const ptd_elimination_trace *trace, int directory,
                                         const char *name, mode_t mode, int whatever_umask,
                                         ptd_error *error);
/* Makes what was linked, renamed or removed in the directory last. */
PTD_MUST_CHECK ptd_status ptd_file_sync_directory(int directory, ptd_error *error);

/* Reads and validates. PTD_CACHE_MISS where there is no such name. `no_follow`: a symbolic link is
 * PTD_CACHE_NOT_REGULAR, as is in any case what is no regular file. */
PTD_MUST_CHECK ptd_status ptd_file_read(int directory, const char *name, int no_follow,
                                        ptd_elimination_trace **trace, ptd_error *error);

#endif
