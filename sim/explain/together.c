/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explain/sentence.h"

/* Sentences that join the values of a report. */

/* --- Aborts ---------------------------------------------------------------------------------- */

/* "a write of 4 bytes from W3", with the register's value where it stands beside. */
static void add_access(struct sentence *sentence, const struct joined *joined)
{
    const uint64_t esr = joined->syndrome->value;
    const struct fh_arm_esr_data_abort abort = fh_arm_esr_data_abort_of(esr);
    if (fh_arm_is_instruction_abort(esr)) {
        sentence_add(sentence, "an instruction fetch");
        return;
    }
    sentence_add(sentence, "a %s", abort.WnR ? "write" : "read");
    if (abort.CM) {
        sentence_add(sentence, " by cache maintenance or address translation");
    } else if (abort.ISV) {
        sentence_add(sentence, " of %d byte%s %s %c", 1 << abort.SAS, abort.SAS ? "s" : "",
                     abort.WnR ? "from" : "into", abort.SF ? 'X' : 'W');
        if (abort.SRT == 31)
            sentence_add(sentence, "ZR");
        else
            sentence_add(sentence, "%u", (unsigned)abort.SRT);
        const struct found *data = joined_general(joined, (unsigned)abort.SRT);
        if (data && abort.WnR)
            sentence_add(sentence, " = 0x%" PRIx64, data->value);
    } else {
        sentence_add(sentence, " of a size and register that the syndrome does not tell (ISV=0)");
    }
}

static void add_place(struct sentence *sentence, const struct joined *joined)
{
    const bool has_virtual =
        joined->virtual_address && !fh_arm_esr_data_abort_of(joined->syndrome->value).FnV;
    if (joined->has_address)
        sentence_add(sentence, " at %sIPA 0x%" PRIx64,
                     joined->address_is_page ? "the page of " : "", joined->address);
    if (has_virtual)
        sentence_add(sentence,
                     joined->has_address ? " (virtual address 0x%" PRIx64 ")"
                                         : " at virtual address 0x%" PRIx64,
                     joined->virtual_address->value);
    if (joined->pc)
        sentence_add(sentence, ", by the instruction at 0x%" PRIx64, joined->pc->value);
}

/* Which table, and what of it. */
static void add_cause(struct sentence *sentence, const struct joined *joined)
{
    const char *stage = joined->is_stage2   ? "stage 2"
                        : joined->is_stage1 ? "stage 1"
                                            : "stage 1 or 2";
    const int level = joined->fault.level;
    switch (joined->fault.kind) {
    case FH_ARM_STATUS_TRANSLATION:
    case FH_ARM_STATUS_TRANSLATION_BELOW_0:
        sentence_add(sentence, "translation fault: %s has no valid descriptor for it at level %d",
                     stage, level);
        break;
    case FH_ARM_STATUS_PERMISSION:
        sentence_add(sentence, "permission fault: %s maps it at level %d, and does not permit this",
                     stage, level);
        break;
    case FH_ARM_STATUS_ACCESS_FLAG:
        sentence_add(sentence, "access flag fault: %s maps it at level %d with AF=0", stage, level);
        break;
    case FH_ARM_STATUS_ADDRESS_SIZE:
    case FH_ARM_STATUS_ADDRESS_SIZE_BELOW_0:
    case FH_ARM_STATUS_ADDRESS_SIZE_BELOW_1:
        sentence_add(sentence,
                     "address size fault: an address of %s has more bits than are configured, "
                     "found at level %d",
                     stage, level);
        break;
    default: {
        char text[96];
        fh_arm_describe_status(joined->syndrome->value & 0x3f, text, sizeof text);
        sentence_add(sentence, "%s", text);
    }
    }
}

static const char *by_whom(const struct joined *joined)
{
    const enum fh_arm_class class = fh_arm_esr_class(joined->syndrome->value);
    if (class == FH_ARM_CLASS_DABT_CUR || class == FH_ARM_CLASS_IABT_CUR)
        return "The exception level that took the exception made";
    return joined->is_stage2 ? "A guest, or what else runs below EL2, made"
                             : "A lower exception level made";
}

