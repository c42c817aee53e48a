/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/numbers.h"
#include "predict/others.h"

/*
 * What the model does, in the words of a trace: each effect of the core becomes the records that a
 * hypervisor with a recorder would have written for it, with those fields that the model can know.
 * docs/trace-format.md has the table.
 */

/* --- The list of records --------------------------------------------------------------------- */

static bool goes_on(struct model *model)
{
    struct prediction *result = model->run->result;
    if (result->neffects < PREDICTION_EFFECTS)
        return model->goes_on(model->goes_on_context, result->effects, result->neffects);
    result->error = (struct fh_error){.status = FH_LIMIT,
                                      .layer = "replay",
                                      .function = "prediction",
                                      .condition = "effects < PREDICTION_EFFECTS",
                                      .names = "effects",
                                      .values = {result->neffects},
                                      .nvalues = 1};
    return false;
}

/* So many effects that it is looked whether the trap goes on. */
static void pause_prediction(struct model *model)
{
    enum { NEXT_PAUSE = 8 };
    struct run *run = model->run;
    if (!goes_on(model)) {
        run->result->is_cut = true;
        fh_state_halt(model->state);
    }
    run->pause *= NEXT_PAUSE;
    if (run->pause > PREDICTION_EFFECTS || !model->goes_on)
        run->pause = PREDICTION_EFFECTS;
}

/*
 * Room for one more record at `at`, those behind it move up. Whoever asks fills in what is of the
 * kind.
 */
static struct trace_effect *insert(struct model *model, size_t at, enum trace_effect_kind kind,
                                   uint32_t present)
{
    struct prediction *result = model->run->result;
    if (result->neffects == result->size) {
        result->size = result->size > 0 ? 2 * result->size : 32;
        result->effects = realloc(result->effects, result->size * sizeof *result->effects);
        if (!result->effects)
            no_memory();
    }
    struct trace_effect *effect = &result->effects[at];
    if (at < result->neffects)
        memmove(effect + 1, effect, (result->neffects - at) * sizeof *effect);
    result->neffects++;
    effect->kind = kind;
    effect->present = present;
    effect->g = 0;
    return effect;
}

struct trace_effect *tell(struct model *model, enum trace_effect_kind kind, uint32_t present)
{
    return insert(model, model->run->result->neffects, kind, present);
}

/* The place of the last record of this kind, the end if there is none. */
static size_t last_of(const struct model *model, enum trace_effect_kind kind)
{
    const struct prediction *result = model->run->result;
    for (size_t i = result->neffects; i > 0; i--) {
        if (result->effects[i - 1].kind == kind)
            return i - 1;
    }
    return result->neffects;
}

void tell_host_register(struct model *model, uint64_t nr, uint64_t old, uint64_t new)
{
    tell(model, TRACE_host_reg_set, ALL_OF(host_reg_set))->host_reg_set =
        (struct trace_host_reg_set){nr, old, new};
}

void tell_snapshot(struct model *model, const char *when, uint64_t vmid, uint64_t vcpuid)
{
    tell(model, TRACE_snap, ALL_OF(snap))->snap = (struct trace_snap){when, vmid, vcpuid};
}

/* The host's contexts have the numbers of its CPUs. */
static uint64_t told_vcpuid(const struct model *model, uint64_t vmid, uint64_t vcpuid)
{
    return vmid == model->profile->HOSTVISOR ? host_number(model) : vcpuid;
}

/* --- Locks ----------------------------------------------------------------------------------- */

static struct trace_lock name_lock(const struct fh_profile *k, uint64_t id)
{
    struct trace_lock lock = {0};
    lock.lock = lock_recorded(k, id, &lock.vmid);
    return lock;
}

static void observe_lock(struct model *model, const struct fh_effect *effect)
{
    tell(model, TRACE_lock, HAS(lock, lock) | HAS(lock, vmid))->lock =
        name_lock(model->profile, effect->values[0]);
    others_did(model, effect->values[0]);
}

static void observe_unlock(struct model *model, const struct fh_effect *effect)
{
    const struct trace_lock lock = name_lock(model->profile, effect->values[0]);
    tell(model, TRACE_unlock, HAS(unlock, lock) | HAS(unlock, vmid))->unlock =
        (struct trace_unlock){lock.lock, lock.vmid};
}

/* --- Page ownership -------------------------------------------------------------------------- */

