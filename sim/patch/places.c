/* SPDX-License-Identifier: GPL-2.0-only */
#include "patch/patch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/numbers.h"
#include "base/text_stream.h"

enum { HEX_FROM = 64, CANDIDATES_MAX = 160, WORD_MAX = 64 };

/* --- Finding ---------------------------------------------------------------------------------- */

struct finder {
    const char *path;
    const char *rest; /* what is still to be read */
    const struct patch_numbers *numbers;
    struct patch_error *error;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct finder *finder, const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finder->error->message, sizeof finder->error->message, format, arguments);
    va_end(arguments);
    return false;
}

/* The next word of the path, up to a dot. */
static bool next_word(struct finder *finder, char word[WORD_MAX])
{
    size_t length = strcspn(finder->rest, ".");
    if (length == 0 || length >= WORD_MAX)
        return fail(finder, "a part of the path '%.100s' is empty or too long", finder->path);
    memcpy(word, finder->rest, length);
    word[length] = 0;
    finder->rest += length;
    if (*finder->rest == '.')
        finder->rest++;
    return true;
}

static bool find_field(struct finder *finder, struct patch_place *found, const char *word)
{
    const struct fh_type *type = found->type;
    const struct fh_field *field = fh_type_field(type, word, strlen(word));
    if (!field) {
        const char *names[CANDIDATES_MAX];
        size_t count = type->nfields < CANDIDATES_MAX ? type->nfields : CANDIDATES_MAX;
        for (size_t i = 0; i < count; i++)
            names[i] = type->fields[i].name;
        finder->error->suggestion = nearest(word, names, count);
        return fail(finder, "no field '%s' in %s", word, type->name);
    }
    const void *record =
        type->kind == FH_KIND_REF ? fh_ref_record(type, found->place) : found->place;
    found->type = field->type;
    found->place = (const char *)record + field->offset;
    return true;
}

static bool read_key(struct finder *finder, const char *word, uint64_t *key)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (; word[i] >= '0' && word[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(word[i] - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return fail(finder, "the key %s needs more than 64 bits", word);
        sum = sum * 10 + digit;
    }
    *key = sum;
    if (i > 0 && !word[i])
        return true;
    const struct patch_numbers *numbers = finder->numbers;
    if (numbers && numbers->parse && numbers->parse(numbers->context, word, strlen(word), key))
        return true;
    if (numbers && numbers->suggest)
        finder->error->suggestion = numbers->suggest(numbers->context, word, strlen(word));
    return fail(finder, "'%s' is no key: a number is needed there", word);
}

static bool find_entry(struct finder *finder, struct patch_place *found, char word[WORD_MAX])
{
    const struct fh_type *type = found->type;
    const struct fh_map_type *value = &type->value->as_value;
    uint64_t keys[FH_MAP_DEPTH_MAX] = {0}, key = 0;
    found->type = type->value;
    if (strcmp(word, "_") == 0) {
        found->place = fh_map_fallback(found->place, value);
        return true;
    }
    for (unsigned i = 0; i < type->depth; i++) {
        if (i > 0 && !*finder->rest)
            return fail(finder, "'%.100s' ends early: %u keys are needed", finder->path,
                        type->depth);
        if (i > 0 && !next_word(finder, word))
            return false;
        if (!read_key(finder, word, &keys[i]))
            return false;
    }
    if (!fh_map_pack_key(type, keys, &key))
        return fail(finder, "a key of '%.100s' is no index of its level", finder->path);
    found->place = fh_map_get(found->place, value, key);
    return true;
}

static bool find_component(struct finder *finder, struct patch_place *found, const char *word)
{
    const struct fh_type *type = found->type;
    for (unsigned i = 0; i < type->nfields; i++) {
        if (strcmp(word, type->names[i]) == 0) {
            found->component = (int)i;
            return true;
        }
    }
    finder->error->suggestion = nearest(word, type->names, type->nfields);
    return fail(finder, "no component '%s'", word);
}

/* The one number of a log that a path can name. */
static bool find_in_log(struct finder *finder, struct patch_place *found, const char *word)
{
    const struct fh_log *log = found->place;
    if (strcmp(word, "length") != 0)
        return fail(finder, "a log has a 'length', and no '%s'", word);
    found->type = FH_FIELD_TYPE(fh_rdata_type(), rdata, tstate);
    found->place = &log->length;
    return true;
}

bool patch_find(const struct fh_rdata *rdata, const char *path, const struct patch_numbers *numbers,
                struct patch_place *found, struct patch_error *error)
{
    struct finder finder = {path, path, numbers, error};
    memset(error, 0, sizeof *error);
    *found = (struct patch_place){fh_rdata_type(), rdata, -1};
    do {
        char word[WORD_MAX];
        bool is_good;
        if (!next_word(&finder, word))
            return false;
        switch (found->component >= 0 ? FH_KIND_BOOL : found->type->kind) {
        case FH_KIND_RECORD:
        case FH_KIND_REF: is_good = find_field(&finder, found, word); break;
        case FH_KIND_MAP: is_good = find_entry(&finder, found, word); break;
        case FH_KIND_TUPLE: is_good = find_component(&finder, found, word); break;
        case FH_KIND_LOG: is_good = find_in_log(&finder, found, word); break;
        default: is_good = fail(&finder, "nothing is below '%s': that is a value", word); break;
        }
        if (!is_good)
            return false;
    } while (*finder.rest);
    return true;
}

/* --- Printing --------------------------------------------------------------------------------- */

static void print_tuple(const struct fh_profile *k, const struct fh_type *type, const void *place,
                        FILE *out)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        fputs(i > 0 ? ", " : "[", out);
        number_print_as(k, type->names[i], fh_tuple_get(type, place, i), out);
    }
    fputc(']', out);
}

