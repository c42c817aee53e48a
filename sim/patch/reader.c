/* SPDX-License-Identifier: GPL-2.0-only */
#include "patch/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "patch/number.h"

enum { DESCRIPTION = 64 };

bool reader_error(struct reader *reader, const struct node *node, const char *format, ...)
{
    char message[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return source_error(reader->source, node->line, node->column, "%s", message);
}

bool reader_patch_error(struct reader *reader, const struct node *patch,
                        const struct patch_error *error)
{
    const struct node *at = error->node && error->node->line > 0 ? error->node : patch;
    struct number_error number;
    uint64_t value;
    /* Of a text that should be a number, this side knows better what is wrong with it. */
    if (at->kind == NODE_STRING && strstr(error->message, "is not a number") &&
        !number_parse(reader->profile, at->text, at->length, &value, &number))
        return reader_error(reader, at, "%s", number.message);
    if (error->suggestion)
        return reader_error(reader, at, "%s; did you mean '%s'?", error->message,
                            error->suggestion);
    return reader_error(reader, at, "%s", error->message);
}

static bool wrong_type(struct reader *reader, const struct node *node, const char *what,
                       const char *wanted)
{
    char description[DESCRIPTION];
    return reader_error(reader, node, "%s must be %s, not %s", what, wanted,
                        node_describe(node, description, sizeof description));
}

static size_t count_of(const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    return count;
}

bool reader_unknown(struct reader *reader, const struct node *node, const char *what,
                    const char *const *candidates, size_t count)
{
    const char *near = nearest(node->text, candidates, count);
    if (near)
        return reader_error(reader, node, "unknown %s '%.60s'; did you mean '%s'?", what,
                            node->text, near);
    return reader_error(reader, node, "unknown %s '%.60s'", what, node->text);
}

bool reader_map(struct reader *reader, const struct node *node, const char *what)
{
    return node->kind == NODE_MAP || wrong_type(reader, node, what, "a map");
}

bool reader_list(struct reader *reader, const struct node *node, const char *what)
{
    return node->kind == NODE_LIST || wrong_type(reader, node, what, "a list");
}

bool reader_keys(struct reader *reader, const struct node *node, const char *what,
                 const char *const *keys)
{
    if (!reader_map(reader, node, what))
        return false;
    bool known = true;
    for (size_t i = 0; i < node->count; i++) {
        const char *const *key = keys;
        while (*key && strcmp(*key, node->keys[i].text) != 0)
            key++;
        char kind[DESCRIPTION];
        snprintf(kind, sizeof kind, "key of %s", what);
        if (!*key)
            known = reader_unknown(reader, &node->keys[i], kind, keys, count_of(keys));
    }
    return known;
}

/* A range in the base in which the number is written; of a name or "2M", what is long in
 * hexadecimal. */
static bool out_of_range(struct reader *reader, const struct node *node, const char *what,
                         uint64_t least, uint64_t most)
{
    enum { LONG = 9999 };
    const bool is_hex = strncmp(node->text, "0x", 2) == 0;
    const bool is_decimal = node->text[strspn(node->text, "-0123456789")] == '\0';
    const char *format = is_hex || (!is_decimal && most > LONG)
                             ? "%s: %.60s is out of range (%#" PRIx64 " to %#" PRIx64 ")"
                             : "%s: %.60s is out of range (%" PRIu64 " to %" PRIu64 ")";
    char message[200];
    snprintf(message, sizeof message, format, what, node->text, least, most);
    return reader_error(reader, node, "%s", message);
}

static bool number_value(struct reader *reader, const struct node *node, const char *what,
                         uint64_t least, uint64_t most, uint64_t *value)
{
    if (node->kind == NODE_NUMBER) {
        if (node->wide || node->negative)
            return out_of_range(reader, node, what, least, most);
        *value = node->number;
        return true;
    }
    if (node->kind != NODE_STRING || node->quoted)
        return wrong_type(reader, node, what, "a number");
    struct number_error error;
    return number_parse(reader->profile, node->text, node->length, value, &error) ||
           reader_error(reader, node, "%s: %s", what, error.message);
}

bool reader_number(struct reader *reader, const struct node *node, const char *what, uint64_t least,
                   uint64_t most, uint64_t *value)
{
    uint64_t number;
    if (!number_value(reader, node, what, least, most, &number))
        return false;
    if (number < least || number > most)
        return out_of_range(reader, node, what, least, most);
    *value = number;
    return true;
}

static uint64_t constant_of(const struct fh_profile *profile, size_t constant)
{
    return *(const uint64_t *)((const char *)profile + constant);
}

const struct fh_profile *reader_other_profile(const struct reader *reader, size_t constant,
                                              uint64_t number)
{
    const struct fh_profile *profile;
    for (unsigned i = 0; (profile = fh_profile_at(i)); i++) {
        if (profile != reader->profile && number <= constant_of(profile, constant))
            return profile;
    }
    return NULL;
}

bool reader_constant(struct reader *reader, const struct node *node, const char *what,
                     uint64_t least, size_t constant, uint64_t less, uint64_t *value)
{
    uint64_t number;
    const uint64_t most = constant_of(reader->profile, constant) - less;
    if (!number_value(reader, node, what, least, most, &number))
        return false;
    const struct fh_profile *other = number > most && number < UINT64_MAX - less
                                         ? reader_other_profile(reader, constant, number + less)
                                         : NULL;
    if (!other)
        return reader_number(reader, node, what, least, most, value);
    return reader_error(reader, node,
                        "%s: %.60s is out of range (%" PRIu64 " to %" PRIu64
                        ") for profile %s; with 'profile: %s' it is not",
                        what, node->text, least, most, reader->profile->name, other->name);
}

bool reader_constant_at(struct reader *reader, const struct node *map, const char *key,
                        uint64_t least, size_t constant, uint64_t less, uint64_t *value)
{
    const struct node *node = node_get(map, key);
    return !node || reader_constant(reader, node, key, least, constant, less, value);
}

bool reader_flag(struct reader *reader, const struct node *node, const char *what, bool *value)
{
    if (node->kind != NODE_BOOL)
        return wrong_type(reader, node, what, "true or false");
    *value = node->boolean;
    return true;
}

bool reader_text(struct reader *reader, const struct node *node, const char *what,
                 const char **value)
{
    if (node->kind != NODE_STRING || node->length == 0)
        return wrong_type(reader, node, what, "a text");
    *value = node->text;
    return true;
}

bool reader_number_at(struct reader *reader, const struct node *map, const char *key,
                      uint64_t least, uint64_t most, uint64_t *value)
{
    const struct node *node = node_get(map, key);
    return !node || reader_number(reader, node, key, least, most, value);
}

bool reader_flag_at(struct reader *reader, const struct node *map, const char *key, bool *value)
{
    const struct node *node = node_get(map, key);
    return !node || reader_flag(reader, node, key, value);
}

bool reader_text_at(struct reader *reader, const struct node *map, const char *key,
                    const char **value)
{
    const struct node *node = node_get(map, key);
    return !node || reader_text(reader, node, key, value);
}

struct node reader_number_node(struct reader *reader, const struct node *at, uint64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, value);
    return (struct node){.kind = NODE_NUMBER,
                         .line = at->line,
                         .column = at->column,
                         .number = value,
                         .length = (size_t)length,
                         .text = arena_strdup(reader->arena, digits, (size_t)length)};
}
