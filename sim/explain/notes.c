/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "explain/joined.h"

/* What commonly goes wrong with such values: each note with the test that says where it belongs. */

static struct fh_arm_esr_data_abort data_abort(const struct joined *joined)
{
    return fh_arm_esr_data_abort_of(joined->syndrome->value);
}

static bool is_data_abort(const struct joined *joined)
{
    return joined->syndrome && joined->is_abort && fh_arm_is_data_abort(joined->syndrome->value);
}

static bool has_kind(const struct joined *joined, enum fh_arm_status kind)
{
    return joined->is_abort && joined->fault.kind == kind;
}

static bool is_translation(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_TRANSLATION) ||
           has_kind(joined, FH_ARM_STATUS_TRANSLATION_BELOW_0);
}

/* Nobody can emulate an access that the syndrome does not describe. */
static bool needs_isv(const struct joined *joined)
{
    const enum fh_arm_class class =
        joined->syndrome ? fh_arm_esr_class(joined->syndrome->value) : FH_ARM_CLASS_UNKNOWN;
    return is_data_abort(joined) && class == FH_ARM_CLASS_DABT_LOW && !joined->is_stage1 &&
           !data_abort(joined).ISV && !data_abort(joined).S1PTW && !data_abort(joined).CM;
}

static bool needs_cm(const struct joined *joined)
{
    return is_data_abort(joined) && data_abort(joined).CM;
}

static bool needs_s1ptw(const struct joined *joined)
{
    return joined->is_abort && data_abort(joined).S1PTW;
}

static bool needs_permission(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_PERMISSION);
}

static bool needs_hpfar_of_permission(const struct joined *joined)
{
    return needs_permission(joined) && joined->is_stage2 && joined->hpfar && !needs_s1ptw(joined);
}

static bool needs_hpfar_of_external(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_EXTERNAL) && joined->hpfar && joined->hpfar->value;
}

static bool needs_translation(const struct joined *joined)
{
    return is_translation(joined) && joined->is_stage2;
}

/* Vectors stand at multiples of 0x80, and a vector that is not mapped faults on itself. */
static bool needs_vector(const struct joined *joined)
{
    return joined->syndrome && fh_arm_is_instruction_abort(joined->syndrome->value) && joined->pc &&
           (joined->pc->value & 0x7f) == 0 && joined->virtual_address &&
           joined->virtual_address->value == joined->pc->value;
}

/* FAR and HPFAR are written by aborts, and a few others; what they hold otherwise is old. */
static bool needs_stale(const struct joined *joined)
{
    if (!joined->syndrome)
        return false;
    const enum fh_arm_class class = fh_arm_esr_class(joined->syndrome->value);
    const bool writes_far = joined->is_abort || class == FH_ARM_CLASS_PC_ALIGN ||
                            class == FH_ARM_CLASS_WATCHPT_LOW ||
                            class == FH_ARM_CLASS_WATCHPT_CUR || class == FH_ARM_CLASS_GPC ||
                            class == FH_ARM_CLASS_MOPS;
    const bool writes_hpfar = joined->is_abort && !joined->is_stage1;
    return (joined->hpfar && joined->hpfar->value && !writes_hpfar) ||
           (joined->virtual_address && joined->virtual_address->value && !writes_far);
}

static bool needs_fnv(const struct joined *joined)
{
    return joined->is_abort && data_abort(joined).FnV && joined->virtual_address;
}

static bool needs_offset(const struct joined *joined)
{
    return joined->ipa && joined->virtual_address && joined->is_abort && joined->is_stage2 &&
           !needs_s1ptw(joined) && (joined->ipa->value & 0xfff) != 0 &&
           (joined->ipa->value & 0xfff) != (joined->virtual_address->value & 0xfff);
}

static bool needs_alignment(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_ALIGNMENT);
}

static bool needs_external(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_EXTERNAL) ||
           has_kind(joined, FH_ARM_STATUS_EXTERNAL_WALK) ||
           (joined->syndrome && fh_arm_esr_class(joined->syndrome->value) == FH_ARM_CLASS_SERROR &&
            !fh_arm_esr_serror_of(joined->syndrome->value).IDS);
}

static bool needs_implementation(const struct joined *joined)
{
    return joined->syndrome && fh_arm_esr_class(joined->syndrome->value) == FH_ARM_CLASS_SERROR &&
           fh_arm_esr_serror_of(joined->syndrome->value).IDS;
}

