/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "NPTWalk"
#include "layers/npt_walk_words.h"

#include "layers/abstract_machine.h"
#include "layers/lock_log.h"
#include "layers/pt_walk.h"

static bool is_table(const struct fh_profile *k, uint64_t pmd)
{
    return (pmd & k->PMD_TYPE_TABLE) == k->PMD_TYPE_TABLE;
}

/* The descriptor at the last level but one, 0 where there is none. */
static enum fh_status walk_to_pmd(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t *pmd)
{
    uint64_t vttbr, pgd, pud;
    FH_TRY(kc_get_pt_vttbr(s, vmid, &vttbr));
    FH_TRY(kc_walk_pgd(s, vmid, vttbr, addr, 0, &pgd));
    FH_TRY(kc_walk_pud(s, vmid, pgd, addr, 0, &pud));
    return kc_walk_pmd(s, vmid, pud, addr, 0, pmd);
}

/* NPTWalk/Code.v: get_npt_level_body */
enum fh_status get_npt_level_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                      uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    uint64_t pmd, pte;
    FH_TRY(walk_to_pmd(s, vmid, addr, &pmd));
    if (!is_table(k, pmd))
        return kc_check(s, phys_page(k, pmd) == 0 ? 0 : 2, result);
    FH_TRY(kc_walk_pte(s, vmid, pmd, addr, &pte));
    return kc_check(s, phys_page(k, pte) == 0 ? 0 : 3, result);
}

/* NPTWalk/Code.v: walk_npt_body */
enum fh_status walk_npt_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t *result)
{
    uint64_t pmd, pte;
    FH_TRY(walk_to_pmd(s, vmid, addr, &pmd));
    if (!is_table(s->profile, pmd))
        return kc_check64(s, pmd, result);
    FH_TRY(kc_walk_pte(s, vmid, pmd, addr, &pte));
    return kc_check64(s, pte, result);
}

/* NPTWalk/Code.v: set_npt_body */
enum fh_status set_npt_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
                                uint64_t pte)
{
    uint64_t vttbr, pgd, pud, pmd;
    FH_TRY(kc_get_pt_vttbr(s, vmid, &vttbr));
    FH_TRY(kc_walk_pgd(s, vmid, vttbr, addr, 1, &pgd));
    FH_TRY(kc_walk_pud(s, vmid, pgd, addr, 1, &pud));
    if (level == 2)
        return kc_set_pmd(s, vmid, pud, addr, pte);
    FH_TRY(kc_walk_pmd(s, vmid, pud, addr, 1, &pmd));
    if (is_table(s->profile, pmd))
        return kc_set_pte(s, vmid, pmd, addr, pte);
    FH_DEMAND(s, s->adt->halt || is_table(s->profile, pmd), vmid, addr, pmd);
    return FH_OK;
}

enum fh_status map_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
                            uint64_t pte, bool *full)
{
    const uint64_t lock = s->profile->NPT_ID + vmid;
    const enum fh_lock_status held = lock_status(s, lock);
    const uint64_t tstate = s->adt->tstate;
    if (held != FH_LOCK_OWN)
        FH_TRY(set_lock_status(s, lock, FH_LOCK_OWN));
    s->adt->tstate = 0;
    FH_TRY(set_npt_in_words(s, vmid, addr, level, pte));
    s->adt->tstate = tstate;
    *full = s->adt->halt;
    return held != FH_LOCK_OWN ? set_lock_status(s, lock, held) : FH_OK;
}

/* The descriptor for `addr` in the table that `table` points to. */
static uint64_t word_at(const struct fh_profile *k, const struct fh_map *pool, uint64_t table,
                        uint64_t addr, uint64_t shift, uint64_t entries)
{
    return number_at(pool, phys_page(k, table) | ((addr >> shift) & (entries - 1)) * 8);
}

static uint64_t pmd_in_words(const struct fh_profile *k, const struct fh_npt *npt, uint64_t vmid,
                             uint64_t addr)
{
    const uint64_t root = pool_start(k, vmid);
    if (!has_puds(k, vmid)) {
        const uint64_t pgd =
            word_at(k, &npt->pt_vttbr_pool, root, addr, k->S2_PGDIR_SHIFT, k->PTRS_PER_S2_PGD);
        return pgd ? word_at(k, &npt->pt_pgd_pool, pgd, addr, k->PMD_SHIFT, k->PTRS_PER_PMD) : 0;
    }
    const uint64_t pgd =
        word_at(k, &npt->pt_vttbr_pool, root, addr, k->PGDIR_SHIFT, k->PTRS_PER_PGD);
    const uint64_t pud =
        pgd ? word_at(k, &npt->pt_pgd_pool, pgd, addr, k->PUD_SHIFT, k->PTRS_PER_PMD) : 0;
    return pud ? word_at(k, &npt->pt_pud_pool, pud, addr, k->PMD_SHIFT, k->PTRS_PER_PMD) : 0;
}

static struct fh_pt_entry pt_entry(uint64_t pfn, unsigned level, uint64_t pte)
{
    return (struct fh_pt_entry){
        .pfn = pfn & (((uint64_t)1 << 60) - 1), .level = level & 15, .pte = pte};
}

struct fh_pt_entry entry_in_words(const struct fh_state *s, uint64_t vmid, uint64_t gfn)
{
    const struct fh_profile *k = s->profile;
    const struct fh_npt *npt = npt_of(s, vmid);
    const uint64_t addr = gfn << k->PAGE_SHIFT;
    const uint64_t pmd = pmd_in_words(k, npt, vmid, addr);
    if (pmd == 0)
        return pt_entry(0, 0, 0);
    if (!is_table(k, pmd))
        return pt_entry(pfn_of(k, phys_page(k, pmd)) + gfn % k->PTRS_PER_PMD, 2, pmd);
    const uint64_t pte = word_at(k, &npt->pt_pmd_pool, pmd, addr, k->PAGE_SHIFT, k->PTRS_PER_PMD);
    return pte ? pt_entry(pfn_of(k, phys_page(k, pte)), 3, pte) : pt_entry(0, 0, 0);
}
