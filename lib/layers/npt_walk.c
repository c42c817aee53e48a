/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "NPTWalk"
#include "layers/npt_walk.h"

#include "layers/abstract_machine.h"

/*
 * NPTWalk/Spec.v: stage-2 tables as maps from page frames to (pfn, level, pte), with a count of the
 * table pages that a real table would have used.
 *
 * Context: the caller holds the table's lock (NPT_ID + vmid).
 */

/* Which tables lead to an address, as keys of pgd_t, pud_t and pmd_t. */
struct tables {
    uint64_t pgd, pud, pmd;
};

/* With three levels (sekvm-4.18) there is no pud: the root has one entry for each GiB. */
static struct tables tables_of(const struct fh_profile *k, uint64_t addr)
{
    struct tables t = {addr >> k->PGDIR_SHIFT, addr >> k->PUD_SHIFT, addr >> k->PMD_SHIFT};
    if (k->STAGE2_LEVELS == 3)
        t.pgd = addr >> k->S2_PGDIR_SHIFT;
    return t;
}

/* The table pages in use after mapping at `t`, counted from the pools' next pages. */
struct next_pages {
    uint64_t pgd, pud, pmd;
};

static struct next_pages next_pages(const struct fh_profile *k, const struct fh_npt *npt,
                                    const struct tables *t, bool with_pmd)
{
    struct next_pages next = {npt->pt_pgd_next, npt->pt_pud_next, npt->pt_pmd_next};
    if (!flag_at(&npt->pgd_t, t->pgd))
        next.pgd += k->PAGE_SIZE;
    if (k->STAGE2_LEVELS == 4 && !flag_at(&npt->pud_t, t->pud))
        next.pud += k->PAGE_SIZE;
    if (with_pmd && !flag_at(&npt->pmd_t, t->pmd))
        next.pmd += k->PAGE_SIZE;
    return next;
}

static enum fh_status set_flag(struct fh_state *s, struct fh_map *map, uint64_t key, bool value)
{
    return flag_at(map, key) == value ? FH_OK : set_entry_flag(s, map, key, value);
}

static enum fh_status set_next(struct fh_state *s, uint64_t *place, uint64_t value)
{
    return *place == value ? FH_OK : set_u64(s, place, value);
}

static enum fh_status record_tables(struct fh_state *s, struct fh_npt *npt, const struct tables *t,
                                    const struct next_pages *next, bool pmd_is_table)
{
    FH_TRY(set_flag(s, &npt->pgd_t, t->pgd, true));
    if (s->profile->STAGE2_LEVELS == 4)
        FH_TRY(set_flag(s, &npt->pud_t, t->pud, true));
    FH_TRY(set_flag(s, &npt->pmd_t, t->pmd, pmd_is_table));
    FH_TRY(set_next(s, &npt->pt_pgd_next, next->pgd));
    FH_TRY(set_next(s, &npt->pt_pud_next, next->pud));
    return set_next(s, &npt->pt_pmd_next, next->pmd);
}

static enum fh_status set_pt_entry(struct fh_state *s, struct fh_npt *npt, uint64_t gfn,
                                   struct fh_pt_entry value)
{
    void *entry;
    FH_TRY(edit_entry(s, &npt->pt, type_of_pt_entry, gfn, &entry));
    *(struct fh_pt_entry *)entry = value;
    return FH_OK;
}

static struct fh_pt_entry pt_entry(uint64_t pfn, unsigned level, uint64_t pte)
{
    return (struct fh_pt_entry){.pfn = pfn & (((uint64_t)1 << 60) - 1), .level = level & 15,
                                .pte = pte};
}

/*
 * Map a 2 MiB block, over whatever was there. Stuck if the descriptor has the type of a table.
 * *full: no pool page was left, nothing is mapped.
 */
static enum fh_status map_block(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t pte,
                                bool *full)
{
    const struct fh_profile *k = s->profile;
    const struct tables t = tables_of(k, addr);
    const uint64_t first = addr / k->PAGE_SIZE / k->PTRS_PER_PMD * k->PTRS_PER_PMD;
    const uint64_t pfn = phys_page(k, pte) / k->PAGE_SIZE;
    FH_RELY(s, (pte & k->PMD_TYPE_TABLE) != k->PMD_TYPE_TABLE, pte);
    const struct next_pages next = next_pages(k, npt_of(s, vmid), &t, false);
    *full = next.pgd > pud_start(k, vmid) || next.pud > pmd_start(k, vmid);
    if (*full)
        return FH_OK;
    void *npt;
    FH_TRY(own_entry(s, &s->adt->shared.npts, type_of_ref_npt, vmid, &npt));
    for (uint64_t i = 0; i < k->PTRS_PER_PMD; i++)
        FH_TRY(set_pt_entry(s, npt, first + i, pt_entry(pfn + i, 2, pte)));
    return record_tables(s, npt, &t, &next, false);
}

