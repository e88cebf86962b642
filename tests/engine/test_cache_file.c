/* Cache files on a real file system: what is published, what is refused, what is left behind. */
#include "check.h"
#include "codec.h"
#include "recorded.h"
#include "sample_trace.h"
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 512, UNPRIVILEGED = 65534 };

static char root[PATH_BYTES];
static char cache[PATH_BYTES]; /* the directory of the check at hand */
static char entry[PATH_BYTES]; /* the path of the sample's entry in it */
static ptd_elimination_trace *sample;
static uint8_t key[PTD_HASH_BYTES];
static char key_name[2 * PTD_HASH_BYTES + sizeof ".trace"];

static void make_sample(void)
{
    sample_trace arrays;
    ptd_error error;
    uint8_t content[PTD_HASH_BYTES];
    sample_make(&arrays);
    if (ptd_elimination_trace_create(&arrays.meta, arrays.arrays, &sample, &error) != PTD_OK) {
        abort();
    }
    sample_release(&arrays);
    ptd_elimination_trace_hash(sample, content, key);
    for (int k = 0; k < PTD_HASH_BYTES; k++) {
        snprintf(key_name + (ptrdiff_t)2 * k, 3, "%02x", key[k]);
    }
    strcat(key_name, ".trace");
}

/* A new empty directory under the root is the cache from here on. */
static void new_cache(const char *name)
{
    snprintf(cache, sizeof cache, "%.200s/%.100s", root, name);
    if (mkdir(cache, 0700) != 0) {
        abort();
    }
    snprintf(entry, sizeof entry, "%.300s/%s", cache, key_name);
}

/* How many names the directory holds; -1 where it is not there. */
static int count_names(const char *directory)
{
    DIR *stream = opendir(directory);
    int count = 0;
    if (!stream) {
        return -1;
    }
    for (struct dirent *found = readdir(stream); found; found = readdir(stream)) {
        count += strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0;
    }
    closedir(stream);
    return count;
}

static int count_quarantined(void)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%.300s/.quarantine", cache);
    return count_names(path);
}

static void write_entry(const void *bytes, size_t length)
{
    const int file = open(entry, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0 && write(file, bytes, length) == (ssize_t)length);
    close(file);
}

static ptd_status load(ptd_error *error)
{
    ptd_elimination_trace *trace = NULL;
    *error = (ptd_error){0};
    const ptd_status status = ptd_load_trace_from_cache(cache, key, &trace, error);
    CHECK((status == PTD_OK) == (trace != NULL));
    CHECK(!trace || memcmp(trace->key, key, PTD_HASH_BYTES) == 0);
    ptd_elimination_trace_destroy(trace);
    return status;
}

static ptd_status save(ptd_error *error)
{
    *error = (ptd_error){0};
    return ptd_save_trace_to_cache(sample, cache, error);
}

static void check_save_and_load(void)
{
    ptd_error error;
    struct stat about;
    new_cache("plain");
    CHECK(load(&error) == PTD_CACHE_MISS);
    CHECK(save(&error) == PTD_OK);
    CHECK(count_names(cache) == 1); /* the entry and nothing else */
    CHECK(stat(entry, &about) == 0 && (about.st_mode & 07777) == 0440 && about.st_nlink == 1);
    CHECK(about.st_size == ptd_elimination_trace_bytes(sample));
    CHECK(load(&error) == PTD_OK);
    const ino_t first = about.st_ino;
    CHECK(save(&error) == PTD_OK); /* first wins */
    CHECK(stat(entry, &about) == 0 && about.st_ino == first && count_names(cache) == 1);
    CHECK(ptd_quarantine_cache_entry(cache, key, &error) == PTD_OK); /* it is a good one */
    CHECK(load(&error) == PTD_OK && count_names(cache) == 1);
}

