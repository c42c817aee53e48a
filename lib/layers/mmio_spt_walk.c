/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioSPTWalk"
#include "layers/mmio_spt_walk.h"

#include "layers/abstract_machine.h"
#include "layers/mmio_spt_walk_words.h"
#include "layers/realisations.h"

/*
 * MmioSPTWalk/Spec.v: the tables of SMMU context banks as maps from page frames to (pfn, pte), with
 * a count of the table pages that real tables would have used. A bank's table is known by its TTBR.
 * This is the abstract realisation; the concrete one, words in the pools, is in
 * mmio_spt_walk_words.c, and both together are the last part of this file.
 *
 * Context: the caller holds the lock of the SMMU tables (SPT_ID).
 */

static const struct fh_spt *spt_of(const struct fh_state *s)
{
    return fh_ref_record(type_of_ref_spt, &s->adt->shared.spts);
}

/* The map at `ttbr` of a map of maps. */
static const struct fh_map *map_at(const struct fh_map *maps, const struct fh_type *type,
                                   uint64_t ttbr)
{
    return fh_map_get(maps, &type->as_value, ttbr);
}

static const struct fh_spt_entry *spt_entry_of(const struct fh_spt *spt, uint64_t ttbr,
                                               uint64_t gfn)
{
    const struct fh_map *pt = map_at(&spt->spt_pt, type_of_map_spt, ttbr);
    return fh_map_get(pt, &type_of_spt_entry->as_value, gfn);
}

/* Which tables lead to an address, as keys of the maps in spt_pgd_t and spt_pmd_t. */
struct tables {
    uint64_t pgd, pmd;
};

static struct tables tables_of(const struct fh_profile *k, uint64_t addr)
{
    addr &= (k->PTRS_PER_S2_PGD << k->S2_PGDIR_SHIFT) - 1; /* stage2_pgd_index, pmd_index */
    return (struct tables){addr >> k->S2_PGDIR_SHIFT, addr >> k->PMD_SHIFT};
}

static bool has_pgd(const struct fh_spt *spt, uint64_t ttbr, const struct tables *t)
{
    return flag_at(map_at(&spt->spt_pgd_t, type_of_map_bool, ttbr), t->pgd);
}

static bool has_pmd(const struct fh_spt *spt, uint64_t ttbr, const struct tables *t)
{
    return flag_at(map_at(&spt->spt_pmd_t, type_of_map_spt_bool2, ttbr), t->pmd);
}

static enum fh_status set_flag(struct fh_state *s, struct fh_map *maps, const struct fh_type *type,
                               uint64_t ttbr, uint64_t key)
{
    void *entry;
    FH_TRY(edit_inner_entry(s, maps, type, ttbr, key, &entry));
    *(bool *)entry = true;
    return FH_OK;
}

/* Count a table that was not there yet as the next page of its pool. */
static enum fh_status record_tables(struct fh_state *s, struct fh_spt *spt, uint64_t ttbr,
                                    const struct tables *t)
{
    const uint64_t page = s->profile->PAGE_SIZE;
    if (!has_pgd(spt, ttbr, t)) {
        FH_TRY(set_flag(s, &spt->spt_pgd_t, type_of_map_bool, ttbr, t->pgd));
        FH_TRY(set_u64(s, &spt->spt_pgd_next, spt->spt_pgd_next + page));
    }
    if (!has_pmd(spt, ttbr, t)) {
        FH_TRY(set_flag(s, &spt->spt_pmd_t, type_of_map_spt_bool2, ttbr, t->pmd));
        FH_TRY(set_u64(s, &spt->spt_pmd_next, spt->spt_pmd_next + page));
    }
    return FH_OK;
}

/* Would mapping at `t` need more table pages than the pools have? */
static bool pools_are_full(const struct fh_profile *k, const struct fh_spt *spt, uint64_t ttbr,
                           const struct tables *t)
{
    const wide pgd_next = (wide)spt->spt_pgd_next + (has_pgd(spt, ttbr, t) ? 0 : k->PAGE_SIZE);
    const wide pmd_next = (wide)spt->spt_pmd_next + (has_pmd(spt, ttbr, t) ? 0 : k->PAGE_SIZE);
    return pgd_next > k->SMMU_PMD_START || pmd_next > k->SMMU_POOL_END;
}

