/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MemManager"
#include "layers/mem_manager.h"

#include "layers/abstract_machine.h"
#include "layers/lock_log.h"
#include "layers/locks.h"
#include "layers/mmio_spt_ops.h"
#include "layers/npt_ops.h"
#include "layers/page_manager.h"

/*
 * MemManager/Spec.v: pages change hands here. Every function holds page ownership and, inside, the
 * one page table that has to agree with it.
 *
 * Context: each function takes the lock of page ownership (S2PAGE_ID) and gives it back; when
 * KCore panics inside, its locks stay taken. The table's lock is demanded even on the paths that do
 * not touch the table. In a halted state all are the identity, once the arguments are in range.
 */

static bool host_table_is_available(const struct fh_state *s)
{
    return lock_is_available(s, s->profile->NPT_ID);
}

/*
 * Let the host have the page at `addr` (a byte address below KVM_PHYS_SIZE) where it faulted: its
 * own pages, pages that a VM shares, and memory without an owner (as a device). Halts on any other
 * page, and as map_s2pt does.
 * Stuck: addr out of range, a lock not free. MemManager/Spec.v: map_page_host_spec
 */
inline enum fh_status spec_map_page_host(struct fh_state *s, uint64_t addr)
{
    const struct fh_profile *k = s->profile;
    const uint32_t host = (uint32_t)k->HOSTVISOR;
    FH_RELY(s, is_paddr(k, addr), addr);
    FH_RELY(s, s->adt->halt || host_table_is_available(s), k->NPT_ID);
    const uint64_t pfn = pfn_of(k, addr);
    uint32_t owner, count;
    expect_page(s, host, pfn, pfn);
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == k->INVALID)
        FH_TRY(kc_map_s2pt(s, host, addr, 3, pfn * k->PAGE_SIZE | k->PAGE_S2_DEVICE | k->S2_RDWR));
    else if (owner == host || count > 0)
        FH_TRY(kc_map_s2pt(s, host, addr, 3, pfn * k->PAGE_SIZE | k->PAGE_S2_KERNEL));
    else
        FH_TRY(FH_PANIC(s, owner == k->INVALID || owner == host || count > 0, pfn, owner, count));
    return kc_release_lock_s2page(s);
}

/*
 * Give page `pfn` of VM `vmid` back to the host, scrubbed; pages of others stay as they are. The
 * host's table is left alone.
 * Stuck: vmid or pfn out of range, the lock not free. MemManager/Spec.v: clear_vm_page_spec
 */
enum fh_status spec_clear_vm_page(struct fh_state *s, uint32_t vmid, uint64_t pfn)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    uint32_t owner;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    if (owner == vmid) {
        FH_TRY(kc_set_pfn_owner(s, pfn, (uint32_t)k->HOSTVISOR));
        FH_TRY(kc_set_pfn_count(s, pfn, 0));
        FH_TRY(kc_set_pfn_map(s, pfn, pfn + k->SMMU_HOST_OFFSET));
        FH_TRY(kc_clear_phys_page(s, pfn));
    }
    return kc_release_lock_s2page(s);
}

/*
 * Take page `pfn` from the host for `vmid`, at guest page `gfn`: first in the
 * record, which stays if the host's table then makes KCore panic.
 */
static enum fh_status take_page_for_vm(struct fh_state *s, uint32_t vmid, uint64_t gfn,
                                       uint64_t pfn)
{
    FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
    FH_TRY(kc_set_pfn_map(s, pfn, gfn));
    FH_TRY(kc_clear_pfn_host(s, pfn));
    return kc_fetch_from_doracle(s, vmid, pfn, 1);
}

/* A page that is the VM's already stays at its guest page; if an SMMU had it, it is plain again. */
static enum fh_status keep_page_of_vm(struct fh_state *s, uint64_t gfn, uint64_t pfn,
                                      uint32_t count)
{
    const struct fh_profile *k = s->profile;
    uint64_t map;
    FH_TRY(kc_get_pfn_map(s, pfn, &map));
    FH_DEMAND(s, map == k->INVALID64 || map == gfn, pfn, map, gfn);
    if (map == k->INVALID64)
        FH_TRY(kc_set_pfn_map(s, pfn, gfn));
    return count == k->INVALID ? kc_set_pfn_count(s, pfn, 0) : FH_OK;
}

