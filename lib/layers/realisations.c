/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers/realisations.h"

#include "layers/lock_log.h"
#include "layers/mmio_spt_walk_words.h"
#include "layers/npt_walk_words.h"

/*
 * The abstraction relation between the two realisations: NPTWalk/ProofHighAux.v (relate_npt),
 * MmioSPTWalk/ProofHigh.v, LockOpsH/ProofHigh.v. Nothing is related in a halted state. Where the
 * two forms of the spec really differ, the rule here says so: see docs/realisations.md.
 */

/* --- What a call touches ---------------------------------------------------------------------- */

static bool extend(struct touched_range *range, bool is_smmu, uint64_t owner, uint64_t gfn,
                   uint64_t count)
{
    const bool is_in_row = range->is_smmu == is_smmu && range->owner == owner &&
                           gfn >= range->first && gfn - range->first <= range->count;
    if (!is_in_row)
        return false;
    if (gfn - range->first + count > range->count)
        range->count = gfn - range->first + count;
    return true;
}

void touch_pages(struct fh_state *s, bool is_smmu, uint64_t owner, uint64_t gfn, uint64_t count)
{
    struct touched *touched = &s->touched;
    for (unsigned i = 0; i < touched->count; i++) {
        if (extend(&touched->ranges[i], is_smmu, owner, gfn, count))
            return;
    }
    if (touched->count == TOUCHED_RANGES)
        touched->all = true;
    else
        touched->ranges[touched->count++] = (struct touched_range){is_smmu, owner, gfn, count};
}

/* The address bits that the tables of a stage-2 table know. */
static uint64_t known_bits(const struct fh_profile *k, uint64_t vmid)
{
    return has_puds(k, vmid) ? k->KVM_ADDR_SPACE - 1
                             : (k->PTRS_PER_S2_PGD << k->S2_PGDIR_SHIFT) - 1;
}

void touch_stage2(struct fh_state *s, uint64_t vmid, uint64_t addr, uint64_t level)
{
    const struct fh_profile *k = s->profile;
    const uint64_t count = level == 2 ? k->PTRS_PER_PMD : 1;
    const uint64_t gfn = pfn_of(k, addr) / count * count;
    const uint64_t alias = pfn_of(k, addr & known_bits(k, vmid)) / count * count;
    touch_pages(s, false, vmid, gfn, count);
    if (alias != gfn)
        touch_pages(s, false, vmid, alias, count);
}

/* --- One entry -------------------------------------------------------------------------------- */

struct check {
    const struct fh_state *s;
    const struct fh_profile *k;
    struct fh_disagreement first;
};

static bool differ(struct check *c, enum fh_boundary boundary, const char *what, uint64_t owner,
                   uint64_t addr, uint64_t abstract, uint64_t concrete)
{
    c->first = (struct fh_disagreement){.boundary = boundary,
                                        .what = what,
                                        .owner = owner,
                                        .addr = addr,
                                        .abstract_value = abstract,
                                        .concrete_value = concrete};
    return false;
}

/* relate_entry: the words lead to the entry of the map. */
static bool same_page(struct check *c, uint64_t vmid, uint64_t gfn)
{
    const struct fh_pt_entry *map = pt_entry_of(npt_of(c->s, vmid), gfn);
    const struct fh_pt_entry words = entry_in_words(c->s, vmid, gfn);
    if (map->pfn == words.pfn && map->level == words.level && map->pte == words.pte)
        return true;
    differ(c, FH_STAGE2_TABLES, "mapping", vmid, gfn << c->k->PAGE_SHIFT, map->pte, words.pte);
    c->first.abstract_level = (unsigned)map->level;
    c->first.concrete_level = (unsigned)words.level;
    return false;
}

/* The same for a bank; what outlived the clearing of its table may be in the words alone. */
static bool same_smmu_page(struct check *c, uint64_t ttbr, uint64_t gfn)
{
    const struct fh_spt *spts = c->s->adt->shared.spts;
    const struct fh_map *bank = fh_map_get(&spts->spt_pt, &type_of_map_spt->as_value, ttbr);
    const struct fh_spt_entry *map = fh_map_find(bank, &type_of_spt_entry->as_value, gfn);
    const struct fh_spt_entry words = spt_entry_in_words(c->s, ttbr, gfn);
    if (!map && is_outlived(c->s, ttbr, gfn))
        return true;
    if (!map)
        map = fh_map_fallback(bank, &type_of_spt_entry->as_value);
    return (map->pfn == words.pfn && map->pte == words.pte) ||
           differ(c, FH_SMMU_TABLES, "mapping", ttbr, gfn << c->k->PAGE_SHIFT, map->pte, words.pte);
}

