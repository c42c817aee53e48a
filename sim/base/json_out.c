/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

/* --- Texts ----------------------------------------------------------------------------------- */

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The bytes of the character at `text`, and its number; 0 if it is no UTF-8. */
static size_t character_length(const unsigned char *text, size_t left, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char c = text[0];
    const size_t length = c < 0x80   ? 1
                          : c < 0xc2 ? 0
                          : c < 0xe0 ? 2
                          : c < 0xf0 ? 3
                          : c < 0xf5 ? 4
                                     : 0;
    if (length == 0 || length > left)
        return 0;
    *character = length == 1 ? c : c & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(text[i]))
            return 0;
        *character = *character << 6 | (text[i] & 0x3f);
    }
    const bool is_surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return *character < least[length] || is_surrogate || *character > 0x10ffff ? 0 : length;
}

static void write_character(FILE *file, const unsigned char *text, size_t length,
                            uint32_t character)
{
    if (character == '"' || character == '\\')
        fprintf(file, "\\%c", (int)character);
    else if (character < 0x20 || (character >= 0x7f && character < 0xa0))
        fprintf(file, "\\u%04" PRIx32, character);
    else
        fwrite(text, 1, length, file);
}

void json_write_text(FILE *file, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', file);
    while (length > 0) {
        uint32_t character;
        const size_t taken = character_length(at, length, &character);
        if (taken > 0)
            write_character(file, at, taken, character);
        else
            fputs("\xef\xbf\xbd", file);
        at += taken > 0 ? taken : 1;
        length -= taken > 0 ? taken : 1;
    }
    fputc('"', file);
}

/* --- Structure ------------------------------------------------------------------------------- */

static void put_line(struct json_out *out)
{
    if (out->is_line)
        return;
    fprintf(out->file, "\n%*s", (int)(2 * out->depth), "");
}

/* What stands before a value: a comma, a new line, the key. */
static void put_key(struct json_out *out, const char *key)
{
    if (out->depth > 0) {
        if (out->has_member[out->depth - 1])
            fputc(',', out->file);
        out->has_member[out->depth - 1] = true;
        put_line(out);
    }
    if (!key)
        return;
    json_write_text(out->file, key, strlen(key));
    fputs(out->is_line ? ":" : ": ", out->file);
}

static void open_container(struct json_out *out, const char *key, char bracket)
{
    assert(out->depth < JSON_OUT_DEPTH);
    put_key(out, key);
    fputc(bracket, out->file);
    out->has_member[out->depth++] = false;
}

static void close_container(struct json_out *out, char bracket)
{
    const bool has_member = out->has_member[--out->depth];
    if (has_member)
        put_line(out);
    fputc(bracket, out->file);
}

void json_out_begin(struct json_out *out, FILE *file)
{
    memset(out, 0, sizeof *out);
    out->file = file;
}

void json_out_begin_line(struct json_out *out, FILE *file)
{
    json_out_begin(out, file);
    out->is_line = true;
}

void json_out_end(struct json_out *out)
{
    assert(out->depth == 0);
    fputc('\n', out->file);
}

void json_open_object(struct json_out *out, const char *key)
{
    open_container(out, key, '{');
}

void json_close_object(struct json_out *out)
{
    close_container(out, '}');
}

void json_open_array(struct json_out *out, const char *key)
{
    open_container(out, key, '[');
}

void json_close_array(struct json_out *out)
{
    close_container(out, ']');
}

/* --- Values ---------------------------------------------------------------------------------- */

FILE *json_value(struct json_out *out, const char *key)
{
    put_key(out, key);
    return out->file;
}

void json_text(struct json_out *out, const char *key, const char *text)
{
    if (text)
        json_write_text(json_value(out, key), text, strlen(text));
    else
        json_null(out, key);
}

void json_format(struct json_out *out, const char *key, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    const int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        no_memory();
    json_write_text(json_value(out, key), text, (size_t)length);
    free(text);
}

void json_number(struct json_out *out, const char *key, uint64_t value)
{
    put_key(out, key);
    fprintf(out->file, "%" PRIu64, value);
}

void json_signed(struct json_out *out, const char *key, int64_t value)
{
    put_key(out, key);
    fprintf(out->file, "%" PRId64, value);
}

void json_bool(struct json_out *out, const char *key, bool value)
{
    put_key(out, key);
    fputs(value ? "true" : "false", out->file);
}

void json_null(struct json_out *out, const char *key)
{
    put_key(out, key);
    fputs("null", out->file);
}

void json_hex(struct json_out *out, const char *key, uint64_t value)
{
    put_key(out, key);
    fprintf(out->file, "\"0x%" PRIx64 "\"", value);
}
