/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/scanner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "explain/messages.h"

/*
 * Values are recognised by their grammar, not by the lines of one program:
 *
 *   name [ "=" | ":" | "is" | "was" ] number
 *
 * Numbers are scanner.c; what a few programs print in parts is scan_parts.c.
 */

/* --- The text -------------------------------------------------------------------------------- */

static const char *skip_any(const struct scanner *scanner, const char *at, const char *what)
{
    while (at < scanner->end && *at && (strchr(what, *at) || isspace((unsigned char)*at)))
        at++;
    return at;
}

/*
 * "name = number", with what may stand between: quotes and brackets around either ("esr": "0x1",
 * ESR_EL2(0x1)), the bars of a table, "is". NULL if this is none.
 */
static const char *value_after(const struct scanner *scanner, const char *at, enum meaning meaning,
                               uint64_t *value)
{
    static const char *const words[] = {"is", "was", "value", "to", "at"};
    const char *next = skip_any(scanner, at, "\"'*)]");
    const char *separator = next;
    size_t length;
    while (next < scanner->end && *next && strchr("=:|", *next))
        next++;
    if (next + 1 < scanner->end && next[0] == '-' && next[1] == '>')
        next += 2;
    else if (next > separator && next < scanner->end && *next == '>')
        next++;
    const enum link link = next > separator ? LINK_SEPARATOR : LINK_BLANK;
    for (size_t i = 0; i < sizeof words / sizeof *words && link == LINK_BLANK; i++) {
        if (phrase_at(next, scanner->end, words[i], &length)) {
            next += length;
            break;
        }
    }
    /* Without a separator the number stands in the same line. */
    const char *number = skip_any(scanner, next, "\"'*([#<$");
    if (link == LINK_BLANK && meaning != MEANING_VIRTUAL &&
        memchr(at, '\n', (size_t)(number - at)) && !take_prefixed(number, scanner->end, value))
        return NULL;
    return take_number(number, scanner->end, meaning, link, value);
}

/* A syndrome of another kind than ESR is called so too: Xen's is ISS, 32-bit Arm's has no class. */
static void settle_syndrome(struct name *name, const char *text, size_t length, uint64_t value)
{
    const uint64_t class = value >> ESR_EC_SHIFT;
    size_t taken;
    if (class == 0 && value != 0 && phrase_at(text, text + length, "syndrome", &taken))
        *name = (struct name){.meaning = MEANING_ISS, .canonical = "ISS"};
}

/* The value whose name begins at `at`; NULL if none does. Otherwise where to go on. */
static const char *named_value(struct scanner *scanner, const char *at)
{
    struct name name;
    size_t length;
    const char *after, *special;
    uint64_t value;
    const bool is_known = name_at(at, scanner->end, scanner->in_smmu, &name, &length);
    if (!is_known)
        length = word_length(at, scanner->end);
    if (is_known && name.meaning == MEANING_SYNDROME) {
        const char *parts = skip_in_line(scanner, at + length);
        if (parts < scanner->end && (*parts == ':' || *parts == '=') &&
            (special = parts_of_syndrome(scanner, at, length, &name, parts + 1)))
            return special;
    }
    after = value_after(scanner, at + length, is_known ? name.meaning : MEANING_REGISTER, &value);
    if (!after || (!is_known && !name_of_register(at, length, &name)))
        return NULL;
    if (name.meaning == MEANING_SMMU_BANK && strcmp(name.canonical, "FSR") == 0 &&
        !scanner->in_smmu && value >> ESR_EC_SHIFT & 0x1f && !(value >> 32))
        name = (struct name){.meaning = MEANING_SYNDROME, .canonical = "ESR_ELx"};
    if (name.meaning == MEANING_SYNDROME) {
        special = class_and_syndrome(scanner, at, length, &name, after, value);
        if (special)
            return special;
        settle_syndrome(&name, at, length, value);
    }
    add_value(scanner, at, length, &name, value);
    return after;
}

