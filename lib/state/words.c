/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/words.h>

#include <faulthandler/events.h>
#include <faulthandler/state.h>

#include "base/text.h"

enum { HEX_FROM = 4096, PATH_TEXT = 192 };

/* Small numbers are counts and indices, large ones are addresses. */
static void put_number(struct text *text, uint64_t value)
{
    if (value >= HEX_FROM)
        text_put(text, "0x");
    text_put_digits(text, value, value < HEX_FROM ? 10 : 16);
}

static void put_signed(struct text *text, int64_t value)
{
    if (value < 0)
        text_put_char(text, '-');
    put_number(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_tuple(struct text *text, const struct fh_type *type, const void *place)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        text_put(text, i > 0 ? ", " : "[");
        put_number(text, fh_tuple_get(type, place, i));
    }
    text_put_char(text, ']');
}

static void put_log(struct text *text, const struct fh_log *log)
{
    text_put_digits(text, log->length, 10);
    text_put(text, log->length == 1 ? " event" : " events");
    if (!log->newest)
        return;
    text_put(text, ", the last ");
    text_put(text, fh_event_name((enum fh_event_kind)log->newest->kind));
    text_put(text, " of CPU ");
    text_put_digits(text, log->newest->cpu, 10);
}

static void put_value(struct text *text, const struct fh_type *type, const void *place);

static void put_fields(struct text *text, const struct fh_type *type, const void *record)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        const struct fh_field *field = &type->fields[i];
        text_put(text, i > 0 ? ", " : "{");
        text_put(text, field->name);
        text_put(text, ": ");
        put_value(text, field->type, (const char *)record + field->offset);
    }
    text_put_char(text, '}');
}

static void put_value(struct text *text, const struct fh_type *type, const void *place)
{
    switch (type->kind) {
    case FH_KIND_BOOL: text_put(text, *(const bool *)place ? "true" : "false"); break;
    case FH_KIND_I64: put_signed(text, *(const int64_t *)place); break;
    case FH_KIND_ENUM: text_put(text, type->names[fh_scalar_get(type, place)]); break;
    case FH_KIND_TUPLE: put_tuple(text, type, place); break;
    case FH_KIND_RECORD: put_fields(text, type, place); break;
    case FH_KIND_REF: put_fields(text, type, fh_ref_record(type, place)); break;
    case FH_KIND_LOG: put_log(text, place); break;
    case FH_KIND_MAP:
        text_put(text, "a map of ");
        text_put_digits(text, fh_map_count(place), 10);
        text_put(text, " entries");
        break;
    default: put_number(text, fh_scalar_get(type, place)); break;
    }
}

size_t fh_value_format(const struct fh_type *type, const void *place, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    put_value(&text, type, place);
    return text_end(&text);
}

static void put_change(struct text *text, const struct fh_change *change)
{
    char path[PATH_TEXT];
    fh_path_format(change->path, path, sizeof path);
    text_put(text, path);
    text_put(text, ": ");
    put_value(text, change->type, change->before);
    text_put(text, " -> ");
    put_value(text, change->type, change->after);
}

size_t fh_change_format(const struct fh_change *change, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    put_change(&text, change);
    return text_end(&text);
}

struct all {
    struct text text;
    bool with_logs;
};

/* The fields of RData that only say how many events and answers there were. */
static bool is_log(const char *field)
{
    static const char *const names[] = {"log", "slog", "data_log", "core_data_log"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_is_same(field, names[i]))
            return true;
    }
    return false;
}

static bool put_line(void *context, const struct fh_change *change)
{
    struct all *all = context;
    if (!all->with_logs && is_log(change->path->steps[0].field))
        return true;
    put_change(&all->text, change);
    text_put_char(&all->text, '\n');
    return true;
}

size_t fh_delta_format(const struct fh_rdata *before, const struct fh_rdata *after, bool with_logs,
                       char *buffer, size_t size)
{
    struct all all = {{buffer, size, 0}, with_logs};
    fh_delta(before, after, put_line, &all);
    return text_end(&all.text);
}

/* The n-th of comma-separated names. */
static void put_name(struct text *text, const char *names, unsigned n)
{
    for (; n > 0 && *names; names++)
        n -= *names == ',';
    for (; *names && *names != ','; names++)
        text_put_char(text, *names);
}

size_t fh_effect_format(const struct fh_effect *effect, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    const char *names = fh_effect_value_names(effect->kind);
    const bool is_call = effect->kind == FH_EFFECT_CALL || effect->kind == FH_EFFECT_RETURN;
    text_put(&text, fh_effect_name(effect->kind));
    for (unsigned i = 0; i < fh_effect_nvalues(effect->kind); i++) {
        text_put_char(&text, ' ');
        put_name(&text, names, i);
        text_put_char(&text, '=');
        if (is_call && i == 0)
            text_put(&text, fh_called_name(effect->values[i]));
        else if (effect->kind == FH_EFFECT_VM_SET && i == 1)
            text_put(&text, fh_vm_field_name(effect->values[i]));
        else
            put_number(&text, effect->values[i]);
    }
    return text_end(&text);
}
