/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "replay/twin_state.h"

/*
 * Taking over what the machine did. Effects that the state has no place for (registers of guests,
 * the contents of SMMU tables, EL2's own tables) are passed over.
 */

/* --- Undoing the model's own step ------------------------------------------------------------ */

/*
 * The machine goes on after a panic and gives its locks back. So does the state: nothing is halted
 * or locked between two traps.
 */
static void unlock_all(struct twin *twin)
{
    struct fh_rdata *rdata = twin_edit_state(twin);
    rdata->halt = false;
    rdata->tstate = 1;
    if (!fh_map_reset(&rdata->lock, &twin->types.lock->value->as_value, twin->allocator, NULL) ||
        !fh_map_reset(&rdata->log, &twin->types.log->value->as_value, twin->allocator, NULL)) {
        diag_plain("out of memory");
        exit(EXIT_BAD_INPUT);
    }
}

static void set_flag(struct twin *twin, struct fh_map *map, uint64_t key, bool value)
{
    *(bool *)twin_edit(twin, map, twin->types.flag, key) = value;
}

static void set_pools(struct twin *twin, struct fh_npt *npt, uint64_t vmid)
{
    npt->pt_pgd_next = twin->pools[vmid].pgd;
    npt->pt_pud_next = twin->pools[vmid].pud;
    npt->pt_pmd_next = twin->pools[vmid].pmd;
}

static void undo(struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t addr = twin->before.gfn << k->PAGE_SHIFT;
    struct fh_npt *npt = twin_edit_npt(twin, k->HOSTVISOR);
    *(struct fh_pt_entry *)twin_edit(twin, &npt->pt, twin->types.pt_entry, twin->before.gfn) =
        twin->before.entry;
    set_flag(twin, &npt->pgd_t, addr >> k->S2_PGDIR_SHIFT, twin->before.pgd_t);
    set_flag(twin, &npt->pmd_t, addr >> k->PMD_SHIFT, twin->before.pmd_t);
    twin->pools[k->HOSTVISOR] = twin->before.pools;
    set_pools(twin, npt, k->HOSTVISOR);
}

/* --- Effects --------------------------------------------------------------------------------- */

static void follow_s2_set(struct twin *twin, const struct trace_s2_set *set)
{
    if (set->index >= twin->ram_pages)
        return;
    struct fh_map *pages = &twin_edit_state(twin)->shared.s2page;
    struct fh_s2page *page = twin_edit(twin, pages, twin->types.s2page, twin->ram_pfn + set->index);
    if (strcmp(set->field, "owner") == 0)
        page->s2_owner = (uint32_t)set->new;
    else if (strcmp(set->field, "count") == 0)
        page->s2_count = (uint32_t)set->new;
    else if (strcmp(set->field, "gfn") == 0)
        page->s2_gfn = set->new;
}

static struct fh_pt_entry entry_of(const struct fh_profile *k, uint64_t pte, unsigned level)
{
    const uint64_t pfn = (pte & k->PHYS_MASK & k->PAGE_MASK) >> k->PAGE_SHIFT;
    return (struct fh_pt_entry){
        .pfn = pfn & (((uint64_t)1 << 60) - 1), .level = level & 15, .pte = pte};
}

static void follow_page(struct twin *twin, struct fh_npt *npt, const struct trace_pt_store *store)
{
    const struct fh_profile *k = twin->profile;
    struct fh_pt_entry *entry =
        twin_edit(twin, &npt->pt, twin->types.pt_entry, store->ipa >> k->PAGE_SHIFT);
    *entry = entry_of(k, store->new, 3);
}

static void follow_block(struct twin *twin, struct fh_npt *npt, const struct trace_pt_store *store)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t first = store->ipa >> k->PMD_SHIFT << (k->PMD_SHIFT - k->PAGE_SHIFT);
    struct fh_pt_entry value = entry_of(k, store->new, 2);
    for (uint64_t i = 0; i < k->PTRS_PER_PMD; i++) {
        struct fh_pt_entry *entry = twin_edit(twin, &npt->pt, twin->types.pt_entry, first + i);
        *entry = value;
        value.pfn++;
    }
    set_flag(twin, &npt->pmd_t, store->ipa >> k->PMD_SHIFT, false);
}

