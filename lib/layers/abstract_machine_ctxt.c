/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "AbstractMachine"
#include "layers/abstract_machine_checks.h"

#include <stddef.h>

#include "layers/oracle.h"

/*
 * AbstractMachine/Spec.v: registers. The hardware's are adt->regs; each vCPU has a shadow context
 * that KCore alone sees. What the host tells of a vCPU (the `int` functions) comes from a data
 * oracle.
 *
 * All functions are the identity, with result 0, in a halted state, but for the few that say
 * otherwise. Stuck: vmid or vcpuid out of range.
 */

/* --- Shadow contexts by register number ------------------------------------------------------ */

/* The numbers of Constants.v, as constant expressions. */
enum {
#define SHADOW_NUMBER(name, value) SHADOW_##name = (int)((value)&0xff),
    FH_CONSTANT_MAP(SHADOW_NUMBER)
#undef SHADOW_NUMBER
};

/* The numbers are the same in all machines, whose table this is too: X(constant, place). */
/* clang-format off */
#define SHADOW_MAP(X)                                                                              \
    X(X0, ctxt_regs.x0) X(X1, ctxt_regs.x1) X(X2, ctxt_regs.x2) X(X3, ctxt_regs.x3)                \
    X(X4, ctxt_regs.x4) X(X5, ctxt_regs.x5) X(X6, ctxt_regs.x6) X(X7, ctxt_regs.x7)                \
    X(X8, ctxt_regs.x8) X(X9, ctxt_regs.x9) X(X10, ctxt_regs.x10) X(X11, ctxt_regs.x11)            \
    X(X12, ctxt_regs.x12) X(X13, ctxt_regs.x13) X(X14, ctxt_regs.x14) X(X15, ctxt_regs.x15)        \
    X(X16, ctxt_regs.x16) X(X17, ctxt_regs.x17) X(X18, ctxt_regs.x18) X(X19, ctxt_regs.x19)        \
    X(X20, ctxt_regs.x20) X(X21, ctxt_regs.x21) X(X22, ctxt_regs.x22) X(X23, ctxt_regs.x23)        \
    X(X24, ctxt_regs.x24) X(X25, ctxt_regs.x25) X(X26, ctxt_regs.x26) X(X27, ctxt_regs.x27)        \
    X(X28, ctxt_regs.x28) X(X29, ctxt_regs.x29) X(X30, ctxt_regs.x30)                              \
    X(PC, ctxt_states.pc)                                                                          \
    X(PSTATE, ctxt_states.pstate)                                                                  \
    X(ELR_EL1, ctxt_regs.elr_el1)                                                                  \
    X(SPSR_EL1, ctxt_regs.spsr_el1)                                                                \
    X(FAR_EL2, ctxt_regs.far_el2)                                                                  \
    X(HPFAR_EL2, ctxt_regs.hpfar_el2)                                                              \
    X(HCR_EL2, ctxt_regs.hcr_el2)                                                                  \
    X(EC, ctxt_regs.ec)                                                                            \
    X(DIRTY, ctxt_states.dirty)                                                                    \
    X(FLAGS, ctxt_states.flags)                                                                    \
    X(MPIDR_EL1, ctxt_regs.mpidr_el1)                                                              \
    X(CSSELR_EL1, ctxt_regs.csselr_el1)                                                            \
    X(SCTLR_EL1, ctxt_regs.sctlr_el1)                                                              \
    X(ACTLR_EL1, ctxt_regs.actlr_el1)                                                              \
    X(CPACR_EL1, ctxt_regs.cpacr_el1)                                                              \
    X(TTBR0_EL1, ctxt_regs.ttbr0_el1)                                                              \
    X(TTBR1_EL1, ctxt_regs.ttbr1_el1)                                                              \
    X(TCR_EL1, ctxt_regs.tcr_el1)                                                                  \
    X(ESR_EL1, ctxt_states.esr_el1)                                                                \
    X(AFSR0_EL1, ctxt_regs.afsr0_el1)                                                              \
    X(AFSR1_EL1, ctxt_regs.afsr1_el1)                                                              \
    X(FAR_EL1, ctxt_regs.far_el1)                                                                  \
    X(MAIR_EL1, ctxt_regs.mair_el1)                                                                \
    X(VBAR_EL1, ctxt_regs.vbar_el1)                                                                \
    X(CONTEXTIDR_EL1, ctxt_regs.contextidr_el1)                                                    \
    X(TPIDR_EL0, ctxt_regs.tpidr_el0)                                                              \
    X(TPIDRRO_EL0, ctxt_regs.tpidrro_el0)                                                          \
    X(TPIDR_EL1, ctxt_regs.tpidr_el1)                                                              \
    X(AMAIR_EL1, ctxt_regs.amair_el1)                                                              \
    X(CNTKCTL_EL1, ctxt_regs.cntkctl_el1)                                                          \
    X(PAR_EL1, ctxt_regs.par_el1)                                                                  \
    X(MDSCR_EL1, ctxt_regs.mdscr_el1)                                                              \
    X(ELR_EL2, ctxt_regs.elr_el2)                                                                  \
    X(SPSR_0, ctxt_states.spsr_0)                                                                  \
    X(ESR_EL2, ctxt_regs.esr_el2)
