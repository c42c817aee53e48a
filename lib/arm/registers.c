/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_registers.h>

#include "arm/words.h"
#include "base/text.h"

/* --- The tables ------------------------------------------------------------------------------ */

ARM_LAYOUT(esr)
FH_ARM_LAYOUT_MAP(ARM_LAYOUT)

static const struct fh_arm_register registers[] = {
#define REGISTER(name, op0, op1, CRn, CRm, op2, width, form, which, other, trap, meaning)          \
    {#name,           {op0, op1, CRn, CRm, op2}, width, &layout_##form,                            \
     &layout_##other, FH_ARM_CHOICE_##which,     trap,  meaning},
    FH_ARM_REGISTER_MAP(REGISTER)
#undef REGISTER
#define NAME(name, op0, op1, CRn, CRm, op2, trap)                                                  \
    {#name,           {op0, op1, CRn, CRm, op2}, 64,   &layout_value64,                            \
     &layout_value64, FH_ARM_CHOICE_NEVER,       trap, ""},
        FH_ARM_NAME_MAP(NAME)
#undef NAME
#define INSTRUCTION(name, op0, op1, CRn, CRm, op2, trap)                                           \
    {name, {op0, op1, CRn, CRm, op2}, 0, &layout_value64, &layout_value64, FH_ARM_CHOICE_NEVER,    \
     trap, "system instruction"},
            FH_ARM_INSTRUCTION_MAP(INSTRUCTION)
#undef INSTRUCTION
};

enum { REGISTERS = sizeof registers / sizeof *registers };

const struct fh_arm_register *fh_arm_register_at(unsigned index)
{
    return index < REGISTERS ? &registers[index] : NULL;
}

/* --- By name and by encoding ----------------------------------------------------------------- */

/* A number of one or two digits; false if there is none, or it is beyond `max`. */
static bool take_number(const char **at, const char *end, uint8_t max, uint8_t *number)
{
    unsigned value = 0, digits = 0;
    while (*at < end && **at >= '0' && **at <= '9' && digits < 2) {
        value = value * 10 + (unsigned)(*(*at)++ - '0');
        digits++;
    }
    *number = (uint8_t)value;
    return digits > 0 && value <= max;
}

static bool take_char(const char **at, const char *end, char c)
{
    return *at < end && fh_arm_upper(*(*at)++) == c;
}

/* "S3_4_C2_C1_2" */
static bool read_encoding(const char *name, size_t length, struct fh_arm_encoding *encoding)
{
    const char *at = name, *end = name + length;
    return take_char(&at, end, 'S') && take_number(&at, end, 3, &encoding->op0) &&
           take_char(&at, end, '_') && take_number(&at, end, 7, &encoding->op1) &&
           take_char(&at, end, '_') && take_char(&at, end, 'C') &&
           take_number(&at, end, 15, &encoding->CRn) && take_char(&at, end, '_') &&
           take_char(&at, end, 'C') && take_number(&at, end, 15, &encoding->CRm) &&
           take_char(&at, end, '_') && take_number(&at, end, 7, &encoding->op2) && at == end;
}

const struct fh_arm_register *fh_arm_register_named(const char *name, size_t length)
{
    struct fh_arm_encoding encoding;
    for (unsigned i = 0; i < REGISTERS; i++) {
        if (fh_arm_is_named(registers[i].name, name, length))
            return &registers[i];
    }
    return read_encoding(name, length, &encoding) ? fh_arm_register_encoded(&encoding) : NULL;
}

/* Which level stands behind the name in `own`? 3, 2, 1 for EL2, EL1, EL0; 0: it is another name. */
static unsigned level_behind(const char *own, const char *name, size_t length)
{
    size_t n = 0;
    while (n < length && own[n] && fh_arm_upper(own[n]) == fh_arm_upper(name[n]))
        n++;
    if (n < length || own[n] != '_' || own[n + 1] != 'E' || own[n + 2] != 'L' || own[n + 3] < '0' ||
        own[n + 3] > '2' || own[n + 4])
        return 0;
    return (unsigned)(own[n + 3] - '0' + 1);
}

const struct fh_arm_register *fh_arm_register_called(const char *name, size_t length)
{
    const struct fh_arm_register *best = fh_arm_register_named(name, length);
    unsigned rank_of_best = 0;
    if (best || length == 0)
        return best;
    for (unsigned i = 0; i < REGISTERS; i++) {
        const unsigned level = level_behind(registers[i].name, name, length);
        const unsigned rank = level + (level && registers[i].meaning[0] ? 4 : 0);
        if (rank > rank_of_best) {
            best = &registers[i];
            rank_of_best = rank;
        }
    }
    return best;
}

static bool is_same(const struct fh_arm_encoding *a, const struct fh_arm_encoding *b)
{
    return a->op0 == b->op0 && a->op1 == b->op1 && a->CRn == b->CRn && a->CRm == b->CRm &&
           a->op2 == b->op2;
}

const struct fh_arm_register *fh_arm_register_encoded(const struct fh_arm_encoding *encoding)
{
    for (unsigned i = 0; i < REGISTERS; i++) {
        if (is_same(&registers[i].encoding, encoding))
            return &registers[i];
    }
    return NULL;
}

void fh_arm_put_encoding(struct text *text, const struct fh_arm_encoding *encoding)
{
    const struct fh_arm_register *reg = fh_arm_register_encoded(encoding);
    if (reg) {
        text_put(text, reg->name);
        return;
    }
    text_put_char(text, 'S');
    text_put_digits(text, encoding->op0, 10);
    text_put_char(text, '_');
    text_put_digits(text, encoding->op1, 10);
    text_put(text, "_C");
    text_put_digits(text, encoding->CRn, 10);
    text_put(text, "_C");
    text_put_digits(text, encoding->CRm, 10);
    text_put_char(text, '_');
    text_put_digits(text, encoding->op2, 10);
}

size_t fh_arm_describe_encoding(const struct fh_arm_encoding *encoding, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    fh_arm_put_encoding(&text, encoding);
    return text_end(&text);
}

/* --- What EL2 takes -------------------------------------------------------------------------- */

/* One control of a register's `trap`: "HCR_EL2.TVM (writes)". */
struct control {
    const char *name; /* "HCR_EL2.TVM" */
    size_t length;
    const char *field;
    size_t field_length;
    bool takes_when_0;
    bool of_reads, of_writes;
};

static size_t until(const char *text, const char *stops)
{
    size_t n = 0;
    for (; text[n]; n++) {
        for (const char *stop = stops; *stop; stop++) {
            if (text[n] == *stop)
                return n;
        }
    }
    return n;
}

/* Read the control at *at, and go on behind it; false at the end. */
static bool next_control(const char **at, struct control *control)
{
    const char *text = *at;
    if (!*text)
        return false;
    const size_t dot = until(text, ".");
    const size_t end = until(text, "=, ");
    *control =
        (struct control){text, end, text + dot + 1, end - dot - 1, text[end] == '=', true, true};
    text += end;
    text += *text == '=' ? 2 : 0;
    if (text[0] == ' ' && text[1] == '(') {
        control->of_reads = text[2] == 'r';
        control->of_writes = text[2] == 'w';
    }
    text += until(text, ",");
    *at = text + (*text ? 2 : 0);
    return true;
}

static enum fh_arm_taken ask(const struct control *control, const struct fh_arm_controls *controls)
{
    const struct {
        const char *name;
        uint64_t word;
    } words[] = {{"HCR_EL2", controls->hcr},
                 {"MDCR_EL2", controls->mdcr},
                 {"CPTR_EL2", controls->cptr},
                 {"CNTHCTL_EL2", controls->cnthctl}};
    const size_t length = control->length - control->field_length - 1;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (!fh_arm_is_named(words[i].name, control->name, length))
            continue;
        const struct fh_arm_register *reg = fh_arm_register_named(control->name, length);
        const struct fh_arm_field *field =
            fh_arm_layout_field(fh_arm_register_layout(reg, words[i].word, controls->hcr),
                                control->field, control->field_length);
        if (!field || field->high != field->low)
            return FH_ARM_MAY_BE_TAKEN;
        const bool is_set = fh_arm_field_value(field, words[i].word) != 0;
        return is_set != control->takes_when_0 ? FH_ARM_TAKEN : FH_ARM_NOT_TAKEN;
    }
    return FH_ARM_MAY_BE_TAKEN;
}

