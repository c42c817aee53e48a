/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/tables.h>

#include "state/machine.h"
#include "state/pools.h"

enum { WORD = 8 };

/* --- Where an address is --------------------------------------------------------------------- */

/* Whose pool has `pa`? */
static bool find_pool(const struct fh_profile *k, uint64_t pa, uint64_t *vmid)
{
    const uint64_t vms = pool_start(k, 1);
    *vmid = k->COREVISOR;
    if (pool_start(k, *vmid) <= pa && pa < pool_end(k, *vmid))
        return true;
    *vmid = pa < vms ? k->HOSTVISOR : 1 + (pa - vms) / k->PT_POOL_PER_VM;
    return pa >= k->PT_POOL_START && *vmid < k->COREVISOR;
}

/* The first level's table is the root; with three levels what it leads to are pmd tables. */
static bool stage2_place(const struct fh_profile *k, uint64_t pa, struct fh_table_place *place)
{
    uint64_t vmid;
    if (!find_pool(k, pa, &vmid))
        return false;
    if (pa < pgd_start(k, vmid))
        *place = (struct fh_table_place){vmid, "pgd", "pt_vttbr_pool"};
    else if (pa < pud_start(k, vmid))
        *place = (struct fh_table_place){vmid, has_puds(k, vmid) ? "pud" : "pmd", "pt_pgd_pool"};
    else if (pa < pmd_start(k, vmid))
        *place = (struct fh_table_place){vmid, "pmd", "pt_pud_pool"};
    else
        *place = (struct fh_table_place){vmid, "pte", "pt_pmd_pool"};
    return true;
}

static bool smmu_place(const struct fh_profile *k, uint64_t pa, struct fh_table_place *place)
{
    if (pa < k->SMMU_POOL_START || pa >= k->SMMU_POOL_END)
        return false;
    if (pa < k->SMMU_PGD_START)
        *place = (struct fh_table_place){0, "pgd", "spt_vttbr_pool"};
    else if (pa < k->SMMU_PMD_START)
        *place = (struct fh_table_place){0, "pmd", "spt_pgd_pool"};
    else
        *place = (struct fh_table_place){0, "pte", "spt_pmd_pool"};
    return true;
}

bool fh_table_locate(const struct fh_profile *k, enum fh_boundary which, uint64_t pa,
                     struct fh_table_place *place)
{
    return which == FH_SMMU_TABLES ? smmu_place(k, pa, place) : stage2_place(k, pa, place);
}

/* --- Words ----------------------------------------------------------------------------------- */

static const struct fh_map *pool_of_npt(const struct fh_profile *k, const struct fh_npt *npt,
                                        uint64_t vmid, uint64_t pa)
{
    if (pa < pgd_start(k, vmid))
        return &npt->pt_vttbr_pool;
    if (pa < pud_start(k, vmid))
        return &npt->pt_pgd_pool;
    return pa < pmd_start(k, vmid) ? &npt->pt_pud_pool : &npt->pt_pmd_pool;
}

static const struct fh_map *pool_of_spt(const struct fh_profile *k, const struct fh_spt *spts,
                                        uint64_t pa)
{
    if (pa < k->SMMU_PGD_START)
        return &spts->spt_vttbr_pool;
    return pa < k->SMMU_PMD_START ? &spts->spt_pgd_pool : &spts->spt_pmd_pool;
}

static uint64_t word_in(const struct fh_map *pool, uint64_t pa)
{
    return *(const uint64_t *)fh_map_get(pool, &type_of_u64->as_value, pa);
}

uint64_t fh_table_word(const struct fh_state *s, enum fh_boundary which, uint64_t pa)
{
    const struct fh_profile *k = s->profile;
    const struct fh_shared *shared = &s->adt->shared;
    struct fh_table_place place;
    if (!fh_table_locate(k, which, pa, &place))
        return 0;
    if (which == FH_SMMU_TABLES)
        return word_in(pool_of_spt(k, fh_ref_record(type_of_ref_spt, &shared->spts), pa), pa);
    const void *ref = fh_map_get(&shared->npts, &type_of_ref_npt->as_value, place.vmid);
    return word_in(pool_of_npt(k, fh_ref_record(type_of_ref_npt, ref), place.vmid, pa), pa);
}

