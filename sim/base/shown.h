/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SHOWN_H
#define SIM_SHOWN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Text that somebody else wrote, shown to people: a terminal must not obey what stands in a file.
 * What is no visible character of UTF-8 becomes '?': C0 and C1 controls, bytes that are no UTF-8,
 * and the marks that change the direction of writing. Blanks of all kinds become ' '.
 */
void print_shown(FILE *out, const char *text, size_t length);

/* Does the character, by its number, change the direction of writing? */
bool turns_the_line(uint32_t code);

/* How many columns the first `length` bytes take, one for each character. */
size_t shown_columns(const char *text, size_t length);

#endif
