/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SCAN_H
#define SIM_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A line that is taken apart from left to right. Each function moves `at` behind what it took; one
 * that finds something else returns false and leaves `at` where it was.
 */
struct scan {
    const char *at;
    const char *end;
};

/* A part of the line, not terminated. */
struct word {
    const char *text;
    size_t length;
};

bool word_is(struct word word, const char *text);

bool scan_text(struct scan *scan, const char *text);
/* Blanks, also none. */
void scan_blanks(struct scan *scan);
/* Hexadecimal, with or without 0x, of any width that fits 64 bits. */
bool scan_hex(struct scan *scan, uint64_t *value);
bool scan_number(struct scan *scan, uint64_t *value);
/* "12.345678" seconds as nanoseconds; up to nine digits behind the point. */
bool scan_seconds(struct scan *scan, uint64_t *nanoseconds);
/* Up to one of the characters in `stops`, which is not taken, or the end; at least one character.
 */
bool scan_word(struct scan *scan, const char *stops, struct word *word);
bool scan_is_at_end(const struct scan *scan);

#endif
