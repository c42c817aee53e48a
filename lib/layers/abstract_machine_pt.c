/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "AbstractMachine"
#include "layers/abstract_machine_checks.h"
#include "layers/realisations.h"

/*
 * AbstractMachine/Spec.v: the memory that translation tables are made of, stage 2 and SMMU, the
 * memory regions, and page ownership.
 */

/* --- Stage-2 tables -------------------------------------------------------------------------- */

/*
 * Context: the caller holds the table's lock (NPT_ID + vmid). In a halted state all functions are
 * the identity, with result 0.
 * Stuck: vmid out of range, lock not held. The functions with `_spec0` at their end, which the
 * layers below Locks prove with, are stuck too while a barrier is due.
 */
#define RELY_TABLE(s, vmid)                                                                        \
    do {                                                                                           \
        RELY_VMID(s, vmid);                                                                        \
        RELY_HELD(s, (s)->profile->NPT_ID + (vmid));                                               \
    } while (0)

/* Unless the function skips because of a halt, no barrier is due. */
#define RELY_BARRIER_VALID(s)                                                                      \
    FH_RELY(s, (s)->adt->halt || (s)->adt->bars == FH_BARRIER_VALID, (s)->adt->bars)

/* The next free page for a table of the first level below the root: a byte address.
 * AbstractMachine/Spec.v: get_pgd_next_spec */
enum fh_status spec_get_pgd_next(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_TABLE(s, vmid);
    *result = npt_of(s, vmid)->pt_pgd_next;
    return FH_OK;
}

/* AbstractMachine/Spec.v: get_pgd_next_spec0 */
enum fh_status spec_get_pgd_next_spec0(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    RELY_BARRIER_VALID(s);
    return kc_get_pgd_next(s, vmid, result);
}

/* Set that address. AbstractMachine/Spec.v: set_pgd_next_spec */
enum fh_status spec_set_pgd_next(struct fh_state *s, uint32_t vmid, uint64_t next)
{
    SKIP_IF_HALTED(s);
    RELY_TABLE(s, vmid);
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    observe(s, FH_EFFECT_POOL_SET, vmid, 0, npt->pt_pgd_next, next);
    return set_u64(s, &npt->pt_pgd_next, next);
}

/* AbstractMachine/Spec.v: set_pgd_next_spec0 */
enum fh_status spec_set_pgd_next_spec0(struct fh_state *s, uint32_t vmid, uint64_t next)
{
    RELY_BARRIER_VALID(s);
    return kc_set_pgd_next(s, vmid, next);
}

/* The next free page for a table of the second level below the root: a byte address.
 * AbstractMachine/Spec.v: get_pud_next_spec */
enum fh_status spec_get_pud_next(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_TABLE(s, vmid);
    *result = npt_of(s, vmid)->pt_pud_next;
    return FH_OK;
}

/* AbstractMachine/Spec.v: get_pud_next_spec0 */
enum fh_status spec_get_pud_next_spec0(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    RELY_BARRIER_VALID(s);
    return kc_get_pud_next(s, vmid, result);
}

/* Set that address. AbstractMachine/Spec.v: set_pud_next_spec */
enum fh_status spec_set_pud_next(struct fh_state *s, uint32_t vmid, uint64_t next)
{
    SKIP_IF_HALTED(s);
    RELY_TABLE(s, vmid);
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    observe(s, FH_EFFECT_POOL_SET, vmid, 1, npt->pt_pud_next, next);
    return set_u64(s, &npt->pt_pud_next, next);
}

/* AbstractMachine/Spec.v: set_pud_next_spec0 */
enum fh_status spec_set_pud_next_spec0(struct fh_state *s, uint32_t vmid, uint64_t next)
{
    RELY_BARRIER_VALID(s);
    return kc_set_pud_next(s, vmid, next);
}

/* The next free page for a table of the third level below the root: a byte address.
 * AbstractMachine/Spec.v: get_pmd_next_spec */
enum fh_status spec_get_pmd_next(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_TABLE(s, vmid);
    *result = npt_of(s, vmid)->pt_pmd_next;
    return FH_OK;
}

/* AbstractMachine/Spec.v: get_pmd_next_spec0 */
enum fh_status spec_get_pmd_next_spec0(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    RELY_BARRIER_VALID(s);
    return kc_get_pmd_next(s, vmid, result);
}

