/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "VCPUOpsAux"
#include "layers/vcpu_ops_aux.h"

#include "layers/abstract_machine.h"
#include "layers/boot_ops.h"
#include "layers/memory_ops.h"
#include "layers/oracle.h"
#include "layers/vm_power.h"

/*
 * VCPUOpsAux/Spec.v: what has to be done to a vCPU's shadow registers when it stops and before it
 * goes on. What the host may see or change of them goes through the `dirty` bits.
 *
 * Context: no lock held. In a halted state all are the identity, once vmid and vcpuid are in range.
 */

#define RELY_VM_VCPU(s, vmid, vcpuid)                                                              \
    do {                                                                                           \
        FH_RELY(s, is_vm((s)->profile, vmid), vmid);                                               \
        FH_RELY(s, is_vcpu((s)->profile, vcpuid), vcpuid);                                         \
    } while (0)

static enum fh_status set_register(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint64_t index, uint64_t value)
{
    return kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)index, value);
}

static enum fh_status get_register(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint64_t index, uint64_t *value)
{
    return kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)index, value);
}

/* Show register `index` to the host. */
static enum fh_status show_register(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint64_t index)
{
    uint64_t value;
    FH_TRY(get_register(s, vmid, vcpuid, index, &value));
    return kc_set_int_gpr(s, vmid, vcpuid, (uint32_t)index, value);
}

/*
 * The first start of a vCPU: general registers and floating point cleared, pc and pstate as the
 * host wants them (two values of the data oracle). Halts if pc is not inside a boot image. Stuck:
 * vmid or vcpuid out of range, and where search_load_info is. VCPUOpsAux/Spec.v: reset_gp_regs_spec
 */
enum fh_status spec_reset_gp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_vcpu(k, vcpuid), vcpuid);
    uint64_t pc, load_addr, pstate;
    FH_TRY(kc_get_int_pc(s, vmid, vcpuid, &pc));
    FH_TRY(kc_search_load_info(s, vmid, pc, &load_addr));
    FH_RELY(s, is_addr(k, load_addr), load_addr);
    FH_DEMAND(s, load_addr != 0, vmid, vcpuid, pc);
    FH_TRY(kc_clear_shadow_gp_regs(s, vmid, vcpuid));
    FH_TRY(kc_get_int_pstate(s, vmid, vcpuid, &pstate));
    FH_TRY(set_register(s, vmid, vcpuid, k->PSTATE, pstate));
    FH_TRY(set_register(s, vmid, vcpuid, k->PC, pc));
    return kc_reset_fp_regs(s, vmid, vcpuid);
}

/*
 * The spec counts from register 1, so that it is x1 to x24 that get the reset values of system
 * registers; those of MPIDR_EL1 and ACTLR_EL1 are never reached.
 */
enum fh_status reset_system_registers(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const uint32_t first = 1;
    for (uint32_t i = first; i < first + s->profile->SHADOW_SYS_REGS_SIZE; i++) {
        uint64_t value;
        FH_TRY(kc_get_sys_reg_desc_val(s, i, &value));
        FH_TRY(kc_set_shadow_ctxt(s, vmid, vcpuid, i, value));
    }
    return FH_OK;
}

/*
 * Reset the system registers of a vCPU. Stuck: vmid not a VM's, vcpuid out of range.
 * VCPUOpsAux/Spec.v: reset_sys_regs_spec
 */
enum fh_status spec_reset_sys_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    RELY_VM_VCPU(s, vmid, vcpuid);
    return reset_system_registers(s, vmid, vcpuid);
}

/* Each dirty register counts as a value read, but all get the first one. */
enum fh_status take_dirty_registers(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    uint64_t dirty, first = 0;
    bool have_first = false;
    FH_TRY(kc_get_shadow_dirty_bit(s, vmid, vcpuid, &dirty));
    for (uint32_t i = 0; i <= s->profile->X30; i++) {
        if ((dirty >> i & 1) == 0)
            continue;
        uint64_t value;
        FH_TRY(kc_get_int_gpr(s, vmid, vcpuid, i, &value));
        if (!have_first)
            first = value;
        have_first = true;
        FH_TRY(kc_set_shadow_ctxt(s, vmid, vcpuid, i, first));
    }
    return FH_OK;
}

/*
 * Take over from the host the general registers that it was to fill in, those with a dirty bit (x0
 * to x30). Stuck: vmid not a VM's, vcpuid out of range.
 * VCPUOpsAux/Spec.v: sync_dirty_to_shadow_spec
 */
enum fh_status spec_sync_dirty_to_shadow(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    RELY_VM_VCPU(s, vmid, vcpuid);
    return take_dirty_registers(s, vmid, vcpuid);
}

enum fh_status prepare_wfx(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    return kc_set_shadow_dirty_bit(s, vmid, vcpuid, s->profile->DIRTY_PC_FLAG);
}

/*
 * The vCPU waits for an interrupt or event: the host may step its pc.
 * Stuck: vmid not a VM's, vcpuid out of range. VCPUOpsAux/Spec.v: prep_wfx_spec
 */
enum fh_status spec_prep_wfx(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    RELY_VM_VCPU(s, vmid, vcpuid);
    return prepare_wfx(s, vmid, vcpuid);
}

static enum fh_status show_registers(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                     uint64_t last)
{
    for (uint64_t index = s->profile->X1; index <= last; index++)
        FH_TRY(show_register(s, vmid, vcpuid, index));
    return FH_OK;
}

