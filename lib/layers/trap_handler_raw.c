/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "TrapHandlerRaw"
#include "layers/trap_handler_raw.h"

#include "layers/abstract_machine.h"
#include "layers/ctxt_switch.h"
#include "layers/current_vcpu.h"
#include "layers/fault_handler.h"
#include "layers/trap_dispatcher.h"

/*
 * TrapHandlerRaw/Spec.v: the four ways into KCore, from exception entry to exception return, as
 * the code does them, one critical section after the other.
 */

/*
 * A hypercall of the host. Halts and is stuck where host_hvc_dispatcher does and is.
 * TrapHandlerRaw/Spec.v: host_hvc_handler_raw_spec
 */
enum fh_status spec_host_hvc_handler_raw(struct fh_state *s)
{
    FH_TRY(kc_host_to_core(s));
    FH_TRY(kc_host_hvc_dispatcher(s));
    return kc_core_to_host(s);
}

/*
 * A stage-2 fault of the host. Halts and is stuck where handle_host_stage2_fault does and is.
 * TrapHandlerRaw/Spec.v: host_npt_handler_raw_spec
 */
enum fh_status spec_host_npt_handler_raw(struct fh_state *s)
{
    FH_TRY(kc_host_to_core(s));
    FH_TRY(kc_handle_host_stage2_fault(s));
    return kc_core_to_host(s);
}

/*
 * The host runs a vCPU. Halts and is stuck where restore_vm does and is.
 * TrapHandlerRaw/Spec.v: host_vcpu_run_handler_raw_spec
 */
enum fh_status spec_host_vcpu_run_handler_raw(struct fh_state *s)
{
    FH_TRY(kc_host_to_core(s));
    FH_TRY(kc_save_host(s));
    FH_TRY(kc_restore_vm(s));
    return kc_core_to_vm(s);
}

static enum fh_status leave_vm(struct fh_state *s)
{
    FH_TRY(kc_save_vm(s));
    FH_TRY(kc_restore_host(s));
    return kc_core_to_host(s);
}

/*
 * Does the VM trap at the last instruction of the address space? core_handle_sys64 computes an
 * address behind it then, which has no place in ESR_EL2 and needs none: core_to_vm overwrites it.
 */
static bool skips_last_instruction(const struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    const wide id = ctxt_id(k, s->adt->cur_vmid, s->adt->cur_vcpuid);
    const uint64_t esr = shadow_ctxt_of(s, id)->ctxt_regs.esr_el2;
    return (esr >> k->ESR_ELx_EC_SHIFT & 63) == k->ESR_ELx_EC_SYS64 &&
           !is_int64(wide_add(s->adt->regs->ctxt_regs.elr_el2, 4));
}

/*
 * The current vCPU stops, at a trap or an interrupt. Traps that KCore handles by itself lead back
 * to the VM, all others to the host. Halts on any other exit, and where vm_exit_dispatcher and
 * save_vm do. Stuck: the current vCPU's numbers out of range, and where these are.
 * TrapHandlerRaw/Spec.v: vm_exit_handler_raw_spec
 */
enum fh_status spec_vm_exit_handler_raw(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    uint32_t vmid, vcpuid, ret;
    uint64_t ec;
    RELY_CURRENT_VCPU(s);
    FH_TRY(kc_get_cur_vmid(s, &vmid));
    FH_TRY(kc_get_cur_vcpuid(s, &vcpuid));
    FH_TRY(kc_vm_to_core(s));
    FH_TRY(kc_exit_populate_fault(s));
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->EC, &ec));
    if (ec == k->ARM_EXCEPTION_INTERRUPT)
        return leave_vm(s);
    FH_DEMAND(s, ec == k->ARM_EXCEPTION_TRAP || ec == k->ARM_EXCEPTION_INTERRUPT, ec);
    if (skips_last_instruction(s))
        return kc_core_to_vm(s);
    FH_TRY(kc_vm_exit_dispatcher(s, vmid, vcpuid, &ret));
    return ret == 0 ? kc_core_to_vm(s) : leave_vm(s);
}
