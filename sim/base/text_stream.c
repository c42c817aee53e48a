/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/text_stream.h"

#include <stdlib.h>

#include "base/diag.h"

FILE *text_stream_begin(struct text_stream *stream)
{
    *stream = (struct text_stream){0};
    stream->out = open_memstream(&stream->text, &stream->length);
    if (!stream->out)
        no_memory();
    return stream->out;
}

void text_stream_end(struct text_stream *stream)
{
    if (fclose(stream->out) != 0)
        no_memory();
    stream->out = NULL;
}

void text_stream_free(struct text_stream *stream)
{
    if (stream->out)
        fclose(stream->out);
    free(stream->text);
    *stream = (struct text_stream){0};
}
