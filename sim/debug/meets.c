/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "base/numbers.h"
#include "debug/debugger.h"

/* Which records stop, whatever the state is: by what they say, or by what a step did. */

static bool leads_to(uint64_t word, uint64_t pfn)
{
    const uint64_t frames = UINT64_C(0xfffffffff);
    return (word >> 12 & frames) == pfn;
}

/* Functions have a name in the spec, and one that recorders use. */
static bool is_called(const char *recorded, const char *function)
{
    return strcmp(recorded, function) == 0 || strcmp(function_of_recorded(recorded), function) == 0;
}

/* --- Records ---------------------------------------------------------------------------------- */

static bool names_page(const struct trace_effect *effect, uint64_t pfn, uint64_t first_pfn)
{
    switch (effect->kind) {
    case TRACE_s2_read: return effect->s2_read.pfn == pfn;
    case TRACE_s2_set: return effect->s2_set.index + first_pfn == pfn;
    case TRACE_pt_store:
        return leads_to(effect->pt_store.new, pfn) || leads_to(effect->pt_store.old, pfn);
    case TRACE_smmu_pt_store:
        return leads_to(effect->smmu_pt_store.new, pfn) || leads_to(effect->smmu_pt_store.old, pfn);
    default: return false;
    }
}

static bool names_vm(const struct trace_effect *effect, uint64_t vmid)
{
    switch (effect->kind) {
    case TRACE_vm_set: return effect->vm_set.vmid == vmid;
    case TRACE_shadow_set: return effect->shadow_set.vmid == vmid;
    case TRACE_pt_store: return effect->pt_store.vmid == vmid;
    case TRACE_percpu: return effect->percpu.vmid == vmid || effect->percpu.old_vmid == vmid;
    default: return false;
    }
}

static bool is_of_effect(const struct debugger *debugger, const struct stop *stop,
                         const struct trace_effect *effect)
{
    const uint64_t first_pfn = twin_first_pfn(timeline_twin(debugger->timeline));
    switch (stop->kind) {
    case STOP_FUNCTION: return effect->kind == TRACE_fn && is_called(effect->fn.fn, stop->words);
    case STOP_PAGE: return names_page(effect, stop->value, first_pfn);
    case STOP_READ: return effect->kind == TRACE_s2_read && effect->s2_read.pfn == stop->value;
    default: return names_vm(effect, stop->value);
    }
}

static bool is_of_effects(const struct debugger *debugger, const struct stop *stop,
                          const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (is_of_effect(debugger, stop, &line->fx[i]))
            return true;
    }
    return false;
}

static bool is_of_vm(const struct debugger *debugger, const struct stop *stop,
                     const struct trace_line *line)
{
    return (line->kind == TRACE_KIND_guest_exit &&
            line->in.values[TRACE_REG_vmid] == stop->value) ||
           is_of_effects(debugger, stop, line);
}

static bool meets_record(const struct debugger *debugger, const struct stop *stop, size_t index)
{
    const struct timeline_record *record = timeline_at(debugger->timeline, index);
    switch (stop->kind) {
    case STOP_KIND: return index > 0 && (uint64_t)record->line->kind == stop->value;
    case STOP_DEVIATION: return credits_has(&record->credits, (unsigned)stop->value);
    case STOP_INVARIANT: return record->broken >> stop->value & 1;
    case STOP_OUTCOME: return index > 0 && (uint64_t)record->outcome == stop->value;
    case STOP_VM: return is_of_vm(debugger, stop, record->line);
    case STOP_FUNCTION:
    case STOP_PAGE:
    case STOP_READ: return is_of_effects(debugger, stop, record->line);
    default: return false;
    }
}

/* --- Steps of scenarios ------------------------------------------------------------------------
 */

static bool step_calls(const struct fh_effect *effect, const char *function)
{
    return effect->kind == FH_EFFECT_CALL && is_called(fh_called_name(effect->values[0]), function);
}

static bool step_names_page(const struct fh_effect *effect, uint64_t pfn)
{
    const uint64_t *values = effect->values;
    switch (effect->kind) {
    case FH_EFFECT_S2_READ:
    case FH_EFFECT_S2_SET:
    case FH_EFFECT_SCRUB: return values[0] == pfn;
    case FH_EFFECT_NPT_SET: return leads_to(values[3], pfn) || leads_to(values[5], pfn);
    case FH_EFFECT_SPT_SET: return leads_to(values[3], pfn) || leads_to(values[4], pfn);
    case FH_EFFECT_PT_STORE: return leads_to(values[2], pfn) || leads_to(values[3], pfn);
    case FH_EFFECT_SMMU_PT_STORE: return leads_to(values[1], pfn) || leads_to(values[2], pfn);
    default: return false;
    }
}

static bool step_names_vm(const struct fh_effect *effect, uint64_t vmid)
{
    switch (effect->kind) {
    case FH_EFFECT_NPT_SET:
    case FH_EFFECT_SHADOW_SET:
    case FH_EFFECT_VM_SET:
    case FH_EFFECT_DIRTY_SET:
    case FH_EFFECT_INT_SET:
    case FH_EFFECT_PER_CPU:
    case FH_EFFECT_PT_STORE: return effect->values[0] == vmid;
    default: return false;
    }
}

static bool meets_effect(const struct stop *stop, const struct fh_effect *effect)
{
    switch (stop->kind) {
    case STOP_FUNCTION: return step_calls(effect, stop->words);
    case STOP_PAGE: return step_names_page(effect, stop->value);
    case STOP_READ: return effect->kind == FH_EFFECT_S2_READ && effect->values[0] == stop->value;
    case STOP_VM: return step_names_vm(effect, stop->value);
    default: return false;
    }
}

/* A call of a spec function by a step is one, too. */
static bool meets_step(const struct stop *stop, const struct step_trace *step)
{
    if (stop->kind == STOP_FUNCTION && step->step && step->step->kind == STEP_CALL &&
        strcmp(step->step->function->name, stop->words) == 0)
        return true;
    for (size_t i = 0; i < step->neffects; i++) {
        if (meets_effect(stop, &step->effects[i]))
            return true;
    }
    return false;
}

bool stop_meets(const struct debugger *debugger, const struct stop *stop, size_t index)
{
    const struct timeline_record *record = timeline_at(debugger->timeline, index);
    if (stop->kind == STOP_RECORD)
        return index == stop->value;
    return record->step ? meets_step(stop, record->step) : meets_record(debugger, stop, index);
}
