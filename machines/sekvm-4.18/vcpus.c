/* SPDX-License-Identifier: GPL-2.0-only */
#include "machines/sekvm-4.18/sekvm.h"

/* vCPUs: their shadow registers, into a VM and out of it. */

/* A39: dirty bits add up. */
enum fh_status m_set_shadow_dirty_bit(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                      uint64_t value)
{
    uint64_t dirty = 0;
    if (value != 0)
        FH_TRY(kc_get_shadow_dirty_bit(s, vmid, vcpuid, &dirty));
    if ((dirty & ~value) == 0 || !departs(s, A39))
        return below_set_shadow_dirty_bit(s, vmid, vcpuid, value);
    return below_set_shadow_dirty_bit(s, vmid, vcpuid, value | dirty);
}

/* A46: the kernel looks reset values up by their place in the table, not by the register. */
enum fh_status m_get_sys_reg_desc_val(struct fh_state *s, uint32_t index, uint64_t *result)
{
    if (s->adt->halt || !s->env.reg_row || !departs(s, A46))
        return below_get_sys_reg_desc_val(s, index, result);
    *result = ASK_OUTSIDE(s, reg_row, index);
    return FH_OK;
}

/* The vCPU's number as three affinities, with bit 31. */
static uint64_t mpidr_of(uint32_t vcpuid)
{
    return UINT64_C(1) << 31 | (vcpuid & 15) | (vcpuid >> 4 & 255) << 8 |
           (uint64_t)(vcpuid >> 12 & 255) << 16;
}

/* A46: the numbers of the registers begin at 1, so that here, unlike in the body, each is hit. */
enum fh_status m_reset_sys_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    if (!departs(s, A46))
        return below_reset_sys_regs(s, vmid, vcpuid);
    const struct fh_profile *k = s->profile;
    const uint64_t first = k->SYSREGS_START - 1;
    for (uint32_t i = 1; i <= k->SHADOW_SYS_REGS_SIZE; i++) {
        uint64_t value = mpidr_of(vcpuid);
        if (first + i == k->ACTLR_EL1)
            FH_TRY(kc_read_actlr_el1(s, &value));
        else if (first + i != k->MPIDR_EL1)
            FH_TRY(kc_get_sys_reg_desc_val(s, i, &value));
        FH_TRY(set(s, vmid, vcpuid, first + i, value));
    }
    return FH_OK;
}

/* A43: two numbers are those of other registers. */
enum fh_status m_update_exception_gp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    if (!departs(s, A43))
        return below_update_exception_gp_regs(s, vmid, vcpuid);
    const struct fh_profile *k = s->profile;
    uint64_t pstate, pc, vector;
    FH_TRY(get(s, vmid, vcpuid, k->PSTATE, &pstate));
    FH_TRY(get(s, vmid, vcpuid, k->PC, &pc));
    FH_TRY(kc_get_exception_vector(s, pstate, &vector));
    FH_TRY(set(s, vmid, vcpuid, k->ELR_EL1, pc));
    FH_TRY(set(s, vmid, vcpuid, k->PC, vector));
    FH_TRY(set(s, vmid, vcpuid, k->PSTATE, k->PSTATE_FAULT_BITS_64));
    FH_TRY(set(s, vmid, vcpuid, k->X8, pstate));
    return set(s, vmid, vcpuid, k->SCTLR_EL1, k->ESR_ELx_EC_UNKNOWN);
}

/* --- Aborts ---------------------------------------------------------------------------------- */

/* What the host emulates for prep_abort; A42: high addresses, too. */
static bool is_emulated(struct fh_state *s, uint64_t ipa)
{
    return ipa < s->profile->MAX_MMIO_ADDR || (ipa >= UINT64_C(0x4000000000) && departs(s, A42));
}

/* A41: behind x30 stands the stack pointer. */
static enum fh_status show(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t rd)
{
    uint64_t value;
    FH_TRY(get(s, vmid, vcpuid, rd, &value));
    if (rd == s->profile->X30 + 1 && !s->adt->halt && departs(s, A41))
        value = shadow_ctxt_of(s, ctxt_id(s->profile, vmid, vcpuid))->ctxt_regs.sp_el0;
    return kc_set_int_gpr(s, vmid, vcpuid, (uint32_t)rd, value);
}