/* clang-format on */

/* Where in struct fh_ctxt a register stands; 0 for numbers that stand for none. */
static const uint16_t shadow_offsets[] = {
#define SHADOW_OFFSET(name, place) [SHADOW_##name] = offsetof(struct fh_ctxt, place),
    SHADOW_MAP(SHADOW_OFFSET)
#undef SHADOW_OFFSET
};

static size_t shadow_offset(uint32_t index)
{
    return index < sizeof shadow_offsets / sizeof *shadow_offsets ? shadow_offsets[index] : 0;
}

/* The shadow context `ctxtid`, to be written through the setters. */
FH_SELDOM static enum fh_status own_shadow_ctxt(struct fh_state *s, wide ctxtid,
                                                struct fh_ctxt **ctxt)
{
    const struct ctxt_place place = place_of_ctxt(s, ctxtid);
    void *record = NULL;
    FH_LEAVES_64_BITS(s, place.is_beyond, s->adt->cur_vmid);
    FH_TRY(own_entry(s, place.map, type_of_ref_ctxt, place.key, &record));
    *ctxt = record;
    return FH_OK;
}

static enum fh_status own_ctxt_numbered(struct fh_state *s, wide ctxtid, struct fh_ctxt **ctxt)
{
    return __builtin_expect(is_int64(ctxtid), 1) ? own_ctxt(s, (uint64_t)ctxtid, ctxt)
                                                 : own_shadow_ctxt(s, ctxtid, ctxt);
}

uint64_t shadow_register(const struct fh_state *s, wide ctxtid, uint32_t index)
{
    const size_t offset = shadow_offset(index);
    const char *ctxt = (const char *)shadow_ctxt_of(s, ctxtid);
    return offset == 0 ? 0 : *(const uint64_t *)(const void *)(ctxt + offset);
}

enum fh_status set_shadow_register(struct fh_state *s, wide ctxtid, uint32_t index, uint64_t value)
{
    const size_t offset = shadow_offset(index);
    if (offset == 0)
        return FH_OK;
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, ctxtid, &ctxt));
    return set_u64(s, (uint64_t *)(void *)((char *)ctxt + offset), value);
}

/*
 * The shadow register `index` of a vCPU; 0 for an index that stands for none.
 * AbstractMachine/Spec.v: get_shadow_ctxt_spec
 */
enum fh_status spec_get_shadow_ctxt(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint32_t index, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    *result = shadow_register(s, ctxt_id(s->profile, vmid, vcpuid), index);
    return FH_OK;
}

/*
 * Set it; nothing for an index that stands for no register.
 * AbstractMachine/Spec.v: set_shadow_ctxt_spec
 */
enum fh_status spec_set_shadow_ctxt(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint32_t index, uint64_t value)
{
    SKIP_IF_HALTED(s);
    RELY_VCPU(s, vmid, vcpuid);
    observe(s, FH_EFFECT_SHADOW_SET, vmid, vcpuid, index, value);
    return set_shadow_register(s, ctxt_id(s->profile, vmid, vcpuid), index, value);
}

/* ESR_EL2 of a vCPU at its last exit. AbstractMachine/Spec.v: get_shadow_esr_spec */
enum fh_status spec_get_shadow_esr(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    *result = shadow_ctxt_of(s, ctxt_id(s->profile, vmid, vcpuid))->ctxt_regs.esr_el2;
    return FH_OK;
}

