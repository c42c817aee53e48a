/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/finds.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "explain/messages.h"

/*
 * Values are recognised by their grammar, not by the lines of one program:
 *
 *   name [ "=" | ":" | "is" | "was" ] number
 *
 * A number without 0x is hexadecimal, as kernels print registers, if a separator and enough digits
 * say that it is one. A few programs print a value in parts; these have a function each.
 */

enum { BARE_DIGITS = 5, HEX_DIGITS = 16, ESR_EC_SHIFT = 26, ESR_IL_SHIFT = 25 };

struct scanner {
    char *text; /* with the marks of quoted mail blanked */
    const char *end;
    bool in_smmu; /* the line, or the one before, is about an SMMU */
    unsigned line;
    const char *line_start;
    struct finds *finds;
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_in_line(const struct scanner *scanner, const char *at)
{
    while (at < scanner->end && *at != '\n' && isspace((unsigned char)*at))
        at++;
    return at;
}

/* --- Numbers --------------------------------------------------------------------------------- */

/* A mark between groups of digits: 0x9383_0045, 00000000`93830045. */
static bool is_group_mark(const char *at, const char *end)
{
    return at + 1 < end && (*at == '_' || *at == '`') && isxdigit((unsigned char)at[1]);
}

/* Hexadecimal digits, up to what 64 bits hold; NULL if there are none, or too many. */
static const char *take_hex(const char *at, const char *end, uint64_t *value, unsigned *digits)
{
    *value = 0;
    *digits = 0;
    unsigned significant = 0;
    for (; at < end && (isxdigit((unsigned char)*at) || (*digits && is_group_mark(at, end)));
         at++) {
        const char c = (char)tolower((unsigned char)*at);
        if (c == '_' || c == '`')
            continue;
        *value = *value << 4 | (uint64_t)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
        significant += significant > 0 || c != '0';
        (*digits)++;
    }
    return *digits > 0 && significant <= HEX_DIGITS ? at : NULL;
}

static const char *take_decimal(const char *at, const char *end, uint64_t *value)
{
    const char *start = at;
    for (*value = 0; at < end && isdigit((unsigned char)*at); at++) {
        if (*value > (UINT64_MAX - 9) / 10)
            return NULL;
        *value = *value * 10 + (uint64_t)(*at - '0');
    }
    return at > start ? at : NULL;
}

/* C's suffixes, and then the end of the word. */
static bool ends_number(const char *at, const char *end)
{
    while (at < end && strchr("uUlL", *at))
        at++;
    return at == end || !is_word(*at);
}

static const char *take_prefixed(const char *at, const char *end, uint64_t *value)
{
    unsigned digits;
    if (end - at < 3 || at[0] != '0' || (at[1] != 'x' && at[1] != 'X'))
        return NULL;
    const char *after = take_hex(at + 2, end, value, &digits);
    return after && ends_number(after, end) ? after : NULL;
}

/* Ten decimal digits that are no syndrome in hexadecimal: debuggers print one so. */
static const char *take_decimal_syndrome(const char *at, const char *end, uint64_t hex,
                                         uint64_t *value)
{
    const char *after = hex >> 32 && *at != '0' ? take_decimal(at, end, value) : NULL;
    return after && after - at == 10 && !(*value >> 32) && fh_arm_esr_layout(*value) ? after : NULL;
}

/* "feedface" is a word. */
static bool has_digit(const char *at, const char *end)
{
    while (at < end && !isdigit((unsigned char)*at))
        at++;
    return at < end;
}

/* How a number stands behind its name: with a separator, or as the next word. */
enum link { LINK_SEPARATOR, LINK_BLANK };

/* A number as a value of this meaning is printed. */
static const char *take_number(const char *at, const char *end, enum meaning meaning,
                               enum link link, uint64_t *value)
{
    unsigned digits;
    const char *after = take_prefixed(at, end, value);
    if (after)
        return after;
    if (meaning_is_decimal(meaning)) {
        after = take_decimal(at, end, value);
        return after && ends_number(after, end) ? after : NULL;
    }
    after = take_hex(at, end, value, &digits);
    if (!after || !ends_number(after, end))
        return NULL;
    if (link == LINK_BLANK && ((digits != 8 && digits != HEX_DIGITS) || !has_digit(at, after)))
        return NULL;
    if (meaning == MEANING_SYNDROME && *value >> 32) {
        uint64_t decimal;
        if (take_decimal_syndrome(at, end, *value, &decimal))
            *value = decimal;
    }
    return digits >= BARE_DIGITS ? after : NULL;
}

bool read_bare_number(const char *text, uint64_t *value)
{
    const char *end = text + strlen(text);
    unsigned digits;
    const char *after = take_prefixed(text, end, value);
    if (!after && strspn(text, "0123456789") == strlen(text) && strlen(text) < 8)
        after = take_decimal(text, end, value);
    if (!after)
        after = take_hex(text, end, value, &digits);
    return after == end && after;
}

/* --- What was found -------------------------------------------------------------------------- */

static struct found *add_found(struct finds *finds)
{
    if (finds->count == finds->room) {
        finds->room = finds->room ? 2 * finds->room : 32;
        finds->items = realloc(finds->items, finds->room * sizeof *finds->items);
        if (!finds->items)
            no_memory();
    }
    struct found *found = &finds->items[finds->count++];
    memset(found, 0, sizeof *found);
    return found;
}

void finds_free(struct finds *finds)
{
    free(finds->items);
    *finds = (struct finds){0};
}

static struct found *add_at(struct scanner *scanner, const char *at)
{
    struct found *found = add_found(scanner->finds);
    found->at = (size_t)(at - scanner->text);
    found->line = scanner->line;
    found->column = (unsigned)(at - scanner->line_start) + 1;
    return found;
}

static void set_written(struct found *found, const char *text, size_t length)
{
    if (length >= sizeof found->written)
        length = sizeof found->written - 1;
    memset(found->written, 0, sizeof found->written);
    memcpy(found->written, text, length);
    for (size_t i = 0; i < length; i++) {
        if (isspace((unsigned char)found->written[i]))
            found->written[i] = ' ';
    }
}

static struct found *add_value(struct scanner *scanner, const char *at, size_t length,
                               const struct name *name, uint64_t value)
{
    struct found *found = add_at(scanner, at);
    found->name = *name;
    found->value = value;
    set_written(found, at, length);
    return found;
}

/* --- Values in parts ------------------------------------------------------------------------- */

static const struct name class_name_of_part = {.meaning = MEANING_CLASS, .canonical = "EC"};

/* QEMU: "ESR 0x24/0x93830045", class and syndrome. */
static const char *class_and_syndrome(struct scanner *scanner, const char *start, size_t length,
                                      const struct name *name, const char *after, uint64_t class)
{
    uint64_t value;
    const char *end = after < scanner->end && *after == '/'
                          ? take_prefixed(after + 1, scanner->end, &value)
                          : NULL;
    if (!end)
        return NULL;
    set_written(add_value(scanner, start, length, &class_name_of_part, class), "EC", 2);
    add_value(scanner, start, length, name, value);
    return end;
}

/* Jailhouse: "esr: 24 1 1830045", class, IL and ISS. */
static const char *parts_of_syndrome(struct scanner *scanner, const char *start, size_t length,
                                     const struct name *name, const char *at)
{
    uint64_t parts[3];
    unsigned digits;
    for (unsigned i = 0; i < 3; i++) {
        at = take_hex(skip_in_line(scanner, at), scanner->end, &parts[i], &digits);
        if (!at || !ends_number(at, scanner->end))
            return NULL;
    }
    if (parts[0] > 0x3f || parts[1] > 1 || parts[2] >> ESR_IL_SHIFT || digits < BARE_DIGITS)
        return NULL;
    add_value(scanner, start, length, name,
              parts[0] << ESR_EC_SHIFT | parts[1] << ESR_IL_SHIFT | parts[2]);
    return at;
}

/* Linux: "Internal error: Oops: 96000045 [#1]", "Internal error: synchronous abort: ... [#1]". */
static const char *internal_error(struct scanner *scanner, const char *at)
{
    static const struct name syndrome = {.meaning = MEANING_SYNDROME, .canonical = "ESR_ELx"};
    uint64_t value;
    unsigned digits;
    const char *line_end = memchr(at, '\n', (size_t)(scanner->end - at));
    const char *mark = line_end ? line_end : scanner->end;
    while (mark > at && *mark != '#')
        mark--;
    if (mark == at || mark[-1] != '[')
        return NULL;
    const char *number = mark - 1;
    while (number > at && isspace((unsigned char)number[-1]))
        number--;
    const char *end = number;
    while (number > at && isxdigit((unsigned char)number[-1]))
        number--;
    if (take_hex(number, end, &value, &digits) != end || digits < BARE_DIGITS)
        return NULL;
    add_value(scanner, number, digits, &syndrome, value);
    set_written(&scanner->finds->items[scanner->finds->count - 1], "Oops", 4);
    return mark;
}

/* One part of "Op0( 3), Op1( 0), CRn(12), CRm( 9), Op2( 0), func_read". */
static const char *take_part(const struct scanner *scanner, const char *at, const char *part,
                             uint8_t *number)
{
    uint64_t value;
    size_t length;
    while (at < scanner->end && !isalpha((unsigned char)*at) && *at != '\n')
        at++;
    if (!phrase_at(at, scanner->end, part, &length))
        return NULL;
    at = skip_in_line(scanner, at + length);
    if (at == scanner->end || (*at != '(' && *at != '='))
        return NULL;
    at = take_decimal(skip_in_line(scanner, at + 1), scanner->end, &value);
    *number = (uint8_t)value;
    return at && value < 16 ? at : NULL;
}

static const char *encoding(struct scanner *scanner, const char *start)
{
    struct fh_arm_encoding parts;
    const struct {
        const char *name;
        uint8_t *number;
    } order[] = {{"op0", &parts.op0},
                 {"op1", &parts.op1},
                 {"crn", &parts.CRn},
                 {"crm", &parts.CRm},
                 {"op2", &parts.op2}};
    const char *at = start;
    for (size_t i = 0; i < sizeof order / sizeof *order && at; i++)
        at = take_part(scanner, at, order[i].name, order[i].number);
    if (!at)
        return NULL;
    struct name name = {.meaning = MEANING_ENCODING, .canonical = "system register"};
    name.reg = fh_arm_register_encoded(&parts);
    /* Laid out as a syndrome has the parts, so that one number holds them. */
    const struct fh_arm_esr_sys64 fields = {.EC = FH_ARM_CLASS_SYS64,
                                            .IL = 1,
                                            .Op0 = parts.op0,
                                            .Op1 = parts.op1,
                                            .CRn = parts.CRn,
                                            .CRm = parts.CRm,
                                            .Op2 = parts.op2};
    struct found *found = add_value(scanner, start, 3, &name, fh_arm_esr_sys64_word(&fields));
    set_written(found, "Op0..Op2", 8);
    size_t length;
    const char *line_end = memchr(at, '\n', (size_t)(scanner->end - at));
    for (const char *p = at; p < (line_end ? line_end : scanner->end); p++)
        found->is_write = found->is_write || phrase_at(p, scanner->end, "func_write", &length);
    return at;
}

/* Words that mean a syndrome only where other words stand before: "status 0x92000044", "code". */
static const char *word_in_context(struct scanner *scanner, const char *at)
{
    static const struct name syndrome = {.meaning = MEANING_SYNDROME, .canonical = "ESR_ELx"};
    static const char *const words[] = {"status", "code", "fault", "fsr"};
    uint64_t value;
    size_t length;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!phrase_at(at, scanner->end, words[i], &length))
            continue;
        const char *number = skip_in_line(scanner, at + length);
        if (number < scanner->end && (*number == ':' || *number == '='))
            number = skip_in_line(scanner, number + 1);
        if (number < scanner->end && *number == '(')
            number++;
        const char *end = take_prefixed(number, scanner->end, &value);
        if (!end || value >> 32 || value >> ESR_EC_SHIFT == 0 || scanner->in_smmu ||
            !fh_arm_esr_layout(value))
            return NULL;
        add_value(scanner, at, length, &syndrome, value);
        return end;
    }
    return NULL;
}

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
    const char *after = NULL;
    if (phrase_at(at, scanner->end, "internal error", &length))
        after = internal_error(scanner, at);
    if (!after && phrase_at(at, scanner->end, "op0", &length))
        after = encoding(scanner, at);
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
