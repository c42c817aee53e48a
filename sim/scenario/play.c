/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/play.h"

#include <inttypes.h>
#include <string.h>

#include "patch/number.h"
#include "scenario/access.h"
#include "scenario/cpus.h"

/* --- Registers -------------------------------------------------------------------------------- */

static const struct fh_type *regs_type(void)
{
    return FH_FIELD_TYPE(fh_rdata_type(), rdata, regs);
}

static void write_registers(struct fh_ctxt *ctxt, const struct registers *registers)
{
    for (size_t i = 0; i < registers->count; i++) {
        const struct register_value *value = &registers->values[i];
        fh_scalar_set(value->field->type, (char *)&ctxt->ctxt_regs + value->field->offset,
                      value->value);
    }
}

/* The saved context of a vCPU, to be written. */
static struct fh_ctxt *shadow_ctxt(struct fh_rdata *adt, const struct fh_allocator *allocator,
                                   uint64_t context)
{
    const struct fh_type *map = FH_FIELD_TYPE(fh_rdata_type(), rdata, shadow_ctxts);
    bool existed;
    void *entry =
        fh_map_edit(&adt->shadow_ctxts, &map->value->as_value, allocator, context, &existed);
    return entry && fh_ref_own(map->value, entry, allocator) ? *(void **)entry : NULL;
}

/*
 * A trap writes the machine's registers. What KCore then saves of them, as the first thing that it
 * does, is saved here already, so that the state before the step has it.
 */
static enum fh_status enter_trap(struct fh_state *state, const struct step *step)
{
    struct fh_rdata *adt = fh_state_edit(state);
    if (!adt || !fh_ref_own(regs_type(), &adt->regs, fh_state_allocator(state)))
        return FH_NOMEM;
    write_registers(adt->regs, &step->actor.registers);
    if (step->trap->by_vm == adt->ihost)
        return FH_OK;
    if (!step->trap->by_vm)
        return fh_host_to_core(state);
    enum fh_status status = fh_vm_to_core(state);
    return status == FH_OK ? fh_exit_populate_fault(state) : status;
}

/* Where the host runs, it traps in its own context, whoever was current in a call before. */
static void enter_host(const struct scenario *scenario, struct fh_rdata *adt)
{
    const struct fh_profile *k = scenario->profile;
    uint64_t vcpuid =
        adt->curid == scenario->cpu ? scenario->host_vcpuid : cpus_host_vcpuid(k, adt->curid);
    adt->cur_vmid = k->HOSTVISOR;
    adt->cur_vcpuid = (int64_t)vcpuid;
}

/* A call on behalf of a vCPU finds its registers saved. */
static enum fh_status enter_call(struct fh_state *state, const struct actor *actor)
{
    struct fh_rdata *adt = fh_state_edit(state);
    uint64_t context = actor->vmid * fh_state_profile(state)->VCPU_PER_VM + actor->vcpuid;
    struct fh_ctxt *ctxt = adt ? shadow_ctxt(adt, fh_state_allocator(state), context) : NULL;
    if (!ctxt)
        return FH_NOMEM;
    adt->cur_vmid = actor->vmid;
    adt->cur_vcpuid = (int64_t)actor->vcpuid;
    write_registers(ctxt, &actor->registers);
    return FH_OK;
}

/* --- Counters --------------------------------------------------------------------------------- */

static const void *entry_of(enum fh_rdata_field field, const struct fh_map *map, uint64_t key)
{
    const struct fh_type *type = fh_rdata_type()->fields[field].type;
    return fh_map_get(map, &type->value->as_value, key);
}

static const struct fh_log *lock_log(const struct fh_rdata *adt, uint64_t lock)
{
    return entry_of(FH_FIELD_rdata_log, &adt->log, lock);
}

/* How many values of a data oracle were read for a VM. */
static uint64_t values_read(const struct fh_rdata *adt, bool core, uint64_t vmid)
{
    return *(
        const uint64_t *)(core ? entry_of(FH_FIELD_rdata_core_data_log, &adt->core_data_log, vmid)
                               : entry_of(FH_FIELD_rdata_data_log, &adt->data_log, vmid));
}

/* --- Steps ------------------------------------------------------------------------------------ */

struct player {
    struct scenario *scenario;
    struct outcome *outcome;
    struct recorder *recorder; /* NULL if nobody wants effects */
    struct cpus *cpus;
};

/*
 * Who runs on the CPU behind a trap is a field that only TrapHandler keeps. Behind one of
 * TrapHandlerRaw it follows from who is current.
 */
