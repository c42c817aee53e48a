/* SPDX-License-Identifier: GPL-2.0-only */
#include "patch/number.h"

#include <string.h>

enum { MAX_TEXT = 200, MAX_CONSTANTS = 512 };

struct expression {
    const struct fh_profile *profile;
    const char *at, *end;
    struct number_error *error;
};

static bool fail(struct expression *e, const char *format, const char *text, size_t length)
{
    snprintf(e->error->message, sizeof e->error->message, format, (int)(length < 40 ? length : 40),
             text);
    return false;
}

static bool too_wide(struct expression *e)
{
    snprintf(e->error->message, sizeof e->error->message, "the number does not fit 64 bits");
    return false;
}

static bool is_digit(char c)
{
    return '0' <= c && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_';
}

static unsigned digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if ('a' <= c && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if ('A' <= c && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

static unsigned size_shift(char suffix)
{
    switch (suffix) {
    case 'K': return 10;
    case 'M': return 20;
    case 'G': return 30;
    case 'T': return 40;
    default: return 0;
    }
}

/* A literal: the whole of text[0..length). */
static bool literal(struct expression *e, const char *text, size_t length, uint64_t *value)
{
    bool hex = length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned base = hex ? 16 : 10, shift = hex ? 0 : size_shift(text[length - 1]);
    size_t first = hex ? 2 : 0, last = length - (shift > 0);
    if (!hex && last > 1 && text[0] == '0')
        return fail(e, "'%.*s': numbers are decimal, or hexadecimal with 0x in front", text,
                    length);
    *value = 0;
    for (size_t i = first; i < last; i++) {
        unsigned digit = digit_value(text[i]);
        if (digit >= base)
            return fail(e, "'%.*s' is no number", text, length);
        if (*value > (UINT64_MAX - digit) / base)
            return too_wide(e);
        *value = *value * base + digit;
    }
    if (*value > UINT64_MAX >> shift)
        return too_wide(e);
    *value <<= shift;
    return true;
}

/* The constant that may be meant by a word; NULL: none. */
static const char *nearest_constant(const char *text, size_t length)
{
    const char *names[MAX_CONSTANTS];
    size_t count = 0;
    for (const char *name; count < MAX_CONSTANTS && (name = fh_constant_name((unsigned)count));)
        names[count++] = name;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(length < 60 ? length : 60), text);
    return nearest(word, names, count);
}

static bool unknown_constant(struct expression *e, const char *text, size_t length)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(length < 60 ? length : 60), text);
    const char *near = nearest_constant(text, length);
    snprintf(e->error->message, sizeof e->error->message,
             "'%s' is neither a number nor a constant of profile %s%s%s%s", word, e->profile->name,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
}

static void skip_space(struct expression *e)
{
    while (e->at < e->end && (*e->at == ' ' || *e->at == '\n'))
        e->at++;
}

static bool factor(struct expression *e, uint64_t *value)
{
    skip_space(e);
    const char *start = e->at;
    while (e->at < e->end && is_word(*e->at))
        e->at++;
    size_t length = (size_t)(e->at - start);
    if (length == 0)
        return fail(e, "'%.*s' is no number", start, (size_t)(e->end - start));
    bool fine = is_digit(*start) ? literal(e, start, length, value)
                                 : fh_profile_constant(e->profile, start, length, value) ||
                                       unknown_constant(e, start, length);
    skip_space(e);
    return fine;
}

static bool accept(struct expression *e, char sign)
{
    if (e->at == e->end || *e->at != sign)
        return false;
    e->at++;
    return true;
}

static bool product(struct expression *e, uint64_t *value)
{
    if (!factor(e, value))
        return false;
    while (accept(e, '*')) {
        uint64_t next;
        if (!factor(e, &next))
            return false;
        if (__builtin_mul_overflow(*value, next, value))
            return too_wide(e);
    }
    return true;
}

static bool sum(struct expression *e, uint64_t *value)
{
    if (!product(e, value))
        return false;
    for (;;) {
        bool plus = accept(e, '+');
        if (!plus && !accept(e, '-'))
            return true;
        uint64_t next;
        if (!product(e, &next))
            return false;
        if (plus ? __builtin_add_overflow(*value, next, value)
                 : __builtin_sub_overflow(*value, next, value))
            return too_wide(e);
    }
}

bool number_parse(const struct fh_profile *profile, const char *text, size_t length,
                  uint64_t *value, struct number_error *error)
{
    struct expression e = {profile, text, text + length, error};
    if (length > MAX_TEXT)
        return fail(&e, "'%.*s...' is too long for a number", text, length);
    if (!sum(&e, value))
        return false;
    while (accept(&e, '|')) {
        uint64_t next;
        if (!sum(&e, &next))
            return false;
        *value |= next;
    }
    return e.at == e.end || fail(&e, "'%.*s' is no number", text, length);
}

static bool parse_in_patch(void *context, const char *text, size_t length, uint64_t *value)
{
    struct number_error error;
    return number_parse(context, text, length, value, &error);
}

/* The first word of the text that is neither a number nor a constant has one beside it. */
static const char *suggest_in_patch(void *context, const char *text, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        size_t end = at;
        uint64_t value;
        while (end < length && is_word(text[end]))
            end++;
        if (end > at && !is_digit(text[at]) &&
            !fh_profile_constant(context, text + at, end - at, &value))
            return nearest_constant(text + at, end - at);
        at = end;
    }
    return NULL;
}

struct patch_numbers number_patches(const struct fh_profile *profile)
{
    /* Read only; the pointer loses its const to pass through the callback's context. */
    return (struct patch_numbers){parse_in_patch, suggest_in_patch, (void *)(uintptr_t)profile};
}