/* An access that a message tells with its size: "unhandled data write at 0xff000000(4)". */
static void note_message(struct scanner *scanner, const char *at,
                         const struct known_message *message)
{
    struct found *found = add_at(scanner, at);
    found->message = message;
    scanner->in_smmu =
        message->subject == SUBJECT_SMMU_GLOBAL || message->subject == SUBJECT_SMMU_BANK;
}

/* What begins at a word; where to go on. */
static const char *scan_word(struct scanner *scanner, const char *at)
{
    size_t length;
    const struct known_message *message = message_at(at, scanner->end, &length);
    if (message)
        note_message(scanner, at, message);
    const char *after = phrase_with_value(scanner, at);
    if (!after)
        after = named_value(scanner, at);
    if (!after)
        after = word_in_context(scanner, at);
    return after ? after : at + word_length(at, scanner->end);
}

/* Does the line say that it is about an SMMU? Lines that continue one stay so. */
static void begin_line(struct scanner *scanner, const char *at)
{
    const char *end = memchr(at, '\n', (size_t)(scanner->end - at));
    if (!end)
        end = scanner->end;
    scanner->line_start = at;
    scanner->line++;
    for (const char *p = at; p + 4 <= end; p++) {
        if (strncmp(p, "smmu", 4) == 0 || strncmp(p, "SMMU", 4) == 0) {
            scanner->in_smmu = true;
            return;
        }
    }
    if (strncmp(at, "(XEN)", 5) == 0 || skip_in_line(scanner, at) == end)
        scanner->in_smmu = false;
}

static void scan_lines(struct scanner *scanner)
{
    const char *at = scanner->text;
    char before = ' ';
    begin_line(scanner, at);
    while (at < scanner->end) {
        const bool is_start = isalpha((unsigned char)*at) && !is_word(before);
        const char *next = is_start ? scan_word(scanner, at) : at + 1;
        for (; at < next; at++) {
            before = *at;
            if (before == '\n' && at + 1 < scanner->end)
                begin_line(scanner, at + 1);
        }
    }
}

/* Blank what mail programs put in front of quoted lines, and the colours of terminals. */
static void blank_marks(char *text, size_t length)
{
    bool at_start = true;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == 27 && i + 1 < length && text[i + 1] == '[') {
            while (i < length && !isalpha((unsigned char)text[i]) && text[i] != '\n')
                text[i++] = ' ';
            if (i < length && text[i] != '\n')
                text[i] = ' ';
        } else if (text[i] == '\0') {
            text[i] = ' ';
        } else if (at_start && (text[i] == '>' || text[i] == '|')) {
            text[i] = ' ';
            continue;
        }
        at_start = text[i] == '\n' || (at_start && text[i] == ' ');
    }
}

void find_values(const char *text, size_t length, struct finds *finds)
{
    struct scanner scanner = {.finds = finds, .text = malloc(length + 1)};
    if (!scanner.text)
        no_memory();
    memcpy(scanner.text, text, length);
    scanner.text[length] = 0;
    scanner.end = scanner.text + length;
    blank_marks(scanner.text, length);
    scan_lines(&scanner);
    free(scanner.text);
}

/* --- The command line ------------------------------------------------------------------------ */

static bool unknown_name(const char *written)
{
    const char *meant = name_nearest(written);
    if (meant)
        diag_plain("explain: no value is called '%s'; did you mean '%s'?", written, meant);
    else
        diag_plain("explain: no value is called '%s'; `fhsim explain --help` tells more", written);
    return false;
}

bool find_argument(const char *argument, struct finds *finds)
{
    struct name name;
    char written[64];
    uint64_t value;
    const size_t length = strcspn(argument, "=");
    const size_t kept = length < sizeof written ? length : sizeof written - 1;
    memcpy(written, argument, kept);
    written[kept] = 0;
    size_t taken;
    if (!(name_at(written, written + kept, false, &name, &taken) && taken == kept) &&
        !name_of_register(written, kept, &name))
        return unknown_name(written);
    if (!read_bare_number(argument + length + 1, &value)) {
        diag_plain("explain: '%s' is no number of up to 64 bits", argument + length + 1);
        return false;
    }
    struct found *found = add_found(finds);
    found->name = name;
    found->value = value;
    set_written(found, written, kept);
    return true;
}
