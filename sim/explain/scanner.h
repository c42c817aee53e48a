/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_SCANNER_H
#define SIM_EXPLAIN_SCANNER_H

#include <ctype.h>

#include "explain/finds.h"

/* A text that is looked through, and what of it the functions that look for values share. */

enum { BARE_DIGITS = 5, ESR_EC_SHIFT = 26, ESR_IL_SHIFT = 25 };

struct scanner {
    char *text; /* with the marks of quoted mail blanked */
    const char *end;
    bool in_smmu; /* the line, or the one before, is about an SMMU */
    unsigned line;
    const char *line_start;
    struct finds *finds;
};

/* Of a name. */
static inline bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

const char *skip_in_line(const struct scanner *scanner, const char *at);

/* --- Numbers: each returns where the number ends; NULL if there is none ----------------------- */

/* Hexadecimal digits, up to what 64 bits hold. */
const char *take_hex(const char *at, const char *end, uint64_t *value, unsigned *digits);
const char *take_decimal(const char *at, const char *end, uint64_t *value);
/* With 0x. */
const char *take_prefixed(const char *at, const char *end, uint64_t *value);

/* How a number stands behind its name: with a separator, or as the next word. */
enum link { LINK_SEPARATOR, LINK_BLANK };

/* A number as a value of this meaning is printed. */
const char *take_number(const char *at, const char *end, enum meaning meaning, enum link link,
                        uint64_t *value);

/* C's suffixes, and then the end of the word. */
bool ends_number(const char *at, const char *end);

/* --- What was found -------------------------------------------------------------------------- */

struct found *add_found(struct finds *finds);
struct found *add_at(struct scanner *scanner, const char *at);
struct found *add_value(struct scanner *scanner, const char *at, size_t length,
                        const struct name *name, uint64_t value);
void set_written(struct found *found, const char *text, size_t length);

/* --- Values in parts, each with where to go on; NULL: there is none ----------------------------
 */

/* QEMU: "ESR 0x24/0x93830045", class and syndrome. */
const char *class_and_syndrome(struct scanner *scanner, const char *start, size_t length,
                               const struct name *name, const char *after, uint64_t class);
/* Jailhouse: "esr: 24 1 1830045", class, IL and ISS. */
const char *parts_of_syndrome(struct scanner *scanner, const char *start, size_t length,
                              const struct name *name, const char *at);
/* What a word begins that is no name: phrases of programs, encodings of registers. */
const char *phrase_with_value(struct scanner *scanner, const char *at);
/* Words that mean a syndrome only where other words stand before. */
const char *word_in_context(struct scanner *scanner, const char *at);

#endif
