/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "NPTWalk"
#include "layers/npt_walk.h"

#include "layers/abstract_machine.h"
#include "layers/npt_walk_words.h"
#include "layers/realisations.h"

/*
 * NPTWalk/Spec.v: stage-2 tables as maps from page frames to (pfn, level, pte), with a count of the
 * table pages that a real table would have used. This is the abstract realisation; the concrete
 * one, words in the pools, is in npt_walk_words.c, and both together are the last part of this
 * file.
 *
 * Context: the caller holds the table's lock (NPT_ID + vmid).
 */

/* Which tables lead to an address, as keys of pgd_t, pud_t and pmd_t. */
struct tables {
    uint64_t pgd, pud, pmd;
};

/*
 * The root has one entry for each 512 GiB (Constants.v: pgd_index), and knows as many bits of an
 * address as it has entries for: what lies beyond 2^48 shares tables with what lies below. With
 * three levels (sekvm-4.18) there is no pud, and the root has one entry for each GiB.
 */
static struct tables tables_of(const struct fh_profile *k, uint64_t vmid, wide addr)
{
    uint64_t known = (uint64_t)addr;
    if (!has_puds(k, vmid)) {
        known &= (k->PTRS_PER_S2_PGD << k->S2_PGDIR_SHIFT) - 1;
        return (struct tables){known >> k->S2_PGDIR_SHIFT, 0, known >> k->PMD_SHIFT};
    }
    known &= (k->PTRS_PER_PGD << k->PGDIR_SHIFT) - 1;
    return (struct tables){known >> k->PGDIR_SHIFT, known >> k->PUD_SHIFT, known >> k->PMD_SHIFT};
}

/* The page frame of an address that may lie beyond 64 bits, by less than a page frame can tell. */
static uint64_t gfn_of(const struct fh_profile *k, wide addr)
{
    return is_int64(addr) ? pfn_of(k, (uint64_t)addr) : (uint64_t)(addr >> k->PAGE_SHIFT);
}

/* The table pages in use after mapping at `t`, counted from the pools' next pages. */
struct next_pages {
    uint64_t pgd, pud, pmd;
};

/* The page behind `next`; for a counter that would leave 64 bits a place behind every pool. */
static uint64_t page_behind(const struct fh_profile *k, uint64_t next)
{
    return next <= UINT64_MAX - k->PAGE_SIZE ? next + k->PAGE_SIZE : UINT64_MAX;
}

static struct next_pages pages_of(const struct fh_npt *npt)
{
    return (struct next_pages){npt->pt_pgd_next, npt->pt_pud_next, npt->pt_pmd_next};
}

