/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BASE_TEXT_H
#define FH_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Do two texts say the same? (strcmp, which a freestanding build does not have.) */
static inline bool text_is_same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* Text that is cut off where the buffer ends, but counted to its end, as snprintf does. */
struct text {
    char *buffer;
    size_t size;
    size_t length;
};

void text_put_char(struct text *text, char c);
void text_put(struct text *text, const char *s);

/* A number in digits of base 10 or 16, and as people read values: "7", but "0x1000". */
void text_put_digits(struct text *text, uint64_t value, unsigned base);
void text_put_value(struct text *text, uint64_t value);

/* Terminate the text, if there is room for that; the length that the whole of it has. */
size_t text_end(struct text *text);

#endif
