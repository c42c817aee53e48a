/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/output.h"

#include <errno.h>
#include <stdio_ext.h>
#include <string.h>

#include "base/diag.h"

/* Why a stream failed some time ago: the C library forgets the reason, so a byte is tried again. */
static int ask_again(FILE *stream)
{
    clearerr(stream);
    __fpurge(stream);
    const bool wrote = fputc('\n', stream) != EOF && fflush(stream) == 0;
    return wrote ? EIO : errno;
}

bool output_arrived(FILE *stream, const char *what)
{
    errno = 0;
    const bool had_failed = ferror(stream);
    if (fflush(stream) == 0 && !had_failed)
        return true;
    const int reason = had_failed ? ask_again(stream) : errno;
    diag_plain("cannot write %s: %s", what, strerror(reason));
    clearerr(stream);
    __fpurge(stream); /* or it would be tried again at the end */
    return false;
}