/* Immediates of BRK that Linux gives a meaning (arch/arm64/include/asm/brk-imm.h). */
static bool is_brk(const struct joined *joined, uint64_t first, uint64_t last)
{
    if (!joined->syndrome || fh_arm_esr_class(joined->syndrome->value) != FH_ARM_CLASS_BRK64)
        return false;
    const uint64_t immediate = fh_arm_esr_immediate_of(joined->syndrome->value).imm16;
    return immediate >= first && immediate <= last;
}

static bool needs_bug(const struct joined *joined)
{
    return is_brk(joined, 0x800, 0x800);
}

static bool needs_probe(const struct joined *joined)
{
    return is_brk(joined, 0x004, 0x006) || is_brk(joined, 0x400, 0x401);
}

static bool needs_sanitizer(const struct joined *joined)
{
    return is_brk(joined, 0x900, 0x9ff) || is_brk(joined, 0x5500, 0x55ff);
}

static bool needs_cfi(const struct joined *joined)
{
    return is_brk(joined, 0x8000, 0x83ff);
}

static bool needs_size(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_ADDRESS_SIZE) ||
           has_kind(joined, FH_ARM_STATUS_ADDRESS_SIZE_BELOW_0);
}

static bool needs_access_flag(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_ACCESS_FLAG);
}

static bool needs_conflict(const struct joined *joined)
{
    return has_kind(joined, FH_ARM_STATUS_TLB_CONFLICT);
}

static bool needs_reserved(const struct joined *joined)
{
    if (!joined->syndrome)
        return false;
    const struct fh_arm_layout *layout = fh_arm_esr_layout(joined->syndrome->value);
    return !layout || joined->syndrome->value & ~layout->bits ||
           (fh_arm_is_abort(joined->syndrome->value) && !joined->is_abort);
}

static bool needs_undefined(const struct joined *joined)
{
    return joined->syndrome && joined->syndrome->value >> 26 == 0;
}

static bool needs_stream(const struct joined *joined)
{
    return joined->gfsr && fh_arm_smmu_sgfsr_of(joined->gfsr->value).USF;
}

static bool needs_multi(const struct joined *joined)
{
    return (joined->fsr && fh_arm_smmu_fsr_of(joined->fsr->value).MULTI) ||
           (joined->gfsr && fh_arm_smmu_sgfsr_of(joined->gfsr->value).MULTI);
}

static bool needs_smmu_permission(const struct joined *joined)
{
    return joined->fsr && fh_arm_smmu_fsr_of(joined->fsr->value).PF;
}

static bool needs_stall(const struct joined *joined)
{
    return joined->fsr && fh_arm_smmu_fsr_of(joined->fsr->value).SS;
}