static enum fh_status map_page(struct fh_state *s, struct fh_spt *spt, uint64_t ttbr, uint64_t addr,
                               uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    const struct tables t = tables_of(k, addr);
    void *entry;
    FH_TRY(edit_inner_entry(s, &spt->spt_pt, type_of_map_spt, ttbr, pfn_of(k, addr), &entry));
    *(struct fh_spt_entry *)entry = (struct fh_spt_entry){pfn_of(k, phys_page(k, pte)), pte};
    return record_tables(s, spt, ttbr, &t);
}

/* The map at `ttbr` becomes the one of a table that was never used. */
static enum fh_status empty_map(struct fh_state *s, struct fh_map *maps, const struct fh_type *type,
                                uint64_t ttbr)
{
    void *map;
    FH_TRY(edit_entry(s, maps, type, ttbr, &map));
    fh_map_release(map, &type->value->as_value, &s->allocator);
    return FH_OK;
}

static enum fh_status empty_maps(struct fh_state *s, uint64_t ttbr)
{
    void *record;
    FH_TRY(own_ref(s, &s->adt->shared.spts, type_of_ref_spt, &record));
    struct fh_spt *spt = record;
    FH_TRY(empty_map(s, &spt->spt_pt, type_of_map_spt, ttbr));
    FH_TRY(empty_map(s, &spt->spt_pgd_t, type_of_map_bool, ttbr));
    return empty_map(s, &spt->spt_pmd_t, type_of_map_spt_bool2, ttbr);
}

static enum fh_status map_in_map(struct fh_state *s, uint64_t ttbr, uint64_t addr, uint64_t pte,
                                 bool *full)
{
    const struct tables t = tables_of(s->profile, addr);
    *full = pools_are_full(s->profile, spt_of(s), ttbr, &t);
    if (*full)
        return FH_OK;
    void *spt;
    FH_TRY(own_ref(s, &s->adt->shared.spts, type_of_ref_spt, &spt));
    return map_page(s, spt, ttbr, addr, pte);
}

/* --- Both realisations ------------------------------------------------------------------------ */

static enum fh_status disagree(struct fh_state *s, const char *function, uint64_t ttbr,
                               uint64_t addr, uint64_t map, uint64_t words)
{
    const uint64_t values[] = {ttbr, addr, map, words};
    return stop(s, FH_DISAGREE, FH_LAYER, function, "the words do what the map does",
                "ttbr, iova, map, words", values, sizeof values / sizeof *values);
}

/* The words of the root table that are left, all but the first, have outlived the clearing. */
static enum fh_status note_outlived(struct fh_state *s, uint64_t ttbr)
{
    const struct fh_profile *k = s->profile;
    const struct fh_map *roots = &spt_of(s)->spt_vttbr_pool;
    const uint64_t end = ttbr + k->PTRS_PER_S2_PGD * 8;
    for (uint64_t place = ttbr; fh_map_next(roots, &type_of_u64->as_value, &place) && place < end;
         place++) {
        if (number_at(roots, place) != 0)
            FH_TRY(set_entry_flag(s, &s->outlived, place, true));
    }
    return FH_OK;
}

static enum fh_status empty_both(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    const uint64_t ttbr = smmu_ttbr(s->profile, index, cbndx);
    FH_TRY(empty_maps(s, ttbr));
    const struct words_turn turn = begin_words_turn(s);
    const enum fh_status status = empty_smmu_table_in_words(s, cbndx, index);
    end_words_turn(s, turn);
    if (status == FH_STUCK)
        return disagree(s, "clear_smmu_pt", ttbr, 0, 0, 0);
    FH_TRY(status);
    return note_outlived(s, ttbr);
}

enum fh_status empty_smmu_table(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    switch (s->realisation) {
    case FH_ABSTRACT: FH_TRY(empty_maps(s, smmu_ttbr(s->profile, index, cbndx))); break;
    case FH_CONCRETE: FH_TRY(empty_smmu_table_in_words(s, cbndx, index)); break;
    case FH_BOTH: FH_TRY(empty_both(s, cbndx, index)); break;
    }
    observe(s, FH_EFFECT_SPT_CLEAR, cbndx, index, 0, 0);
    return FH_OK;
}

