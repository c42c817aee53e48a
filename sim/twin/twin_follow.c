/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "twin/twin_state.h"

/*
 * Taking over what the machine did. Effects that the state has no place for are passed over.
 */

/* --- Undoing the model's own step ------------------------------------------------------------ */

/*
 * The machine goes on after a panic and gives its locks back. So does the state: nothing is halted
 * or locked between two traps.
 */
static void unlock_all(struct twin *twin)
{
    struct fh_rdata *rdata = fh_state_edit(twin->state);
    if (!rdata ||
        !fh_map_reset(&rdata->lock, &twin->types.lock->value->as_value, twin->allocator, NULL) ||
        !fh_map_reset(&rdata->log, &twin->types.log->value->as_value, twin->allocator, NULL)) {
        no_memory();
    }
    rdata->halt = false;
    rdata->tstate = 1;
    rdata->bars = FH_BARRIER_VALID;
}

static uint64_t *next_page(struct twin *twin, uint64_t vmid, const char *pool)
{
    struct fh_npt *npt = twin_edit_npt(twin, vmid);
    if (strcmp(pool, "pgd_next") == 0)
        return &npt->pt_pgd_next;
    return strcmp(pool, "pud_next") == 0 ? &npt->pt_pud_next : &npt->pt_pmd_next;
}

static bool is_pool(const struct trace_vm_set *set)
{
    return strcmp(set->field, "pgd_next") == 0 || strcmp(set->field, "pud_next") == 0 ||
           strcmp(set->field, "pmd_next") == 0;
}

/*
 * A stage-2 fault of the host changes nothing that stays but its table: what the model wrote there,
 * from the last word to the first.
 */
static void undo(struct twin *twin)
{
    for (size_t i = twin->neffects; i > 0; i--) {
        const struct trace_effect *effect = &twin->effects[i - 1];
        if (effect->kind == TRACE_pt_store)
            twin_set_word(twin, FH_STAGE2_TABLES, effect->pt_store.pa, effect->pt_store.old);
        if (effect->kind == TRACE_vm_set && is_pool(&effect->vm_set))
            *next_page(twin, effect->vm_set.vmid, effect->vm_set.field) = effect->vm_set.old;
    }
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
    if (!is_pool(set))
        follow_vm_info(twin, set);
    else
        *next_page(twin, set->vmid, set->field) = set->new;
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

static void follow_smmu_pt_clear(struct twin *twin, const struct trace_smmu_pt_clear *clear)
{
    if (clear->num < twin->profile->SMMU_NUM && clear->cbndx < twin->profile->SMMU_NUM_CTXT_BANKS)
        twin_clear_bank_root(twin, clear->num, clear->cbndx);
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
        spts->spt_pgd_next = set->new;
    else if (strcmp(set->field, "smmu_pmd_next") == 0)
        spts->spt_pmd_next = set->new;
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

void twin_take_over(struct twin *twin, const struct trace_line *line, bool ran)
{
    if (ran && twin->snapshot) {
        fh_state_restore(twin->state, twin->snapshot);
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
        case TRACE_pt_store:
            twin_set_word(twin, FH_STAGE2_TABLES, effect->pt_store.pa, effect->pt_store.new);
            break;
        case TRACE_vm_set: follow_vm_set(twin, &effect->vm_set); break;
        case TRACE_smmu_cfg_set: follow_smmu_cfg(twin, &effect->smmu_cfg_set); break;
        case TRACE_global_set: follow_global(twin, &effect->global_set); break;
        case TRACE_shadow_set: follow_shadow_set(twin, &effect->shadow_set); break;
        case TRACE_dirty_set: follow_dirty_set(twin, &effect->dirty_set); break;
        case TRACE_smmu_pt_store:
            twin_set_word(twin, FH_SMMU_TABLES, effect->smmu_pt_store.pa,
                          effect->smmu_pt_store.new);
            break;
        case TRACE_smmu_pt_clear: follow_smmu_pt_clear(twin, &effect->smmu_pt_clear); break;
        default: break;
        }
    }
    if (twin->is_watched)
        twin_follow_maps(twin, line);
}
