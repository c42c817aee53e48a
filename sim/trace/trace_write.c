/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_write.h"

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

/* INVALID is -1, whichever width it has. */
static void write_number(struct json_out *json, const char *key, uint64_t number)
{
    if (number == UINT32_MAX || number == UINT64_MAX)
        json_signed(json, key, -1);
    else
        json_number(json, key, number);
}

static void write_list(struct json_out *json, const char *key, const struct trace_list *list)
{
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++)
        json_hex(json, NULL, list->values[i]);
    json_close_array(json);
}

/* Of page ownership, gfn is a word and the other fields are numbers. */
static bool is_word(const struct trace_effect *effect)
{
    return effect->kind == TRACE_s2_set && strcmp(effect->s2_set.field, "gfn") == 0;
}

static void write_field(struct json_out *json, const struct trace_effect *effect,
                        const struct trace_field *field)
{
    switch (field->format) {
    case TRACE_hex: json_hex(json, field->key, trace_field_word(effect, field)); break;
    case TRACE_number: write_number(json, field->key, trace_field_word(effect, field)); break;
    case TRACE_either:
        (is_word(effect) ? json_hex : write_number)(json, field->key,
                                                    trace_field_word(effect, field));
        break;
    case TRACE_text: json_text(json, field->key, trace_field_text(effect, field)); break;
    case TRACE_list: write_list(json, field->key, trace_field_list(effect, field)); break;
    }
}

static void write_effect(struct json_out *json, const struct trace_effect *effect, bool has_number)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    json_open_object(json, NULL);
    json_text(json, "t", trace_effect_name(effect->kind));
    if (has_number)
        json_number(json, "g", effect->g);
    for (unsigned i = 0; i < count; i++) {
        if (effect->present >> i & 1)
            write_field(json, effect, &fields[i]);
    }
    json_close_object(json);
}

/* All of them are a list, some an object from their numbers. */
static void write_x(struct json_out *json, const struct trace_registers *registers)
{
    const bool has_all = registers->x_present == (1u << TRACE_GPRS) - 1;
    if (registers->x_present == 0)
        return;
    (has_all ? json_open_array : json_open_object)(json, "x");
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        char number[12];
        snprintf(number, sizeof number, "%u", i);
        if (registers->x_present >> i & 1)
            json_hex(json, has_all ? NULL : number, registers->x[i]);
    }
    (has_all ? json_close_array : json_close_object)(json);
}

static void write_registers(struct json_out *json, const char *key,
                            const struct trace_registers *registers)
{
    json_open_object(json, key);
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (registers->present >> i & 1)
            (register_formats[i] == TRACE_hex ? json_hex : write_number)(
                json, trace_register_name((enum trace_register)i), registers->values[i]);
    }
    write_x(json, registers);
    json_close_object(json);
}

static void write_part(struct json_out *json, const struct trace_line *line, enum trace_part part,
                       const char *key, uint64_t number)
{
    if (line->has & part)
        json_number(json, key, number);
}

static void write_text(struct json_out *json, const char *key, const char *text)
{
    if (text)
        json_text(json, key, text);
}

static void write_cause(struct json_out *json, const struct trace_line *line)
{
    json_text(json, "kind", trace_kind_name(line->kind));
    write_text(json, "vector", line->vector);
    write_part(json, line, TRACE_HAS_TIME, "time", line->time);
    write_part(json, line, TRACE_HAS_TASK, "task", line->task);
    if (line->hvc) {
        json_open_object(json, "hvc");
        json_text(json, "name", line->hvc);
        json_number(json, "num", line->hvc_number);
        write_list(json, "args", &line->hvc_args);
        json_close_object(json);
    }
    write_part(json, line, TRACE_HAS_EXIT_CODE, "exit_code", line->exit_code);
    write_text(json, "ec", line->ec);
}

static void write_effects(struct json_out *json, const struct trace_line *line)
{
    if (!(line->has & TRACE_HAS_FX))
        return;
    json_open_array(json, "fx");
    for (size_t i = 0; i < line->nfx; i++)
        write_effect(json, &line->fx[i], line->has & TRACE_HAS_EVENTS);
    json_close_array(json);
}

static void write_end(struct json_out *json, const struct trace_line *line)
{
    if (line->unfinished) {
        json_bool(json, "unfinished", true);
        return;
    }
    write_part(json, line, TRACE_HAS_EVENTS, "g1", line->g1);
    if (line->has & TRACE_HAS_TO)
        json_text(json, "to", end_names[line->to]);
    if (line->has & TRACE_HAS_OUT)
        write_registers(json, "out", &line->out);
}

void trace_write_json(struct json_out *json, const char *key, const struct trace_line *line)
{
    json_open_object(json, key);
    json_number(json, "seq", line->seq);
    write_part(json, line, TRACE_HAS_CPU, "cpu", line->cpu);
    write_cause(json, line);
    write_part(json, line, TRACE_HAS_EVENTS, "g0", line->g0);
    if ((line->has & TRACE_HAS_IN) || line->in.present || line->in.x_present)
        write_registers(json, "in", &line->in);
    write_effects(json, line);
    write_end(json, line);
    json_close_object(json);
}

void trace_write(const struct trace_line *line, FILE *out)
{
    struct json_out json;
    json_out_begin_line(&json, out);
    trace_write_json(&json, NULL, line);
    json_out_end(&json);
}

void trace_write_origin(const struct trace_origin *origin, FILE *out)
{
    struct json_out json;
    json_out_begin_line(&json, out);
    json_open_object(&json, NULL);
    json_number(&json, "seq", 0);
    json_text(&json, "kind", "origin");
    json_text(&json, "format", origin->format);
    write_text(&json, "detail", origin->detail);
    json_close_object(&json);
    json_out_end(&json);
}