/* Which registers the host may change at the next exit: bit n for Xn, DIRTY_PC_FLAG and others.
 * AbstractMachine/Spec.v: get_shadow_dirty_bit_spec */
enum fh_status spec_get_shadow_dirty_bit(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                         uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    *result = shadow_ctxt_of(s, ctxt_id(s->profile, vmid, vcpuid))->ctxt_states.dirty;
    return FH_OK;
}

/* AbstractMachine/Spec.v: set_shadow_dirty_bit_spec */
enum fh_status spec_set_shadow_dirty_bit(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                         uint64_t value)
{
    SKIP_IF_HALTED(s);
    RELY_VCPU(s, vmid, vcpuid);
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, ctxt_id(s->profile, vmid, vcpuid), &ctxt));
    observe(s, FH_EFFECT_DIRTY_SET, vmid, vcpuid, value, 0);
    return set_u64(s, &ctxt->ctxt_states.dirty, value);
}

/* --- Groups of registers --------------------------------------------------------------------- */

static enum fh_status copy_word(struct fh_state *s, uint64_t *to, uint64_t value)
{
    return *to == value ? FH_OK : set_u64(s, to, value);
}

static enum fh_status copy_words(struct fh_state *s, uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        FH_TRY(copy_word(s, &to[i], from[i]));
    return FH_OK;
}

/* x0 to x30 stand in a row, and so do fp_q0 to fp_fpcr. */
enum {
    GP_REGS = 31,
    FP_REGS = 34,
};
_Static_assert(offsetof(struct fh_ctxt_regs, x30) - offsetof(struct fh_ctxt_regs, x0) ==
                   (GP_REGS - 1) * sizeof(uint64_t),
               "the general purpose registers stand in a row");
_Static_assert(offsetof(struct fh_ctxt_regs, fp_fpcr) - offsetof(struct fh_ctxt_regs, fp_q0) ==
                   (FP_REGS - 1) * sizeof(uint64_t),
               "the floating point registers stand in a row");

static uint64_t *words_from(void *record, size_t offset)
{
    return (uint64_t *)(void *)((char *)record + offset);
}

static const uint64_t *words_of(const void *record, size_t offset)
{
    return (const uint64_t *)(const void *)((const char *)record + offset);
}

#define GP_OFFSET offsetof(struct fh_ctxt_regs, x0)
#define FP_OFFSET offsetof(struct fh_ctxt_regs, fp_q0)

static enum fh_status copy_gp_regs(struct fh_state *s, struct fh_ctxt_regs *to,
                                   const struct fh_ctxt_regs *from)
{
    return copy_words(s, words_from(to, GP_OFFSET), words_of(from, GP_OFFSET), GP_REGS);
}

static enum fh_status copy_fp_regs(struct fh_state *s, struct fh_ctxt_regs *to,
                                   const struct fh_ctxt_regs *from)
{
    return copy_words(s, words_from(to, FP_OFFSET), words_of(from, FP_OFFSET), FP_REGS);
}

static const struct fh_ctxt_regs no_regs;

/* x0 to x30 of a vCPU become 0. AbstractMachine/Spec.v: clear_shadow_gp_regs_spec */
enum fh_status spec_clear_shadow_gp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    SKIP_IF_HALTED(s);
    RELY_VCPU(s, vmid, vcpuid);
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, ctxt_id(s->profile, vmid, vcpuid), &ctxt));
    observe(s, FH_EFFECT_GP_CLEAR, vmid, vcpuid, 0, 0);
    return copy_gp_regs(s, &ctxt->ctxt_regs, &no_regs);
}

/* The floating point registers of a vCPU become 0. AbstractMachine/Spec.v: reset_fp_regs_spec */
enum fh_status spec_reset_fp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    SKIP_IF_HALTED(s);
    RELY_VCPU(s, vmid, vcpuid);
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, ctxt_id(s->profile, vmid, vcpuid), &ctxt));
    return copy_fp_regs(s, &ctxt->ctxt_regs, &no_regs);
}

/* --- What the host says of a vCPU ------------------------------------------------------------ */

/* The syndrome that the host wants the vCPU to see: the next datum of `vmid`.
 * AbstractMachine/Spec.v: get_int_esr_spec */
