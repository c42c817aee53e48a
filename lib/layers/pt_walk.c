/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "PTWalk"
#include "layers/pt_walk.h"

#include "layers/abstract_machine.h"
#include "layers/pt_alloc.h"

/*
 * PTWalk/Spec.v: stage-2 tables as descriptors in memory: the root, the tables that pgd, pud and
 * pmd descriptors point to, each level in a pool of its own. Each walk takes the descriptor that
 * the walk above returned. pt_updates and the pt_..._par maps are ghost state of the proofs: every
 * descriptor written, and which descriptor points to a table.
 *
 * With three levels (sekvm-4.18) the root is larger and its descriptors point to what are pmd
 * tables, in the pool that is otherwise the puds'; walk_pud just passes them on.
 *
 * Context: the caller holds the table's lock (NPT_ID + vmid). In a halted state all functions are
 * the identity, with result 0. Stuck: vmid out of range, lock not held, a descriptor whose address
 * is outside the pool of its level.
 */

/* Constants.v: pgd_index, pud_index, pmd_index, pte_index, as offsets into a table. */
static uint64_t pgd_offset(const struct fh_profile *k, uint64_t vmid, uint64_t addr)
{
    if (!has_puds(k, vmid))
        return ((addr >> k->S2_PGDIR_SHIFT) & (k->PTRS_PER_S2_PGD - 1)) * 8;
    return ((addr >> k->PGDIR_SHIFT) & (k->PTRS_PER_PGD - 1)) * 8;
}

/* Tables below the root have as many entries as a pmd table; PTRS_PER_PTE is of no use. */
static uint64_t offset_at(const struct fh_profile *k, uint64_t addr, uint64_t shift)
{
    return ((addr >> shift) & (k->PTRS_PER_PMD - 1)) * 8;
}

/* Where descriptors of pmds are. */
static uint64_t pmd_pool_start(const struct fh_profile *k, uint64_t vmid)
{
    return has_puds(k, vmid) ? pud_start(k, vmid) : pgd_start(k, vmid);
}

static uint64_t pmd_pool_end(const struct fh_profile *k, uint64_t vmid)
{
    return has_puds(k, vmid) ? pmd_start(k, vmid) : pud_start(k, vmid);
}

/* Note in pt_updates that a descriptor was written. */
static enum fh_status add_update(struct fh_state *s, uint64_t vmid, enum fh_event_kind kind,
                                 uint64_t place, uint64_t value)
{
    const struct fh_event event = {.kind = (uint8_t)kind, .args = {place, value}};
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    FH_TRY(save_value(s, &npt->pt_updates, type_of_log));
    if (!fh_log_append(&npt->pt_updates, s->log_policy, &s->allocator, &event))
        return FH_NOMEM;
    return FH_OK;
}

/* A map of parents, chosen after the table became the state's own. */
static struct fh_map *parents(struct fh_npt *npt, enum fh_event_kind kind)
{
    if (kind == FH_EVENT_UPDATE_PGD)
        return &npt->pt_pgd_par;
    return kind == FH_EVENT_UPDATE_PUD ? &npt->pt_pud_par : &npt->pt_pmd_par;
}

/* Write the descriptor at `place`, which points to the new table at `table`; nothing if there was
 * no page for one. */
static enum fh_status link_table(struct fh_state *s, uint32_t vmid, enum fh_event_kind kind,
                                 uint64_t place, uint64_t table, uint64_t *descriptor)
{
    const struct fh_profile *k = s->profile;
    if (s->adt->halt)
        return FH_OK;
    *descriptor = table | (kind == FH_EVENT_UPDATE_PMD ? k->PMD_TYPE_TABLE : k->PUD_TYPE_TABLE);
    FH_TRY(kc_pt_store(s, vmid, place, *descriptor));
    FH_TRY(add_update(s, vmid, kind, place, *descriptor));
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    return set_entry_u64(s, parents(npt, kind), table, place);
}

#define RELY_HELD(s, vmid)                                                                         \
    FH_RELY(s, lock_status(s, (s)->profile->NPT_ID + (vmid)) == FH_LOCK_OWN, vmid)

#define RELY_WITHIN(s, start, place, end) FH_RELY(s, start <= place && place < end, vmid, place)

/*
 * The root's descriptor for `addr`, in the table that `vttbr` names; with alloc 1, one that is
 * absent is made to point to a new table. Halts when the pool is exhausted.
 * PTWalk/Spec.v: walk_pgd_spec
 */
enum fh_status spec_walk_pgd(struct fh_state *s, uint32_t vmid, uint64_t vttbr, uint64_t addr,
                             uint32_t alloc, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    RELY_HELD(s, vmid);
    const uint64_t pgd_p = phys_page(k, vttbr) | pgd_offset(k, vmid, addr);
    RELY_WITHIN(s, pool_start(k, vmid), pgd_p, pgd_start(k, vmid));
    uint64_t pgd;
    FH_TRY(kc_pt_load(s, vmid, pgd_p, &pgd));
    if (pgd == 0 && alloc == 1) {
        uint64_t next;
        FH_TRY(kc_alloc_pgd_page(s, vmid, &next));
        FH_TRY(link_table(s, vmid, FH_EVENT_UPDATE_PGD, pgd_p, next, &pgd));
    }
    return kc_check64(s, pgd, result);
}

