/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include "machine/model.h"

#include <stdlib.h>
#include <string.h>

/*
 * A machine may know that an exception return that stays at EL2 is its end. Records go on, with the
 * exception that comes of it: that is for the rule to tell.
 */
static void leave_to_rules(struct twin *twin)
{
    unsigned departure;
    for (unsigned i = 0; catalogue_at(twin->description, i); i++) {
        const struct machine_entry *entry = catalogue_at(twin->description, i);
        if (entry->breaks == MACHINE_BREAKS_return_below &&
            fh_machine_find_departure(twin->code, entry->id, &departure))
            fh_departures_remove(&twin->machine, departure);
    }
}

struct twin *twin_new(const struct machine_description *machine)
{
    struct twin *twin = calloc(1, sizeof *twin);
    if (!twin)
        no_memory();
    twin->description = machine;
    twin->code = machine_model(machine, true);
    twin->machine = fh_machine_departures(twin->code);
    leave_to_rules(twin);
    return twin;
}

void twin_free(struct twin *twin)
{
    if (!twin)
        return;
    model_free(twin->model);
    prediction_free(&twin->by_machine);
    prediction_free(&twin->by_spec);
    prediction_free(&twin->other);
    free(twin->answers.list);
    free(twin->places);
    free(twin);
}

void twin_leave_out(struct twin *twin, const struct credits *left_out)
{
    unsigned departure;
    twin->left_out = *left_out;
    for (unsigned i = 0; catalogue_at(twin->description, i); i++)
        if (credits_has(left_out, i) &&
            fh_machine_find_departure(twin->code, catalogue_at(twin->description, i)->id,
                                      &departure))
            fh_departures_remove(&twin->machine, departure);
}

void twin_set_credit(struct twin *twin, enum credit credit)
{
    twin->credit = credit;
}

bool twin_can_replay(const struct trace_line *line)
{
    return line->kind != TRACE_KIND_gap;
}

/* --- One trap -------------------------------------------------------------------------------- */

static void tell_stuck(const struct prediction *prediction, char *text, size_t size)
{
    text[0] = '\0';
    if (prediction->error.status != FH_OK)
        fh_error_format(&prediction->error, text, size);
}

/* Predicted effects, in the words of the machine's recorder; how many they are then. */
static size_t reword(const struct twin *twin, struct trace_effect *effects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct trace_effect *effect = &effects[i];
        if (effect->kind == TRACE_shadow_set)
            effect->shadow_set.idx =
                machine_register_recorded(twin->description, effect->shadow_set.idx);
    }
    return machine_reword(twin->description, effects, count);
}

void twin_take(struct twin *twin, struct prediction *prediction)
{
    model_take(twin->model, &twin->inputs, prediction);
    prediction->neffects = reword(twin, prediction->effects, prediction->neffects);
}

void twin_take_again(struct twin *twin, const struct fh_departures *set,
                     struct prediction *prediction, struct differences *found)
{
    found->count = 0;
    model_undo(twin->model);
    model_depart(twin->model, set);
    twin_take(twin, prediction);
    compare_prediction(twin->description, prediction, twin->line, found);
}

/*
 * Does what was predicted so far agree with the record? Of the last effects nothing is said: what
 * comes behind may add to them, and a recorder may write them in another order.
 */
static bool agrees_so_far(void *context, const struct trace_effect *effects, size_t count)
{
    enum { OPEN = 128 };
    const struct twin *twin = context;
    struct trace_effect *copy = malloc(count * sizeof *copy);
    if (!copy)
        no_memory();
    memcpy(copy, effects, count * sizeof *copy);
    const size_t reworded = reword(twin, copy, count);
    const bool agrees =
        reworded < OPEN || compare_prefix(copy, reworded - OPEN, twin->line->fx, twin->line->nfx);
    free(copy);
    return agrees;
}

bool twin_differs(struct twin *twin, const struct fh_departures *set)
{
    struct differences found;
    model_ask(twin->model, agrees_so_far, twin);
    twin_take_again(twin, set, &twin->other, &found);
    model_ask(twin->model, NULL, NULL);
    return twin->other.is_cut || found.count > 0;
}

void twin_take_as_spec(struct twin *twin, struct trap_verdict *verdict)
{
    twin_take_again(twin, &twin->none, &twin->by_spec, &verdict->spec);
    tell_stuck(&twin->by_spec, verdict->spec_stuck, sizeof verdict->spec_stuck);
    verdict->has_spec = true;
}

