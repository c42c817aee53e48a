/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"

enum { SOURCE_COLUMNS = 100, LONGEST_WORD = 64 };

static bool is_hushed;
static FILE *collected; /* messages go there; NULL: to standard error */

void diag_collect(FILE *file)
{
    collected = file;
}

static FILE *messages(void)
{
    return collected ? collected : stderr;
}

void diag_hush(bool hush)
{
    is_hushed = hush;
}

/* The part of the line around the column, one line of a terminal, and a caret below the column. */
static void show_source(const char *source, unsigned column)
{
    size_t length = strcspn(source, "\r\n");
    size_t at = column > 0 ? column - 1 : 0;
    if (at > length)
        at = length;
    size_t start = at > SOURCE_COLUMNS * 3 / 4 ? at - SOURCE_COLUMNS / 2 : 0;
    for (int i = 0; i < 3 && start > 0 && ((unsigned char)source[start] & 0xc0) == 0x80; i++)
        start++; /* not into a character */
    size_t shown = length - start < SOURCE_COLUMNS ? length - start : SOURCE_COLUMNS;
    fputs("    ", messages());
    print_shown(messages(), source + start, shown);
    if (column > 0)
        fprintf(messages(), "\n    %*s^", (int)shown_columns(source + start, at - start), "");
    fputc('\n', messages());
}

/* Messages come after what was printed, in place of a line of progress. */
static void begin_message(void)
{
    if (!collected)
        fflush(stdout);
    if (!collected && isatty(STDERR_FILENO))
        fputs("\r\033[K", messages());
}

/* A message may quote what a file says, or be about a file of an odd name. */
static void show_message(const char *format, va_list arguments)
{
    char *message = NULL;
    const int length = vasprintf(&message, format, arguments);
    if (length >= 0)
        print_shown(messages(), message, (size_t)length);
    fputc('\n', messages());
    free(message);
}

void diag(const struct place *place, const char *source, const char *format, ...)
{
    if (is_hushed)
        return;
    begin_message();
    print_shown(messages(), place->file, strlen(place->file));
    fputc(':', messages());
    if (place->line > 0)
        fprintf(messages(), "%u:", place->line);
    if (place->line > 0 && place->column > 0)
        fprintf(messages(), "%u:", place->column);
    fputc(' ', messages());
    va_list arguments;
    va_start(arguments, format);
    show_message(format, arguments);
    va_end(arguments);
    if (source)
        show_source(source, place->column);
}

void diag_plain(const char *format, ...)
{
    if (is_hushed)
        return;
    begin_message();
    if (!collected)
        fputs("fhsim: ", stderr);
    va_list arguments;
    va_start(arguments, format);
    show_message(format, arguments);
    va_end(arguments);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Edits from one word to the other: a letter put in, left out, changed, or swapped with the next.
 * The words are no longer than LONGEST_WORD.
 */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t rows[3][LONGEST_WORD + 1]; /* of the table's row i, at i % 3 */
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1);
            row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

const char *nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    if (length == 0 || length > LONGEST_WORD)
        return NULL;
    /* A third of the word may be wrong. */
    size_t best_distance = length / 3 + 2;
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > LONGEST_WORD)
            continue;
        size_t d = distance(word, length, candidates[i], candidate_length);
        if (d < best_distance && d < candidate_length) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}

bool may_colour(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    if (no_color && *no_color)
        return false;
    const char *term = getenv("TERM");
    return isatty(fileno(stream)) && !(term && strcmp(term, "dumb") == 0);
}

void no_memory(void)
{
    diag_plain("out of memory");
    exit(EXIT_BAD_INPUT);
}
