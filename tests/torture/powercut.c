/* Keeps what a power cut would take: the bytes under every write that was not synced yet.
 *
 * Preloaded into a program, it works on files below POWERCUT_ROOT. Each file has a log in
 * POWERCUT_LOG, named after its inode: before a write, what was there is appended; after a sync
 * the log is emptied. A write that syncs itself (O_DSYNC) takes no other with it: what it wrote
 * is appended, to be kept. `powercut.py` kills everything and puts those bytes back.
 * Renames, truncations and new names count as durable at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct record { /* followed by `held` bytes; `powercut.py` reads the same */
    int64_t offset, held, size_before;
};
#define DURABLE -1 /* in the place of size_before: these bytes were synced as they were written */

static const char *root, *logs;

static void fail(const char *what) {
    dprintf(2, "powercut: %s: %s\n", what, strerror(errno));
    abort();
}

__attribute__((constructor)) static void begin(void) {
    /* Copies: Postgres writes its title over the environment. */
    if (getenv("POWERCUT_ROOT")) root = strdup(getenv("POWERCUT_ROOT"));
    if (getenv("POWERCUT_LOG")) logs = strdup(getenv("POWERCUT_LOG"));
}

#define REAL(name) ((typeof(&name))real(#name))
static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) fail(name);
    return found;
}

/* Lock and return the log of a file that counts, -1 for any other. */
static int open_log(int fd, struct stat *status) {
    char link[64], path[PATH_MAX];
    if (!root || !logs || fstat(fd, status) || !S_ISREG(status->st_mode)) return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return -1;
    path[length] = 0;
    if (strncmp(path, root, strlen(root)) || strstr(path, ".log")) return -1;
    snprintf(path, sizeof path, "%s/%lu", logs, (unsigned long)status->st_ino);
    int log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log < 0 || flock(log, LOCK_EX)) fail("open the log");
    if (fstat(fd, status)) fail("stat"); /* the size, now that nobody else writes */
    return log;
}

/* Append what a file holds at a place to its log. */
static void append(int fd, int log, off_t offset, int64_t held, int64_t size_before) {
    struct record *entry = malloc(sizeof *entry + held);
    if (!entry) fail("malloc");
    *entry = (struct record){offset, held, size_before};
    /* A file opened for writing only is read through a second descriptor. */
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int reader = open(link, O_RDONLY | O_CLOEXEC);
    if (reader < 0 || pread(reader, entry + 1, held, offset) != held) fail("read");
    close(reader);
    size_t size = sizeof *entry + held;
    if (REAL(write)(log, entry, size) != (ssize_t)size) fail("log");
    free(entry);
}

/* Say whether what is written through a descriptor is on the disk when the call returns. */
static int is_synced(int fd) {
    return fcntl(fd, F_GETFL) & O_DSYNC; /* O_SYNC has this bit too */
}

/* Append what is below a write. An offset of -1 is set to where the file stands.
 * Returns the locked log. */
static int before_write(int fd, off_t *offset, size_t length) {
    int error = errno;
    struct stat status;
    int log = open_log(fd, &status);
    if (log >= 0) {
        if (*offset < 0) {
            *offset = fcntl(fd, F_GETFL) & O_APPEND ? status.st_size : lseek(fd, 0, SEEK_CUR);
        }
        int64_t held = status.st_size - *offset;
        if (held < 0) held = 0;
        if (held > (int64_t)length) held = length;
        if (!is_synced(fd)) append(fd, log, *offset, held, status.st_size);
    }
    errno = error;
    return log;
}

/* Append what a synced write wrote, if a write before it may still be taken back. */
static void after_write(int fd, int log, off_t offset, ssize_t written) {
    int error = errno;
    struct stat status;
    if (log >= 0 && written > 0 && is_synced(fd)) {
        if (fstat(log, &status)) fail("stat the log");
        if (status.st_size) append(fd, log, offset, written, DURABLE);
    }
    errno = error;
}

static void end(int log) {
    int error = errno;
    if (log >= 0) close(log); /* releases the lock */
    errno = error;
}

static size_t total(const struct iovec *parts, int count) {
    size_t length = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    return length;
}

#define AROUND_WRITE(offset, length, call)                                                     \
    off_t place = offset;                                                                      \
    int log = before_write(fd, &place, length);                                                \
    ssize_t result = call;                                                                     \
    after_write(fd, log, place, result);                                                       \
    end(log);                                                                                  \
    return result

#define AROUND_SYNC(call)                                                                      \
    struct stat status;                                                                        \
    int log = open_log(fd, &status);                                                           \
    int result = call;                                                                         \
    if (!result && log >= 0 && ftruncate(log, 0)) fail("empty the log");                       \
    end(log);                                                                                  \
    return result

ssize_t write(int fd, const void *bytes, size_t length) {
    AROUND_WRITE(-1, length, REAL(write)(fd, bytes, length));
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    AROUND_WRITE(-1, total(parts, count), REAL(writev)(fd, parts, count));
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    AROUND_WRITE(offset, length, REAL(pwrite)(fd, bytes, length, offset));
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    AROUND_WRITE(offset, length, REAL(pwrite64)(fd, bytes, length, offset));
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    AROUND_WRITE(offset, total(parts, count), REAL(pwritev)(fd, parts, count, offset));
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    AROUND_WRITE(offset, total(parts, count), REAL(pwritev64)(fd, parts, count, offset));
}
int fsync(int fd) {
    AROUND_SYNC(REAL(fsync)(fd));
}
int fdatasync(int fd) {
    AROUND_SYNC(REAL(fdatasync)(fd));
}
