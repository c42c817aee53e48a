/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioOps"
#include "layers/mmio_ops.h"

#include "layers/abstract_machine.h"
#include "layers/boot_ops.h"
#include "layers/locks.h"
#include "layers/mmio_ops_aux.h"
#include "layers/mmio_spt_ops.h"
#include "layers/vm_power.h"

/*
 * MmioOps/Spec.v: the SMMUs as the host may use them.
 *
 * Context: each function but el2_arm_lpae_iova_to_phys takes and gives back the lock of the banks'
 * owners (SMMU_ID). When KCore panics inside, the lock stays taken.
 */

/*
 * Emulate the host's access that faulted at the byte address `addr` (48 bits) with syndrome `hsr`
 * (ESR_EL2). The result is the SMMU's index, INVALID if addr belongs to none (nothing happened
 * then), 0 if KCore halted. Halts as handle_host_mmio does.
 * Stuck: addr or the host's vcpuid out of range; then, unless halted: lock not free, and where
 * is_smmu_range and handle_host_mmio are. Not representable: ELR_EL2 + 4 beyond 64 bits.
 * MmioOps/Spec.v: emulate_mmio_spec
 */
inline enum fh_status spec_emulate_mmio(struct fh_state *s, uint64_t addr, uint32_t hsr,
                                        uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    const uint64_t cur_vcpuid = (uint64_t)s->adt->cur_vcpuid;
    FH_RELY(s, is_addr(k, addr), addr);
    FH_RELY(s, is_vcpu(k, cur_vcpuid), cur_vcpuid);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    uint32_t ret;
    FH_TRY(kc_acquire_lock_smmu(s));
    FH_TRY(kc_is_smmu_range(s, addr, &ret));
    if (ret != k->INVALID)
        FH_TRY(kc_handle_host_mmio(s, addr, ret, hsr));
    FH_TRY(kc_release_lock_smmu(s));
    FH_TRY(kc_check(s, ret, result));
    observe(s, FH_EFFECT_EMULATE_MMIO, addr, hsr, *result, 0);
    return FH_OK;
}

/* The spec's bound on the owner of a bank: the state holds 64 bits, KCore reads 32. */
static enum fh_status owner_of(struct fh_state *s, uint32_t cbndx, uint32_t index, uint32_t *vmid)
{
    const uint64_t owner = smmu_vmid_of(s, index, cbndx);
    FH_RELY(s, is_int(owner), owner, cbndx, index);
    return kc_get_smmu_cfg_vmid(s, cbndx, index, vmid);
}

/*
 * Bank `cbndx` of SMMU `index` no longer belongs to a VM; nothing happens if it did not. Halts
 * unless the VM was powered off.
 * Stuck: cbndx or index out of range, one of the locks that are taken (owners, VM) not free, an
 * owner that is no VM number. MmioOps/Spec.v: el2_free_smmu_pgd_spec
 */
enum fh_status spec_el2_free_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    if (s->adt->halt)
        return FH_OK;
    uint32_t vmid, power;
    FH_TRY(kc_acquire_lock_smmu(s));
    FH_TRY(owner_of(s, cbndx, index, &vmid));
    if (vmid != k->INVALID) {
        FH_TRY(kc_get_vm_poweron(s, vmid, &power));
        if (power == 0)
            FH_TRY(kc_set_smmu_cfg_vmid(s, cbndx, index, (uint32_t)k->INVALID));
        else
            FH_TRY(FH_PANIC(s, power == 0, cbndx, index, vmid));
    }
    return kc_release_lock_smmu(s);
}

/* The SMMU's number of banks, as the spec bounds it. */
static enum fh_status banks_of(struct fh_state *s, uint32_t index, uint32_t *num)
{
    const uint64_t banks = number_at(&s->adt->smmu_conf->smmu_dev_context_banks, index);
    FH_RELY(s, s->adt->halt || is_int(banks), banks, index);
    return kc_get_smmu_num_context_banks(s, index, num);
}

/*
 * Give bank `cbndx` of SMMU `index` to `vmid`, with an empty table; nothing happens if it belongs
 * to someone. Halts if the SMMU has no such bank. The spec, unlike the body (alloc_smmu), does not
 * look at the VM's state.
 * Stuck: an argument out of range, one of the locks that are taken (owners, SMMU tables) not free,
 * an owner of more than 32 bits. MmioOps/Spec.v: el2_alloc_smmu_pgd_spec
 */
