/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_write.h"

#include <inttypes.h>
#include <string.h>

static const char *const end_names[] = {
#define NAME(end) #end,
    TRACE_END_MAP(NAME)
#undef NAME
};

static const enum trace_format register_formats[] = {
#define FORMAT(key, format) TRACE_##format,
    TRACE_REGISTER_MAP(FORMAT)
#undef FORMAT
};

static void write_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void write_hex(uint64_t word, FILE *out)
{
    fprintf(out, "\"0x%" PRIx64 "\"", word);
}

/* INVALID is -1, whichever width it has. */
static void write_number(uint64_t number, FILE *out)
{
    if (number == UINT32_MAX || number == UINT64_MAX)
        fputs("-1", out);
    else
        fprintf(out, "%" PRIu64, number);
}

static void write_list(const struct trace_list *list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i > 0 ? "," : "", out);
        write_hex(list->values[i], out);
    }
    fputc(']', out);
}

/* Of page ownership, gfn is a word and the other fields are numbers. */
static bool is_word(const struct trace_effect *effect)
{
    return effect->kind == TRACE_s2_set && strcmp(effect->s2_set.field, "gfn") == 0;
}

static void write_field(const struct trace_effect *effect, const struct trace_field *field,
                        FILE *out)
{
    switch (field->format) {
    case TRACE_hex: write_hex(trace_field_word(effect, field), out); break;
    case TRACE_number: write_number(trace_field_word(effect, field), out); break;
    case TRACE_either:
        (is_word(effect) ? write_hex : write_number)(trace_field_word(effect, field), out);
        break;
    case TRACE_text: write_text(trace_field_text(effect, field), out); break;
    case TRACE_list: write_list(trace_field_list(effect, field), out); break;
    }
}

static void write_effect(const struct trace_effect *effect, bool has_number, FILE *out)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    fprintf(out, "{\"t\":\"%s\"", trace_effect_name(effect->kind));
    if (has_number)
        fprintf(out, ",\"g\":%" PRIu64, effect->g);
    for (unsigned i = 0; i < count; i++) {
        if (!(effect->present >> i & 1))
            continue;
        fprintf(out, ",\"%s\":", fields[i].key);
        write_field(effect, &fields[i], out);
    }
    fputc('}', out);
}

static void write_x(const struct trace_registers *registers, const char *separator, FILE *out)
{
    const bool has_all = registers->x_present == (1u << TRACE_GPRS) - 1;
    if (registers->x_present == 0)
        return;
    fprintf(out, "%s\"x\":%c", separator, has_all ? '[' : '{');
    const char *comma = "";
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        if (!(registers->x_present >> i & 1))
            continue;
        fputs(comma, out);
        if (!has_all)
            fprintf(out, "\"%u\":", i);
        write_hex(registers->x[i], out);
        comma = ",";
    }
    fputc(has_all ? ']' : '}', out);
}

static void write_registers(const struct trace_registers *registers, FILE *out)
{
    const char *comma = "";
    fputc('{', out);
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (!(registers->present >> i & 1))
            continue;
        fprintf(out, "%s\"%s\":", comma, trace_register_name((enum trace_register)i));
        (register_formats[i] == TRACE_hex ? write_hex : write_number)(registers->values[i], out);
        comma = ",";
    }
    write_x(registers, comma, out);
    fputc('}', out);
}

static void write_key_text(const char *key, const char *text, FILE *out)
{
    if (!text)
        return;
    fprintf(out, ",\"%s\":", key);
    write_text(text, out);
}

static void write_part(const struct trace_line *line, enum trace_part part, const char *key,
                       uint64_t number, FILE *out)
{
    if (line->has & part)
        fprintf(out, ",\"%s\":%" PRIu64, key, number);
}

static void write_cause(const struct trace_line *line, FILE *out)
{
    fprintf(out, ",\"kind\":\"%s\"", trace_kind_name(line->kind));
    write_key_text("vector", line->vector, out);
    write_part(line, TRACE_HAS_TIME, "time", line->time, out);
    write_part(line, TRACE_HAS_TASK, "task", line->task, out);
    if (line->hvc) {
        fputs(",\"hvc\":{\"name\":", out);
        write_text(line->hvc, out);
        fprintf(out, ",\"num\":%" PRIu64 ",\"args\":", line->hvc_number);
        write_list(&line->hvc_args, out);
        fputc('}', out);
    }
    write_part(line, TRACE_HAS_EXIT_CODE, "exit_code", line->exit_code, out);
    write_key_text("ec", line->ec, out);
}

static void write_in(const struct trace_line *line, FILE *out)
{
    if (!(line->has & TRACE_HAS_IN) && !line->in.present && !line->in.x_present)
        return;
    fputs(",\"in\":", out);
    write_registers(&line->in, out);
}

static void write_effects(const struct trace_line *line, FILE *out)
{
    if (!(line->has & TRACE_HAS_FX))
        return;
    fputs(",\"fx\":[", out);
    for (size_t i = 0; i < line->nfx; i++) {
        fputs(i > 0 ? "," : "", out);
        write_effect(&line->fx[i], line->has & TRACE_HAS_EVENTS, out);
    }
    fputc(']', out);
}

static void write_end(const struct trace_line *line, FILE *out)
{
    if (line->unfinished) {
        fputs(",\"unfinished\":true", out);
        return;
    }
    write_part(line, TRACE_HAS_EVENTS, "g1", line->g1, out);
    if (line->has & TRACE_HAS_TO)
        fprintf(out, ",\"to\":\"%s\"", end_names[line->to]);
    if (line->has & TRACE_HAS_OUT) {
        fputs(",\"out\":", out);
        write_registers(&line->out, out);
    }
}

void trace_write(const struct trace_line *line, FILE *out)
{
    fprintf(out, "{\"seq\":%" PRIu64, line->seq);
    write_part(line, TRACE_HAS_CPU, "cpu", line->cpu, out);
    write_cause(line, out);
    write_part(line, TRACE_HAS_EVENTS, "g0", line->g0, out);
    write_in(line, out);
    write_effects(line, out);
    write_end(line, out);
    fputs("}\n", out);
}

void trace_write_origin(const struct trace_origin *origin, FILE *out)
{
    fputs("{\"seq\":0,\"kind\":\"origin\",\"format\":", out);
    write_text(origin->format, out);
    write_key_text("detail", origin->detail, out);
    fputs("}\n", out);
}