/* Set that address. AbstractMachine/Spec.v: set_pmd_next_spec */
enum fh_status spec_set_pmd_next(struct fh_state *s, uint32_t vmid, uint64_t next)
{
    SKIP_IF_HALTED(s);
    RELY_TABLE(s, vmid);
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    observe(s, FH_EFFECT_POOL_SET, vmid, 2, npt->pt_pmd_next, next);
    return set_u64(s, &npt->pt_pmd_next, next);
}

/* AbstractMachine/Spec.v: set_pmd_next_spec0 */
enum fh_status spec_set_pmd_next_spec0(struct fh_state *s, uint32_t vmid, uint64_t next)
{
    RELY_BARRIER_VALID(s);
    return kc_set_pmd_next(s, vmid, next);
}

#define RELY_IN_POOL(s, vmid, addr)                                                                \
    do {                                                                                           \
        FH_RELY(s, pool_start((s)->profile, vmid) <= (addr), vmid, addr);                          \
        FH_RELY(s, (addr) < pool_end((s)->profile, vmid), vmid, addr);                             \
    } while (0)

/*
 * Read a descriptor: `addr` is a byte address in the pool of `vmid`. Stuck: addr outside of it.
 * AbstractMachine/Spec.v: pt_load_spec
 */
enum fh_status spec_pt_load(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    ZERO_IF_HALTED(s, result);
    RELY_TABLE(s, vmid);
    RELY_IN_POOL(s, vmid, addr);
    const struct fh_npt *npt = npt_of(s, vmid);
    if (addr < pgd_start(k, vmid))
        *result = number_at(&npt->pt_vttbr_pool, addr);
    else if (addr < pud_start(k, vmid))
        *result = number_at(&npt->pt_pgd_pool, addr);
    else if (addr < pmd_start(k, vmid))
        *result = number_at(&npt->pt_pud_pool, addr);
    else
        *result = number_at(&npt->pt_pmd_pool, addr);
    return FH_OK;
}

/* AbstractMachine/Spec.v: pt_load_spec0 */
enum fh_status spec_pt_load_spec0(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                  uint64_t *result)
{
    RELY_BARRIER_VALID(s);
    return kc_pt_load(s, vmid, addr, result);
}

/* The map with the words of the pool that `addr` is in. */
static struct fh_map *pool_of(const struct fh_profile *k, struct fh_npt *npt, uint64_t vmid,
                              uint64_t addr)
{
    if (addr < pgd_start(k, vmid))
        return &npt->pt_vttbr_pool;
    if (addr < pud_start(k, vmid))
        return &npt->pt_pgd_pool;
    return addr < pmd_start(k, vmid) ? &npt->pt_pud_pool : &npt->pt_pmd_pool;
}

/* The level whose descriptors are in the pool: 0 pgd to 3 pte. */
static uint64_t level_of(const struct fh_profile *k, uint64_t vmid, uint64_t addr)
{
    if (addr < pgd_start(k, vmid))
        return 0;
    if (addr < pud_start(k, vmid))
        return has_puds(k, vmid) ? 1 : 2;
    return addr < pmd_start(k, vmid) ? 2 : 3;
}

static enum fh_status store_word(struct fh_state *s, uint32_t vmid, struct fh_npt *npt,
                                 uint64_t addr, uint64_t value)
{
    void *word;
    FH_TRY(edit_entry(s, pool_of(s->profile, npt, vmid, addr), type_of_u64, addr, &word));
    observe_values(s, FH_EFFECT_PT_STORE, vmid, addr, *(uint64_t *)word, value,
                   level_of(s->profile, vmid, addr), s->walked);
    *(uint64_t *)word = value;
    return FH_OK;
}

static enum fh_status store_smmu_word(struct fh_state *s, struct fh_map *pool, uint64_t addr,
                                      uint64_t value)
{
    void *word;
    FH_TRY(edit_entry(s, pool, type_of_u64, addr, &word));
    observe(s, FH_EFFECT_SMMU_PT_STORE, addr, *(uint64_t *)word, value, s->walked);
    *(uint64_t *)word = value;
    return FH_OK;
}

