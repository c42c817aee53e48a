/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool cannot_read(struct source *source, const char *why)
{
    snprintf(source->error, sizeof source->error, "cannot read: %s", why);
    if (!source->quiet)
        diag_plain("%s: %s", source->name, source->error);
    return false;
}

/* All of a stream, up to one byte more than `limit`. */
static bool slurp(struct source *source, FILE *file, size_t limit)
{
    size_t size = 4096;
    source->text = malloc(size);
    while (source->text) {
        size_t room = size - 1 - source->length;
        size_t got = fread(source->text + source->length, 1, room, file);
        source->length += got;
        if (got < room || source->length > limit)
            break;
        size *= 2;
        char *larger = realloc(source->text, size);
        if (!larger)
            free(source->text);
        source->text = larger;
    }
    if (!source->text)
        return cannot_read(source, "out of memory");
    source->text[source->length] = 0;
    if (ferror(file))
        return cannot_read(source, strerror(errno));
    return true;
}

bool source_read(struct source *source, const char *path, size_t limit)
{
    bool is_stdin = strcmp(path, "-") == 0;
    memset(source, 0, sizeof *source);
    source->name = is_stdin ? "<stdin>" : path;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (!file)
        return cannot_read(source, strerror(errno));
    bool read = slurp(source, file, limit);
    if (!is_stdin)
        fclose(file);
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

/* A message may quote what the file says; a terminal shall not obey it. */
static void drop_controls(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = ' ';
    }
}

bool source_error(struct source *source, unsigned line, unsigned column, const char *format, ...)
{
    char message[sizeof source->error - 32];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    drop_controls(message);
    if (line > 0)
        snprintf(source->error, sizeof source->error, "%u:%u: %s", line, column, message);
    else
        snprintf(source->error, sizeof source->error, "%s", message);
    if (source->quiet)
        return false;
    char *text = line_text(source, line);
    diag(&(struct place){source->name, line, column}, text, "%s", message);
    free(text);
    return false;
}
