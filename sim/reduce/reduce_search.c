/* SPDX-License-Identifier: GPL-2.0-only */
#include "reduce/reduce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Delta debugging. A candidate is a choice of records; what the model cannot explain without those
 * that were left out is left out too, the moment it comes, and the model goes back to before it. So
 * a chunk goes together with all that depends on it, and whatever is found is consistent. A
 * candidate is good if the last record shows what it did. Where records are folded, one that is
 * left out still changes the state.
 */

/* --- One record ------------------------------------------------------------------------------ */

bool reduce_take(const struct reduce_goal *goal, struct twin *twin, const struct trace_line *line,
                 struct differences *found)
{
    char stuck[512];
    found->count = 0;
    if (!twin_can_replay(line)) {
        twin_take_over(twin, line, false);
        return true;
    }
    struct ledger ledger = {goal->profile->name, goal->is_off, found};
    twin_replay(twin, line, &ledger, stuck, sizeof stuck);
    const bool is_explained =
        found->count == 0 || deviations_explain(goal->profile->name, line, found, goal->is_off);
    if (twin_needs_take_over(twin, found))
        twin_take_over(twin, line, true);
    return is_explained;
}

static void print_side(const char *name, const struct trace_effect *effect, FILE *out)
{
    if (!effect)
        return;
    fprintf(out, " %s ", name);
    trace_print_effect(effect, out);
}

static void print_difference(const struct difference *difference, FILE *out)
{
    fputs(difference->path ? difference->path : "effect", out);
    if (!difference->field)
        fprintf(out, " 0x%" PRIx64 " 0x%" PRIx64, difference->model_value,
                difference->machine_value);
    print_side("model", difference->model, out);
    print_side("machine", difference->machine, out);
    fputc('\n', out);
}

char *reduce_unexplained(const struct differences *found)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = NULL;
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (found->list[i].deviation)
            continue;
        if (!out)
            out = open_memstream(&text, &length);
        if (!out)
            no_memory();
        print_difference(&found->list[i], out);
    }
    if (out)
        fclose(out);
    return text;
}

bool reduce_shows(const struct reduce_goal *goal, const struct differences *found)
{
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (found->list[i].deviation == goal->deviation)
            return true;
    }
    return false;
}

static bool has_line(const char *text, const char *line, size_t length)
{
    for (; *text; text += strcspn(text, "\n") + 1) {
        if (strncmp(text, line, length) == 0)
            return true;
    }
    return false;
}

/* Of a record that is not explained: was all of that unexplained in the full trace too? */
static bool is_no_worse(const struct reduce_record *record, const struct differences *found)
{
    if (!record->unexplained)
        return false;
    char *now = reduce_unexplained(found);
    bool good = true;
    for (const char *at = now; good && at && *at; at += strcspn(at, "\n") + 1)
        good = has_line(record->unexplained, at, strcspn(at, "\n") + 1);
    free(now);
    return good;
}

/* The same difference comes first, with the same values. */
static bool shows_the_same(const struct reduce_record *record, const struct differences *found)
{
    char *now = reduce_unexplained(found);
    const size_t length = strcspn(record->unexplained, "\n");
    const bool is_same = now && strncmp(now, record->unexplained, length + 1) == 0;
    free(now);
    return is_same;
}

/* --- Candidates ------------------------------------------------------------------------------ */

enum { PREFIXES_MAX = 256 };

struct search {
    struct reduction *reduction;
    struct reduce_image *here;                   /* before each record of a candidate */
    struct reduce_image *prefixes[PREFIXES_MAX]; /* before every `stride`-th record */
    size_t stride;
    size_t last; /* the number of the record that shows it */
    struct differences found;
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
    const struct reduce_record *record = record_at(search, number);
    return reduce_take(reduction->goal, reduction->twin, &record->line, &search->found) ||
           is_no_worse(record, &search->found);
}

/* The record that must show it. */
static bool take_last(struct search *search)
{
    const struct reduction *reduction = search->reduction;
    return take(search, search->last) &&
           (reduction->goal->deviation
                ? reduce_shows(reduction->goal, &search->found)
                : shows_the_same(record_at(search, search->last), &search->found));
}

static void leave_out(struct search *search, size_t number)
{
    const struct trace_line *effects = record_at(search, number)->effects;
    if (effects)
        twin_take_over(search->reduction->twin, effects, false);
}

