/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioPTWalk"
#include "layers/mmio_pt_walk.h"

#include "layers/abstract_machine.h"
#include "layers/mmio_pt_alloc.h"

/*
 * MmioPTWalk/Spec.v: SMMU tables as descriptors in memory, a root, one level below it and the
 * pages' descriptors. Each walk takes the descriptor that the walk above returned.
 *
 * Context: the caller holds SPT_ID. In a halted state all functions are the identity, with result
 * 0. Stuck: lock not held, a descriptor whose address is outside the pool of its level.
 */

/* Constants.v: stage2_pgd_index, pmd_index, pte_index, as offsets into a table. */
static uint64_t pgd_offset(const struct fh_profile *k, uint64_t addr)
{
    return ((addr >> k->S2_PGDIR_SHIFT) & (k->PTRS_PER_S2_PGD - 1)) * 8;
}

static uint64_t pmd_offset(const struct fh_profile *k, uint64_t addr)
{
    return ((addr >> k->PMD_SHIFT) & (k->PTRS_PER_PMD - 1)) * 8;
}

/* The last table has as many entries as the one above it, PTRS_PER_PTE is of no use. */
static uint64_t pte_offset(const struct fh_profile *k, uint64_t addr)
{
    return ((addr >> k->PAGE_SHIFT) & (k->PTRS_PER_PMD - 1)) * 8;
}

/* Note which descriptor points to the table at `next`: ghost state, for the proofs. */
static enum fh_status set_parent(struct fh_state *s, bool is_pgd, uint64_t next, uint64_t parent)
{
    if (s->adt->halt)
        return FH_OK;
    void *record;
    FH_TRY(own_ref(s, &s->adt->shared.spts, type_of_ref_spt, &record));
    struct fh_spt *spts = record;
    return set_entry_u64(s, is_pgd ? &spts->spt_pgd_par : &spts->spt_pmd_par, next, parent);
}

#define RELY_HELD(s) FH_RELY(s, lock_status(s, (s)->profile->SPT_ID) == FH_LOCK_OWN)

/*
 * The root's descriptor for `addr` in the table at `ttbr`; with alloc 1, one that is absent is made
 * to point to a new table. Halts when the pool is exhausted.
 * MmioPTWalk/Spec.v: walk_smmu_pgd_spec
 */
enum fh_status spec_walk_smmu_pgd(struct fh_state *s, uint64_t ttbr, uint64_t addr, uint32_t alloc,
                                  uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    RELY_HELD(s);
    const uint64_t pgd_p = phys_page(k, ttbr) | pgd_offset(k, addr);
    FH_RELY(s, k->SMMU_POOL_START <= pgd_p && pgd_p < k->SMMU_PGD_START, ttbr, addr, pgd_p);
    uint64_t pgd;
    FH_TRY(kc_smmu_pt_load(s, pgd_p, &pgd));
    if (pgd == 0 && alloc == 1) {
        const uint64_t next = s->adt->shared.spts->spt_pgd_next;
        FH_RELY(s, k->SMMU_PGD_START <= next, next);
        FH_TRY(kc_alloc_smmu_pgd_page(s, &pgd));
        pgd |= k->PUD_TYPE_TABLE;
        FH_TRY(kc_smmu_pt_store(s, pgd_p, pgd));
        FH_TRY(set_parent(s, true, next, pgd_p));
    }
    return kc_check64(s, pgd, result);
}

/* The descriptor of the next level, in the table that `pgd` points to; 0 if pgd is. The rest as for
 * the root. MmioPTWalk/Spec.v: walk_smmu_pmd_spec */
enum fh_status spec_walk_smmu_pmd(struct fh_state *s, uint64_t pgd, uint64_t addr, uint32_t alloc,
                                  uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    RELY_HELD(s);
    if (pgd == 0)
        return FH_OK;
    const uint64_t pmd_p = phys_page(k, pgd) | pmd_offset(k, addr);
    FH_RELY(s, k->SMMU_PGD_START <= pmd_p && pmd_p < k->SMMU_PMD_START, pgd, addr, pmd_p);
    uint64_t pmd;
    FH_TRY(kc_smmu_pt_load(s, pmd_p, &pmd));
    if (pmd == 0 && alloc == 1) {
        const uint64_t next = s->adt->shared.spts->spt_pmd_next;
        FH_TRY(kc_alloc_smmu_pmd_page(s, &pmd));
        pmd |= k->PMD_TYPE_TABLE;
        FH_TRY(kc_smmu_pt_store(s, pmd_p, pmd));
        FH_TRY(set_parent(s, false, next, pmd_p));
    }
    return kc_check64(s, pmd, result);
}

/* The descriptor of the page that `addr` is in, in the table that `pmd` points to; 0 if pmd is.
 * MmioPTWalk/Spec.v: walk_smmu_pte_spec */
enum fh_status spec_walk_smmu_pte(struct fh_state *s, uint64_t pmd, uint64_t addr, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    RELY_HELD(s);
    if (pmd == 0)
        return FH_OK;
    const uint64_t pte_p = phys_page(k, pmd) | pte_offset(k, addr);
    FH_RELY(s, k->SMMU_PMD_START <= pte_p && pte_p < k->SMMU_POOL_END, pmd, addr, pte_p);
    uint64_t pte;
    FH_TRY(kc_smmu_pt_load(s, pte_p, &pte));
    return kc_check64(s, pte, result);
}

/* Set that descriptor. One for each critical section: stuck if tstate is not 0.
 * MmioPTWalk/Spec.v: set_smmu_pte_spec */
enum fh_status spec_set_smmu_pte(struct fh_state *s, uint64_t pmd, uint64_t addr, uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    const uint64_t pte_p = phys_page(k, pmd) | pte_offset(k, addr);
    FH_RELY(s, k->SMMU_PMD_START <= pte_p && pte_p < k->SMMU_POOL_END, pmd, addr, pte_p);
    return kc_smmu_pt_store(s, pte_p, pte);
}
