/* SPDX-License-Identifier: GPL-2.0-only */
#include "machines/sekvm-4.18/sekvm.h"

/* Pages: whose they are, and in whose tables. */

/* E10: the host's address may be beyond physical memory; it is memory that nobody owns then. */
enum fh_status m_map_page_host(struct fh_state *s, uint64_t addr)
{
    const struct fh_profile *k = s->profile;
    if (is_paddr(k, addr) || !departs(s, E10))
        return below_map_page_host(s, addr);
    const uint64_t pfn = pfn_of(k, addr);
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    FH_TRY(kc_map_s2pt(s, (uint32_t)k->HOSTVISOR, addr, 3,
                       pfn * k->PAGE_SIZE | k->PAGE_S2_DEVICE | k->S2_RDWR));
    return kc_release_lock_s2page(s);
}

/* A24: the guest page becomes 0. The host's mapping is cleared first, as in the verified body. */
enum fh_status m_clear_vm_page(struct fh_state *s, uint32_t vmid, uint64_t pfn)
{
    if (!departs(s, A24))
        return below_clear_vm_page(s, vmid, pfn);
    uint32_t owner;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    if (owner == vmid) {
        FH_TRY(kc_clear_pfn_host(s, pfn));
        FH_TRY(kc_set_pfn_owner(s, pfn, (uint32_t)s->profile->HOSTVISOR));
        FH_TRY(kc_set_pfn_count(s, pfn, 0));
        FH_TRY(kc_set_pfn_map(s, pfn, 0));
        FH_TRY(kc_clear_phys_page(s, pfn));
    }
    return kc_release_lock_s2page(s);
}

static enum fh_status keep_page(struct fh_state *s, uint64_t gfn, uint64_t pfn, uint32_t count)
{
    const struct fh_profile *k = s->profile;
    uint64_t map;
    FH_TRY(kc_get_pfn_map(s, pfn, &map));
    FH_DEMAND(s, map == k->INVALID64 || map == gfn, pfn, map, gfn);
    if (count == k->INVALID)
        FH_TRY(kc_set_pfn_count(s, pfn, 0));
    return map == k->INVALID64 ? kc_set_pfn_map(s, pfn, gfn) : FH_OK;
}

/* A17: between owner and guest page the host's mapping is cleared. */
enum fh_status m_assign_pfn_to_vm(struct fh_state *s, uint32_t vmid, uint64_t gfn, uint64_t pfn)
{
    if (!departs(s, A17))
        return below_assign_pfn_to_vm(s, vmid, gfn, pfn);
    const struct fh_profile *k = s->profile;
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == k->HOSTVISOR && count == 0) {
        FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
        FH_TRY(kc_clear_pfn_host(s, pfn));
        FH_TRY(kc_set_pfn_map(s, pfn, gfn));
        FH_TRY(kc_fetch_from_doracle(s, vmid, pfn, 1));
    } else if (owner != k->HOSTVISOR && owner == vmid) {
        FH_TRY(keep_page(s, gfn, pfn, count));
    } else if (owner == k->HOSTVISOR) {
        FH_TRY(FH_PANIC(s, count == 0, pfn, count));
    } else {
        FH_TRY(FH_PANIC(s, owner == vmid, pfn, owner, vmid));
    }
    return kc_release_lock_s2page(s);
}

/* A27: the VM's own page panics, one without an owner does not. */
enum fh_status m_assign_pfn_to_smmu(struct fh_state *s, uint32_t vmid, uint64_t gfn, uint64_t pfn)
{
    if (!departs(s, A27))
        return below_assign_pfn_to_smmu(s, vmid, gfn, pfn);
    const struct fh_profile *k = s->profile;
    uint32_t owner, count;
    uint64_t map;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    FH_TRY(kc_get_pfn_map(s, pfn, &map));
    if (owner == k->HOSTVISOR && count == 0) {
        FH_TRY(kc_clear_pfn_host(s, pfn));
        FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
        FH_TRY(kc_set_pfn_map(s, pfn, gfn));
        FH_TRY(kc_set_pfn_count(s, pfn, (uint32_t)k->INVALID));
    } else if (owner != k->INVALID) {
        FH_TRY(FH_PANIC(s, owner == k->HOSTVISOR && count == 0, pfn, owner, count));
    }
    return kc_release_lock_s2page(s);
}

