/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_fields.h"

#include <inttypes.h>
#include <string.h>

#include "base/shown.h"

static void print_list(const struct trace_list *list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++)
        fprintf(out, "%s0x%" PRIx64, i > 0 ? " " : "", list->values[i]);
    fputc(']', out);
}

static void print_text(const char *text, FILE *out)
{
    print_shown(out, text, strlen(text));
}

void trace_print_field(const struct trace_effect *effect, const struct trace_field *field,
                       FILE *out)
{
    switch (field->format) {
    case TRACE_hex:
    case TRACE_either: fprintf(out, "0x%" PRIx64, trace_field_word(effect, field)); break;
    case TRACE_number: fprintf(out, "%" PRId64, (int64_t)trace_field_word(effect, field)); break;
    case TRACE_text: print_text(trace_field_text(effect, field), out); break;
    case TRACE_list: print_list(trace_field_list(effect, field), out); break;
    }
}

void trace_print_effect(const struct trace_effect *effect, FILE *out)
{
    const struct trace_effect_type *type = &trace_effect_types[effect->kind];
    fputs(type->name, out);
    for (unsigned i = 0; i < type->nfields; i++) {
        if (!(effect->present >> i & 1))
            continue;
        fprintf(out, " %s ", type->fields[i].key);
        trace_print_field(effect, &type->fields[i], out);
    }
}
