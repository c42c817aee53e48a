/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/live.h"

struct lines {
    struct bytes *bytes;
    size_t to_take; /* the line last returned and its newline */
    unsigned number;
    bool has_newline;
    bool failed;
};

struct lines *lines_open(const char *path)
{
    struct bytes *bytes = bytes_open(path, false);
    return bytes ? lines_of(bytes) : NULL;
}

struct lines *lines_of(struct bytes *bytes)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines) {
        diag_plain("out of memory");
        bytes_close(bytes);
        return NULL;
    }
    lines->bytes = bytes;
    return lines;
}

void lines_close(struct lines *lines)
{
    if (!lines)
        return;
    bytes_close(lines->bytes);
    free(lines);
}

static const char *end(struct lines *lines)
{
    const char *error = bytes_error(lines->bytes);
    const struct place place = {bytes_name(lines->bytes), lines->number > 0 ? lines->number + 1 : 0,
                                0};
    if (error && !lines->failed)
        diag(&place, NULL, "%s", error);
    lines->failed = error;
    return NULL;
}

const char *lines_next(struct lines *lines, size_t *length, size_t padding)
{
    (void)padding; /* every window has more */
    size_t have;
    size_t searched = 0; /* no newline before this */
    bytes_take(lines->bytes, lines->to_take);
    lines->to_take = 0;
    for (;;) {
        const char *text = bytes_window(lines->bytes, searched + 1, &have);
        if (have == 0 || (have == searched && bytes_error(lines->bytes)))
            return end(lines);
        const char *newline = memchr(text + searched, '\n', have - searched);
        if (!newline && have == searched && live_is_over())
            return end(lines);
        if (newline || have == searched) {
            *length = newline ? (size_t)(newline - text) : have;
            lines->has_newline = newline;
            lines->to_take = *length + lines->has_newline;
            lines->number++;
            return text;
        }
        searched = have;
    }
}

unsigned lines_number(const struct lines *lines)
{
    return lines->number;
}

bool lines_has_newline(const struct lines *lines)
{
    return lines->has_newline;
}

bool lines_failed(const struct lines *lines)
{
    return lines->failed;
}

double lines_progress(const struct lines *lines)
{
    return bytes_progress(lines->bytes);
}
