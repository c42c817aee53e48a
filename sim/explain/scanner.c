/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/scanner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

enum { HEX_DIGITS = 16 };

const char *skip_in_line(const struct scanner *scanner, const char *at)
{
    while (at < scanner->end && *at != '\n' && isspace((unsigned char)*at))
        at++;
    return at;
}

/* --- Numbers --------------------------------------------------------------------------------- */

/*
 * A number without 0x is hexadecimal, as kernels print registers, if a separator and enough digits
 * say that it is one.
 */

/* A mark between groups of digits: 0x9383_0045, 00000000`93830045. */
static bool is_group_mark(const char *at, const char *end)
{
    return at + 1 < end && (*at == '_' || *at == '`') && isxdigit((unsigned char)at[1]);
}

/* Hexadecimal digits, up to what 64 bits hold; NULL if there are none, or too many. */
const char *take_hex(const char *at, const char *end, uint64_t *value, unsigned *digits)
{
    *value = 0;
    *digits = 0;
    unsigned significant = 0;
    for (; at < end && (isxdigit((unsigned char)*at) || (*digits && is_group_mark(at, end)));
         at++) {
        const char c = (char)tolower((unsigned char)*at);
        if (c == '_' || c == '`')
            continue;
        *value = *value << 4 | (uint64_t)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
        significant += significant > 0 || c != '0';
        (*digits)++;
    }
    return *digits > 0 && significant <= HEX_DIGITS ? at : NULL;
}

const char *take_decimal(const char *at, const char *end, uint64_t *value)
{
    const char *start = at;
    for (*value = 0; at < end && isdigit((unsigned char)*at); at++) {
        if (*value > (UINT64_MAX - 9) / 10)
            return NULL;
        *value = *value * 10 + (uint64_t)(*at - '0');
    }
    return at > start ? at : NULL;
}

/* C's suffixes, and then the end of the word. */
bool ends_number(const char *at, const char *end)
{
    while (at < end && strchr("uUlL", *at))
        at++;
    return at == end || !is_word(*at);
}

const char *take_prefixed(const char *at, const char *end, uint64_t *value)
{
    unsigned digits;
    if (end - at < 3 || at[0] != '0' || (at[1] != 'x' && at[1] != 'X'))
        return NULL;
    const char *after = take_hex(at + 2, end, value, &digits);
    return after && ends_number(after, end) ? after : NULL;
}

/* Ten decimal digits that are no syndrome in hexadecimal: debuggers print one so. */
static const char *take_decimal_syndrome(const char *at, const char *end, uint64_t hex,
                                         uint64_t *value)
{
    const char *after = hex >> 32 && *at != '0' ? take_decimal(at, end, value) : NULL;
    return after && after - at == 10 && !(*value >> 32) && fh_arm_esr_layout(*value) ? after : NULL;
}

/* "feedface" is a word. */
static bool has_digit(const char *at, const char *end)
{
    while (at < end && !isdigit((unsigned char)*at))
        at++;
    return at < end;
}

/* A number as a value of this meaning is printed. */
const char *take_number(const char *at, const char *end, enum meaning meaning, enum link link,
                        uint64_t *value)
{
    unsigned digits;
    const char *after = take_prefixed(at, end, value);
    if (after)
        return after;
    if (meaning_is_decimal(meaning)) {
        after = take_decimal(at, end, value);
        return after && ends_number(after, end) ? after : NULL;
    }
    after = take_hex(at, end, value, &digits);
    if (!after || !ends_number(after, end))
        return NULL;
    if (link == LINK_BLANK && ((digits != 8 && digits != HEX_DIGITS) || !has_digit(at, after)))
        return NULL;
    if (meaning == MEANING_SYNDROME && *value >> 32) {
        uint64_t decimal;
        if (take_decimal_syndrome(at, end, *value, &decimal))
            *value = decimal;
    }
    return digits >= BARE_DIGITS ? after : NULL;
}

bool read_bare_number(const char *text, uint64_t *value)
{
    const char *end = text + strlen(text);
    unsigned digits;
    const char *after = take_prefixed(text, end, value);
    if (!after && strspn(text, "0123456789") == strlen(text) && strlen(text) < 8)
        after = take_decimal(text, end, value);
    if (!after)
        after = take_hex(text, end, value, &digits);
    return after == end && after;
}

/* --- What was found -------------------------------------------------------------------------- */

struct found *add_found(struct finds *finds)
{
    if (finds->count == finds->room) {
        finds->room = finds->room ? 2 * finds->room : 32;
        finds->items = realloc(finds->items, finds->room * sizeof *finds->items);
        if (!finds->items)
            no_memory();
    }
    struct found *found = &finds->items[finds->count++];
    memset(found, 0, sizeof *found);
    return found;
}

void finds_free(struct finds *finds)
{
    free(finds->items);
    *finds = (struct finds){0};
}

struct found *add_at(struct scanner *scanner, const char *at)
{
    struct found *found = add_found(scanner->finds);
    found->at = (size_t)(at - scanner->text);
    found->line = scanner->line;
    found->column = (unsigned)(at - scanner->line_start) + 1;
    return found;
}

void set_written(struct found *found, const char *text, size_t length)
{
    if (length >= sizeof found->written)
        length = sizeof found->written - 1;
    memset(found->written, 0, sizeof found->written);
    memcpy(found->written, text, length);
    for (size_t i = 0; i < length; i++) {
        if (isspace((unsigned char)found->written[i]))
            found->written[i] = ' ';
    }
}

struct found *add_value(struct scanner *scanner, const char *at, size_t length,
                        const struct name *name, uint64_t value)
{
    struct found *found = add_at(scanner, at);
    found->name = *name;
    found->value = value;
    set_written(found, at, length);
    return found;
}