enum fh_status spec_get_int_esr(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    about(s, FH_ASKED_ESR, vcpuid, 0);
    FH_READ_DATA(s, vmid, result);
    return FH_OK;
}

/* The same for register Xindex. AbstractMachine/Spec.v: get_int_gpr_spec */
enum fh_status spec_get_int_gpr(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint32_t index,
                                uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    about(s, FH_ASKED_GPR, vcpuid, index);
    FH_READ_DATA(s, vmid, result);
    return FH_OK;
}

/* The same for the program counter. AbstractMachine/Spec.v: get_int_pc_spec */
enum fh_status spec_get_int_pc(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    about(s, FH_ASKED_PC, vcpuid, 0);
    FH_READ_DATA(s, vmid, result);
    return FH_OK;
}

/* The same for PSTATE. AbstractMachine/Spec.v: get_int_pstate_spec */
enum fh_status spec_get_int_pstate(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    about(s, FH_ASKED_PSTATE, vcpuid, 0);
    FH_READ_DATA(s, vmid, result);
    return FH_OK;
}

/* Show the host a register: nothing in KCore's state. Never stuck.
 * AbstractMachine/Spec.v: set_int_gpr_spec */
enum fh_status spec_set_int_gpr(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint32_t index,
                                uint64_t value)
{
    if (!s->adt->halt)
        observe(s, FH_EFFECT_INT_SET, vmid, vcpuid, index, value);
    return FH_OK;
}

/* The address of the fault that the host resolved for the vCPU.
 * AbstractMachine/Spec.v: get_vm_fault_addr_spec */
enum fh_status spec_get_vm_fault_addr(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                      uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    about(s, FH_ASKED_FAULT_ADDR, vcpuid, 0);
    FH_READ_CORE_DATA(s, vmid, result);
    return FH_OK;
}

/* The descriptor that the host wants for it. AbstractMachine/Spec.v: get_int_new_pte_spec */
enum fh_status spec_get_int_new_pte(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    about(s, FH_ASKED_NEW_PTE, vcpuid, 0);
    FH_READ_CORE_DATA(s, vmid, result);
    return FH_OK;
}

/* And its level. AbstractMachine/Spec.v: get_int_new_level_spec */
enum fh_status spec_get_int_new_level(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                      uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    about(s, FH_ASKED_NEW_LEVEL, vcpuid, 0);
    FH_READ_CORE_DATA(s, vmid, result);
    return FH_OK;
}

/* The vCPU of `vmid` that the host wants to run. AbstractMachine/Spec.v: get_int_run_vcpuid_spec */
enum fh_status spec_get_int_run_vcpuid(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VMID(s, vmid);
    about(s, FH_ASKED_RUN_VCPUID, 0, 0);
    FH_READ_CORE_DATA(s, vmid, result);
    return FH_OK;
}

/* --- Encrypted vCPUs ------------------------------------------------------------------------- */

/* Nothing: what leaves KCore is not modelled. Never stuck.
 * AbstractMachine/Spec.v: encrypt_gp_regs_spec */
enum fh_status spec_encrypt_gp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    (void)s, (void)vmid, (void)vcpuid;
    return FH_OK;
}

/* Nothing, as above. AbstractMachine/Spec.v: encrypt_sys_regs_spec */
enum fh_status spec_encrypt_sys_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    (void)s, (void)vmid, (void)vcpuid;
    return FH_OK;
}

enum {
    CTXT_REGS = sizeof(struct fh_ctxt_regs) / sizeof(uint64_t),
    CTXT_STATES = sizeof(struct fh_ctxt_states) / sizeof(uint64_t),
};

enum fh_status replace_shadow_ctxt(struct fh_state *s, wide ctxtid, const struct fh_ctxt *from)
{
    struct fh_ctxt *to;
    FH_TRY(own_ctxt_numbered(s, ctxtid, &to));
    FH_TRY(copy_words(s, words_from(&to->ctxt_regs, 0), words_of(&from->ctxt_regs, 0), CTXT_REGS));
    return copy_words(s, words_from(&to->ctxt_states, 0), words_of(&from->ctxt_states, 0),
                      CTXT_STATES);
}