/* The pool of `pa`, to be written through the setters. */
static enum fh_status own_pool(struct fh_state *s, enum fh_boundary which, uint64_t vmid,
                               uint64_t pa, struct fh_map **pool)
{
    struct fh_shared *shared = &s->adt->shared;
    const struct fh_map *found;
    void *record;
    enum fh_status status;
    if (which == FH_SMMU_TABLES) {
        status = own_ref(s, &shared->spts, type_of_ref_spt, &record);
        found = status == FH_OK ? pool_of_spt(s->profile, record, pa) : NULL;
    } else {
        status = own_entry(s, &shared->npts, type_of_ref_npt, vmid, &record);
        found = status == FH_OK ? pool_of_npt(s->profile, record, vmid, pa) : NULL;
    }
    *pool = (struct fh_map *)(uintptr_t)found;
    return status;
}

static enum fh_status set_word(struct fh_state *s, enum fh_boundary which, uint64_t vmid,
                               uint64_t pa, uint64_t word)
{
    struct fh_map *pool;
    const enum fh_status status = own_pool(s, which, vmid, pa, &pool);
    return status == FH_OK ? set_entry_u64(s, pool, pa, word) : status;
}

/* A transaction of its own, so that it can be taken back as a call can. */
enum fh_status fh_table_set_word(struct fh_state *s, enum fh_boundary which, uint64_t pa,
                                 uint64_t word)
{
    struct fh_table_place place;
    if (!fh_table_locate(s->profile, which, pa, &place))
        return FH_INVALID_ARGUMENT;
    const enum fh_status status = txn_begin(s);
    return status == FH_OK ? txn_end(s, set_word(s, which, place.vmid, pa, word)) : status;
}

/* --- Walks ----------------------------------------------------------------------------------- */

/* The levels of a table from the root on: which address bits choose the word, of how many. */
struct level {
    uint64_t shift, entries;
};

enum { MAX_LEVELS = 4 };

static unsigned levels_of(const struct fh_profile *k, enum fh_boundary which, uint64_t root,
                          struct level *levels)
{
    unsigned n = 0;
    uint64_t vmid = k->HOSTVISOR;
    if (which == FH_STAGE2_TABLES)
        find_pool(k, root, &vmid);
    if (which == FH_SMMU_TABLES || !has_puds(k, vmid)) {
        levels[n++] = (struct level){k->S2_PGDIR_SHIFT, k->PTRS_PER_S2_PGD};
    } else {
        levels[n++] = (struct level){k->PGDIR_SHIFT, k->PTRS_PER_PGD};
        levels[n++] = (struct level){k->PUD_SHIFT, k->PTRS_PER_PMD};
    }
    levels[n++] = (struct level){k->PMD_SHIFT, k->PTRS_PER_PMD};
    levels[n++] = (struct level){k->PAGE_SHIFT, k->PTRS_PER_PMD};
    return n;
}

uint64_t fh_table_walk(const struct fh_state *s, enum fh_boundary which, uint64_t root,
                       uint64_t addr)
{
    const struct fh_profile *k = s->profile;
    struct level levels[MAX_LEVELS];
    const unsigned nlevels = levels_of(k, which, root, levels);
    uint64_t table = root, place = root;
    for (unsigned i = 0; i < nlevels; i++) {
        place = table + ((addr >> levels[i].shift) & (levels[i].entries - 1)) * WORD;
        const uint64_t word = fh_table_word(s, which, place);
        if ((word & k->PMD_TYPE_TABLE) != k->PMD_TYPE_TABLE)
            break;
        table = word & k->PHYS_MASK & k->PAGE_MASK;
    }
    return place;
}