static bool same_range(struct check *c, const struct touched_range *range)
{
    for (uint64_t i = 0; i < range->count; i++) {
        const uint64_t gfn = range->first + i;
        if (!(range->is_smmu ? same_smmu_page(c, range->owner, gfn)
                             : same_page(c, range->owner, gfn)))
            return false;
    }
    return true;
}

/* --- Whole tables: from the words to the maps ------------------------------------------------- */

/* A level of tables: the pool of its descriptors and, above the last one, which tables there are
 * for the map. */
struct level {
    const struct fh_map *pool;
    const struct fh_map *tables;
    uint64_t shift, entries;
};

enum { MAX_LEVELS = 4 };

struct table {
    enum fh_boundary boundary;
    uint64_t owner;
    unsigned nlevels;
    struct level levels[MAX_LEVELS];
};

static bool same_at(struct check *c, const struct table *t, uint64_t gfn)
{
    return t->boundary == FH_SMMU_TABLES ? same_smmu_page(c, t->owner, gfn)
                                         : same_page(c, t->owner, gfn);
}

static bool same_block(struct check *c, const struct table *t, uint64_t addr)
{
    for (uint64_t i = 0; i < c->k->PTRS_PER_PMD; i++) {
        if (!same_at(c, t, pfn_of(c->k, addr) + i))
            return false;
    }
    return true;
}

static bool is_block(const struct check *c, const struct table *t, unsigned depth, uint64_t word)
{
    return t->boundary == FH_STAGE2_TABLES && depth == t->nlevels - 2 &&
           (word & c->k->PMD_TYPE_TABLE) != c->k->PMD_TYPE_TABLE;
}

/* A table that the words have, the map has as well. */
static bool same_table(struct check *c, const struct table *t, const struct level *level,
                       uint64_t addr)
{
    if (flag_at(level->tables, addr >> level->shift))
        return true;
    if (t->boundary == FH_SMMU_TABLES && is_outlived(c->s, t->owner, pfn_of(c->k, addr)))
        return true;
    return differ(c, t->boundary, "table", t->owner, addr, 0, 1);
}

/* All that the descriptors of the table at `place`, for addresses from `base` on, lead to. */
static bool same_words(struct check *c, const struct table *t, unsigned depth, uint64_t place,
                       uint64_t base)
{
    const struct level *level = &t->levels[depth];
    const uint64_t end = place + level->entries * 8;
    for (uint64_t at = place; fh_map_next(level->pool, &type_of_u64->as_value, &at) && at < end;
         at++) {
        const uint64_t word = number_at(level->pool, at);
        const uint64_t addr = base + ((at - place) / 8 << level->shift);
        bool same;
        if (word == 0 || (at - place) % 8 != 0)
            continue;
        if (depth + 1 >= t->nlevels || depth + 1 >= MAX_LEVELS)
            same = same_at(c, t, pfn_of(c->k, addr));
        else if (is_block(c, t, depth, word))
            same = same_block(c, t, addr);
        else
            same = same_table(c, t, level, addr) &&
                   same_words(c, t, depth + 1, phys_page(c->k, word), addr);
        if (!same)
            return false;
    }
    return true;
}

/* --- From the maps to the words --------------------------------------------------------------- */

/* Is there a table at the end of this way through the words? */
static bool has_table(const struct check *c, const struct table *t, unsigned depth, uint64_t root,
                      uint64_t addr)
{
    uint64_t table = root, word = 0;
    for (unsigned i = 0; i <= depth; i++) {
        const struct level *level = &t->levels[i];
        word = number_at(level->pool, table | ((addr >> level->shift) & (level->entries - 1)) * 8);
        if (word == 0 || is_block(c, t, i, word))
            return false;
        table = phys_page(c->k, word);
    }
    return true;
}

