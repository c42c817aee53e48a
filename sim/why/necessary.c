/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "why/why.h"

/*
 * Replays without traps. The traps of the answer are taken by the model, all others are taken over
 * as they are recorded. What the model can no longer explain without a trap that was left out is
 * left out too, the moment it comes. So a trap goes together with all that depends on it.
 */

/* Is the effect that was asked about among those that the machine has and the model has not? */
static bool is_missing(const struct why *why, const struct trace_line *line,
                       const struct trap_verdict *verdict)
{
    const struct trace_effect *effect = &line->fx[why->effect];
    if (verdict->outcome != OUTCOME_DIVERGED)
        return false;
    if (verdict->stuck[0] || verdict->found.count > DIFFERENCES_MAX)
        return true;
    for (size_t i = 0; i < verdict->found.count; i++) {
        if (verdict->found.list[i].machine == effect)
            return true;
    }
    return false;
}

bool why_shows(void *context, struct twin *twin, const struct trace_line *line,
               const struct trap_verdict *verdict)
{
    const struct why *why = context;
    switch (why->kind) {
    case WHY_DIFFERENCE: return verdict->outcome == OUTCOME_DIVERGED;
    case WHY_DEVIATION: return credits_has(&verdict->credits, why->goal.index);
    case WHY_INVARIANT: return fh_check_invariants(twin_state(twin), NULL) >> why->invariant & 1;
    case WHY_EFFECT: return !is_missing(why, line, verdict);
    default: return true;
    }
}

struct judge {
    struct why *why;
    size_t last; /* the record's head */
    struct twin_image *here;
    size_t *trap_at; /* by a record's head: the trap of the answer, 0: none */
    bool is_out[WHY_TRAPS];
};

static size_t head_of(const struct judge *judge, size_t record)
{
    return judge->why->records->list[record]->head;
}

static bool take_last(const struct judge *judge)
{
    const struct why *why = judge->why;
    struct twin *twin = why->reduction.twin;
    const struct reduce_record *record = why->records->list[judge->last];
    twin_set_credit(twin, CREDIT_ALL);
    struct reduce_outcome outcome = reduce_take(&why->goal, twin, why->records, judge->last);
    twin_set_credit(twin, CREDIT_NONE);
    const bool is_shown =
        why->kind == WHY_EFFECT ? outcome.shows : reduce_is_shown(&why->goal, record, &outcome);
    free(outcome.unexplained);
    return is_shown;
}

static void take_one(const struct judge *judge, size_t head)
{
    const struct why *why = judge->why;
    struct twin *twin = why->reduction.twin;
    twin_image_save(judge->here, twin);
    struct reduce_outcome outcome = reduce_take(&why->goal, twin, why->records, head);
    if (!reduce_is_as_recorded(why->records->list[head], &outcome))
        twin_image_load(judge->here, twin);
    free(outcome.unexplained);
}

/* A record as it is; of a trap of the host that comes back to the host, what it did to the state.
 */
static void take_over(const struct why *why, size_t i)
{
    const struct reduce_record *record = why->records->list[i];
    const struct trace_line *line = &record->line;
    const bool stays = line->kind != TRACE_KIND_guest_exit && line->to == TRACE_TO_host;
    twin_take_over(why->reduction.twin, stays ? record->effects : line);
}

/* The state is that before record `from`: does it come about without those that are out? */
static bool comes_about(const struct judge *judge, size_t from)
{
    const struct why *why = judge->why;
    for (size_t i = from; i < judge->last; i++) {
        const size_t head = head_of(judge, i), trap = judge->trap_at[head];
        if (trap == 0)
            take_over(why, i);
        else if (i == head && !judge->is_out[trap])
            take_one(judge, head);
    }
    return take_last(judge);
}

/* As it was: with the model before each of the traps, and what is not explained anyway. */
static bool follow(struct judge *judge)
{
    struct why *why = judge->why;
    struct twin *twin = why->reduction.twin;
    twin_image_load(why->reduction.boot, twin);
    for (size_t i = 1; i <= judge->last; i++) {
        struct reduce_record *record = why->records->list[i];
        const size_t trap = i == judge->last ? 0 : judge->trap_at[record->head];
        if (i < judge->last && trap == 0) {
            take_over(why, i);
            continue;
        }
        if (i != record->head)
            continue;
        if (!why->traps[trap].before)
            why->traps[trap].before = twin_image_new();
        twin_image_save(why->traps[trap].before, twin);
        struct reduce_outcome outcome = reduce_take(&why->goal, twin, why->records, i);
        free(record->unexplained);
        record->unexplained = outcome.unexplained;
    }
    if (judge->last == 0)
        return false;
    twin_image_load(why->traps[0].before, twin);
    return take_last(judge);
}