/* The descriptor of the level below, in the table that `pgd` points to; 0 if pgd is. The rest as
 * for the root. PTWalk/Spec.v: walk_pud_spec */
enum fh_status spec_walk_pud(struct fh_state *s, uint32_t vmid, uint64_t pgd, uint64_t addr,
                             uint32_t alloc, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    RELY_HELD(s, vmid);
    if (pgd == 0 || !has_puds(k, vmid))
        return kc_check64(s, pgd, result);
    const uint64_t pud_p = phys_page(k, pgd) | offset_at(k, addr, k->PUD_SHIFT);
    RELY_WITHIN(s, pgd_start(k, vmid), pud_p, pud_start(k, vmid));
    uint64_t pud;
    FH_TRY(kc_pt_load(s, vmid, pud_p, &pud));
    if (pud == 0 && alloc == 1) {
        uint64_t next;
        FH_TRY(kc_alloc_pud_page(s, vmid, &next));
        FH_TRY(link_table(s, vmid, FH_EVENT_UPDATE_PUD, pud_p, next, &pud));
    }
    return kc_check64(s, pud, result);
}

/* The descriptor of the next level, a block's or one that points to a table; 0 if pud is. The rest
 * as above. PTWalk/Spec.v: walk_pmd_spec */
enum fh_status spec_walk_pmd(struct fh_state *s, uint32_t vmid, uint64_t pud, uint64_t addr,
                             uint32_t alloc, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    RELY_HELD(s, vmid);
    if (pud == 0)
        return FH_OK;
    const uint64_t pmd_p = phys_page(k, pud) | offset_at(k, addr, k->PMD_SHIFT);
    RELY_WITHIN(s, pmd_pool_start(k, vmid), pmd_p, pmd_pool_end(k, vmid));
    uint64_t pmd;
    FH_TRY(kc_pt_load(s, vmid, pmd_p, &pmd));
    if (pmd == 0 && alloc == 1) {
        uint64_t next;
        FH_TRY(kc_alloc_pmd_page(s, vmid, &next));
        FH_TRY(link_table(s, vmid, FH_EVENT_UPDATE_PMD, pmd_p, next, &pmd));
    }
    return kc_check64(s, pmd, result);
}

/* The descriptor of the page that `addr` is in, in the table that `pmd` points to; 0 if pmd is.
 * PTWalk/Spec.v: walk_pte_spec */
enum fh_status spec_walk_pte(struct fh_state *s, uint32_t vmid, uint64_t pmd, uint64_t addr,
                             uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    RELY_HELD(s, vmid);
    if (pmd == 0)
        return FH_OK;
    const uint64_t pte_p = phys_page(k, pmd) | offset_at(k, addr, k->PAGE_SHIFT);
    RELY_WITHIN(s, pmd_start(k, vmid), pte_p, pool_end(k, vmid));
    uint64_t pte;
    FH_TRY(kc_pt_load(s, vmid, pte_p, &pte));
    return kc_check64(s, pte, result);
}

/*
 * Set the descriptor of a block, in the table that `pud` points to. One descriptor that maps memory
 * for each critical section: stuck if tstate is not 0, and if `pmd` has the type of a table.
 * PTWalk/Spec.v: set_pmd_spec
 */
enum fh_status spec_set_pmd(struct fh_state *s, uint32_t vmid, uint64_t pud, uint64_t addr,
                            uint64_t pmd)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    FH_RELY(s, (pmd & k->PMD_TYPE_TABLE) != k->PMD_TYPE_TABLE, pmd);
    const uint64_t pmd_p = phys_page(k, pud) | offset_at(k, addr, k->PMD_SHIFT);
    RELY_WITHIN(s, pmd_pool_start(k, vmid), pmd_p, pmd_pool_end(k, vmid));
    FH_TRY(kc_pt_store(s, vmid, pmd_p, pmd));
    return add_update(s, vmid, FH_EVENT_UPDATE_PMD, pmd_p, pmd);
}

/* Set the descriptor of a page, in the table that `pmd` points to. Stuck if tstate is not 0, or
 * addr is none. PTWalk/Spec.v: set_pte_spec */
enum fh_status spec_set_pte(struct fh_state *s, uint32_t vmid, uint64_t pmd, uint64_t addr,
                            uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, addr), addr);
    if (s->adt->halt)
        return FH_OK;
    s->walked = addr;
    const uint64_t pte_p = phys_page(k, pmd) | offset_at(k, addr, k->PAGE_SHIFT);
    RELY_WITHIN(s, pmd_start(k, vmid), pte_p, pool_end(k, vmid));
    FH_TRY(kc_pt_store(s, vmid, pte_p, pte));
    return add_update(s, vmid, FH_EVENT_UPDATE_PTE, pte_p, pte);
}
