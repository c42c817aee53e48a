/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbers.h"
#include "base/text_stream.h"
#include "twin/twin_state.h"

/* For reports: which spec function a difference comes from, and which place of the state. */

static const struct trace_effect *effect_of(const struct difference *difference)
{
    return difference->machine ? difference->machine : difference->model;
}

static bool print(char *buffer, size_t size, const char *text)
{
    snprintf(buffer, size, "%s", text ? text : "");
    return text != NULL;
}

/* The predicted effects that this one is among. */
static const struct trace_effect *effects_of(const struct twin *twin,
                                             const struct difference *difference)
{
    const struct prediction *spec = &twin->by_spec;
    const bool is_specs =
        difference->model >= spec->effects && difference->model < spec->effects + spec->neffects;
    return is_specs ? spec->effects : twin->by_machine.effects;
}

/* --- Functions ------------------------------------------------------------------------------- */

/* The spec has another one for what machines call so. */
static const char *spec_name(const char *recorded)
{
    return strcmp(recorded, "populate_fault_info") == 0 ? "exit_populate_fault"
                                                        : function_of_recorded(recorded);
}

const struct fh_function *twin_function_recorded(const char *recorded)
{
    return fh_function_find(spec_name(recorded));
}

static bool print_function(char *buffer, size_t size, const char *recorded)
{
    const struct fh_function *function = twin_function_recorded(recorded);
    if (!function)
        return print(buffer, size, NULL);
    snprintf(buffer, size, "%s.%s", function->layer, function->name);
    return true;
}

static bool is_pool(const struct trace_vm_set *set)
{
    return strcmp(set->field, "pgd_next") == 0 || strcmp(set->field, "pud_next") == 0 ||
           strcmp(set->field, "pmd_next") == 0;
}

/* What KCore keeps of a VM, or once: the field in a trace, its setter, its place. */
static const struct field {
    const char *recorded, *setter, *place;
    bool has_several;
} vm_fields[] = {{"state", "AbstractMachine.set_vm_state", "VS.vm_state", false},
                 {"vcpu_state", "AbstractMachine.set_vcpu_state", "VS.vm_vcpu_state", true},
                 {"power", "VMPower.set_vm_poweroff", "VS.vm_power", false},
                 {"inc_exe", "AbstractMachine.set_vm_inc_exe", "VB.vm_inc_exe", false},
                 {"kvm", "AbstractMachine.set_vm_kvm", "VS.vm_kvm", false},
                 {"vcpu", "AbstractMachine.set_vm_vcpu", "VS.vm_vcpu", true},
                 {"next_load_idx", "AbstractMachine.set_vm_next_load_idx", "VB.vm_next_load_info",
                  false},
                 {"load_addr", "AbstractMachine.set_vm_load_addr", "VB.vm_load_addr", true},
                 {"load_size", "AbstractMachine.set_vm_load_size", "VB.vm_load_size", true},
                 {"remap_addr", "AbstractMachine.set_vm_remap_addr", "VB.vm_remap_addr", true},
                 {"mapped", "AbstractMachine.set_vm_mapped_pages", "VB.vm_mapped_pages", true}},
  global_fields[] = {
      {"next_vmid", "AbstractMachine.set_next_vmid", "core_data.next_vmid", false},
      {"last_remap_ptr", "AbstractMachine.set_next_remap_ptr", "core_data.next_remap_ptr", false},
      {"smmu_pgd_next", "MmioPTAlloc.alloc_smmu_pgd_page", "spts.spt_pgd_next", false},
      {"smmu_pmd_next", "MmioPTAlloc.alloc_smmu_pmd_page", "spts.spt_pmd_next", false}};

static const struct field *find_field(const struct field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].recorded, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static const struct field *vm_field(const struct trace_vm_set *set)
{
    return find_field(vm_fields, sizeof vm_fields / sizeof *vm_fields, set->field);
}

static const struct field *global_field(const struct trace_global_set *set)
{
    return find_field(global_fields, sizeof global_fields / sizeof *global_fields, set->field);
}

static const char *pool_function(const struct trace_vm_set *set)
{
    if (strcmp(set->field, "pgd_next") == 0)
        return "PTAlloc.alloc_pgd_page";
    return strcmp(set->field, "pud_next") == 0 ? "PTAlloc.alloc_pud_page"
                                               : "PTAlloc.alloc_pmd_page";
}

static const char *ownership_function(const char *field, bool sets)
{
    if (strcmp(field, "count") == 0)
        return sets ? "PageManager.set_pfn_count" : "PageManager.get_pfn_count";
    if (strcmp(field, "gfn") == 0)
        return sets ? "PageManager.set_pfn_map" : "PageManager.get_pfn_map";
    return sets ? "PageManager.set_pfn_owner" : "PageManager.get_pfn_owner";
}

