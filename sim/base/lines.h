/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LINES_H
#define SIM_LINES_H

#include "base/bytes.h"

/* Lines of a file, plain or zstd-compressed. Streams: memory follows the longest line. */
struct lines;

/* NULL, with a message on standard error, if the file cannot be opened. */
struct lines *lines_open(const char *path);

/* The lines of what is open already, and is now theirs. */
struct lines *lines_of(struct bytes *bytes);
void lines_close(struct lines *lines);

/*
 * The next line without its newline; NULL at the end or on an error. `padding` bytes behind it, up
 * to BYTES_PADDING, are readable. Valid until the next call.
 */
const char *lines_next(struct lines *lines, size_t *length, size_t padding);

/* Does a newline end the line last returned? The last one of a file may lack it. */
bool lines_has_newline(const struct lines *lines);

/* Number of the line last returned, from 1. */
unsigned lines_number(const struct lines *lines);

/* Did reading end with an error (already reported): truncated or corrupt data, an I/O error? */
bool lines_failed(const struct lines *lines);

/* How much of the file has been read, 0 to 1, for progress; 0 if the size is unknown. */
double lines_progress(const struct lines *lines);

#endif