static struct next_pages next_pages(const struct fh_state *s, uint64_t vmid, const struct tables *t,
                                    bool with_pmd)
{
    const struct fh_profile *k = s->profile;
    const struct fh_npt *npt = npt_of(s, vmid);
    struct next_pages next = pages_of(npt);
    if (!flag_at(&npt->pgd_t, t->pgd))
        next.pgd = page_behind(k, next.pgd);
    if (has_puds(k, vmid) && !flag_at(&npt->pud_t, t->pud))
        next.pud = page_behind(k, next.pud);
    if (with_pmd && !flag_at(&npt->pmd_t, t->pmd))
        next.pmd = page_behind(k, next.pmd);
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

static enum fh_status record_tables(struct fh_state *s, uint64_t vmid, struct fh_npt *npt,
                                    const struct tables *t, const struct next_pages *next,
                                    bool pmd_is_table)
{
    FH_TRY(set_flag(s, &npt->pgd_t, t->pgd, true));
    if (has_puds(s->profile, vmid))
        FH_TRY(set_flag(s, &npt->pud_t, t->pud, true));
    FH_TRY(set_flag(s, &npt->pmd_t, t->pmd, pmd_is_table));
    FH_TRY(set_next(s, &npt->pt_pgd_next, next->pgd));
    FH_TRY(set_next(s, &npt->pt_pud_next, next->pud));
    return set_next(s, &npt->pt_pmd_next, next->pmd);
}

static enum fh_status set_mapping(struct fh_state *s, uint64_t vmid, uint64_t gfn,
                                  struct fh_pt_entry value)
{
    struct fh_pt_entry *entry;
    FH_TRY(edit_mapping(s, vmid, gfn, &entry));
    *entry = value;
    return FH_OK;
}

static struct fh_pt_entry pt_entry(uint64_t pfn, unsigned level, uint64_t pte)
{
    return (struct fh_pt_entry){
        .pfn = pfn & (((uint64_t)1 << 60) - 1), .level = level & 15, .pte = pte};
}

/*
 * Map a 2 MiB block, over whatever was there. Stuck if the descriptor has the type of a table.
 * *full: no pool page was left, nothing is mapped.
 */
static enum fh_status map_block(struct fh_state *s, uint32_t vmid, wide addr, uint64_t pte,
                                bool *full)
{
    const struct fh_profile *k = s->profile;
    const struct tables t = tables_of(k, vmid, addr);
    const uint64_t first = gfn_of(k, addr) / k->PTRS_PER_PMD * k->PTRS_PER_PMD;
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    FH_RELY(s, (pte & k->PMD_TYPE_TABLE) != k->PMD_TYPE_TABLE, pte);
    const struct next_pages next = next_pages(s, vmid, &t, false);
    *full = next.pgd > pud_start(k, vmid) || next.pud > pmd_start(k, vmid);
    if (*full)
        return FH_OK;
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    for (uint64_t i = 0; i < k->PTRS_PER_PMD; i++)
        FH_TRY(set_mapping(s, vmid, first + i, pt_entry(pfn + i, 2, pte)));
    forget_tables(s, vmid);
    return record_tables(s, vmid, npt, &t, &next, false);
}

/* By how many bits a page frame number is longer than that of the last table that leads to it. */
static unsigned last_table_bits(const struct fh_profile *k)
{
    return (unsigned)(k->PMD_SHIFT - k->PAGE_SHIFT);
}

/* Map a 4 KiB page. *full also where a 2 MiB block is in the way. */
__attribute__((noinline)) static enum fh_status map_any_page(struct fh_state *s, uint32_t vmid,
                                                             wide addr, uint64_t pte, bool *full)
{
    const struct fh_profile *k = s->profile;
    const struct tables t = tables_of(k, vmid, addr);
    const uint64_t gfn = gfn_of(k, addr);
    const struct next_pages before = pages_of(npt_of(s, vmid)),
                            next = next_pages(s, vmid, &t, true);
    struct fh_npt *npt;
    *full = mapping_of(s, vmid, gfn)->level == 2 || next.pgd > pud_start(k, vmid) ||
            next.pud > pmd_start(k, vmid) || next.pmd > pool_end(k, vmid);
    if (*full)
        return FH_OK;
    FH_TRY(own_npt(s, vmid, &npt));
    FH_TRY(set_mapping(s, vmid, gfn, pt_entry(pfn_of(k, phys_page(k, pte)), 3, pte)));
    if (next.pgd != before.pgd || next.pud != before.pud || next.pmd != before.pmd) {
        forget_tables(s, vmid);
        FH_TRY(record_tables(s, vmid, npt, &t, &next, true));
    }
    note_tables(s, vmid, gfn, last_table_bits(k), t.pmd);
    return FH_OK;
}

static bool are_full(const struct npt_place *place)
{
    const struct fh_npt *npt = place->npt;
    return npt->pt_pgd_next > place->ends[0] || npt->pt_pud_next > place->ends[1] ||
           npt->pt_pmd_next > place->ends[2];
}

/* The same where the tables are known to be there. */
__attribute__((noinline)) static enum fh_status map_known_page(struct fh_state *s,
                                                               struct npt_place *place,
                                                               uint32_t vmid, uint64_t gfn,
                                                               uint64_t pte, bool *full)
{
    const struct fh_profile *k = s->profile;
    const struct fh_pt_entry value = pt_entry(pfn_of(k, phys_page(k, pte)), 3, pte);
    struct fh_pt_entry *entry = own_mapping(s, place, gfn);
    const bool is_new = !entry && lacks_mapping(s, place, gfn);
    const struct fh_pt_entry *old = entry;
    if (!entry)
        old = is_new ? fh_map_fallback(&place->npt->pt, &type_of_pt_entry->as_value)
                     : mapping_of(s, vmid, gfn);
    *full = are_full(place) || old->level == 2;
    if (*full)
        return FH_OK;
    if (is_new)
        FH_TRY(add_mapping(s, place, gfn, &entry));
    else if (!entry)
        return set_mapping(s, vmid, gfn, value);
    else if (!note_mapping(s, place, gfn, entry))
        return FH_NOMEM;
    *entry = value;
    return FH_OK;
}

/*
 * At once where the tables are known to be there: looking for them and, twice, for the entry was a
 * third of a host's fault. Not inlined, so that the place is computed once, which is a seventh of
 * it.
 */
static enum fh_status map_page(struct fh_state *s, uint32_t vmid, wide addr, uint64_t pte,
                               bool *full)
{
    const struct fh_profile *k = s->profile;
    const uint64_t gfn = gfn_of(k, addr);
    struct npt_place *place = known_npt(s, vmid);
    if (place && has_tables(s, place, gfn, last_table_bits(k)))
        return map_known_page(s, place, vmid, gfn, pte, full);
    return map_any_page(s, vmid, addr, pte, full);
}

static enum fh_status map_in_map(struct fh_state *s, uint32_t vmid, wide addr, uint32_t level,
                                 uint64_t pte, bool *full)
{
    return level == 2 ? map_block(s, vmid, addr, pte, full) : map_page(s, vmid, addr, pte, full);
}

/* --- Both realisations ------------------------------------------------------------------------ */

static enum fh_status disagree(struct fh_state *s, const char *function, uint32_t vmid,
                               uint64_t addr, uint64_t map, uint64_t words)
{
    const uint64_t values[] = {vmid, addr, map, words};
    return stop(s, FH_DISAGREE, FH_LAYER, function, "the words do what the map does",
                "vmid, addr, map, words", values, sizeof values / sizeof *values);
}

static enum fh_status set_pages(struct fh_state *s, uint32_t vmid, const struct next_pages *next)
{
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    FH_TRY(set_next(s, &npt->pt_pgd_next, next->pgd));
    FH_TRY(set_next(s, &npt->pt_pud_next, next->pud));
    return set_next(s, &npt->pt_pmd_next, next->pmd);
}

/* The words' turn: nobody is told what they do, and a halt is a result. */
static enum fh_status map_in_words_beside(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                          uint32_t level, uint64_t pte, bool *full)
{
    const struct words_turn turn = begin_words_turn(s);
    const enum fh_status status = map_in_words(s, vmid, addr, level, pte, full);
    end_words_turn(s, turn);
    return status == FH_STUCK ? disagree(s, "set_npt", vmid, addr, pte, 0) : status;
}

/* The two share the counters of table pages: each begins with the same and must end with the same.
 */
static enum fh_status map_in_both(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
                                  uint64_t pte, bool *full)
{
    const struct next_pages before = pages_of(npt_of(s, vmid));
    FH_TRY(map_in_map(s, vmid, addr, level, pte, full));
    const struct next_pages next = pages_of(npt_of(s, vmid));
    bool is_full_in_words;
    FH_TRY(set_pages(s, vmid, &before));
    FH_TRY(map_in_words_beside(s, vmid, addr, level, pte, &is_full_in_words));
    const struct next_pages words = pages_of(npt_of(s, vmid));
    if (*full != is_full_in_words)
        return disagree(s, "set_npt", vmid, addr, !*full, !is_full_in_words);
    if (*full)
        return set_pages(s, vmid, &before);
    if (words.pgd != next.pgd)
        return disagree(s, "set_npt", vmid, addr, next.pgd, words.pgd);
    if (words.pud != next.pud)
        return disagree(s, "set_npt", vmid, addr, next.pud, words.pud);
    if (words.pmd != next.pmd)
        return disagree(s, "set_npt", vmid, addr, next.pmd, words.pmd);
    touch_stage2(s, vmid, addr, level);
    return FH_OK;
}

enum fh_status map_stage2(struct fh_state *s, uint32_t vmid, wide addr, uint32_t level,
                          uint64_t pte, bool *full)
{
    const uint64_t known = (uint64_t)addr; /* as far as words and observers know addresses */
    const bool is_told = s->env.observer != NULL && s->realisation != FH_CONCRETE;
    struct fh_pt_entry old = {.pte = 0};
    if (is_told)
        old = stage2_entry(s, vmid, gfn_of(s->profile, addr));
    pte |= level == 2 ? s->profile->PMD_MARK : s->profile->PTE_MARK;
    switch (s->realisation) {
    case FH_ABSTRACT: FH_TRY(map_in_map(s, vmid, addr, level, pte, full)); break;
    case FH_CONCRETE: FH_TRY(map_in_words(s, vmid, known, level, pte, full)); break;
    case FH_BOTH: FH_TRY(map_in_both(s, vmid, known, level, pte, full)); break;
    }
    if (!*full && is_told)
        observe_values(s, FH_EFFECT_NPT_SET, vmid, known, level, pte, old.level, old.pte);
    return FH_OK;
}

struct fh_pt_entry stage2_entry(const struct fh_state *s, uint64_t vmid, uint64_t gfn)
{
    return s->realisation == FH_CONCRETE ? entry_in_words(s, vmid, gfn) : *mapping_of(s, vmid, gfn);
}

static enum fh_status same_level_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                          uint32_t level)
{
    uint32_t words;
    FH_TRY(get_npt_level_in_words(s, vmid, addr, &words));
    return level == words ? FH_OK : disagree(s, "get_npt_level", vmid, addr, level, words);
}