/*
 * Page `pfn` is to be VM `vmid`'s, at its guest page `gfn`: taken from the host, with the contents
 * that the host left there (a value of the data oracle), or the VM's already. Halts if the host
 * shares it, if it is someone else's or at another guest page, and as clear_pfn_host does; the
 * record then names the new owner nevertheless.
 * Stuck: vmid, gfn or pfn out of range, a lock not free. MemManager/Spec.v: assign_pfn_to_vm_spec
 */
enum fh_status spec_assign_pfn_to_vm(struct fh_state *s, uint32_t vmid, uint64_t gfn, uint64_t pfn)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_gfn(k, gfn), gfn);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    FH_RELY(s, s->adt->halt || host_table_is_available(s), k->NPT_ID);
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == k->HOSTVISOR && count == 0)
        FH_TRY(take_page_for_vm(s, vmid, gfn, pfn));
    else if (owner != k->HOSTVISOR && owner == vmid)
        FH_TRY(keep_page_of_vm(s, gfn, pfn, count));
    else
        FH_TRY(
            FH_PANIC(s, (owner == k->HOSTVISOR && count == 0) || owner == vmid, pfn, owner, count));
    return kc_release_lock_s2page(s);
}

/*
 * Map `addr` for VM `vmid` to the physical page in `pte`, as a 2 MiB block if `level` is 2 and as a
 * page otherwise, with the permissions of normal memory. Halts as map_s2pt does.
 * Stuck: vmid or addr out of range, the table's lock not free.
 * MemManager/Spec.v: map_pfn_vm_spec
 */
enum fh_status spec_map_pfn_vm(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t pte,
                               uint32_t level)
{
    const struct fh_profile *k = s->profile;
    const uint64_t page = phys_page(k, pte) | k->PAGE_S2_KERNEL;
    if (level == 2)
        return kc_map_s2pt(s, vmid, addr, 2, page & k->NOT_PMD_TABLE_BIT);
    return kc_map_s2pt(s, vmid, addr, 3, page);
}

/*
 * Map guest address `gpa` of VM `vmid` to the device page at `pa`; nothing happens if `pa` is
 * memory. Halts as map_s2pt does.
 * Stuck: vmid or an address out of range, a lock not free. MemManager/Spec.v: map_vm_io_spec
 */
enum fh_status spec_map_vm_io(struct fh_state *s, uint32_t vmid, uint64_t gpa, uint64_t pa)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, gpa), gpa);
    FH_RELY(s, is_addr(k, pa), pa);
    FH_RELY(s, s->adt->halt || lock_is_available(s, k->NPT_ID + vmid), k->NPT_ID + vmid);
    uint32_t owner;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn_of(k, pa), &owner));
    if (owner == k->INVALID)
        FH_TRY(kc_map_s2pt(s, vmid, gpa, 3, phys_page(k, pa) | k->PAGE_S2_DEVICE | k->S2_RDWR));
    return kc_release_lock_s2page(s);
}

/*
 * VM `vmid` shares its page `pfn` with the host once more, up to MAX_SHARE_COUNT times; pages of
 * others stay as they are.
 * Stuck: vmid or pfn out of range, the lock not free. MemManager/Spec.v: grant_vm_page_spec
 */
enum fh_status spec_grant_vm_page(struct fh_state *s, uint32_t vmid, uint64_t pfn)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == vmid && count < k->MAX_SHARE_COUNT)
        FH_TRY(kc_set_pfn_count(s, pfn, count + 1));
    return kc_release_lock_s2page(s);
}

/*
 * VM `vmid` takes back one share of its page `pfn`; with the last one the host loses its mapping
 * and the VM gets what the host left in the page. Halts as clear_pfn_host does.
 * Stuck: vmid or pfn out of range, a lock not free. MemManager/Spec.v: revoke_vm_page_spec
 */
