/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "explain/scanner.h"

/* Values that a few programs print in parts, or behind words of their own: a function each. */

static const struct name class_name_of_part = {.meaning = MEANING_CLASS, .canonical = "EC"};

/* QEMU: "ESR 0x24/0x93830045", class and syndrome. */
const char *class_and_syndrome(struct scanner *scanner, const char *start, size_t length,
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
const char *parts_of_syndrome(struct scanner *scanner, const char *start, size_t length,
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

/* Laid out as a syndrome has the parts, so that one number holds them. */
static struct found *add_encoding(struct scanner *scanner, const char *start,
                                  const struct fh_arm_encoding *parts)
{
    const struct name name = {.meaning = MEANING_ENCODING,
                              .canonical = "system register",
                              .reg = fh_arm_register_encoded(parts)};
    const struct fh_arm_esr_sys64 fields = {.EC = FH_ARM_CLASS_SYS64,
                                            .IL = 1,
                                            .Op0 = parts->op0,
                                            .Op1 = parts->op1,
                                            .CRn = parts->CRn,
                                            .CRm = parts->CRm,
                                            .Op2 = parts->op2};
    struct found *found = add_value(scanner, start, 0, &name, fh_arm_esr_sys64_word(&fields));
    set_written(found, "Op0..Op2", 8);
    return found;
}

/* KVM: "Op0( 3), Op1( 0), CRn(12), CRm( 9), Op2( 0), func_read". */
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
    struct found *found = add_encoding(scanner, start, &parts);
    size_t length;
    const char *line_end = memchr(at, '\n', (size_t)(scanner->end - at));
    for (const char *p = at; p < (line_end ? line_end : scanner->end); p++)
        found->is_write = found->is_write || phrase_at(p, scanner->end, "func_write", &length);
    return at;
}

/* ftrace: "SYS_ICC_SGI1R_EL1 (3,0,12,11,5) write", of which `at` is the last word. */
static const char *encoding_before(struct scanner *scanner, const char *at, bool is_write)
{
    unsigned op0, op1, CRn, CRm, op2;
    int length = 0;
    const char *open = at;
    while (open > scanner->line_start && *open != '(')
        open--;
    if (sscanf(open, "(%2u,%2u,%2u,%2u,%2u)%n", &op0, &op1, &CRn, &CRm, &op2, &length) != 5 ||
        length == 0 || skip_in_line(scanner, open + length) != at || op0 > 3 || op1 > 7 ||
        CRn > 15 || CRm > 15 || op2 > 7)
        return NULL;
    const struct fh_arm_encoding parts = {.op0 = (uint8_t)op0,
                                          .op1 = (uint8_t)op1,
                                          .CRn = (uint8_t)CRn,
                                          .CRm = (uint8_t)CRm,
                                          .op2 = (uint8_t)op2};
    add_encoding(scanner, open, &parts)->is_write = is_write;
    return at + (is_write ? strlen("write") : strlen("read"));
}

/* Linux: "synchronous external abort (0x96000210) at 0xffffff800f5d6000", behind the syndrome. */
static const char *address_of_fault(struct scanner *scanner, const char *at)
{
    static const struct name address = {.meaning = MEANING_VIRTUAL, .canonical = "FAR_ELx"};
    uint64_t value;
    size_t length;
    if (at == scanner->end || *at != ')')
        return at;
    const char *word = skip_in_line(scanner, at + 1);
    if (!phrase_at(word, scanner->end, "at", &length))
        return at;
    const char *end = take_prefixed(skip_in_line(scanner, word + length), scanner->end, &value);
    if (!end)
        return at;
    set_written(add_value(scanner, word, length, &address, value), "address", 7);
    return end;
}

/* Words that mean a syndrome only where other words stand before: "status 0x92000044", "code". */
const char *word_in_context(struct scanner *scanner, const char *at)
{
    static const struct name syndrome = {.meaning = MEANING_SYNDROME, .canonical = "ESR_ELx"};
    static const char *const words[] = {"status", "code", "fault", "fsr", "abort", "error"};
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
        return address_of_fault(scanner, end);
    }
    return NULL;
}

const char *phrase_with_value(struct scanner *scanner, const char *at)
{
    size_t length;
    const char *after = NULL;
    if (phrase_at(at, scanner->end, "internal error", &length))
        after = internal_error(scanner, at);
    if (!after && phrase_at(at, scanner->end, "op0", &length))
        after = encoding(scanner, at);
    if (!after && phrase_at(at, scanner->end, "write", &length))
        after = encoding_before(scanner, at, true);
    if (!after && phrase_at(at, scanner->end, "read", &length))
        after = encoding_before(scanner, at, false);
    return after;
}