static bool comes_without(struct judge *judge, const size_t *traps, size_t count)
{
    const struct why *why = judge->why;
    size_t first = traps[0];
    memset(judge->is_out, 0, sizeof judge->is_out);
    for (size_t i = 0; i < count; i++) {
        judge->is_out[traps[i]] = true;
        if (why->traps[traps[i]].record < why->traps[first].record)
            first = traps[i];
    }
    twin_image_load(why->traps[first].before, why->reduction.twin);
    return comes_about(judge, head_of(judge, why->traps[first].record));
}

/* Whatever comes about without several comes about without one of them. */
static void judge_some(struct judge *judge, const size_t *traps, size_t count)
{
    struct why *why = judge->why;
    if (count == 0)
        return;
    progress_show(&why->progress, (double)traps[0] / (double)why->ntraps, "without #%" PRIu64,
                  why_line(why, why->traps[traps[0]].record)->seq);
    if (comes_without(judge, traps, count))
        return;
    if (count == 1) {
        why->traps[traps[0]].is_necessary = true;
        return;
    }
    judge_some(judge, traps, count / 2);
    judge_some(judge, traps + count / 2, count - count / 2);
}

/* With all up to record `end`, and nothing between it and the last? */
static bool comes_from(const struct judge *judge, size_t end)
{
    const struct why *why = judge->why;
    struct twin *twin = why->reduction.twin;
    twin_image_load(why->reduction.boot, twin);
    for (size_t i = 1; i < judge->last && head_of(judge, i) <= end; i++)
        twin_take_over(twin, &why->records->list[i]->line);
    return take_last(judge);
}

static int by_record(const void *a, const void *b)
{
    const size_t one = *(const size_t *)a, other = *(const size_t *)b;
    return one < other ? -1 : one > other;
}

/* Not before the last trap that is necessary. */
static void find_inevitable(struct judge *judge)
{
    struct why *why = judge->why;
    size_t ends[WHY_TRAPS], count = 0, necessary = 0;
    ends[count++] = 0;
    for (size_t i = 1; i < why->ntraps; i++) {
        ends[count++] = head_of(judge, why->traps[i].record);
        if (why->traps[i].is_necessary && ends[count - 1] > necessary)
            necessary = ends[count - 1];
    }
    qsort(ends, count, sizeof *ends, by_record);
    for (size_t i = 0; i < count && !why->is_inevitable; i++) {
        if (ends[i] < necessary || !comes_from(judge, ends[i]))
            continue;
        why->is_inevitable = true;
        why->inevitable = ends[i];
    }
}

/* The causes of these traps, judged. */
static void judge_level(struct judge *judge, size_t begin, size_t end)
{
    struct why *why = judge->why;
    size_t traps[WHY_TRAPS], count = 0;
    for (size_t i = begin; i < end; i++) {
        if (i == 0 || why->traps[i].is_necessary)
            why_add_causes(why, i, WHY_TRAPS);
    }
    for (size_t i = end; i < why->ntraps; i++)
        judge->trap_at[head_of(judge, why->traps[i].record)] = i;
    why->is_found = follow(judge);
    /* What did not matter before may matter to one that came in later. */
    for (size_t i = 1; i < why->ntraps; i++) {
        if (!why->traps[i].is_necessary)
            traps[count++] = i;
    }
    if (why->is_found)
        judge_some(judge, traps, count);
}

static size_t count_necessary(const struct why *why)
{
    size_t count = 0;
    for (size_t i = 1; i < why->ntraps; i++)
        count += why->traps[i].is_necessary;
    return count;
}

void why_judge(struct why *why)
{
    struct judge judge = {.why = why,
                          .last = why->records->list[why->records->count - 1]->head,
                          .here = twin_image_new(),
                          .trap_at = calloc(why->records->count, sizeof(size_t))};
    if (!judge.trap_at)
        no_memory();
    twin_set_credit(why->reduction.twin, CREDIT_NONE);
    why->is_judged = true;
    why->is_found = true;
    for (size_t begin = 0, end = 0; why->is_found && begin < why->ntraps && end < why->ntraps &&
                                    count_necessary(why) <= why->most;
         begin = end) {
        end = why->ntraps;
        judge_level(&judge, begin, end);
    }
    if (why->is_found)
        find_inevitable(&judge);
    for (size_t i = 0; i < why->ntraps; i++)
        twin_image_free(why->traps[i].before, why->reduction.twin);
    twin_image_free(judge.here, why->reduction.twin);
    free(judge.trap_at);
}