static void check_made_directory(void)
{
    ptd_error error;
    struct stat about;
    snprintf(cache, sizeof cache, "%.200s/one//two/three/", root);
    CHECK(load(&error) == PTD_CACHE_MISS);
    CHECK(ptd_quarantine_cache_entry(cache, key, &error) == PTD_OK);
    CHECK(save(&error) == PTD_OK && load(&error) == PTD_OK);
    CHECK(stat(cache, &about) == 0 && (about.st_mode & 0777) == 0700);
    snprintf(cache, sizeof cache, "%.200s/plain/%s", root, key_name); /* a file */
    CHECK(save(&error) == PTD_IO_ERROR && error.value == ENOTDIR);
    CHECK(load(&error) == PTD_IO_ERROR && error.value == ENOTDIR);
}

/* A bad entry is refused and stays, is moved aside on request, and a save makes it good. */
static void check_bad_entry(const void *bytes, size_t length, ptd_status expected)
{
    ptd_error error;
    write_entry(bytes, length);
    CHECK(load(&error) == expected);
    CHECK(access(entry, F_OK) == 0);
    CHECK(ptd_quarantine_cache_entry(cache, key, &error) == PTD_OK);
    CHECK(access(entry, F_OK) != 0 && count_quarantined() == 1);
    CHECK(load(&error) == PTD_CACHE_MISS);
    CHECK(ptd_quarantine_cache_entry(cache, key, &error) == PTD_OK); /* once */
    CHECK(count_quarantined() == 1);
    write_entry(bytes, length);
    CHECK(save(&error) == PTD_OK && load(&error) == PTD_OK);
    CHECK(count_quarantined() == 2 && count_names(cache) == 2);
}

static void check_bad_entries(void)
{
    ptd_error error;
    uint8_t *bytes = NULL;
    int64_t length = 0;
    CHECK(ptd_elimination_trace_encode(sample, &bytes, &length, &error) == PTD_OK);
    new_cache("empty");
    check_bad_entry("", 0, PTD_FORMAT_TRUNCATED);
    new_cache("text");
    check_bad_entry("no trace at all", 15, PTD_FORMAT_MAGIC);
    new_cache("half");
    check_bad_entry(bytes, (size_t)length / 2, PTD_FORMAT_TRUNCATED);
    new_cache("flipped");
    bytes[length - 1] ^= 1;
    check_bad_entry(bytes, (size_t)length, PTD_FORMAT_CHECKSUM);
    ptd_buffer_release(bytes);

    ptd_elimination_trace *other = recorded_trace(model_kingman(4));
    CHECK(ptd_elimination_trace_encode(other, &bytes, &length, &error) == PTD_OK);
    new_cache("other");
    check_bad_entry(bytes, (size_t)length, PTD_FORMAT_KEY);
    ptd_buffer_release(bytes);
    ptd_elimination_trace_destroy(other);
}

static void make_link(void)
{
    char target[PATH_BYTES];
    snprintf(target, sizeof target, "%.200s/plain/%s", root, key_name); /* a good one */
    CHECK(symlink(target, entry) == 0);
}

static void make_fifo(void)
{
    CHECK(mkfifo(entry, 0600) == 0);
}

static void make_directory(void)
{
    CHECK(mkdir(entry, 0700) == 0);
}

static void make_socket(void)
{
    /* A socket's path has room for 108 bytes: bind in the directory itself. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char here[PATH_BYTES];
    const int file = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", key_name);
    CHECK(getcwd(here, sizeof here) && chdir(cache) == 0);
    CHECK(file >= 0 && bind(file, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(chdir(here) == 0);
    close(file);
}

static void check_not_regular(const char *name, void (*make)(void))
{
    ptd_error error;
    new_cache(name);
    make();
    CHECK(load(&error) == PTD_CACHE_NOT_REGULAR); /* and no waiting for a writer */
    CHECK(save(&error) == PTD_OK && load(&error) == PTD_OK);
    CHECK(count_quarantined() == 1);
}