/* Owner and count are 32 bits wide; a trace has INVALID as -1. */
static uint64_t as_recorded(uint64_t value)
{
    return (uint64_t)(int64_t)(int32_t)(uint32_t)value;
}

/* A recorder tells of all three fields: the spec may read fewer, but the state has them all. */
static struct trace_effect *append_s2_read(struct model *model, uint64_t pfn)
{
    const uint64_t index = pfn - model->first_pfn;
    struct trace_effect *record =
        tell(model, TRACE_s2_read, HAS(s2_read, pfn) | HAS(s2_read, index));
    record->s2_read = (struct trace_s2_read){.pfn = pfn, .index = UINT64_MAX};
    if (index >= model->pages) {
        record->present |= HAS(s2_read, count) | HAS(s2_read, gfn);
        return record;
    }
    const struct fh_s2page *page = parts_s2page(&model->parts, pfn);
    record->s2_read.index = index;
    record->s2_read.owner = as_recorded(page->s2_owner);
    record->s2_read.count = as_recorded(page->s2_count);
    record->s2_read.gfn = page->s2_gfn;
    record->present = ALL_OF(s2_read);
    return record;
}

/* KCore reads a page's record once: the read of this page since ownership was locked, or NULL. */
static struct trace_effect *earlier_s2_read(struct model *model, uint64_t pfn)
{
    for (size_t i = model->run->result->neffects; i > 0; i--) {
        struct trace_effect *effect = &model->run->result->effects[i - 1];
        if (effect->kind == TRACE_s2_read && effect->s2_read.pfn == pfn)
            return effect;
        if (effect->kind == TRACE_lock && strcmp(effect->lock.lock, "s2page") == 0)
            return NULL;
    }
    return NULL;
}

static void observe_s2_read(struct model *model, const struct fh_effect *effect)
{
    const uint64_t pfn = effect->values[0];
    struct trace_effect *record = earlier_s2_read(model, pfn);
    if (!record)
        record = append_s2_read(model, pfn);
    switch (effect->values[1]) {
    case 0:
        record->s2_read.owner = as_recorded(effect->values[2]);
        record->present |= HAS(s2_read, owner);
        break;
    case 1:
        record->s2_read.count = as_recorded(effect->values[2]);
        record->present |= HAS(s2_read, count);
        break;
    default:
        record->s2_read.gfn = effect->values[2];
        record->present |= HAS(s2_read, gfn);
        if (record->s2_read.index == UINT64_MAX && effect->values[2] == UINT64_MAX)
            record->s2_read.gfn = 0;
        break;
    }
}

static void observe_s2_set(struct model *model, const struct fh_effect *effect)
{
    static const char *const fields[] = {"owner", "count", "gfn"};
    const uint64_t field = effect->values[1];
    const bool is_word = field == 2;
    struct trace_effect *record = tell(model, TRACE_s2_set, ALL_OF(s2_set));
    struct trace_s2_set *set = &record->s2_set;
    *set = (struct trace_s2_set){fields[field], effect->values[0] - model->first_pfn,
                                 is_word ? effect->values[2] : as_recorded(effect->values[2]),
                                 is_word ? effect->values[3] : as_recorded(effect->values[3])};
}

/* --- Functions ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned nargs;
} functions[] = {
#define CALLED(function, name, nargs) {name, nargs},
    FH_FUNCTION_NAME_MAP(CALLED)
#undef CALLED
};

static void observe_call(struct model *model, const struct fh_effect *effect)
{
    const uint64_t function = effect->values[0];
    struct trace_list args = {.count = functions[function].nargs};
    memcpy(args.values, &effect->values[1], args.count * sizeof *args.values);
    tell(model, TRACE_fn, ALL_OF(fn))->fn = (struct trace_fn){functions[function].name, args};
    if (function == FH_CALLED_restore_shadow_kvm_regs)
        tell_snapshot(model, "run_entry", effect->values[1], effect->values[2]);
    if (function == FH_CALLED_save_shadow_kvm_regs)
        tell_snapshot(model, "run_exit", effect->values[1], effect->values[2]);
    if (function == FH_CALLED_clear_pfn_host)
        model->run->clearing = effect->values[1] * model->profile->PAGE_SIZE;
}

static void append_return(struct model *model, const char *function, uint64_t a, uint64_t b,
                          uint64_t c)
{
    tell(model, TRACE_fn_ret, ALL_OF(fn_ret))->fn_ret =
        (struct trace_fn_ret){function, {5, {a, b, c, 0, 0}}};
}

static void observe_return(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    append_return(model, functions[values[0]].name, values[1], values[2], values[3]);
}

/* clear_pfn_host looks what the host has there. */
static void observe_npt_read(struct model *model, const struct fh_effect *effect)
{
    if (model->run->clearing == NOT_CLEARING || effect->values[1] != model->run->clearing)
        return;
    append_return(model, "clear_pfn_host", model->run->clearing / model->profile->PAGE_SIZE,
                  effect->values[3], 0);
    if (effect->values[3] == 0)
        model->run->clearing = NOT_CLEARING;
}