static enum fh_status perform_trap(struct fh_state *state, const struct step *step)
{
    enum fh_status status = step->trap->play[step->layer](state);
    const struct fh_rdata *after = fh_state_rdata(state);
    bool is_host = after->cur_vmid == fh_state_profile(state)->HOSTVISOR;
    if (status != FH_OK || step->layer != TRAP_RAW || after->halt || after->ihost == is_host)
        return status;
    struct fh_rdata *adt = fh_state_edit(state);
    if (!adt)
        return FH_NOMEM;
    adt->ihost = is_host;
    return FH_OK;
}

static enum fh_status perform(struct fh_state *state, const struct step *step, uint64_t *result)
{
    if (step->kind == STEP_CALL)
        return fh_invoke(state, step->function, step->args, step->function->nargs, result);
    return perform_trap(state, step);
}

/* The registers of the one who acts. False if he cannot. */
static bool enter(const struct judge *judge)
{
    struct scenario *scenario = judge->scenario;
    const struct step *step = judge->step;
    const struct fh_rdata *now = fh_state_rdata(scenario->state);
    enum fh_status status = FH_OK;
    if (step->kind == STEP_TRAP && step->layer == TRAP_RAW && now->ihost == step->trap->by_vm) {
        judge_fail(judge, NULL, "%s runs on CPU %" PRIu64 ": %s", now->ihost ? "the host" : "a VM",
                   now->curid, now->ihost ? "no VM can exit" : "it has to exit first");
        return false;
    }
    if (step->kind == STEP_TRAP) {
        struct fh_rdata *adt = now->ihost ? fh_state_edit(scenario->state) : NULL;
        if (adt)
            enter_host(scenario, adt);
        status = enter_trap(scenario->state, step);
    } else if (step->actor.given) {
        status = enter_call(scenario->state, &step->actor);
    }
    if (status != FH_OK)
        judge_fail(judge, NULL, "the registers cannot be set: %s", fh_status_message(status));
    return status == FH_OK;
}

/* The call or trap as often as the step says, up to one that is stuck. */
static void perform_all(const struct judge *judge)
{
    struct fh_state *state = judge->scenario->state;
    const struct step *step = judge->step;
    for (uint64_t i = 0; i < step->repeat && judge->outcome->verdict == VERDICT_PASSED; i++) {
        uint64_t result = 0;
        if (i > 0 && !enter(judge))
            return;
        bool halted = fh_state_rdata(state)->halt;
        enum fh_status status = perform(state, step, &result);
        judge_status(judge, status);
        if (status != FH_OK)
            return;
        judge_result(judge, result);
        judge_halt(judge, i == 0, halted, fh_state_rdata(state)->halt);
    }
}

static void note_stuck(struct player *player, struct step_trace *trace)
{
    const struct fh_error *error = fh_state_error(player->scenario->state);
    char reason[300];
    if (error->status == FH_OK)
        return;
    fh_error_format(error, reason, sizeof reason);
    trace->stuck = arena_strdup(player->scenario->arena, reason, strlen(reason));
}

/* The step's own events and data, for where the logs and oracles are now. */
static void begin_script(const struct judge *judge)
{
    for (unsigned what = 0; what < FH_QUESTIONS; what++) {
        if (judge->step->has_answer >> what & 1)
            script_answer(judge->scenario->script, what, judge->step->answers[what]);
    }
    struct scenario *scenario = judge->scenario;
    const struct step_script *script = &judge->step->script;
    const struct fh_rdata *adt = fh_state_rdata(scenario->state);
    struct patch_error error;
    for (size_t i = 0; i < script->nevents; i++) {
        const struct step_events *events = &script->events[i];
        uint64_t length = events->atomic ? adt->slog.length : lock_log(adt, events->lock)->length;
        if (!script_add_events(scenario->script, events->atomic, events->lock,
                               length + events->after, events->list, adt, scenario->profile,
                               &error))
            judge_fail(judge, events->list, "events: %s", error.message);
    }
    for (size_t i = 0; i < script->ndata; i++) {
        const struct step_datum *datum = &script->data[i];
        uint64_t n = values_read(adt, datum->core, datum->vmid);
        if (!script_add_datum(scenario->script, datum->core, datum->vmid, n + datum->after,
                              datum->value))
            judge_fail(judge, NULL, "out of memory");
    }
}

/* Events that the step never came to are a mistake of the scenario. */
static void end_script(const struct judge *judge, const struct fh_rdata *before)
{
    const struct step_script *script = &judge->step->script;
    const struct fh_rdata *after = fh_state_rdata(judge->scenario->state);
    script_end_step(judge->scenario->script);
    if (judge->outcome->verdict != VERDICT_PASSED || judge->step->expect.stuck)
        return;
    for (size_t i = 0; i < script->nevents; i++) {
        const struct step_events *events = &script->events[i];
        uint64_t was =
            events->atomic ? before->slog.length : lock_log(before, events->lock)->length;
        uint64_t is = events->atomic ? after->slog.length : lock_log(after, events->lock)->length;
        if (is <= was + events->after)
            judge_fail(judge, events->list,
                       "events: they did not happen, the log grew by %" PRIu64 " only", is - was);
    }
}