static void print_fields(const struct fh_profile *k, const struct fh_type *type, const void *record,
                         FILE *out)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        const struct fh_field *field = &type->fields[i];
        fprintf(out, "%s%s: ", i > 0 ? ", " : "{", field->name);
        value_print(k, field->name, field->type, (const char *)record + field->offset, out);
    }
    fputc('}', out);
}

static void print_log(const struct fh_log *log, FILE *out)
{
    fprintf(out, "%" PRIu64 " event%s", log->length, log->length == 1 ? "" : "s");
    if (log->newest) {
        fputs(", the last ", out);
        event_print(log->newest, out);
    }
}

void value_print(const struct fh_profile *k, const char *name, const struct fh_type *type,
                 const void *place, FILE *out)
{
    switch (type->kind) {
    case FH_KIND_BOOL: fputs(*(const bool *)place ? "true" : "false", out); break;
    case FH_KIND_I64: fprintf(out, "%" PRId64, *(const int64_t *)place); break;
    case FH_KIND_ENUM: fputs(type->names[fh_scalar_get(type, place)], out); break;
    case FH_KIND_TUPLE: print_tuple(k, type, place, out); break;
    case FH_KIND_RECORD: print_fields(k, type, place, out); break;
    case FH_KIND_REF: print_fields(k, type, fh_ref_record(type, place), out); break;
    case FH_KIND_MAP: fprintf(out, "a map of %" PRIu64 " entries", fh_map_count(place)); break;
    case FH_KIND_LOG: print_log(place, out); break;
    default: number_print_as(k, name ? name : "", fh_scalar_get(type, place), out); break;
    }
}

/* The field that a path ends in, or whose entry it is. */
static const char *last_field(const struct fh_path *path)
{
    const char *name = NULL;
    for (unsigned i = 0; i < path->length; i++)
        name = path->steps[i].field ? path->steps[i].field : name;
    return name;
}

void value_print_at(const struct fh_profile *k, const struct fh_path *path,
                    const struct fh_type *type, const void *place, FILE *out)
{
    value_print(k, last_field(path), type, place, out);
}

/* Maps whose keys are pages, or locks: what is under their names is what the keys are. */
static bool has_keys_of_its_kind(const char *field)
{
    static const char *const fields[] = {"s2page", "pt", "flatmem", "lock", "log"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i], field) == 0)
            return true;
    }
    return false;
}

void path_print(const struct fh_profile *k, const struct fh_path *path, FILE *out)
{
    const char *field = "";
    for (unsigned i = 0; i < path->length; i++) {
        const struct fh_step *step = &path->steps[i];
        if (i > 0)
            fputc('.', out);
        if (step->field)
            fputs(field = step->field, out);
        else if (step->is_fallback)
            fputc('_', out);
        for (unsigned j = 0; j < step->nkeys; j++) {
            fputs(j > 0 ? "." : "", out);
            if (has_keys_of_its_kind(field))
                number_print_as(k, field, step->keys[j], out);
            else
                fprintf(out, step->keys[j] < HEX_FROM ? "%" PRIu64 : "0x%" PRIx64, step->keys[j]);
        }
    }
}

void path_format(const struct fh_profile *k, const struct fh_path *path, char *text, size_t size)
{
    struct text_stream stream;
    path_print(k, path, text_stream_begin(&stream));
    text_stream_end(&stream);
    snprintf(text, size, "%s", stream.text);
    text_stream_free(&stream);
}