/* --- VMs ------------------------------------------------------------------------------------- */

static void append_vm_set(struct model *model, const char *field, uint64_t vmid, uint64_t sub,
                          uint64_t old, uint64_t new)
{
    tell(model, TRACE_vm_set, ALL_OF(vm_set))->vm_set =
        (struct trace_vm_set){field, vmid, sub, old, new};
}

/* The effect comes before the write: the old value is still there. */
static uint64_t vm_field(const struct model *model, uint64_t vmid, uint64_t field, uint64_t sub)
{
    const struct fh_vminfo *info = parts_vminfo(&model->parts, vmid);
    switch (field) {
    case FH_VM_STATE: return info->VS.vm_state;
    case FH_VM_VCPU_STATE: return parts_word(&model->parts, &info->VS.vm_vcpu_state, sub);
    case FH_VM_KVM: return info->VS.vm_kvm;
    case FH_VM_POWER: return info->VS.vm_power;
    case FH_VM_INC_EXE: return info->VB.vm_inc_exe;
    case FH_VM_FIRST_RUN: return fh_trap_first_run(model->state, vmid, sub);
    case FH_VM_VCPU: return parts_word(&model->parts, &info->VS.vm_vcpu, sub);
    case FH_VM_NEXT_LOAD_IDX: return info->VB.vm_next_load_info;
    case FH_VM_LOAD_ADDR: return parts_word(&model->parts, &info->VB.vm_load_addr, sub);
    case FH_VM_LOAD_SIZE: return parts_word(&model->parts, &info->VB.vm_load_size, sub);
    case FH_VM_REMAP_ADDR: return parts_word(&model->parts, &info->VB.vm_remap_addr, sub);
    default: return parts_word(&model->parts, &info->VB.vm_mapped_pages, sub);
    }
}

static void observe_vm_set(struct model *model, const struct fh_effect *effect)
{
    static const char *const fields[] = {
#define FIELD_NAME(name, text) text,
        FH_VM_FIELD_MAP(FIELD_NAME)
#undef FIELD_NAME
    };
    const uint64_t *values = effect->values;
    append_vm_set(model, fields[values[1]], values[0], values[2],
                  vm_field(model, values[0], values[1], values[2]), values[3]);
}

static void append_global_set(struct model *model, const char *field, uint64_t old, uint64_t new)
{
    tell(model, TRACE_global_set, ALL_OF(global_set))->global_set =
        (struct trace_global_set){field, old, new};
}

/* The machine counts the address of images from REMAP_START. */
static void observe_core_set(struct model *model, const struct fh_effect *effect)
{
    const struct fh_core_data *core = &fh_state_rdata(model->state)->shared.core_data;
    const uint64_t start = model->profile->REMAP_START;
    if (effect->values[0] != 0) {
        append_global_set(model, "last_remap_ptr", core->next_remap_ptr - start,
                          effect->values[1] - start);
        return;
    }
    append_global_set(model, "next_vmid", core->next_vmid, effect->values[1]);
}

/* --- Stage-2 tables -------------------------------------------------------------------------- */

static void observe_pool_set(struct model *model, const struct fh_effect *effect)
{
    static const char *const fields[] = {"pgd_next", "pud_next", "pmd_next"};
    const uint64_t *values = effect->values;
    append_vm_set(model, fields[values[1]], values[0], 0, values[2], values[3]);
}

/* What clear_pfn_host takes from the host is flushed from the TLB. */
static void observe_tlbi(struct model *model, const struct fh_effect *effect)
{
    model->run->clearing = NOT_CLEARING;
    tell(model, TRACE_tlbi, ALL_OF(tlbi))->tlbi = (struct trace_tlbi){effect->values[1]};
}

