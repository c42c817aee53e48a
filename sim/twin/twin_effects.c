/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "twin/twin_state.h"

/*
 * What the model does, in the words of a trace: each effect of the model becomes the records that a
 * hypervisor with a recorder would have written for it, with those fields that the model can know.
 * docs/trace-format.md has the table.
 *
 * Where a known deviation is about a single effect it is asked for here (twin_admits); those that
 * change the course of a trap are in twin_deviate.c.
 */

/* --- The list of records --------------------------------------------------------------------- */

/*
 * Room for one more record at `at`, those behind it move up. Whoever asks fills in what is of the
 * kind.
 */
struct trace_effect *twin_insert(struct twin *twin, size_t at, enum trace_effect_kind kind,
                                 uint32_t present)
{
    if (twin->neffects == twin->size) {
        twin->size = twin->size > 0 ? 2 * twin->size : 32;
        twin->effects = realloc(twin->effects, twin->size * sizeof *twin->effects);
        if (!twin->effects)
            no_memory();
    }
    struct trace_effect *effect = &twin->effects[at];
    if (at < twin->neffects)
        memmove(effect + 1, effect, (twin->neffects - at) * sizeof *effect);
    twin->neffects++;
    effect->kind = kind;
    effect->present = present;
    effect->g = 0;
    return effect;
}

void twin_remove(struct twin *twin, size_t at)
{
    struct trace_effect *effect = &twin->effects[at];
    twin->neffects--;
    memmove(effect, effect + 1, (twin->neffects - at) * sizeof *effect);
}

struct trace_effect *twin_append(struct twin *twin, enum trace_effect_kind kind, uint32_t present)
{
    return twin_insert(twin, twin->neffects, kind, present);
}

/* The place of the last record of this kind, the end if there is none. */
static size_t last_of(const struct twin *twin, enum trace_effect_kind kind)
{
    for (size_t i = twin->neffects; i > 0; i--) {
        if (twin->effects[i - 1].kind == kind)
            return i - 1;
    }
    return twin->neffects;
}

const struct trace_fn *twin_last_function(const struct twin *twin)
{
    const size_t last = last_of(twin, TRACE_fn);
    return last < twin->neffects ? &twin->effects[last].fn : NULL;
}

bool twin_is_inside(const struct twin *twin, const char *function)
{
    const struct trace_fn *last = twin_last_function(twin);
    return last && strcmp(last->fn, function) == 0;
}

/* --- Locks ----------------------------------------------------------------------------------- */

static struct trace_lock name_lock(const struct fh_profile *k, uint64_t id)
{
    if (id == k->CORE_ID)
        return (struct trace_lock){"core", 0};
    if (id == k->S2PAGE_ID)
        return (struct trace_lock){"s2page", 0};
    if (id == k->SPT_ID)
        return (struct trace_lock){"spt", 0};
    if (id == k->SMMU_ID)
        return (struct trace_lock){"smmu", 0};
    if (id >= k->INFO_ID)
        return (struct trace_lock){"vm", id - k->INFO_ID};
    return (struct trace_lock){"pt", id - k->NPT_ID};
}

uint64_t twin_lock_id(const struct fh_profile *k, const char *lock, uint64_t vmid)
{
    const uint64_t ids[] = {k->CORE_ID, k->S2PAGE_ID, k->SPT_ID, k->SMMU_ID};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (strcmp(name_lock(k, ids[i]).lock, lock) == 0)
            return ids[i];
    }
    return (strcmp(lock, "vm") == 0 ? k->INFO_ID : k->NPT_ID) + vmid;
}

static void observe_lock(struct twin *twin, const struct fh_effect *effect)
{
    twin_append(twin, TRACE_lock, HAS(lock, lock) | HAS(lock, vmid))->lock =
        name_lock(twin->profile, effect->values[0]);
}