/* Write back what `decrypt`, a parameter of the development, makes of a shadow context. */
static enum fh_status decrypt_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint64_t (*decrypt)(void *context, uint64_t vmid, uint64_t n,
                                                       struct fh_ctxt *ctxt))
{
    if (!decrypt)
        return FH_OK;
    const wide ctxtid = ctxt_id(s->profile, vmid, vcpuid);
    struct fh_ctxt plain = *shadow_ctxt_of(s, ctxtid);
    const uint64_t n = data_log_of(s, vmid);
    settle_locks(s);
    const uint64_t next = decrypt(s->env.context, vmid, n, &plain);
    FH_TRY(replace_shadow_ctxt(s, ctxtid, &plain));
    FH_LEAVES_64_BITS(s, next < n, n, next);
    return set_entry_u64(s, &s->adt->data_log, vmid, next);
}

/* Restore the general purpose registers of a vCPU from what the host supplies.
 * AbstractMachine/Spec.v: decrypt_gp_regs_spec */
enum fh_status spec_decrypt_gp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    SKIP_IF_HALTED(s);
    RELY_VCPU(s, vmid, vcpuid);
    return decrypt_regs(s, vmid, vcpuid, s->env.decrypt_gp_regs);
}

/* The same for its system registers. AbstractMachine/Spec.v: decrypt_sys_regs_spec */
enum fh_status spec_decrypt_sys_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    SKIP_IF_HALTED(s);
    RELY_VCPU(s, vmid, vcpuid);
    return decrypt_regs(s, vmid, vcpuid, s->env.decrypt_sys_regs);
}

/* --- Who runs on this CPU -------------------------------------------------------------------- */

/* The VM whose context is in use. AbstractMachine/Spec.v: get_cur_vmid_spec */
enum fh_status spec_get_cur_vmid(struct fh_state *s, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RETURN_U32(s, s->adt->cur_vmid, result);
}

/* And the vCPU. AbstractMachine/Spec.v: get_cur_vcpuid_spec */
enum fh_status spec_get_cur_vcpuid(struct fh_state *s, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RETURN_U32(s, (uint64_t)s->adt->cur_vcpuid, result);
}

/*
 * Make a vCPU the current one. Of the host and the core each CPU has one context, its own, whatever
 * vcpuid is. AbstractMachine/Spec.v: set_per_cpu_spec
 */
enum fh_status spec_set_per_cpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    SKIP_IF_HALTED(s);
    RELY_VCPU(s, vmid, vcpuid);
    const bool is_vm_context = vmid != k->HOSTVISOR && vmid != k->COREVISOR;
    const uint64_t id = is_vm_context ? vcpuid : s->adt->curid;
    FH_REPRESENTABLE(s, id <= INT64_MAX, id);
    observe(s, FH_EFFECT_PER_CPU, vmid, vcpuid, 0, 0);
    s->adt->cur_vmid = vmid;
    s->adt->cur_vcpuid = (int64_t)id;
    return FH_OK;
}

/* --- Context switches ------------------------------------------------------------------------ */

/*
 * Between the hardware's registers and the shadow context of the current vCPU. Never stuck: also a
 * vCPU that does not exist has a context.
 */
static wide cur_ctxt_id(const struct fh_state *s)
{
    return ctxt_id(s->profile, s->adt->cur_vmid, s->adt->cur_vcpuid);
}

static enum fh_status own_regs(struct fh_state *s, struct fh_ctxt **regs)
{
    void *record = NULL;
    FH_TRY(own_ref(s, &s->adt->regs, type_of_ref_ctxt, &record));
    *regs = record;
    return FH_OK;
}

/* x0 to x30 from the hardware into the shadow context. */
static enum fh_status save_gp_regs(struct fh_state *s)
{
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, cur_ctxt_id(s), &ctxt));
    return copy_gp_regs(s, &ctxt->ctxt_regs, &s->adt->regs->ctxt_regs);
}

/* The host's registers, when it enters KCore. AbstractMachine/Spec.v: host_to_core_spec */
enum fh_status spec_host_to_core(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    return save_gp_regs(s);
}

/* A VM's registers, when it exits. AbstractMachine/Spec.v: vm_to_core_spec */
enum fh_status spec_vm_to_core(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    return save_gp_regs(s);
}