static void check_untrusted(void)
{
    ptd_error error;
    new_cache("open");
    CHECK(save(&error) == PTD_OK);
    CHECK(chmod(cache, 0777) == 0);
    CHECK(save(&error) == PTD_CACHE_UNTRUSTED && load(&error) == PTD_CACHE_UNTRUSTED);
    CHECK(ptd_quarantine_cache_entry(cache, key, &error) == PTD_CACHE_UNTRUSTED);
    CHECK(chmod(cache, 01777) == 0);
    CHECK(load(&error) == PTD_CACHE_UNTRUSTED);
    CHECK(chmod(cache, 02770) == 0);
    CHECK(load(&error) == PTD_OK);
    if (geteuid() == 0) {
        const gid_t ours = getegid();
        CHECK(chown(cache, UNPRIVILEGED, ours) == 0 && chmod(cache, 0755) == 0);
        CHECK(load(&error) == PTD_CACHE_UNTRUSTED); /* another's, for himself */
        CHECK(chmod(cache, 02770) == 0);
        CHECK(load(&error) == PTD_OK); /* another's, shared with our group */
        CHECK(chown(cache, UNPRIVILEGED, UNPRIVILEGED) == 0 && chmod(cache, 02770) == 0);
        CHECK(load(&error) == PTD_CACHE_UNTRUSTED); /* a group that is not ours */
        CHECK(chown(cache, 0, UNPRIVILEGED) == 0);
    }
}

/* Runs `check` in a process of its own (its failures count), where asked for without privileges. */
static void check_in_child(void (*check)(void), int unprivileged)
{
    int result = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        check_failures = 0;
        if (unprivileged && geteuid() == 0 &&
            (setgid(UNPRIVILEGED) != 0 || setuid(UNPRIVILEGED) != 0)) {
            abort();
        }
        check();
        fflush(NULL);
        _exit(check_failures != 0);
    }
    CHECK(child > 0 && waitpid(child, &result, 0) == child);
    CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0);
}

/* Another of the group made `.tmp` and died before opening it to the group. */
static void save_past_closed_directory(void)
{
    ptd_error error;
    CHECK(save(&error) == PTD_OK && load(&error) == PTD_OK && count_names(cache) == 1);
}

static void check_group(void)
{
    ptd_error error;
    struct stat about;
    char path[PATH_BYTES];
    new_cache("group");
    const mode_t before = umask(077);
    CHECK(chmod(cache, 02770) == 0 && save(&error) == PTD_OK);
    CHECK(stat(entry, &about) == 0 && (about.st_mode & 0777) == 0440); /* for the group to read */
    CHECK(unlink(entry) == 0);
    umask(before);
    snprintf(path, sizeof path, "%.300s/.tmp", cache);
    CHECK(chmod(root, 0711) == 0 && mkdir(path, 0) == 0);
    if (geteuid() == 0) { /* whom no mode stops */
        CHECK(chown(cache, UNPRIVILEGED, UNPRIVILEGED) == 0 && chmod(cache, 0700) == 0);
    }
    check_in_child(save_past_closed_directory, 1);
    CHECK(geteuid() != 0 || chown(cache, 0, 0) == 0);
}

/* A file that claims, without taking room, to be longer than a trace may be. */
static void check_endless_file(void)
{
    ptd_error error;
    new_cache("endless");
    write_entry("", 0);
    CHECK(truncate(entry, (off_t)60 << 30) == 0);
    CHECK(load(&error) == PTD_FORMAT_TOO_LARGE && error.value == (double)((off_t)60 << 30));
    CHECK(save(&error) == PTD_OK && load(&error) == PTD_OK && count_quarantined() == 1);
}

static void save_into_read_only(void)
{
    ptd_error error;
    CHECK(save(&error) == PTD_IO_ERROR && error.value == EACCES && error.status == PTD_IO_ERROR);
    char below[PATH_BYTES];
    snprintf(below, sizeof below, "%.300s/below", cache);
    CHECK(ptd_save_trace_to_cache(sample, below, &error) == PTD_IO_ERROR);
    CHECK(error.value == EACCES);
    snprintf(below, sizeof below, "%.300s/file.trace", cache);
    CHECK(ptd_save_trace_to_file(sample, below, &error) == PTD_IO_ERROR && error.value == EACCES);
}

