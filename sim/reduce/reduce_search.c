/* SPDX-License-Identifier: GPL-2.0-only */
#include "reduce/reduce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"

/*
 * Delta debugging. A candidate is a choice of records; what the model cannot explain without those
 * that were left out is left out too, the moment it comes, and the model goes back to before it. So
 * a chunk goes together with all that depends on it, and whatever is found is consistent. A
 * candidate is good if the last record shows what it did. Where records are folded, one that is
 * left out still changes the state.
 */

/* --- One record ------------------------------------------------------------------------------ */

static bool has_line(const char *text, const char *line, size_t length)
{
    for (; *text; text += strcspn(text, "\n") + 1) {
        if (strncmp(text, line, length) == 0)
            return true;
    }
    return false;
}

/* Of a record that is not explained: was all of that unexplained in the full trace too? */
static bool is_no_worse(const struct reduce_record *record, const char *now)
{
    if (!record->unexplained)
        return false;
    for (const char *at = now; at && *at; at += strcspn(at, "\n") + 1) {
        if (!has_line(record->unexplained, at, strcspn(at, "\n") + 1))
            return false;
    }
    return true;
}

/* The difference that was chosen is there, with the same values; the first comes first. */
static bool shows_the_same(const struct reduce_goal *goal, const struct reduce_record *record,
                           const char *now)
{
    const char *line = record->unexplained;
    for (uint64_t i = 1; i < goal->difference; i++)
        line += strcspn(line, "\n") + 1;
    const size_t length = strcspn(line, "\n") + 1;
    if (goal->difference == 1)
        return now && strncmp(now, line, length) == 0;
    return now && has_line(now, line, length);
}

bool reduce_is_as_recorded(const struct reduce_record *record, const struct reduce_outcome *outcome)
{
    return outcome->is_explained || is_no_worse(record, outcome->unexplained);
}

bool reduce_is_shown(const struct reduce_goal *goal, const struct reduce_record *last,
                     const struct reduce_outcome *outcome)
{
    if (!reduce_is_as_recorded(last, outcome))
        return false;
    return goal->entry || goal->shows ? outcome->shows
                                      : shows_the_same(goal, last, outcome->unexplained);
}

/* --- Candidates ------------------------------------------------------------------------------ */

enum { PREFIXES_MAX = 256 };

struct search {
    struct reduction *reduction;
    struct twin_image *here;                   /* before each record of a candidate */
    struct twin_image *prefixes[PREFIXES_MAX]; /* before every `stride`-th record */
    size_t stride;
    size_t last;                              /* the number of the record that shows it */
    bool *is_kept, *is_needed, *is_candidate; /* by number; needed: left out, the goal is lost */
};

static void *need(void *memory)
{
    if (!memory)
        no_memory();
    return memory;
}

static const struct reduce_record *record_at(const struct search *search, size_t number)
{
    return search->reduction->records->list[number];
}

static bool take(struct search *search, size_t number)
{
    const struct reduction *reduction = search->reduction;
    struct reduce_outcome outcome =
        reduce_take(reduction->goal, reduction->twin, reduction->records, number);
    const bool is_good = reduce_is_as_recorded(record_at(search, number), &outcome);
    free(outcome.unexplained);
    return is_good;
}

/* The record that must show it. */
static bool take_last(struct search *search)
{
    const struct reduction *reduction = search->reduction;
    const struct reduce_record *record = record_at(search, search->last);
    twin_set_credit(reduction->twin, CREDIT_ALL);
    struct reduce_outcome outcome =
        reduce_take(reduction->goal, reduction->twin, reduction->records, search->last);
    twin_set_credit(reduction->twin, CREDIT_NONE);
    const bool is_good = reduce_is_shown(reduction->goal, record, &outcome);
    free(outcome.unexplained);
    return is_good;
}

/* Records go with the first that they overlapped with. */
static bool is_head(const struct search *search, size_t number)
{
    return record_at(search, number)->head == number;
}

static void leave_out(struct search *search, size_t number)
{
    const struct trace_line *effects = record_at(search, number)->effects;
    if (effects)
        twin_take_over(search->reduction->twin, effects);
}

