/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static FILE *messages;

static void stop(const char *why)
{
    dprintf(STDERR_FILENO, "%s\n", why);
    abort();
}

void fuzz_be_quiet(void)
{
    if (messages)
        return;
    messages = fopen("/dev/null", "w");
    if (!messages)
        stop("no /dev/null");
    stderr = stdout = messages;
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[64];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        stop("no file in memory");
    return path;
}

void fuzz_fail(const char *file, int line, const char *condition)
{
    dprintf(STDERR_FILENO, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}