/* As the verified body but for the two above. */
enum fh_status m_prep_abort(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint64_t hpfar, esr;
    FH_TRY(get(s, vmid, vcpuid, k->HPFAR_EL2, &hpfar));
    const uint64_t ipa = hpfar / 16 * k->PAGE_SIZE;
    const struct fh_departures *on = &s->departures;
    if (!fh_departs(on, A41) && !fh_departs(on, A42)) {
        ask(s, A41), ask(s, A42);
        return below_prep_abort(s, vmid, vcpuid);
    }
    FH_TRY(kc_get_int_esr(s, vmid, vcpuid, &esr));
    const uint64_t rd = esr >> k->ESR_ELx_SRT_SHIFT & k->ESR_ELx_SRT_MASK;
    if (!is_emulated(s, ipa))
        return FH_OK;
    FH_TRY(kc_set_shadow_dirty_bit(s, vmid, vcpuid, k->DIRTY_PC_FLAG));
    if ((esr & (k->ESR_ELx_WNR | k->ESR_ELx_S1PTW)) != 0)
        return show(s, vmid, vcpuid, rd);
    const uint64_t dirty = rd == 31 ? ~(uint64_t)INT32_MAX : (uint64_t)1 << rd;
    return kc_set_shadow_dirty_bit(s, vmid, vcpuid, dirty);
}

/* L9: whether a page is wanted stands in FLAGS, and where in HPFAR_EL2: no oracle. */
enum fh_status m_get_vm_fault_addr(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint64_t *result)
{
    if (!departs(s, L9))
        return below_get_vm_fault_addr(s, vmid, vcpuid, result);
    const struct fh_profile *k = s->profile;
    uint64_t flags, hpfar;
    FH_TRY(get(s, vmid, vcpuid, k->FLAGS, &flags));
    FH_TRY(get(s, vmid, vcpuid, k->HPFAR_EL2, &hpfar));
    *result = (flags & k->PENDING_FSC_FAULT) ? (hpfar & k->HPFAR_MASK) << 8 : 0;
    return FH_OK;
}

/* L9: and FLAGS is empty afterwards. */
enum fh_status m_restore_shadow_kvm_regs(struct fh_state *s)
{
    const uint32_t vmid = cur_vmid(s), vcpuid = cur_vcpuid(s);
    uint64_t dirty;
    FH_TRY(get(s, vmid, vcpuid, s->profile->DIRTY, &dirty));
    FH_TRY(below_restore_shadow_kvm_regs(s));
    if (dirty == s->profile->INVALID64 || s->adt->halt || !departs(s, L9))
        return FH_OK;
    return set(s, vmid, vcpuid, s->profile->FLAGS, 0);
}

/* N2: a breakpoint is treated as WFx is. */
enum fh_status m_save_shadow_kvm_regs(struct fh_state *s)
{
    enum { BRK64 = 0x3c };
    const struct fh_profile *k = s->profile;
    const uint32_t vmid = cur_vmid(s), vcpuid = cur_vcpuid(s);
    uint64_t ec, esr;
    FH_TRY(get(s, vmid, vcpuid, k->EC, &ec));
    FH_TRY(kc_get_shadow_esr(s, vmid, vcpuid, &esr));
    const bool is_break =
        ec == k->ARM_EXCEPTION_TRAP && (esr & k->ESR_ELx_EC_MASK) >> k->ESR_ELx_EC_SHIFT == BRK64;
    if (is_break && !s->adt->halt && departs(s, N2))
        return kc_prep_wfx(s, vmid, vcpuid);
    return below_save_shadow_kvm_regs(s);
}

/* --- Out of a VM ----------------------------------------------------------------------------- */

static enum fh_status own_current(struct fh_state *s, struct fh_ctxt **ctxt)
{
    void *record;
    const uint64_t id = (uint64_t)ctxt_id(s->profile, s->adt->cur_vmid, s->adt->cur_vcpuid);
    FH_TRY(own_entry(s, &s->adt->shadow_ctxts, type_of_ref_ctxt, id, &record));
    *ctxt = record;
    return FH_OK;
}