static void say_abort(const struct joined *joined, saying *say, void *context)
{
    struct sentence sentence = {.length = 0};
    sentence_add(&sentence, "%s ", by_whom(joined));
    add_access(&sentence, joined);
    add_place(&sentence, joined);
    sentence_add(&sentence, ": ");
    add_cause(&sentence, joined);
    if (fh_arm_esr_data_abort_of(joined->syndrome->value).S1PTW)
        sentence_add(&sentence,
                     "; it was the walk of a stage 1 table that met it, not the access itself");
    sentence_add(&sentence, ".");
    say(context, "abort", sentence.text);
}

/* Where the address comes from, in numbers. */
static void say_address(const struct joined *joined, saying *say, void *context)
{
    struct sentence sentence = {.length = 0};
    const uint64_t page = fh_arm_hpfar_el2_of(joined->hpfar->value).FIPA << 12;
    if (joined->ipa)
        return;
    if (joined->address_is_page)
        sentence_add(&sentence,
                     "HPFAR_EL2 0x%" PRIx64 " is the page at IPA 0x%" PRIx64
                     "; the offset in it would come from FAR_EL2.",
                     joined->hpfar->value, page);
    else
        sentence_add(&sentence,
                     "HPFAR_EL2 0x%" PRIx64 " is the page at IPA 0x%" PRIx64
                     ", and the low 12 bits of FAR_EL2 are the offset: IPA 0x%" PRIx64 ".",
                     joined->hpfar->value, page, joined->address);
    say(context, "address", sentence.text);
}

/* --- Other exceptions ------------------------------------------------------------------------ */

static void say_exception(const struct joined *joined, saying *say, void *context)
{
    char account[256];
    struct sentence sentence = {.length = 0};
    fh_arm_describe_esr(joined->syndrome->value, account, sizeof account);
    sentence_add(&sentence, "The exception is %s", account);
    if (joined->pc)
        sentence_add(&sentence, ", at 0x%" PRIx64, joined->pc->value);
    sentence_add(&sentence, ".");
    say(context, "exception", sentence.text);
}

/* What of EL2 took the access: of the controls that are given, else all that could. */
static void say_system_register(const struct joined *joined, saying *say, void *context)
{
    struct sentence sentence = {.length = 0};
    const uint64_t esr = joined->syndrome->value;
    const struct fh_arm_encoding encoding = fh_arm_esr_encoding(esr);
    const struct fh_arm_register *reg = fh_arm_register_encoded(&encoding);
    if (!reg || !reg->trap[0])
        return;
    sentence_add(&sentence, "An access to %s from EL1 is taken to EL2 by %s.", reg->name,
                 reg->trap);
    if (joined->hcr) {
        char by[40];
        const struct fh_arm_controls controls = joined_controls(joined);
        const bool is_write = !fh_arm_esr_sys64_of(esr).Direction;
        const enum fh_arm_taken taken =
            fh_arm_register_taken(reg, is_write, &controls, by, sizeof by);
        sentence_add(&sentence,
                     taken == FH_ARM_TAKEN ? " Of the values here %s takes it."
                     : taken == FH_ARM_NOT_TAKEN
                         ? " With the values here nothing takes it%s: the values are of "
                           "another moment, or a fine-grained trap did."
                         : " %s decides.",
                     by);
    }
    say(context, "taken_by", sentence.text);
}

/* A class or status that a message gives beside the syndrome. */
static void say_agreement(const struct joined *joined, saying *say, void *context)
{
    struct sentence sentence = {.length = 0};
    const uint64_t esr = joined->syndrome->value;
    if (joined->class && joined->class->value != (uint64_t)fh_arm_esr_class(esr))
        sentence_add(&sentence,
                     "%s 0x%" PRIx64 " is not the class of %s 0x%" PRIx64 ", which is 0x%x. ",
                     joined->class->written, joined->class->value, joined->syndrome->written, esr,
                     (unsigned)fh_arm_esr_class(esr));
    if (joined->status && joined->is_abort && joined->status->value != (esr & 0x3f))
        sentence_add(&sentence,
                     "%s 0x%" PRIx64 " is not the status of %s 0x%" PRIx64 ", which is 0x%" PRIx64
                     ". ",
                     joined->status->written, joined->status->value, joined->syndrome->written, esr,
                     esr & 0x3f);
    if (sentence.length == 0)
        return;
    sentence.text[sentence.length - 1] = 0;
    say(context, "disagreement", sentence.text);
}

