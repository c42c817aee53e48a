/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/lines.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/diag.h"

enum { READ_SIZE = 1 << 17, FIRST_BUFFER = 1 << 18 };
static const size_t longest_line = (size_t)1 << 28;

/*
 * `text[start..end)` is what has been read and not yet returned; `raw` holds compressed bytes that
 * have not yet been expanded.
 */
struct lines {
    const char *path;
    FILE *file;
    ZSTD_DStream *zstd; /* NULL: plain */
    char *raw;
    ZSTD_inBuffer input;
    bool inside_frame;
    char *text;
    size_t start;
    size_t end;
    size_t searched; /* no newline before this */
    size_t size;
    unsigned number;
    bool at_end;
    bool failed;
    uint64_t read_bytes;
    uint64_t file_bytes;
};

static void fail(struct lines *lines, const char *what, const char *why)
{
    const struct place place = {lines->path, lines->number > 0 ? lines->number + 1 : 0, 0};
    diag(&place, NULL, why ? "%s: %s" : "%s", what, why);
    lines->failed = true;
    lines->at_end = true;
}

static size_t read_raw(struct lines *lines)
{
    size_t n = fread(lines->raw, 1, READ_SIZE, lines->file);
    if (n == 0 && ferror(lines->file))
        fail(lines, "cannot read", strerror(errno));
    lines->read_bytes += n;
    lines->input = (ZSTD_inBuffer){lines->raw, n, 0};
    return n;
}

static bool looks_compressed(const struct lines *lines)
{
    static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    return lines->input.size >= sizeof magic && memcmp(lines->raw, magic, sizeof magic) == 0;
}

static bool begin_reading(struct lines *lines)
{
    lines->raw = malloc(READ_SIZE);
    lines->text = calloc(FIRST_BUFFER, 1);
    if (!lines->raw || !lines->text) {
        fail(lines, "out of memory", NULL);
        return false;
    }
    lines->size = FIRST_BUFFER;
    read_raw(lines);
    if (lines->failed || !looks_compressed(lines))
        return !lines->failed;
    lines->zstd = ZSTD_createDStream();
    if (!lines->zstd)
        fail(lines, "out of memory", NULL);
    return !lines->failed;
}

struct lines *lines_open(const char *path)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines) {
        diag_plain("out of memory");
        return NULL;
    }
    bool is_standard_input = strcmp(path, "-") == 0;
    lines->path = is_standard_input ? "<stdin>" : path;
    lines->file = is_standard_input ? stdin : fopen(path, "rb");
    struct stat status;
    if (!lines->file) {
        fail(lines, "cannot open", strerror(errno));
    } else if (fstat(fileno(lines->file), &status) == 0) {
        if (S_ISDIR(status.st_mode))
            fail(lines, "is a directory", NULL);
        else if (S_ISREG(status.st_mode) && status.st_size > 0)
            lines->file_bytes = (uint64_t)status.st_size;
    }
    if (!lines->failed && begin_reading(lines))
        return lines;
    lines_close(lines);
    return NULL;
}

void lines_close(struct lines *lines)
{
    if (!lines)
        return;
    if (lines->file && lines->file != stdin)
        fclose(lines->file);
    ZSTD_freeDStream(lines->zstd);
    free(lines->raw);
    free(lines->text);
    free(lines);
}

/* Room for READ_SIZE more bytes and the padding: by moving to the front, then by growing. */
static bool make_room(struct lines *lines, size_t padding)
{
    if (lines->start > 0) {
        memmove(lines->text, lines->text + lines->start, lines->end - lines->start);
        lines->searched -= lines->start;
        lines->end -= lines->start;
        lines->start = 0;
    }
    size_t need = lines->end + READ_SIZE + padding;
    if (need <= lines->size)
        return true;
    if (lines->end > longest_line) {
        fail(lines, "a line of more than 256 MiB", NULL);
        return false;
    }
    size_t size = lines->size * 2 > need ? lines->size * 2 : need;
    char *text = realloc(lines->text, size);
    if (!text) {
        fail(lines, "out of memory", NULL);
        return false;
    }
    memset(text + lines->size, 0, size - lines->size);
    lines->text = text;
    lines->size = size;
    return true;
}

static void expand(struct lines *lines)
{
    ZSTD_outBuffer output = {lines->text + lines->end, READ_SIZE, 0};
    size_t result = ZSTD_decompressStream(lines->zstd, &output, &lines->input);
    if (ZSTD_isError(result)) {
        fail(lines, "corrupt zstd data", ZSTD_getErrorName(result));
        return;
    }
    lines->inside_frame = result != 0;
    lines->end += output.pos;
}

static void fill(struct lines *lines, size_t padding)
{
    if (!make_room(lines, padding))
        return;
    if (lines->input.pos == lines->input.size && read_raw(lines) == 0 && !lines->failed) {
        size_t before = lines->end;
        if (lines->zstd && lines->inside_frame)
            expand(lines); /* what the decoder still holds */
        if (lines->end > before || lines->failed)
            return;
        if (lines->zstd && lines->inside_frame)
            fail(lines, "truncated zstd data", NULL);
        lines->at_end = true;
        return;
    }
    if (lines->failed)
        return;
    if (lines->zstd) {
        expand(lines);
        return;
    }
    size_t n = lines->input.size - lines->input.pos;
    memcpy(lines->text + lines->end, lines->raw + lines->input.pos, n);
    lines->input.pos = lines->input.size;
    lines->end += n;
}

/* Take text[start..newline) as the line and continue behind it. */
static const char *take(struct lines *lines, size_t newline, size_t next, size_t *length)
{
    const char *line = lines->text + lines->start;
    *length = newline - lines->start;
    lines->start = next;
    lines->searched = next;
    lines->number++;
    return line;
}

const char *lines_next(struct lines *lines, size_t *length, size_t padding)
{
    if (lines->end + padding > lines->size && !make_room(lines, padding))
        return NULL;
    for (;;) {
        const char *newline =
            memchr(lines->text + lines->searched, '\n', lines->end - lines->searched);
        if (newline) {
            size_t at = (size_t)(newline - lines->text);
            return take(lines, at, at + 1, length);
        }
        lines->searched = lines->end;
        if (lines->at_end) {
            if (lines->failed || lines->start == lines->end)
                return NULL;
            return take(lines, lines->end, lines->end, length);
        }
        fill(lines, padding);
    }
}

unsigned lines_number(const struct lines *lines)
{
    return lines->number;
}

bool lines_failed(const struct lines *lines)
{
    return lines->failed;
}

double lines_progress(const struct lines *lines)
{
    if (lines->file_bytes == 0)
        return 0;
    uint64_t waiting = lines->zstd
                           ? lines->input.size - lines->input.pos
                           : lines->input.size - lines->input.pos + lines->end - lines->start;
    uint64_t done = lines->read_bytes > waiting ? lines->read_bytes - waiting : 0;
    return (double)done / (double)lines->file_bytes;
}