/* Map a 4 KiB page. *full also where a 2 MiB block is in the way. */
static enum fh_status map_page(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t pte,
                               bool *full)
{
    const struct fh_profile *k = s->profile;
    const struct tables t = tables_of(k, addr);
    const uint64_t gfn = addr / k->PAGE_SIZE;
    const struct fh_npt *before = npt_of(s, vmid);
    const struct next_pages next = next_pages(k, before, &t, true);
    *full = pt_entry_of(before, gfn)->level == 2 || next.pgd > pud_start(k, vmid) ||
            next.pud > pmd_start(k, vmid) || next.pmd > pool_end(k, vmid);
    if (*full)
        return FH_OK;
    void *npt;
    FH_TRY(own_entry(s, &s->adt->shared.npts, type_of_ref_npt, vmid, &npt));
    FH_TRY(set_pt_entry(s, npt, gfn, pt_entry(phys_page(k, pte) / k->PAGE_SIZE, 3, pte)));
    return record_tables(s, npt, &t, &next, true);
}

/*
 * The level at which `addr` (a byte address, 48 bits) is mapped for `vmid`: 2 for a 2 MiB block,
 * 3 for a page, 0 for an entry without a physical page. 0 in a halted state.
 * Stuck: vmid or addr out of range, lock not held. NPTWalk/Spec.v: get_npt_level_spec
 */
enum fh_status kc_get_npt_level(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->NPT_ID + vmid) == FH_LOCK_OWN, vmid);
    const struct fh_pt_entry *entry = pt_entry_of(npt_of(s, vmid), addr / k->PAGE_SIZE);
    if (phys_page(k, entry->pte) != 0)
        *result = (uint32_t)entry->level;
    observe(s, FH_EFFECT_NPT_READ, vmid, addr, entry->level, entry->pte);
    return FH_OK;
}

/*
 * The descriptor that maps `addr` for `vmid`, 0 where nothing was ever mapped. 0 in a halted state.
 * Stuck: vmid or addr out of range, lock not held. NPTWalk/Spec.v: walk_npt_spec
 */
enum fh_status kc_walk_npt(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->NPT_ID + vmid) == FH_LOCK_OWN, vmid);
    const struct fh_pt_entry *entry = pt_entry_of(npt_of(s, vmid), addr / k->PAGE_SIZE);
    *result = entry->pte;
    observe(s, FH_EFFECT_NPT_READ, vmid, addr, entry->level, entry->pte);
    return FH_OK;
}

/*
 * Map `addr` for `vmid` with the descriptor `pte` at level 2 (a 2 MiB block) or 3 (a page). Halts
 * when a table pool is exhausted or a block is in the way of a page; a block over pages replaces
 * them. One mapping per critical section (tstate).
 * Stuck: vmid or addr out of range, level not 2 or 3, pte 0, tstate not 0, lock not held, a block
 * whose descriptor has the type of a table. NPTWalk/Spec.v: set_npt_spec
 */
enum fh_status kc_set_npt(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
                          uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, s->adt->tstate == 0, s->adt->tstate);
    FH_RELY(s, lock_status(s, k->NPT_ID + vmid) == FH_LOCK_OWN, vmid);
    FH_RELY(s, level == 2 || level == 3, level);
    FH_RELY(s, pte != 0, pte);
    pte |= level == 2 ? k->PMD_MARK : k->PTE_MARK;
    bool full;
    if (level == 2)
        FH_TRY(map_block(s, vmid, addr, pte, &full));
    else
        FH_TRY(map_page(s, vmid, addr, pte, &full));
    if (full)
        return kc_panic(s);
    s->adt->tstate = 1;
    observe(s, FH_EFFECT_NPT_SET, vmid, addr, level, pte);
    return FH_OK;
}

/* A guest load from its page gfn into register reg: nothing happens to KCore's state. NPTWalk/Spec.v:
 * mem_load_ref_spec */
enum fh_status kc_mem_load_ref(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    return kc_mem_load_raw(s, gfn, reg);
}

/* The same for a store. NPTWalk/Spec.v: mem_store_ref_spec */
enum fh_status kc_mem_store_ref(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    return kc_mem_store_raw(s, gfn, reg);
}
