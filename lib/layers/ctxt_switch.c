/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "CtxtSwitch"
#include "layers/ctxt_switch.h"

#include "layers/abstract_machine.h"
#include "layers/boot_ops.h"
#include "layers/current_vcpu.h"
#include "layers/oracle.h"
#include "layers/vcpu_ops.h"

/*
 * CtxtSwitch/Spec.v: the machine's registers change hands between the host and a vCPU.
 *
 * Context: no lock held. In a halted state all are the identity.
 */

/* Keep the host's system and floating-point registers. CtxtSwitch/Spec.v: save_host_spec */
enum fh_status spec_save_host(struct fh_state *s)
{
    FH_TRY(kc_save_sysregs(s));
    return kc_fpsimd_save_state(s);
}

/* The host is current again and gets its registers back. CtxtSwitch/Spec.v: restore_host_spec */
enum fh_status spec_restore_host(struct fh_state *s)
{
    FH_TRY(kc_set_per_cpu(s, (uint32_t)s->profile->HOSTVISOR, 0));
    FH_TRY(kc_host_el2_restore_state(s));
    FH_TRY(kc_restore_sysregs(s));
    return kc_fpsimd_restore_state(s);
}

/*
 * The current vCPU leaves the CPU: its registers are kept, it becomes inactive. Halts where
 * save_shadow_kvm_regs and set_vcpu_inactive do.
 * Stuck: the current vCPU's numbers out of range, and where these are.
 * CtxtSwitch/Spec.v: save_vm_spec
 */
enum fh_status spec_save_vm(struct fh_state *s)
{
    uint32_t vmid, vcpuid;
    RELY_CURRENT_VCPU(s);
    FH_TRY(kc_save_sysregs(s));
    FH_TRY(kc_fpsimd_save_state(s));
    FH_TRY(kc_deactivate_traps(s));
    FH_TRY(kc_timer_enable_traps(s));
    FH_TRY(kc_save_shadow_kvm_regs(s));
    FH_TRY(kc_get_cur_vmid(s, &vmid));
    FH_TRY(kc_get_cur_vcpuid(s, &vcpuid));
    return kc_set_vcpu_inactive(s, vmid, vcpuid);
}

static enum fh_status enter_vm(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    FH_TRY(kc_set_per_cpu(s, vmid, vcpuid));
    FH_TRY(kc_set_vcpu_active(s, vmid, vcpuid));
    FH_TRY(kc_restore_shadow_kvm_regs(s));
    FH_TRY(kc_vm_el2_restore_state(s));
    FH_TRY(kc_timer_enable_traps(s));
    FH_TRY(kc_activate_traps(s));
    FH_TRY(kc_restore_sysregs(s));
    return kc_fpsimd_restore_state(s);
}

/*
 * The vCPU that the host asks for, VM in its x0 and number from the core data oracle, becomes
 * current and gets the CPU's registers. Halts if there is no such vCPU, without counting the number
 * as read, and where set_vcpu_active and restore_shadow_kvm_regs do.
 * Stuck: x0 or the number beyond 32 bits, the current numbers out of range, and where these are.
 * CtxtSwitch/Spec.v: restore_vm_spec
 */
enum fh_status spec_restore_vm(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    uint32_t cur_vmid, cur_vcpuid;
    uint64_t vmid, vcpuid;
    RELY_CURRENT_VCPU(s);
    FH_TRY(kc_get_cur_vmid(s, &cur_vmid));
    FH_TRY(kc_get_cur_vcpuid(s, &cur_vcpuid));
    FH_TRY(kc_get_shadow_ctxt(s, cur_vmid, cur_vcpuid, (uint32_t)k->X0, &vmid));
    FH_RELY(s, is_int(vmid), vmid);
    FH_DEMAND(s, is_vm(k, vmid), vmid);
    about(s, FH_ASKED_RUN_VCPUID, 0, 0);
    vcpuid = core_data_oracle(s, vmid, core_data_log_of(s, vmid));
    FH_RELY(s, is_int(vcpuid), vcpuid);
    FH_DEMAND(s, is_vcpu(k, vcpuid), vmid, vcpuid);
    FH_TRY(kc_get_int_run_vcpuid(s, (uint32_t)vmid, &vcpuid));
    return enter_vm(s, (uint32_t)vmid, (uint32_t)vcpuid);
}