static void observe_pt_store(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    struct fh_table_place place = {.level = ""};
    fh_table_locate(model->profile, FH_STAGE2_TABLES, values[1], &place);
    if (place.vmid != values[0])
        place.level = "pte"; /* A22: another VM's word */
    tell(model, TRACE_pt_store, ALL_OF(pt_store))->pt_store =
        (struct trace_pt_store){.vmid = values[0],
                                .level = place.level,
                                .ipa = values[5],
                                .pa = values[1],
                                .old = values[2],
                                .new = values[3]};
}

/* --- SMMU tables ----------------------------------------------------------------------------- */

static void observe_smmu_pool_set(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    append_global_set(model, values[0] == 0 ? "smmu_pgd_next" : "smmu_pmd_next", values[1],
                      values[2]);
}

static void observe_smmu_pt_store(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    struct fh_table_place place = {.level = ""};
    fh_table_locate(model->profile, FH_SMMU_TABLES, values[0], &place);
    tell(model, TRACE_smmu_pt_store, ALL_OF(smmu_pt_store))->smmu_pt_store =
        (struct trace_smmu_pt_store){place.level, values[3], values[0], values[1], values[2]};
}

static void observe_spt_clear(struct model *model, const struct fh_effect *effect)
{
    const struct fh_profile *k = model->profile;
    const uint64_t cbndx = effect->values[0], num = effect->values[1];
    const uint64_t root = parts_bank_root(k, num, cbndx);
    uint64_t length = 2 * k->PAGE_SIZE;
    for (uint64_t pa = root; pa < root + 2 * k->PAGE_SIZE; pa += sizeof(uint64_t))
        if (fh_table_word(model->state, FH_SMMU_TABLES, pa) != 0)
            length = sizeof(uint64_t);
    tell(model, TRACE_smmu_pt_clear, ALL_OF(smmu_pt_clear))->smmu_pt_clear =
        (struct trace_smmu_pt_clear){cbndx, num, root, length};
}

static void observe_bank(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    tell(model, TRACE_smmu_cfg_set, ALL_OF(smmu_cfg_set))->smmu_cfg_set =
        (struct trace_smmu_cfg_set){"vmid", values[0], values[1], values[3], values[2]};
}

/* --- Devices --------------------------------------------------------------------------------- */

static void observe_emulate_mmio(struct model *model, const struct fh_effect *effect)
{
    const uint64_t addr = effect->values[0];
    const uint64_t result = effect->values[2];
    const struct trace_list args = {5, {addr, effect->values[1], result, 0, 0}};
    insert(model, last_of(model, TRACE_unlock), TRACE_fn_ret, HAS(fn_ret, fn) | HAS(fn_ret, args))
        ->fn_ret = (struct trace_fn_ret){"emulate_mmio", args};
}

/* The access that trapped, as the syndrome has it: its size and register. */
static struct trace_mmio access_of(const struct model *model)
{
    const uint64_t esr = model->run->inputs->in.values[TRACE_REG_esr];
    return (struct trace_mmio){.len = UINT64_C(1) << (esr >> 22 & 3), .rt = esr >> 16 & 31};
}

static void observe_mmio_read(struct model *model, const struct fh_effect *effect)
{
    struct trace_effect *record = tell(model, TRACE_mmio, ALL_OF(mmio));
    record->mmio = access_of(model);
    record->mmio.addr = effect->values[0];
    record->mmio.val = effect->values[1];
}

/* Whether the value was KCore's own follows from its not being the host's. */
static void observe_mmio_write(struct model *model, const struct fh_effect *effect)
{
    struct trace_effect *record = tell(model, TRACE_mmio, ALL_OF(mmio) & ~HAS(mmio, write_val));
    record->mmio = access_of(model);
    record->mmio.write = 1;
    record->mmio.addr = effect->values[0];
    record->mmio.val = effect->values[1];
    record->mmio.len = effect->values[2];
}

/* --- vCPUs ----------------------------------------------------------------------------------- */

static void append_shadow_set(struct model *model, uint64_t vmid, uint64_t vcpuid, uint64_t number,
                              uint64_t new)
{
    const struct fh_profile *k = model->profile;
    const uint32_t without =
        HAS(shadow_set, reg) | (parts_has_shadow(k, number) ? 0 : HAS(shadow_set, old));
    tell(model, TRACE_shadow_set, ALL_OF(shadow_set) & ~without)->shadow_set =
        (struct trace_shadow_set){.vmid = vmid,
                                  .vcpu = vcpuid,
                                  .idx = number,
                                  .old = parts_shadow(&model->parts, vmid, vcpuid, number),
                                  .new = new};
}