/* L10: where the one who leaves goes on is kept, of a vCPU and of the host. */
enum fh_status m_save_sysregs(struct fh_state *s)
{
    FH_TRY(below_save_sysregs(s));
    if (s->adt->halt || !departs(s, L10))
        return FH_OK;
    const struct fh_ctxt_regs *regs = &s->adt->regs->ctxt_regs;
    struct fh_ctxt *ctxt;
    FH_TRY(own_current(s, &ctxt));
    FH_TRY(set_u64(s, &ctxt->ctxt_states.pc, regs->elr_el2));
    return set_u64(s, &ctxt->ctxt_states.pstate, regs->spsr_el2);
}

/* Memory that the host may give a page for: all but the devices that it emulates. */
static bool is_mmio_gpa(const struct fh_state *s, uint64_t ipa)
{
    const bool is_gic_cpu = ipa >= UINT64_C(0x8010000) && ipa < UINT64_C(0x8020000);
    return ipa < s->profile->MAX_MMIO_ADDR && !is_gic_cpu;
}

/* L9: a fault in memory is noted in FLAGS. N3: only one for which there is no descriptor. */
static enum fh_status note_fault(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    enum { FSC_TYPE = 0x3c, FSC_FAULT = 4 };
    const struct fh_profile *k = s->profile;
    const struct fh_ctxt_regs *regs = &s->adt->regs->ctxt_regs;
    const bool is_missing = (regs->esr_el2 & FSC_TYPE) == FSC_FAULT;
    if (is_mmio_gpa(s, (regs->hpfar_el2 & k->HPFAR_MASK) << 8) || (!is_missing && departs(s, N3)) ||
        !departs(s, L9))
        return FH_OK;
    return set(s, vmid, vcpuid, k->FLAGS, k->PENDING_FSC_FAULT);
}

/* L10: ESR_EL2 is noted at traps, the addresses at aborts. */
enum fh_status m_exit_populate_fault(struct fh_state *s)
{
    if (s->adt->halt || !departs(s, L10))
        return below_exit_populate_fault(s);
    const struct fh_profile *k = s->profile;
    const struct fh_ctxt_regs *regs = &s->adt->regs->ctxt_regs;
    const uint32_t vmid = cur_vmid(s), vcpuid = cur_vcpuid(s);
    const uint64_t class = regs->esr_el2 >> k->ESR_ELx_EC_SHIFT & 63;
    if (regs->ec != k->ARM_EXCEPTION_INTERRUPT)
        FH_TRY(set(s, vmid, vcpuid, k->ESR_EL2, regs->esr_el2));
    if (regs->ec != k->ARM_EXCEPTION_TRAP ||
        (class != k->ESR_ELx_EC_IABT_LOW && class != k->ESR_ELx_EC_DABT_LOW))
        return FH_OK;
    observe_call(s, FH_CALLED_populate_fault_info, regs->far_el2, regs->hpfar_el2, regs->esr_el2,
                 regs->hpfar_el2, 0);
    FH_TRY(set(s, vmid, vcpuid, k->FAR_EL2, regs->far_el2));
    FH_TRY(set(s, vmid, vcpuid, k->HPFAR_EL2, regs->hpfar_el2));
    return note_fault(s, vmid, vcpuid);
}

/* L8: the kind of exit is noted late, and the host is current before the vCPU is inactive. */
enum fh_status m_save_vm(struct fh_state *s)
{
    if (!departs(s, L8))
        return below_save_vm(s);
    const struct fh_profile *k = s->profile;
    const uint32_t vmid = cur_vmid(s), vcpuid = cur_vcpuid(s);
    FH_TRY(kc_save_sysregs(s));
    FH_TRY(kc_fpsimd_save_state(s));
    FH_TRY(kc_deactivate_traps(s));
    FH_TRY(kc_timer_enable_traps(s));
    FH_TRY(set(s, vmid, vcpuid, k->EC, s->adt->regs->ctxt_regs.ec));
    FH_TRY(kc_save_shadow_kvm_regs(s));
    FH_TRY(kc_set_per_cpu(s, (uint32_t)k->HOSTVISOR, 0));
    return kc_set_vcpu_inactive(s, vmid, vcpuid);
}

/* A7: the host is told how the vCPU left. */
static enum fh_status answer_exit(struct fh_state *s, uint64_t ec)
{
    if (s->adt->halt || !departs(s, A7))
        return FH_OK;
    return set(s, (uint32_t)s->profile->HOSTVISOR, cur_vcpuid(s), s->profile->X0, ec);
}