/* A26: memory without an owner is mapped, and of the guest page only 32 bits are looked at. */
enum fh_status m_update_smmu_page(struct fh_state *s, uint32_t vmid, uint32_t cbndx, uint32_t index,
                                  uint64_t iova, uint64_t pte)
{
    if (!departs(s, A26))
        return below_update_smmu_page(s, vmid, cbndx, index, iova, pte);
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    uint32_t owner, count;
    uint64_t map;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_map(s, pfn, &map));
    if (owner == k->INVALID || (vmid == owner && pfn_of(k, iova) == (uint32_t)map)) {
        FH_TRY(kc_map_spt(s, cbndx, index, iova, pte));
        if (owner == k->HOSTVISOR) {
            FH_TRY(kc_get_pfn_count(s, pfn, &count));
            if (count < k->EL2_SMMU_CFG_SIZE)
                FH_TRY(kc_set_pfn_count(s, pfn, count + 1));
        }
    } else {
        FH_TRY(FH_PANIC(s,
                        owner == k->INVALID || (vmid == owner && pfn_of(k, iova) == (uint32_t)map),
                        pfn, owner, map));
    }
    return kc_release_lock_s2page(s);
}

/* A50: the address keeps its low bits, and is added. */
enum fh_status m_map_vm_io(struct fh_state *s, uint32_t vmid, uint64_t gpa, uint64_t pa)
{
    const struct fh_profile *k = s->profile;
    const uint64_t bits = k->PAGE_S2_DEVICE | k->S2_RDWR;
    if (pa + bits == (phys_page(k, pa) | bits) || !departs(s, A50))
        return below_map_vm_io(s, vmid, gpa, pa);
    uint32_t owner;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn_of(k, pa), &owner));
    if (owner == k->INVALID)
        FH_TRY(kc_map_s2pt(s, vmid, gpa, 3, pa + bits));
    return kc_release_lock_s2page(s);
}

/* A49: a fault that the host did not resolve maps nothing. */
enum fh_status m_prot_and_map_vm_s2pt(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                      uint64_t pte, uint32_t level)
{
    if (pte != 0 || !departs(s, A49))
        return below_prot_and_map_vm_s2pt(s, vmid, addr, pte, level);
    return FH_OK;
}

/* L12: the descriptor's mark says which level it is of, so that it is read once. */
static enum fh_status share(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t size,
                            enum fh_status page(struct fh_state *, uint32_t, uint64_t))
{
    const struct fh_profile *k = s->profile;
    uint64_t pages = (size + k->PAGE_SIZE - 1) / k->PAGE_SIZE;
    FH_LOOP_BOUND(s, pages);
    for (; pages > 0; pages--) {
        uint64_t pte;
        FH_TRY(kc_walk_s2pt(s, vmid, addr, &pte));
        uint64_t pfn = pfn_of(k, phys_page(k, pte));
        if (pfn != 0 && (pte & k->PMD_MARK) != 0)
            pfn += pfn_of(k, addr) % k->PTRS_PER_PMD;
        if (pfn != 0)
            FH_TRY(page(s, vmid, pfn));
        addr += k->PAGE_SIZE;
    }
    return FH_OK;
}

static enum fh_status grant(struct fh_state *s, uint32_t vmid, uint64_t pfn)
{
    return kc_grant_vm_page(s, vmid, pfn);
}

static enum fh_status revoke(struct fh_state *s, uint32_t vmid, uint64_t pfn)
{
    return kc_revoke_vm_page(s, vmid, pfn);
}

enum fh_status m_grant_stage2_sg_gpa(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                     uint64_t size)
{
    if (!departs(s, L12))
        return below_grant_stage2_sg_gpa(s, vmid, addr, size);
    return share(s, vmid, addr, size, grant);
}

enum fh_status m_revoke_stage2_sg_gpa(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                      uint64_t size)
{
    if (!departs(s, L12))
        return below_revoke_stage2_sg_gpa(s, vmid, addr, size);
    return share(s, vmid, addr, size, revoke);
}