/* --- SMMU ------------------------------------------------------------------------------------ */

static void say_bank_fault(const struct joined *joined, saying *say, void *context)
{
    char faults[256];
    struct sentence sentence = {.length = 0};
    fh_arm_describe_word(joined->fsr->name.smmu->layout, joined->fsr->value, faults, sizeof faults);
    sentence_add(&sentence, "A device");
    if (joined->stream)
        sentence_add(&sentence, " (stream 0x%" PRIx64 ")", joined->stream->value & 0xffff);
    if (joined->fsynr0) {
        const struct fh_arm_smmu_fsynr0 fsynr = fh_arm_smmu_fsynr0_of(joined->fsynr0->value);
        sentence_add(&sentence, fsynr.IND ? " fetched" : fsynr.WNR ? " wrote" : " read");
    } else {
        sentence_add(&sentence, " accessed");
    }
    if (joined->iova)
        sentence_add(&sentence, " at device address 0x%" PRIx64, joined->iova->value);
    if (joined->bank)
        sentence_add(&sentence, " by context bank %" PRIu64, joined->bank->value);
    const struct fh_arm_smmu_fsr fsr = fh_arm_smmu_fsr_of(joined->fsr->value);
    sentence_add(&sentence, ": %s",
                 fsr.TF    ? "translation fault, nothing is mapped there"
                 : fsr.PF  ? "permission fault, the mapping does not permit this"
                 : fsr.AFF ? "access flag fault"
                 : fsr.EF  ? "external fault, the memory or bus behind answered with an error"
                 : fsr.ASF ? "address size fault"
                           : faults);
    if (joined->fsynr0 && (fsr.TF || fsr.PF || fsr.AFF))
        sentence_add(&sentence, " (level %u)",
                     (unsigned)fh_arm_smmu_fsynr0_of(joined->fsynr0->value).PLVL);
    sentence_add(&sentence, ".");
    say(context, "smmu_context_fault", sentence.text);
}

static void say_global_fault(const struct joined *joined, saying *say, void *context)
{
    struct sentence sentence = {.length = 0};
    const struct fh_arm_smmu_sgfsr gfsr = fh_arm_smmu_sgfsr_of(joined->gfsr->value);
    sentence_add(&sentence, "A device");
    if (joined->gfsynr1)
        sentence_add(&sentence, " (stream 0x%x)",
                     (unsigned)fh_arm_smmu_sgfsynr1_of(joined->gfsynr1->value).StreamID);
    if (joined->gfsynr0) {
        const struct fh_arm_smmu_sgfsynr0 gfsynr = fh_arm_smmu_sgfsynr0_of(joined->gfsynr0->value);
        sentence_add(&sentence, gfsynr.IND ? " fetched" : gfsynr.WNR ? " wrote" : " read");
    } else {
        sentence_add(&sentence, " made an access");
    }
    sentence_add(&sentence, ", and the SMMU had no translation to use: %s.",
                 gfsr.USF    ? "its stream matches no stream mapping group"
                 : gfsr.SMCF ? "its stream matches more than one stream mapping group"
                 : gfsr.ICF  ? "its stream mapping group says \"fault\""
                 : gfsr.UCBF ? "its group names a context bank that does not exist"
                 : gfsr.CAF  ? "an access to the SMMU's own configuration faulted"
                 : gfsr.EF   ? "external fault"
                             : "the fault status names no cause");
    say(context, "smmu_global_fault", sentence.text);
}

void say_together(const struct joined *joined, saying *say, void *context)
{
    if (joined->syndrome && joined->is_abort)
        say_abort(joined, say, context);
    else if (joined->syndrome && joined->pc)
        say_exception(joined, say, context);
    if (joined->hpfar && joined->is_abort && !joined->is_stage1)
        say_address(joined, say, context);
    if (joined->syndrome && fh_arm_esr_class(joined->syndrome->value) == FH_ARM_CLASS_SYS64)
        say_system_register(joined, say, context);
    if (joined->syndrome)
        say_agreement(joined, say, context);
    say_stage2(joined, say, context);
    if (joined->fsr)
        say_bank_fault(joined, say, context);
    if (joined->gfsr)
        say_global_fault(joined, say, context);
}
