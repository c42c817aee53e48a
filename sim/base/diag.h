/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_DIAG_H
#define SIM_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit statuses of fhsim. */
enum exit_status { EXIT_EXPECTED = 0, EXIT_DIFFERENT = 1, EXIT_BAD_INPUT = 2 };

/* A place in an input file. Lines and columns, in bytes, count from 1; 0 where there is none. */
struct place {
    const char *file;
    unsigned line;
    unsigned column;
};

/*
 * Report bad input on standard error: "file:line:column: message". `source` is the text of the
 * line, shown below with a caret, or NULL.
 */
__attribute__((format(printf, 3, 4))) void diag(const struct place *place, const char *source,
                                                const char *format, ...);

/* "fhsim: message", for what has no place in a file. */
__attribute__((format(printf, 1, 2))) void diag_plain(const char *format, ...);

/* Say nothing until it is taken back: of work that is tried and may fail. */
void diag_hush(bool hush);

/* Write messages there, those without a place without the program's name; NULL: to standard error.
 */
void diag_collect(FILE *file);

/* There is no memory: says so, and ends the program with status 2. */
__attribute__((noreturn)) void no_memory(void);

/* The candidate nearest to `word` by edit distance, if it is near enough to be meant; else NULL. */
const char *nearest(const char *word, const char *const *candidates, size_t count);

/* May text for this stream be coloured? A terminal, and NO_COLOR not set. */
bool may_colour(FILE *stream);

#endif