enum fh_status prepare_hvc(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint64_t call;
    FH_TRY(get_register(s, vmid, vcpuid, k->X0, &call));
    FH_TRY(kc_set_shadow_dirty_bit(s, vmid, vcpuid, 1));
    FH_TRY(kc_set_int_gpr(s, vmid, vcpuid, (uint32_t)k->X0, call));
    call &= k->INVALID;
    if (call == k->PSCI_0_2_FN64_CPU_ON)
        return show_registers(s, vmid, vcpuid, k->X3);
    if (call == k->PSCI_0_2_FN_AFFINITY_INFO || call == k->PSCI_0_2_FN64_AFFINITY_INFO)
        return show_registers(s, vmid, vcpuid, k->X2);
    if (call == k->PSCI_0_2_FN_SYSTEM_OFF)
        return kc_set_vm_poweroff(s, vmid);
    return FH_OK;
}

/*
 * The vCPU made a hypercall: the host sees its number and, of the PSCI calls that it handles, the
 * arguments, and may fill in x0. SYSTEM_OFF powers the VM off.
 * Stuck: vmid not a VM's, vcpuid out of range, and for SYSTEM_OFF where set_vm_poweroff is.
 * VCPUOpsAux/Spec.v: prep_hvc_spec
 */
enum fh_status spec_prep_hvc(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    RELY_VM_VCPU(s, vmid, vcpuid);
    return s->adt->halt ? FH_OK : prepare_hvc(s, vmid, vcpuid);
}

enum fh_status prepare_abort(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    /* The spec looks at the next value, it does not count it as read. */
    about(s, FH_ASKED_ESR, vcpuid, 0);
    const uint64_t esr = data_oracle(s, vmid, data_log_of(s, vmid));
    const uint64_t rd = esr >> k->ESR_ELx_SRT_SHIFT & k->ESR_ELx_SRT_MASK;
    uint64_t hpfar;
    FH_TRY(get_register(s, vmid, vcpuid, k->HPFAR_EL2, &hpfar));
    FH_RELY(s, is_gfn(k, hpfar / 16), hpfar);
    if (hpfar / 16 * k->PAGE_SIZE >= k->MAX_MMIO_ADDR)
        return FH_OK;
    if ((esr & (k->ESR_ELx_WNR | k->ESR_ELx_S1PTW)) == 0)
        return kc_set_shadow_dirty_bit(s, vmid, vcpuid, (uint64_t)1 << rd);
    FH_TRY(kc_set_shadow_dirty_bit(s, vmid, vcpuid, k->DIRTY_PC_FLAG));
    return show_register(s, vmid, vcpuid, rd);
}

/*
 * The vCPU took a stage-2 fault. Below MAX_MMIO_ADDR it is an access to a device that the host
 * emulates: for a load the host may fill in the register, for a store it sees it and may step the
 * pc (the syndrome is the next value of the data oracle). Stuck: vmid not a VM's, vcpuid or the
 * faulting page out of range. VCPUOpsAux/Spec.v: prep_abort_spec
 */
enum fh_status spec_prep_abort(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    RELY_VM_VCPU(s, vmid, vcpuid);
    return s->adt->halt ? FH_OK : prepare_abort(s, vmid, vcpuid);
}

enum fh_status inject_exception(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint64_t pstate, pc, vector;
    FH_TRY(get_register(s, vmid, vcpuid, k->PSTATE, &pstate));
    FH_TRY(get_register(s, vmid, vcpuid, k->PC, &pc));
    FH_TRY(kc_get_exception_vector(s, pstate, &vector));
    FH_TRY(set_register(s, vmid, vcpuid, k->ELR_EL1, pc));
    FH_TRY(set_register(s, vmid, vcpuid, k->PC, vector));
    FH_TRY(set_register(s, vmid, vcpuid, k->PSTATE, k->PSTATE_FAULT_BITS_64));
    FH_TRY(set_register(s, vmid, vcpuid, k->SPSR_0, pstate));
    return set_register(s, vmid, vcpuid, k->ESR_EL1, k->ESR_ELx_EC_UNKNOWN);
}

/*
 * Make the vCPU take an exception of unknown reason: elr_el1 and spsr_0 keep pc and pstate, pc goes
 * to the vector. Stuck: vmid not a VM's, vcpuid out of range.
 * VCPUOpsAux/Spec.v: update_exception_gp_regs_spec
 */
enum fh_status spec_update_exception_gp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    RELY_VM_VCPU(s, vmid, vcpuid);
    return s->adt->halt ? FH_OK : inject_exception(s, vmid, vcpuid);
}

enum fh_status map_faulting_page(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t addr)
{
    uint64_t pte, level;
    FH_TRY(kc_get_int_new_pte(s, vmid, vcpuid, &pte));
    FH_TRY(kc_get_int_new_level(s, vmid, vcpuid, &level));
    return kc_prot_and_map_vm_s2pt(s, vmid, addr, pte, level == 2 ? 2 : 3);
}

/*
 * Give the VM the page or block that the host provides for a fault at `addr` (a guest byte
 * address): descriptor and level are two values of the core data oracle.
 * Stuck: vmid not a VM's, vcpuid out of range, and where prot_and_map_vm_s2pt is.
 * VCPUOpsAux/Spec.v: post_handle_shadow_s2pt_fault_spec
 */
enum fh_status spec_post_handle_shadow_s2pt_fault(struct fh_state *s, uint32_t vmid,
                                                  uint32_t vcpuid, uint64_t addr)
{
    RELY_VM_VCPU(s, vmid, vcpuid);
    return s->adt->halt ? FH_OK : map_faulting_page(s, vmid, vcpuid, addr);
}