static void check_read_only(void)
{
    new_cache("read_only");
    if (geteuid() ==
        0) { /* whom no mode stops: the directory is for all to read, root's to write */
        CHECK(chmod(root, 0711) == 0 && chmod(cache, 0755) == 0);
    } else {
        CHECK(chmod(cache, 0500) == 0);
    }
    check_in_child(save_into_read_only, 1);
    CHECK(chmod(cache, 0700) == 0 && count_names(cache) == 0);
}

/* The disk is full after one kilobyte. */
static void save_beyond_limit(void)
{
    ptd_error error;
    char path[PATH_BYTES];
    const struct rlimit limit = {1024, 1024};
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(save(&error) == PTD_IO_ERROR && error.value == EFBIG);
    snprintf(path, sizeof path, "%.300s/file.trace", cache);
    CHECK(ptd_save_trace_to_file(sample, path, &error) == PTD_IO_ERROR && error.value == EFBIG);
}

static void check_failed_write(void)
{
    new_cache("full");
    check_in_child(save_beyond_limit, 0);
    CHECK(count_names(cache) == 0);
}

static void save_often(void)
{
    enum { TIMES = 200 };
    for (int k = 0; k < TIMES; k++) {
        ptd_error error;
        CHECK(save(&error) == PTD_OK);
        CHECK(load(&error) == PTD_OK || error.status == PTD_CACHE_MISS);
        if (k % 4 == 0) {
            (void)unlink(entry);
        }
    }
    ptd_error error;
    CHECK(save(&error) == PTD_OK);
}

/* Two processes publish, load and remove the same entry at once. */
static void check_two_processes(void)
{
    enum { PROCESSES = 2 };
    pid_t child[PROCESSES];
    ptd_error error;
    new_cache("together");
    fflush(NULL);
    for (int k = 0; k < PROCESSES; k++) {
        child[k] = fork();
        if (child[k] == 0) {
            check_failures = 0;
            save_often();
            fflush(NULL);
            _exit(check_failures != 0);
        }
    }
    for (int k = 0; k < PROCESSES; k++) {
        int result = 0;
        CHECK(waitpid(child[k], &result, 0) == child[k]);
        CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    }
    CHECK(save(&error) == PTD_OK && load(&error) == PTD_OK);
    CHECK(count_names(cache) == 1);
}

/* A file long enough to be mapped, and the same through one that is read. */
static void check_mapped(void)
{
    ptd_elimination_trace *large = recorded_trace(model_tandem(70, 70));
    ptd_elimination_trace *loaded = NULL;
    ptd_error error = {0};
    uint8_t content[PTD_HASH_BYTES];
    uint8_t large_key[PTD_HASH_BYTES];
    uint8_t *bytes = NULL;
    uint8_t *loaded_bytes = NULL;
    int64_t length = 0;
    int64_t loaded_length = 0;
    char path[PATH_BYTES];
    new_cache("mapped");
    CHECK(ptd_elimination_trace_bytes(large) > 1 << 20);
    CHECK(ptd_save_trace_to_cache(large, cache, &error) == PTD_OK);
    ptd_elimination_trace_hash(large, content, large_key);
    CHECK(ptd_load_trace_from_cache(cache, large_key, &loaded, &error) == PTD_OK);
    CHECK(loaded && loaded->storage_kind == PTD_STORAGE_MAPPING);
    CHECK(ptd_elimination_trace_encode(large, &bytes, &length, &error) == PTD_OK);
    CHECK(ptd_elimination_trace_encode(loaded, &loaded_bytes, &loaded_length, &error) == PTD_OK);
    CHECK(length == loaded_length && memcmp(bytes, loaded_bytes, (size_t)length) == 0);
    ptd_elimination_trace_destroy(loaded);
    loaded = NULL;
    snprintf(path, sizeof path, "%.300s/large.file", cache);
    CHECK(ptd_save_trace_to_file(large, path, &error) == PTD_OK);
    CHECK(truncate(path, length - 1) == 0);
    CHECK(ptd_load_trace_from_file(path, &loaded, &error) == PTD_FORMAT_TRUNCATED);
    ptd_buffer_release(bytes);
    ptd_buffer_release(loaded_bytes);
    ptd_elimination_trace_destroy(large);
}