/* The model stands before record `from`: try the candidate from there on. */
static bool try_candidate(struct search *search, size_t from)
{
    struct twin *twin = search->reduction->twin;
    for (size_t i = from; i < search->last; i++) {
        if (!search->is_candidate[record_at(search, i)->head]) {
            leave_out(search, i);
            continue;
        }
        if (!is_head(search, i))
            continue;
        if (!search->is_needed[i])
            twin_image_save(search->here, twin);
        if (take(search, i))
            continue;
        if (search->is_needed[i])
            return false;
        search->is_candidate[i] = false;
        twin_image_load(search->here, twin);
        leave_out(search, i);
    }
    return take_last(search);
}

/* Is the time up? What was found so far is consistent. */
static bool is_late(const struct reduction *reduction)
{
    return reduction->deadline > 0 && progress_clock() > reduction->deadline;
}

static void report(const struct reduction *reduction, double done)
{
    if (reduction->progress)
        reduction->progress(reduction->context, reduction->nkept, done);
}

/* What is kept from now on: the candidate. */
static void accept(struct search *search)
{
    struct reduction *reduction = search->reduction;
    memcpy(search->is_kept, search->is_candidate, (search->last + 1) * sizeof *search->is_kept);
    reduction->nkept = 0;
    for (size_t i = 1; i < search->last; i++) {
        if (search->is_kept[i] && is_head(search, i))
            reduction->kept[reduction->nkept++] = i;
    }
}

/* The candidate is what is kept, without those from the `begin`-th to before the `end`-th. */
static void propose(struct search *search, size_t begin, size_t end)
{
    memcpy(search->is_candidate, search->is_kept, (search->last + 1) * sizeof *search->is_kept);
    for (size_t i = begin; i < end; i++)
        search->is_candidate[search->reduction->kept[i]] = false;
}

static bool try_from_start(struct search *search)
{
    twin_image_load(search->reduction->boot, search->reduction->twin);
    if (!try_candidate(search, 1))
        return false;
    accept(search);
    return true;
}

/* --- Chunks ---------------------------------------------------------------------------------- */

/* Keep the model before every so many of the kept records, to begin there. */
static void make_prefixes(struct search *search)
{
    struct reduction *reduction = search->reduction;
    size_t nth = 0;
    search->stride = (reduction->nkept + PREFIXES_MAX - 1) / PREFIXES_MAX;
    twin_image_load(reduction->boot, reduction->twin);
    for (size_t i = 1; i < search->last && nth < reduction->nkept; i++) {
        if (!search->is_kept[record_at(search, i)->head]) {
            leave_out(search, i);
            continue;
        }
        if (!is_head(search, i))
            continue;
        struct twin_image **prefix = &search->prefixes[nth / search->stride];
        if (nth % search->stride == 0) {
            if (!*prefix)
                *prefix = twin_image_new();
            twin_image_save(*prefix, reduction->twin);
        }
        take(search, i);
        nth++;
    }
}

/*
 * Go over the chunks of this size once, from the back: what comes before a chunk stays as it was.
 * True if one went.
 */
static bool sweep(struct search *search, size_t chunk)
{
    struct reduction *reduction = search->reduction;
    const size_t whole = reduction->nkept;
    bool any = false;
    if (is_late(reduction))
        return false;
    make_prefixes(search);
    for (size_t end = whole; end > 0 && !is_late(reduction); end -= chunk < end ? chunk : end) {
        const size_t begin = chunk < end ? end - chunk : 0;
        const size_t prefix = begin / search->stride;
        if (begin >= reduction->nkept)
            continue;
        propose(search, begin, end < reduction->nkept ? end : reduction->nkept);
        twin_image_load(search->prefixes[prefix], reduction->twin);
        if (try_candidate(search, reduction->kept[prefix * search->stride])) {
            accept(search);
            any = true;
        } else if (chunk == 1) {
            search->is_needed[reduction->kept[begin]] = true;
        }
        report(reduction, 1 - (double)begin / (double)whole);
    }
    return any;
}

