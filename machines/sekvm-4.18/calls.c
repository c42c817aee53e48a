/* SPDX-License-Identifier: GPL-2.0-only */
#include "machines/sekvm-4.18/sekvm.h"

#include "layers/oracle.h"
#include "machine/abi.h"

/* Exits of a VM, and the calls that are no row of the ABI. */

/* L4: each CPU turns translation on. What belongs to KCore was settled before the first record. */
enum fh_status sekvm_enable_s2_trans(struct fh_state *s, const uint64_t *args, uint64_t *result)
{
    (void)args;
    *result = 0;
    FH_TRY(kc_acquire_lock_core(s));
    if (!s->adt->halt) {
        about(s, FH_ASKED_VTCR, (uint64_t)s->adt->cur_vcpuid, 0);
        const uint64_t vtcr = core_data_oracle(s, s->profile->HOSTVISOR, 0);
        observe(s, FH_EFFECT_VTCR_SET, vtcr, 0, 0, 0);
    }
    FH_TRY(kc_host_el2_restore_state(s));
    return kc_release_lock_core(s);
}

/* A8: address and size are in x1 and x2, and 1 is the answer when it was done. */
enum fh_status m_core_handle_pvops(struct fh_state *s, uint32_t *result)
{
    if (s->adt->halt || !departs(s, A8))
        return below_core_handle_pvops(s, result);
    const struct fh_profile *k = s->profile;
    const uint32_t vmid = cur_vmid(s), vcpuid = cur_vcpuid(s);
    uint64_t x[3];
    bool is_known = true;
    for (uint32_t i = 0; i < 3; i++)
        FH_TRY(get(s, vmid, vcpuid, k->X0 + i, &x[i]));
    observe_call(s, FH_CALLED_core_handle_pvops, vmid, vcpuid, x[0], x[1], x[2]);
    if (is_vm(k, vmid))
        FH_TRY(abi_guest_call(s, x[0], &is_known));
    else
        FH_TRY(FH_PANIC(s, is_vm(k, vmid), vmid));
    observe_return(s, FH_CALLED_core_handle_pvops, vmid, vcpuid, is_known);
    return kc_check(s, is_known, result);
}

/* A45: what KCore does not handle is the host's. *result 1: it is. */
enum fh_status m_vm_exit_dispatcher(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    uint64_t esr;
    FH_TRY(get(s, vmid, vcpuid, k->ESR_EL2, &esr));
    const uint64_t class = esr >> k->ESR_ELx_EC_SHIFT & 63;
    if (s->adt->halt || class == k->ESR_ELx_EC_SYS64)
        return below_vm_exit_dispatcher(s, vmid, vcpuid, result);
    if (class == k->ESR_ELx_EC_HVC64) {
        uint32_t ret;
        FH_TRY(kc_core_handle_pvops(s, &ret));
        *result = fh_departs(&s->departures, A8) ? ret == 0 : ret;
        return FH_OK;
    }
    if (!departs(s, A45))
        return below_vm_exit_dispatcher(s, vmid, vcpuid, result);
    *result = 1;
    return FH_OK;
}

/* A45: an SError, and any other kind of exit, is the host's too. */
enum fh_status m_vm_exit_handler_raw(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    const uint64_t ec = s->adt->regs->ctxt_regs.ec;
    if (s->adt->halt || ec == k->ARM_EXCEPTION_INTERRUPT || ec == k->ARM_EXCEPTION_TRAP) {
        if (!fh_departs(&s->departures, L8) || s->adt->halt)
            return below_vm_exit_handler_raw(s);
    } else if (!departs(s, A45)) {
        return below_vm_exit_handler_raw(s);
    }
    const uint32_t vmid = cur_vmid(s), vcpuid = cur_vcpuid(s);
    uint32_t leaves = 1;
    FH_TRY(kc_vm_to_core(s));
    FH_TRY(kc_exit_populate_fault(s));
    if (ec == k->ARM_EXCEPTION_TRAP)
        FH_TRY(kc_vm_exit_dispatcher(s, vmid, vcpuid, &leaves));
    if (leaves == 0)
        return kc_core_to_vm(s);
    FH_TRY(kc_save_vm(s));
    FH_TRY(kc_restore_host(s));
    return kc_core_to_host(s);
}
