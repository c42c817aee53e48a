/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "VCPUOps"
#include "layers/vcpu_ops.h"

#include "layers/abstract_machine.h"
#include "layers/boot_ops.h"
#include "layers/current_vcpu.h"
#include "layers/vcpu_ops_aux.h"

/*
 * VCPUOps/Spec.v: the shadow registers of the current vCPU after an exit and before an entry.
 *
 * Context: no lock held. In a halted state both are the identity, before anything else is looked
 * at.
 */

static enum fh_status prepare_trap(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint64_t hsr;
    FH_TRY(kc_get_shadow_esr(s, vmid, vcpuid, &hsr));
    const uint64_t class = (hsr & k->ESR_ELx_EC_MASK) >> k->ESR_ELx_EC_SHIFT;
    if (class == k->ESR_ELx_EC_WFx)
        return is_vm(k, vmid) ? kc_prep_wfx(s, vmid, vcpuid) : prepare_wfx(s, vmid, vcpuid);
    if (class == k->ESR_ELx_EC_HVC32 || class == k->ESR_ELx_EC_HVC64)
        return is_vm(k, vmid) ? kc_prep_hvc(s, vmid, vcpuid) : prepare_hvc(s, vmid, vcpuid);
    if (class == k->ESR_ELx_EC_IABT_LOW || class == k->ESR_ELx_EC_DABT_LOW)
        return is_vm(k, vmid) ? kc_prep_abort(s, vmid, vcpuid) : prepare_abort(s, vmid, vcpuid);
    return FH_PANIC_FOR(s, "a class that the host is told of: WFx, HVC or an abort", class);
}

/*
 * The current vCPU stopped: if at a trap, note what the host may see and change. Halts on exception
 * classes other than WFx, HVC and the two aborts.
 * Stuck: the current vCPU's numbers out of range, and where prep_hvc and prep_abort are.
 * VCPUOps/Spec.v: save_shadow_kvm_regs_spec
 */
enum fh_status spec_save_shadow_kvm_regs(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    uint32_t vmid, vcpuid;
    uint64_t ec;
    if (s->adt->halt)
        return FH_OK;
    RELY_CURRENT_VCPU(s);
    FH_TRY(kc_get_cur_vmid(s, &vmid));
    FH_TRY(kc_get_cur_vcpuid(s, &vcpuid));
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->EC, &ec));
    return ec == k->ARM_EXCEPTION_TRAP ? prepare_trap(s, vmid, vcpuid) : FH_OK;
}

static enum fh_status start_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    FH_TRY(kc_reset_gp_regs(s, vmid, vcpuid));
    FH_TRY(is_vm(s->profile, vmid) ? kc_reset_sys_regs(s, vmid, vcpuid)
                                   : reset_system_registers(s, vmid, vcpuid));
    return kc_set_shadow_dirty_bit(s, vmid, vcpuid, 0);
}

/* An exception in a vCPU whose pc is stepped too: only elr_el1 and pc remain of it. */
static enum fh_status inject_and_lose(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint64_t pstate, pc, vector;
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->PSTATE, &pstate));
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->PC, &pc));
    FH_TRY(kc_get_exception_vector(s, pstate, &vector));
    FH_TRY(kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->ELR_EL1, pc));
    return kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->PC, vector);
}

static enum fh_status step_pc(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint64_t pc;
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->PC, &pc));
    FH_LEAVES_64_BITS(s, !is_int64(wide_add(pc, 4)), pc);
    return kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->PC, pc + 4);
}

/* Take over what the host did for the vCPU since it stopped. */
static enum fh_status continue_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint64_t dirty)
{
    const struct fh_profile *k = s->profile;
    const bool injects = (dirty & k->PENDING_EXCEPT_INJECT_FLAG) != 0;
    const bool steps = (dirty & k->DIRTY_PC_FLAG) != 0;
    uint64_t ec, addr;
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->EC, &ec));
    if (ec == k->ARM_EXCEPTION_TRAP)
        FH_TRY(is_vm(k, vmid) ? kc_sync_dirty_to_shadow(s, vmid, vcpuid)
                              : take_dirty_registers(s, vmid, vcpuid));
    if (injects && steps)
        FH_TRY(inject_and_lose(s, vmid, vcpuid));
    else if (injects)
        FH_TRY(is_vm(k, vmid) ? kc_update_exception_gp_regs(s, vmid, vcpuid)
                              : inject_exception(s, vmid, vcpuid));
    if (steps)
        FH_TRY(step_pc(s, vmid, vcpuid));
    FH_TRY(kc_set_shadow_dirty_bit(s, vmid, vcpuid, 0));
    FH_TRY(kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->FAR_EL2, 0));
    FH_TRY(kc_get_vm_fault_addr(s, vmid, vcpuid, &addr));
    if (addr == 0 || !is_addr(k, addr))
        return FH_OK;
    return is_vm(k, vmid) ? kc_post_handle_shadow_s2pt_fault(s, vmid, vcpuid, addr)
                          : map_faulting_page(s, vmid, vcpuid, addr);
}

/*
 * The current vCPU is about to run. Never run before (dirty is INVALID64): registers are reset, as
 * by reset_gp_regs and reset_sys_regs. Else: what the host filled in is taken over, a pending
 * exception is injected, the pc stepped, and a page mapped if the host provides one for a fault (at
 * an address from the core data oracle; 0 for none).
 * Halts where reset_gp_regs and prot_and_map_vm_s2pt do.
 * Stuck: the current vCPU's numbers out of range, and where these are. Not representable: a pc
 * beyond 64 bits. VCPUOps/Spec.v: restore_shadow_kvm_regs_spec
 */
enum fh_status spec_restore_shadow_kvm_regs(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    uint32_t vmid, vcpuid;
    uint64_t dirty;
    if (s->adt->halt)
        return FH_OK;
    RELY_CURRENT_VCPU(s);
    FH_TRY(kc_get_cur_vmid(s, &vmid));
    FH_TRY(kc_get_cur_vcpuid(s, &vcpuid));
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->DIRTY, &dirty));
    if (dirty == k->INVALID64)
        return start_vcpu(s, vmid, vcpuid);
    return continue_vcpu(s, vmid, vcpuid, dirty);
}
