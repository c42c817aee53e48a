/* SPDX-License-Identifier: GPL-2.0-only */
#include "predict/objects.h"

#include <string.h>

#include "base/diag.h"

/* --- Which object ---------------------------------------------------------------------------- */

static bool is_pool(const struct trace_vm_set *set)
{
    return strcmp(set->field, "pgd_next") == 0 || strcmp(set->field, "pud_next") == 0 ||
           strcmp(set->field, "pmd_next") == 0;
}

static bool is_smmu_pool(const struct trace_global_set *set)
{
    return strcmp(set->field, "smmu_pgd_next") == 0 || strcmp(set->field, "smmu_pmd_next") == 0;
}

static struct object_id object(enum object_kind kind, uint64_t vmid)
{
    return (struct object_id){kind, vmid};
}

struct object_id object_of_lock(const struct fh_profile *k, uint64_t lock)
{
    if (lock == k->CORE_ID)
        return object(OBJECT_CORE, 0);
    if (lock == k->S2PAGE_ID)
        return object(OBJECT_PAGES, 0);
    if (lock == k->SPT_ID)
        return object(OBJECT_SMMU_TABLES, 0);
    if (lock == k->SMMU_ID)
        return object(OBJECT_BANKS, 0);
    return lock >= k->INFO_ID ? object(OBJECT_VM, lock - k->INFO_ID)
                              : object(OBJECT_TABLE, lock - k->NPT_ID);
}

/* Whose table has the word; behind the end of one VM's pool another's begins. */
static struct object_id table_of_word(const struct fh_profile *k, uint64_t pa)
{
    struct fh_table_place place;
    if (!fh_table_locate(k, FH_STAGE2_TABLES, pa, &place))
        return object(OBJECT_NONE, 0);
    return object(OBJECT_TABLE, place.vmid);
}

struct object_id object_of_effect(const struct fh_profile *k, const struct trace_effect *effect)
{
    switch (effect->kind) {
    case TRACE_s2_set: return object(OBJECT_PAGES, 0);
    case TRACE_pt_store: return table_of_word(k, effect->pt_store.pa);
    case TRACE_vm_set:
        if (effect->vm_set.vmid > k->COREVISOR)
            return object(OBJECT_NONE, 0);
        return object(is_pool(&effect->vm_set) ? OBJECT_TABLE : OBJECT_VM, effect->vm_set.vmid);
    case TRACE_smmu_pt_store:
    case TRACE_smmu_pt_clear: return object(OBJECT_SMMU_TABLES, 0);
    case TRACE_smmu_cfg_set:
        return object(strcmp(effect->smmu_cfg_set.field, "vmid") == 0 ? OBJECT_BANKS : OBJECT_NONE,
                      0);
    case TRACE_global_set:
        return object(is_smmu_pool(&effect->global_set) ? OBJECT_SMMU_TABLES : OBJECT_CORE, 0);
    default: return object(OBJECT_NONE, 0);
    }
}

/* --- Pages ----------------------------------------------------------------------------------- */

static void apply_to_pages(const struct state_parts *parts, const struct page_range *pages,
                           struct fh_map *map, const struct trace_s2_set *set)
{
    if (set->index >= pages->count)
        return;
    struct fh_s2page *page =
        parts_edit_entry(parts, map, parts->s2page, pages->first_pfn + set->index);
    if (strcmp(set->field, "owner") == 0)
        page->s2_owner = (uint32_t)set->new;
    else if (strcmp(set->field, "count") == 0)
        page->s2_count = (uint32_t)set->new;
    else if (strcmp(set->field, "gfn") == 0)
        page->s2_gfn = set->new;
}

/* --- Tables ---------------------------------------------------------------------------------- */

/* A word of a record of tables, whose fields are its pools. */
static void set_word(const struct state_parts *parts, const struct fh_type *type, void *record,
                     enum fh_boundary which, uint64_t pa, uint64_t word)
{
    struct fh_table_place place;
    if (!fh_table_locate(parts->profile, which, pa, &place))
        return;
    const struct fh_field *pool = fh_type_field(type, place.pool, strlen(place.pool));
    *(uint64_t *)parts_edit_entry(parts, (struct fh_map *)(void *)((char *)record + pool->offset),
                                  parts->word, pa) = word;
}

static void apply_to_table(const struct state_parts *parts, struct fh_npt *npt,
                           const struct trace_effect *effect)
{
    if (effect->kind == TRACE_pt_store) {
        set_word(parts, parts->npt, npt, FH_STAGE2_TABLES, effect->pt_store.pa,
                 effect->pt_store.new);
        return;
    }
    const struct trace_vm_set *set = &effect->vm_set;
    if (strcmp(set->field, "pgd_next") == 0)
        npt->pt_pgd_next = set->new;
    else if (strcmp(set->field, "pud_next") == 0)
        npt->pt_pud_next = set->new;
    else
        npt->pt_pmd_next = set->new;
}

static void clear_bank(const struct state_parts *parts, struct fh_spt *spts,
                       const struct trace_smmu_pt_clear *clear)
{
    const struct fh_profile *k = parts->profile;
    if (clear->num >= k->SMMU_NUM || clear->cbndx >= k->SMMU_NUM_CTXT_BANKS)
        return;
    const uint64_t root = parts_bank_root(k, clear->num, clear->cbndx);
    for (uint64_t pa = root; pa < root + 2 * k->PAGE_SIZE; pa += sizeof(uint64_t))
        if (parts_word(parts, &spts->spt_vttbr_pool, pa) != 0)
            set_word(parts, parts->spts, spts, FH_SMMU_TABLES, pa, 0);
}