enum fh_status spec_revoke_vm_page(struct fh_state *s, uint32_t vmid, uint64_t pfn)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    FH_RELY(s, s->adt->halt || host_table_is_available(s), k->NPT_ID);
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == vmid && count > 0) {
        FH_TRY(kc_set_pfn_count(s, pfn, count - 1));
        if (count == 1) {
            FH_TRY(kc_clear_pfn_host(s, pfn));
            FH_TRY(kc_fetch_from_doracle(s, vmid, pfn, 1));
        }
    }
    return kc_release_lock_s2page(s);
}

/* Take page `pfn` from the host for a device of `vmid`; a count of INVALID marks such a page. */
static enum fh_status take_page_for_smmu(struct fh_state *s, uint32_t vmid, uint64_t gfn,
                                         uint64_t pfn)
{
    FH_TRY(kc_clear_pfn_host(s, pfn));
    FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
    FH_TRY(kc_set_pfn_map(s, pfn, gfn));
    FH_TRY(kc_set_pfn_count(s, pfn, (uint32_t)s->profile->INVALID));
    return kc_fetch_from_doracle(s, vmid, pfn, 1);
}

/*
 * Page `pfn` is to be `vmid`'s, for its device to reach at page `gfn`: taken from the host with
 * the contents that the host left there, or the VM's already. Halts if the host shares it, if it is
 * someone else's, and as clear_pfn_host does, with the record as before.
 * Stuck: vmid, gfn or pfn out of range, a lock not free. MemManager/Spec.v: assign_pfn_to_smmu_spec
 */
enum fh_status spec_assign_pfn_to_smmu(struct fh_state *s, uint32_t vmid, uint64_t gfn,
                                       uint64_t pfn)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_gfn(k, gfn), gfn);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    FH_RELY(s, s->adt->halt || host_table_is_available(s), k->NPT_ID);
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == k->HOSTVISOR && count == 0)
        FH_TRY(take_page_for_smmu(s, vmid, gfn, pfn));
    else if (owner == k->HOSTVISOR || owner != vmid)
        FH_TRY(
            FH_PANIC(s, (owner == k->HOSTVISOR && count == 0) || owner == vmid, pfn, owner, count));
    return kc_release_lock_s2page(s);
}

/*
 * Map `iova` (a device address) of SMMU `index`, context bank `cbndx`, with descriptor `pte` to a
 * page that is `vmid`'s at exactly that guest page; a host page counts its device mappings, up to
 * EL2_SMMU_CFG_SIZE. Halts on any other page, and as map_spt does.
 * Stuck: an argument out of range, a lock not free. MemManager/Spec.v: update_smmu_page_spec
 */
enum fh_status spec_update_smmu_page(struct fh_state *s, uint32_t vmid, uint32_t cbndx,
                                     uint32_t index, uint64_t iova, uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(iova), iova);
    FH_RELY(s, s->adt->halt || lock_is_available(s, k->SPT_ID), k->SPT_ID);
    uint32_t owner, count;
    uint64_t map;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_map(s, pfn, &map));
    if (vmid == owner && pfn_of(k, iova) == map) {
        FH_TRY(kc_map_spt(s, cbndx, index, iova, pte));
        FH_TRY(kc_get_pfn_count(s, pfn, &count));
        if (owner == k->HOSTVISOR && count < k->EL2_SMMU_CFG_SIZE)
            FH_TRY(kc_set_pfn_count(s, pfn, count + 1));
    } else {
        FH_TRY(FH_PANIC(s, vmid == owner && pfn_of(k, iova) == map, pfn, owner, map));
    }
    return kc_release_lock_s2page(s);
}

/*
 * Unmap `iova` of SMMU `index`, context bank `cbndx`; a host page that it led to is counted down.
 * Halts as unmap_spt does.
 * Stuck: an argument out of range, a lock not free. MemManager/Spec.v: unmap_smmu_page_spec
 */
enum fh_status spec_unmap_smmu_page(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                    uint64_t iova)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(iova), iova);
    uint32_t owner, count;
    uint64_t pte;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_unmap_spt(s, cbndx, index, iova, &pte));
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == k->HOSTVISOR && count > 0)
        FH_TRY(kc_set_pfn_count(s, pfn, count - 1));
    return kc_release_lock_s2page(s);
}
