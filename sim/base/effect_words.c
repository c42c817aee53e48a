/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/effect_words.h"

#include <faulthandler/arm.h>

enum { LEVELS = 4, LEAF = 3 };

static size_t nothing(char *buffer, size_t size)
{
    if (size > 0)
        buffer[0] = '\0';
    return 0;
}

size_t descriptor_words(uint64_t level, uint64_t word, char *buffer, size_t size)
{
    static const struct fh_arm_stage2 pages = {.granule_bits = 12};
    if (word == 0 || level >= LEVELS)
        return nothing(buffer, size);
    return fh_arm_describe_descriptor(&pages, (int)level, word, buffer, size);
}

/*
 * Words that maps hold are not those of a table: the word of a block has the bits of a page, and
 * its level beside it.
 */
static size_t leaf_words(uint64_t level, uint64_t word, char *buffer, size_t size)
{
    const bool is_block = level < LEAF && (word & 3) == 3;
    return descriptor_words(level, is_block ? word & ~UINT64_C(2) : word, buffer, size);
}

size_t effect_words(const struct fh_effect *effect, char *buffer, size_t size)
{
    const uint64_t *v = effect->values;
    switch (effect->kind) {
    case FH_EFFECT_NPT_READ:
    case FH_EFFECT_NPT_SET: return leaf_words(v[2], v[3], buffer, size);
    case FH_EFFECT_SPT_READ:
    case FH_EFFECT_SPT_SET: return descriptor_words(LEAF, v[3], buffer, size);
    case FH_EFFECT_PT_STORE: return descriptor_words(v[4], v[3], buffer, size);
    case FH_EFFECT_EMULATE_MMIO: return fh_arm_describe_esr(v[1], buffer, size);
    case FH_EFFECT_VTCR_SET:
        return fh_arm_describe_register(fh_arm_register_named("VTCR_EL2", 8), v[0], 0, buffer,
                                        size);
    default: return nothing(buffer, size);
    }
}