static bool same_tables_of_map(struct check *c, const struct table *t, uint64_t root)
{
    for (unsigned depth = 0; depth + 1 < t->nlevels; depth++) {
        const struct level *level = &t->levels[depth];
        FH_MAP_KEYS (level->tables, &type_of_flag->as_value, key) {
            const uint64_t addr = key << level->shift;
            if (flag_at(level->tables, key) && !has_table(c, t, depth, root, addr))
                return differ(c, t->boundary, "table", t->owner, addr, 1, 0);
        }
    }
    return true;
}

/* valid_lnpt: nothing is written behind the pages that a pool has handed out. */
static bool is_clean(struct check *c, const struct table *t, const struct fh_map *pool,
                     uint64_t next, uint64_t end)
{
    for (uint64_t at = next; fh_map_next(pool, &type_of_u64->as_value, &at) && at < end; at++) {
        const uint64_t word = number_at(pool, at);
        if (word != 0)
            return differ(c, t->boundary, "word beyond the pool's pages", t->owner, at, 0, word);
    }
    return true;
}

/* --- Stage 2 ---------------------------------------------------------------------------------- */

static struct table stage2_table(const struct fh_profile *k, const struct fh_npt *npt,
                                 uint64_t vmid)
{
    if (!has_puds(k, vmid))
        return (struct table){
            FH_STAGE2_TABLES,
            vmid,
            3,
            {{&npt->pt_vttbr_pool, &npt->pgd_t, k->S2_PGDIR_SHIFT, k->PTRS_PER_S2_PGD},
             {&npt->pt_pgd_pool, &npt->pmd_t, k->PMD_SHIFT, k->PTRS_PER_PMD},
             {&npt->pt_pmd_pool, NULL, k->PAGE_SHIFT, k->PTRS_PER_PMD}}};
    return (struct table){FH_STAGE2_TABLES,
                          vmid,
                          4,
                          {{&npt->pt_vttbr_pool, &npt->pgd_t, k->PGDIR_SHIFT, k->PTRS_PER_PGD},
                           {&npt->pt_pgd_pool, &npt->pud_t, k->PUD_SHIFT, k->PTRS_PER_PMD},
                           {&npt->pt_pud_pool, &npt->pmd_t, k->PMD_SHIFT, k->PTRS_PER_PMD},
                           {&npt->pt_pmd_pool, NULL, k->PAGE_SHIFT, k->PTRS_PER_PMD}}};
}

static bool same_pages_of_map(struct check *c, uint64_t vmid, const struct fh_map *pt)
{
    FH_MAP_KEYS (pt, &type_of_pt_entry->as_value, gfn) {
        if (!same_page(c, vmid, gfn))
            return false;
    }
    return true;
}

static bool same_stage2(struct check *c, uint64_t vmid)
{
    const struct fh_profile *k = c->k;
    const struct fh_npt *npt = npt_of(c->s, vmid);
    const struct table t = stage2_table(k, npt, vmid);
    const uint64_t root = pool_start(k, vmid);
    return same_words(c, &t, 0, root, 0) && same_pages_of_map(c, vmid, &npt->pt) &&
           same_tables_of_map(c, &t, root) &&
           is_clean(c, &t, &npt->pt_pgd_pool, npt->pt_pgd_next, pud_start(k, vmid)) &&
           is_clean(c, &t, &npt->pt_pud_pool, npt->pt_pud_next, pmd_start(k, vmid)) &&
           is_clean(c, &t, &npt->pt_pmd_pool, npt->pt_pmd_next, pool_end(k, vmid));
}

/* --- SMMUs ------------------------------------------------------------------------------------ */

static struct table smmu_table(const struct fh_profile *k, const struct fh_spt *spts, uint64_t ttbr)
{
    const struct fh_map *pgd_t = fh_map_get(&spts->spt_pgd_t, &type_of_map_bool->as_value, ttbr);
    const struct fh_map *pmd_t =
        fh_map_get(&spts->spt_pmd_t, &type_of_map_spt_bool2->as_value, ttbr);
    return (struct table){FH_SMMU_TABLES,
                          ttbr,
                          3,
                          {{&spts->spt_vttbr_pool, pgd_t, k->S2_PGDIR_SHIFT, k->PTRS_PER_S2_PGD},
                           {&spts->spt_pgd_pool, pmd_t, k->PMD_SHIFT, k->PTRS_PER_PMD},
                           {&spts->spt_pmd_pool, NULL, k->PAGE_SHIFT, k->PTRS_PER_PMD}}};
}