enum fh_status spec_el2_alloc_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint32_t vmid,
                                       uint32_t index)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    if (s->adt->halt)
        return FH_OK;
    uint32_t num, target;
    FH_TRY(kc_acquire_lock_smmu(s));
    FH_TRY(banks_of(s, index, &num));
    if (cbndx < num) {
        FH_TRY(owner_of(s, cbndx, index, &target));
        if (target == k->INVALID) {
            FH_TRY(kc_set_smmu_cfg_vmid(s, cbndx, index, vmid));
            FH_TRY(kc_init_spt(s, cbndx, index));
        }
    } else {
        FH_TRY(FH_PANIC(s, cbndx < num, cbndx, num));
    }
    return kc_release_lock_smmu(s);
}

/*
 * Make page `pfn` the page of the owner of bank `cbndx` of SMMU `index`, for its device to reach at
 * page `gfn`; nothing happens if the bank belongs to nobody. Halts as assign_smmu does.
 * Stuck: an argument out of range, the owners' lock not free, and where assign_smmu is.
 * MmioOps/Spec.v: smmu_assign_page_spec
 */
enum fh_status spec_smmu_assign_page(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                     uint64_t pfn, uint64_t gfn)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_gfn(k, gfn), gfn);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    if (s->adt->halt)
        return FH_OK;
    uint32_t vmid;
    FH_TRY(kc_acquire_lock_smmu(s));
    FH_TRY(owner_of(s, cbndx, index, &vmid));
    if (vmid != k->INVALID)
        FH_TRY(kc_assign_smmu(s, vmid, pfn, gfn));
    return kc_release_lock_smmu(s);
}

/*
 * Map `iova` (a byte address, 40 bits) in bank `cbndx` of SMMU `index` with the descriptor `pte`;
 * nothing happens if the bank belongs to nobody. Halts as map_smmu does.
 * Stuck: an argument out of range, the owners' lock not free, and where map_smmu is.
 * MmioOps/Spec.v: smmu_map_page_spec
 */
enum fh_status spec_smmu_map_page(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t iova,
                                  uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(iova), iova);
    if (s->adt->halt)
        return FH_OK;
    uint32_t vmid;
    FH_TRY(kc_acquire_lock_smmu(s));
    FH_TRY(owner_of(s, cbndx, index, &vmid));
    if (vmid != k->INVALID)
        FH_TRY(kc_map_smmu(s, vmid, cbndx, index, iova, pte));
    return kc_release_lock_smmu(s);
}

/*
 * Where bank `cbndx` of SMMU `index` maps `iova` (a byte address, 40 bits): a physical address,
 * made from page 0 where it does not. 0 in a halted state.
 * Stuck: an argument out of range, the lock of the SMMU tables not free.
 * MmioOps/Spec.v: el2_arm_lpae_iova_to_phys_spec
 */
enum fh_status spec_el2_arm_lpae_iova_to_phys(struct fh_state *s, uint64_t iova, uint32_t cbndx,
                                              uint32_t index, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    uint64_t pte;
    FH_TRY(kc_walk_spt(s, cbndx, index, iova, &pte));
    return kc_check64(s, phys_page(k, pte) + iova % k->PAGE_SIZE, result);
}

/*
 * Unmap `iova` (a byte address, 40 bits) in bank `cbndx` of SMMU `index`; nothing happens if the
 * bank belongs to nobody. Halts as clear_smmu does.
 * Stuck: an argument out of range, the owners' lock not free, and where clear_smmu is.
 * MmioOps/Spec.v: el2_arm_lpae_clear_spec
 */
enum fh_status spec_el2_arm_lpae_clear(struct fh_state *s, uint64_t iova, uint32_t cbndx,
                                       uint32_t index)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(iova), iova);
    if (s->adt->halt)
        return FH_OK;
    uint32_t vmid;
    FH_TRY(kc_acquire_lock_smmu(s));
    FH_TRY(owner_of(s, cbndx, index, &vmid));
    if (vmid != k->INVALID)
        FH_TRY(kc_clear_smmu(s, vmid, cbndx, index, iova));
    return kc_release_lock_smmu(s);
}