/* The table pages in use, counted from the pools' next pages. */
struct next_pages {
    uint64_t pgd, pmd;
};

static struct next_pages pages_of(const struct fh_spt *spt)
{
    return (struct next_pages){spt->spt_pgd_next, spt->spt_pmd_next};
}

static enum fh_status set_pages(struct fh_state *s, const struct next_pages *next)
{
    void *record;
    FH_TRY(own_ref(s, &s->adt->shared.spts, type_of_ref_spt, &record));
    struct fh_spt *spt = record;
    FH_TRY(set_u64(s, &spt->spt_pgd_next, next->pgd));
    return set_u64(s, &spt->spt_pmd_next, next->pmd);
}

static enum fh_status map_in_words_beside(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                          uint64_t addr, uint64_t pte, bool *full)
{
    const struct words_turn turn = begin_words_turn(s);
    const enum fh_status status = map_smmu_page_in_words(s, cbndx, index, addr, pte, full);
    end_words_turn(s, turn);
    if (status != FH_STUCK)
        return status;
    return disagree(s, "set_smmu_pt", smmu_ttbr(s->profile, index, cbndx), addr, pte, 0);
}

/* Tables that outlived a clearing need no new page where the map counts one. */
static bool same_page(uint64_t next, uint64_t words, uint64_t before, bool is_outlived)
{
    return words == next || (is_outlived && words == before);
}

/* The two share the counters of table pages: each begins with the same and must end with the same.
 */
static enum fh_status map_in_both(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                                  uint64_t pte, bool *full)
{
    const uint64_t ttbr = smmu_ttbr(s->profile, index, cbndx);
    const bool outlived = is_outlived(s, ttbr, pfn_of(s->profile, addr));
    const struct next_pages before = pages_of(spt_of(s));
    FH_TRY(map_in_map(s, ttbr, addr, pte, full));
    const struct next_pages next = pages_of(spt_of(s));
    bool is_full_in_words;
    FH_TRY(set_pages(s, &before));
    FH_TRY(map_in_words_beside(s, cbndx, index, addr, pte, &is_full_in_words));
    const struct next_pages words = pages_of(spt_of(s));
    FH_TRY(set_pages(s, &next));
    if (*full != is_full_in_words && !(*full && outlived))
        return disagree(s, "set_smmu_pt", ttbr, addr, !*full, !is_full_in_words);
    if (*full)
        return FH_OK;
    if (!same_page(next.pgd, words.pgd, before.pgd, outlived))
        return disagree(s, "set_smmu_pt", ttbr, addr, next.pgd, words.pgd);
    if (!same_page(next.pmd, words.pmd, before.pmd, outlived))
        return disagree(s, "set_smmu_pt", ttbr, addr, next.pmd, words.pmd);
    touch_pages(s, true, ttbr, pfn_of(s->profile, addr), 1);
    return FH_OK;
}

enum fh_status map_smmu_page(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                             uint64_t pte, bool *full)
{
    const uint64_t ttbr = smmu_ttbr(s->profile, index, cbndx);
    const bool is_told = s->env.observer != NULL && s->realisation != FH_CONCRETE;
    const uint64_t old = is_told ? smmu_entry(s, cbndx, index, pfn_of(s->profile, addr)).pte : 0;
    switch (s->realisation) {
    case FH_ABSTRACT: FH_TRY(map_in_map(s, ttbr, addr, pte, full)); break;
    case FH_CONCRETE: FH_TRY(map_smmu_page_in_words(s, cbndx, index, addr, pte, full)); break;
    case FH_BOTH: FH_TRY(map_in_both(s, cbndx, index, addr, pte, full)); break;
    }
    if (!*full && is_told)
        observe_values(s, FH_EFFECT_SPT_SET, cbndx, index, addr, pte, old, 0);
    return FH_OK;
}