/* A27: the VM's own page. */
static void panic_on_own_page(struct twin *twin)
{
    const struct trace_effect *last = &twin->effects[twin->neffects];
    if (twin->neffects < 3 || last[-1].kind != TRACE_s2_read || last[-2].kind != TRACE_lock ||
        last[-3].kind != TRACE_fn || strcmp(last[-3].fn.fn, "assign_pfn_to_smmu") != 0)
        return;
    const uint64_t owner = last[-1].s2_read.owner;
    if (owner == last[-3].fn.args.values[0] && owner != twin->profile->HOSTVISOR &&
        twin_admits(twin, "A27"))
        twin_append_panic(twin);
}

/* A18: there is a descriptor without a physical page. */
static void clear_again(struct twin *twin)
{
    const uint64_t ipa = twin->clearing;
    const uint64_t host = twin->profile->HOSTVISOR;
    twin->clearing = NOT_CLEARING;
    if (!twin_admits(twin, "A18"))
        return;
    twin_append(twin, TRACE_pt_store, ALL_OF(pt_store))->pt_store = (struct trace_pt_store){
        .vmid = host,
        .level = "pte",
        .ipa = ipa,
        .pa = fh_table_walk(twin->state, FH_STAGE2_TABLES, twin_root(twin->profile, host), ipa),
        .old = twin->cleared_pte,
        .new = twin->profile->PAGE_GUEST};
    twin_append(twin, TRACE_tlbi, ALL_OF(tlbi))->tlbi = (struct trace_tlbi){ipa};
}

/* L12: behind the descriptor, in a critical section of its own, the spec reads the level. */
static bool reads_level_apart(struct twin *twin)
{
    const struct trace_effect *last = &twin->effects[twin->neffects];
    return twin->neffects >= 3 && last[-1].kind == TRACE_lock &&
           strcmp(last[-1].lock.lock, "pt") == 0 && last[-2].kind == TRACE_unlock &&
           last[-3].kind == TRACE_fn_ret && strcmp(last[-3].fn_ret.fn, "walk_s2pt") == 0 &&
           last[-1].lock.vmid == last[-3].fn_ret.args.values[0] && twin_admits(twin, "L12");
}

static void observe_unlock(struct twin *twin, const struct fh_effect *effect)
{
    const struct trace_lock lock = name_lock(twin->profile, effect->values[0]);
    if (reads_level_apart(twin)) {
        twin->neffects--;
        return;
    }
    if (effect->values[0] == twin->profile->S2PAGE_ID)
        panic_on_own_page(twin);
    if (twin->clearing != NOT_CLEARING && strcmp(lock.lock, "pt") == 0)
        clear_again(twin);
    twin_append(twin, TRACE_unlock, HAS(unlock, lock) | HAS(unlock, vmid))->unlock =
        (struct trace_unlock){lock.lock, lock.vmid};
    if (twin->is_held && strcmp(lock.lock, "pt") == 0) {
        twin->is_held = false;
        *twin_append(twin, TRACE_s2_set, 0) = twin->held;
    }
}

/* --- Page ownership -------------------------------------------------------------------------- */

/* Owner and count are 32 bits wide; a trace has INVALID as -1. */
static uint64_t as_recorded(uint64_t value)
{
    return (uint64_t)(int64_t)(int32_t)(uint32_t)value;
}

/* A recorder tells of all three fields: the spec may read fewer, but the state has them all. */
static struct trace_effect *append_s2_read(struct twin *twin, uint64_t pfn)
{
    const uint64_t index = pfn - twin->ram_pfn;
    struct trace_effect *record =
        twin_append(twin, TRACE_s2_read, HAS(s2_read, pfn) | HAS(s2_read, index));
    record->s2_read = (struct trace_s2_read){.pfn = pfn, .index = UINT64_MAX};
    if (index >= twin->ram_pages) {
        record->present |= HAS(s2_read, count) | HAS(s2_read, gfn);
        return record;
    }
    const struct fh_map *pages = &fh_state_rdata(twin->state)->shared.s2page;
    const struct fh_s2page *page = fh_map_get(pages, &twin->types.s2page->as_value, pfn);
    record->s2_read.index = index;
    record->s2_read.owner = as_recorded(page->s2_owner);
    record->s2_read.count = as_recorded(page->s2_count);
    record->s2_read.gfn = page->s2_gfn;
    record->present = ALL_OF(s2_read);
    return record;
}