/* A register of a context that the model does not have: what it was comes with it. */
static void observe_spare_set(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    tell(model, TRACE_shadow_set, ALL_OF(shadow_set) & ~HAS(shadow_set, reg))->shadow_set =
        (struct trace_shadow_set){.vmid = values[0],
                                  .vcpu = values[1],
                                  .idx = values[2],
                                  .old = values[3],
                                  .new = values[4]};
}

/* The host's registers are its shadow context. */
static void observe_shadow_set(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    const struct fh_profile *k = model->profile;
    if (values[0] != k->HOSTVISOR)
        append_shadow_set(model, values[0], values[1], values[2], values[3]);
    else if (values[2] < TRACE_GPRS)
        tell_host_register(model, values[2],
                           parts_shadow(&model->parts, values[0], values[1], values[2]), values[3]);
}

static uint64_t dirty_of(const struct model *model, const uint64_t *values)
{
    return parts_shadow(&model->parts, values[0], values[1], model->profile->DIRTY);
}

static void observe_dirty_set(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    tell(model, TRACE_dirty_set, ALL_OF(dirty_set))->dirty_set =
        (struct trace_dirty_set){values[0], values[1], dirty_of(model, values), values[2]};
}

/* What the host saw before is not KCore's to know. */
static void observe_int_set(struct model *model, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    tell(model, TRACE_int_gpr_set, ALL_OF(int_gpr_set) & ~HAS(int_gpr_set, old))->int_gpr_set =
        (struct trace_int_gpr_set){
            .vmid = values[0], .vcpu = values[1], .idx = values[2], .new = values[3]};
}

static void observe_gp_clear(struct model *model, const struct fh_effect *effect)
{
    tell(model, TRACE_shadow_set, ALL_OF(shadow_set) & ~HAS(shadow_set, reg))->shadow_set =
        (struct trace_shadow_set){
            .vmid = effect->values[0], .vcpu = effect->values[1], .idx = IDX_CLEAR_GPRS};
}

static void observe_per_cpu(struct model *model, const struct fh_effect *effect)
{
    const struct fh_rdata *rdata = fh_state_rdata(model->state);
    const uint64_t vmid = effect->values[0];
    tell(model, TRACE_percpu, ALL_OF(percpu))->percpu =
        (struct trace_percpu){host_number(model), rdata->cur_vmid,
                              told_vcpuid(model, rdata->cur_vmid, (uint64_t)rdata->cur_vcpuid),
                              vmid, told_vcpuid(model, vmid, effect->values[1])};
}

/* --- Panics ---------------------------------------------------------------------------------- */

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void note_panic(struct prediction *result, const struct fh_panic *panic)
{
    for (size_t i = 0; i < result->npanics; i++) {
        if (is_same_text(result->panics[i].function, panic->function) &&
            is_same_text(result->panics[i].condition, panic->condition))
            return;
    }
    if (result->npanics < PREDICTION_PANICS)
        result->panics[result->npanics++] =
            (struct prediction_panic){panic->function, panic->condition};
}

static void observe_panic(struct model *model)
{
    const struct fh_panic panic = fh_state_panic(model->state);
    note_panic(model->run->result, &panic);
    const struct fh_rdata *rdata = fh_state_rdata(model->state);
    const uint64_t vcpuid = told_vcpuid(model, rdata->cur_vmid, (uint64_t)rdata->cur_vcpuid);
    tell(model, TRACE_panic, HAS(panic, vmid) | HAS(panic, vcpu))->panic =
        (struct trace_panic){.vmid = rdata->cur_vmid, .vcpu = vcpuid};
}

static void observe_skip_instr(struct model *model)
{
    const uint64_t elr = model->run->inputs->in.values[TRACE_REG_elr];
    tell(model, TRACE_skip_instr, HAS(skip_instr, old) | HAS(skip_instr, new))->skip_instr =
        (struct trace_skip_instr){elr, elr + 4};
}

