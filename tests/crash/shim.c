// Loaded before libc: a disk that fails, hangs, or reports a sync that it did not do. Each variable names a switch: a file.
// While that file exists, and for files whose path contains FAIL_FILE (the log's own without it), FAIL_SYNC and FAIL_WRITE make syncs and writes fail with EIO,
// LIE_SYNC makes syncs succeed without doing anything, and HANG_SYNC makes them wait until the file is gone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int chosen(const char *variable, int fd) {
    const char *file = getenv(variable);
    if (!file || access(file, F_OK) != 0) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *part = getenv("FAIL_FILE");
    return strstr(path, part ? part : "/log.db") != NULL;
}

static int fails(const char *variable, int fd) {
    if (!chosen(variable, fd)) return 0;
    errno = EIO;
    return 1;
}

static void hangs(int fd) {
    while (chosen("HANG_SYNC", fd)) usleep(5000);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    hangs(fd);
    if (chosen("LIE_SYNC", fd)) return 0;
    return fails("FAIL_SYNC", fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    hangs(fd);
    if (chosen("LIE_SYNC", fd)) return 0;
    return fails("FAIL_SYNC", fd) ? -1 : real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    return fails("FAIL_WRITE", fd) ? -1 : real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}
