/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_JSON_H
#define SIM_JSON_H

#include "base/node.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A reader of JSON texts, which keeps its buffers from one text to the next. */
struct json_reader;
struct json_reader *json_reader_new(void);
void json_reader_free(struct json_reader *reader);

/* Bytes that must be readable (not part of the text) behind a text given to json_parse. */
size_t json_padding(void);

/*
 * Parse one JSON value. Returns its tree in `arena`, or NULL and sets *error to a message that
 * lives until the next call and *offset to the byte where it went wrong. Nodes have line `line` and
 * columns counted within the text (1 for its first byte).
 */
struct node *json_parse(struct json_reader *reader, struct arena *arena, const char *text,
                        size_t length, unsigned line, const char **error, size_t *offset);

/* Is this valid UTF-8? Is it a number as JSON has them, fractions too? */
bool json_is_utf8(const char *text, size_t length);
bool json_is_number(const char *text, size_t length);

/* Fractions and exponents are numbers too, from now on: nodes with `wide` set. */
void json_keep_fractions(struct json_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