static enum fh_status same_pte_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                        uint64_t pte)
{
    uint64_t words;
    FH_TRY(walk_npt_in_words(s, vmid, addr, &words));
    return pte == words ? FH_OK : disagree(s, "walk_npt", vmid, addr, pte, words);
}

/* --- The functions ---------------------------------------------------------------------------- */

static enum fh_status get_npt_level_in_map(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                           uint32_t *result)
{
    const struct fh_pt_entry *entry = mapping_of(s, vmid, pfn_of(s->profile, addr));
    *result = phys_page(s->profile, entry->pte) != 0 ? (uint32_t)entry->level : 0;
    observe(s, FH_EFFECT_NPT_READ, vmid, addr, entry->level, entry->pte);
    return FH_OK;
}

static enum fh_status walk_npt_in_map(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                      uint64_t *result)
{
    const struct fh_pt_entry *entry = mapping_of(s, vmid, pfn_of(s->profile, addr));
    *result = entry->pte;
    observe(s, FH_EFFECT_NPT_READ, vmid, addr, entry->level, entry->pte);
    return FH_OK;
}

static void observe_read_of_words(struct fh_state *s, uint32_t vmid, uint64_t addr)
{
    if (!s->env.observer)
        return;
    const struct fh_pt_entry entry = entry_in_words(s, vmid, pfn_of(s->profile, addr));
    observe(s, FH_EFFECT_NPT_READ, vmid, addr, entry.level, entry.pte);
}

