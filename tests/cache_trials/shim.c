/* System calls below one directory fail or hang, or the process dies at them, as a trial asks.
 *
 * Preloaded. Calls are counted from `shim_arm` on: those that concern a path below the directory,
 * or a descriptor that is open on one. `shim_clock` moves the wall clock of the process.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum action { COUNT, FAIL_ONCE, FAIL_FROM, DIE_BEFORE, DIE_AFTER, HANG_FROM };
enum kind { OPEN, CREATE, WRITE, OTHER };

static char directory[PATH_MAX];
static long target;
static long counted;
static long fired;
static enum action action;
static int failure;
static time_t hung_until;
static long clock_moved;
static char names[1024][16];

void shim_arm(const char *below, int what, long number, int with_errno)
{
    snprintf(directory, sizeof directory, "%s", below);
    counted = fired = 0;
    target = number;
    failure = with_errno;
    action = (enum action)what;
}

long shim_disarm(void)
{
    directory[0] = '\0';
    return counted;
}

long shim_fired(void)
{
    return fired;
}

const char *shim_name(long number)
{
    return number >= 1 && number <= 1024 ? names[number - 1] : "";
}

void shim_clock(long seconds)
{
    clock_moved = seconds;
}

static int is_below(const char *path)
{
    const size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int link_of(int descriptor, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, size - 1);
    path[length < 0 ? 0 : length] = '\0';
    return length >= 0;
}

static int concerns(int at, const char *path)
{
    char base[PATH_MAX];
    if (!directory[0]) {
        return 0;
    }
    if (path && path[0] == '/') {
        return is_below(path);
    }
    return at != AT_FDCWD && link_of(at, base, sizeof base) && is_below(base);
}

/* EMFILE concerns what opens, a full disk what makes or writes. */
static int can_fail(enum kind kind)
{
    if (failure == EMFILE) {
        return kind == OPEN || kind == CREATE;
    }
    if (failure == ENOSPC || failure == EDQUOT) {
        return kind == CREATE || kind == WRITE;
    }
    return 1;
}

static time_t seconds_of_life(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Whether the call about to be made is to fail. */
static int enter(const char *name, enum kind kind)
{
    counted++;
    if (counted <= 1024) {
        snprintf(names[counted - 1], sizeof names[0], "%s", name);
    }
    if (action == DIE_BEFORE && counted == target) {
        kill(getpid(), SIGKILL);
    }
    if (action == HANG_FROM && counted >= target) {
        const time_t now = seconds_of_life();
        if (fired++ == 0) {
            hung_until = now + failure;
        }
        if (now < hung_until) {
            sleep((unsigned)(hung_until - now));
        }
        return 0;
    }
    if (((action == FAIL_ONCE && counted == target) ||
         (action == FAIL_FROM && counted >= target &&
          (kind == CREATE || kind == WRITE || failure == EMFILE))) &&
        can_fail(kind)) {
        fired++;
        return 1;
    }
    return 0;
}

static void leave(void)
{
    if (action == DIE_AFTER && counted == target) {
        kill(getpid(), SIGKILL);
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WATCH(is_concerned, name, kind, call)                                                      \
    if (!(is_concerned)) {                                                                         \
        return call;                                                                               \
    }                                                                                              \
    if (enter(#name, kind)) {                                                                      \
        errno = failure;                                                                           \
        return -1;                                                                                 \
    }                                                                                              \
    __typeof__(call) result = call;                                                                \
    leave();                                                                                       \
    return result

#define OPENING(name)                                                                              \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const mode_t mode = va_arg(more, mode_t);                                                  \
        va_end(more);                                                                              \
        WATCH(concerns(AT_FDCWD, path), name, flags & O_CREAT ? CREATE : OPEN,                     \
              REAL(name)(path, flags, mode));                                                      \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name)                                                                           \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const mode_t mode = va_arg(more, mode_t);                                                  \
        va_end(more);                                                                              \
        WATCH(concerns(at, path), name, flags & O_CREAT ? CREATE : OPEN,                           \
              REAL(name)(at, path, flags, mode));                                                  \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

ssize_t write(int file, const void *bytes, size_t count)
{
    WATCH(concerns(file, NULL), write, WRITE, REAL(write)(file, bytes, count));
}

int fsync(int file)
{
    WATCH(concerns(file, NULL), fsync, WRITE, REAL(fsync)(file));
}

/* A failed close has closed all the same. */
int close(int file)
{
    if (!concerns(file, NULL)) {
        return REAL(close)(file);
    }
    const int fails = enter("close", WRITE);
    const int result = REAL(close)(file);
    leave();
    if (fails) {
        errno = failure;
        return -1;
    }
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    WATCH(concerns(AT_FDCWD, path), mkdir, CREATE, REAL(mkdir)(path, mode));
}

int mkdirat(int at, const char *path, mode_t mode)
{
    WATCH(concerns(at, path), mkdirat, CREATE, REAL(mkdirat)(at, path, mode));
}

int linkat(int at, const char *path, int to_at, const char *to, int flags)
{
    WATCH(concerns(to_at, to), linkat, CREATE, REAL(linkat)(at, path, to_at, to, flags));
}

int renameat(int at, const char *path, int to_at, const char *to)
{
    WATCH(concerns(to_at, to), renameat, CREATE, REAL(renameat)(at, path, to_at, to));
}

int unlink(const char *path)
{
    WATCH(concerns(AT_FDCWD, path), unlink, OTHER, REAL(unlink)(path));
}

int unlinkat(int at, const char *path, int flags)
{
    WATCH(concerns(at, path), unlinkat, OTHER, REAL(unlinkat)(at, path, flags));
}

int rmdir(const char *path)
{
    WATCH(concerns(AT_FDCWD, path), rmdir, OTHER, REAL(rmdir)(path));
}

int fchmod(int file, mode_t mode)
{
    WATCH(concerns(file, NULL), fchmod, OTHER, REAL(fchmod)(file, mode));
}

int chmod(const char *path, mode_t mode)
{
    WATCH(concerns(AT_FDCWD, path), chmod, OTHER, REAL(chmod)(path, mode));
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int result = REAL(clock_gettime)(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) {
        now->tv_sec += clock_moved;
    }
    return result;
}