static void act(struct player *player, const struct judge *judge, struct step_trace *trace)
{
    struct fh_state *state = judge->scenario->state;
    struct fh_rules rules;
    if (!enter(judge))
        return;
    fh_rules_begin(&rules, judge->scenario->profile);
    if (judges_rules(judge->scenario, judge->step))
        recorder_watch_rules(player->recorder, &rules);
    const struct fh_rdata *before = fh_state_snapshot(state);
    begin_script(judge);
    if (trace)
        recorder_watch(player->recorder, trace);
    if (judge->step->kind == STEP_ACCESS)
        access_play(judge, trace);
    else
        perform_all(judge);
    if (trace) {
        recorder_watch(player->recorder, NULL);
        note_stuck(player, trace);
        recorder_note_changes(player->scenario, trace, before, fh_state_rdata(state));
    }
    judge_effects(judge, trace);
    judge_changes(judge, before, fh_state_rdata(state));
    judge_values(judge, fh_state_rdata(state));
    if (judges_rules(judge->scenario, judge->step)) {
        recorder_watch_rules(player->recorder, NULL);
        judge_rules(judge, &rules);
    }
    end_script(judge, before);
    fh_snapshot_release(before, fh_state_allocator(state));
}

static void set(struct player *player, const struct judge *judge, struct step_trace *trace)
{
    struct fh_state *state = judge->scenario->state;
    struct patch_numbers numbers = number_patches(judge->scenario->profile);
    struct patch_error error = {0};
    const struct fh_rdata *before = fh_state_snapshot(state);
    struct fh_rdata *adt = fh_state_edit(state);
    if (!adt || !patch_apply(fh_rdata_type(), adt, fh_state_allocator(state), judge->step->patch,
                             &numbers, NULL, &error))
        judge_fail(judge, judge->step->patch, "%s", adt ? error.message : "out of memory");
    if (trace)
        recorder_note_changes(player->scenario, trace, before, fh_state_rdata(state));
    fh_snapshot_release(before, fh_state_allocator(state));
}

static void play_step(struct player *player, const struct judge *judge)
{
    struct step_trace *trace =
        player->outcome->traces ? &player->outcome->traces[judge->number - 1] : NULL;
    if (trace)
        trace->step = judge->step;
    if (judge->step->cpu_node &&
        !cpus_switch(player->cpus, player->scenario->state, judge->step->cpu))
        judge_fail(judge, judge->step->cpu_node, "out of memory");
    switch (judge->step->kind) {
    case STEP_TRAP:
    case STEP_ACCESS:
    case STEP_CALL: act(player, judge, trace); break;
    case STEP_SET: set(player, judge, trace); break;
    case STEP_CHECK:
        if (judge->step->invariants)
            judge_invariants(judge);
        else
            judge_values(judge, fh_state_rdata(judge->scenario->state));
        break;
    }
}

/* With `invariants: always` they hold before the step, and must behind it. */
static void play_and_check(struct player *player, const struct judge *judge)
{
    struct fh_state *state = judge->scenario->state;
    if (!judge->scenario->invariants) {
        play_step(player, judge);
        return;
    }
    const struct fh_rdata *before = fh_state_snapshot(state);
    play_step(player, judge);
    judge_invariants_after(judge, before);
    fh_snapshot_release(before, fh_state_allocator(state));
}

static bool wants_effects(const struct scenario *scenario)
{
    bool wants = scenario->has_rules || scenario->looks_at_effects;
    for (size_t i = 0; i < scenario->nsteps; i++)
        wants = wants || judges_rules(scenario, &scenario->steps[i]);
    return wants;
}

void play(struct scenario *scenario, bool trace, struct outcome *outcome)
{
    const bool is_recorded = trace || wants_effects(scenario);
    struct player player = {scenario, outcome, is_recorded ? recorder_new(scenario) : NULL,
                            cpus_new(scenario->arena)};
    *outcome = (struct outcome){.scenario = scenario};
    if (trace || scenario->looks_at_effects)
        outcome->traces = arena_alloc(scenario->arena, scenario->nsteps * sizeof *outcome->traces);
    if (scenario->invariants)
        judge_invariants_at_start(scenario, outcome);
    for (size_t i = 0; i < scenario->nsteps && outcome->verdict == VERDICT_PASSED; i++) {
        struct judge judge = {scenario, outcome, &scenario->steps[i], (unsigned)i + 1};
        play_and_check(&player, &judge);
        if (scenario->budget.is_exceeded)
            judge_no_memory(&judge);
        outcome->played++;
        if (scenario->behind)
            scenario->behind(scenario->behind_context);
    }
    cpus_free(player.cpus, &scenario->allocator);
}