static void check_any_path(void)
{
    ptd_error error = {0};
    struct stat about;
    char path[PATH_BYTES];
    char link[PATH_BYTES];
    ptd_elimination_trace *loaded = NULL;
    new_cache("files");
    snprintf(path, sizeof path, "%.300s/model.trace", cache);
    snprintf(link, sizeof link, "%.300s/link", cache);
    CHECK(ptd_load_trace_from_file(path, &loaded, &error) == PTD_IO_ERROR);
    CHECK(error.value == ENOENT);
    const mode_t before = umask(022);
    CHECK(ptd_save_trace_to_file(sample, path, &error) == PTD_OK);
    umask(before);
    CHECK(stat(path, &about) == 0 && (about.st_mode & 0777) == 0644 && count_names(cache) == 1);
    CHECK(symlink("model.trace", link) == 0);
    CHECK(truncate(path, 0) == 0);
    CHECK(ptd_save_trace_to_file(sample, link, &error) == PTD_OK); /* replaces what it names */
    CHECK(lstat(link, &about) == 0 && S_ISLNK(about.st_mode));
    CHECK(count_names(cache) == 2);
    CHECK(ptd_load_trace_from_file(link, &loaded, &error) == PTD_OK);
    CHECK(loaded && memcmp(loaded->key, key, PTD_HASH_BYTES) == 0);
    ptd_elimination_trace_destroy(loaded);
    CHECK(ptd_save_trace_to_file(sample, cache, &error) == PTD_CACHE_NOT_REGULAR);
    CHECK(ptd_load_trace_from_file(cache, &loaded, &error) == PTD_CACHE_NOT_REGULAR);
    snprintf(path, sizeof path, "%.300s/missing/model.trace", cache);
    CHECK(ptd_save_trace_to_file(sample, path, &error) == PTD_IO_ERROR && error.value == ENOENT);
    CHECK(chdir(cache) == 0);
    CHECK(ptd_save_trace_to_file(sample, "bare.trace", &error) == PTD_OK);
    CHECK(ptd_load_trace_from_file("bare.trace", &loaded, &error) == PTD_OK);
    ptd_elimination_trace_destroy(loaded);
    CHECK(chdir("/") == 0 && count_names(cache) == 3);
}

/* Removes a directory and what it holds. */
static void remove_tree(const char *path)
{
    DIR *stream = opendir(path);
    for (struct dirent *found = stream ? readdir(stream) : NULL; found; found = readdir(stream)) {
        char below[2 * PATH_BYTES];
        struct stat about;
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) {
            continue;
        }
        snprintf(below, sizeof below, "%.600s/%.300s", path, found->d_name);
        if (lstat(below, &about) == 0 && S_ISDIR(about.st_mode)) {
            remove_tree(below);
        } else {
            CHECK(unlink(below) == 0);
        }
    }
    if (stream) {
        closedir(stream);
    }
    CHECK(rmdir(path) == 0);
}

int main(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(root, sizeof root, "%.150s/ptd_cache_XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(root)) {
        perror(root);
        return 2;
    }
    make_sample();
    check_save_and_load();
    check_made_directory();
    check_bad_entries();
    check_not_regular("link", make_link);
    check_not_regular("fifo", make_fifo);
    check_not_regular("directory", make_directory);
    check_not_regular("socket", make_socket);
    check_untrusted();
    check_group();
    check_endless_file();
    check_read_only();
    check_failed_write();
    check_two_processes();
    check_mapped();
    check_any_path();
    ptd_elimination_trace_destroy(sample);
    remove_tree(root);
    return check_result();
}