/*
 * Write a descriptor. One that maps memory, that is any in the pool of the last level and one in
 * the pool above that is no table, ends what the critical section may do (tstate). With three
 * levels the pool above is the pgds'.
 * Stuck: addr outside the pool; such a descriptor when tstate is not 0.
 * AbstractMachine/Spec.v: pt_store_spec
 */
enum fh_status spec_pt_store(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t value)
{
    const struct fh_profile *k = s->profile;
    SKIP_IF_HALTED(s);
    RELY_TABLE(s, vmid);
    RELY_IN_POOL(s, vmid, addr);
    touch_all(s);
    struct fh_npt *npt;
    FH_TRY(own_npt(s, vmid, &npt));
    if (addr < pgd_start(k, vmid))
        return store_word(s, vmid, npt, addr, value);
    const bool is_pgd = addr < pud_start(k, vmid);
    const bool is_last = addr >= pmd_start(k, vmid);
    const bool maps = is_last || (value & k->PMD_TYPE_TABLE) != k->PMD_TYPE_TABLE;
    if (maps && !(is_pgd && has_puds(k, vmid))) {
        FH_RELY(s, s->adt->tstate == 0, s->adt->tstate);
        s->adt->tstate = 1;
    }
    return store_word(s, vmid, npt, addr, value);
}

/* AbstractMachine/Spec.v: pt_store_spec0 */
enum fh_status spec_pt_store_spec0(struct fh_state *s, uint32_t vmid, uint64_t addr, uint64_t value)
{
    RELY_BARRIER_VALID(s);
    return kc_pt_store(s, vmid, addr, value);
}

/* What VTTBR_EL2 holds while `vmid` runs: the address of its root table and the VMID. Stuck: vmid
 * out of range. AbstractMachine/Spec.v: get_pt_vttbr_spec */
enum fh_status spec_get_pt_vttbr(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    ZERO_IF_HALTED(s, result);
    RELY_VMID(s, vmid);
    *result = pool_start(k, vmid) | (uint64_t)vmid << k->VTTBR_VMID_SHIFT;
    return FH_OK;
}

/* Nothing: the address is fixed. AbstractMachine/Spec.v: set_pt_vttbr_spec */
enum fh_status spec_set_pt_vttbr(struct fh_state *s, uint32_t vmid, uint64_t vttbr)
{
    (void)s, (void)vmid, (void)vttbr;
    return FH_OK;
}

/* --- SMMU tables ----------------------------------------------------------------------------- */

/*
 * Context: the caller holds SPT_ID. In a halted state all functions are the identity, with result
 * 0. Stuck: lock not held.
 */
static enum fh_status own_spts(struct fh_state *s, struct fh_spt **spts)
{
    void *record = NULL;
    FH_TRY(own_ref(s, &s->adt->shared.spts, type_of_ref_spt, &record));
    *spts = record;
    return FH_OK;
}

/* The next free page for a table of the first level below the root: a byte address.
 * AbstractMachine/Spec.v: get_smmu_pgd_next_spec */
enum fh_status spec_get_smmu_pgd_next(struct fh_state *s, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_HELD(s, s->profile->SPT_ID);
    *result = s->adt->shared.spts->spt_pgd_next;
    return FH_OK;
}

/* Set that address. AbstractMachine/Spec.v: set_smmu_pgd_next_spec */
enum fh_status spec_set_smmu_pgd_next(struct fh_state *s, uint64_t next)
{
    SKIP_IF_HALTED(s);
    RELY_HELD(s, s->profile->SPT_ID);
    struct fh_spt *spts;
    FH_TRY(own_spts(s, &spts));
    observe(s, FH_EFFECT_SMMU_POOL_SET, 0, spts->spt_pgd_next, next, 0);
    return set_u64(s, &spts->spt_pgd_next, next);
}

/* The same for the second level. AbstractMachine/Spec.v: get_smmu_pmd_next_spec */
enum fh_status spec_get_smmu_pmd_next(struct fh_state *s, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_HELD(s, s->profile->SPT_ID);
    *result = s->adt->shared.spts->spt_pmd_next;
    return FH_OK;
}

/* AbstractMachine/Spec.v: set_smmu_pmd_next_spec */
enum fh_status spec_set_smmu_pmd_next(struct fh_state *s, uint64_t next)
{
    SKIP_IF_HALTED(s);
    RELY_HELD(s, s->profile->SPT_ID);
    struct fh_spt *spts;
    FH_TRY(own_spts(s, &spts));
    observe(s, FH_EFFECT_SMMU_POOL_SET, 2, spts->spt_pmd_next, next, 0);
    return set_u64(s, &spts->spt_pmd_next, next);
}

