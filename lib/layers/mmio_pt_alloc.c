/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioPTAlloc"
#include "layers/mmio_pt_alloc.h"

#include "layers/abstract_machine.h"

/*
 * MmioPTAlloc/Spec.v: pages for SMMU tables, handed out in turn from one pool for each level.
 *
 * Context: the caller holds SPT_ID.
 * Each function returns the byte address of the page; 0 when the pool is exhausted, and KCore
 * halts. In a halted state it is the identity, with result 0.
 * Stuck: lock not held, a next page outside the pool.
 */

static bool has_page(struct fh_state *s, uint64_t next, uint64_t end)
{
    return wide_add(next, s->profile->PAGE_SIZE) <= end;
}

/* A table for the level below the root. The spec lets its pool begin with the root tables' own.
 * MmioPTAlloc/Spec.v: alloc_smmu_pgd_page_spec */
enum fh_status spec_alloc_smmu_pgd_page(struct fh_state *s, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    uint64_t next;
    FH_TRY(kc_get_smmu_pgd_next(s, &next));
    FH_RELY(s, s->adt->halt || (k->SMMU_POOL_START <= next && next <= k->SMMU_PMD_START), next);
    if (has_page(s, next, k->SMMU_PMD_START))
        FH_TRY(kc_set_smmu_pgd_next(s, next + k->PAGE_SIZE));
    else
        FH_TRY(FH_PANIC(s, has_page(s, next, k->SMMU_PMD_START), next));
    return kc_check64(s, next, result);
}

/* A table for the last level. MmioPTAlloc/Spec.v: alloc_smmu_pmd_page_spec */
enum fh_status spec_alloc_smmu_pmd_page(struct fh_state *s, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    uint64_t next;
    FH_TRY(kc_get_smmu_pmd_next(s, &next));
    FH_RELY(s, s->adt->halt || (k->SMMU_PMD_START <= next && next <= k->SMMU_POOL_END), next);
    if (has_page(s, next, k->SMMU_POOL_END))
        FH_TRY(kc_set_smmu_pmd_next(s, next + k->PAGE_SIZE));
    else
        FH_TRY(FH_PANIC(s, has_page(s, next, k->SMMU_POOL_END), next));
    return kc_check64(s, next, result);
}