static void observe_any(struct model *model, const struct fh_effect *effect)
{
    switch (effect->kind) {
    case FH_EFFECT_LOCK: observe_lock(model, effect); break;
    case FH_EFFECT_UNLOCK: observe_unlock(model, effect); break;
    case FH_EFFECT_S2_READ: observe_s2_read(model, effect); break;
    case FH_EFFECT_PT_STORE: observe_pt_store(model, effect); break;
    case FH_EFFECT_TLBI: observe_tlbi(model, effect); break;
    case FH_EFFECT_POOL_SET: observe_pool_set(model, effect); break;
    case FH_EFFECT_EMULATE_MMIO: observe_emulate_mmio(model, effect); break;
    case FH_EFFECT_MMIO_READ: observe_mmio_read(model, effect); break;
    case FH_EFFECT_MMIO_WRITE: observe_mmio_write(model, effect); break;
    case FH_EFFECT_SHADOW_SET: observe_shadow_set(model, effect); break;
    case FH_EFFECT_SPARE_SET: observe_spare_set(model, effect); break;
    case FH_EFFECT_SKIP_INSTR: observe_skip_instr(model); break;
    case FH_EFFECT_PANIC: observe_panic(model); break;
    case FH_EFFECT_S2_SET: observe_s2_set(model, effect); break;
    case FH_EFFECT_NPT_READ: observe_npt_read(model, effect); break;
    case FH_EFFECT_SCRUB:
        tell(model, TRACE_scrub, ALL_OF(scrub))->scrub = (struct trace_scrub){effect->values[0]};
        break;
    case FH_EFFECT_VM_SET: observe_vm_set(model, effect); break;
    case FH_EFFECT_CORE_SET: observe_core_set(model, effect); break;
    case FH_EFFECT_CALL: observe_call(model, effect); break;
    case FH_EFFECT_RETURN: observe_return(model, effect); break;
    case FH_EFFECT_DIRTY_SET: observe_dirty_set(model, effect); break;
    case FH_EFFECT_INT_SET: observe_int_set(model, effect); break;
    case FH_EFFECT_GP_CLEAR: observe_gp_clear(model, effect); break;
    case FH_EFFECT_PER_CPU: observe_per_cpu(model, effect); break;
    case FH_EFFECT_SMMU_PT_STORE: observe_smmu_pt_store(model, effect); break;
    case FH_EFFECT_SMMU_POOL_SET: observe_smmu_pool_set(model, effect); break;
    case FH_EFFECT_SPT_CLEAR: observe_spt_clear(model, effect); break;
    case FH_EFFECT_VTCR_SET: model->run->sets_vtcr = true; break;
    case FH_EFFECT_SMMU_CFG_SET: observe_bank(model, effect); break;
    default: break;
    }
}

/* --- Pages that are left alone --------------------------------------------------------------- */

/*
 * Of a range that is cleared a recorder tells only what is done: not of pages that are looked at
 * and left alone. So the call, and the lock behind it, are held back until the owner is read.
 */

static bool begins_to_clear(const struct fh_effect *effect)
{
    return effect->kind == FH_EFFECT_CALL && effect->values[0] == FH_CALLED_clear_vm_page;
}

static bool is_held_back(const struct run *run, const struct fh_effect *effect)
{
    return run->nheld_back == 0 ? begins_to_clear(effect)
                                : run->nheld_back == 1 && effect->kind == FH_EFFECT_LOCK;
}

/* Is this the owner of the page that is to be cleared, and another VM? */
static bool is_left_alone(const struct model *model, const struct fh_effect *read)
{
    const uint64_t *call = model->run->held_back[0].values;
    const bool is_memory = call[2] - model->first_pfn < model->pages;
    return read->kind == FH_EFFECT_S2_READ && read->values[0] == call[2] && read->values[1] == 0 &&
           (!is_memory || read->values[2] != call[1]);
}

/* Ends what is held back: with what is skipped, or told now. */
static bool is_skipped(struct model *model, const struct fh_effect *effect)
{
    struct run *run = model->run;
    const unsigned count = run->nheld_back;
    run->nheld_back = 0;
    run->is_skipping = is_left_alone(model, effect);
    for (unsigned i = 0; !run->is_skipping && i < count; i++)
        observe_any(model, &run->held_back[i]);
    return run->is_skipping;
}

void model_observe(void *context, const struct fh_effect *effect)
{
    struct model *model = context;
    struct run *run = model->run;
    if (run->result->is_cut)
        return;
    if (run->result->neffects >= run->pause)
        pause_prediction(model);
    if (run->is_skipping)
        run->is_skipping = effect->kind != FH_EFFECT_UNLOCK;
    else if (is_held_back(run, effect))
        run->held_back[run->nheld_back++] = *effect;
    else if (run->nheld_back == 0 || !is_skipped(model, effect))
        observe_any(model, effect);
}
