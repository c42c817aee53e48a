/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"
#include "trace/trace_reader.h"

/* Bad input, at the record that was read last. */

static void report(const struct trace *trace, unsigned column, const char *format,
                   va_list arguments)
{
    char message[256];
    struct place place = {trace->name, 0, 0};
    vsnprintf(message, sizeof message, format, arguments);
    if (trace->cbor) {
        diag(&place, NULL, "offset %" PRIu64 ": %s", cbor_offset(trace->cbor), message);
        return;
    }
    place.line = lines_number(trace->lines);
    place.column = column;
    /* A line of the file does not end with a NUL, and the last one with nothing at all. */
    char *text = trace->text ? strndup(trace->text, trace->length) : NULL;
    diag(&place, text, "%s", message);
    free(text);
}

void trace_diag(const struct trace *trace, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(trace, 1, format, arguments);
    va_end(arguments);
}

bool trace_refuse(struct trace *trace, const struct node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(trace, node && node->column > 0 ? node->column : 1, format, arguments);
    va_end(arguments);
    trace->failed = true;
    return false;
}
