/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "twin/twin_state.h"

/*
 * A twin works on tables of words, as the machine does. The invariants speak of the maps of the
 * abstract form: in a twin that is watched they stand beside the words, and follow what is
 * recorded of each descriptor. Where something was written that invariants look at is noted.
 */

static void note_place(struct twin *twin, enum fh_place_kind kind, uint64_t owner, uint64_t key)
{
    if (twin->nplaces == twin->places_size) {
        twin->places_size = twin->places_size > 0 ? 2 * twin->places_size : 64;
        twin->places = realloc(twin->places, twin->places_size * sizeof *twin->places);
        if (!twin->places)
            no_memory();
    }
    twin->places[twin->nplaces++] = (struct fh_place){.kind = kind, .owner = owner, .key = key};
}

static void set_flag(struct twin *twin, struct fh_map *map, uint64_t key, bool value)
{
    *(bool *)parts_edit_entry(twin->parts, map, twin->parts->flag, key) = value;
}

/* --- Stage 2 --------------------------------------------------------------------------------- */

static struct fh_pt_entry entry_of(const struct fh_profile *k, uint64_t pte, unsigned level)
{
    const uint64_t pfn = (pte & k->PHYS_MASK & k->PAGE_MASK) >> k->PAGE_SHIFT;
    return (struct fh_pt_entry){
        .pfn = pfn & (((uint64_t)1 << 60) - 1), .level = level & 15, .pte = pte};
}

static void follow_page(struct twin *twin, struct fh_npt *npt, const struct trace_pt_store *store)
{
    const struct fh_profile *k = &twin->profile;
    struct fh_pt_entry *entry =
        parts_edit_entry(twin->parts, &npt->pt, twin->parts->pt_entry, store->ipa >> k->PAGE_SHIFT);
    *entry = entry_of(k, store->new, 3);
    note_place(twin, FH_PLACE_MAPPING, store->vmid, store->ipa >> k->PAGE_SHIFT);
}

static void follow_block(struct twin *twin, struct fh_npt *npt, const struct trace_pt_store *store)
{
    const struct fh_profile *k = &twin->profile;
    const uint64_t first = store->ipa >> k->PMD_SHIFT << (k->PMD_SHIFT - k->PAGE_SHIFT);
    struct fh_pt_entry value = entry_of(k, store->new, 2);
    for (uint64_t i = 0; i < k->PTRS_PER_PMD; i++) {
        struct fh_pt_entry *entry =
            parts_edit_entry(twin->parts, &npt->pt, twin->parts->pt_entry, first + i);
        *entry = value;
        value.pfn++;
        note_place(twin, FH_PLACE_MAPPING, store->vmid, first + i);
    }
    set_flag(twin, &npt->pmd_t, store->ipa >> k->PMD_SHIFT, false);
}

static void follow_pt_store(struct twin *twin, const struct trace_pt_store *store)
{
    const struct fh_profile *k = &twin->profile;
    if (store->vmid >= k->COREVISOR || store->ipa >= k->KVM_ADDR_SPACE)
        return;
    struct fh_npt *npt = parts_edit_npt(twin->parts, store->vmid);
    const bool is_table = (store->new & k->PMD_TYPE_TABLE) == k->PMD_TYPE_TABLE;
    if (strcmp(store->level, "pte") == 0)
        follow_page(twin, npt, store);
    else if (strcmp(store->level, "pgd") == 0)
        set_flag(twin, &npt->pgd_t, store->ipa >> k->S2_PGDIR_SHIFT, true);
    else if (strcmp(store->level, "pmd") == 0 && is_table)
        set_flag(twin, &npt->pmd_t, store->ipa >> k->PMD_SHIFT, true);
    else if (strcmp(store->level, "pmd") == 0)
        follow_block(twin, npt, store);
}

/* --- SMMUs ----------------------------------------------------------------------------------- */

static struct fh_spt *edit_spts(struct twin *twin)
{
    return parts_own(twin->parts, &parts_edit(twin->parts)->shared.spts, twin->parts->spts);
}

/* The root of the bank whose table has the descriptor at `pa` for `iova`; 0: none has. */
static uint64_t find_root(const struct twin *twin, const struct trace_smmu_pt_store *store)
{
    const struct fh_profile *k = &twin->profile;
    const uint64_t banks = k->SMMU_NUM * k->SMMU_NUM_CTXT_BANKS;
    for (uint64_t i = 0; i < banks; i++) {
        const uint64_t root = parts_bank_root(k, 0, i);
        if (fh_table_walk(model_state(twin->model), FH_SMMU_TABLES, root, store->iova) == store->pa)
            return root;
    }
    return 0;
}

static void follow_smmu_pt_store(struct twin *twin, const struct trace_smmu_pt_store *store)
{
    const struct fh_profile *k = &twin->profile;
    const struct state_parts *types = twin->parts;
    const uint64_t root = strcmp(store->level, "pte") == 0 ? find_root(twin, store) : 0;
    if (root == 0)
        return;
    struct fh_spt *spts = edit_spts(twin);
    struct fh_map *pages = parts_edit_entry(twin->parts, &spts->spt_pt, types->bank_pages, root);
    struct fh_spt_entry *entry = parts_edit_entry(twin->parts, pages, types->bank_pages->value,
                                                  store->iova >> k->PAGE_SHIFT);
    *entry = (struct fh_spt_entry){(store->new & k->PHYS_MASK & k->PAGE_MASK) >> k->PAGE_SHIFT,
                                   store->new};
    struct fh_map *pgds = parts_edit_entry(twin->parts, &spts->spt_pgd_t, types->bank_pgds, root);
    set_flag(twin, pgds, store->iova >> k->S2_PGDIR_SHIFT, true);
    struct fh_map *pmds = parts_edit_entry(twin->parts, &spts->spt_pmd_t, types->bank_pmds, root);
    set_flag(twin, pmds, store->iova >> k->PMD_SHIFT, true);
    note_place(twin, FH_PLACE_SMMU_MAPPING, (root - parts_bank_root(k, 0, 0)) / (2 * k->PAGE_SIZE),
               store->iova >> k->PAGE_SHIFT);
}

