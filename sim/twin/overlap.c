/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "predict/objects.h"
#include "twin/order.h"
#include "twin/twin_state.h"

/*
 * Traps that overlapped on several CPUs. The state goes from event to event, as it was recorded.
 * Each trap is predicted from the state in which it began, with what other CPUs did meanwhile as
 * the spec's oracle, and the prediction is compared and taken back.
 */

struct stay {
    const struct trace_line *line;
    struct trap_verdict *verdict;          /* NULL: it has not begun, or has ended */
    struct prediction by_machine, by_spec; /* which the verdict speaks of */
    size_t next;                           /* of its effects */
    bool has_ended;
};

struct overlap {
    struct twin *twin;
    struct stay *stays; /* by their beginnings */
    size_t count;
    size_t first; /* all before have ended */
    struct trace_effect *others;
    size_t nothers, others_size;
};

static void add_other(struct overlap *overlap, const struct trace_effect *effect)
{
    if (overlap->nothers == overlap->others_size) {
        overlap->others_size = overlap->others_size > 0 ? 2 * overlap->others_size : 64;
        overlap->others = realloc(overlap->others, overlap->others_size * sizeof *overlap->others);
        if (!overlap->others)
            no_memory();
    }
    overlap->others[overlap->nothers++] = *effect;
}

static int by_number(const void *a, const void *b)
{
    const struct trace_effect *first = a, *second = b;
    return first->g < second->g ? -1 : first->g > second->g;
}

/* What other CPUs changed from the beginning of this stay to its end. */
static void find_others(struct overlap *overlap, const struct stay *stay)
{
    const uint64_t begin = stay->line->g0, end = order_end_of(stay->line);
    overlap->nothers = 0;
    for (size_t i = overlap->first; i < overlap->count; i++) {
        const struct trace_line *line = overlap->stays[i].line;
        if (line->g0 >= end)
            break;
        for (size_t j = 0; line != stay->line && j < line->nfx; j++) {
            const struct trace_effect *effect = &line->fx[j];
            if (effect->g > begin && effect->g < end &&
                object_of_effect(&overlap->twin->profile, effect).kind != OBJECT_NONE)
                add_other(overlap, effect);
        }
    }
    if (overlap->nothers > 0)
        qsort(overlap->others, overlap->nothers, sizeof *overlap->others, by_number);
}

static void swap_predictions(struct twin *twin, struct stay *stay)
{
    const struct prediction by_machine = twin->by_machine, by_spec = twin->by_spec;
    twin->by_machine = stay->by_machine;
    twin->by_spec = stay->by_spec;
    stay->by_machine = by_machine;
    stay->by_spec = by_spec;
}

static void begin(struct overlap *overlap, struct stay *stay)
{
    struct twin *twin = overlap->twin;
    stay->verdict = calloc(1, sizeof *stay->verdict);
    if (!stay->verdict)
        no_memory();
    find_others(overlap, stay);
    twin_predict(twin, stay->line, overlap->others, overlap->nothers, stay->verdict);
    model_undo(twin->model);
    swap_predictions(twin, stay);
    twin_begin_to_follow(twin, stay->line);
}

static void step(struct overlap *overlap, struct stay *stay)
{
    const struct trace_effect *effect = &stay->line->fx[stay->next++];
    twin_check_lock(overlap->twin, stay->line->cpu, effect, stay->verdict);
    twin_follow(overlap->twin, effect);
}

/* Does another CPU than this one hold a lock? */
static bool is_between(const struct twin *twin, uint64_t cpu)
{
    for (size_t i = 0; i < twin->nlocks; i++) {
        if (twin->locks[i].cpu != cpu)
            return true;
    }
    return false;
}

static void end(struct overlap *overlap, struct stay *stay, twin_told *told, void *context)
{
    twin_end_to_follow(overlap->twin, stay->line);
    twin_settle(stay->verdict);
    overlap->twin->line = stay->line;
    swap_predictions(overlap->twin, stay);
    overlap->twin->is_between = is_between(overlap->twin, stay->line->cpu);
    told(context, stay->line, stay->verdict);
    overlap->twin->is_between = false;
    prediction_free(&stay->by_machine);
    prediction_free(&stay->by_spec);
    free(stay->verdict);
    stay->verdict = NULL;
    stay->has_ended = true;
    while (overlap->first < overlap->count && overlap->stays[overlap->first].has_ended)
        overlap->first++;
}

/* The number of what happens next in a stay. */
static uint64_t next_event(const struct stay *stay)
{
    if (!stay->verdict)
        return stay->line->g0;
    return stay->next < stay->line->nfx ? stay->line->fx[stay->next].g : order_end_of(stay->line);
}

/* The stay in which the next event is; NULL when all have ended. */
static struct stay *next_stay(struct overlap *overlap)
{
    struct stay *next = NULL;
    for (size_t i = overlap->first; i < overlap->count; i++) {
        struct stay *stay = &overlap->stays[i];
        if (stay->has_ended)
            continue;
        if (!next || next_event(stay) < next_event(next))
            next = stay;
        if (!stay->verdict)
            break;
    }
    return next;
}

void twin_replay_together(struct twin *twin, const struct trace_line *const *lines, size_t count,
                          twin_told *told, void *context)
{
    struct overlap overlap = {.twin = twin, .count = count};
    twin->is_held = false;
    model_hold(twin->model, false);
    overlap.stays = calloc(count, sizeof *overlap.stays);
    if (!overlap.stays)
        no_memory();
    for (size_t i = 0; i < count; i++)
        overlap.stays[i].line = lines[i];
    for (struct stay *stay; (stay = next_stay(&overlap));) {
        if (!stay->verdict)
            begin(&overlap, stay);
        else if (stay->next < stay->line->nfx)
            step(&overlap, stay);
        else
            end(&overlap, stay, told, context);
    }
    free(overlap.stays);
    free(overlap.others);
}
