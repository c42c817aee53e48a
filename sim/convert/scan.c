/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/scan.h"

#include <string.h>

bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(text, word.text, word.length) == 0;
}

bool scan_text(struct scan *scan, const char *text)
{
    const size_t length = strlen(text);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, text, length) != 0)
        return false;
    scan->at += length;
    return true;
}

void scan_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
        scan->at++;
}

bool scan_is_at_end(const struct scan *scan)
{
    return scan->at == scan->end;
}

/* The value of a digit, or -1. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool scan_digits(struct scan *scan, unsigned base, uint64_t *value)
{
    struct scan s = *scan;
    uint64_t sum = 0;
    for (; s.at < s.end; s.at++) {
        const int digit = digit_value(*s.at);
        if (digit < 0 || (unsigned)digit >= base)
            break;
        if (sum > (UINT64_MAX - (unsigned)digit) / base)
            return false;
        sum = sum * base + (unsigned)digit;
    }
    if (s.at == scan->at)
        return false;
    *scan = s;
    *value = sum;
    return true;
}

bool scan_number(struct scan *scan, uint64_t *value)
{
    return scan_digits(scan, 10, value);
}

bool scan_hex(struct scan *scan, uint64_t *value)
{
    struct scan s = *scan;
    scan_text(&s, "0x");
    if (!scan_digits(&s, 16, value))
        return false;
    *scan = s;
    return true;
}

bool scan_seconds(struct scan *scan, uint64_t *nanoseconds)
{
    enum { NS_PER_SECOND = 1000000000 };
    struct scan s = *scan;
    uint64_t seconds, unit = NS_PER_SECOND;
    if (!scan_digits(&s, 10, &seconds) || seconds > UINT64_MAX / NS_PER_SECOND - 1 ||
        !scan_text(&s, "."))
        return false;
    const char *const point = s.at;
    uint64_t fraction;
    if (!scan_digits(&s, 10, &fraction) || s.at - point > 9)
        return false;
    for (const char *c = point; c < s.at; c++)
        unit /= 10;
    *scan = s;
    *nanoseconds = seconds * NS_PER_SECOND + fraction * unit;
    return true;
}

bool scan_word(struct scan *scan, const char *stops, struct word *word)
{
    const char *c = scan->at;
    while (c < scan->end && !strchr(stops, *c))
        c++;
    if (c == scan->at)
        return false;
    *word = (struct word){scan->at, (size_t)(c - scan->at)};
    scan->at = c;
    return true;
}