/* KCore reads a page's record once: the read of this page since ownership was locked, or NULL. */
static struct trace_effect *earlier_s2_read(struct twin *twin, uint64_t pfn)
{
    for (size_t i = twin->neffects; i > 0; i--) {
        struct trace_effect *effect = &twin->effects[i - 1];
        if (effect->kind == TRACE_s2_read && effect->s2_read.pfn == pfn)
            return effect;
        if (effect->kind == TRACE_lock && strcmp(effect->lock.lock, "s2page") == 0)
            return NULL;
    }
    return NULL;
}

static void observe_s2_read(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t pfn = effect->values[0];
    struct trace_effect *record = earlier_s2_read(twin, pfn);
    if (!record)
        record = append_s2_read(twin, pfn);
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
        if (record->s2_read.index == UINT64_MAX && effect->values[2] == UINT64_MAX &&
            twin_admits(twin, "L3"))
            record->s2_read.gfn = 0;
        break;
    }
}

static void observe_s2_set(struct twin *twin, const struct fh_effect *effect)
{
    static const char *const fields[] = {"owner", "count", "gfn"};
    const uint64_t field = effect->values[1];
    const bool is_word = field == 2;
    struct trace_effect *record = twin_append(twin, TRACE_s2_set, ALL_OF(s2_set));
    struct trace_s2_set *set = &record->s2_set;
    *set = (struct trace_s2_set){fields[field], effect->values[0] - twin->ram_pfn,
                                 is_word ? effect->values[2] : as_recorded(effect->values[2]),
                                 is_word ? effect->values[3] : as_recorded(effect->values[3])};
    if (!is_word)
        return;
    if (set->new == effect->values[0] + twin->profile->SMMU_HOST_OFFSET && twin_admits(twin, "A24"))
        set->new = 0;
    if (twin->neffects >= 2 && record[-1].kind == TRACE_s2_set &&
        twin_is_inside(twin, "assign_pfn_to_vm") && twin_admits(twin, "A17")) {
        twin->held = *record;
        twin->is_held = true;
        twin->neffects--;
    }
}

/* --- Functions ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned nargs;
} functions[] = {
#define CALLED(name, recorded, nargs) {recorded, nargs},
    FH_FUNCTION_NAME_MAP(CALLED)
#undef CALLED
};

static void append_snap(struct twin *twin, const char *when, const struct fh_effect *call)
{
    twin_append(twin, TRACE_snap, ALL_OF(snap))->snap =
        (struct trace_snap){when, call->values[1], call->values[2]};
}

/*
 * Of a range that is cleared a recorder tells only what is done: not of pages that are looked at
 * and left alone.
 */
static bool is_left_alone(const struct twin *twin, const struct fh_effect *call)
{
    const struct fh_map *pages = &fh_state_rdata(twin->state)->shared.s2page;
    const struct fh_s2page *page =
        fh_map_get(pages, &twin->types.s2page->as_value, call->values[2]);
    const bool is_memory = call->values[2] - twin->ram_pfn < twin->ram_pages;
    return !is_memory || page->s2_owner != call->values[1];
}

/* The address that the function is to map or unmap, as it was before if it is none of those. */
static uint64_t address_to_map(const struct twin *twin, const struct fh_effect *call)
{
    switch (call->values[0]) {
    case FH_CALLED_map_s2pt: return call->values[2];
    case FH_CALLED_clear_pfn_host: return call->values[1] * twin->profile->PAGE_SIZE;
    case FH_CALLED_update_smmu_page: return call->values[4];
    case FH_CALLED_unmap_smmu_page: return call->values[3];
    default: return twin->mapping;
    }
}