/* The address of the root table of bank `cbndx` of SMMU `index`. Needs no lock. Stuck: index or
 * cbndx out of range. AbstractMachine/Spec.v: get_smmu_cfg_hw_ttbr_spec */
enum fh_status spec_get_smmu_cfg_hw_ttbr(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                         uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    *result = smmu_ttbr(s->profile, index, cbndx);
    return FH_OK;
}

#define RELY_IN_SMMU_POOL(s, addr)                                                                 \
    do {                                                                                           \
        FH_RELY(s, (s)->profile->SMMU_POOL_START <= (addr), addr);                                 \
        FH_RELY(s, (addr) < (s)->profile->SMMU_POOL_END, addr);                                    \
    } while (0)

/* Read a descriptor: `addr` is a byte address in the pool of SMMU tables. Stuck: addr outside of
 * it. AbstractMachine/Spec.v: smmu_pt_load_spec */
enum fh_status spec_smmu_pt_load(struct fh_state *s, uint64_t addr, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_IN_SMMU_POOL(s, addr);
    RELY_HELD(s, s->profile->SPT_ID);
    const struct fh_spt *spts = s->adt->shared.spts;
    if (addr < s->profile->SMMU_PGD_START)
        *result = number_at(&spts->spt_vttbr_pool, addr);
    else if (addr < s->profile->SMMU_PMD_START)
        *result = number_at(&spts->spt_pgd_pool, addr);
    else
        *result = number_at(&spts->spt_pmd_pool, addr);
    return FH_OK;
}

/*
 * Write a descriptor. One of the last level ends what the critical section may do (tstate).
 * Stuck: addr outside the pool; such a descriptor when tstate is not 0.
 * AbstractMachine/Spec.v: smmu_pt_store_spec
 */
enum fh_status spec_smmu_pt_store(struct fh_state *s, uint64_t addr, uint64_t value)
{
    SKIP_IF_HALTED(s);
    RELY_IN_SMMU_POOL(s, addr);
    RELY_HELD(s, s->profile->SPT_ID);
    touch_all(s);
    struct fh_spt *spts;
    FH_TRY(own_spts(s, &spts));
    if (addr < s->profile->SMMU_PGD_START)
        return store_smmu_word(s, &spts->spt_vttbr_pool, addr, value);
    if (addr < s->profile->SMMU_PMD_START)
        return store_smmu_word(s, &spts->spt_pgd_pool, addr, value);
    FH_RELY(s, s->adt->tstate == 0, s->adt->tstate);
    s->adt->tstate = 1;
    return store_smmu_word(s, &spts->spt_pmd_pool, addr, value);
}

/*
 * Clear the root table of bank `cbndx` of SMMU `index`: only its first word, as the loop of the
 * spec stores to the same address in all its rounds.
 * Stuck: index or cbndx out of range, tstate not 0. AbstractMachine/Spec.v: smmu_pt_clear_spec
 */
enum fh_status spec_smmu_pt_clear(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    SKIP_IF_HALTED(s);
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    RELY_HELD(s, s->profile->SPT_ID);
    FH_RELY(s, s->adt->tstate == 0, s->adt->tstate);
    touch_all(s);
    struct fh_spt *spts;
    FH_TRY(own_spts(s, &spts));
    return set_entry_u64(s, &spts->spt_vttbr_pool, smmu_ttbr(s->profile, index, cbndx), 0);
}

/* --- Memory regions -------------------------------------------------------------------------- */

/*
 * The memory map that the firmware gave: constants, so that a halt changes nothing.
 * Stuck: index out of range.
 */
static const struct fh_memblock *region_of(const struct fh_state *s, uint64_t index)
{
    return fh_map_get(&s->adt->regions, &type_of_memblock->as_value, index);
}

/* How many regions there are. AbstractMachine/Spec.v: get_mem_region_cnt_spec */
enum fh_status spec_get_mem_region_cnt(struct fh_state *s, uint32_t *result)
{
    RETURN_U32(s, s->adt->region_cnt, result);
}

