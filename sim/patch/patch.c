/* SPDX-License-Identifier: GPL-2.0-only */
#include "patch/apply.h"

#include <stdarg.h>
#include <string.h>

enum { CANDIDATES_MAX = 160 };

bool patch_fail(struct applier *applier, const struct node *node, const char *format, ...)
{
    struct patch_error *error = applier->error;
    size_t size = sizeof error->message, used = 0;
    error->node = node;
    if (applier->path_length > 0)
        used = (size_t)snprintf(error->message, size, "%s: ", applier->path);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message + used, size - used, format, arguments);
    va_end(arguments);
    return false;
}

bool patch_no_memory(struct applier *applier, const struct node *node)
{
    return patch_fail(applier, node, "out of memory");
}

bool patch_unrepresentable(struct applier *applier, const struct node *node, const char *why)
{
    applier->error->unrepresentable = true;
    return patch_fail(applier, node, "not representable: %.60s %s", node->text ? node->text : "",
                      why);
}

static bool fail_kind(struct applier *applier, const struct node *node, const char *wanted)
{
    char found[64];
    return patch_fail(applier, node, "expected %s, found %s", wanted,
                      node_describe(node, found, sizeof found));
}

size_t patch_enter(struct applier *applier, const char *name)
{
    size_t before = applier->path_length, room = sizeof applier->path - before;
    size_t length = strlen(name), dot = before > 0;
    if (length + dot < room) {
        applier->path[before] = '.';
        memcpy(applier->path + before + dot, name, length + 1);
        applier->path_length += length + dot;
    }
    return before;
}

void patch_leave(struct applier *applier, size_t path_length)
{
    applier->path_length = path_length;
    applier->path[path_length] = 0;
}

/* --- Numbers -------------------------------------------------------------------------------- */

static bool decimal(const char *text, size_t length, uint64_t *value)
{
    uint64_t sum = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(unsigned char)text[i] - '0';
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

static bool is_all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == 0;
}

/* A number as text: decimal, or whatever the caller's reader understands. */
static bool text_number(struct applier *applier, const struct node *node, uint64_t *value)
{
    const struct patch_numbers *numbers = applier->numbers;
    if (decimal(node->text, node->length, value))
        return true;
    if (numbers && numbers->parse &&
        numbers->parse(numbers->context, node->text, node->length, value))
        return true;
    if (is_all_digits(node->text))
        return patch_unrepresentable(applier, node, "needs more than 64 bits");
    if (numbers && numbers->suggest)
        applier->error->suggestion = numbers->suggest(numbers->context, node->text, node->length);
    return patch_fail(applier, node, "'%.60s' is not a number", node->text);
}

static bool any_number(struct applier *applier, const struct node *node, uint64_t *value,
                       bool *negative)
{
    *negative = false;
    if (node->kind == NODE_STRING)
        return text_number(applier, node, value);
    if (node->kind != NODE_NUMBER)
        return fail_kind(applier, node, "a number");
    if (node->wide)
        return patch_unrepresentable(applier, node, "needs more than 64 bits");
    *value = node->number;
    *negative = node->negative;
    return true;
}

/* A key is text, also a negative one. */
static bool is_negative_text(const struct node *node, uint64_t *value)
{
    uint64_t below;
    if (node->kind != NODE_STRING || node->length < 2 || node->text[0] != '-' ||
        !decimal(node->text + 1, node->length - 1, &below) || below == 0 ||
        below > (uint64_t)INT64_MAX + 1)
        return false;
    *value = 0 - below;
    return true;
}

bool patch_any_number(struct applier *applier, const struct node *node, uint64_t *value,
                      bool *negative)
{
    *negative = is_negative_text(node, value);
    if (*negative)
        return true;
    if (!any_number(applier, node, value, negative))
        return false;
    if (applier->objects && applier->objects->has_negatives && *value > INT64_MAX)
        *negative = true;
    return true;
}

