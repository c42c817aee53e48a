/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/source.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static bool cannot_read(struct source *source, const char *why)
{
    snprintf(source->error, sizeof source->error, "%s", why);
    if (!source->quiet)
        diag_plain("%s: %s", source->name, source->error);
    return false;
}

/* The file's text, which may be compressed; up to one byte more than `limit`. */
static bool take_text(struct source *source, struct bytes *bytes, size_t limit)
{
    size_t have;
    const char *text = bytes_window(bytes, limit + 1, &have);
    if (bytes_error(bytes))
        return cannot_read(source, bytes_error(bytes));
    source->length = have;
    source->text = malloc(have + 1);
    if (!source->text)
        return cannot_read(source, "out of memory");
    memcpy(source->text, text, have);
    source->text[have] = 0;
    return true;
}

bool source_read(struct source *source, const char *path, size_t limit)
{
    memset(source, 0, sizeof *source);
    source->name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    char why[160];
    struct bytes *bytes = bytes_try(path, why, sizeof why);
    if (!bytes)
        return cannot_read(source, why);
    bool read = take_text(source, bytes, limit);
    bytes_close(bytes);
    if (read && source->length > limit)
        read = source_error(source, 0, 0, "the file is larger than %zu KiB", limit >> 10);
    return read;
}

void source_free(struct source *source)
{
    free(source->text);
    source->text = NULL;
}

/* A copy of a line's text; NULL if there is no such line, or no memory. */
static char *line_text(const struct source *source, unsigned line)
{
    const char *start = source->text;
    for (unsigned i = 1; start && i < line; i++) {
        start = strchr(start, '\n');
        if (start)
            start++;
    }
    if (!start || line == 0)
        return NULL;
    size_t length = strcspn(start, "\r\n");
    char *copy = malloc(length + 1);
    if (copy) {
        memcpy(copy, start, length);
        copy[length] = 0;
    }
    return copy;
}

/* The byte at which the character at `column` of a line stands, both counted from 1. */
static unsigned byte_column(const char *text, unsigned column)
{
    size_t at = 0;
    for (unsigned i = 1; text && i < column && text[at]; i++) {
        at++;
        while (((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
    }
    return (unsigned)at + 1;
}

bool source_error(struct source *source, unsigned line, unsigned column, const char *format, ...)
{
    char message[sizeof source->error - 32];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    char *text = line_text(source, line);
    const unsigned byte = text ? byte_column(text, column) : column;
    if (line > 0)
        snprintf(source->error, sizeof source->error, "%u:%u: %s", line, byte, message);
    else
        snprintf(source->error, sizeof source->error, "%s", message);
    if (!source->quiet)
        diag(&(struct place){source->name, line, byte}, text, "%s", message);
    free(text);
    return false;
}
