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

static void write_effect(const struct trace_effect *effect, FILE *out)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    fprintf(out, "{\"t\":\"%s\",\"g\":%" PRIu64, trace_effect_name(effect->kind), effect->g);
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

static void write_cause(const struct trace_line *line, FILE *out)
{
    if (line->kind == TRACE_KIND_host_hvc) {
        fputs(",\"hvc\":{\"name\":", out);
        write_text(line->hvc, out);
        fprintf(out, ",\"num\":%" PRIu64 ",\"args\":", line->hvc_number);
        write_list(&line->hvc_args, out);
        fputc('}', out);
    } else if (line->kind == TRACE_KIND_guest_exit) {
        fprintf(out, ",\"exit_code\":%" PRIu64, line->exit_code);
        if (line->ec) {
            fputs(",\"ec\":", out);
            write_text(line->ec, out);
        }
    }
}

void trace_write(const struct trace_line *line, FILE *out)
{
    fprintf(out, "{\"seq\":%" PRIu64 ",\"cpu\":%" PRIu64 ",\"kind\":\"%s\"", line->seq, line->cpu,
            trace_kind_name(line->kind));
    write_cause(line, out);
    fprintf(out, ",\"g0\":%" PRIu64 ",\"in\":", line->g0);
    write_registers(&line->in, out);
    fputs(",\"fx\":[", out);
    for (size_t i = 0; i < line->nfx; i++) {
        fputs(i > 0 ? "," : "", out);
        write_effect(&line->fx[i], out);
    }
    fputc(']', out);
    if (line->unfinished) {
        fputs(",\"unfinished\":true}\n", out);
        return;
    }
    fprintf(out, ",\"g1\":%" PRIu64 ",\"to\":\"%s\",\"out\":", line->g1, end_names[line->to]);
    write_registers(&line->out, out);
    fputs("}\n", out);
}
