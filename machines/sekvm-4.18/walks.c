/* SPDX-License-Identifier: GPL-2.0-only */
#include "machines/sekvm-4.18/sekvm.h"

/*
 * Stage-2 tables as words in memory. The kernel looks at no pool: a descriptor leads where it
 * leads. Behind a VM's pgd pool lies its own pud pool, behind that its pmd pool, and behind that
 * the next VM's root; behind the last VM's the pools of the SMMUs. EL2's own pools lie in the same
 * order, the host's root behind them.
 */

/* --- Any word -------------------------------------------------------------------------------- */

static bool is_own_pool(const struct fh_profile *k, uint64_t vmid, uint64_t pa)
{
    return pool_start(k, vmid) <= pa && pa < pool_end(k, vmid);
}

/* Whose pool the word is in; UINT64_MAX: nobody's. */
static uint64_t owner_of_word(const struct fh_profile *k, uint64_t pa)
{
    uint64_t vmid = 0;
    while (vmid <= k->COREVISOR && !is_own_pool(k, vmid, pa))
        vmid++;
    return vmid <= k->COREVISOR ? vmid : UINT64_MAX;
}

static struct fh_map *pool_of_word(const struct fh_profile *k, struct fh_npt *npt, uint64_t vmid,
                                   uint64_t pa)
{
    if (pa < pgd_start(k, vmid))
        return &npt->pt_vttbr_pool;
    if (pa < pud_start(k, vmid))
        return &npt->pt_pgd_pool;
    return pa < pmd_start(k, vmid) ? &npt->pt_pud_pool : &npt->pt_pmd_pool;
}

static uint64_t word_key(uint64_t pa)
{
    return (uint64_t)MACHINE_WORD << 56 | pa;
}

static uint64_t read_word(const struct fh_state *s, uint64_t pa)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = owner_of_word(k, pa);
    if (vmid == UINT64_MAX)
        return number_at(&s->adt->machine, word_key(pa));
    /* Only looked at: the map is chosen as for writing. */
    struct fh_npt *npt = (struct fh_npt *)(uintptr_t)npt_of(s, vmid);
    return number_at(pool_of_word(k, npt, vmid, pa), pa);
}

static enum fh_status write_word(struct fh_state *s, uint32_t vmid, uint64_t pa, uint64_t level,
                                 uint64_t value)
{
    const struct fh_profile *k = s->profile;
    const uint64_t owner = owner_of_word(k, pa);
    observe_values(s, FH_EFFECT_PT_STORE, vmid, pa, read_word(s, pa), value, level, s->walked);
    if (owner == UINT64_MAX)
        return set_entry_u64(s, &s->adt->machine, word_key(pa), value);
    void *record, *word;
    FH_TRY(own_entry(s, &s->adt->shared.npts, type_of_ref_npt, owner, &record));
    FH_TRY(edit_entry(s, pool_of_word(k, record, owner, pa), type_of_u64, pa, &word));
    *(uint64_t *)word = value;
    return FH_OK;
}

static uint64_t place_in(const struct fh_profile *k, uint64_t table, uint64_t addr, uint64_t shift)
{
    return phys_page(k, table) | ((addr >> shift) & (k->PTRS_PER_PMD - 1)) * 8;
}

/* A22: the spec is undefined where a descriptor leads out of its pool. */
static bool is_beyond(struct fh_state *s, uint32_t vmid, uint64_t place, uint64_t start,
                      uint64_t end)
{
    return !s->adt->halt && is_vmid(s->profile, vmid) && (place < start || place >= end) &&
           departs(s, A22);
}

/* --- The levels ------------------------------------------------------------------------------ */

/*
 * E7: the host's pgd pool ends where a VM's does, after 16 pages of the 128 that lie there. E8: and
 * so does EL2's own, one page into its pud pool.
 */
enum fh_status m_alloc_pgd_page(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    const bool is_host = vmid == k->HOSTVISOR, is_core = vmid == k->COREVISOR;
    if ((!is_host && !is_core) || s->adt->halt)
        return below_alloc_pgd_page(s, vmid, result);
    const uint64_t end = pool_start(k, vmid) + k->PUD_OFFSET;
    uint64_t next;
    FH_TRY(kc_get_pgd_next(s, vmid, &next));
    const bool fits = next + k->PAGE_SIZE <= end;
    const bool fits_spec = next + k->PAGE_SIZE <= pud_start(k, vmid);
    if (fits == fits_spec || !departs(s, is_host ? E7 : E8))
        return below_alloc_pgd_page(s, vmid, result);
    FH_TRY(fits ? kc_set_pgd_next(s, vmid, next + k->PAGE_SIZE) : FH_PANIC(s, fits, vmid, next));
    return kc_check64(s, next, result);
}

enum fh_status m_walk_pud(struct fh_state *s, uint32_t vmid, uint64_t pgd, uint64_t addr,
                          uint32_t alloc, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    if (pgd == 0 || !has_puds(k, vmid))
        return below_walk_pud(s, vmid, pgd, addr, alloc, result);
    const uint64_t place = place_in(k, pgd, addr, k->PUD_SHIFT);
    if (!is_beyond(s, vmid, place, pgd_start(k, vmid), pud_start(k, vmid)))
        return below_walk_pud(s, vmid, pgd, addr, alloc, result);
    uint64_t next;
    *result = read_word(s, place);
    if (*result != 0 || alloc != 1)
        return FH_OK;
    FH_TRY(kc_alloc_pud_page(s, vmid, &next));
    *result = next | k->PUD_TYPE_TABLE;
    return write_word(s, vmid, place, 1, *result);
}

