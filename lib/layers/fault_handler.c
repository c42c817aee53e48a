/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "FaultHandler"
#include "layers/fault_handler.h"

#include "layers/abstract_machine.h"
#include "layers/current_vcpu.h"
#include "layers/mem_manager.h"
#include "layers/memory_ops.h"
#include "layers/mmio_ops.h"

/*
 * FaultHandler/Spec.v: a stage-2 fault of the host, and a VM's hypercall to share memory.
 */

/*
 * Handle the stage-2 fault that HPFAR_EL2 and ESR_EL2 describe: emulate the access if it is to an
 * SMMU's registers, else map the page for the host. Halts where these do.
 * Stuck: the address or syndrome out of range, and where emulate_mmio and map_page_host are.
 * FaultHandler/Spec.v: handle_host_stage2_fault_spec
 */
enum fh_status spec_handle_host_stage2_fault(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    uint64_t hpfar, esr;
    uint32_t ret;
    FH_TRY(kc_read_hpfar_el2(s, &hpfar));
    const uint64_t addr = (hpfar & k->HPFAR_MASK) * 256;
    FH_RELY(s, is_addr_product(k, hpfar & k->HPFAR_MASK, 256), hpfar);
    FH_TRY(kc_read_esr_el2(s, &esr));
    FH_RELY(s, is_int(esr), esr);
    FH_TRY(kc_emulate_mmio(s, addr, (uint32_t)esr, &ret));
    return ret == k->INVALID ? kc_map_page_host(s, addr) : FH_OK;
}

/*
 * A VM's hypercall, from the registers of the vCPU that runs: X0 says whether to grant or to
 * revoke, X2 and X3 are address and size in bytes. *result is 0, or 1 for a call that is neither.
 * Halts if no VM runs, and where grant and revoke do. Stuck: the running vCPU's number out of
 * range, and where grant and revoke are. FaultHandler/Spec.v: core_handle_pvops_spec
 */
enum fh_status spec_core_handle_pvops(struct fh_state *s, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    uint32_t vmid, vcpuid, ret = 0;
    uint64_t call, addr, size;
    RELY_CURRENT_VCPU(s);
    FH_TRY(kc_get_cur_vmid(s, &vmid));
    FH_TRY(kc_get_cur_vcpuid(s, &vcpuid));
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->X0, &call));
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->X2, &addr));
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->X3, &size));
    observe_call(s, FH_CALLED_core_handle_pvops, vmid, vcpuid, call, addr, size);
    if (!is_vm(k, vmid))
        FH_TRY(FH_PANIC(s, is_vm(k, vmid), vmid));
    else if (call == k->HVC_KVM_SET_DESC_PFN)
        FH_TRY(kc_grant_stage2_sg_gpa(s, vmid, addr, size));
    else if (call == k->HVC_KVM_UNSET_DESC_PFN)
        FH_TRY(kc_revoke_stage2_sg_gpa(s, vmid, addr, size));
    else
        ret = 1;
    observe_return(s, FH_CALLED_core_handle_pvops, vmid, vcpuid, ret);
    return kc_check(s, ret, result);
}