bool patch_number(struct applier *applier, const struct node *node, uint64_t *value)
{
    bool negative;
    if (!any_number(applier, node, value, &negative))
        return false;
    return !negative || patch_unrepresentable(applier, node, "is negative");
}

static bool apply_number(struct applier *applier, const struct fh_type *type, void *place,
                         const struct node *patch)
{
    uint64_t value;
    bool negative;
    if (!any_number(applier, patch, &value, &negative))
        return false;
    bool is_signed = type->kind == FH_KIND_I64;
    if (negative && !is_signed)
        return patch_unrepresentable(applier, patch, "is negative");
    if (is_signed && !negative && value > INT64_MAX)
        return patch_unrepresentable(applier, patch, "needs more than 63 bits");
    return fh_scalar_set(type, place, value) ||
           patch_unrepresentable(applier, patch, "needs more than 32 bits");
}

/* --- Words ---------------------------------------------------------------------------------- */

static bool apply_bool(struct applier *applier, void *place, const struct node *patch)
{
    bool value = patch->boolean;
    if (patch->kind != NODE_BOOL) {
        value = node_is(patch, "true");
        if (!value && !node_is(patch, "false"))
            return fail_kind(applier, patch, "true or false");
    }
    *(bool *)place = value;
    return true;
}

static bool apply_enum(struct applier *applier, const struct fh_type *type, void *place,
                       const struct node *patch)
{
    char words[128] = "";
    for (unsigned i = 0; i < type->nfields; i++) {
        if (node_is(patch, type->names[i]))
            return fh_scalar_set(type, place, i);
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", i > 0 ? ", " : "", type->names[i]);
    }
    if (patch->kind == NODE_STRING)
        applier->error->suggestion = nearest(patch->text, type->names, type->nfields);
    char wanted[160];
    snprintf(wanted, sizeof wanted, "one of %s", words);
    return fail_kind(applier, patch, wanted);
}

/* --- Tuples --------------------------------------------------------------------------------- */

static bool apply_component(struct applier *applier, const struct fh_type *type, void *place,
                            unsigned i, const struct node *patch)
{
    uint64_t value;
    size_t path = patch_enter(applier, type->names[i]);
    if (!patch_number(applier, patch, &value))
        return false;
    if (!fh_tuple_set(type, place, i, value))
        return patch_unrepresentable(applier, patch, "needs more bits than there are");
    patch_leave(applier, path);
    return true;
}

static bool apply_named_components(struct applier *applier, const struct fh_type *type, void *place,
                                   const struct node *patch)
{
    for (size_t i = 0; i < patch->count; i++) {
        unsigned component = 0;
        while (component < type->nfields && !node_is(&patch->keys[i], type->names[component]))
            component++;
        if (component == type->nfields) {
            applier->error->suggestion = nearest(patch->keys[i].text, type->names, type->nfields);
            return patch_fail(applier, &patch->keys[i], "no component '%.60s'",
                              patch->keys[i].text);
        }
        if (!apply_component(applier, type, place, component, &patch->items[i]))
            return false;
    }
    return true;
}

static bool apply_tuple(struct applier *applier, const struct fh_type *type, void *place,
                        const struct node *patch)
{
    if (patch->kind == NODE_MAP)
        return apply_named_components(applier, type, place, patch);
    if (patch->kind != NODE_LIST || patch->count != type->nfields)
        return fail_kind(applier, patch,
                         type->nfields == 3 ? "a list [pfn, level, pte]" : "a list [pfn, pte]");
    for (unsigned i = 0; i < type->nfields; i++) {
        if (!apply_component(applier, type, place, i, &patch->items[i]))
            return false;
    }
    return true;
}

/* --- Records -------------------------------------------------------------------------------- */

static bool apply_contexts(struct applier *applier, const struct fh_type *type,
                           struct fh_rdata *rdata, const struct node *patch);

