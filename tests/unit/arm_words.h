/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_ARM_WORDS_H
#define FH_TESTS_ARM_WORDS_H

#include "support.h"

#include <string.h>

#include <faulthandler/arm_field.h>

/* Take a word apart and put it together again. */
typedef uint64_t round_trip(uint64_t word);

#define DEFINE_ROUND_TRIP(name)                                                                    \
    static uint64_t through_##name(uint64_t word)                                                  \
    {                                                                                              \
        const struct fh_arm_##name fields = fh_arm_##name##_of(word);                              \
        return fh_arm_##name##_word(&fields);                                                      \
    }

/*
 * decode(encode(x)) = x for every value x of every field (random ones beyond 16 bits), and
 * encode(decode(w)) = w on the defined bits of random words.
 */
static inline void check_round_trip(const struct fh_arm_layout *layout, round_trip *through)
{
    uint64_t seed = 1;
    for (unsigned i = 0; i < layout->nfields; i++) {
        const struct fh_arm_field *field = &layout->fields[i];
        const bool is_small = field->high - field->low < 16;
        const uint64_t count = UINT64_C(1) << (is_small ? field->high - field->low + 1 : 16);
        for (uint64_t n = 0; n < count; n++) {
            const uint64_t value = is_small ? n : random_u64(&seed);
            const uint64_t word = fh_arm_put(value, field->high, field->low);
            if (through(word) != word)
                ck_abort_msg("%s.%s: 0x%llx", layout->name, field->name, (unsigned long long)word);
        }
    }
    for (unsigned i = 0; i < 2000; i++) {
        const uint64_t word = random_u64(&seed);
        if (through(word) != (word & layout->bits))
            ck_abort_msg("%s: 0x%llx", layout->name, (unsigned long long)word);
    }
}

/* Fields stand from the top down, do not overlap, are found by name, and make up `bits`. */
static inline void check_layout(const struct fh_arm_layout *layout)
{
    unsigned above = 64;
    uint64_t bits = 0;
    for (unsigned i = 0; i < layout->nfields; i++) {
        const struct fh_arm_field *field = &layout->fields[i];
        ck_assert_msg(field->high < above && field->low <= field->high, "%s.%s", layout->name,
                      field->name);
        above = field->low;
        bits |= fh_arm_mask(field->high, field->low);
        ck_assert_ptr_eq(fh_arm_layout_field(layout, field->name, strlen(field->name)), field);
        ck_assert(field->meaning[0]);
    }
    ck_assert_uint_eq(bits, layout->bits);
}

#endif
