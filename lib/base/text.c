/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/text.h"

void text_put_char(struct text *text, char c)
{
    if (text->length + 1 < text->size)
        text->buffer[text->length] = c;
    text->length++;
}

void text_put(struct text *text, const char *s)
{
    while (*s)
        text_put_char(text, *s++);
}

void text_put_digits(struct text *text, uint64_t value, unsigned base)
{
    char digits[20];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n > 0)
        text_put_char(text, digits[--n]);
}

void text_put_value(struct text *text, uint64_t value)
{
    if (value >= 10)
        text_put(text, "0x");
    text_put_digits(text, value, value < 10 ? 10 : 16);
}

size_t text_end(struct text *text)
{
    if (text->size > 0)
        text->buffer[text->length < text->size ? text->length : text->size - 1] = 0;
    return text->length;
}