static uint64_t bank_of(const struct twin *twin, uint64_t num, uint64_t cbndx)
{
    return num * twin->profile.SMMU_NUM_CTXT_BANKS + cbndx;
}

static void follow_smmu_pt_clear(struct twin *twin, const struct trace_smmu_pt_clear *clear)
{
    const uint64_t root = parts_bank_root(&twin->profile, clear->num, clear->cbndx);
    const struct state_parts *types = twin->parts;
    struct fh_spt *spts = edit_spts(twin);
    const struct {
        struct fh_map *maps;
        const struct fh_type *type;
    } parts[] = {{&spts->spt_pt, types->bank_pages},
                 {&spts->spt_pgd_t, types->bank_pgds},
                 {&spts->spt_pmd_t, types->bank_pmds}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fh_map_release(parts_edit_entry(twin->parts, parts[i].maps, parts[i].type, root),
                       &parts[i].type->value->as_value, twin->parts->allocator);
    note_place(twin, FH_PLACE_BANK, bank_of(twin, clear->num, clear->cbndx), 0);
}

/* --- Page ownership -------------------------------------------------------------------------- */

/*
 * The place of a page, as it is now if it was not noted just before: the fields of a page are
 * written together. One that is written again later has two places, which does no harm.
 */
static struct fh_place *place_of_page(struct twin *twin, uint64_t pfn)
{
    if (twin->nplaces > 0) {
        struct fh_place *newest = &twin->places[twin->nplaces - 1];
        if (newest->kind == FH_PLACE_PAGE && newest->key == pfn)
            return newest;
    }
    note_place(twin, FH_PLACE_PAGE, 0, pfn);
    struct fh_place *place = &twin->places[twin->nplaces - 1];
    const struct fh_map *pages = &fh_state_rdata(model_state(twin->model))->shared.s2page;
    place->was = *(const struct fh_s2page *)fh_map_get(pages, &twin->parts->s2page->as_value, pfn);
    return place;
}

/* What pages were before: from the last write to the first. */
static void note_pages(struct twin *twin, const struct trace_effect *effects, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        const struct trace_s2_set *set = &effects[i - 1].s2_set;
        if (effects[i - 1].kind != TRACE_s2_set || !twin_is_page(twin, set->index))
            continue;
        struct fh_s2page *was =
            &place_of_page(twin, model_first_pfn(twin->model) + set->index)->was;
        switch (set->field[0]) {
        case 'o': was->s2_owner = (uint32_t)set->old; break;
        case 'c': was->s2_count = (uint32_t)set->old; break;
        default: was->s2_gfn = set->old; break;
        }
    }
}

/* --- A line ---------------------------------------------------------------------------------- */

void twin_follow_maps(struct twin *twin, const struct trace_effect *effects, size_t count)
{
    note_pages(twin, effects, count);
    for (size_t i = 0; i < count; i++) {
        const struct trace_effect *effect = &effects[i];
        switch (effect->kind) {
        case TRACE_pt_store: follow_pt_store(twin, &effect->pt_store); break;
        case TRACE_smmu_pt_store: follow_smmu_pt_store(twin, &effect->smmu_pt_store); break;
        case TRACE_smmu_pt_clear: follow_smmu_pt_clear(twin, &effect->smmu_pt_clear); break;
        case TRACE_smmu_cfg_set:
            note_place(twin, FH_PLACE_BANK,
                       bank_of(twin, effect->smmu_cfg_set.num, effect->smmu_cfg_set.cbndx), 0);
            break;
        case TRACE_vm_set:
            if (strcmp(effect->vm_set.field, "state") == 0)
                note_place(twin, FH_PLACE_VM, effect->vm_set.vmid, 0);
            break;
        default: break;
        }
    }
}

/* --- Invariants ------------------------------------------------------------------------------ */

static uint32_t shared_invariants(void)
{
    uint32_t set = 0;
    for (unsigned i = 0; fh_invariant_at(i); i++) {
        if (fh_invariant_at(i)->scope == FH_SCOPE_SHARED)
            set |= UINT32_C(1) << i;
    }
    return set;
}

uint32_t twin_new_violations(struct twin *twin, struct fh_invariant_report *report)
{
    twin->is_watched = true;
    if (twin->is_between)
        return 0;
    const uint32_t broken =
        fh_check_invariants_at(model_state(twin->model), twin->places, twin->nplaces, report);
    twin->nplaces = 0;
    return broken & shared_invariants();
}

/*
 * STATE invariants speak of the CPU that a state belongs to, and a twin is the state of all. That
 * every page is counted as often as banks map it is true where no bank maps anything.
 */
static bool is_looked_at(const struct fh_invariant_info *invariant)
{
    return invariant->scope == FH_SCOPE_SHARED && invariant->id != FH_INVARIANT_smmu_count;
}

uint32_t twin_boot_violations(const struct twin *twin, struct fh_invariant_report *report)
{
    report->broken = 0;
    for (unsigned i = 0; fh_invariant_at(i); i++) {
        const struct fh_invariant_info *invariant = fh_invariant_at(i);
        if (is_looked_at(invariant) &&
            !invariant->holds(model_state(twin->model), &report->witness[i]))
            report->broken |= UINT32_C(1) << i;
    }
    return report->broken;
}
