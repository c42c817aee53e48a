/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MemoryOps"
#include "layers/memory_ops.h"

#include "layers/locks.h"
#include "layers/mem_manager.h"
#include "layers/npt_ops.h"

/*
 * MemoryOps/Spec.v: ranges of pages, one page after the other.
 *
 * Context: no lock is held from one page to the next, so other CPUs may act in between. The spec
 * goes on with the loops after a halt, where a round does nothing but check its address; here the
 * whole range is checked first and a loop ends with a halt, which comes to the same.
 */

/* Is what follows true of this machine, and is there nobody who wants to see it? */
static bool may_pass_pages(const struct fh_state *s)
{
    const struct fh_machine *machine = s->machine;
    while (machine && !(machine->overlay && machine->overlay->clear_vm_page))
        machine = machine->extends;
    return (!machine || machine->leaves_pages_of_others) &&
           (!s->env.observer || s->env.passes_pages_of_others);
}

/*
 * clear_vm_page does nothing to a page that is not VM `vmid`'s, but for the events of its lock.
 * Where these are no more than a count, the pages of others that come first among `num` from `pfn`
 * on are passed at once, and the result is how many they were. A range of 10^6 pages, of which 64
 * are the VM's, took 188 million instructions page by page.
 */
static uint64_t pass_pages_of_others(struct fh_state *s, uint32_t vmid, uint64_t pfn, uint64_t num)
{
    const struct fh_profile *k = s->profile;
    const struct fh_s2page *without_record =
        fh_map_fallback(&s->adt->shared.s2page, &type_of_s2page->as_value);
    uint64_t next = pfn;
    if (!may_pass_pages(s) || !can_pass_lock(s, k->S2PAGE_ID) || !is_gfn(k, pfn + (num - 1)) ||
        s2page_of(s, pfn)->s2_owner == vmid || without_record->s2_owner == vmid)
        return 0;
    const bool found = next_page_of(s, vmid, pfn + (num - 1), &next);
    const uint64_t others = found ? next - pfn : num;
    return pass_lock(s, k->S2PAGE_ID, others) ? others : 0;
}

/*
 * Give `num` pages from `pfn` back to the host, as far as they are VM `vmid`'s, scrubbed.
 * Stuck: the range is not one of pages; vmid out of range, unless num is 0; where clear_vm_page is.
 * MemoryOps/Spec.v: clear_vm_range_spec
 */
enum fh_status spec_clear_vm_range(struct fh_state *s, uint32_t vmid, uint64_t pfn, uint64_t num)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_pfn(k, pfn), pfn);
    FH_RELY(s, is_pfn(k, num), num);
    if (num == 0)
        return FH_OK;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_pfn(k, wide_add(pfn, num - 1)), pfn, num);
    if (s->adt->halt)
        return FH_OK;
    FH_LOOP_BOUND(s, num);
    for (uint64_t i = 0; i < num && !s->adt->halt; i++) {
        i += pass_pages_of_others(s, vmid, pfn + i, num - i);
        if (i < num)
            FH_TRY(kc_clear_vm_page(s, vmid, pfn + i));
    }
    return FH_OK;
}

/*
 * Make the page, or if `level` is 2 the 2 MiB of pages, that `pte` leads to VM `vmid`'s, and map
 * them at `addr` (a guest byte address). Halts where assign_pfn_to_vm and map_pfn_vm do.
 * Stuck: vmid or addr out of range, pages beyond the physical ones, locks not free.
 * MemoryOps/Spec.v: prot_and_map_vm_s2pt_spec
 */
enum fh_status spec_prot_and_map_vm_s2pt(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                         uint64_t pte, uint32_t level)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    const uint64_t gfn = pfn_of(k, addr);
    if (level != 2) {
        FH_TRY(kc_assign_pfn_to_vm(s, vmid, gfn, pfn));
        return kc_map_pfn_vm(s, vmid, addr, pte, 3);
    }
    const uint64_t first = gfn / k->PTRS_PER_PMD * k->PTRS_PER_PMD;
    FH_RELY(s, is_pfn(k, wide_add(pfn, k->PMD_PAGE_NUM - 1)), pfn);
    for (uint64_t i = 0; i < k->PMD_PAGE_NUM && !s->adt->halt; i++)
        FH_TRY(kc_assign_pfn_to_vm(s, vmid, first + i, pfn + i));
    return kc_map_pfn_vm(s, vmid, addr, pte, level);
}

/* What grant and revoke do to each page. */
typedef enum fh_status share_page(struct fh_state *s, uint32_t vmid, uint64_t pfn);

/* Find the page that `addr` is mapped to, in two critical sections, and share it or not. */
static enum fh_status share_at(struct fh_state *s, uint32_t vmid, uint64_t addr, share_page *share)
{
    const struct fh_profile *k = s->profile;
    uint64_t pte;
    uint32_t level;
    FH_TRY(kc_walk_s2pt(s, vmid, addr, &pte));
    FH_TRY(kc_get_level_s2pt(s, vmid, addr, &level));
    uint64_t pfn = pfn_of(k, phys_page(k, pte));
    if (pfn == 0)
        return FH_OK;
    if (level == 2)
        pfn += pfn_of(k, addr) % k->PTRS_PER_PMD;
    return share(s, vmid, pfn);
}

static enum fh_status share_range(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t size,
                                  share_page *share)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vm(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    FH_RELY(s, is_addr(k, size), size);
    const uint64_t pages = pfn_of(k, size + k->PAGE_SIZE - 1);
    if (pages == 0)
        return FH_OK;
    FH_RELY(s, is_addr(k, addr + (pages - 1) * k->PAGE_SIZE), addr, size);
    if (s->adt->halt)
        return FH_OK;
    FH_LOOP_BOUND(s, pages);
    for (uint64_t i = 0; i < pages && !s->adt->halt; i++)
        FH_TRY(share_at(s, vmid, addr + i * k->PAGE_SIZE, share));
    return FH_OK;
}

/*
 * VM `vmid` shares with the host what it has at guest addresses addr to addr + size (bytes, rounded
 * up to pages); addresses that are not mapped are passed over.
 * Stuck: vmid, addr or size out of range, a range beyond the address space, and where walk_s2pt,
 * get_level_s2pt and grant_vm_page are. MemoryOps/Spec.v: grant_stage2_sg_gpa_spec
 */
enum fh_status spec_grant_stage2_sg_gpa(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                        uint64_t size)
{
    return share_range(s, vmid, addr, size, kc_grant_vm_page);
}

/* The same for taking shares back; halts as revoke_vm_page does.
 * MemoryOps/Spec.v: revoke_stage2_sg_gpa_spec */
enum fh_status spec_revoke_stage2_sg_gpa(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                         uint64_t size)
{
    return share_range(s, vmid, addr, size, kc_revoke_vm_page);
}
