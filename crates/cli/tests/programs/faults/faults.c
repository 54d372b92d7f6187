/* Faults of the operating system, put between a program and its C library by LD_PRELOAD. FAULT names one:
   short        reads give a third of what is asked for
   interrupted  every other read is interrupted
   read         reads fail (EIO) after FAULT_AFTER of them
   write        writes to files fail (ENOSPC) after FAULT_AFTER of them */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long reads, writes;

static int is(const char *fault) {
    const char *mode = getenv("FAULT");
    return mode && strcmp(mode, fault) == 0;
}

static long after(void) {
    const char *count = getenv("FAULT_AFTER");
    return count ? atol(count) : 0;
}

/* The number of bytes to read, or 0 for a failure. */
static size_t judged(size_t count) {
    long before = atomic_fetch_add(&reads, 1);
    if (is("read") && before >= after()) {
        errno = EIO;
        return 0;
    }
    if (is("interrupted") && before % 2 == 0) {
        errno = EINTR;
        return 0;
    }
    return is("short") && count > 2 ? count / 3 : count;
}

ssize_t pread64(int file, void *to, size_t count, off64_t at) {
    ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    size_t some = judged(count);
    return some || !count ? real(file, to, some, at) : -1;
}

ssize_t write(int file, const void *from, size_t count) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (file > 2 && is("write") && atomic_fetch_add(&writes, 1) >= after()) {
        errno = ENOSPC;
        return -1;
    }
    return real(file, from, count);
}