static void follow_table(struct twin *twin, struct fh_npt *npt, const struct trace_pt_store *store,
                         enum twin_level level)
{
    const struct fh_profile *k = twin->profile;
    if (level == TWIN_PMD)
        set_flag(twin, &npt->pgd_t, store->ipa >> k->S2_PGDIR_SHIFT, true);
    else
        set_flag(twin, &npt->pmd_t, store->ipa >> k->PMD_SHIFT, true);
    twin_set_table(twin, store->vmid, level, store->ipa, store->new & k->PHYS_MASK & k->PAGE_MASK);
}

static void follow_pt_store(struct twin *twin, const struct trace_pt_store *store)
{
    const struct fh_profile *k = twin->profile;
    if (!twin_has_stage2(twin, store->vmid) || store->ipa >= k->KVM_ADDR_SPACE)
        return;
    struct fh_npt *npt = twin_edit_npt(twin, store->vmid);
    const bool is_table = (store->new & k->PMD_TYPE_TABLE) == k->PMD_TYPE_TABLE;
    if (strcmp(store->level, "pte") == 0)
        follow_page(twin, npt, store);
    else if (strcmp(store->level, "pmd") == 0 && !is_table)
        follow_block(twin, npt, store);
    else if (strcmp(store->level, "pmd") == 0)
        follow_table(twin, npt, store, TWIN_PTE);
    else if (strcmp(store->level, "pgd") == 0)
        follow_table(twin, npt, store, TWIN_PMD);
}

static void follow_pool(struct twin *twin, uint64_t *pool, const struct trace_vm_set *set)
{
    *pool = set->new;
    set_pools(twin, twin_edit_npt(twin, set->vmid), set->vmid);
}

/* The fields of the VM that are one number; `sub` says which of several. */
static void follow_vm_info(struct twin *twin, const struct trace_vm_set *set)
{
    struct fh_map *infos = &twin_edit_state(twin)->shared.vminfos;
    struct fh_vminfo *info =
        twin_own(twin, twin_edit(twin, infos, twin->types.vminfo, set->vmid), twin->types.vminfo);
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
            place = twin_edit(twin, places[i].numbers, twin->types.word, set->sub);
        *place = set->new;
    }
}

static void follow_vm_set(struct twin *twin, const struct trace_vm_set *set)
{
    if (set->vmid > twin->profile->COREVISOR)
        return;
    struct twin_pools *pools = &twin->pools[set->vmid];
    if (strcmp(set->field, "pgd_next") == 0)
        follow_pool(twin, &pools->pgd, set);
    else if (strcmp(set->field, "pud_next") == 0)
        follow_pool(twin, &pools->pud, set);
    else if (strcmp(set->field, "pmd_next") == 0)
        follow_pool(twin, &pools->pmd, set);
    else
        follow_vm_info(twin, set);
}

static void follow_smmu_cfg(struct twin *twin, const struct trace_smmu_cfg_set *set)
{
    if (strcmp(set->field, "vmid") != 0)
        return;
    struct fh_map *owners = &twin_edit_state(twin)->shared.smmu_vmid;
    const uint64_t bank = set->num * twin->profile->SMMU_NUM_CTXT_BANKS + set->cbndx;
    *(uint64_t *)twin_edit(twin, owners, twin->types.smmu_owner, bank) = set->new;
}

/* --- SMMU tables ----------------------------------------------------------------------------- */