struct fh_spt_entry smmu_entry(const struct fh_state *s, uint32_t cbndx, uint32_t index,
                               uint64_t gfn)
{
    const uint64_t ttbr = smmu_ttbr(s->profile, index, cbndx);
    return s->realisation == FH_CONCRETE ? spt_entry_in_words(s, ttbr, gfn)
                                         : *spt_entry_of(spt_of(s), ttbr, gfn);
}

static enum fh_status same_pte_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                        uint64_t addr, uint64_t pte)
{
    const uint64_t ttbr = smmu_ttbr(s->profile, index, cbndx);
    uint64_t words;
    FH_TRY(walk_smmu_pt_in_words(s, cbndx, index, addr, &words));
    if (pte == words || (pte == 0 && is_outlived(s, ttbr, pfn_of(s->profile, addr))))
        return FH_OK;
    return disagree(s, "walk_smmu_pt", ttbr, addr, pte, words);
}

/* --- The functions ---------------------------------------------------------------------------- */

/*
 * Empty the table of bank `cbndx` of SMMU `index`. Its table pages are not given back. Unlike
 * set_smmu_pt this does not ask for tstate 0, but makes it 1; the concrete form asks and leaves it.
 * Stuck: cbndx or index out of range, lock not held. MmioSPTWalk/Spec.v: clear_smmu_pt_spec
 */
enum fh_status spec_clear_smmu_pt(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->SPT_ID) == FH_LOCK_OWN);
    if (s->realisation == FH_CONCRETE)
        FH_RELY(s, s->adt->tstate == 0, s->adt->tstate);
    FH_TRY(empty_smmu_table(s, cbndx, index));
    if (s->realisation != FH_CONCRETE)
        s->adt->tstate = 1;
    return FH_OK;
}

/*
 * The descriptor that maps `addr` (a byte address, 40 bits) in bank `cbndx` of SMMU `index`, 0
 * where nothing was ever mapped. 0 in a halted state.
 * Stuck: an argument out of range, lock not held. MmioSPTWalk/Spec.v: walk_smmu_pt_spec
 */
enum fh_status spec_walk_smmu_pt(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                                 uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(addr), addr);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->SPT_ID) == FH_LOCK_OWN);
    *result = smmu_entry(s, cbndx, index, pfn_of(k, addr)).pte;
    observe(s, FH_EFFECT_SPT_READ, cbndx, index, addr, *result);
    switch (s->realisation) {
    case FH_ABSTRACT: return FH_OK;
    case FH_CONCRETE: return walk_smmu_pt_in_words(s, cbndx, index, addr, result);
    default: return same_pte_in_words(s, cbndx, index, addr, *result);
    }
}

/*
 * Map the page of `addr` in bank `cbndx` of SMMU `index` with the descriptor `pte`; 0 unmaps it.
 * Halts when a pool of table pages is exhausted, for an unmapping too: it may need new tables. One
 * mapping per critical section (tstate).
 * Stuck: an argument out of range, tstate not 0, lock not held.
 * MmioSPTWalk/Spec.v: set_smmu_pt_spec
 */
enum fh_status spec_set_smmu_pt(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                                uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(addr), addr);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, s->adt->tstate == 0, s->adt->tstate);
    FH_RELY(s, lock_status(s, k->SPT_ID) == FH_LOCK_OWN);
    bool full;
    FH_TRY(map_smmu_page(s, cbndx, index, addr, pte, &full));
    if (full)
        return s->adt->halt ? FH_OK : FH_PANIC_FOR(s, FH_NEEDS_TABLES, cbndx, index, addr);
    s->adt->tstate = 1;
    return FH_OK;
}

/*
 * A device's load from its page gfn: nothing happens to KCore's state.
 * MmioSPTWalk/Spec.v: dev_load_ref_spec
 */
enum fh_status spec_dev_load_ref(struct fh_state *s, uint64_t gfn, uint32_t reg, uint32_t cbndx,
                                 uint32_t index)
{
    return kc_dev_load_raw(s, gfn, reg, cbndx, index);
}

/* The same for a store. MmioSPTWalk/Spec.v: dev_store_ref_spec */
enum fh_status spec_dev_store_ref(struct fh_state *s, uint64_t gfn, uint32_t reg, uint32_t cbndx,
                                  uint32_t index)
{
    return kc_dev_store_raw(s, gfn, reg, cbndx, index);
}