static bool same_bank(struct check *c, uint64_t ttbr)
{
    const struct fh_spt *spts = c->s->adt->shared.spts;
    const struct table t = smmu_table(c->k, spts, ttbr);
    const struct fh_map *bank = fh_map_get(&spts->spt_pt, &type_of_map_spt->as_value, ttbr);
    if (!same_words(c, &t, 0, ttbr, 0))
        return false;
    FH_MAP_KEYS (bank, &type_of_spt_entry->as_value, gfn) {
        if (!same_smmu_page(c, ttbr, gfn))
            return false;
    }
    return same_tables_of_map(c, &t, ttbr);
}

static bool same_smmu(struct check *c)
{
    const struct fh_profile *k = c->k;
    const struct fh_spt *spts = c->s->adt->shared.spts;
    for (uint64_t bank = 0; bank < k->SMMU_NUM * k->SMMU_NUM_CTXT_BANKS; bank++) {
        if (!same_bank(c, smmu_ttbr(k, 0, bank)))
            return false;
    }
    const struct table t = smmu_table(k, spts, k->SMMU_POOL_START);
    return is_clean(c, &t, &spts->spt_pgd_pool, spts->spt_pgd_next, k->SMMU_PMD_START) &&
           is_clean(c, &t, &spts->spt_pmd_pool, spts->spt_pmd_next, k->SMMU_POOL_END);
}

/* --- Locks ------------------------------------------------------------------------------------ */

/* Held by a CPU there if and only if held by the same here. A log that H_CalLock rejects says
 * nothing of the lock. */
static bool same_locks(struct check *c)
{
    const struct fh_map *sides = &c->s->ticket_logs;
    const struct fh_log *side;
    FH_MAP_EACH (side, sides, &type_of_log->as_value, id) {
        const struct fh_log *log = log_at(c->s, id);
        const uint64_t holder = log->lock == FH_LOG_HELD ? log->holder + 1 : 0;
        const uint64_t ticket_holder = log_ticket_holder(side);
        const bool is_taken = side->queue_lock == FH_QUEUE_HELD;
        if (log->lock == FH_LOG_BROKEN)
            continue;
        if (holder != ticket_holder || is_taken != (holder != 0))
            return differ(c, FH_LOCKS, "holder", id, 0, holder, ticket_holder);
    }
    return true;
}

/* --- The check -------------------------------------------------------------------------------- */

static bool same_all(struct check *c)
{
    const struct fh_map *npts = &c->s->adt->shared.npts;
    FH_MAP_KEYS (npts, &type_of_ref_npt->as_value, vmid) {
        if (vmid <= c->k->COREVISOR && !same_stage2(c, vmid))
            return false;
    }
    return same_smmu(c) && same_locks(c);
}

static bool same_touched(struct check *c)
{
    const struct touched *touched = &c->s->touched;
    if (touched->all)
        return same_all(c);
    for (unsigned i = 0; i < touched->count; i++) {
        if (!same_range(c, &touched->ranges[i]))
            return false;
    }
    return same_locks(c);
}

enum fh_status check_touched(struct fh_state *s)
{
    static const char *const layers[] = {"NPTWalk", "MmioSPTWalk", "LockOpsH"};
    struct check c = {.s = s, .k = s->profile};
    if (s->adt->halt || same_touched(&c))
        return FH_OK;
    const struct fh_disagreement *first = &c.first;
    const uint64_t values[] = {first->owner,          first->addr,           first->abstract_value,
                               first->concrete_value, first->abstract_level, first->concrete_level};
    return stop(s, FH_DISAGREE, layers[first->boundary], "check_realisations", first->what,
                "owner, addr, abstract, concrete, abstract level, concrete level", values,
                sizeof values / sizeof *values);
}

enum fh_status fh_check_realisations(const struct fh_state *s, struct fh_disagreement *first)
{
    struct check c = {.s = s, .k = s->profile};
    if (s->realisation != FH_BOTH)
        return FH_INVALID_ARGUMENT;
    if (s->adt->halt || same_all(&c))
        return FH_OK;
    if (first)
        *first = c.first;
    return FH_DISAGREE;
}
