/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "BootCore"
#include "layers/boot_core.h"

#include "layers/abstract_machine.h"
#include "layers/locks.h"

/*
 * BootCore/Spec.v: numbers and addresses that are given out once.
 *
 * Context: each function takes and gives back the core's lock (CORE_ID). When KCore panics inside,
 * the lock stays taken.
 */

/*
 * The number of a new VM, from 1 on. Halts when there are no more (COREVISOR). The identity, with
 * result 0, in a halted state.
 * Stuck: lock not free, the next number beyond COREVISOR. BootCore/Spec.v: gen_vmid_spec
 */
enum fh_status spec_gen_vmid(struct fh_state *s, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *next_vmid = &s->adt->shared.core_data.next_vmid;
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    uint32_t vmid;
    FH_TRY(kc_acquire_lock_core(s));
    FH_RELY(s, is_vmid(k, *next_vmid), *next_vmid);
    FH_TRY(kc_get_next_vmid(s, &vmid));
    if (vmid < k->COREVISOR)
        FH_TRY(kc_set_next_vmid(s, vmid + 1));
    else
        FH_TRY(FH_PANIC(s, vmid < k->COREVISOR, vmid));
    FH_TRY(kc_release_lock_core(s));
    return kc_check(s, vmid, result);
}

/*
 * The byte address of `pgnum` pages of KCore's own, where a boot image can be mapped. Halts when
 * the area for them (up to REMAP_END, exclusive) is used up. The identity, with result 0, in a
 * halted state.
 * Stuck: pgnum of more than 36 bits, lock not free, the next address beyond 48 bits.
 * BootCore/Spec.v: alloc_remap_addr_spec
 */
enum fh_status spec_alloc_remap_addr(struct fh_state *s, uint64_t pgnum, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_gfn(k, pgnum), pgnum);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    uint64_t remap;
    FH_TRY(kc_acquire_lock_core(s));
    FH_TRY(kc_get_next_remap_ptr(s, &remap));
    FH_RELY(s, is_addr(k, remap), remap);
    const uint64_t end = remap + pgnum * k->PAGE_SIZE;
    if (end < k->REMAP_END)
        FH_TRY(kc_set_next_remap_ptr(s, end));
    else
        FH_TRY(FH_PANIC(s, end < k->REMAP_END, remap, pgnum));
    FH_TRY(kc_release_lock_core(s));
    return kc_check64(s, remap, result);
}
