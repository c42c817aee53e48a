/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TEXT_STREAM_H
#define SIM_TEXT_STREAM_H

#include <stddef.h>
#include <stdio.h>

/* A text, or bytes, that is made in memory by printing. */
struct text_stream {
    FILE *out;
    char *text; /* behind the end: terminated, to be freed */
    size_t length;
};

/* Returns the stream. Without memory the program ends with status 2, here or at the end. */
FILE *text_stream_begin(struct text_stream *stream);
void text_stream_end(struct text_stream *stream);
/* Forget the text, ended or not. */
void text_stream_free(struct text_stream *stream);

#endif
