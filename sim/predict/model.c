/* SPDX-License-Identifier: GPL-2.0-only */
#include "predict/model_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "predict/others.h"
#include "predict/take.h"

static struct fh_state *new_state(struct model *model)
{
    const struct fh_environment environment = model_environment(model);
    const struct fh_config config = {.machine = model->machine,
                                     .profile = model->profile,
                                     .allocator = fh_malloc_allocator(),
                                     .environment = &environment,
                                     .log_policy = FH_LOG_SUMMARY,
                                     .realisation = FH_CONCRETE,
                                     .simple_locks = true};
    struct fh_state *state = fh_state_new(&config);
    if (!state)
        no_memory();
    return state;
}

struct model *model_new(const struct fh_machine *machine, const struct fh_profile *profile)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        no_memory();
    model->machine = machine;
    model->profile = profile;
    model->state = new_state(model);
    state_parts_find(&model->parts, model->state, profile);
    return model;
}

void model_free(struct model *model)
{
    if (!model)
        return;
    fh_state_free(model->state);
    free(model);
}

struct fh_state *model_state(struct model *model)
{
    return model->state;
}

const struct state_parts *model_parts(const struct model *model)
{
    return &model->parts;
}

const struct fh_profile *model_profile(const struct model *model)
{
    return model->profile;
}

void model_set_memory(struct model *model, const struct page_range *pages)
{
    model->first_pfn = pages->first_pfn;
    model->pages = pages->count;
}

struct page_range model_memory(const struct model *model)
{
    return (struct page_range){model->first_pfn, model->pages};
}

void model_set_reset(struct model *model, uint64_t row, uint64_t value)
{
    if (row < MODEL_RESETS)
        model->resets[row] = value;
}

void model_set_vtcr(struct model *model, uint64_t value)
{
    model->vtcr = value;
}

void model_set_contexts(struct model *model, uint64_t address, uint64_t size)
{
    model->contexts = address;
    model->context_size = size;
}

bool model_has_page(const struct model *model, uint64_t index)
{
    return index < model->pages;
}

uint64_t model_first_pfn(const struct model *model)
{
    return model->first_pfn;
}

void model_running(const struct model *model, uint64_t cpu, uint64_t *vmid, uint64_t *vcpuid)
{
    *vmid = model->cpus[cpu].vmid;
    *vcpuid = model->cpus[cpu].vcpuid;
}

void prediction_free(struct prediction *prediction)
{
    free(prediction->effects);
    *prediction = (struct prediction){0};
}

void model_take(struct model *model, const struct trap_inputs *inputs, struct prediction *result)
{
    enum { FIRST_PAUSE = 512 };
    struct run run = {.inputs = inputs,
                      .result = result,
                      .clearing = NOT_CLEARING,
                      .pause = model->goes_on ? FIRST_PAUSE : PREDICTION_EFFECTS};
    if (inputs->cpu >= model->ncpus)
        model->ncpus = (unsigned)inputs->cpu + 1;
    model->last = inputs->kind == TRACE_KIND_el2_exception ? MODEL_CPUS : inputs->cpu;
    model->before = model->cpus[inputs->cpu];
    model->run = &run;
    model_settle(model);
    if (model->holds && fh_begin(model->state) == FH_NOMEM)
        no_memory();
    model->is_held = model->holds;
    others_begin(model);
    take_trap(model);
    others_end(model);
    model->run = NULL;
}

void model_ask(struct model *model, model_goes_on *goes_on, void *context)
{
    model->goes_on = goes_on;
    model->goes_on_context = context;
}

void model_hold(struct model *model, bool holds)
{
    model->holds = holds;
}

void model_settle(struct model *model)
{
    if (model->is_held)
        fh_keep(model->state);
    model->is_held = false;
}