/* x0 to x30 from the shadow context into the hardware. AbstractMachine/Spec.v: core_to_host_spec */
enum fh_status spec_core_to_host(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *regs;
    FH_TRY(own_regs(s, &regs));
    return copy_gp_regs(s, &regs->ctxt_regs, &shadow_ctxt_of(s, cur_ctxt_id(s))->ctxt_regs);
}

/*
 * Everything but x0 to x30 from the shadow context into the hardware, which keeps these: the spec
 * passes the two contexts the other way round than core_to_host.
 * AbstractMachine/Spec.v: core_to_vm_spec
 */
enum fh_status spec_core_to_vm(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *regs;
    FH_TRY(own_regs(s, &regs));
    const struct fh_ctxt_regs *shadow = &shadow_ctxt_of(s, cur_ctxt_id(s))->ctxt_regs;
    return copy_words(s, words_from(&regs->ctxt_regs, FP_OFFSET), words_of(shadow, FP_OFFSET),
                      CTXT_REGS - GP_REGS);
}
_Static_assert(offsetof(struct fh_ctxt_regs, fp_q0) == GP_REGS * sizeof(uint64_t),
               "all other registers stand behind the general purpose ones");

/* Where and why a VM faulted, from the hardware into the shadow context.
 * AbstractMachine/Spec.v: exit_populate_fault_spec */
enum fh_status spec_exit_populate_fault(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, cur_ctxt_id(s), &ctxt));
    const struct fh_ctxt_regs *regs = &s->adt->regs->ctxt_regs;
    FH_TRY(copy_word(s, &ctxt->ctxt_regs.esr_el2, regs->esr_el2));
    FH_TRY(copy_word(s, &ctxt->ctxt_regs.ec, regs->ec));
    FH_TRY(copy_word(s, &ctxt->ctxt_regs.far_el2, regs->far_el2));
    return copy_word(s, &ctxt->ctxt_regs.hpfar_el2, regs->hpfar_el2);
}

/* System registers that are saved and restored under their own names. */
/* clang-format off */
#define SYSREGS(X)                                                                                 \
    X(csselr_el1) X(sctlr_el1) X(cpacr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) X(afsr0_el1)      \
    X(afsr1_el1) X(far_el1) X(mair_el1) X(vbar_el1) X(contextidr_el1) X(amair_el1) X(cntkctl_el1)  \
    X(par_el1) X(tpidr_el1) X(spsr_el1) X(mdscr_el1) X(sp_el0) X(tpidr_el0) X(tpidrro_el0)         \
    X(actlr_el1) X(sp_el1) X(elr_el1)
/* clang-format on */

static enum fh_status copy_sysregs(struct fh_state *s, struct fh_ctxt_regs *to,
                                   const struct fh_ctxt_regs *from)
{
#define COPY_SYSREG(name) FH_TRY(copy_word(s, &to->name, from->name));
    SYSREGS(COPY_SYSREG)
#undef COPY_SYSREG
    return FH_OK;
}

/* EL1's registers from the hardware into the shadow context; MPIDR_EL1 is what VMPIDR_EL2 shows.
 * AbstractMachine/Spec.v: save_sysregs_spec */
enum fh_status spec_save_sysregs(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, cur_ctxt_id(s), &ctxt));
    const struct fh_ctxt_regs *regs = &s->adt->regs->ctxt_regs;
    FH_TRY(copy_sysregs(s, &ctxt->ctxt_regs, regs));
    return copy_word(s, &ctxt->ctxt_regs.mpidr_el1, regs->vmpidr_el2);
}

/* EL1's registers from the shadow context into the hardware, and with them what the return to the
 * VM and the next exit need. AbstractMachine/Spec.v: restore_sysregs_spec */
enum fh_status spec_restore_sysregs(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *hardware;
    FH_TRY(own_regs(s, &hardware));
    struct fh_ctxt_regs *regs = &hardware->ctxt_regs;
    const struct fh_ctxt *shadow = shadow_ctxt_of(s, cur_ctxt_id(s));
    FH_TRY(copy_sysregs(s, regs, &shadow->ctxt_regs));
    FH_TRY(copy_word(s, &regs->spsr_el2, shadow->ctxt_states.pstate));
    FH_TRY(copy_word(s, &regs->vmpidr_el2, shadow->ctxt_regs.mpidr_el1));
    FH_TRY(copy_word(s, &regs->mpidr_el1, shadow->ctxt_regs.mpidr_el1));
    FH_TRY(copy_word(s, &regs->elr_el2, shadow->ctxt_states.pc));
    FH_TRY(copy_word(s, &regs->esr_el2, shadow->ctxt_regs.esr_el2));
    FH_TRY(copy_word(s, &regs->ec, shadow->ctxt_regs.ec));
    FH_TRY(copy_word(s, &regs->far_el2, shadow->ctxt_regs.far_el2));
    return copy_word(s, &regs->hpfar_el2, shadow->ctxt_regs.hpfar_el2);
}

