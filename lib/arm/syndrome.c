/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_registers.h>

#include "arm/words.h"
#include "base/text.h"

/* --- Classes --------------------------------------------------------------------------------- */

static const struct fh_arm_class_info classes[] = {
#define CLASS_INFO(value, name, form, from, meaning)                                               \
    {value, #name, meaning, FH_ARM_FORM_##form, from},
    FH_ARM_CLASS_MAP(CLASS_INFO)
#undef CLASS_INFO
};

enum { CLASSES = sizeof classes / sizeof *classes };

const struct fh_arm_class_info *fh_arm_find_class(uint64_t ec)
{
    for (unsigned i = 0; i < CLASSES; i++) {
        if (classes[i].value == ec)
            return &classes[i];
    }
    return NULL;
}

const struct fh_arm_class_info *fh_arm_class_named(const char *name, size_t length)
{
    for (unsigned i = 0; i < CLASSES; i++) {
        size_t n = 0;
        while (n < length && classes[i].name[n] && classes[i].name[n] == name[n])
            n++;
        if (n == length && !classes[i].name[n])
            return &classes[i];
    }
    return NULL;
}

const char *fh_arm_class_name(uint64_t ec)
{
    const struct fh_arm_class_info *info = fh_arm_find_class(ec);
    return info ? info->name : "?";
}

/* --- Forms ----------------------------------------------------------------------------------- */

#define ESR_LAYOUT(name) ARM_LAYOUT(esr_##name)
FH_ARM_FORM_MAP(ESR_LAYOUT)

static const struct fh_arm_layout *const layouts[] = {
#define LAYOUT_ADDRESS(name) &layout_esr_##name,
    FH_ARM_FORM_MAP(LAYOUT_ADDRESS)
#undef LAYOUT_ADDRESS
};

const struct fh_arm_layout *fh_arm_form_layout(enum fh_arm_form form)
{
    return layouts[form];
}

enum { BIT_24 = 1 << 24 };

const struct fh_arm_layout *fh_arm_esr_layout(uint64_t esr)
{
    const struct fh_arm_class_info *info = fh_arm_find_class(fh_arm_esr_class(esr));
    if (!info)
        return NULL;
    if (info->form == FH_ARM_FORM_data_abort && !(esr & BIT_24))
        return layouts[FH_ARM_FORM_data_abort_undescribed];
    if (info->form == FH_ARM_FORM_serror && esr & BIT_24)
        return layouts[FH_ARM_FORM_serror_implementation];
    return layouts[info->form];
}

/* --- Status codes ---------------------------------------------------------------------------- */

static const struct status_range {
    uint8_t first;
    uint8_t last;
    int8_t level;
    const char *meaning;
} ranges[] = {
#define RANGE(first, last, name, level, meaning) {first, last, level, meaning},
    FH_ARM_STATUS_MAP(RANGE)
#undef RANGE
};

enum { RANGES = sizeof ranges / sizeof *ranges };

bool fh_arm_status_fault(uint64_t code, struct fh_arm_fault *fault)
{
    for (unsigned i = 0; i < RANGES; i++) {
        const struct status_range *range = &ranges[i];
        if (code < range->first || code > range->last)
            continue;
        const bool has_level = range->level != FH_ARM_NO_LEVEL;
        fault->kind = (enum fh_arm_status)range->first;
        fault->level = range->level + (has_level ? (int)(code - range->first) : 0);
        fault->meaning = range->meaning;
        return true;
    }
    return false;
}

/* The code of a level in one range; false if the range has no such level. */
static bool code_in_range(enum fh_arm_status kind, int level, uint64_t *code)
{
    for (unsigned i = 0; i < RANGES; i++) {
        const struct status_range *range = &ranges[i];
        if (range->first != (uint8_t)kind)
            continue;
        const int above = level - range->level;
        if (above < 0 || above > range->last - range->first)
            return false;
        *code = (uint64_t)(range->first + above);
        return true;
    }
    return false;
}

/* Levels below 0 came later, and have codes of their own. */
bool fh_arm_fault_status(enum fh_arm_status kind, int level, uint64_t *code)
{
    if (kind == FH_ARM_STATUS_ADDRESS_SIZE && level == -1)
        kind = FH_ARM_STATUS_ADDRESS_SIZE_BELOW_0;
    if (kind == FH_ARM_STATUS_ADDRESS_SIZE && level == -2)
        kind = FH_ARM_STATUS_ADDRESS_SIZE_BELOW_1;
    if (kind == FH_ARM_STATUS_TRANSLATION && level < 0)
        kind = FH_ARM_STATUS_TRANSLATION_BELOW_0;
    return code_in_range(kind, level, code);
}

/* --- In words -------------------------------------------------------------------------------- */

void fh_arm_put_status(struct text *text, uint64_t code)
{
    struct fh_arm_fault fault;
    if (!fh_arm_status_fault(code, &fault)) {
        text_put(text, "reserved status ");
        fh_arm_put_hex(text, code);
        return;
    }
    text_put(text, fault.meaning);
    if (fault.level == FH_ARM_NO_LEVEL)
        return;
    text_put(text, fault.level < 0 ? ", level -" : ", level ");
    text_put_digits(text, (uint64_t)(fault.level < 0 ? -fault.level : fault.level), 10);
}

size_t fh_arm_describe_status(uint64_t code, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    fh_arm_put_status(&text, code);
    return text_end(&text);
}

/* "write of 4 bytes from W3"; without ISV "write, not described (ISV=0)" */
static void put_access(struct text *text, const struct fh_arm_esr_data_abort *abort)
{
    const bool is_write = abort->WnR;
    text_put(text, is_write ? "write" : "read");
    if (abort->CM) {
        text_put(text, " of cache maintenance or address translation");
    } else if (!abort->ISV) {
        text_put(text, ", access not described (ISV=0)");
    } else {
        text_put(text, " of ");
        text_put_digits(text, UINT64_C(1) << abort->SAS, 10);
        text_put(text, abort->SAS == 0 ? " byte " : " bytes ");
        text_put(text, is_write ? "from " : "into ");
        fh_arm_put_register(text, abort->SRT, abort->SF);
        text_put(text, abort->SSE ? ", sign-extended" : "");
        text_put(text, abort->AR ? ", acquire or release" : "");
    }
}

static void put_data_abort(struct text *text, uint64_t esr)
{
    const struct fh_arm_esr_data_abort abort = fh_arm_esr_data_abort_of(esr);
    put_access(text, &abort);
    text_put(text, ", ");
    fh_arm_put_status(text, abort.DFSC);
    text_put(text, abort.S1PTW ? ", on a stage 1 table walk" : "");
    text_put(text, abort.VNCR ? ", by way of VNCR_EL2" : "");
    text_put(text, abort.FnV ? ", FAR not valid" : "");
    text_put(text, abort.EA ? ", EA=1" : "");
}

static void put_instruction_abort(struct text *text, uint64_t esr)
{
    const struct fh_arm_esr_instruction_abort abort = fh_arm_esr_instruction_abort_of(esr);
    text_put(text, "instruction fetch, ");
    fh_arm_put_status(text, abort.IFSC);
    text_put(text, abort.S1PTW ? ", on a stage 1 table walk" : "");
    text_put(text, abort.FnV ? ", FAR not valid" : "");
    text_put(text, abort.EA ? ", EA=1" : "");
}

/* "read of ID_AA64PFR0_EL1 into X5"; a system instruction: "DC CISW with X5" */
static void put_system_access(struct text *text, uint64_t esr)
{
    const struct fh_arm_esr_sys64 access = fh_arm_esr_sys64_of(esr);
    const struct fh_arm_encoding encoding = fh_arm_esr_encoding(esr);
    const bool is_instruction = access.Op0 == 1;
    if (!is_instruction)
        text_put(text, access.Direction ? "read of " : "write of ");
    fh_arm_put_encoding(text, &encoding);
    text_put(text, is_instruction ? " with " : access.Direction ? " into " : " from ");
    fh_arm_put_register(text, access.Rt, true);
}

/* Fields below the class and IL, in the table's order. */
static void put_syndrome(struct text *text, uint64_t esr, const struct fh_arm_layout *layout)
{
    if (fh_arm_is_data_abort(esr))
        put_data_abort(text, esr);
    else if (fh_arm_is_instruction_abort(esr))
        put_instruction_abort(text, esr);
    else if (fh_arm_esr_class(esr) == FH_ARM_CLASS_SYS64)
        put_system_access(text, esr);
    else
        fh_arm_put_fields(text, layout, esr & ~FH_ARM_BITS(esr));
}

size_t fh_arm_describe_esr(uint64_t esr, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    const struct fh_arm_layout *layout = fh_arm_esr_layout(esr);
    const struct fh_arm_class_info *info = fh_arm_find_class(fh_arm_esr_class(esr));
    if (!layout) {
        text_put(&text, "class ");
        fh_arm_put_hex(&text, fh_arm_esr_class(esr));
        text_put(&text, ", which the architecture does not define");
        return text_end(&text);
    }
    text_put(&text, info->name);
    text_put(&text, " (");
    text_put(&text, info->meaning);
    text_put(&text, ")");
    const size_t before = text.length;
    text_put(&text, ": ");
    put_syndrome(&text, esr, layout);
    if (text.length == before + 2)
        text.length = before;
    return text_end(&text);
}