static bool is_ignored(const char *name, const char *const *ignored)
{
    for (; ignored && *ignored; ignored++) {
        if (strcmp(name, *ignored) == 0)
            return true;
    }
    return false;
}

static bool fail_field(struct applier *applier, const struct fh_type *type, const struct node *key)
{
    const char *names[CANDIDATES_MAX];
    size_t count = type->nfields < CANDIDATES_MAX ? type->nfields : CANDIDATES_MAX;
    for (size_t i = 0; i < count; i++)
        names[i] = type->fields[i].name;
    applier->error->suggestion = nearest(key->text, names, count);
    return patch_fail(applier, key, "no field '%.60s' in %s", key->text, type->name);
}

static bool apply_field(struct applier *applier, const struct fh_type *type,
                        const struct fh_field *field, void *record, const struct node *patch)
{
    void *place = (char *)record + field->offset;
    if (type == fh_rdata_type() && field->offset == offsetof(struct fh_rdata, shadow_ctxts) &&
        patch->kind == NODE_MAP)
        return apply_contexts(applier, field->type, record, patch);
    return patch_value(applier, field->type, place, patch);
}

static bool apply_fields(struct applier *applier, const struct fh_type *type, void *record,
                         const struct node *patch, const char *const *ignored)
{
    if (patch->kind != NODE_MAP)
        return fail_kind(applier, patch, "a map from fields to values");
    for (size_t i = 0; i < patch->count; i++) {
        const struct node *key = &patch->keys[i];
        if (is_ignored(key->text, ignored))
            continue;
        const struct fh_field *field = fh_type_field(type, key->text, key->length);
        if (!field)
            return fail_field(applier, type, key);
        size_t path = patch_enter(applier, field->name);
        if (!apply_field(applier, type, field, record, &patch->items[i]))
            return false;
        patch_leave(applier, path);
    }
    return true;
}

static bool apply_reference(struct applier *applier, const struct fh_type *type, void *place,
                            const struct node *patch)
{
    if (!fh_ref_own(type, place, applier->allocator))
        return patch_no_memory(applier, patch);
    return apply_fields(applier, type, *(void **)place, patch, NULL);
}

/* --- Maps ----------------------------------------------------------------------------------- */

/* A value under construction, of any type that a map can hold. */
union value {
    uint64_t words[FH_MAP_VALUE_MAX / 8];
};

/* The key "_": no entries, and a new default that is the patched old one. */
static bool reset_map(struct applier *applier, const struct fh_type *type, struct fh_map *map,
                      const struct node *patch)
{
    const struct fh_map_type *value_type = &type->value->as_value;
    union value fallback;
    memcpy(&fallback, fh_map_fallback(map, value_type), value_type->value_size);
    fh_value_retain(type->value, &fallback);
    size_t path = patch_enter(applier, "_");
    bool is_good = patch_value(applier, type->value, &fallback, patch);
    if (is_good && !fh_map_reset(map, value_type, applier->allocator, &fallback))
        is_good = patch_no_memory(applier, patch);
    fh_value_release(type->value, &fallback, applier->allocator);
    if (is_good)
        patch_leave(applier, path);
    return is_good;
}

static bool apply_entry(struct applier *applier, const struct fh_type *type, struct fh_map *map,
                        uint64_t key, const struct node *patch)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->value->as_value, applier->allocator, key, &existed);
    if (!entry)
        return patch_no_memory(applier, patch);
    applier->key = key;
    return patch_value(applier, type->value, entry, patch);
}

static bool apply_simple_map(struct applier *applier, const struct fh_type *type,
                             struct fh_map *map, const struct node *patch)
{
    const struct node *fallback = node_get(patch, "_");
    if (fallback && !reset_map(applier, type, map, fallback))
        return false;
    for (size_t i = 0; i < patch->count; i++) {
        if (&patch->items[i] == fallback)
            continue;
        uint64_t key;
        size_t path = patch_enter(applier, patch->keys[i].text);
        if (!patch_number(applier, &patch->keys[i], &key) ||
            !apply_entry(applier, type, map, key, &patch->items[i]))
            return false;
        patch_leave(applier, path);
    }
    return true;
}

