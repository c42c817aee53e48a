/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_JSON_OUT_H
#define SIM_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/node.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The writer of JSON: no other file of fhsim puts its brackets, commas and quotes. `key` names a
 * member of the object that is open; it is NULL for an element of an array, and for the whole. What
 * is written is well-formed whatever the texts are: bytes that are no UTF-8 become U+FFFD, and
 * control characters are escaped, also those that a terminal would obey (U+0080 to U+009F) and
 * those that change the direction of writing.
 */
enum { JSON_OUT_DEPTH = 32 };

struct json_out {
    FILE *file;
    unsigned rows;   /* items have a line of their own down to this depth, and share one below */
    bool is_spaced;  /* lines are indented, two blanks a level, and a blank is behind a key */
    bool is_in_page; /* for the inside of a script: no '<' */
    unsigned depth;
    bool has_member[JSON_OUT_DEPTH]; /* has the container at this depth something in it? */
};

/* For people: every item on a line of its own. */
void json_out_begin(struct json_out *out, FILE *file);
void json_out_begin_line(struct json_out *out, FILE *file);
/* For what is long: items on lines of their own down to a depth. */
void json_out_begin_rows(struct json_out *out, FILE *file, unsigned depth);

/* A newline behind the whole. Everything that was opened has been closed. */
void json_out_end(struct json_out *out);

void json_open_object(struct json_out *out, const char *key);
void json_close_object(struct json_out *out);
void json_open_array(struct json_out *out, const char *key);
void json_close_array(struct json_out *out);

/* NULL is null. */
void json_text(struct json_out *out, const char *key, const char *text);
void json_bytes(struct json_out *out, const char *key, const char *text, size_t length);
__attribute__((format(printf, 3, 4))) void json_format(struct json_out *out, const char *key,
                                                       const char *format, ...);
void json_number(struct json_out *out, const char *key, uint64_t value);
void json_signed(struct json_out *out, const char *key, int64_t value);
void json_real(struct json_out *out, const char *key, double value, int decimals);
void json_bool(struct json_out *out, const char *key, bool value);
void json_null(struct json_out *out, const char *key);

/* A number as the text "0x1f", for words of 64 bits: many readers have 53. */
void json_hex(struct json_out *out, const char *key, uint64_t value);

/* A text that stands for bytes, in base64. */
void json_base64(struct json_out *out, const char *key, const void *bytes, size_t length);

/* A tree that was read, in one line. */
void json_tree(struct json_out *out, const char *key, const struct node *tree);

/* A value that this writer wrote somewhere else. */
void json_insert(struct json_out *out, const char *key, const char *json, size_t length);

/* A text in quotes by itself: YAML has them too. */
void json_write_text(FILE *file, const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