/* The first byte of region `index`. AbstractMachine/Spec.v: get_mem_region_base_spec */
enum fh_status spec_get_mem_region_base(struct fh_state *s, uint32_t index, uint64_t *result)
{
    FH_RELY(s, is_memblock(s->profile, index), index);
    *result = region_of(s, index)->mb_base;
    return FH_OK;
}

/* Its size in bytes. AbstractMachine/Spec.v: get_mem_region_size_spec */
enum fh_status spec_get_mem_region_size(struct fh_state *s, uint32_t index, uint64_t *result)
{
    FH_RELY(s, is_memblock(s->profile, index), index);
    *result = region_of(s, index)->mb_size;
    return FH_OK;
}

/* The entry of its first page in the table of owners, INVALID64 if it is not memory.
 * AbstractMachine/Spec.v: get_mem_region_index_spec */
enum fh_status spec_get_mem_region_index(struct fh_state *s, uint32_t index, uint64_t *result)
{
    FH_RELY(s, is_memblock(s->profile, index), index);
    *result = region_of(s, index)->mb_index;
    return FH_OK;
}

/* Its flags. AbstractMachine/Spec.v: get_mem_region_flag_spec */
enum fh_status spec_get_mem_region_flag(struct fh_state *s, uint32_t index, uint64_t *result)
{
    FH_RELY(s, is_memblock(s->profile, index), index);
    *result = region_of(s, index)->mb_flag;
    return FH_OK;
}

/* --- Page ownership -------------------------------------------------------------------------- */

/*
 * Entries of the table of owners, by their index (PageIndex finds it). The identity, with result 0,
 * in a halted state.
 * Context: the caller holds S2PAGE_ID. Stuck: index out of range, lock not held.
 */
#define RELY_S2_PAGE(s, index)                                                                     \
    do {                                                                                           \
        FH_RELY(s, is_s2page((s)->profile, index), index);                                         \
        RELY_HELD(s, (s)->profile->S2PAGE_ID);                                                     \
    } while (0)

/* The owner of the page: a VM, HOSTVISOR, COREVISOR or INVALID.
 * AbstractMachine/Spec.v: get_s2_page_vmid_spec */
enum fh_status spec_get_s2_page_vmid(struct fh_state *s, uint64_t index, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_S2_PAGE(s, index);
    *result = s2page_of(s, index)->s2_owner;
    return FH_OK;
}

/* AbstractMachine/Spec.v: set_s2_page_vmid_spec */
enum fh_status spec_set_s2_page_vmid(struct fh_state *s, uint64_t index, uint32_t vmid)
{
    SKIP_IF_HALTED(s);
    RELY_S2_PAGE(s, index);
    struct fh_s2page *page;
    FH_TRY(edit_s2page(s, index, &page));
    page->s2_owner = vmid;
    return FH_OK;
}

/* How often the page is shared. AbstractMachine/Spec.v: get_s2_page_count_spec */
enum fh_status spec_get_s2_page_count(struct fh_state *s, uint64_t index, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_S2_PAGE(s, index);
    *result = s2page_of(s, index)->s2_count;
    return FH_OK;
}

/* AbstractMachine/Spec.v: set_s2_page_count_spec */
enum fh_status spec_set_s2_page_count(struct fh_state *s, uint64_t index, uint32_t count)
{
    SKIP_IF_HALTED(s);
    RELY_S2_PAGE(s, index);
    struct fh_s2page *page;
    FH_TRY(edit_s2page(s, index, &page));
    page->s2_count = count;
    return FH_OK;
}

/* Where the page is mapped for its owner: a guest frame number.
 * AbstractMachine/Spec.v: get_s2_page_gfn_spec */
enum fh_status spec_get_s2_page_gfn(struct fh_state *s, uint64_t index, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_S2_PAGE(s, index);
    *result = s2page_of(s, index)->s2_gfn;
    return FH_OK;
}

/* AbstractMachine/Spec.v: set_s2_page_gfn_spec */
enum fh_status spec_set_s2_page_gfn(struct fh_state *s, uint64_t index, uint64_t gfn)
{
    SKIP_IF_HALTED(s);
    RELY_S2_PAGE(s, index);
    struct fh_s2page *page;
    FH_TRY(edit_s2page(s, index, &page));
    page->s2_gfn = gfn;
    return FH_OK;
}