/* Which bank's table a descriptor lies in: the one whose table, of that level, leads to `iova`. */
static bool find_bank(const struct twin *twin, const struct trace_smmu_pt_store *store,
                      uint64_t *num, uint64_t *cbndx)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t banks = k->SMMU_NUM * k->SMMU_NUM_CTXT_BANKS;
    for (uint64_t i = 0; i < banks; i++) {
        *num = i / k->SMMU_NUM_CTXT_BANKS;
        *cbndx = i % k->SMMU_NUM_CTXT_BANKS;
        const uint64_t root = twin_bank_root(k, *num, *cbndx);
        uint64_t table = root;
        uint64_t size = 2 * k->PAGE_SIZE;
        if (strcmp(store->level, "pgd") != 0) {
            table = twin_table(twin, twin_bank(k, *num, *cbndx),
                               strcmp(store->level, "pmd") == 0 ? TWIN_PMD : TWIN_PTE, store->iova);
            size = k->PAGE_SIZE;
        }
        if (table != 0 && store->pa >= table && store->pa < table + size)
            return true;
    }
    return false;
}

/* The map of a bank in a map of maps. */
static struct fh_map *bank_map(struct twin *twin, struct fh_map *maps, const struct fh_type *type,
                               uint64_t num, uint64_t cbndx)
{
    return twin_edit(twin, maps, type, twin_bank_root(twin->profile, num, cbndx));
}

static struct fh_spt *edit_spts(struct twin *twin)
{
    return twin_own(twin, &twin_edit_state(twin)->shared.spts, twin->types.spts);
}

static void follow_smmu_pt_store(struct twin *twin, const struct trace_smmu_pt_store *store)
{
    const struct fh_profile *k = twin->profile;
    uint64_t num, cbndx;
    if (!find_bank(twin, store, &num, &cbndx))
        return;
    struct fh_spt *spts = edit_spts(twin);
    const struct twin_types *types = &twin->types;
    const uint64_t page = store->new & k->PHYS_MASK & k->PAGE_MASK;
    if (strcmp(store->level, "pte") == 0) {
        struct fh_map *pages = bank_map(twin, &spts->spt_pt, types->bank_pages, num, cbndx);
        *(struct fh_spt_entry *)twin_edit(twin, pages, types->bank_pages->value,
                                          store->iova >> k->PAGE_SHIFT) =
            (struct fh_spt_entry){page >> k->PAGE_SHIFT, store->new};
        return;
    }
    const bool is_pgd = strcmp(store->level, "pgd") == 0;
    twin_set_table(twin, twin_bank(k, num, cbndx), is_pgd ? TWIN_PMD : TWIN_PTE, store->iova, page);
    const struct fh_type *type = is_pgd ? types->bank_pgds : types->bank_pmds;
    struct fh_map *flags =
        bank_map(twin, is_pgd ? &spts->spt_pgd_t : &spts->spt_pmd_t, type, num, cbndx);
    *(bool *)twin_edit(twin, flags, type->value,
                       store->iova >> (is_pgd ? k->S2_PGDIR_SHIFT : k->PMD_SHIFT)) = true;
}