static const char *setter(const struct field *field)
{
    return field ? field->setter : NULL;
}

static const char *function_of(const struct trace_effect *effect, const char *field)
{
    switch (effect->kind) {
    case TRACE_lock: return "Locks.acquire_lock";
    case TRACE_unlock: return "Locks.release_lock";
    case TRACE_s2_read: return ownership_function(field ? field : "", false);
    case TRACE_s2_set: return ownership_function(effect->s2_set.field, true);
    case TRACE_smmu_pt_store: return "MmioSPTWalk.set_smmu_pt";
    case TRACE_smmu_pt_clear: return "MmioSPTWalk.clear_smmu_pt";
    case TRACE_smmu_cfg_set: return "AbstractMachine.set_smmu_cfg_vmid";
    case TRACE_scrub: return "AbstractMachine.clear_phys_page";
    case TRACE_pt_store: return "NPTWalk.set_npt";
    case TRACE_tlbi: return "NPTOps.clear_pfn_host";
    case TRACE_vm_set:
        return is_pool(&effect->vm_set) ? pool_function(&effect->vm_set)
                                        : setter(vm_field(&effect->vm_set));
    case TRACE_global_set: return setter(global_field(&effect->global_set));
    case TRACE_mmio:
        return effect->mmio.write ? "MmioCoreAux.__handle_smmu_write"
                                  : "MmioCoreAux.__handle_smmu_read";
    case TRACE_host_reg_set:
    case TRACE_shadow_set: return "AbstractMachine.set_shadow_ctxt";
    case TRACE_dirty_set: return "AbstractMachine.set_shadow_dirty_bit";
    case TRACE_int_gpr_set: return "AbstractMachine.set_int_gpr";
    case TRACE_percpu: return "AbstractMachine.set_per_cpu";
    case TRACE_skip_instr: return "AbstractMachine.host_skip_instr";
    case TRACE_verify: return "BootOps.verify_and_load_images";
    default: return NULL;
    }
}

/* What the host answers, by what was asked. */
static bool print_read(char *buffer, size_t size, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "get_int_%s", what);
    return print_function(buffer, size, name);
}

/* The function that the model's effect, or this place in the machine's record, is in. */
static const char *enclosing(const struct twin *twin, const struct difference *difference)
{
    if (!twin || !twin->line)
        return NULL;
    const struct trace_effect *first =
        difference->model ? effects_of(twin, difference) : twin->line->fx;
    const struct trace_effect *effect = difference->model ? difference->model : difference->machine;
    while (effect > first) {
        if ((--effect)->kind == TRACE_fn)
            return effect->fn.fn;
    }
    return NULL;
}

/* Why the prediction panics here; NULL: it is the machine alone that does. */
static const struct prediction_panic *panic_of(const struct twin *twin,
                                               const struct difference *difference)
{
    if (!twin || !difference->model || difference->model->kind != TRACE_panic)
        return NULL;
    const struct trace_effect *first = effects_of(twin, difference);
    const struct prediction *prediction =
        first == twin->by_spec.effects ? &twin->by_spec : &twin->by_machine;
    size_t i = 0;
    for (const struct trace_effect *effect = first; effect < difference->model; effect++)
        i += effect->kind == TRACE_panic;
    if (prediction->npanics == 0)
        return NULL;
    return &prediction->panics[i < prediction->npanics ? i : prediction->npanics - 1];
}

static bool print_panicking(const struct twin *twin, const struct difference *difference,
                            char *buffer, size_t size)
{
    const struct prediction_panic *panic = panic_of(twin, difference);
    const char *function = panic ? panic->function : enclosing(twin, difference);
    return (function && print_function(buffer, size, function)) ||
           print(buffer, size, panic && function ? function : "AbstractMachine.panic");
}

/* Why a model has no answer: the machine's, or the spec's. */
static const struct fh_error *error_of(const struct twin *twin)
{
    const struct fh_error *error = &twin->by_machine.error;
    return error->status != FH_OK ? error : &twin->by_spec.error;
}

static bool is_undefined(const struct difference *difference)
{
    return !effect_of(difference) && difference->path && strcmp(difference->path, "status") == 0;
}

