/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "base/effect_text.h"
#include "base/larger.h"
#include "timeline/timeline_parts.h"

/*
 * A scenario as a timeline: its records are its steps, with what it begins with as the first one.
 * It is played once, and the state behind each step is kept, which shares what they have in common.
 */

static void keep_state(void *context)
{
    struct timeline *timeline = context;
    timeline->states = larger(timeline->states, timeline->nstates, &timeline->states_size,
                              sizeof *timeline->states);
    const struct fh_rdata *state = fh_state_snapshot(timeline->at.scenario->state);
    if (!state)
        no_memory();
    timeline->states[timeline->nstates++] = state;
}

static const char *failure_of(const struct outcome *outcome, size_t step)
{
    for (size_t i = 0; i < outcome->nfailures; i++) {
        if (outcome->failures[i].step == step)
            return outcome->failures[i].message;
    }
    return NULL;
}

/* The step with this number, from 1; 0: before the first one. */
static void add_record(struct timeline *timeline, size_t number)
{
    static const struct step_trace nothing = {.step = NULL};
    const struct outcome *outcome = &timeline->outcome;
    const struct step *step = number > 0 ? &timeline->at.scenario->steps[number - 1] : NULL;
    struct trace_line *line = calloc(1, sizeof *line);
    if (!line)
        no_memory();
    line->seq = number;
    line->number = step ? step->node->line : 1;
    line->cpu = timeline->states[number]->curid;
    timeline->records =
        larger(timeline->records, timeline->count, &timeline->size, sizeof *timeline->records);
    timeline->records[timeline->count++] =
        (struct timeline_record){.line = line,
                                 .step = step ? &outcome->traces[number - 1] : &nothing,
                                 .failure = step ? failure_of(outcome, number) : NULL,
                                 .first = number,
                                 .count = 1};
}

bool timeline_play(struct timeline *timeline, const char *machine)
{
    const struct machine_wish wish = {.name = machine};
    struct machine_choice choice;
    if (!machine_choose("debug", &wish, &choice))
        return false;
    struct scenario *scenario = timeline->at.scenario = malloc(sizeof *scenario);
    if (!scenario)
        no_memory();
    if (!scenario_load(scenario, timeline->at.path, &choice))
        return false;
    scenario->behind = keep_state;
    scenario->behind_context = timeline;
    keep_state(timeline);
    play(scenario, true, &timeline->outcome);
    for (size_t i = 0; i < timeline->nstates; i++)
        add_record(timeline, i);
    return true;
}

void timeline_restore(struct timeline *timeline, size_t index)
{
    if (fh_state_restore(timeline->at.scenario->state, timeline->states[index]) != FH_OK)
        no_memory();
    timeline->now = index;
}

void timeline_print_step_effect(const struct timeline *timeline,
                                const struct timeline_record *record, size_t effect, FILE *out)
{
    effect_print(out, timeline->at.scenario->profile, &record->step->effects[effect]);
    if (record->step->panics[effect])
        fprintf(out, " %s", record->step->panics[effect]);
}

void timeline_forget_steps(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->nstates; i++)
        fh_snapshot_release(timeline->states[i], fh_state_allocator(timeline->at.scenario->state));
    free(timeline->states);
}
