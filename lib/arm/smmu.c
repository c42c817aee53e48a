/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_smmu.h>

#include "arm/words.h"
#include "base/text.h"

FH_ARM_SMMU_LAYOUT_MAP(ARM_LAYOUT)

static const struct fh_arm_smmu_register registers[] = {
#define REGISTER(page, offset, step, count, name, width, form, meaning)                            \
    {#name, FH_ARM_SMMU_##page, offset, step, count, width, &layout_##form, meaning},
    FH_ARM_SMMU_MAP(REGISTER)
#undef REGISTER
};

enum { REGISTERS = sizeof registers / sizeof *registers };

const struct fh_arm_smmu_register *fh_arm_smmu_register_at(unsigned index)
{
    return index < REGISTERS ? &registers[index] : NULL;
}

const struct fh_arm_smmu_register *fh_arm_smmu_register_named(enum fh_arm_smmu_page page,
                                                              const char *name, size_t length)
{
    for (unsigned i = 0; i < REGISTERS; i++) {
        const struct fh_arm_smmu_register *reg = &registers[i];
        if (reg->page == page &&
            (fh_arm_is_named(reg->name, name, length) ||
             (reg->name[0] == 's' && fh_arm_is_named(reg->name + 1, name, length))))
            return reg;
    }
    return NULL;
}

const struct fh_arm_smmu_register *fh_arm_smmu_register_in(enum fh_arm_smmu_page page,
                                                           uint64_t offset, unsigned *number)
{
    for (unsigned i = 0; i < REGISTERS; i++) {
        const struct fh_arm_smmu_register *reg = &registers[i];
        const unsigned bytes = reg->step ? reg->step : reg->width / 8u;
        if (reg->page != page || offset < reg->offset ||
            offset >= reg->offset + (uint64_t)bytes * reg->count)
            continue;
        *number = (unsigned)(offset - reg->offset) / bytes;
        return reg;
    }
    return NULL;
}

enum fh_arm_smmu_page fh_arm_smmu_place(uint64_t offset, uint64_t global_size, unsigned page_shift,
                                        uint64_t *in_page, uint64_t *bank)
{
    *in_page = offset & ((UINT64_C(1) << page_shift) - 1);
    *bank = 0;
    if (offset >= global_size) {
        *bank = (offset - global_size) >> page_shift;
        return FH_ARM_SMMU_CB;
    }
    return offset >> page_shift == 0 ? FH_ARM_SMMU_GR0 : FH_ARM_SMMU_GR1;
}

size_t fh_arm_describe_smmu_register(enum fh_arm_smmu_page page, uint64_t offset, char *buffer,
                                     size_t size)
{
    struct text text = {buffer, size, 0};
    unsigned number;
    const struct fh_arm_smmu_register *reg = fh_arm_smmu_register_in(page, offset, &number);
    if (page == FH_ARM_SMMU_CB)
        text_put(&text, "CB ");
    text_put(&text, reg ? reg->name : "offset ");
    if (!reg)
        fh_arm_put_hex(&text, offset);
    else if (reg->count > 1)
        text_put_digits(&text, number, 10);
    return text_end(&text);
}