/* Without any of one kind: most records of a trace are faults that build the host's tables. */
static void drop_kind(struct search *search, enum trace_kind kind)
{
    propose(search, 0, 0);
    for (size_t i = 1; i < search->last; i++) {
        if (record_at(search, i)->line.kind == kind)
            search->is_candidate[i] = false;
    }
    try_from_start(search);
    report(search->reduction, 0);
}

static void reduce_records(struct search *search)
{
    struct reduction *reduction = search->reduction;
    propose(search, 0, reduction->nkept);
    if (try_from_start(search))
        return;
    for (unsigned kind = 0; kind < TRACE_KINDS && reduction->nkept > 0 && !is_late(reduction);
         kind++)
        drop_kind(search, (enum trace_kind)kind);
    for (size_t chunk = reduction->nkept / 2; chunk > 1; chunk /= 2)
        sweep(search, chunk);
    while (sweep(search, 1))
        ;
}

/* --- Effects of records that are left out ---------------------------------------------------- */

/* Keep the effects of all records that are left out. */
static void collect(struct search *search)
{
    struct reduction *reduction = search->reduction;
    size_t count = 0;
    for (size_t i = 1; i < search->last; i++)
        count +=
            search->is_kept[record_at(search, i)->head] ? 0 : record_at(search, i)->effects->nfx;
    reduction->folded = need(malloc((count + 1) * sizeof *reduction->folded));
    for (size_t i = 1; i < search->last; i++) {
        const struct trace_line *effects = record_at(search, i)->effects;
        for (size_t j = 0; !search->is_kept[record_at(search, i)->head] && j < effects->nfx; j++)
            reduction->folded[reduction->nfolded++] = (struct reduce_effect){i, effects->fx[j]};
    }
}

bool reduce_folded(const struct reduction *reduction, size_t *at, size_t end,
                   struct trace_effect *fx, struct trace_line *line)
{
    const size_t begin = *at;
    while (*at < reduction->nfolded && reduction->folded[*at].record < end)
        (*at)++;
    const size_t count = *at - begin;
    if (count == 0)
        return false;
    const struct reduce_record *first = reduction->records->list[reduction->folded[begin].record];
    /* Numbers rise from effect to effect, and are those of the recording if they can be. */
    uint64_t before = UINT64_MAX;
    for (size_t i = count; i-- > 0;) {
        fx[i] = reduction->folded[begin + i].effect;
        if (fx[i].g >= before)
            fx[i].g = before - 1;
        before = fx[i].g;
    }
    *line = (struct trace_line){.has = TRACE_HAS_CPU | TRACE_HAS_EVENTS | TRACE_HAS_IN |
                                       TRACE_HAS_FX | TRACE_HAS_TO | TRACE_HAS_OUT,
                                .kind = TRACE_KIND_gap,
                                .seq = first->line.seq,
                                .cpu = first->line.cpu,
                                .g0 = fx[0].g - 1,
                                .g1 = fx[count - 1].g + 1,
                                .to = TRACE_TO_host,
                                .nfx = count,
                                .fx = fx};
    return true;
}

static void take_folded(struct search *search, size_t *at, size_t end, struct trace_effect *fx)
{
    struct trace_line line;
    if (reduce_folded(search->reduction, at, end, fx, &line))
        twin_take_over(search->reduction->twin, &line);
}

void reduce_replay(const struct reduction *reduction)
{
    const size_t last = reduction->records->list[reduction->records->count - 1]->head;
    struct trace_effect *fx = need(malloc((reduction->nfolded + 1) * sizeof *fx));
    struct trace_line line;
    size_t at = 0;
    twin_image_load(reduction->boot, reduction->twin);
    for (size_t i = 0; i <= reduction->nkept && last > 0; i++) {
        const size_t number = i < reduction->nkept ? reduction->kept[i] : last;
        if (reduce_folded(reduction, &at, number, fx, &line))
            twin_take_over(reduction->twin, &line);
        if (number < last)
            free(reduce_take(reduction->goal, reduction->twin, reduction->records, number)
                     .unexplained);
    }
    free(fx);
}

