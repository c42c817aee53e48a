/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/shown.h"

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

/* ASCII that stands for itself: it needs no look at what follows. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<';
}

static void write_character(FILE *file, const unsigned char *text, size_t length,
                            uint32_t character, bool is_in_page)
{
    if (character == '"' || character == '\\')
        fprintf(file, "\\%c", (int)character);
    else if (character == '\n')
        fputs("\\n", file);
    else if (character < 0x20 || (character >= 0x7f && character < 0xa0) ||
             (character == '<' && is_in_page) || turns_the_line(character))
        fprintf(file, "\\u%04" PRIx32, character);
    else
        fwrite(text, 1, length, file);
}

static void write_text(FILE *file, const char *text, size_t length, bool is_in_page)
{
    const unsigned char *at = (const unsigned char *)text;
    putc_unlocked('"', file);
    while (length > 0) {
        uint32_t character;
        size_t taken = 0;
        while (taken < length && is_plain(at[taken]))
            taken++;
        if (taken > 0) {
            fwrite(at, 1, taken, file);
        } else if ((taken = character_length(at, length, &character)) > 0) {
            write_character(file, at, taken, character, is_in_page);
        } else {
            fputs("\xef\xbf\xbd", file);
            taken = 1;
        }
        at += taken;
        length -= taken;
    }
    putc_unlocked('"', file);
}

void json_write_text(FILE *file, const char *text, size_t length)
{
    write_text(file, text, length, false);
}

/* --- Structure ------------------------------------------------------------------------------- */

static void put_line(struct json_out *out)
{
    if (out->depth > out->rows)
        return;
    fprintf(out->file, "\n%*s", out->is_spaced ? (int)(2 * out->depth) : 0, "");
}

/* What stands before a value: a comma, a new line, the key. */
static void put_key(struct json_out *out, const char *key)
{
    if (out->depth > 0) {
        if (out->has_member[out->depth - 1])
            putc_unlocked(',', out->file);
        out->has_member[out->depth - 1] = true;
        put_line(out);
    }
    if (!key)
        return;
    write_text(out->file, key, strlen(key), out->is_in_page);
    fputs(out->is_spaced ? ": " : ":", out->file);
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
    const bool has_lines = out->depth <= out->rows;
    const bool has_member = out->has_member[--out->depth];
    if (has_member && has_lines)
        fprintf(out->file, "\n%*s", out->is_spaced ? (int)(2 * out->depth) : 0, "");
    putc_unlocked(bracket, out->file);
}

void json_out_begin(struct json_out *out, FILE *file)
{
    *out = (struct json_out){.file = file, .rows = JSON_OUT_DEPTH, .is_spaced = true};
}

void json_out_begin_line(struct json_out *out, FILE *file)
{
    json_out_begin_rows(out, file, 0);
}

void json_out_begin_rows(struct json_out *out, FILE *file, unsigned depth)
{
    *out = (struct json_out){.file = file, .rows = depth};
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

void json_text(struct json_out *out, const char *key, const char *text)
{
    if (text)
        json_bytes(out, key, text, strlen(text));
    else
        json_null(out, key);
}

void json_bytes(struct json_out *out, const char *key, const char *text, size_t length)
{
    put_key(out, key);
    write_text(out->file, text, length, out->is_in_page);
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
    json_bytes(out, key, text, (size_t)length);
    free(text);
}

/* A number with what stands before and behind it; traces are full of them, and printf is slow. */
static void put_digits(FILE *file, const char *before, uint64_t value, unsigned base)
{
    char text[24];
    char *at = &text[sizeof text];
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    fputs(before, file);
    fwrite(at, 1, (size_t)(&text[sizeof text] - at), file);
}

void json_number(struct json_out *out, const char *key, uint64_t value)
{
    put_key(out, key);
    put_digits(out->file, "", value, 10);
}

void json_signed(struct json_out *out, const char *key, int64_t value)
{
    put_key(out, key);
    put_digits(out->file, value < 0 ? "-" : "", value < 0 ? 0 - (uint64_t)value : (uint64_t)value,
               10);
}

void json_real(struct json_out *out, const char *key, double value, int decimals)
{
    put_key(out, key);
    fprintf(out->file, "%.*f", decimals, value);
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
    put_digits(out->file, "\"0x", value, 16);
    putc_unlocked('"', out->file);
}

void json_base64(struct json_out *out, const char *key, const void *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes;
    put_key(out, key);
    putc_unlocked('"', out->file);
    for (size_t i = 0; i < length; i += 3) {
        const size_t left = length - i;
        const unsigned word = (unsigned)at[i] << 16 | (left > 1 ? (unsigned)at[i + 1] << 8 : 0) |
                              (left > 2 ? at[i + 2] : 0u);
        putc_unlocked(digits[word >> 18], out->file);
        putc_unlocked(digits[word >> 12 & 63], out->file);
        putc_unlocked(left > 1 ? digits[word >> 6 & 63] : '=', out->file);
        putc_unlocked(left > 2 ? digits[word & 63] : '=', out->file);
    }
    putc_unlocked('"', out->file);
}

void json_insert(struct json_out *out, const char *key, const char *json, size_t length)
{
    put_key(out, key);
    fwrite(json, 1, length, out->file);
}

/* --- Trees: as deep as they were read -------------------------------------------------------- */

static void put_tree(struct json_out *out, const struct node *tree);

static void put_members(struct json_out *out, const struct node *tree)
{
    const bool is_map = tree->kind == NODE_MAP;
    putc_unlocked(is_map ? '{' : '[', out->file);
    for (size_t i = 0; i < tree->count; i++) {
        if (i > 0)
            putc_unlocked(',', out->file);
        if (is_map) {
            write_text(out->file, tree->keys[i].text, tree->keys[i].length, out->is_in_page);
            putc_unlocked(':', out->file);
        }
        put_tree(out, node_member(tree, i));
    }
    putc_unlocked(is_map ? '}' : ']', out->file);
}

static void put_number(FILE *file, const struct node *number)
{
    if (number->wide)
        fputs(number->text, file);
    else if (number->negative)
        put_digits(file, "-", 0 - number->number, 10);
    else
        put_digits(file, "", number->number, 10);
}

static void put_tree(struct json_out *out, const struct node *tree)
{
    switch (tree->kind) {
    case NODE_NULL: fputs("null", out->file); break;
    case NODE_BOOL: fputs(tree->boolean ? "true" : "false", out->file); break;
    case NODE_NUMBER: put_number(out->file, tree); break;
    case NODE_STRING: write_text(out->file, tree->text, tree->length, out->is_in_page); break;
    case NODE_LIST:
    case NODE_MAP: put_members(out, tree); break;
    }
}

void json_tree(struct json_out *out, const char *key, const struct node *tree)
{
    put_key(out, key);
    put_tree(out, tree);
}
