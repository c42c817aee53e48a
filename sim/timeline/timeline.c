/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/larger.h"
#include "timeline/timeline_parts.h"
#include "trace/trace_keep.h"

/* Records from one image to the next. */
enum { STRIDE = 64 };

/* --- The first time --------------------------------------------------------------------------- */

static void begins(void *context)
{
    struct timeline *timeline = context;
    const size_t last = timeline->nimages > 0 ? timeline->images[timeline->nimages - 1].first : 0;
    timeline->begun = timeline->count;
    if (timeline->nimages > 0 && timeline->count < last + STRIDE)
        return;
    timeline->images = larger(timeline->images, timeline->nimages, &timeline->images_size,
                              sizeof *timeline->images);
    struct twin_image *image = twin_image_new();
    twin_image_save(image, timeline->at.twin);
    timeline->images[timeline->nimages].image = image;
    timeline->images[timeline->nimages++].first = timeline->count;
}

static void keep(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct timeline *timeline = context;
    struct fh_invariant_report report;
    timeline->records =
        larger(timeline->records, timeline->count, &timeline->size, sizeof *timeline->records);
    struct timeline_record *record = &timeline->records[timeline->count];
    *record = (struct timeline_record){.line = trace_keep(line),
                                       .outcome = OUTCOME_MATCHED,
                                       .first = verdict ? timeline->begun : timeline->count,
                                       .count = 1};
    if (!verdict) {
        watch_boot(&timeline->watch, timeline->at.twin, &report);
    } else {
        record->outcome = verdict->outcome;
        record->credits = verdict->credits;
        record->broken = watch_trap(&timeline->watch, timeline->at.twin, &report);
        watch_note(&timeline->watch, record->broken, &report);
        for (size_t i = record->first; i <= timeline->count; i++)
            timeline->records[i].count = timeline->count - record->first + 1;
    }
    timeline->count++;
}

struct timeline *timeline_open(const char *path, const char *machine)
{
    struct timeline *timeline = calloc(1, sizeof *timeline);
    if (!timeline)
        no_memory();
    const bool is_named = subject_point(&timeline->at, path);
    const bool done =
        is_named && (subject_is_scenario(&timeline->at)
                         ? timeline_play(timeline, machine)
                         : subject_walk(&timeline->at, machine, begins, keep, timeline));
    if (!done || timeline->count == 0) {
        timeline_close(timeline);
        return NULL;
    }
    timeline->now = timeline->count - 1;
    return timeline;
}

void timeline_close(struct timeline *timeline)
{
    timeline_forget_steps(timeline);
    for (size_t i = 0; i < timeline->nimages; i++)
        twin_image_free(timeline->images[i].image, timeline->at.twin);
    for (size_t i = 0; i < timeline->count; i++)
        free(timeline->records[i].line);
    free(timeline->images);
    free(timeline->records);
    subject_close(&timeline->at);
    free(timeline);
}

/* --- Going ------------------------------------------------------------------------------------ */

static void pass(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct timeline *timeline = context;
    struct fh_invariant_report report;
    watch_trap(&timeline->watch, timeline->at.twin, &report);
    if (timeline->told && line->seq == timeline->wanted)
        timeline->told(timeline->context, line, verdict);
}

/* The records that overlapped with this one, all of them. */
static void replay_at(struct timeline *timeline, size_t first)
{
    const size_t count = timeline->records[first].count;
    const struct trace_line **lines = malloc(count * sizeof *lines);
    if (!lines)
        no_memory();
    for (size_t i = 0; i < count; i++)
        lines[i] = timeline->records[first + i].line;
    twin_replay(timeline->at.twin, lines, count, pass, timeline);
    free(lines);
    timeline->now = first + count - 1;
}

