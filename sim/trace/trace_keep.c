/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_keep.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static bool is_text(const struct trace_effect *effect, const struct trace_field *field,
                    unsigned number)
{
    return field->format == TRACE_text && effect->present >> number & 1;
}

static size_t texts_size(const struct trace_line *line)
{
    size_t size = text_size(line->ec) + text_size(line->hvc) + text_size(line->vector);
    for (size_t i = 0; i < line->nfx; i++) {
        unsigned count;
        const struct trace_field *fields = trace_effect_fields(line->fx[i].kind, &count);
        for (unsigned j = 0; j < count; j++)
            size += is_text(&line->fx[i], &fields[j], j)
                        ? text_size(trace_field_text(&line->fx[i], &fields[j]))
                        : 0;
    }
    return size;
}

static const char *keep_text(const char *text, char **at)
{
    if (!text)
        return NULL;
    const size_t size = text_size(text);
    const char *kept = memcpy(*at, text, size);
    *at += size;
    return kept;
}

static void keep_texts(struct trace_effect *effect, char **at)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        const char **place = (void *)((char *)effect + fields[i].offset);
        if (is_text(effect, &fields[i], i))
            *place = keep_text(*place, at);
    }
}

/* One block: the record, its effects, their texts. */
struct trace_line *trace_keep(const struct trace_line *line)
{
    struct trace_line *kept =
        malloc(sizeof *kept + line->nfx * sizeof *line->fx + texts_size(line));
    if (!kept)
        no_memory();
    struct trace_effect *fx = (void *)(kept + 1);
    char *texts = (char *)(fx + line->nfx);
    *kept = *line;
    kept->fx = fx;
    if (line->nfx > 0)
        memcpy(fx, line->fx, line->nfx * sizeof *fx);
    kept->ec = keep_text(line->ec, &texts);
    kept->hvc = keep_text(line->hvc, &texts);
    kept->vector = keep_text(line->vector, &texts);
    for (size_t i = 0; i < line->nfx; i++)
        keep_texts(&fx[i], &texts);
    return kept;
}
