/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioSPTWalk"
#include "layers/mmio_spt_walk_words.h"

#include "layers/abstract_machine.h"
#include "layers/lock_log.h"
#include "layers/mmio_pt_walk.h"

/* MmioSPTWalk/Code.v: clear_smmu_pt_body */
enum fh_status clear_smmu_pt_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    return kc_smmu_pt_clear(s, cbndx, index);
}

/* MmioSPTWalk/Code.v: walk_smmu_pt_body */
enum fh_status walk_smmu_pt_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                     uint64_t addr, uint64_t *result)
{
    uint64_t ttbr, pgd, pmd, pte;
    FH_TRY(kc_get_smmu_cfg_hw_ttbr(s, cbndx, index, &ttbr));
    FH_TRY(kc_walk_smmu_pgd(s, ttbr, addr, 0, &pgd));
    FH_TRY(kc_walk_smmu_pmd(s, pgd, addr, 0, &pmd));
    FH_TRY(kc_walk_smmu_pte(s, pmd, addr, &pte));
    return kc_check64(s, pte, result);
}

/* MmioSPTWalk/Code.v: set_smmu_pt_body */
enum fh_status set_smmu_pt_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                    uint64_t addr, uint64_t pte)
{
    uint64_t ttbr, pgd, pmd;
    FH_TRY(kc_get_smmu_cfg_hw_ttbr(s, cbndx, index, &ttbr));
    FH_TRY(kc_walk_smmu_pgd(s, ttbr, addr, 1, &pgd));
    FH_TRY(kc_walk_smmu_pmd(s, pgd, addr, 1, &pmd));
    return kc_set_smmu_pte(s, pmd, addr, pte);
}

/* The lock as a caller without it has it for a moment. */
struct held {
    enum fh_lock_status status;
    uint64_t tstate;
};

static enum fh_status hold(struct fh_state *s, struct held *held)
{
    const uint64_t lock = s->profile->SPT_ID;
    *held = (struct held){lock_status(s, lock), s->adt->tstate};
    s->adt->tstate = 0;
    return held->status != FH_LOCK_OWN ? set_lock_status(s, lock, FH_LOCK_OWN) : FH_OK;
}

static enum fh_status let_go(struct fh_state *s, const struct held *held)
{
    s->adt->tstate = held->tstate;
    if (held->status == FH_LOCK_OWN)
        return FH_OK;
    return set_lock_status(s, s->profile->SPT_ID, held->status);
}

enum fh_status map_smmu_page_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                      uint64_t addr, uint64_t pte, bool *full)
{
    struct held held;
    FH_TRY(hold(s, &held));
    FH_TRY(set_smmu_pt_in_words(s, cbndx, index, addr, pte));
    *full = s->adt->halt;
    return let_go(s, &held);
}

enum fh_status empty_smmu_table_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    struct held held;
    FH_TRY(hold(s, &held));
    FH_TRY(clear_smmu_pt_in_words(s, cbndx, index));
    return let_go(s, &held);
}

static uint64_t word_at(const struct fh_profile *k, const struct fh_map *pool, uint64_t table,
                        uint64_t addr, uint64_t shift)
{
    return number_at(pool, phys_page(k, table) | ((addr >> shift) & (k->PTRS_PER_PMD - 1)) * 8);
}

uint64_t smmu_root_word(const struct fh_profile *k, uint64_t ttbr, uint64_t gfn)
{
    const uint64_t index = gfn >> (k->S2_PGDIR_SHIFT - k->PAGE_SHIFT);
    return phys_page(k, ttbr) | (index & (k->PTRS_PER_S2_PGD - 1)) * 8;
}

struct fh_spt_entry spt_entry_in_words(const struct fh_state *s, uint64_t ttbr, uint64_t gfn)
{
    const struct fh_profile *k = s->profile;
    const struct fh_spt *spts = s->adt->shared.spts;
    const uint64_t addr = gfn << k->PAGE_SHIFT;
    const uint64_t pgd = number_at(&spts->spt_vttbr_pool, smmu_root_word(k, ttbr, gfn));
    const uint64_t pmd = pgd ? word_at(k, &spts->spt_pgd_pool, pgd, addr, k->PMD_SHIFT) : 0;
    const uint64_t pte = pmd ? word_at(k, &spts->spt_pmd_pool, pmd, addr, k->PAGE_SHIFT) : 0;
    return (struct fh_spt_entry){pfn_of(k, phys_page(k, pte)), pte};
}

bool is_outlived(const struct fh_state *s, uint64_t ttbr, uint64_t gfn)
{
    return flag_at(&s->outlived, smmu_root_word(s->profile, ttbr, gfn));
}
