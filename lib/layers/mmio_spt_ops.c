/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioSPTOps"
#include "layers/mmio_spt_ops.h"

#include "layers/abstract_machine.h"
#include "layers/locks.h"
#include "layers/mmio_spt_walk.h"

/*
 * MmioSPTOps/Spec.v: one operation on an SMMU table, each a critical section of its own.
 *
 * Context: each function takes and gives back the lock of the SMMU tables (SPT_ID). When KCore
 * panics inside, the lock stays taken.
 */

/*
 * Empty the table of bank `cbndx` of SMMU `index`.
 * Stuck: cbndx or index out of range, lock not free. MmioSPTOps/Spec.v: init_spt_spec
 */
enum fh_status spec_init_spt(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    FH_TRY(kc_acquire_lock_spt(s));
    FH_TRY(kc_clear_smmu_pt(s, cbndx, index));
    return kc_release_lock_spt(s);
}

/*
 * The descriptor that maps `addr` (a byte address, 40 bits) in bank `cbndx` of SMMU `index`, 0
 * where there is none. The identity, with result 0, in a halted state.
 * Stuck: an argument out of range, lock not free. MmioSPTOps/Spec.v: walk_spt_spec
 */
enum fh_status spec_walk_spt(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                             uint64_t *result)
{
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(addr), addr);
    FH_TRY(kc_acquire_lock_spt(s));
    uint64_t pte;
    FH_TRY(kc_walk_smmu_pt(s, cbndx, index, addr, &pte));
    FH_TRY(kc_release_lock_spt(s));
    return kc_check64(s, pte, result);
}

/*
 * Map the page of `addr` in bank `cbndx` of SMMU `index` with the descriptor `pte`. Halts as
 * set_smmu_pt does. Stuck: an argument out of range, lock not free.
 * MmioSPTOps/Spec.v: map_spt_spec
 */
enum fh_status spec_map_spt(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                            uint64_t pte)
{
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(addr), addr);
    FH_TRY(kc_acquire_lock_spt(s));
    FH_TRY(kc_set_smmu_pt(s, cbndx, index, addr, pte));
    return kc_release_lock_spt(s);
}

/*
 * Unmap the page of `addr` in bank `cbndx` of SMMU `index`. The result is the descriptor that was
 * there, 0 if there was none or KCore halted. Halts as set_smmu_pt does.
 * Stuck: an argument out of range, lock not free. MmioSPTOps/Spec.v: unmap_spt_spec
 */
enum fh_status spec_unmap_spt(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                              uint64_t *result)
{
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(addr), addr);
    FH_TRY(kc_acquire_lock_spt(s));
    uint64_t pte;
    FH_TRY(kc_walk_smmu_pt(s, cbndx, index, addr, &pte));
    if (pte != 0)
        FH_TRY(kc_set_smmu_pt(s, cbndx, index, addr, 0));
    FH_TRY(kc_release_lock_spt(s));
    return kc_check64(s, pte, result);
}