/* The floating point registers from the hardware into the shadow context.
 * AbstractMachine/Spec.v: fpsimd_save_state_spec */
enum fh_status spec_fpsimd_save_state(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *ctxt;
    FH_TRY(own_ctxt_numbered(s, cur_ctxt_id(s), &ctxt));
    return copy_fp_regs(s, &ctxt->ctxt_regs, &s->adt->regs->ctxt_regs);
}

/* And back. AbstractMachine/Spec.v: fpsimd_restore_state_spec */
enum fh_status spec_fpsimd_restore_state(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *regs;
    FH_TRY(own_regs(s, &regs));
    return copy_fp_regs(s, &regs->ctxt_regs, &shadow_ctxt_of(s, cur_ctxt_id(s))->ctxt_regs);
}

/* --- Traps and translation of the one who runs ----------------------------------------------- */

/* Trap what a VM must not do. AbstractMachine/Spec.v: activate_traps_spec */
enum fh_status spec_activate_traps(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *regs;
    FH_TRY(own_regs(s, &regs));
    FH_TRY(copy_word(s, &regs->trap_regs.pmuselr_el0, 0));
    FH_TRY(copy_word(s, &regs->trap_regs.pmuserenr_el0, s->profile->ARMV8_PMU_USERENR_MASK));
    FH_TRY(copy_word(s, &regs->trap_regs.mdcr_el2, s->profile->HYPSEC_MDCR_EL2_FLAG));
    return copy_word(s, &regs->trap_regs.cptr_el2, s->profile->CPTR_VM);
}

/* Trap what the host must not do: little. AbstractMachine/Spec.v: deactivate_traps_spec */
enum fh_status spec_deactivate_traps(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    struct fh_ctxt *regs;
    FH_TRY(own_regs(s, &regs));
    FH_TRY(copy_word(s, &regs->trap_regs.pmuserenr_el0, 0));
    FH_TRY(copy_word(s, &regs->trap_regs.mdcr_el2, 0));
    return copy_word(s, &regs->trap_regs.cptr_el2, s->profile->CPTR_EL2_DEFAULT);
}

/*
 * Keep a VM from the physical timer. By sums, not by masks: CNTHCTL_EL1PCEN is taken off and
 * CNTHCTL_EL1PCTEN put on, whether set or not.
 * AbstractMachine/Spec.v: timer_enable_traps_spec
 */
enum fh_status spec_timer_enable_traps(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    const uint64_t cnthctl = s->adt->regs->trap_regs.cnthctl_el2;
    const wide sum = wide_add(cnthctl, s->profile->CNTHCTL_EL1PCTEN);
    const uint64_t difference = s->profile->CNTHCTL_EL1PCEN;
    FH_LEAVES_64_BITS(s, sum < difference || !is_int64(sum - difference), cnthctl);
    struct fh_ctxt *regs;
    FH_TRY(own_regs(s, &regs));
    return copy_word(s, &regs->trap_regs.cnthctl_el2, (uint64_t)(sum - difference));
}

/* Nothing: the counter's offset is not modelled. AbstractMachine/Spec.v: timer_set_cntvoff_spec */
enum fh_status spec_timer_set_cntvoff(struct fh_state *s)
{
    (void)s;
    return FH_OK;
}

/* The hardware's stage 2 becomes that of table `vttbr`. */
static enum fh_status set_stage_2(struct fh_state *s, uint64_t vttbr, uint64_t hcr, uint64_t tpidr)
{
    struct fh_ctxt *regs;
    FH_TRY(own_regs(s, &regs));
    FH_TRY(copy_word(s, &regs->ctxt_regs.vttbr_el2, vttbr));
    FH_TRY(copy_word(s, &regs->ctxt_regs.hcr_el2, hcr));
    return copy_word(s, &regs->ctxt_regs.tpidr_el2, tpidr);
}