static void observe_call(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t function = effect->values[0];
    twin->mapping = address_to_map(twin, effect);
    if (function == FH_CALLED_clear_vm_page && is_left_alone(twin, effect)) {
        twin->is_skipping = true;
        return;
    }
    struct trace_list args = {.count = functions[function].nargs};
    memcpy(args.values, &effect->values[1], args.count * sizeof *args.values);
    twin_append(twin, TRACE_fn, ALL_OF(fn))->fn = (struct trace_fn){functions[function].name, args};
    if (function == FH_CALLED_restore_shadow_kvm_regs)
        append_snap(twin, "run_entry", effect);
    if (function == FH_CALLED_save_shadow_kvm_regs)
        append_snap(twin, "run_exit", effect);
    if (function == FH_CALLED_clear_pfn_host)
        twin->clearing = effect->values[1] * twin->profile->PAGE_SIZE;
}

static void append_return(struct twin *twin, const char *function, uint64_t a, uint64_t b,
                          uint64_t c)
{
    twin_append(twin, TRACE_fn_ret, ALL_OF(fn_ret))->fn_ret =
        (struct trace_fn_ret){function, {5, {a, b, c, 0, 0}}};
}

static void observe_return(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    append_return(twin, functions[values[0]].name, values[1], values[2], values[3]);
}

/* clear_pfn_host looks what the host has there. */
static void observe_npt_read(struct twin *twin, const struct fh_effect *effect)
{
    if (twin->clearing == NOT_CLEARING || effect->values[1] != twin->clearing)
        return;
    twin->cleared_pte = effect->values[3];
    append_return(twin, "clear_pfn_host", twin->clearing / twin->profile->PAGE_SIZE,
                  effect->values[3], 0);
    if (effect->values[3] == 0)
        twin->clearing = NOT_CLEARING;
}

/* --- VMs ------------------------------------------------------------------------------------- */

static void append_vm_set(struct twin *twin, const char *field, uint64_t vmid, uint64_t sub,
                          uint64_t old, uint64_t new)
{
    twin_append(twin, TRACE_vm_set, ALL_OF(vm_set))->vm_set =
        (struct trace_vm_set){field, vmid, sub, old, new};
}

/* The effect comes before the write: the old value is still there. */
static uint64_t vm_field(const struct twin *twin, uint64_t vmid, uint64_t field, uint64_t sub)
{
    const struct fh_vminfo *info = twin_vminfo(twin, vmid);
    switch (field) {
    case FH_VM_STATE: return info->VS.vm_state;
    case FH_VM_VCPU_STATE: return twin_word_at(twin, &info->VS.vm_vcpu_state, sub);
    case FH_VM_KVM: return info->VS.vm_kvm;
    case FH_VM_VCPU: return twin_word_at(twin, &info->VS.vm_vcpu, sub);
    case FH_VM_NEXT_LOAD_IDX: return info->VB.vm_next_load_info;
    case FH_VM_LOAD_ADDR: return twin_word_at(twin, &info->VB.vm_load_addr, sub);
    case FH_VM_LOAD_SIZE: return twin_word_at(twin, &info->VB.vm_load_size, sub);
    case FH_VM_REMAP_ADDR: return twin_word_at(twin, &info->VB.vm_remap_addr, sub);
    default: return twin_word_at(twin, &info->VB.vm_mapped_pages, sub);
    }
}

static void observe_vm_set(struct twin *twin, const struct fh_effect *effect)
{
    static const char *const fields[] = {
#define FIELD_NAME(name, text) text,
        FH_VM_FIELD_MAP(FIELD_NAME)
#undef FIELD_NAME
    };
    const uint64_t *values = effect->values;
    if (values[1] == FH_VM_STATE && twin_is_inside(twin, "prep_hvc") && twin_admits(twin, "A11")) {
        append_vm_set(twin, "power", values[0], 0, 0, 0);
        return;
    }
    if (values[1] == FH_VM_VCPU_STATE && values[3] == twin->profile->ACTIVE &&
        twin_shadow_register(twin, values[0], values[2], twin->profile->DIRTY) == UINT64_MAX &&
        twin_admits(twin, "L11"))
        append_vm_set(twin, "first_run", values[0], values[2], 0, 1);
    if (values[1] == FH_VM_KVM && twin_is_inside(twin, "register_kvm") && twin_admits(twin, "L2"))
        append_vm_set(twin, "inc_exe", values[0], 0, 0, 0);
    append_vm_set(twin, fields[values[1]], values[0], values[2],
                  vm_field(twin, values[0], values[1], values[2]), values[3]);
}