/* Do the kept records still say the same with no more effects of others than `folded`? */
static bool is_enough(struct search *search, struct trace_effect *fx)
{
    struct reduction *reduction = search->reduction;
    size_t at = 0;
    twin_image_load(reduction->boot, reduction->twin);
    for (size_t i = 0; i < reduction->nkept; i++) {
        take_folded(search, &at, reduction->kept[i], fx);
        if (!take(search, reduction->kept[i]))
            return false;
    }
    take_folded(search, &at, search->last, fx);
    return take_last(search);
}

/* Leave out chunks of effects; true if one went. */
static bool sweep_effects(struct search *search, size_t chunk, struct trace_effect *fx)
{
    struct reduction *reduction = search->reduction;
    struct reduce_effect *all = reduction->folded;
    size_t count = reduction->nfolded;
    bool any = false;
    reduction->folded = need(malloc((count + 1) * sizeof *all));
    for (size_t at = 0; at < count && !is_late(reduction);) {
        const size_t gone = chunk < count - at ? chunk : count - at;
        memcpy(reduction->folded, all, at * sizeof *all);
        memcpy(reduction->folded + at, all + at + gone, (count - at - gone) * sizeof *all);
        reduction->nfolded = count - gone;
        report(reduction, (double)at / (double)count);
        if (!is_enough(search, fx)) {
            at += gone;
            continue;
        }
        memcpy(all, reduction->folded, reduction->nfolded * sizeof *all);
        count = reduction->nfolded;
        any = true;
    }
    free(reduction->folded);
    reduction->folded = all;
    reduction->nfolded = count;
    return any;
}

static void reduce_effects(struct search *search)
{
    struct reduction *reduction = search->reduction;
    collect(search);
    struct trace_effect *fx = need(malloc((reduction->nfolded + 1) * sizeof *fx));
    for (size_t chunk = reduction->nfolded; chunk > 1; chunk /= 2)
        sweep_effects(search, chunk, fx);
    while (reduction->nfolded > 0 && sweep_effects(search, 1, fx))
        ;
    free(fx);
}

/* --- The search ------------------------------------------------------------------------------ */

static struct search *begin_search(struct reduction *reduction)
{
    const size_t count = reduction->records->count;
    struct search *search = need(calloc(1, sizeof *search));
    *search = (struct search){.reduction = reduction,
                              .here = twin_image_new(),
                              .last = reduction->records->list[count - 1]->head,
                              .is_kept = need(calloc(count, sizeof(bool))),
                              .is_needed = need(calloc(count, sizeof(bool))),
                              .is_candidate = need(calloc(count, sizeof(bool)))};
    twin_set_credit(reduction->twin, CREDIT_NONE);
    return search;
}

static void end_search(struct search *search)
{
    struct twin *twin = search->reduction->twin;
    twin_image_free(search->here, twin);
    for (size_t i = 0; i < PREFIXES_MAX; i++)
        twin_image_free(search->prefixes[i], twin);
    free(search->is_kept);
    free(search->is_needed);
    free(search->is_candidate);
    free(search);
}

void reduce_search(struct reduction *reduction, bool folds)
{
    const size_t count = reduction->records->count;
    struct search *search = begin_search(reduction);
    reduction->kept = need(calloc(count, sizeof *reduction->kept));
    memset(search->is_candidate, true, count * sizeof(bool));
    accept(search);
    if (reduction->nkept > 0)
        reduce_records(search);
    if (folds && count > 1)
        reduce_effects(search);
    end_search(search);
}

bool reduce_fold(struct reduction *reduction)
{
    struct search *search = begin_search(reduction);
    search->is_candidate[search->last] = true;
    for (size_t i = 0; i < reduction->nkept; i++)
        search->is_candidate[reduction->kept[i]] = true;
    const bool is_shown = search->last == 0 || try_from_start(search);
    if (is_shown && search->last > 0)
        reduce_effects(search);
    end_search(search);
    return is_shown;
}
