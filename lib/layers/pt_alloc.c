/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "PTAlloc"
#include "layers/pt_alloc.h"

#include "layers/abstract_machine.h"

/*
 * PTAlloc/Spec.v: pages for stage-2 tables. Each VM has a pool for each level, whose pages are
 * handed out in turn and never come back.
 *
 * Context: the caller holds the table's lock (NPT_ID + vmid).
 * Each function returns the byte address of the page; 0 when the pool is exhausted, and KCore
 * halts. In a halted state it is the identity, with result 0.
 * Stuck: vmid out of range, lock not held, a next page outside the pool.
 */

/* Each pool ends where the next one starts. */
static bool has_page(struct fh_state *s, uint64_t next, uint64_t end)
{
    return wide_add(next, s->profile->PAGE_SIZE) <= end;
}

/* A table for the first level below the root. PTAlloc/Spec.v: alloc_pgd_page_spec */
enum fh_status spec_alloc_pgd_page(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    uint64_t next;
    FH_TRY(kc_get_pgd_next(s, vmid, &next));
    FH_RELY(s, s->adt->halt || (pgd_start(k, vmid) <= next && next <= pud_start(k, vmid)), next);
    if (has_page(s, next, pud_start(k, vmid)))
        FH_TRY(kc_set_pgd_next(s, vmid, next + k->PAGE_SIZE));
    else
        FH_TRY(FH_PANIC(s, has_page(s, next, pud_start(k, vmid)), vmid, next));
    return kc_check64(s, next, result);
}

/* A table for the second level. PTAlloc/Spec.v: alloc_pud_page_spec */
enum fh_status spec_alloc_pud_page(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    uint64_t next;
    FH_TRY(kc_get_pud_next(s, vmid, &next));
    FH_RELY(s, s->adt->halt || (pud_start(k, vmid) <= next && next <= pmd_start(k, vmid)), next);
    if (has_page(s, next, pmd_start(k, vmid)))
        FH_TRY(kc_set_pud_next(s, vmid, next + k->PAGE_SIZE));
    else
        FH_TRY(FH_PANIC(s, has_page(s, next, pmd_start(k, vmid)), vmid, next));
    return kc_check64(s, next, result);
}

/* A table for the last level. PTAlloc/Spec.v: alloc_pmd_page_spec */
enum fh_status spec_alloc_pmd_page(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    uint64_t next;
    FH_TRY(kc_get_pmd_next(s, vmid, &next));
    FH_RELY(s, s->adt->halt || (pmd_start(k, vmid) <= next && next <= pool_end(k, vmid)), next);
    if (has_page(s, next, pool_end(k, vmid)))
        FH_TRY(kc_set_pmd_next(s, vmid, next + k->PAGE_SIZE));
    else
        FH_TRY(FH_PANIC(s, has_page(s, next, pool_end(k, vmid)), vmid, next));
    return kc_check64(s, next, result);
}
