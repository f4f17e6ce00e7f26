/* Preloaded: makes the n-th write, sync, rename or truncation of this process fail, once, when told to.
 *
 *   fail_io_at(n, errno): the n-th call from now on fails (0: none does); gives the number of calls since the last.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

static long calls, fail_at;
static int failure;

long fail_io_at(long n, int error) {
    long made = calls;
    calls = 0;
    fail_at = n;
    failure = error;
    return made;
}

static int fails(int fd) {
    if (fd >= 0 && fd <= 2) return 0; /* what the test says is not what is tested */
    if (__sync_add_and_fetch(&calls, 1) != fail_at) return 0;
    errno = failure;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) { return fails(fd) ? -1 : REAL(write)(fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return fails(fd) ? -1 : REAL(pwrite)(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return fails(fd) ? -1 : REAL(pwrite64)(fd, data, size, at); }
int fsync(int fd) { return fails(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails(fd) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t size) { return fails(fd) ? -1 : REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return fails(fd) ? -1 : REAL(ftruncate64)(fd, size); }
int rename(const char *from, const char *to) { return fails(-1) ? -1 : REAL(rename)(from, to); }
