/* A preload library for trials on Linux: it stands between a program and the files below one folder.
 *
 * POWER_DIR    the folder; files elsewhere are not touched.
 * POWER_LOG    every change of such a file, and every sync, is written here in order, so that a trial can put together
 *              what a disk may hold after the power was cut at any of them.
 * POWER_FAIL   from the n-th change on (1 = the first) changes fail, with the error POWER_ERRNO, as long as the file
 *              POWER_DIR.full exists; it is made when the n-th change comes, and whoever removes it makes room again.
 *              POWER_DIR.reached, made then too, stays.
 * POWER_SYNCS  the name of every file that is synced goes here, a line each.
 * POWER_SYNC_US  a sync takes so many microseconds, and the disk itself is left alone: the disk of a trial.
 *
 * A record of the log: kind (1 write, 2 truncate, 3 sync, 4 unlink, 5 sync of the folder), length of the name, offset, length of the data; then the
 * name and the data. Numbers are 64 bits in the order of the machine.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *dir;
static size_t dir_length;
static int log_fd = -1, syncs_fd = -1;
static long sync_us = -1;
static long fail_at, changes;
static int fail_errno;
static char full[PATH_MAX];

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void start(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    dir = getenv("POWER_DIR");
    dir_length = dir ? strlen(dir) : 0;
    const char *log = getenv("POWER_LOG");
    if (log) log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const char *fail = getenv("POWER_FAIL"), *number = getenv("POWER_ERRNO");
    const char *syncs = getenv("POWER_SYNCS"), *us = getenv("POWER_SYNC_US");
    if (syncs) syncs_fd = open(syncs, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (us) sync_us = atol(us);
    fail_at = fail ? atol(fail) : 0;
    fail_errno = number ? atoi(number) : ENOSPC;
    if (dir) snprintf(full, sizeof full, "%s.full", dir);
}

/* The name of an open file below the folder, empty for the folder itself; 0 = it is none of ours. Memory shared by connections is not on the disk. */
static int ours(int fd, char *name) {
    char link[64], path[PATH_MAX];
    if (!dir) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    if (strncmp(path, dir, dir_length) != 0) return 0;
    if (path[dir_length] == 0) {
        name[0] = 0;
        return 1;
    }
    if (path[dir_length] != '/') return 0;
    strcpy(name, path + dir_length + 1);
    size_t length = strlen(name);
    return !(length > 4 && strcmp(name + length - 4, "-shm") == 0) && strcmp(name, "lock") != 0;
}

/* Whether a change fails. */
static int fails(void) {
    if (!fail_at) return 0;
    changes++;
    if (changes == fail_at) {
        int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0) close(fd);
        char reached[PATH_MAX + 8];
        snprintf(reached, sizeof reached, "%s.reached", dir);
        fd = open(reached, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0) close(fd);
    }
    return changes >= fail_at && access(full, F_OK) == 0;
}

static void note(uint64_t kind, const char *name, uint64_t offset, const void *data, uint64_t length) {
    if (log_fd < 0) return;
    uint64_t head[4] = {kind, strlen(name), offset, length};
    if (real_write(log_fd, head, sizeof head) < 0 || real_write(log_fd, name, head[1]) < 0) abort();
    if (data && real_write(log_fd, data, length) < 0) abort();
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    char name[PATH_MAX];
    if (!ours(fd, name)) return real_pwrite(fd, data, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t n = -1;
    if (fails()) {
        errno = fail_errno;
    } else {
        n = real_pwrite(fd, data, length, offset);
        if (n > 0) note(1, name, (uint64_t)offset, data, (uint64_t)n);
    }
    pthread_mutex_unlock(&lock);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return pwrite64(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
    char name[PATH_MAX];
    if (!real_write) return -1;
    if (!ours(fd, name)) return real_write(fd, data, length);
    pthread_mutex_lock(&lock);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t n = -1;
    if (fails()) {
        errno = fail_errno;
    } else {
        n = real_write(fd, data, length);
        if (n > 0) note(1, name, at < 0 ? 0 : (uint64_t)at, data, (uint64_t)n);
    }
    pthread_mutex_unlock(&lock);
    return n;
}

int ftruncate64(int fd, off64_t length) {
    char name[PATH_MAX];
    if (!ours(fd, name)) return real_ftruncate(fd, length);
    pthread_mutex_lock(&lock);
    int failed = real_ftruncate(fd, length);
    if (!failed) note(2, name, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int ftruncate(int fd, off_t length) {
    return ftruncate64(fd, length);
}

static int synced(int fd, int (*real)(int)) {
    char name[PATH_MAX];
    if (!ours(fd, name)) return real(fd);
    if (syncs_fd >= 0) {
        char line[PATH_MAX + 1];
        int length = snprintf(line, sizeof line, "%s\n", name);
        if (real_write(syncs_fd, line, (size_t)length) < 0) abort();
    }
    if (sync_us >= 0) {
        usleep((useconds_t)sync_us);
        return 0;
    }
    pthread_mutex_lock(&lock);
    int failed = -1;
    if (fails()) {
        errno = fail_errno;
    } else {
        failed = real(fd);
        if (!failed) note(name[0] ? 3 : 5, name, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return failed;
}

int unlink(const char *path) {
    if (!dir || strncmp(path, dir, dir_length) != 0 || path[dir_length] != '/') return real_unlink(path);
    pthread_mutex_lock(&lock);
    int failed = real_unlink(path);
    if (!failed) note(4, path + dir_length + 1, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int fsync(int fd) {
    return synced(fd, real_fsync);
}

int fdatasync(int fd) {
    return synced(fd, real_fdatasync);
}
