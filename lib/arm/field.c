/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_field.h>

#include "arm/words.h"
#include "base/text.h"

const struct fh_arm_field *fh_arm_layout_field(const struct fh_arm_layout *layout, const char *name,
                                               size_t length)
{
    for (unsigned i = 0; i < layout->nfields; i++) {
        const char *own = layout->fields[i].name;
        size_t n = 0;
        while (n < length && own[n] && own[n] == name[n])
            n++;
        if (n == length && !own[n])
            return &layout->fields[i];
    }
    return NULL;
}

void fh_arm_put_hex(struct text *text, uint64_t value)
{
    text_put(text, "0x");
    text_put_digits(text, value, 16);
}

/* 31 is the zero register here: no access that a syndrome describes has SP as data. */
void fh_arm_put_register(struct text *text, uint64_t number, bool is_64bit)
{
    text_put_char(text, is_64bit ? 'X' : 'W');
    if (number == 31)
        text_put(text, "ZR");
    else
        text_put_digits(text, number, 10);
}

static void put_value(struct text *text, const struct fh_arm_field *field, uint64_t word)
{
    const uint64_t value = fh_arm_field_value(field, word);
    const char *words = fh_arm_word_text(field->words, value);
    switch (field->words->kind) {
    case FH_ARM_SAY_NUMBER: text_put_digits(text, value, 10); break;
    case FH_ARM_SAY_HEX: fh_arm_put_hex(text, value); break;
    case FH_ARM_SAY_ADDRESS: fh_arm_put_hex(text, value << field->low); break;
    case FH_ARM_SAY_PAGE: fh_arm_put_hex(text, value << 12); break;
    case FH_ARM_SAY_REGISTER: fh_arm_put_register(text, value, true); break;
    case FH_ARM_SAY_STATUS: fh_arm_put_status(text, value); break;
    case FH_ARM_SAY_WORDS: text_put(text, words ? words : "reserved"); break;
    }
}

size_t fh_arm_describe_field(const struct fh_arm_field *field, uint64_t word, char *buffer,
                             size_t size)
{
    struct text text = {buffer, size, 0};
    put_value(&text, field, word);
    return text_end(&text);
}

/* Are a value's words more than the number itself? */
static bool has_words(const struct fh_arm_field *field)
{
    const enum fh_arm_words_kind kind = field->words->kind;
    return field->words != &fh_arm_words_FLAG &&
           (kind == FH_ARM_SAY_WORDS || kind == FH_ARM_SAY_REGISTER || kind == FH_ARM_SAY_STATUS);
}

/* "SAS=2 (4 bytes)" */
static void put_field(struct text *text, const struct fh_arm_field *field, uint64_t word)
{
    text_put(text, field->name);
    text_put_char(text, '=');
    if (!has_words(field) && field->words != &fh_arm_words_FLAG) {
        put_value(text, field, word);
        return;
    }
    text_put_value(text, fh_arm_field_value(field, word));
    if (!has_words(field))
        return;
    text_put(text, " (");
    put_value(text, field, word);
    text_put_char(text, ')');
}

static void put_separator(struct text *text, size_t start)
{
    if (text->length > start)
        text_put(text, ", ");
}

void fh_arm_put_fields(struct text *text, const struct fh_arm_layout *layout, uint64_t word)
{
    const size_t start = text->length;
    for (unsigned i = 0; i < layout->nfields; i++) {
        if (fh_arm_field_value(&layout->fields[i], word) == 0)
            continue;
        put_separator(text, start);
        put_field(text, &layout->fields[i], word);
    }
    if (!(word & ~layout->bits))
        return;
    put_separator(text, start);
    text_put(text, "reserved bits ");
    fh_arm_put_hex(text, word & ~layout->bits);
    text_put(text, " set");
}

size_t fh_arm_describe_word(const struct fh_arm_layout *layout, uint64_t word, char *buffer,
                            size_t size)
{
    struct text text = {buffer, size, 0};
    fh_arm_put_fields(&text, layout, word);
    return text_end(&text);
}