void twin_take_as_machine(struct twin *twin)
{
    model_undo(twin->model);
    model_depart(twin->model, &twin->machine);
    twin_take(twin, &twin->by_machine);
    model_asked(twin->model);
}

void twin_want_spec(struct twin *twin, twin_wanted *wanted, void *context)
{
    twin->wanted = wanted;
    twin->wanted_context = context;
}

void twin_want_nearest(struct twin *twin, twin_wants_nearest *wanted, void *context)
{
    twin->wants_nearest = wanted;
    twin->nearest_context = context;
}

/* For who shows the trap; the model is left where it stands. */
static void add_spec(struct twin *twin, struct trap_verdict *verdict)
{
    if (verdict->has_spec || !twin->wanted || !twin->wanted(twin->wanted_context, verdict->outcome))
        return;
    twin_take_as_spec(twin, verdict);
    twin_take_as_machine(twin);
}

static void judge(struct twin *twin, struct trap_verdict *verdict,
                  const struct fh_departures *asked)
{
    if (!fh_departures_are_none(asked))
        twin_give_credit(twin, asked, verdict);
    twin_check_rules(twin, verdict);
}

void twin_settle(struct trap_verdict *verdict)
{
    verdict->outcome = verdict->found.count > 0              ? OUTCOME_DIVERGED
                       : credits_are_none(&verdict->credits) ? OUTCOME_MATCHED
                                                             : OUTCOME_EXPLAINED;
    if (verdict->outcome == OUTCOME_DIVERGED)
        verdict->credits = (struct credits){{0}};
}

void twin_predict(struct twin *twin, const struct trace_line *line,
                  const struct trace_effect *others, size_t nothers, struct trap_verdict *verdict)
{
    verdict->found.count = 0;
    verdict->has_spec = false;
    verdict->spec.count = 0;
    verdict->spec_stuck[0] = '\0';
    verdict->credits = (struct credits){{0}};
    verdict->nearest.id = NULL;
    verdict->panic[0] = '\0';
    twin->line = line;
    twin->inputs = inputs_of(twin->description, line, &twin->answers);
    twin->inputs.others = others;
    twin->inputs.nothers = nothers;
    twin_note_changes(twin, line);
    model_asked(twin->model);
    twin_take(twin, &twin->by_machine);
    const struct fh_departures asked = model_asked(twin->model);
    tell_stuck(&twin->by_machine, verdict->stuck, sizeof verdict->stuck);
    compare_with_itself(twin->description, line, &verdict->found);
    compare_prediction(twin->description, &twin->by_machine, line, &verdict->found);
    if (verdict->found.count == 0)
        judge(twin, verdict, &asked);
    twin_settle(verdict);
    if (verdict->outcome == OUTCOME_DIVERGED && twin->wants_nearest &&
        twin->wants_nearest(twin->nearest_context, line, verdict))
        twin_find_nearest(twin, &asked, verdict);
    add_spec(twin, verdict);
}

/* One that nothing overlaps: the model goes on from its prediction, where that is right. */
static void replay_alone(struct twin *twin, const struct trace_line *line, twin_told *told,
                         void *context)
{
    struct trap_verdict *verdict = &twin->verdict;
    if (!twin_can_replay(line)) {
        *verdict = (struct trap_verdict){.outcome = OUTCOME_NOT_REPLAYED};
        twin->line = line;
        twin_take_over(twin, line);
        told(context, line, verdict);
        return;
    }
    twin->is_held = false;
    model_hold(twin->model, twin->is_watched);
    twin_predict(twin, line, NULL, 0, verdict);
    twin_check_locks(twin, line, verdict);
    twin_settle(verdict);
    if (verdict->outcome == OUTCOME_DIVERGED) {
        model_undo(twin->model);
        twin_take_over(twin, line);
    } else if (twin->is_watched) {
        twin_hold(twin, verdict);
        twin_follow_maps(twin, line->fx, line->nfx);
    }
    told(context, line, verdict);
}

void twin_replay(struct twin *twin, const struct trace_line *const *lines, size_t count,
                 twin_told *told, void *context)
{
    if (count == 1)
        replay_alone(twin, lines[0], told, context);
    else
        twin_replay_together(twin, lines, count, told, context);
}
