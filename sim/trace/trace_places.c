/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_places.h"

#include <string.h>

/*
 * Records tell of what they read in part only: of ownership (s2_read), of walks by their function,
 * of a word or field that is written by its old value. Beside that a record reads what its inputs
 * name: of the VM that it is about each field, and of the vCPU that goes on its registers. So this
 * may name a write that did not matter, and only a replay without it (`fhsim why --necessary`) can
 * tell.
 */

/* --- Places ----------------------------------------------------------------------------------- */

/* Kinds of places that are no field of an effect. */
enum place_kind { PLACE_TABLE = TRACE_EFFECT_KINDS, PLACE_ADDRESS, PLACE_CPU, PLACE_CONTEXT };

/* A place as a number that no other place is likely to have. */
static uint64_t place(unsigned kind, uint64_t a, uint64_t b, uint64_t c, const char *text)
{
    const uint64_t numbers[] = {kind, a, b, c};
    uint64_t sum = 1;
    for (unsigned i = 0; i < 4; i++) {
        sum = (sum ^ numbers[i]) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    while (text && *text)
        sum = (sum ^ (unsigned char)*text++) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}

enum { PAGE_SHIFT = 12 };
static const uint64_t address_mask = 0xfffffffff000;

static uint64_t table_place(unsigned kind, uint64_t address)
{
    return place(PLACE_TABLE, kind, (address & address_mask) >> PAGE_SHIFT, 0, NULL);
}

static uint64_t context_place(uint64_t vmid, uint64_t vcpu)
{
    return place(PLACE_CONTEXT, vmid, vcpu, 0, NULL);
}

static uint64_t vm_place(const struct trace_vm_set *set)
{
    return place(TRACE_vm_set, set->vmid, set->sub, 0, set->field);
}

static uint64_t bank_place(const struct trace_smmu_cfg_set *set)
{
    return place(TRACE_smmu_cfg_set, set->cbndx, set->num, 0, set->field);
}

static void tell(trace_on_place *told, const struct trace_place_visit *visit, uint64_t what,
                 size_t effect)
{
    if (told)
        told(visit->context, what, effect);
}

static void tell_both(const struct trace_place_visit *visit, uint64_t what, size_t effect)
{
    tell(visit->reads, visit, what, effect);
    tell(visit->writes, visit, what, effect);
}

/* A descriptor that is stored: the table that it is in is read, the one that it names begins. */
static void visit_word(const struct trace_place_visit *visit, unsigned kind, const char *level,
                       uint64_t pa, uint64_t new, size_t i)
{
    tell(visit->reads, visit, table_place(kind, pa), i);
    tell_both(visit, place(kind, pa, 0, 0, NULL), i);
    if (strcmp(level, "pte") != 0 && (new & 3) == 3)
        tell(visit->writes, visit, table_place(kind, new), i);
}

static void visit_function(const struct trace_place_visit *visit, const struct trace_fn *fn,
                           size_t i)
{
    const uint64_t *arguments = fn->args.values;
    if (fn->args.count < 2 ||
        (strcmp(fn->fn, "walk_s2pt") != 0 && strcmp(fn->fn, "mmap_s2pt") != 0))
        return;
    tell(visit->reads, visit,
         place(PLACE_ADDRESS, arguments[0], arguments[1] >> PAGE_SHIFT, 0, NULL), i);
}

static void visit_page_read(const struct trace_place_visit *visit, uint64_t index, size_t i)
{
    static const char *const fields[] = {"owner", "count", "gfn"};
    for (unsigned j = 0; j < sizeof fields / sizeof *fields; j++)
        tell(visit->reads, visit, place(TRACE_s2_set, index, 0, 0, fields[j]), i);
}

static void visit_effect(const struct trace_place_visit *visit, const struct trace_effect *effect,
                         size_t i)
{
    switch (effect->kind) {
    case TRACE_fn: visit_function(visit, &effect->fn, i); return;
    case TRACE_s2_read: visit_page_read(visit, effect->s2_read.index, i); return;
    case TRACE_s2_set:
        tell_both(visit, place(TRACE_s2_set, effect->s2_set.index, 0, 0, effect->s2_set.field), i);
        return;
    case TRACE_pt_store:
        visit_word(visit, TRACE_pt_store, effect->pt_store.level, effect->pt_store.pa,
                   effect->pt_store.new, i);
        tell_both(visit,
                  place(PLACE_ADDRESS, effect->pt_store.vmid, effect->pt_store.ipa >> PAGE_SHIFT, 0,
                        NULL),
                  i);
        return;
    case TRACE_smmu_pt_store:
        visit_word(visit, TRACE_smmu_pt_store, effect->smmu_pt_store.level,
                   effect->smmu_pt_store.pa, effect->smmu_pt_store.new, i);
        return;
    case TRACE_smmu_cfg_set: tell_both(visit, bank_place(&effect->smmu_cfg_set), i); return;
    case TRACE_global_set:
        tell_both(visit, place(TRACE_global_set, 0, 0, 0, effect->global_set.field), i);
        return;
    case TRACE_vm_set:
        tell_both(visit, vm_place(&effect->vm_set), i);
        tell(visit->reads_of, visit, effect->vm_set.vmid, i);
        return;
    case TRACE_shadow_set:
        tell_both(visit, context_place(effect->shadow_set.vmid, effect->shadow_set.vcpu), i);
        return;
    case TRACE_dirty_set:
        tell_both(visit, context_place(effect->dirty_set.vmid, effect->dirty_set.vcpu), i);
        return;
    case TRACE_percpu:
        tell(visit->reads, visit, context_place(effect->percpu.vmid, effect->percpu.vcpu), i);
        tell(visit->reads_of, visit, effect->percpu.vmid, i);
        return;
    case TRACE_lock:
        tell(visit->reads_of, visit,
             strcmp(effect->lock.lock, "smmu") == 0 ? TRACE_SMMUS : effect->lock.vmid, i);
        return;
    default: return;
    }
}

void trace_visit_places(const struct trace_place_visit *visit)
{
    const struct trace_line *line = visit->line;
    const uint64_t vmid = line->in.values[TRACE_REG_vmid];
    const uint64_t vcpu = line->in.values[TRACE_REG_vcpuid];
    for (size_t i = 0; i < line->nfx; i++)
        visit_effect(visit, &line->fx[i], i);
    if (line->to == TRACE_TO_guest)
        tell(visit->writes, visit, place(PLACE_CPU, line->cpu, 0, 0, NULL), line->nfx);
    if (line->kind != TRACE_KIND_guest_exit)
        return;
    tell(visit->reads, visit, place(PLACE_CPU, line->cpu, 0, 0, NULL), line->nfx);
    tell(visit->reads_of, visit, vmid, line->nfx);
    tell(visit->reads, visit, context_place(vmid, vcpu), line->nfx);
    if (line->to == TRACE_TO_host)
        tell(visit->writes, visit, context_place(vmid, vcpu), line->nfx);
}

/* --- Parts ---------------------------------------------------------------------------------------
 */

/* Where the next table comes from only matters to who takes one, and that is told. */
static bool is_pool(const struct trace_vm_set *set)
{
    const char *underline = strrchr(set->field, '_');
    return set->field[0] == 'p' && underline && strcmp(underline, "_next") == 0;
}

/* Is it a part of what a trap may read because of the VM, or the SMMUs, that it is about? */
bool trace_part_of(const struct trace_effect *effect, struct trace_part_place *part)
{
    switch (effect->kind) {
    case TRACE_vm_set:
        *part = (struct trace_part_place){effect->vm_set.vmid, vm_place(&effect->vm_set)};
        return !is_pool(&effect->vm_set);
    case TRACE_smmu_cfg_set:
        *part = (struct trace_part_place){TRACE_SMMUS, bank_place(&effect->smmu_cfg_set)};
        return true;
    case TRACE_smmu_pt_store:
        *part = (struct trace_part_place){
            TRACE_SMMUS, place(TRACE_smmu_pt_store, effect->smmu_pt_store.pa, 0, 0, NULL)};
        return strcmp(effect->smmu_pt_store.level, "pgd") == 0;
    default: return false;
    }
}
