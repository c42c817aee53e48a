/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/account.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The form of descriptors: that of 4 KiB pages where VTCR_EL2 does not say another. */
static struct fh_arm_stage2 stage2_of(const struct joined *joined)
{
    static const unsigned bits[] = {12, 16, 14, 12};
    struct fh_arm_stage2 stage2 = {.granule_bits = 12};
    if (joined->vtcr) {
        const struct fh_arm_vtcr_el2 vtcr = fh_arm_vtcr_el2_of(joined->vtcr->value);
        stage2.granule_bits = bits[vtcr.TG0];
        stage2.is_52bit = vtcr.DS || (vtcr.TG0 == 1 && vtcr.PS == 6);
    }
    stage2.has_fwb = fh_arm_hcr_el2_of(joined_hcr(joined)).FWB;
    return stage2;
}

/* Linux prints the descriptors of its own stage 1 with an oops. */
static bool is_stage1_descriptor(const struct joined *joined)
{
    return joined->report->subject == SUBJECT_SELF || joined->is_stage1;
}

static void account_of_descriptor(const struct found *found, const struct joined *joined,
                                  char *buffer, size_t size)
{
    const struct fh_arm_stage2 stage2 = stage2_of(joined);
    if (is_stage1_descriptor(joined)) {
        const bool is_valid = found->value & 1;
        snprintf(buffer, size, "stage 1 descriptor of level %d: %s", found->name.level,
                 is_valid ? "valid" : "not valid");
        return;
    }
    const int used = snprintf(buffer, size, "level %d: ", found->name.level);
    fh_arm_describe_descriptor(&stage2, found->name.level, found->value, buffer + used,
                               size - (size_t)used);
}

static void account_of_class(uint64_t class, char *buffer, size_t size)
{
    const struct fh_arm_class_info *info = fh_arm_find_class(class);
    if (info)
        snprintf(buffer, size, "%s, %s", info->name, info->meaning);
    else
        snprintf(buffer, size, "a class that the architecture does not define");
}

static void account_of_encoding(const struct found *found, char *buffer, size_t size)
{
    char name[32];
    const struct fh_arm_encoding encoding = fh_arm_esr_encoding(found->value);
    fh_arm_describe_encoding(&encoding, name, sizeof name);
    snprintf(buffer, size, "%s of %s%s%s", found->is_write ? "write" : "read", name,
             found->name.reg && found->name.reg->trap[0] ? ", taken to EL2 by " : "",
             found->name.reg ? found->name.reg->trap : "");
}

/* A processor's state has one form, whatever register holds it. */
static const char *meaning_of_register(const struct found *found)
{
    if (found->name.meaning != MEANING_STATE)
        return found->name.reg->meaning;
    if (!strcasestr(found->written, "spsr"))
        return "state of the processor";
    if (strcasestr(found->written, "_el3"))
        return "saved state of EL3";
    return strchr(found->written, '_') ? found->name.reg->meaning : "saved state";
}

/* A register's own account, its fields; what it is where it has none. */
static void account_of_register(const struct found *found, const struct joined *joined,
                                char *buffer, size_t size)
{
    const struct fh_arm_register *reg = found->name.reg;
    const int used = snprintf(buffer, size, "%s", meaning_of_register(found));
    uint64_t word;
    if (layout_of(found, joined, &word) && word && (size_t)used + 2 < size) {
        memcpy(buffer + used, ": ", 3);
        fh_arm_describe_register(reg, found->value, joined_hcr(joined), buffer + used + 2,
                                 size - (size_t)used - 2);
    }
}

void account_of(const struct found *found, const struct joined *joined, char *buffer, size_t size)
{
    switch (found->name.meaning) {
    case MEANING_SYNDROME: fh_arm_describe_esr(found->value, buffer, size); break;
    case MEANING_CLASS: account_of_class(found->value, buffer, size); break;
    case MEANING_STATUS: fh_arm_describe_status(found->value, buffer, size); break;
    case MEANING_DESCRIPTOR: account_of_descriptor(found, joined, buffer, size); break;
    case MEANING_ENCODING: account_of_encoding(found, buffer, size); break;
    case MEANING_STATE:
    case MEANING_REGISTER: account_of_register(found, joined, buffer, size); break;
    case MEANING_SMMU_GLOBAL:
    case MEANING_SMMU_BANK: {
        const int used =
            snprintf(buffer, size, "%s%s", found->name.smmu->meaning, found->value ? ": " : "");
        fh_arm_describe_word(found->name.smmu->layout, found->value, buffer + used,
                             size - (size_t)used);
        break;
    }
    case MEANING_HPFAR:
        snprintf(buffer, size, "%s: 0x%" PRIx64, meaning_called(MEANING_HPFAR),
                 fh_arm_hpfar_el2_of(found->value).FIPA << 12);
        break;
    default: snprintf(buffer, size, "%s", meaning_called(found->name.meaning));
    }
}

const struct fh_arm_layout *layout_of(const struct found *found, const struct joined *joined,
                                      uint64_t *word)
{
    const struct fh_arm_layout *layout = NULL;
    *word = found->value;
    if (found->name.meaning == MEANING_SYNDROME)
        layout = fh_arm_esr_layout(found->value);
    else if (found->name.smmu)
        layout = found->name.smmu->layout;
    else if (found->name.meaning == MEANING_DESCRIPTOR && !is_stage1_descriptor(joined)) {
        const struct fh_arm_stage2 stage2 = stage2_of(joined);
        const struct fh_arm_descriptor descriptor =
            fh_arm_descriptor_of(&stage2, found->name.level, found->value);
        *word = fh_arm_stage2_leaf_word(&descriptor.leaf);
        if (descriptor.kind == FH_ARM_BLOCK || descriptor.kind == FH_ARM_PAGE)
            layout = fh_arm_stage2_leaf_layout();
    } else if (found->name.meaning == MEANING_REGISTER || found->name.meaning == MEANING_STATE ||
               found->name.meaning == MEANING_HPFAR) {
        layout = fh_arm_register_layout(found->name.reg, found->value, joined_hcr(joined));
    }
    return layout && layout->nfields > 1 ? layout : NULL;
}

bool field_counts(const struct fh_arm_field *field, uint64_t word)
{
    if (fh_arm_field_value(field, word) != 0)
        return true;
    /* "read", "not described" and "1 byte" are zeros too; a severity is not, where there is none.
     */
    static const char *const said[] = {"ISV",  "WnR", "SAS",       "DFSC", "IFSC",   "WNR",
                                       "PLVL", "TI",  "Direction", "S2AP", "MemAttr"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (strcmp(field->name, said[i]) == 0)
            return true;
    }
    return false;
}
