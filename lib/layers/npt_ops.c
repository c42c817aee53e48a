/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "NPTOps"
#include "layers/npt_ops.h"

#include "layers/abstract_machine.h"
#include "layers/locks.h"
#include "layers/npt_walk.h"
#include "layers/physical.h"

/*
 * NPTOps/Spec.v: one operation on a stage-2 table, each a critical section of its own.
 *
 * Context: each function takes and gives back the table's lock (NPT_ID + vmid). When KCore panics
 * inside, the lock stays taken.
 */

/*
 * The level at which `addr` is mapped for `vmid`: 2, 3, or 0 where there is no physical page. The
 * identity, with result 0, in a halted state.
 * Stuck: vmid or addr out of range, lock not free. NPTOps/Spec.v: get_level_s2pt_spec
 */
enum fh_status spec_get_level_s2pt(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                   uint32_t *result)
{
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    FH_RELY(s, is_addr(s->profile, addr), addr);
    FH_TRY(kc_acquire_lock_pt(s, vmid));
    uint32_t level;
    FH_TRY(kc_get_npt_level(s, vmid, addr, &level));
    FH_TRY(kc_release_lock_pt(s, vmid));
    return kc_check(s, level, result);
}

/*
 * The descriptor that maps `addr` for `vmid`, 0 where there is none. The identity, with result 0,
 * in a halted state.
 * Stuck: vmid or addr out of range, lock not free. NPTOps/Spec.v: walk_s2pt_spec
 */
enum fh_status spec_walk_s2pt(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t *result)
{
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    FH_RELY(s, is_addr(s->profile, addr), addr);
    FH_TRY(kc_acquire_lock_pt(s, vmid));
    uint64_t pte;
    FH_TRY(kc_walk_npt(s, vmid, addr, &pte));
    observe_return(s, FH_CALLED_walk_s2pt, vmid, addr, pte);
    FH_TRY(kc_release_lock_pt(s, vmid));
    return kc_check64(s, pte, result);
}

/*
 * Map `addr` for `vmid` with the descriptor `pte` at level 2 or 3. Halts as set_npt does.
 * Stuck: vmid or addr out of range, lock not free, and where set_npt is.
 * NPTOps/Spec.v: map_s2pt_spec
 */
inline enum fh_status spec_map_s2pt(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                    uint32_t level, uint64_t pte)
{
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    FH_RELY(s, is_addr(s->profile, addr), addr);
    FH_TRY(kc_acquire_lock_pt(s, vmid));
    FH_TRY(kc_set_npt(s, vmid, addr, level, pte));
    return kc_release_lock_pt(s, vmid);
}

/*
 * Take page `pfn` away from the host: its identity mapping, if it has one, becomes PAGE_GUEST, and
 * the TLB is told, as the code does; the spec has no TLB.
 * Halts as set_npt does. Stuck: pfn out of range, lock not free.
 * NPTOps/Spec.v: clear_pfn_host_spec
 */
enum fh_status spec_clear_pfn_host(struct fh_state *s, uint64_t pfn)
{
    const struct fh_profile *k = s->profile;
    const uint32_t host = (uint32_t)k->HOSTVISOR;
    FH_RELY(s, is_pfn(k, pfn), pfn);
    FH_TRY(kc_acquire_lock_pt(s, host));
    uint32_t level;
    FH_TRY(kc_get_npt_level(s, host, pfn * k->PAGE_SIZE, &level));
    if (level != 0) {
        FH_TRY(kc_set_npt(s, host, pfn * k->PAGE_SIZE, 3, k->PAGE_GUEST));
        FH_TRY(tlb_invalidate(s, host, pfn * k->PAGE_SIZE));
    }
    return kc_release_lock_pt(s, host);
}