void model_undo(struct model *model)
{
    if (model->last == MODEL_CPUS)
        return;
    if (fh_undo(model->state) == FH_NOMEM)
        no_memory();
    model->is_held = false;
    model->cpus[model->last] = model->before;
    model->last = MODEL_CPUS;
}

static uint64_t at_end(const struct trace_registers *in, const struct trace_registers *out,
                       enum trace_register reg)
{
    return out->present >> reg & 1 ? out->values[reg] : in->values[reg];
}

/* Who runs on the CPU, in the state. */
static void set_current(struct model *model, uint64_t cpu, uint64_t vmid, uint64_t vcpuid)
{
    if (fh_trap_switch(model->state, cpu) != FH_OK)
        no_memory();
    struct fh_rdata *rdata = fh_state_edit_cpu(model->state);
    if (!rdata)
        no_memory();
    rdata->cur_vmid = vmid;
    rdata->cur_vcpuid = (int64_t)(vmid == 0 ? fh_trap_host_vcpuid(model->state) : vcpuid);
    rdata->ihost = vmid == 0;
    rdata->icore = false;
}

/* The host waits while a vCPU runs, with the registers with which it called. */
static void keep_host(struct model *model, const struct trace_registers *in)
{
    struct fh_ctxt *host = parts_edit_ctxt(&model->parts, model->profile->HOSTVISOR,
                                           fh_trap_host_vcpuid(model->state));
    memcpy(&host->ctxt_regs.x0, in->x, sizeof in->x);
    take_kept_registers(host, in);
}

void model_leave(struct model *model, uint64_t number, const struct trace_registers *in,
                 const struct trace_registers *out, enum trace_end end)
{
    struct model_cpu *cpu = &model->cpus[number];
    const bool is_guest = end == TRACE_TO_guest;
    const bool was_host = cpu->vmid == 0;
    if (number >= model->ncpus)
        model->ncpus = (unsigned)number + 1;
    cpu->vmid = is_guest ? at_end(in, out, TRACE_REG_vmid) : 0;
    cpu->vcpuid = is_guest ? at_end(in, out, TRACE_REG_vcpuid) : 0;
    cpu->el2.present = in->present | out->present;
    for (unsigned i = 0; i < TRACE_REGISTERS; i++)
        cpu->el2.values[i] = at_end(in, out, (enum trace_register)i);
    cpu->is_lost = false;
    set_current(model, number, cpu->vmid, cpu->vcpuid);
    if (is_guest && was_host)
        keep_host(model, in);
}

void model_forget(struct model *model, uint64_t cpu)
{
    model->cpus[cpu].el2.present = 0;
    model->cpus[cpu].is_lost = false;
}

/* --- Departures ------------------------------------------------------------------------------ */

void model_depart(struct model *model, const struct fh_departures *set)
{
    fh_state_depart(model->state, set);
}

struct fh_departures model_asked(struct model *model)
{
    return fh_state_asked(model->state);
}

/* --- Going back ------------------------------------------------------------------------------ */

void model_mark(struct model *model, struct model_mark *mark)
{
    model_unmark(model, mark);
    mark->state = fh_state_snapshot(model->state);
    mark->cpus = malloc((model->ncpus + 1) * sizeof *mark->cpus);
    if (!mark->cpus)
        no_memory();
    mark->ncpus = model->ncpus;
    memcpy(mark->cpus, model->cpus, model->ncpus * sizeof *mark->cpus);
}

void model_return(struct model *model, const struct model_mark *mark)
{
    model_settle(model);
    fh_state_restore(model->state, mark->state);
    memset(model->cpus, 0, model->ncpus * sizeof *model->cpus);
    memcpy(model->cpus, mark->cpus, mark->ncpus * sizeof *mark->cpus);
    model->ncpus = mark->ncpus;
}

void model_unmark(struct model *model, struct model_mark *mark)
{
    if (mark->state)
        fh_snapshot_release(mark->state, fh_state_allocator(model->state));
    free(mark->cpus);
    *mark = (struct model_mark){0};
}
