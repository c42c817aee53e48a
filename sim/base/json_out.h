/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_JSON_OUT_H
#define SIM_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A writer of JSON, two blanks a level, or all in one line. It puts commas and newlines where they
 * belong. `key` names a member of the object that is open; it is NULL for an element of an array,
 * and for the whole. What is written is well-formed whatever the texts are: bytes that are no UTF-8
 * become U+FFFD, and control characters are escaped, also those that a terminal would obey (U+0080
 * to U+009F).
 */
enum { JSON_OUT_DEPTH = 32 };

struct json_out {
    FILE *file;
    bool is_line; /* no blanks and no newlines */
    unsigned depth;
    bool has_member[JSON_OUT_DEPTH]; /* has the container at this depth something in it? */
};

void json_out_begin(struct json_out *out, FILE *file);
void json_out_begin_line(struct json_out *out, FILE *file);

/* A newline behind the whole. Everything that was opened has been closed. */
void json_out_end(struct json_out *out);

void json_open_object(struct json_out *out, const char *key);
void json_close_object(struct json_out *out);
void json_open_array(struct json_out *out, const char *key);
void json_close_array(struct json_out *out);

/* NULL is null. */
void json_text(struct json_out *out, const char *key, const char *text);
__attribute__((format(printf, 3, 4))) void json_format(struct json_out *out, const char *key,
                                                       const char *format, ...);
void json_number(struct json_out *out, const char *key, uint64_t value);
void json_signed(struct json_out *out, const char *key, int64_t value);
void json_bool(struct json_out *out, const char *key, bool value);
void json_null(struct json_out *out, const char *key);

/* A number as the text "0x1f", for words of 64 bits: many readers have 53. */
void json_hex(struct json_out *out, const char *key, uint64_t value);

/* A value that something else writes, which must be JSON: where to. */
FILE *json_value(struct json_out *out, const char *key);

/* A text in quotes, for who writes JSON without this writer. */
void json_write_text(FILE *file, const char *text, size_t length);

#endif
