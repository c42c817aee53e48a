/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_JSON_OUT_H
#define SIM_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A writer of JSON, two blanks a level. It puts commas and newlines where they belong. `key` names
 * a member of the object that is open; it is NULL for an element of an array, and for the whole.
 */
enum { JSON_OUT_DEPTH = 32 };

struct json_out {
    FILE *file;
    unsigned depth;
    bool has_member[JSON_OUT_DEPTH]; /* has the container at this depth something in it? */
};

void json_out_begin(struct json_out *out, FILE *file);

/* A newline behind the whole. Everything that was opened has been closed. */
void json_out_end(struct json_out *out);

void json_open_object(struct json_out *out, const char *key);
void json_close_object(struct json_out *out);
void json_open_array(struct json_out *out, const char *key);
void json_close_array(struct json_out *out);

void json_text(struct json_out *out, const char *key, const char *text);
void json_number(struct json_out *out, const char *key, uint64_t value);
void json_signed(struct json_out *out, const char *key, int64_t value);
void json_bool(struct json_out *out, const char *key, bool value);
void json_null(struct json_out *out, const char *key);

/* A number as the text "0x1f", for words of 64 bits: many readers have 53. */
void json_hex(struct json_out *out, const char *key, uint64_t value);

#endif