/*
 * The level at which `addr` (a byte address, 48 bits) is mapped for `vmid`: 2 for a 2 MiB block,
 * 3 for a page, 0 for an entry without a physical page. 0 in a halted state.
 * Stuck: vmid or addr out of range, lock not held. NPTWalk/Spec.v: get_npt_level_spec
 */
enum fh_status spec_get_npt_level(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                  uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->NPT_ID + vmid) == FH_LOCK_OWN, vmid);
    if (s->realisation == FH_CONCRETE) {
        observe_read_of_words(s, vmid, addr);
        return get_npt_level_in_words(s, vmid, addr, result);
    }
    FH_TRY(get_npt_level_in_map(s, vmid, addr, result));
    return s->realisation == FH_BOTH ? same_level_in_words(s, vmid, addr, *result) : FH_OK;
}

/*
 * The descriptor that maps `addr` for `vmid`, 0 where nothing was ever mapped. 0 in a halted state.
 * Stuck: vmid or addr out of range, lock not held. NPTWalk/Spec.v: walk_npt_spec
 */
enum fh_status spec_walk_npt(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->NPT_ID + vmid) == FH_LOCK_OWN, vmid);
    if (s->realisation == FH_CONCRETE) {
        observe_read_of_words(s, vmid, addr);
        return walk_npt_in_words(s, vmid, addr, result);
    }
    FH_TRY(walk_npt_in_map(s, vmid, addr, result));
    return s->realisation == FH_BOTH ? same_pte_in_words(s, vmid, addr, *result) : FH_OK;
}

/*
 * Map `addr` for `vmid` with the descriptor `pte` at level 2 (a 2 MiB block) or 3 (a page). Halts
 * when a table pool is exhausted or a block is in the way of a page; a block over pages replaces
 * them. One mapping per critical section (tstate).
 * Stuck: vmid or addr out of range, level not 2 or 3, pte 0, tstate not 0, lock not held, a block
 * whose descriptor has the type of a table. NPTWalk/Spec.v: set_npt_spec
 */
inline enum fh_status spec_set_npt(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
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
    bool full;
    FH_TRY(map_stage2(s, vmid, addr, level, pte, &full));
    if (full)
        return s->adt->halt ? FH_OK : FH_PANIC_FOR(s, FH_NEEDS_TABLES, vmid, addr, level);
    s->adt->tstate = 1;
    return FH_OK;
}

/* A guest load from its page gfn into register reg: nothing happens to KCore's state.
 * NPTWalk/Spec.v: mem_load_ref_spec */
enum fh_status spec_mem_load_ref(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    return kc_mem_load_raw(s, gfn, reg);
}

/* The same for a store. NPTWalk/Spec.v: mem_store_ref_spec */
enum fh_status spec_mem_store_ref(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    return kc_mem_store_raw(s, gfn, reg);
}