/* The one that a trap begins with, for what it leaves behind. */
static const char *function_of_trap(const struct twin *twin)
{
    const struct trace_line *line = twin->line;
    const struct fh_abi_call *call = fh_machine_hypercall(twin->code, line->in.x[0]);
    if (line->kind == TRACE_KIND_host_npt)
        return "handle_host_stage2_fault";
    if (line->kind == TRACE_KIND_host_hvc)
        return call && call->kind == FH_ABI_run ? "restore_vm" : "host_hvc_dispatcher";
    if (line->kind == TRACE_KIND_guest_exit)
        return twin->by_machine.end == PREDICTED_GUEST ? "vm_to_core" : "save_vm";
    return NULL;
}

bool twin_spec_function(const struct twin *twin, const struct difference *difference, char *buffer,
                        size_t size)
{
    const struct trace_effect *effect = effect_of(difference);
    if (is_undefined(difference)) {
        const struct fh_error *error = error_of(twin);
        if (!error->layer || !error->function)
            return false;
        snprintf(buffer, size, "%s.%s", error->layer, error->function);
        return true;
    }
    if (!effect) {
        const char *function = twin && twin->line ? function_of_trap(twin) : NULL;
        return function && print_function(buffer, size, function);
    }
    switch (effect->kind) {
    case TRACE_fn: return print_function(buffer, size, effect->fn.fn);
    case TRACE_fn_ret: return print_function(buffer, size, effect->fn_ret.fn);
    case TRACE_int_read: return print_read(buffer, size, effect->int_read.what);
    case TRACE_panic: return print_panicking(twin, difference, buffer, size);
    default:
        return print(buffer, size,
                     function_of(effect, difference->field ? difference->field->key : NULL));
    }
}

bool twin_spec_caller(const struct twin *twin, const struct difference *difference, char *buffer,
                      size_t size)
{
    const struct trace_effect *effect = effect_of(difference);
    if (!effect || effect->kind == TRACE_fn || effect->kind == TRACE_panic)
        return false;
    const char *function = enclosing(twin, difference);
    if (!function && twin && twin->line)
        function = function_of_trap(twin);
    return function && print_function(buffer, size, function);
}

const char *twin_condition(const struct twin *twin, const struct difference *difference)
{
    if (is_undefined(difference))
        return error_of(twin)->condition;
    const struct prediction_panic *panic = panic_of(twin, difference);
    return panic ? panic->condition : NULL;
}

/* --- Places ---------------------------------------------------------------------------------- */

static bool print_word(const struct twin *twin, enum fh_boundary which, uint64_t pa, char *buffer,
                       size_t size)
{
    struct fh_table_place place;
    if (!fh_table_locate(&twin->profile, which, pa, &place))
        return false;
    if (which == FH_SMMU_TABLES)
        snprintf(buffer, size, "shared.spts.%s.0x%" PRIx64, place.pool, pa);
    else
        snprintf(buffer, size, "shared.npts.%" PRIu64 ".%s.0x%" PRIx64, place.vmid, place.pool, pa);
    return true;
}

static bool print_vm_field(const struct trace_vm_set *set, char *buffer, size_t size)
{
    const struct field *field = vm_field(set);
    if (is_pool(set))
        snprintf(buffer, size, "shared.npts.%" PRIu64 ".pt_%s", set->vmid, set->field);
    else if (field && field->has_several)
        snprintf(buffer, size, "shared.vminfos.%" PRIu64 ".%s.%" PRIu64, set->vmid, field->place,
                 set->sub);
    else if (field)
        snprintf(buffer, size, "shared.vminfos.%" PRIu64 ".%s", set->vmid, field->place);
    return field || is_pool(set);
}

static bool print_register(const struct twin *twin, uint64_t vmid, uint64_t vcpuid, uint64_t index,
                           char *buffer, size_t size)
{
    const uint64_t id = vmid * twin->profile.VCPU_PER_VM + vcpuid;
    const char *place = parts_shadow_place(&twin->profile, twin_register(twin->description, index));
    if (index < TRACE_GPRS)
        snprintf(buffer, size, "shadow_ctxts.%" PRIu64 ".ctxt_regs.x%" PRIu64, id, index);
    else if (place)
        snprintf(buffer, size, "shadow_ctxts.%" PRIu64 ".%s", id, place);
    return place || index < TRACE_GPRS;
}