enum fh_status m_restore_host(struct fh_state *s)
{
    const uint64_t ec = s->adt->regs->ctxt_regs.ec;
    if (!departs(s, L8)) {
        FH_TRY(below_restore_host(s));
        return answer_exit(s, ec);
    }
    FH_TRY(kc_host_el2_restore_state(s));
    FH_TRY(kc_restore_sysregs(s));
    FH_TRY(kc_fpsimd_restore_state(s));
    return answer_exit(s, ec);
}

/* --- Into a VM ------------------------------------------------------------------------------- */

/* PSTATE: the modes below EL2, EL0t, EL1t and EL1h; bit 4 is set in those of AArch32. */
static bool is_below_el2(uint64_t pstate)
{
    const uint64_t mode = pstate & 31;
    return mode == 0 || mode == 4 || mode == 5 || mode >= 16;
}

/*
 * L10: the hardware gets x0 to x30 last, and has the rest by then. A40: a return that does not
 * leave EL2 is the end.
 */
enum fh_status m_core_to_vm(struct fh_state *s)
{
    if (s->adt->halt || !departs(s, L10))
        return below_core_to_vm(s);
    void *record;
    FH_TRY(own_ref(s, &s->adt->regs, type_of_ref_ctxt, &record));
    struct fh_ctxt_regs *regs = &((struct fh_ctxt *)record)->ctxt_regs;
    const struct fh_ctxt *shadow =
        shadow_ctxt_of(s, ctxt_id(s->profile, s->adt->cur_vmid, s->adt->cur_vcpuid));
    const uint64_t *from = &shadow->ctxt_regs.x0;
    for (unsigned i = 0; i <= 30; i++)
        FH_TRY(set_u64(s, &regs->x0 + i, from[i]));
    if (!is_below_el2(regs->spsr_el2) && departs(s, A40))
        FH_DIE(s, "the exception return leads to EL2", regs->elr_el2, regs->spsr_el2);
    return FH_OK;
}

/*
 * A48: a vCPU that the kernel never activated is one that KVM never prepared: the host's structure
 * of it has no pointer to where the host's own registers go.
 */
static enum fh_status look_at_vm(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const bool has_run = machine_number(s, MACHINE_FIRST_RUN, vmid, vcpuid) != 0;
    if ((int32_t)vcpuid >= (int32_t)s->profile->VCPU_PER_VM && departs(s, E9))
        FH_DIE(s, "vcpu_id < HYPSEC_MAX_VCPUS", vmid, vcpuid);
    if (!has_run && !s->adt->halt && departs(s, A48))
        FH_DIE(s, "the host's structure of the vCPU is not prepared", vmid, vcpuid);
    return FH_OK;
}

/*
 * A4: VM and vCPU are in x1 and x2, and nobody looks at them. L8: the vCPU is current when it is
 * active.
 */
enum fh_status m_restore_vm(struct fh_state *s)
{
    if (s->adt->halt || !departs(s, A4))
        return below_restore_vm(s);
    const struct fh_profile *k = s->profile;
    const uint32_t host = cur_vmid(s), cpu = cur_vcpuid(s);
    uint64_t vmid, vcpuid;
    FH_TRY(get(s, host, cpu, k->X1, &vmid));
    FH_TRY(get(s, host, cpu, k->X2, &vcpuid));
    const bool is_late = departs(s, L8);
    if (!is_late)
        FH_TRY(kc_set_per_cpu(s, (uint32_t)vmid, (uint32_t)vcpuid));
    FH_TRY(kc_set_vcpu_active(s, (uint32_t)vmid, (uint32_t)vcpuid));
    if (is_late)
        FH_TRY(kc_set_per_cpu(s, (uint32_t)vmid, (uint32_t)vcpuid));
    FH_TRY(look_at_vm(s, (uint32_t)vmid, (uint32_t)vcpuid));
    FH_TRY(kc_restore_shadow_kvm_regs(s));
    FH_TRY(kc_vm_el2_restore_state(s));
    FH_TRY(kc_timer_enable_traps(s));
    FH_TRY(kc_activate_traps(s));
    FH_TRY(kc_restore_sysregs(s));
    return kc_fpsimd_restore_state(s);
}