/* The shadow contexts, whose numbers may be negative; a default holds for all of them. */
static bool apply_contexts(struct applier *applier, const struct fh_type *type,
                           struct fh_rdata *rdata, const struct node *patch)
{
    const struct node *fallback = node_get(patch, "_");
    if (fallback && (!reset_map(applier, type, &rdata->shadow_ctxts, fallback) ||
                     !reset_map(applier, type, &rdata->shadow_ctxts_below, fallback)))
        return false;
    for (size_t i = 0; i < patch->count; i++) {
        if (&patch->items[i] == fallback)
            continue;
        uint64_t key;
        bool negative;
        size_t path = patch_enter(applier, patch->keys[i].text);
        if (!patch_any_number(applier, &patch->keys[i], &key, &negative))
            return false;
        struct fh_map *map = negative ? &rdata->shadow_ctxts_below : &rdata->shadow_ctxts;
        if (!apply_entry(applier, type, map, negative ? ~key : key, &patch->items[i]))
            return false;
        patch_leave(applier, path);
    }
    return true;
}

/* --- Maps of several keys -------------------------------------------------------------------- */

/* Keys of the levels above, and which level comes next. */
struct prefix {
    uint64_t keys[FH_MAP_DEPTH_MAX];
    unsigned level;
};

/* A default of nested maps: {"_": {"_": value}} says no more than its innermost value. */
static const struct node *innermost(const struct node *patch)
{
    while (patch->kind == NODE_MAP && patch->count == 1 && node_is(&patch->keys[0], "_"))
        patch = &patch->items[0];
    return patch;
}

/* The packed keys below `prefix`: first and last. */
static void range_of(const struct fh_type *type, const struct prefix *prefix, uint64_t *first,
                     uint64_t *last)
{
    struct prefix low = *prefix, high = *prefix;
    for (unsigned i = prefix->level; i < type->depth; i++) {
        low.keys[i] = 0;
        high.keys[i] = ((uint64_t)1 << type->key_bits[i]) - 1;
    }
    fh_map_pack_key(type, low.keys, first);
    fh_map_pack_key(type, high.keys, last);
}

static bool remove_range(struct applier *applier, const struct fh_type *type, struct fh_map *map,
                         uint64_t first, uint64_t last, const struct node *patch)
{
    const struct fh_map_type *value_type = &type->value->as_value;
    while (fh_map_next(map, value_type, &first) && first <= last) {
        if (!fh_map_remove(map, value_type, applier->allocator, first))
            return patch_no_memory(applier, patch);
    }
    return true;
}

/* "_" below the top: the whole range gets one value, by removing entries where it can. */
static bool reset_range(struct applier *applier, const struct fh_type *type, struct fh_map *map,
                        const struct prefix *prefix, const struct node *patch)
{
    uint64_t first, last;
    union value value = {{0}};
    patch = innermost(patch);
    range_of(type, prefix, &first, &last);
    if (!patch_value(applier, type->value, &value, patch) ||
        !remove_range(applier, type, map, first, last, patch))
        return false;
    const void *fallback = fh_map_fallback(map, &type->value->as_value);
    if (fh_scalar_get(type->value, &value) == fh_scalar_get(type->value, fallback))
        return true;
    for (uint64_t key = first; key <= last; key++) {
        if (!apply_entry(applier, type, map, key, patch))
            return false;
    }
    return true;
}

static bool apply_fallback(struct applier *applier, const struct fh_type *type, struct fh_map *map,
                           const struct prefix *prefix, const struct node *patch)
{
    return prefix->level == 0 ? reset_map(applier, type, map, innermost(patch))
                              : reset_range(applier, type, map, prefix, patch);
}