/* "out.elr", "x7": of the one who has the CPU at the end. */
static bool print_end(const struct twin *twin, const char *path, char *buffer, size_t size)
{
    const bool is_host = twin->line->to == TRACE_TO_host;
    uint64_t vmid, vcpuid;
    model_running(twin->model, twin->line->cpu, &vmid, &vcpuid);
    if (path[0] == 'x')
        return print_register(twin, is_host ? twin->profile.HOSTVISOR : vmid,
                              is_host ? twin->line->cpu : vcpuid, strtoull(path + 1, NULL, 10),
                              buffer, size);
    if (strcmp(path, "out.vmid") == 0)
        return print(buffer, size, "cur_vmid");
    if (strcmp(path, "pc") == 0)
        return print_register(twin, vmid, vcpuid, twin->profile.PC, buffer, size);
    if (strcmp(path, "pstate") == 0)
        return print_register(twin, vmid, vcpuid, twin->profile.PSTATE, buffer, size);
    const char *field = strncmp(path, "out.", 4) == 0 ? model_register_field(path + 4) : NULL;
    if (field)
        snprintf(buffer, size, "regs.ctxt_regs.%s", field);
    return field != NULL;
}

static bool print_global(const struct trace_global_set *set, char *buffer, size_t size)
{
    const struct field *field = global_field(set);
    if (field)
        snprintf(buffer, size, "shared.%s", field->place);
    return field != NULL;
}

static bool print_ownership(uint64_t pfn, const char *field, char *buffer, size_t size)
{
    const bool is_field =
        strcmp(field, "owner") == 0 || strcmp(field, "count") == 0 || strcmp(field, "gfn") == 0;
    snprintf(buffer, size, "shared.s2page.0x%" PRIx64 "%s%s", pfn, is_field ? ".s2_" : "",
             is_field ? field : "");
    return true;
}

static bool print_lock(const struct twin *twin, const char *lock, uint64_t vmid, char *buffer,
                       size_t size)
{
    struct text_stream stream;
    const struct fh_profile *k = &twin->profile;
    number_print(k, NUMBER_lock, lock_of_recorded(k, lock, vmid), text_stream_begin(&stream));
    text_stream_end(&stream);
    snprintf(buffer, size, "lock.%s", stream.text);
    text_stream_free(&stream);
    return true;
}

bool twin_state_path(const struct twin *twin, const struct difference *difference, char *buffer,
                     size_t size)
{
    const struct trace_effect *effect = effect_of(difference);
    if (!twin || !twin->line)
        return false;
    if (!effect)
        return difference->path && print_end(twin, difference->path, buffer, size);
    const struct fh_profile *k = &twin->profile;
    switch (effect->kind) {
    case TRACE_lock: return print_lock(twin, effect->lock.lock, effect->lock.vmid, buffer, size);
    case TRACE_unlock:
        return print_lock(twin, effect->unlock.lock, effect->unlock.vmid, buffer, size);
    case TRACE_s2_read:
        return print_ownership(effect->s2_read.pfn, difference->path ? difference->path : "",
                               buffer, size);
    case TRACE_s2_set:
        return print_ownership(model_first_pfn(twin->model) + effect->s2_set.index,
                               effect->s2_set.field, buffer, size);
    case TRACE_pt_store:
        return print_word(twin, FH_STAGE2_TABLES, effect->pt_store.pa, buffer, size);
    case TRACE_smmu_pt_store:
        return print_word(twin, FH_SMMU_TABLES, effect->smmu_pt_store.pa, buffer, size);
    case TRACE_smmu_pt_clear:
        return print_word(twin, FH_SMMU_TABLES, effect->smmu_pt_clear.pa, buffer, size);
    case TRACE_smmu_cfg_set:
        snprintf(buffer, size, "shared.smmu_vmid.%" PRIu64,
                 effect->smmu_cfg_set.num * k->SMMU_NUM_CTXT_BANKS + effect->smmu_cfg_set.cbndx);
        return true;
    case TRACE_vm_set: return print_vm_field(&effect->vm_set, buffer, size);
    case TRACE_global_set: return print_global(&effect->global_set, buffer, size);
    case TRACE_shadow_set:
        return print_register(twin, effect->shadow_set.vmid, effect->shadow_set.vcpu,
                              effect->shadow_set.idx, buffer, size);
    case TRACE_dirty_set:
        return print_register(twin, effect->dirty_set.vmid, effect->dirty_set.vcpu, k->DIRTY,
                              buffer, size);
    case TRACE_host_reg_set:
        return print_register(twin, k->HOSTVISOR, twin->line->cpu, effect->host_reg_set.nr, buffer,
                              size);
    case TRACE_scrub:
        snprintf(buffer, size, "shared.flatmem.0x%" PRIx64, effect->scrub.pfn);
        return true;
    case TRACE_percpu: return print(buffer, size, "cur_vmid");
    case TRACE_skip_instr: return print(buffer, size, "regs.ctxt_regs.elr_el2");
    case TRACE_panic: return print(buffer, size, "halt");
    default: return false;
    }
}
