/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LINES_H
#define SIM_LINES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Lines of a file, plain or zstd-compressed (recognised by its first bytes), "-" for standard
 * input. Streams: memory follows the longest line.
 */
struct lines;

/* NULL, with a message on standard error, if the file cannot be opened. */
struct lines *lines_open(const char *path);
void lines_close(struct lines *lines);

/*
 * The next line without its newline; NULL at the end or on an error. `padding` bytes behind it are
 * readable. Valid until the next call.
 */
const char *lines_next(struct lines *lines, size_t *length, size_t padding);

/* Number of the line last returned, from 1. */
unsigned lines_number(const struct lines *lines);

/* Did reading end with an error (already reported): truncated or corrupt data, an I/O error? */
bool lines_failed(const struct lines *lines);

/* How much of the file has been read, 0 to 1, for progress; 0 if the size is unknown. */
double lines_progress(const struct lines *lines);

#endif
