/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "VMPower"
#include "layers/vm_power.h"

#include "layers/abstract_machine.h"
#include "layers/locks.h"

/*
 * VMPower/Spec.v: is the VM switched on?
 *
 * Context: each function takes and gives back the VM's lock (INFO_ID + vmid). In a halted state
 * both are the identity, with result 0. Stuck: vmid out of range, lock not free.
 */

/* Switch `vmid` off: its state becomes POWEROFF. VMPower/Spec.v: set_vm_poweroff_spec */
enum fh_status spec_set_vm_poweroff(struct fh_state *s, uint32_t vmid)
{
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_set_vm_state(s, vmid, (uint32_t)s->profile->POWEROFF));
    return kc_release_lock_vm(s, vmid);
}

/*
 * 1 unless `vmid` was switched off. Stuck, besides: a state of the VM beyond 32 bits.
 * VMPower/Spec.v: get_vm_poweron_spec
 */
enum fh_status spec_get_vm_poweron(struct fh_state *s, uint32_t vmid, uint32_t *result)
{
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    const uint64_t vm_state = vminfo_of(s, vmid)->VS.vm_state;
    FH_RELY(s, s->adt->halt || is_int(vm_state), vmid, vm_state);
    uint32_t state;
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    FH_TRY(kc_release_lock_vm(s, vmid));
    return kc_check(s, state != s->profile->POWEROFF, result);
}
