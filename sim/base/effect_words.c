/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/effect_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <faulthandler/arm.h>
#include <faulthandler/reflect.h>

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
size_t entry_words(uint64_t level, uint64_t word, char *buffer, size_t size)
{
    const bool is_block = level < LEAF && (word & 3) == 3;
    return descriptor_words(level, is_block ? word & ~UINT64_C(2) : word, buffer, size);
}

/* Does struct fh_ctxt have a register of this name, in small letters? */
static bool is_register(const char *constant)
{
    const struct fh_type *regs = FH_FIELD_TYPE(fh_rdata_type(), rdata, regs);
    char name[32];
    size_t n = 0;
    for (; constant[n] && n < sizeof name - 1; n++)
        name[n] = (char)tolower((unsigned char)constant[n]);
    for (unsigned i = 0; i < regs->nfields; i++) {
        if (fh_type_field(regs->fields[i].type, name, n))
            return true;
    }
    return false;
}

const char *vcpu_register_name(const struct fh_profile *profile, uint64_t number)
{
    const char *name;
    for (unsigned i = 0; (name = fh_constant_name(i)); i++) {
        uint64_t value;
        if (fh_profile_constant(profile, name, strlen(name), &value) && value == number &&
            is_register(name))
            return name;
    }
    return NULL;
}

size_t effect_words(const struct fh_profile *profile, const struct fh_effect *effect, char *buffer,
                    size_t size)
{
    const uint64_t *v = effect->values;
    const char *name;
    switch (effect->kind) {
    case FH_EFFECT_NPT_READ:
    case FH_EFFECT_NPT_SET: return entry_words(v[2], v[3], buffer, size);
    case FH_EFFECT_SPT_READ:
    case FH_EFFECT_SPT_SET: return descriptor_words(LEAF, v[3], buffer, size);
    case FH_EFFECT_PT_STORE: return descriptor_words(v[4], v[3], buffer, size);
    case FH_EFFECT_EMULATE_MMIO: return fh_arm_describe_esr(v[1], buffer, size);
    case FH_EFFECT_VTCR_SET:
        return fh_arm_describe_register(fh_arm_register_named("VTCR_EL2", 8), v[0], 0, buffer,
                                        size);
    case FH_EFFECT_SHADOW_SET:
    case FH_EFFECT_INT_SET:
        name = vcpu_register_name(profile, v[2]);
        return name ? (size_t)snprintf(buffer, size, "%s", name) : nothing(buffer, size);
    default: return nothing(buffer, size);
    }
}
