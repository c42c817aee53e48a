/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/path.h>

#include "base/text.h"
#include "state/machine.h"

/* A path that is being followed: the word at hand is path[at..at + length). */
struct walk {
    const struct fh_profile *profile;
    const char *path;
    size_t at, length;
    const struct fh_type *type; /* of what was reached */
    int component;
    struct fh_path_error *error;
};

static bool fail(struct walk *walk, enum fh_path_problem problem)
{
    if (walk->error)
        *walk->error = (struct fh_path_error){problem, walk->at, walk->length, walk->type};
    return false;
}

static const void *nothing(struct walk *walk, enum fh_path_problem problem)
{
    fail(walk, problem);
    return NULL;
}

/* The next word, up to a dot. False at the end. */
static bool next_word(struct walk *walk)
{
    walk->at += walk->length;
    if (walk->path[walk->at] == '.')
        walk->at++;
    walk->length = 0;
    while (walk->path[walk->at + walk->length] && walk->path[walk->at + walk->length] != '.')
        walk->length++;
    return walk->length > 0;
}

static bool is_word(const struct walk *walk, const char *text)
{
    size_t i = 0;
    while (i < walk->length && text[i] && text[i] == walk->path[walk->at + i])
        i++;
    return i == walk->length && !text[i];
}

/* --- Keys ------------------------------------------------------------------------------------- */

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* Digits of base 10 or 16 that fit 64 bits. */
static bool read_number(const char *text, size_t length, uint64_t *number)
{
    const bool is_hex = length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const unsigned base = is_hex ? 16 : 10;
    *number = 0;
    for (size_t i = is_hex ? 2 : 0; i < length; i++) {
        const unsigned digit = digit_of(text[i]);
        if (digit >= base || *number > (UINT64_MAX - digit) / base)
            return false;
        *number = *number * base + digit;
    }
    return length > 0;
}

static bool read_key(const struct walk *walk, uint64_t *key)
{
    const char *word = walk->path + walk->at;
    return read_number(word, walk->length, key) ||
           fh_profile_constant(walk->profile, word, walk->length, key);
}

/* All keys of an entry; the walk then stands at the last of them. */
static bool read_keys(struct walk *walk, uint64_t *key)
{
    uint64_t keys[FH_MAP_DEPTH_MAX] = {0};
    for (unsigned i = 0; i < walk->type->depth; i++) {
        if (i > 0 && !next_word(walk))
            return fail(walk, FH_PATH_ENDS_EARLY);
        if (!read_key(walk, &keys[i]))
            return fail(walk, FH_PATH_NO_KEY);
    }
    return fh_map_pack_key(walk->type, keys, key) || fail(walk, FH_PATH_WIDE_KEY);
}

/* --- Steps ------------------------------------------------------------------------------------ */

static const struct fh_field *field_of(struct walk *walk)
{
    const struct fh_field *field = fh_type_field(walk->type, walk->path + walk->at, walk->length);
    if (!field)
        fail(walk, FH_PATH_NO_NAME);
    return field;
}

static bool find_component(struct walk *walk)
{
    for (unsigned i = 0; i < walk->type->nfields; i++) {
        if (is_word(walk, walk->type->names[i])) {
            walk->component = (int)i;
            return true;
        }
    }
    return fail(walk, FH_PATH_NO_NAME);
}

/* One step down, to read; NULL if there is nothing. */
static const void *step(struct walk *walk, const void *place)
{
    const struct fh_type *type = walk->type;
    const struct fh_field *field;
    uint64_t key;
    if (walk->component >= 0)
        return nothing(walk, FH_PATH_BELOW_VALUE);
    switch (type->kind) {
    case FH_KIND_REF: place = fh_ref_record(type, place); /* fall through */
    case FH_KIND_RECORD:
        field = field_of(walk);
        walk->type = field ? field->type : type;
        return field ? (const char *)place + field->offset : NULL;
    case FH_KIND_MAP:
        if (is_word(walk, "_")) {
            walk->type = type->value;
            return fh_map_fallback(place, &type->value->as_value);
        }
        if (!read_keys(walk, &key))
            return NULL;
        walk->type = type->value;
        return fh_map_get(place, &type->value->as_value, key);
    case FH_KIND_TUPLE: return find_component(walk) ? place : NULL;
    case FH_KIND_LOG:
        if (!is_word(walk, "length"))
            return nothing(walk, FH_PATH_NO_NAME);
        walk->type = type_of_u64;
        return &((const struct fh_log *)place)->length;
    default: return nothing(walk, FH_PATH_BELOW_VALUE);
    }
}

bool fh_path_find(const struct fh_rdata *rdata, const struct fh_profile *profile, const char *path,
                  struct fh_found *found, struct fh_path_error *error)
{
    struct walk walk = {profile, path, 0, 0, fh_rdata_type(), -1, error};
    const void *place = rdata;
    while (place && next_word(&walk))
        place = step(&walk, place);
    if (place && path[walk.at]) /* an empty word */
        place = nothing(&walk, FH_PATH_NO_NAME);
    *found = (struct fh_found){walk.type, place, walk.component};
    return place != NULL;
}