/*
 * The current VM's stage 2, traps and TPIDR_EL2. Not representable: a VMID beyond the 16 bits that
 * VTTBR_EL2 has for it. AbstractMachine/Spec.v: vm_el2_restore_state_spec
 */
enum fh_status spec_vm_el2_restore_state(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    SKIP_IF_HALTED(s);
    const uint64_t vmid = s->adt->cur_vmid;
    FH_LEAVES_64_BITS(s, vmid >> (64 - k->VTTBR_VMID_SHIFT) != 0, vmid);
    const uint64_t tpidr = shadow_ctxt_of(s, cur_ctxt_id(s))->ctxt_regs.tpidr_el2;
    return set_stage_2(s, pool_start(k, vmid) | vmid << k->VTTBR_VMID_SHIFT, k->HCR_HYPSEC_VM_FLAGS,
                       tpidr);
}

/* The same for the host, whose VMID is 0. AbstractMachine/Spec.v: host_el2_restore_state_spec */
enum fh_status spec_host_el2_restore_state(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    SKIP_IF_HALTED(s);
    return set_stage_2(s, pool_start(k, k->HOSTVISOR) | k->HOSTVISOR << k->VTTBR_VMID_SHIFT,
                       k->HCR_HOST_NVHE_FLAGS, 0);
}

/* --- Exceptions ------------------------------------------------------------------------------ */

/*
 * Go on behind the instruction that trapped. The spec writes ESR_EL2, not ELR_EL2.
 * Not representable: an instruction at the end of the address space.
 */
#define SKIP_INSTRUCTION(s)                                                                        \
    do {                                                                                           \
        const uint64_t elr_el2 = (s)->adt->regs->ctxt_regs.elr_el2;                                \
        FH_LEAVES_64_BITS(s, elr_el2 > UINT64_MAX - 4, elr_el2);                                   \
        struct fh_ctxt *regs;                                                                      \
        FH_TRY(own_regs(s, &regs));                                                                \
        FH_TRY(copy_word(s, &regs->ctxt_regs.esr_el2, elr_el2 + 4));                               \
        observe(s, FH_EFFECT_SKIP_INSTR, elr_el2, 0, 0, 0);                                        \
    } while (0)

/* The host's access to a device is done. AbstractMachine/Spec.v: host_skip_instr_spec */
inline enum fh_status spec_host_skip_instr(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    SKIP_INSTRUCTION(s);
    return FH_OK;
}

/* A VM's access to a system register is done, as far as KCore does it.
 * AbstractMachine/Spec.v: core_handle_sys64_spec */
enum fh_status spec_core_handle_sys64(struct fh_state *s)
{
    SKIP_IF_HALTED(s);
    SKIP_INSTRUCTION(s);
    return FH_OK;
}

/* The faulting address within the page: `addr` with the page offset of FAR_EL2.
 * AbstractMachine/Spec.v: host_get_fault_ipa_spec */
enum fh_status spec_host_get_fault_ipa(struct fh_state *s, uint64_t addr, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    *result = addr | (s->adt->regs->ctxt_regs.far_el2 & (s->profile->PAGE_SIZE - 1));
    return FH_OK;
}

/* ACTLR_EL1: the next datum of the current VM. AbstractMachine/Spec.v: read_actlr_el1_spec */
enum fh_status spec_read_actlr_el1(struct fh_state *s, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    about(s, FH_ASKED_ACTLR, (uint64_t)s->adt->cur_vcpuid, 0);
    FH_READ_DATA(s, s->adt->cur_vmid, result);
    return FH_OK;
}

/* Which page the host faulted on. AbstractMachine/Spec.v: read_hpfar_el2_spec */
enum fh_status spec_read_hpfar_el2(struct fh_state *s, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    *result = s->adt->regs->ctxt_regs.hpfar_el2;
    return FH_OK;
}

/* And why: whatever stands in ESR_EL2, which the spec lets grow beyond the 32 bits of a syndrome.
 * AbstractMachine/Spec.v: read_esr_el2_spec */
enum fh_status spec_read_esr_el2(struct fh_state *s, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    *result = s->adt->regs->ctxt_regs.esr_el2;
    return FH_OK;
}