static void append_global_set(struct twin *twin, const char *field, uint64_t old, uint64_t new)
{
    twin_append(twin, TRACE_global_set, ALL_OF(global_set))->global_set =
        (struct trace_global_set){field, old, new};
}

/* The machine counts the address of images from REMAP_START. */
static void observe_core_set(struct twin *twin, const struct fh_effect *effect)
{
    const struct fh_core_data *core = &fh_state_rdata(twin->state)->shared.core_data;
    const uint64_t start = twin->profile->REMAP_START;
    if (effect->values[0] != 0) {
        append_global_set(twin, "last_remap_ptr", core->next_remap_ptr - start,
                          effect->values[1] - (twin_admits(twin, "A14") ? 0 : start));
        return;
    }
    if (core->next_vmid >= twin->profile->MAX_VM_NUM && twin_admits(twin, "A10"))
        twin_append_panic(twin);
    else
        append_global_set(twin, "next_vmid", core->next_vmid, effect->values[1]);
}

/* --- Stage-2 tables -------------------------------------------------------------------------- */

static void observe_pool_set(struct twin *twin, const struct fh_effect *effect)
{
    static const char *const fields[] = {"pgd_next", "pud_next", "pmd_next"};
    const uint64_t *values = effect->values;
    append_vm_set(twin, fields[values[1]], values[0], 0, values[2], values[3]);
}

/* What clear_pfn_host takes from the host is flushed from the TLB. */
static void observe_cleared(struct twin *twin, uint64_t ipa)
{
    if (twin->clearing != ipa)
        return;
    twin->clearing = NOT_CLEARING;
    twin_append(twin, TRACE_tlbi, ALL_OF(tlbi))->tlbi = (struct trace_tlbi){ipa};
}

static void observe_pt_store(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    struct fh_table_place place = {.level = ""};
    fh_table_locate(twin->profile, FH_STAGE2_TABLES, values[1], &place);
    twin_append(twin, TRACE_pt_store, ALL_OF(pt_store))->pt_store =
        (struct trace_pt_store){.vmid = values[0],
                                .level = place.level,
                                .ipa = twin->mapping,
                                .pa = values[1],
                                .old = values[2],
                                .new = values[3]};
    if (strcmp(place.level, "pte") == 0)
        observe_cleared(twin, twin->mapping);
}

/* --- SMMU tables ----------------------------------------------------------------------------- */

static void observe_smmu_pool_set(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    append_global_set(twin, values[0] == 0 ? "smmu_pgd_next" : "smmu_pmd_next", values[1],
                      values[2]);
}

static void observe_smmu_pt_store(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    struct fh_table_place place = {.level = ""};
    fh_table_locate(twin->profile, FH_SMMU_TABLES, values[0], &place);
    twin_append(twin, TRACE_smmu_pt_store, ALL_OF(smmu_pt_store))->smmu_pt_store =
        (struct trace_smmu_pt_store){place.level, twin->mapping, values[0], values[1], values[2]};
}

/* Is anything left of the table, which the model's words have just cleared? */
static bool has_outlived(const struct twin *twin, uint64_t root)
{
    for (uint64_t i = 0; i < twin->profile->PTRS_PER_S2_PGD; i++)
        if (fh_table_word(twin->state, FH_SMMU_TABLES, root + i * sizeof(uint64_t)) != 0)
            return true;
    return false;
}

