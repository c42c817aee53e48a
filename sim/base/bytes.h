/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BYTES_H
#define SIM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of a file, plain or zstd-compressed (recognised by its first bytes), "-" for standard
 * input, through a window: what has been read and not yet taken. Memory follows what is asked for
 * at once. A mark of UTF-8 at the beginning (a "BOM") is left out.
 */
struct bytes;

/* Bytes behind a window that may be read too; they say nothing. */
enum { BYTES_PADDING = 128 };

/* NULL if the file cannot be opened, with a message on standard error unless `quiet`. */
struct bytes *bytes_open(const char *path, bool quiet);
/* The same, with the reason in `why`. */
struct bytes *bytes_try(const char *path, char *why, size_t size);
void bytes_close(struct bytes *bytes);

/*
 * Instead of closing standard input, which was looked at and of which nothing was taken: who opens
 * it next begins where this began.
 */
void bytes_park(struct bytes *bytes);

/* The file's name in messages. */
const char *bytes_name(const struct bytes *bytes);

/*
 * At least `want` bytes, fewer only at the end of the file or on an error; *have is their number.
 * Valid until the next call.
 */
const char *bytes_window(struct bytes *bytes, size_t want, size_t *have);

/* The window begins `count` bytes, which it must have, later. */
void bytes_take(struct bytes *bytes, size_t count);

/* Where the window begins, counted from the (expanded) file's first byte. */
uint64_t bytes_offset(const struct bytes *bytes);

/* Why nothing more can be read, for the caller to report; NULL if nothing is wrong. */
const char *bytes_error(const struct bytes *bytes);

/* How much of the file has been taken, 0 to 1, for progress; 0 if the size is unknown. */
double bytes_progress(const struct bytes *bytes);

#endif