enum fh_arm_taken fh_arm_register_taken(const struct fh_arm_register *reg, bool is_write,
                                        const struct fh_arm_controls *controls, char *by,
                                        size_t size)
{
    enum fh_arm_taken taken = FH_ARM_NOT_TAKEN;
    struct control control;
    struct text text = {by, size, 0};
    for (const char *at = reg->trap; next_control(&at, &control) && taken != FH_ARM_TAKEN;) {
        if (is_write ? !control.of_writes : !control.of_reads)
            continue;
        const enum fh_arm_taken answer = ask(&control, controls);
        if (answer == FH_ARM_NOT_TAKEN || (answer == taken && taken == FH_ARM_MAY_BE_TAKEN))
            continue;
        taken = answer;
        text.length = 0;
        for (size_t i = 0; i < control.length; i++)
            text_put_char(&text, control.name[i]);
    }
    text_end(&text);
    return taken;
}

/* --- Words ----------------------------------------------------------------------------------- */

const struct fh_arm_layout *fh_arm_register_layout(const struct fh_arm_register *reg, uint64_t word,
                                                   uint64_t hcr)
{
    const struct fh_arm_layout *syndrome;
    switch (reg->choice) {
    case FH_ARM_CHOICE_NEVER: return reg->layout;
    case FH_ARM_CHOICE_BIT_0: return word & 1 ? reg->other : reg->layout;
    case FH_ARM_CHOICE_BIT_4: return word & 16 ? reg->other : reg->layout;
    case FH_ARM_CHOICE_E2H: return fh_arm_hcr_el2_of(hcr).E2H ? reg->other : reg->layout;
    case FH_ARM_CHOICE_SYNDROME: break;
    }
    syndrome = fh_arm_esr_layout(word);
    return syndrome ? syndrome : reg->layout;
}

size_t fh_arm_describe_register(const struct fh_arm_register *reg, uint64_t word, uint64_t hcr,
                                char *buffer, size_t size)
{
    if (reg->choice == FH_ARM_CHOICE_SYNDROME)
        return fh_arm_describe_esr(word, buffer, size);
    return fh_arm_describe_word(fh_arm_register_layout(reg, word, hcr), word, buffer, size);
}