/* The model stands before record `from`: try the candidate from there on. */
static bool try_candidate(struct search *search, size_t from)
{
    struct twin *twin = search->reduction->twin;
    for (size_t i = from; i < search->last; i++) {
        if (!search->is_candidate[i]) {
            leave_out(search, i);
            continue;
        }
        if (!search->is_needed[i])
            reduce_image_save(search->here, twin, &record_at(search, i)->line);
        if (take(search, i))
            continue;
        if (search->is_needed[i])
            return false;
        search->is_candidate[i] = false;
        reduce_image_load(search->here, twin);
        leave_out(search, i);
    }
    return take_last(search);
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
        if (search->is_kept[i])
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
    reduce_image_load(search->reduction->boot, search->reduction->twin);
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
    reduce_image_load(reduction->boot, reduction->twin);
    for (size_t i = 1; i < search->last && nth < reduction->nkept; i++) {
        if (!search->is_kept[i]) {
            leave_out(search, i);
            continue;
        }
        struct reduce_image **prefix = &search->prefixes[nth / search->stride];
        if (nth % search->stride == 0) {
            if (!*prefix)
                *prefix = reduce_image_new();
            reduce_image_save(*prefix, reduction->twin, NULL);
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
    make_prefixes(search);
    for (size_t end = whole; end > 0; end -= chunk < end ? chunk : end) {
        const size_t begin = chunk < end ? end - chunk : 0;
        const size_t prefix = begin / search->stride;
        if (begin >= reduction->nkept)
            continue;
        propose(search, begin, end < reduction->nkept ? end : reduction->nkept);
        reduce_image_load(search->prefixes[prefix], reduction->twin);
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
    for (unsigned kind = 0; kind < TRACE_KINDS && reduction->nkept > 0; kind++)
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
        count += search->is_kept[i] ? 0 : record_at(search, i)->effects->nfx;
    reduction->folded = need(malloc((count + 1) * sizeof *reduction->folded));
    for (size_t i = 1; i < search->last; i++) {
        const struct trace_line *effects = record_at(search, i)->effects;
        for (size_t j = 0; !search->is_kept[i] && j < effects->nfx; j++)
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
        twin_take_over(search->reduction->twin, &line, false);
}

void reduce_replay(const struct reduction *reduction)
{
    const size_t last = reduction->records->count - 1;
    struct trace_effect *fx = need(malloc((reduction->nfolded + 1) * sizeof *fx));
    struct differences found;
    struct trace_line line;
    size_t at = 0;
    reduce_image_load(reduction->boot, reduction->twin);
    for (size_t i = 0; i <= reduction->nkept && last > 0; i++) {
        const size_t number = i < reduction->nkept ? reduction->kept[i] : last;
        if (reduce_folded(reduction, &at, number, fx, &line))
            twin_take_over(reduction->twin, &line, false);
        if (number < last)
            reduce_take(reduction->goal, reduction->twin, &reduction->records->list[number]->line,
                        &found);
    }
    free(fx);
}

/* Do the kept records still say the same with no more effects of others than `folded`? */
static bool is_enough(struct search *search, struct trace_effect *fx)
{
    struct reduction *reduction = search->reduction;
    size_t at = 0;
    reduce_image_load(reduction->boot, reduction->twin);
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
    for (size_t at = 0; at < count;) {
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

void reduce_search(struct reduction *reduction, bool folds)
{
    const size_t count = reduction->records->count;
    struct search *search = need(calloc(1, sizeof *search));
    *search = (struct search){.reduction = reduction,
                              .here = reduce_image_new(),
                              .last = count - 1,
                              .is_kept = need(calloc(count, sizeof(bool))),
                              .is_needed = need(calloc(count, sizeof(bool))),
                              .is_candidate = need(calloc(count, sizeof(bool)))};
    reduction->kept = need(calloc(count, sizeof *reduction->kept));
    memset(search->is_candidate, true, count * sizeof(bool));
    accept(search);
    if (reduction->nkept > 0)
        reduce_records(search);
    if (folds && count > 1)
        reduce_effects(search);
    reduce_image_free(search->here);
    for (size_t i = 0; i < PREFIXES_MAX; i++)
        reduce_image_free(search->prefixes[i]);
    free(search->is_kept);
    free(search->is_needed);
    free(search->is_candidate);
    free(search);
}