/* X(id, where it belongs, what is said) */
#define NOTE_MAP(X)                                                                                \
    X(isv, needs_isv,                                                                              \
      "ISV=0: the syndrome does not say which register and size, so nobody can emulate this "      \
      "access from the syndrome. Pairs, pre- and post-indexed forms, SIMD, exclusives and "        \
      "atomics are so; software that reaches devices must use plain loads and stores of one "      \
      "register.")                                                                                 \
    X(cache_maintenance, needs_cm,                                                                 \
      "CM=1: no data were accessed; cache maintenance always counts as a write (WnR=1), so that "  \
      "it faults on memory that is read-only or not there.")                                       \
    X(table_walk, needs_s1ptw,                                                                     \
      "S1PTW=1: HPFAR_EL2 is the address of a stage 1 table, and the offset of FAR_EL2 does not "  \
      "belong to it. The guest's tables stand where stage 2 has nothing, or nothing readable.")    \
    X(permission, needs_permission,                                                                \
      "A permission fault is no missing mapping: a valid descriptor was found. Mapping the page "  \
      "again changes nothing; its permissions do (a write to read-only memory, a fetch from what " \
      "is not executable).")                                                                       \
    X(hpfar_of_permission, needs_hpfar_of_permission,                                              \
      "HPFAR_EL2 need not be valid after a permission fault that is not of a table walk: "         \
      "hypervisors translate FAR_EL2 with AT S1E1R instead, and a value here may be of an older "  \
      "fault.")                                                                                    \
    X(hpfar_of_external, needs_hpfar_of_external,                                                  \
      "HPFAR_EL2 is not written by an external abort: what it holds is of an older fault.")        \
    X(translation, needs_translation,                                                              \
      "A translation fault is no refused permission: the walk met a descriptor that is not "       \
      "valid. It is also what an access beyond the input size (VTCR_EL2.T0SZ) makes, at level 0 "  \
      "or the level where the walk starts.")                                                       \
    X(vector, needs_vector,                                                                        \
      "The fetch of the instruction at PC itself fails. If this is an exception vector, its "      \
      "fault is taken to the same vector again, without end: a vector that faults on itself. "     \
      "VBAR does not point at mapped, executable code.")                                           \
    X(stale, needs_stale,                                                                          \
      "This class of exception does not write all of these fault address registers: what they "    \
      "hold is of an earlier exception, a stale value read as a new one.")                         \
    X(far_not_valid, needs_fnv, "FnV=1: FAR does not hold the address of this fault.")             \
    X(offsets_differ, needs_offset,                                                                \
      "The offsets in the page of the virtual and the physical address differ, so that one of "    \
      "them is of another fault.")                                                                 \
    X(alignment, needs_alignment,                                                                  \
      "An alignment fault has nothing to do with what is mapped: the access to Device memory, or " \
      "an exclusive or atomic one, is not aligned to its size. The usual cause is memory that "    \
      "is mapped as Device where the software takes it for Normal (memcpy to a frame buffer).")    \
    X(external, needs_external,                                                                    \
      "The translation was fine: what is behind the address answered with an error, or nothing "   \
      "is there. No change of tables' permissions helps; look at the device, its clock and "       \
      "power, "                                                                                    \
      "and at the address that the tables give.")                                                  \
    X(implementation_defined, needs_implementation,                                                \
      "IDS=1: what the rest of the syndrome says, and what caused the SError, is in the manual "   \
      "of this CPU (MIDR_EL1), not in the architecture's.")                                        \
    X(linux_bug, needs_bug,                                                                        \
      "BRK 0x800 is Linux's BUG() and WARN(): an assertion of the code itself, of KVM's at EL2 "   \
      "too. The address of the instruction says which.")                                           \
    X(linux_probe, needs_probe,                                                                    \
      "Linux uses this BRK for kprobes, uprobes and kgdb: somebody looked at this place.")         \
    X(linux_sanitizer, needs_sanitizer,                                                            \
      "Linux uses this BRK for its sanitizers (KASAN, UBSAN): the code before it found an "        \
      "access or a value that is not allowed.")                                                    \
    X(linux_cfi, needs_cfi,                                                                        \
      "Linux uses this BRK for control-flow integrity: an indirect call of a function of "         \
      "another type.")                                                                             \
    X(address_size, needs_size,                                                                    \
      "Look at VTCR_EL2.PS (or TCR.IPS) and at the base registers: a table, or the output of the " \
      "walk, is at an address with more bits than configured.")                                    \
    X(access_flag, needs_access_flag,                                                              \
      "AF=0 is how software notices first use (KVM ages pages so); without VTCR_EL2.HA the "       \
      "fault's handler has to set it.")                                                            \
    X(tlb_conflict, needs_conflict,                                                                \
      "Two TLB entries match one address: a mapping was changed in size without "                  \
      "break-before-make.")                                                                        \
    X(reserved, needs_reserved,                                                                    \
      "The architecture does not define this value: the number is not a syndrome, is cut off or "  \
      "overwritten, or a newer extension made it.")                                                \
    X(class_0, needs_undefined,                                                                    \
      "Class 0: the instruction is undefined here (or the value is a fault status of 32-bit Arm, " \
      "which has no class).")                                                                      \
    X(unmatched_stream, needs_stream,                                                              \
      "The stream is in no group: the device was used before a driver attached it (a "             \
      "bootloader's display is the usual one), or it sends another stream number than was "        \
      "configured.")                                                                               \
    X(multiple, needs_multi,                                                                       \
      "MULTI=1: other faults came before this one was cleared, and their addresses are lost.")     \
    X(smmu_permission, needs_smmu_permission,                                                      \
      "A permission fault is no missing mapping: the device does what its mapping does not "       \
      "allow (it writes to a buffer that was mapped to be read, or is unprivileged).")             \
    X(stalled, needs_stall,                                                                        \
      "SS=1: the access waits until RESUME is written; the device hangs until then.")

static const struct note {
    const char *id;
    bool (*belongs)(const struct joined *joined);
    const char *text;
} notes[] = {
#define NOTE(id, belongs, text) {#id, belongs, text},
    NOTE_MAP(NOTE)
#undef NOTE
};

void say_notes(const struct joined *joined, saying *say, void *context)
{
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        if (notes[i].belongs(joined))
            say(context, notes[i].id, notes[i].text);
    }
}