static void follow_smmu_pt_clear(struct twin *twin, const struct trace_smmu_pt_clear *clear)
{
    struct fh_spt *spts = edit_spts(twin);
    const struct twin_types *types = &twin->types;
    const struct {
        struct fh_map *maps;
        const struct fh_type *type;
    } parts[] = {{&spts->spt_pt, types->bank_pages},
                 {&spts->spt_pgd_t, types->bank_pgds},
                 {&spts->spt_pmd_t, types->bank_pmds}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fh_map_release(bank_map(twin, parts[i].maps, parts[i].type, clear->num, clear->cbndx),
                       &parts[i].type->value->as_value, twin->allocator);
}

/* --- vCPUs ----------------------------------------------------------------------------------- */

static void follow_shadow_set(struct twin *twin, const struct trace_shadow_set *set)
{
    const struct fh_profile *k = twin->profile;
    if (set->vmid >= k->COREVISOR || set->vcpu >= k->VCPU_PER_VM)
        return;
    if (set->idx == TWIN_IDX_CLEAR_GPRS)
        memset(&twin_edit_ctxt(twin, set->vmid, set->vcpu)->ctxt_regs.x0, 0,
               TRACE_GPRS * sizeof(uint64_t));
    else
        twin_set_shadow_register(twin, set->vmid, set->vcpu,
                                 set->idx == TWIN_IDX_ESR ? k->ESR_EL2 : set->idx, set->new);
}

static void follow_dirty_set(struct twin *twin, const struct trace_dirty_set *set)
{
    const struct fh_profile *k = twin->profile;
    if (set->vmid < k->COREVISOR && set->vcpu < k->VCPU_PER_VM)
        twin_set_shadow_register(twin, set->vmid, set->vcpu, k->DIRTY, set->new);
}

/* --- The core -------------------------------------------------------------------------------- */

static void follow_global(struct twin *twin, const struct trace_global_set *set)
{
    struct fh_rdata *rdata = twin_edit_state(twin);
    struct fh_spt *spts = twin_own(twin, &rdata->shared.spts, twin->types.spts);
    if (strcmp(set->field, "next_vmid") == 0)
        rdata->shared.core_data.next_vmid = set->new;
    else if (strcmp(set->field, "last_remap_ptr") == 0)
        rdata->shared.core_data.next_remap_ptr = twin->profile->REMAP_START + set->new;
    else if (strcmp(set->field, "smmu_pgd_next") == 0)
        spts->spt_pgd_next = twin->smmu_pools.pgd = set->new;
    else if (strcmp(set->field, "smmu_pmd_next") == 0)
        spts->spt_pmd_next = twin->smmu_pools.pmd = set->new;
}

/* Where the vCPU was when it exited. */
static void follow_exit(struct twin *twin, const struct trace_line *line)
{
    const struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    if (line->unfinished || line->to != TRACE_TO_host || cpu->vmid == 0)
        return;
    struct fh_ctxt *vcpu = twin_edit_ctxt(twin, cpu->vmid, cpu->vcpuid);
    memcpy(&vcpu->ctxt_regs.x0, line->in.x, sizeof line->in.x);
    vcpu->ctxt_states.pc = line->in.values[TRACE_REG_elr];
    vcpu->ctxt_states.pstate = line->in.values[TRACE_REG_spsr];
}

/* Back to the state before the trap, and what the twin knows of it besides. */
static void restore(struct twin *twin)
{
    fh_state_restore(twin->state, twin->snapshot);
    for (uint64_t vmid = 0; vmid <= twin->profile->COREVISOR; vmid++) {
        const struct fh_npt *npt = twin_npt(twin, vmid);
        twin->pools[vmid] =
            (struct twin_pools){npt->pt_pgd_next, npt->pt_pud_next, npt->pt_pmd_next};
    }
    const struct fh_spt *spts =
        fh_ref_record(twin->types.spts, &fh_state_rdata(twin->state)->shared.spts);
    twin->smmu_pools = (struct twin_pools){.pgd = spts->spt_pgd_next, .pmd = spts->spt_pmd_next};
}

void twin_take_over(struct twin *twin, const struct trace_line *line, bool ran)
{
    if (ran && twin->snapshot) {
        restore(twin);
    } else if (ran) {
        unlock_all(twin);
        undo(twin);
    }
    if (!ran)
        twin_note_writes(twin, line);
    if (line->kind == TRACE_KIND_guest_exit)
        follow_exit(twin, line);
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        switch (effect->kind) {
        case TRACE_s2_set: follow_s2_set(twin, &effect->s2_set); break;
        case TRACE_pt_store: follow_pt_store(twin, &effect->pt_store); break;
        case TRACE_vm_set: follow_vm_set(twin, &effect->vm_set); break;
        case TRACE_smmu_cfg_set: follow_smmu_cfg(twin, &effect->smmu_cfg_set); break;
        case TRACE_global_set: follow_global(twin, &effect->global_set); break;
        case TRACE_shadow_set: follow_shadow_set(twin, &effect->shadow_set); break;
        case TRACE_dirty_set: follow_dirty_set(twin, &effect->dirty_set); break;
        case TRACE_smmu_pt_store: follow_smmu_pt_store(twin, &effect->smmu_pt_store); break;
        case TRACE_smmu_pt_clear: follow_smmu_pt_clear(twin, &effect->smmu_pt_clear); break;
        default: break;
        }
    }
}