/* L14: the verified body clears one word of the root, as often as there are words. */
static void observe_spt_clear(struct twin *twin, const struct fh_effect *effect)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t cbndx = effect->values[0], num = effect->values[1];
    const uint64_t root = twin_bank_root(k, num, cbndx);
    const bool is_whole = !has_outlived(twin, root) || twin_admits(twin, "L14");
    twin_append(twin, TRACE_smmu_pt_clear, ALL_OF(smmu_pt_clear))->smmu_pt_clear =
        (struct trace_smmu_pt_clear){cbndx, num, root,
                                     is_whole ? 2 * k->PAGE_SIZE : sizeof(uint64_t)};
}

static void observe_bank(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    twin_append(twin, TRACE_smmu_cfg_set, ALL_OF(smmu_cfg_set))->smmu_cfg_set =
        (struct trace_smmu_cfg_set){"vmid", values[0], values[1], values[3], values[2]};
}

/* --- Devices --------------------------------------------------------------------------------- */

static void observe_emulate_mmio(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t addr = effect->values[0];
    const uint64_t result = effect->values[2];
    const struct trace_list args = {5, {addr, effect->values[1], result, 0, 0}};
    twin_insert(twin, last_of(twin, TRACE_unlock), TRACE_fn_ret,
                HAS(fn_ret, fn) | HAS(fn_ret, args))
        ->fn_ret = (struct trace_fn_ret){"emulate_mmio", args};
}

static void observe_mmio_read(struct twin *twin, const struct fh_effect *effect)
{
    twin_append(twin, TRACE_mmio, HAS(mmio, write) | HAS(mmio, addr) | HAS(mmio, val))->mmio =
        (struct trace_mmio){.write = 0, .addr = effect->values[0], .val = effect->values[1]};
}

static void observe_mmio_write(struct twin *twin, const struct fh_effect *effect)
{
    twin_append(twin, TRACE_mmio,
                HAS(mmio, write) | HAS(mmio, addr) | HAS(mmio, val) | HAS(mmio, len))
        ->mmio = (struct trace_mmio){
        .write = 1, .addr = effect->values[0], .len = effect->values[2], .val = effect->values[1]};
}

void twin_append_host_reg(struct twin *twin, uint64_t nr, uint64_t value)
{
    twin_append(twin, TRACE_host_reg_set, ALL_OF(host_reg_set))->host_reg_set =
        (struct trace_host_reg_set){nr, twin->line->in.x[nr], value};
}

/* A43: two constants are numbers of other registers. */
static uint64_t mistaken_index(struct twin *twin, uint64_t index)
{
    const struct fh_profile *k = twin->profile;
    if ((index != k->SPSR_0 && index != k->ESR_EL1) ||
        !twin_is_inside(twin, "v_update_exception_gp_regs") || !twin_admits(twin, "A43"))
        return index;
    return index == k->SPSR_0 ? k->X8 : k->SCTLR_EL1 + 1;
}

/* Of system registers the state does not know all, and the old value of none for sure. */
static void append_shadow_set(struct twin *twin, const uint64_t *values)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t idx = mistaken_index(twin, values[2]);
    const bool is_system =
        idx > k->SYSREGS_START && idx <= k->SYSREGS_START + k->SHADOW_SYS_REGS_SIZE;
    const uint32_t without = HAS(shadow_set, reg) | (is_system ? HAS(shadow_set, old) : 0);
    twin_append(twin, TRACE_shadow_set, ALL_OF(shadow_set) & ~without)->shadow_set =
        (struct trace_shadow_set){.vmid = values[0],
                                  .vcpu = values[1],
                                  .idx = idx,
                                  .old = twin_shadow_register(twin, values[0], values[1], idx),
                                  .new = values[3]};
}

/* The host's registers are its shadow context. */
static void observe_shadow_set(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    if (values[0] == twin->profile->HOSTVISOR && values[2] < TRACE_GPRS)
        twin_append_host_reg(twin, values[2], values[3]);
    else if (values[0] != twin->profile->HOSTVISOR)
        append_shadow_set(twin, values);
}