/* The last image that is not behind the record. */
static size_t image_before(const struct timeline *timeline, size_t index)
{
    size_t low = 0, high = timeline->nimages;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (timeline->images[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Go to the state before the record `first`, which begins those that overlap. */
static void go_before(struct timeline *timeline, size_t first)
{
    const size_t image = image_before(timeline, first);
    size_t next = timeline->now == TIMELINE_INSIDE ? SIZE_MAX : timeline->now + 1;
    if (next > first || next < timeline->images[image].first) {
        twin_image_load(timeline->images[image].image, timeline->at.twin);
        next = timeline->images[image].first;
    }
    timeline->told = NULL;
    twin_set_credit(timeline->at.twin, CREDIT_NONE);
    for (; next < first; next = timeline->now + 1)
        replay_at(timeline, next);
}

void timeline_go(struct timeline *timeline, size_t index)
{
    const struct timeline_record *record = &timeline->records[index];
    if (timeline->states) {
        timeline_restore(timeline, index);
        return;
    }
    if (timeline->nimages == 0 || timeline->now == record->first + record->count - 1)
        return; /* there is nothing but the boot record, or it stands there */
    if (index == 0) {
        go_before(timeline, 1);
        timeline->now = 0;
        return;
    }
    go_before(timeline, record->first);
    replay_at(timeline, record->first);
}

void timeline_judge(struct timeline *timeline, size_t index, twin_told *told, void *context,
                    const struct fh_rdata **before)
{
    const struct timeline_record *record = &timeline->records[index];
    if (before)
        *before = NULL;
    if (timeline->states) {
        timeline_restore(timeline, index - (index > 0));
        if (before && index > 0 && !(*before = fh_state_snapshot(timeline_state(timeline))))
            no_memory();
        timeline_restore(timeline, index);
        return;
    }
    if (index == 0) {
        timeline_go(timeline, 0);
        told(context, record->line, NULL);
        return;
    }
    go_before(timeline, record->first);
    if (before && !(*before = fh_state_snapshot(timeline_state(timeline))))
        no_memory();
    timeline->wanted = record->line->seq;
    timeline->told = told;
    timeline->context = context;
    twin_set_credit(timeline->at.twin, CREDIT_ALL);
    replay_at(timeline, record->first);
    twin_set_credit(timeline->at.twin, CREDIT_NONE);
    timeline->told = NULL;
}

void timeline_enter(struct timeline *timeline, size_t index, size_t count)
{
    const struct timeline_record *record = &timeline->records[index];
    if (timeline->states) {
        timeline_restore(timeline,
                         index - (index > 0 && count < timeline_effects(timeline, index)));
        return;
    }
    if (timeline->nimages == 0 || index == 0) {
        timeline_go(timeline, index);
        return;
    }
    go_before(timeline, record->first);
    for (size_t i = record->first; i < index; i++)
        twin_take_part(timeline->at.twin, timeline->records[i].line,
                       timeline->records[i].line->nfx);
    twin_take_part(timeline->at.twin, record->line, count);
    timeline->now = TIMELINE_INSIDE;
}

/* --- To look at ------------------------------------------------------------------------------- */

bool timeline_find(const struct timeline *timeline, uint64_t seq, size_t *index)
{
    for (size_t i = 0; i < timeline->count; i++) {
        if (timeline->records[i].line->seq == seq) {
            *index = i;
            return true;
        }
    }
    return false;
}

size_t timeline_effects(const struct timeline *timeline, size_t index)
{
    const struct timeline_record *record = &timeline->records[index];
    return record->step ? record->step->neffects : record->line->nfx;
}

void timeline_print_effect(const struct timeline *timeline, size_t index, size_t effect, FILE *out)
{
    const struct timeline_record *record = &timeline->records[index];
    if (record->step)
        timeline_print_step_effect(timeline, record, effect, out);
    else
        trace_print_effect(&record->line->fx[effect], out);
}

bool timeline_is_scenario(const struct timeline *timeline)
{
    return timeline->states;
}

const char *timeline_path(const struct timeline *timeline)
{
    return timeline->at.path;
}

const struct machine_description *timeline_machine(const struct timeline *timeline)
{
    return timeline->at.machine;
}

size_t timeline_count(const struct timeline *timeline)
{
    return timeline->count;
}

const struct timeline_record *timeline_at(const struct timeline *timeline, size_t index)
{
    return &timeline->records[index];
}

size_t timeline_now(const struct timeline *timeline)
{
    return timeline->now;
}

struct twin *timeline_twin(struct timeline *timeline)
{
    return timeline->at.twin;
}

struct fh_state *timeline_state(struct timeline *timeline)
{
    return timeline->states ? timeline->at.scenario->state : twin_state(timeline->at.twin);
}
