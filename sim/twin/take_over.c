/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "predict/objects.h"
#include "twin/twin_state.h"

/*
 * Taking over what the machine did. Effects that the state has no place for are passed over.
 */

/* --- vCPUs ----------------------------------------------------------------------------------- */

static void follow_shadow_set(struct twin *twin, const struct trace_shadow_set *set)
{
    const struct fh_profile *k = &twin->profile;
    if (set->vmid >= k->COREVISOR || set->vcpu >= k->VCPU_PER_VM)
        return;
    if (set->idx == IDX_CLEAR_GPRS)
        memset(&parts_edit_ctxt(twin->parts, set->vmid, set->vcpu)->ctxt_regs.x0, 0,
               TRACE_GPRS * sizeof(uint64_t));
    else
        parts_set_shadow(twin->parts, set->vmid, set->vcpu,
                         twin_register(twin->description, set->idx), set->new);
}

static void follow_dirty_set(struct twin *twin, const struct trace_dirty_set *set)
{
    const struct fh_profile *k = &twin->profile;
    if (set->vmid < k->COREVISOR && set->vcpu < k->VCPU_PER_VM)
        parts_set_shadow(twin->parts, set->vmid, set->vcpu, k->DIRTY, set->new);
}

/* What a vCPU that exited had in its registers is in its context. */
static void follow_exit(struct twin *twin, const struct trace_line *line)
{
    uint64_t vmid, vcpuid;
    model_running(twin->model, line->cpu, &vmid, &vcpuid);
    if (line->unfinished || line->to != TRACE_TO_host || vmid == 0)
        return;
    struct fh_ctxt *vcpu = parts_edit_ctxt(twin->parts, vmid, vcpuid);
    memcpy(&vcpu->ctxt_regs.x0, line->in.x, sizeof line->in.x);
    vcpu->ctxt_states.pc = line->in.values[TRACE_REG_elr];
    vcpu->ctxt_states.pstate = line->in.values[TRACE_REG_spsr];
    vcpu->ctxt_regs.sp_el0 = line->in.values[TRACE_REG_sp_el0];
    vcpu->ctxt_regs.sp_el1 = line->in.values[TRACE_REG_sp_el1];
    vcpu->ctxt_regs.elr_el1 = line->in.values[TRACE_REG_elr_el1];
    vcpu->ctxt_regs.spsr_el1 = line->in.values[TRACE_REG_spsr_el1];
    vcpu->ctxt_regs.vbar_el1 = line->in.values[TRACE_REG_vbar_el1];
}

void twin_begin_to_follow(struct twin *twin, const struct trace_line *line)
{
    if (line->kind == TRACE_KIND_guest_exit)
        follow_exit(twin, line);
}

void twin_follow(struct twin *twin, const struct trace_effect *effect)
{
    const struct page_range pages = model_memory(twin->model);
    switch (effect->kind) {
    case TRACE_shadow_set: follow_shadow_set(twin, &effect->shadow_set); break;
    case TRACE_dirty_set: follow_dirty_set(twin, &effect->dirty_set); break;
    default: state_apply(twin->parts, &pages, effect); break;
    }
    if (twin->is_watched)
        twin_follow_maps(twin, effect, 1);
}

void twin_end_to_follow(struct twin *twin, const struct trace_line *line)
{
    if (line->kind == TRACE_KIND_gap)
        model_forget(twin->model, line->cpu);
    else
        model_leave(twin->model, line->cpu, &line->in, &line->out, line->to);
}

void twin_take_part(struct twin *twin, const struct trace_line *line, size_t count)
{
    twin_begin_to_follow(twin, line);
    for (size_t i = 0; i < count; i++) {
        twin_follow(twin, &line->fx[i]);
        twin_check_lock(twin, line->cpu, &line->fx[i], NULL);
    }
}

void twin_take_over(struct twin *twin, const struct trace_line *line)
{
    twin_begin_to_follow(twin, line);
    for (size_t i = 0; i < line->nfx; i++)
        twin_follow(twin, &line->fx[i]);
    twin_end_to_follow(twin, line);
}