static void apply_to_smmu_tables(const struct state_parts *parts, struct fh_spt *spts,
                                 const struct trace_effect *effect)
{
    if (effect->kind == TRACE_smmu_pt_store)
        set_word(parts, parts->spts, spts, FH_SMMU_TABLES, effect->smmu_pt_store.pa,
                 effect->smmu_pt_store.new);
    else if (effect->kind == TRACE_smmu_pt_clear)
        clear_bank(parts, spts, &effect->smmu_pt_clear);
    else if (strcmp(effect->global_set.field, "smmu_pgd_next") == 0)
        spts->spt_pgd_next = effect->global_set.new;
    else
        spts->spt_pmd_next = effect->global_set.new;
}

/* --- VMs, banks, the core -------------------------------------------------------------------- */

/* The fields of a VM that are one number; `sub` says which of several. */
static void apply_to_vm(const struct state_parts *parts, struct fh_vminfo *info,
                        const struct trace_vm_set *set)
{
    const struct {
        const char *field;
        uint64_t *number;
        struct fh_map *numbers;
    } places[] = {{"state", &info->VS.vm_state, NULL},
                  {"vcpu_state", NULL, &info->VS.vm_vcpu_state},
                  {"power", &info->VS.vm_power, NULL},
                  {"inc_exe", &info->VB.vm_inc_exe, NULL},
                  {"kvm", &info->VS.vm_kvm, NULL},
                  {"vcpu", NULL, &info->VS.vm_vcpu},
                  {"next_load_idx", &info->VB.vm_next_load_info, NULL},
                  {"load_addr", NULL, &info->VB.vm_load_addr},
                  {"load_size", NULL, &info->VB.vm_load_size},
                  {"remap_addr", NULL, &info->VB.vm_remap_addr},
                  {"mapped", NULL, &info->VB.vm_mapped_pages}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(places[i].field, set->field) != 0)
            continue;
        uint64_t *place = places[i].number;
        if (!place)
            place = parts_edit_entry(parts, places[i].numbers, parts->word, set->sub);
        *place = set->new;
    }
}

static void apply_to_banks(const struct state_parts *parts, struct fh_map *owners,
                           const struct trace_smmu_cfg_set *set)
{
    const uint64_t bank = set->num * parts->profile->SMMU_NUM_CTXT_BANKS + set->cbndx;
    *(uint64_t *)parts_edit_entry(parts, owners, parts->smmu_owner, bank) = set->new;
}

static void apply_to_core(const struct state_parts *parts, struct fh_core_data *core,
                          const struct trace_global_set *set)
{
    if (strcmp(set->field, "next_vmid") == 0)
        core->next_vmid = set->new;
    else if (strcmp(set->field, "last_remap_ptr") == 0)
        core->next_remap_ptr = parts->profile->REMAP_START + set->new;
}

void object_apply(const struct state_parts *parts, const struct page_range *pages,
                  struct object_id id, union object_place place, const struct trace_effect *effect)
{
    switch (id.kind) {
    case OBJECT_PAGES: apply_to_pages(parts, pages, place.map, &effect->s2_set); break;
    case OBJECT_TABLE: apply_to_table(parts, place.npt, effect); break;
    case OBJECT_VM: apply_to_vm(parts, place.info, &effect->vm_set); break;
    case OBJECT_SMMU_TABLES: apply_to_smmu_tables(parts, place.spts, effect); break;
    case OBJECT_BANKS: apply_to_banks(parts, place.map, &effect->smmu_cfg_set); break;
    case OBJECT_CORE: apply_to_core(parts, place.core, &effect->global_set); break;
    case OBJECT_NONE: break;
    }
}

/* That a vCPU was about to run is kept beside RData. */
static void note_first_run(const struct state_parts *parts, const struct trace_vm_set *set)
{
    if (fh_trap_set_first_run(parts->state, set->vmid, set->sub, set->new != 0) != FH_OK)
        no_memory();
}

/* --- In a state ------------------------------------------------------------------------------ */

static union object_place place_in_state(const struct state_parts *parts, struct object_id id)
{
    struct fh_rdata *rdata = parts_edit(parts);
    struct fh_shared *shared = &rdata->shared;
    switch (id.kind) {
    case OBJECT_PAGES: return (union object_place){.map = &shared->s2page};
    case OBJECT_TABLE: return (union object_place){.npt = parts_edit_npt(parts, id.vmid)};
    case OBJECT_VM: return (union object_place){.info = parts_edit_vminfo(parts, id.vmid)};
    case OBJECT_SMMU_TABLES:
        return (union object_place){.spts = parts_own(parts, &shared->spts, parts->spts)};
    case OBJECT_BANKS: return (union object_place){.map = &shared->smmu_vmid};
    default: return (union object_place){.core = &shared->core_data};
    }
}

void state_apply(const struct state_parts *parts, const struct page_range *pages,
                 const struct trace_effect *effect)
{
    const struct object_id id = object_of_effect(parts->profile, effect);
    if (effect->kind == TRACE_vm_set && strcmp(effect->vm_set.field, "first_run") == 0)
        note_first_run(parts, &effect->vm_set);
    if (id.kind != OBJECT_NONE)
        object_apply(parts, pages, id, place_in_state(parts, id), effect);
}