static bool apply_packed_map(struct applier *applier, const struct fh_type *type,
                             struct fh_map *map, struct prefix prefix, const struct node *patch);

static bool apply_packed_entry(struct applier *applier, const struct fh_type *type,
                               struct fh_map *map, struct prefix prefix, const struct node *key,
                               const struct node *patch)
{
    uint64_t *slot = &prefix.keys[prefix.level], packed;
    unsigned bits = type->key_bits[prefix.level];
    if (!patch_number(applier, key, slot))
        return false;
    if (*slot >> bits)
        return patch_unrepresentable(applier, key, "is no index of this level of the tables");
    prefix.level++;
    if (prefix.level < type->depth)
        return apply_packed_map(applier, type, map, prefix, patch);
    return fh_map_pack_key(type, prefix.keys, &packed) &&
           apply_entry(applier, type, map, packed, patch);
}

static bool apply_packed_map(struct applier *applier, const struct fh_type *type,
                             struct fh_map *map, struct prefix prefix, const struct node *patch)
{
    if (patch->kind != NODE_MAP)
        return fail_kind(applier, patch, "a map");
    const struct node *fallback = node_get(patch, "_");
    if (fallback && !apply_fallback(applier, type, map, &prefix, fallback))
        return false;
    for (size_t i = 0; i < patch->count; i++) {
        if (&patch->items[i] == fallback)
            continue;
        size_t path = patch_enter(applier, patch->keys[i].text);
        if (!apply_packed_entry(applier, type, map, prefix, &patch->keys[i], &patch->items[i]))
            return false;
        patch_leave(applier, path);
    }
    return true;
}

static bool apply_map(struct applier *applier, const struct fh_type *type, struct fh_map *map,
                      const struct node *patch)
{
    if (patch->kind != NODE_MAP)
        return fail_kind(applier, patch, "a map");
    if (type->depth == 1)
        return apply_simple_map(applier, type, map, patch);
    return apply_packed_map(applier, type, map, (struct prefix){.level = 0}, patch);
}

/* --- Any type -------------------------------------------------------------------------------- */

bool patch_value(struct applier *applier, const struct fh_type *type, void *place,
                 const struct node *patch)
{
    switch (type->kind) {
    case FH_KIND_BOOL: return apply_bool(applier, place, patch);
    case FH_KIND_ENUM: return apply_enum(applier, type, place, patch);
    case FH_KIND_TUPLE: return apply_tuple(applier, type, place, patch);
    case FH_KIND_RECORD: return apply_fields(applier, type, place, patch, NULL);
    case FH_KIND_REF: return apply_reference(applier, type, place, patch);
    case FH_KIND_MAP: return apply_map(applier, type, place, patch);
    case FH_KIND_LOG: return patch_log(applier, place, patch);
    default: return apply_number(applier, type, place, patch);
    }
}

bool patch_apply(const struct fh_type *type, void *place, const struct fh_allocator *allocator,
                 const struct node *patch, const struct patch_numbers *numbers,
                 const char *const *ignored, struct patch_error *error)
{
    struct applier applier = {.allocator = allocator, .numbers = numbers, .error = error};
    memset(error, 0, sizeof *error);
    if (type->kind == FH_KIND_RECORD)
        return apply_fields(&applier, type, place, patch, ignored);
    return patch_value(&applier, type, place, patch);
}

bool patch_apply_rdata(struct fh_rdata *rdata, const struct fh_allocator *allocator,
                       const struct node *patch, const struct patch_objects *objects,
                       const struct patch_numbers *numbers, const char *const *ignored,
                       struct patch_error *error)
{
    struct applier applier = {
        .allocator = allocator, .numbers = numbers, .objects = objects, .error = error};
    memset(error, 0, sizeof *error);
    return apply_fields(&applier, fh_rdata_type(), rdata, patch, ignored);
}
