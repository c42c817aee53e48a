/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/shown.h"

/* How many bytes follow the first of a character of UTF-8; -1 where none begins with it. */
static int followers(unsigned char lead)
{
    if (lead < 0x80)
        return 0;
    if (lead < 0xc2 || lead > 0xf4)
        return -1;
    return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
}

/* The character that text begins with, and its length; one byte, and 0, where there is none. */
static uint32_t character(const char *text, size_t left, size_t *length)
{
    const int more = followers((unsigned char)text[0]);
    *length = 1;
    if (more < 0 || (size_t)more >= left)
        return 0;
    uint32_t code = (unsigned char)text[0];
    if (more > 0)
        code &= 0x3fu >> more;
    for (int i = 1; i <= more; i++) {
        const unsigned char c = (unsigned char)text[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (c & 0x3f);
    }
    *length = (size_t)more + 1;
    return code;
}

bool turns_the_line(uint32_t code)
{
    return code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool is_blank(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || code == 0x2028 || code == 0x2029;
}

void print_shown(FILE *out, const char *text, size_t length)
{
    for (size_t at = 0, n; at < length; at += n) {
        const uint32_t code = character(text + at, length - at, &n);
        if (is_blank(code))
            fputc(' ', out);
        else if (code < ' ' || (code >= 0x7f && code < 0xa0) || turns_the_line(code))
            fputc('?', out);
        else
            fwrite(text + at, 1, n, out);
    }
}

size_t shown_columns(const char *text, size_t length)
{
    size_t columns = 0;
    for (size_t at = 0, n; at < length; at += n, columns++)
        character(text + at, length - at, &n);
    return columns;
}