static uint64_t dirty_of(const struct twin *twin, const uint64_t *values)
{
    return twin_shadow_register(twin, values[0], values[1], twin->profile->DIRTY);
}

/* A39: a value other than 0 is added to the bits. */
static void observe_dirty_set(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    const struct trace_effect *before =
        twin->neffects > 0 ? &twin->effects[twin->neffects - 1] : NULL;
    uint64_t old = dirty_of(twin, values);
    uint64_t new = values[2];
    if (before && before->kind == TRACE_dirty_set)
        old = before->dirty_set.new;
    if (new != 0 && (old & ~new) != 0 && twin_admits(twin, "A39"))
        new |= old;
    twin_append(twin, TRACE_dirty_set, ALL_OF(dirty_set))->dirty_set =
        (struct trace_dirty_set){values[0], values[1], old, new};
}

/* What the host saw before is not KCore's to know. A41: register 31 is the stack pointer. */
static void observe_int_set(struct twin *twin, const struct fh_effect *effect)
{
    const uint64_t *values = effect->values;
    uint64_t new = values[3];
    if (values[2] == TRACE_GPRS && twin_admits(twin, "A41"))
        new = twin->line->in.values[TRACE_REG_sp_el0];
    twin_append(twin, TRACE_int_gpr_set, ALL_OF(int_gpr_set) & ~HAS(int_gpr_set, old))
        ->int_gpr_set = (struct trace_int_gpr_set){
        .vmid = values[0], .vcpu = values[1], .idx = values[2], .new = new};
}

static void observe_gp_clear(struct twin *twin, const struct fh_effect *effect)
{
    twin_append(twin, TRACE_shadow_set, ALL_OF(shadow_set) & ~HAS(shadow_set, reg))->shadow_set =
        (struct trace_shadow_set){
            .vmid = effect->values[0], .vcpu = effect->values[1], .idx = TWIN_IDX_CLEAR_GPRS};
}

static void observe_per_cpu(struct twin *twin, const struct fh_effect *effect)
{
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    const bool is_host = effect->values[0] == twin->profile->HOSTVISOR;
    twin_append(twin, TRACE_percpu, ALL_OF(percpu))->percpu =
        (struct trace_percpu){rdata->curid, rdata->cur_vmid, (uint64_t)rdata->cur_vcpuid,
                              effect->values[0], is_host ? rdata->curid : effect->values[1]};
}

/* --- Panics ---------------------------------------------------------------------------------- */

static const struct trace_effect *recorded_panic(const struct trace_line *line, size_t wanted)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == TRACE_panic && wanted-- == 0)
            return &line->fx[i];
    }
    return NULL;
}

/* Where a machine panics tells which deviation its going on is. */
static const char *returning_panic(const struct twin *twin, const char *caller)
{
    const struct fh_profile *k = twin->profile;
    const struct trace_effect *read =
        twin->neffects >= 2 ? &twin->effects[twin->neffects - 2] : NULL;
    const bool is_vms = read && read->kind == TRACE_s2_read &&
                        read->s2_read.owner != k->HOSTVISOR && read->s2_read.owner < k->COREVISOR;
    const struct trace_fn *function = twin_last_function(twin);
    if (is_vms && twin_is_inside(twin, "map_page_host"))
        return "A55";
    if (is_vms && twin_is_inside(twin, "assign_pfn_to_vm") &&
        function->args.values[0] != read->s2_read.owner)
        return "A16";
    static const struct {
        const char *caller, *id;
    } panics[] = {{"__handle_smmu_read+", "A35"},
                  {"__handle_smmu_write+", "A35"},
                  {"handle_smmu_write+", "A36"},
                  {"alloc_s2pt_", "A22"},
                  {"hypsec_set_vcpu_active+", "A48"}};
    for (size_t i = 0; i < sizeof panics / sizeof *panics; i++) {
        if (strncmp(caller, panics[i].caller, strlen(panics[i].caller)) == 0)
            return panics[i].id;
    }
    return "A1";
}

