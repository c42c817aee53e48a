/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ARM_FIELD_H
#define FAULTHANDLER_ARM_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <faulthandler/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Words made of fields, as the Arm Architecture Reference Manual (DDI 0487) and the SMMU
 * architecture (IHI 0062) draw them. Each word is one table, FH_ARM_FIELDS_name(FIELD), with a row
 * for each field from the top bit down:
 *
 *   FIELD(name, high, low, words, "what the field says")
 *
 * `name` is the manual's; `words` is a table of the values in words (arm_words.h: NONE for a
 * number, HEX for a hexadecimal one). Two things are made from such a table:
 *
 *   - FH_ARM_WORD(name): a struct with a member for each field, and two functions, each the inverse
 *     of the other: fh_arm_name_of(word) takes the word apart, fh_arm_name_word(&fields) puts it
 *     together. Bits that no field has are lost; FH_ARM_BITS(name) are those that some field has.
 *   - struct fh_arm_layout: the same at run time, for what prints words.
 */
#define FH_ARM_MASK(high, low) (UINT64_MAX >> (63 - (high)) & UINT64_MAX << (low))

static inline uint64_t fh_arm_mask(unsigned high, unsigned low)
{
    return FH_ARM_MASK(high, low);
}

/* Bits high..low of a word; and a value where these bits are, cut off to their number. */
static inline uint64_t fh_arm_get(uint64_t word, unsigned high, unsigned low)
{
    return (word & fh_arm_mask(high, low)) >> low;
}

static inline uint64_t fh_arm_put(uint64_t value, unsigned high, unsigned low)
{
    return value << low & fh_arm_mask(high, low);
}

/* clang-format off */
#define FH_ARM_MEMBER(name, high, low, words, meaning) uint64_t name;
#define FH_ARM_TAKE(name, high, low, words, meaning) fields.name = fh_arm_get(word, high, low);
#define FH_ARM_GIVE(name, high, low, words, meaning) word |= fh_arm_put(fields->name, high, low);
#define FH_ARM_MASK_OF(name, high, low, words, meaning) | FH_ARM_MASK(high, low)

#define FH_ARM_BITS(name) (UINT64_C(0) FH_ARM_FIELDS_##name(FH_ARM_MASK_OF))

#define FH_ARM_WORD(name)                                                                           \
    struct fh_arm_##name {                                                                          \
        FH_ARM_FIELDS_##name(FH_ARM_MEMBER)                                                         \
    };                                                                                              \
    static inline struct fh_arm_##name fh_arm_##name##_of(uint64_t word)                            \
    {                                                                                               \
        struct fh_arm_##name fields;                                                                \
        FH_ARM_FIELDS_##name(FH_ARM_TAKE)                                                           \
        return fields;                                                                              \
    }                                                                                               \
    static inline uint64_t fh_arm_##name##_word(const struct fh_arm_##name *fields)                 \
    {                                                                                               \
        uint64_t word = 0;                                                                          \
        FH_ARM_FIELDS_##name(FH_ARM_GIVE)                                                           \
        return word;                                                                                \
    }
/* clang-format on */

/* How a field's value is said in words. */
enum fh_arm_words_kind {
    FH_ARM_SAY_NUMBER, /* decimal */
    FH_ARM_SAY_HEX,
    FH_ARM_SAY_WORDS,    /* a row of `words`, else "reserved" */
    FH_ARM_SAY_ADDRESS,  /* value << field's low bit: the bits stand where the address has them */
    FH_ARM_SAY_PAGE,     /* HPFAR_EL2's: value << 12 */
    FH_ARM_SAY_REGISTER, /* a general register of AArch64, of which 31 is the zero register */
    FH_ARM_SAY_STATUS    /* a fault status code: arm_syndrome.h has the table */
};

struct fh_arm_word {
    uint64_t value;
    const char *text;
};

struct fh_arm_words {
    enum fh_arm_words_kind kind;
    const struct fh_arm_word *rows; /* ends with text == NULL */
};

struct fh_arm_field {
    const char *name;
    uint8_t high;
    uint8_t low;
    const struct fh_arm_words *words;
    const char *meaning;
};

/* The fields of a word, from the top bit down. `bits` has a 1 where some field has one. */
struct fh_arm_layout {
    const char *name;
    uint64_t bits;
    const struct fh_arm_field *fields;
    unsigned nfields;
};

/* A field of a layout by its name, letter for letter; NULL if there is none. */
FH_API const struct fh_arm_field *fh_arm_layout_field(const struct fh_arm_layout *layout,
                                                      const char *name, size_t length);

/* The field's value in a word. */
static inline uint64_t fh_arm_field_value(const struct fh_arm_field *field, uint64_t word)
{
    return fh_arm_get(word, field->high, field->low);
}

/*
 * A field's value in words, "4 bytes" or "0x12", into buffer[0..size), always terminated when size
 * > 0. Returns the length of the whole text, as snprintf does; so do all fh_arm_describe_*.
 */
FH_API size_t fh_arm_describe_field(const struct fh_arm_field *field, uint64_t word, char *buffer,
                                    size_t size);

/*
 * A word field by field, those that are not 0: "ISV=1, SAS=2 (4 bytes), SRT=3 (X3)"; bits that no
 * field has stand at the end as "reserved bits 0x... set".
 */
FH_API size_t fh_arm_describe_word(const struct fh_arm_layout *layout, uint64_t word, char *buffer,
                                   size_t size);

#ifdef __cplusplus
}
#endif

#endif