/* --- Numbers ---------------------------------------------------------------------------------- */

static bool is_scalar(const struct fh_type *type)
{
    return type->kind == FH_KIND_BOOL || type->kind == FH_KIND_U32 || type->kind == FH_KIND_U64 ||
           type->kind == FH_KIND_I64 || type->kind == FH_KIND_ENUM;
}

enum fh_status fh_get(const struct fh_state *state, const char *path, uint64_t *value)
{
    struct fh_found found;
    if (!fh_path_find(state->adt, state->profile, path, &found, NULL))
        return FH_UNKNOWN;
    if (found.component < 0 && !is_scalar(found.type))
        return FH_INVALID_ARGUMENT;
    *value = found.component < 0 ? fh_scalar_get(found.type, found.place)
                                 : fh_tuple_get(found.type, found.place, (unsigned)found.component);
    return FH_OK;
}

/* One step down, to write: references on the way become the state's own. NULL without memory. */
static void *step_to_write(struct walk *walk, void *place, const struct fh_allocator *allocator)
{
    const struct fh_type *type = walk->type;
    uint64_t key = 0;
    bool existed;
    if (type->kind == FH_KIND_TUPLE)
        return find_component(walk) ? place : NULL;
    if (type->kind == FH_KIND_MAP) {
        if (!read_keys(walk, &key))
            return NULL;
        walk->type = type->value;
        return fh_map_edit(place, &type->value->as_value, allocator, key, &existed);
    }
    if (type->kind == FH_KIND_REF) {
        if (!fh_ref_own(type, place, allocator))
            return NULL;
        place = *(void **)place;
    }
    const struct fh_field *field = field_of(walk);
    walk->type = field ? field->type : type;
    return field ? (char *)place + field->offset : NULL;
}

/* Is there a default or a log on the path? Those are not written by number. */
static bool is_writable(const struct walk *walk)
{
    for (size_t i = 0; walk->path[i]; i++) {
        const bool begins = i == 0 || walk->path[i - 1] == '.';
        const char after = walk->path[i + 1];
        if (begins && walk->path[i] == '_' && (after == '.' || !after))
            return false;
    }
    const char *log = "log.", *slog = "slog";
    size_t i = 0, j = 0;
    while (log[i] && log[i] == walk->path[i])
        i++;
    while (slog[j] && slog[j] == walk->path[j])
        j++;
    return log[i] && slog[j];
}

/* Would the number fit the place? Places that nobody shares are not at hand yet. */
static bool fits(const struct fh_found *found, uint64_t value)
{
    unsigned char scratch[FH_MAP_VALUE_MAX] = {0};
    return found->component >= 0
               ? fh_tuple_set(found->type, scratch, (unsigned)found->component, value)
               : is_scalar(found->type) && fh_scalar_set(found->type, scratch, value);
}

enum fh_status fh_set(struct fh_state *state, const char *path, uint64_t value)
{
    struct walk walk = {state->profile, path, 0, 0, fh_rdata_type(), -1, NULL};
    struct fh_found found;
    if (!fh_path_find(state->adt, state->profile, path, &found, NULL))
        return FH_UNKNOWN;
    if (!is_writable(&walk) || !fits(&found, value))
        return FH_INVALID_ARGUMENT;
    void *place = fh_state_edit(state);
    while (place && next_word(&walk))
        place = step_to_write(&walk, place, &state->allocator);
    if (!place)
        return FH_NOMEM;
    if (walk.component >= 0)
        fh_tuple_set(walk.type, place, (unsigned)walk.component, value);
    else
        fh_scalar_set(walk.type, place, value);
    return FH_OK;
}

/* --- In words --------------------------------------------------------------------------------- */

static void put_word(struct text *text, const struct fh_path_error *error, const char *path)
{
    text_put_char(text, '\'');
    for (size_t i = 0; i < error->length; i++)
        text_put_char(text, path[error->offset + i]);
    text_put_char(text, '\'');
}

size_t fh_path_error_format(const struct fh_path_error *error, const char *path, char *buffer,
                            size_t size)
{
    struct text text = {buffer, size, 0};
    switch (error->problem) {
    case FH_PATH_FOUND: break;
    case FH_PATH_NO_NAME:
        text_put(&text, "no ");
        put_word(&text, error, path);
        text_put(&text, " in ");
        text_put(&text, error->type->name);
        break;
    case FH_PATH_NO_KEY:
        put_word(&text, error, path);
        text_put(&text, " is no key: a number or a constant is needed there");
        break;
    case FH_PATH_WIDE_KEY:
        put_word(&text, error, path);
        text_put(&text, " is no index of its level");
        break;
    case FH_PATH_ENDS_EARLY:
        text_put(&text, "the path ends early: the map needs ");
        text_put_digits(&text, error->type->depth, 10);
        text_put(&text, " keys");
        break;
    case FH_PATH_BELOW_VALUE:
        text_put(&text, "nothing is below a value: ");
        put_word(&text, error, path);
        break;
    }
    return text_end(&text);
}