void twin_tell_panic(struct twin *twin, size_t at)
{
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    twin_insert(twin, at, TRACE_panic, HAS(panic, vmid) | HAS(panic, vcpu))->panic =
        (struct trace_panic){.vmid = rdata->cur_vmid, .vcpu = (uint64_t)rdata->cur_vcpuid};
}

void twin_append_panic(struct twin *twin)
{
    twin->npanics++;
    twin_tell_panic(twin, twin->neffects);
}

/* Where the machine panics too and goes on, the model goes on. */
static void observe_panic(struct twin *twin)
{
    if (twin_replace_panic(twin)) {
        fh_state_resume(twin->state);
        return;
    }
    twin_tell_panic(twin, twin->neffects);
    const struct trace_effect *machine = recorded_panic(twin->line, twin->npanics++);
    if (machine &&
        ledger_admits(twin->ledger, returning_panic(twin, machine->panic.caller), machine))
        fh_state_resume(twin->state);
}

static void observe_skip_instr(struct twin *twin)
{
    const uint64_t elr = twin->line->in.values[TRACE_REG_elr];
    twin_append(twin, TRACE_skip_instr, HAS(skip_instr, old) | HAS(skip_instr, new))->skip_instr =
        (struct trace_skip_instr){elr, elr + 4};
}

void twin_observe(void *context, const struct fh_effect *effect)
{
    struct twin *twin = context;
    if (twin->is_skipping) {
        twin->is_skipping = effect->kind != FH_EFFECT_UNLOCK;
        return;
    }
    switch (effect->kind) {
    case FH_EFFECT_LOCK: observe_lock(twin, effect); break;
    case FH_EFFECT_UNLOCK: observe_unlock(twin, effect); break;
    case FH_EFFECT_S2_READ: observe_s2_read(twin, effect); break;
    case FH_EFFECT_PT_STORE: observe_pt_store(twin, effect); break;
    case FH_EFFECT_POOL_SET: observe_pool_set(twin, effect); break;
    case FH_EFFECT_EMULATE_MMIO: observe_emulate_mmio(twin, effect); break;
    case FH_EFFECT_MMIO_READ: observe_mmio_read(twin, effect); break;
    case FH_EFFECT_MMIO_WRITE: observe_mmio_write(twin, effect); break;
    case FH_EFFECT_SHADOW_SET: observe_shadow_set(twin, effect); break;
    case FH_EFFECT_SKIP_INSTR: observe_skip_instr(twin); break;
    case FH_EFFECT_PANIC: observe_panic(twin); break;
    case FH_EFFECT_S2_SET: observe_s2_set(twin, effect); break;
    case FH_EFFECT_NPT_READ: observe_npt_read(twin, effect); break;
    case FH_EFFECT_SCRUB:
        twin_append(twin, TRACE_scrub, ALL_OF(scrub))->scrub =
            (struct trace_scrub){effect->values[0]};
        break;
    case FH_EFFECT_VM_SET: observe_vm_set(twin, effect); break;
    case FH_EFFECT_CORE_SET: observe_core_set(twin, effect); break;
    case FH_EFFECT_CALL: observe_call(twin, effect); break;
    case FH_EFFECT_RETURN: observe_return(twin, effect); break;
    case FH_EFFECT_DIRTY_SET: observe_dirty_set(twin, effect); break;
    case FH_EFFECT_INT_SET: observe_int_set(twin, effect); break;
    case FH_EFFECT_GP_CLEAR: observe_gp_clear(twin, effect); break;
    case FH_EFFECT_PER_CPU: observe_per_cpu(twin, effect); break;
    case FH_EFFECT_SMMU_PT_STORE: observe_smmu_pt_store(twin, effect); break;
    case FH_EFFECT_SMMU_POOL_SET: observe_smmu_pool_set(twin, effect); break;
    case FH_EFFECT_SPT_CLEAR: observe_spt_clear(twin, effect); break;
    case FH_EFFECT_SMMU_CFG_SET: observe_bank(twin, effect); break;
    default: break;
    }
}