/* Where descriptors of pmds are: with three levels in the pool that is else the puds'. */
static uint64_t pmds_start(const struct fh_profile *k, uint64_t vmid)
{
    return has_puds(k, vmid) ? pud_start(k, vmid) : pgd_start(k, vmid);
}

static uint64_t pmds_end(const struct fh_profile *k, uint64_t vmid)
{
    return has_puds(k, vmid) ? pmd_start(k, vmid) : pud_start(k, vmid);
}

enum fh_status m_walk_pmd(struct fh_state *s, uint32_t vmid, uint64_t pud, uint64_t addr,
                          uint32_t alloc, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    const uint64_t place = place_in(k, pud, addr, k->PMD_SHIFT);
    if (pud == 0 || !is_beyond(s, vmid, place, pmds_start(k, vmid), pmds_end(k, vmid)))
        return below_walk_pmd(s, vmid, pud, addr, alloc, result);
    uint64_t next;
    *result = read_word(s, place);
    if (*result != 0 || alloc != 1)
        return FH_OK;
    FH_TRY(kc_alloc_pmd_page(s, vmid, &next));
    *result = next | k->PMD_TYPE_TABLE;
    return write_word(s, vmid, place, 2, *result);
}

enum fh_status m_walk_pte(struct fh_state *s, uint32_t vmid, uint64_t pmd, uint64_t addr,
                          uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    const uint64_t place = place_in(k, pmd, addr, k->PAGE_SHIFT);
    if (pmd == 0 || !is_beyond(s, vmid, place, pmd_start(k, vmid), pool_end(k, vmid)))
        return below_walk_pte(s, vmid, pmd, addr, result);
    *result = read_word(s, place);
    return FH_OK;
}

enum fh_status m_set_pmd(struct fh_state *s, uint32_t vmid, uint64_t pud, uint64_t addr,
                         uint64_t pmd)
{
    const struct fh_profile *k = s->profile;
    const uint64_t place = place_in(k, pud, addr, k->PMD_SHIFT);
    if (!is_beyond(s, vmid, place, pmds_start(k, vmid), pmds_end(k, vmid)))
        return below_set_pmd(s, vmid, pud, addr, pmd);
    return write_word(s, vmid, place, 2, pmd);
}

enum fh_status m_set_pte(struct fh_state *s, uint32_t vmid, uint64_t pmd, uint64_t addr,
                         uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    const uint64_t place = place_in(k, pmd, addr, k->PAGE_SHIFT);
    if (!is_beyond(s, vmid, place, pmd_start(k, vmid), pool_end(k, vmid)))
        return below_set_pte(s, vmid, pmd, addr, pte);
    return write_word(s, vmid, place, 3, pte);
}

/* --- Whole tables ---------------------------------------------------------------------------- */

/* Is there a table of pages where `addr` is to be mapped as a part of a block? */
static enum fh_status has_table(struct fh_state *s, uint32_t vmid, uint64_t addr, bool *has)
{
    const struct fh_profile *k = s->profile;
    uint64_t vttbr, pgd, pud, pmd;
    uint32_t level;
    if (s->realisation == FH_ABSTRACT) {
        /* Maps know tables by the pages that are mapped in them. */
        FH_TRY(kc_get_npt_level(s, vmid, addr, &level));
        *has = level == 3;
        return FH_OK;
    }
    FH_TRY(kc_get_pt_vttbr(s, vmid, &vttbr));
    FH_TRY(kc_walk_pgd(s, vmid, vttbr, addr, 0, &pgd));
    FH_TRY(kc_walk_pud(s, vmid, pgd, addr, 0, &pud));
    FH_TRY(kc_walk_pmd(s, vmid, pud, addr, 0, &pmd));
    *has = (pmd & k->PMD_TYPE_TABLE) == k->PMD_TYPE_TABLE;
    return FH_OK;
}

/* E4: a block does not take the place of a table. */
enum fh_status m_set_npt(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
                         uint64_t pte)
{
    bool has = false;
    if (level == 2 && !s->adt->halt && is_vmid(s->profile, vmid) && is_addr(s->profile, addr))
        FH_TRY(has_table(s, vmid, addr, &has));
    if (has && departs(s, E4))
        return FH_PANIC_FOR(s, "no table in the way of a block", vmid, addr);
    return below_set_npt(s, vmid, addr, level, pte);
}

/* A18: any descriptor but 0 is overwritten: the one that is left by this, too. */
enum fh_status m_clear_pfn_host(struct fh_state *s, uint64_t pfn)
{
    if (!departs(s, A18))
        return below_clear_pfn_host(s, pfn);
    const struct fh_profile *k = s->profile;
    const uint32_t host = (uint32_t)k->HOSTVISOR;
    const uint64_t addr = pfn * k->PAGE_SIZE;
    uint64_t pte;
    FH_RELY(s, is_pfn(k, pfn), pfn);
    FH_TRY(kc_acquire_lock_pt(s, host));
    FH_TRY(kc_walk_npt(s, host, addr, &pte));
    if (pte != 0) {
        FH_TRY(kc_set_npt(s, host, addr, 3, k->PAGE_GUEST));
        FH_TRY(tlb_invalidate(s, host, addr));
    }
    return kc_release_lock_pt(s, host);
}
