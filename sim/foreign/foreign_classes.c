/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/foreign_classes.h"

#include <stddef.h>
#include <string.h>

/* QEMU's exceptions, as bits. */
#define QEMU_NAME_MAP(X)                                                                           \
    X(UNDEFINED, "Undefined Instruction")                                                          \
    X(SVC, "SVC")                                                                                  \
    X(PREFETCH, "Prefetch Abort")                                                                  \
    X(DATA, "Data Abort")                                                                          \
    X(BREAKPOINT, "Breakpoint")                                                                    \
    X(HVC, "Hypervisor Call")                                                                      \
    X(HYP_TRAP, "Hypervisor Trap")                                                                 \
    X(SMC, "Secure Monitor Call")                                                                  \
    X(GRANULE, "Granule Protection Check")                                                         \
    X(VIRTUAL_SERROR, "Virtual SERR")

enum qemu_name {
#define QEMU_ENUM(id, name) QEMU_##id,
    QEMU_NAME_MAP(QEMU_ENUM)
#undef QEMU_ENUM
        QEMU_NAMES
};

static const char *const qemu_names[] = {
#define QEMU_TEXT(id, name) name,
    QEMU_NAME_MAP(QEMU_TEXT)
#undef QEMU_TEXT
};

#define Q(id) (1u << QEMU_##id)

static const struct class_info classes[] = {
    {0x00, "UNKNOWN", NULL, Q(UNDEFINED)},
    {0x01, "WFx", "WFI", Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x03, "CP15_32", NULL, Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x04, "CP15_64", NULL, Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x05, "CP14_MR", NULL, Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x06, "CP14_LS", NULL, Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x07, "FP_ASIMD", "CP_0_13", Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x08, "CP10_ID", NULL, Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x09, "PAC", "JAZELLE", Q(UNDEFINED)},
    {0x0a, "OTHER", "BXJ", Q(UNDEFINED)},
    {0x0c, "CP14_64", NULL, Q(UNDEFINED) | Q(HYP_TRAP)},
    {0x0d, NULL, NULL, Q(UNDEFINED)},
    {0x0e, NULL, NULL, Q(UNDEFINED)},
    {0x11, NULL, "SVC_HYP", Q(SVC)},
    {0x12, NULL, "HVC", Q(HVC)},
    {0x13, NULL, "SMC", Q(HYP_TRAP) | Q(SMC)},
    {0x14, NULL, NULL, Q(UNDEFINED)},
    {0x15, "SVC64", NULL, Q(SVC)},
    {0x16, "HVC64", NULL, Q(HVC)},
    {0x17, "SMC64", NULL, Q(HYP_TRAP) | Q(SMC)},
    {0x18, "SYS64", NULL, Q(UNDEFINED)},
    {0x19, "SVE", NULL, Q(UNDEFINED)},
    {0x1a, "ERET", NULL, Q(UNDEFINED)},
    {0x1c, NULL, NULL, Q(UNDEFINED)},
    {0x1d, NULL, NULL, Q(UNDEFINED)},
    {0x1f, "IMP_DEF", NULL, Q(UNDEFINED)},
    {0x20, "IABT_LOW", "IABT", Q(PREFETCH)},
    {0x21, "IABT_CUR", "IABT_HYP", Q(PREFETCH)},
    {0x22, "PC_ALIGN", NULL, Q(PREFETCH)},
    {0x24, "DABT_LOW", "DABT", Q(DATA)},
    {0x25, "DABT_CUR", "DABT_HYP", Q(DATA)},
    {0x26, "SP_ALIGN", NULL, Q(DATA) | Q(UNDEFINED)},
    {0x27, NULL, NULL, Q(UNDEFINED)},
    {0x28, "FP_EXC32", NULL, Q(UNDEFINED)},
    {0x2c, "FP_EXC64", NULL, Q(UNDEFINED)},
    {0x2f, "SERROR", NULL, Q(VIRTUAL_SERROR)},
    {0x30, "BREAKPT_LOW", NULL, Q(PREFETCH) | Q(BREAKPOINT)},
    {0x31, "BREAKPT_CUR", NULL, Q(PREFETCH) | Q(BREAKPOINT)},
    {0x32, "SOFTSTP_LOW", NULL, Q(UNDEFINED)},
    {0x33, "SOFTSTP_CUR", NULL, Q(UNDEFINED)},
    {0x34, "WATCHPT_LOW", NULL, Q(DATA)},
    {0x35, "WATCHPT_CUR", NULL, Q(DATA)},
    {0x38, "BKPT32", NULL, Q(BREAKPOINT)},
    {0x3a, "VECTOR32", NULL, Q(PREFETCH)},
    {0x3c, "BRK64", NULL, Q(BREAKPOINT)},
};

const struct class_info *class_find(uint64_t class)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (classes[i].class == class)
            return &classes[i];
    }
    return NULL;
}

const char *class_name(uint64_t class)
{
    const struct class_info *info = class_find(class);
    return info && info->kvm ? info->kvm : "?";
}

bool class_of_name(const char *name, uint64_t *class)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const struct class_info *info = &classes[i];
        *class = info->class;
        if ((info->kvm && strcmp(info->kvm, name) == 0) ||
            (info->kvm32 && strcmp(info->kvm32, name) == 0))
            return true;
    }
    return false;
}

unsigned qemu_exception(const char *name)
{
    for (unsigned i = 0; i < QEMU_NAMES; i++) {
        if (strcmp(qemu_names[i], name) == 0)
            return 1u << i;
    }
    return 0;
}
