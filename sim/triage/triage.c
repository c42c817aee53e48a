/* SPDX-License-Identifier: GPL-2.0-only */
#include "triage/triage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "triage/near.h"
#include "twin/difference.h"

enum { RECENT = 4096 };

/* A difference of an unexplained trap: what came of it may show later. */
struct recent {
    uint64_t subject, seq;
    uint64_t model, machine;
};

struct triage {
    const struct machine_description *machine;
    struct twin *twin;
    const char *file;
    size_t ngroups;
    uint64_t left_over;
    struct triage_group *groups[TRIAGE_GROUPS];
    struct triage_group *sorted[TRIAGE_GROUPS];
    bool is_sorted, is_new;
    uint64_t nrecent; /* in this trace */
    struct recent recent[RECENT];
    struct near_findings findings;
};

const char *triage_near_name(enum triage_near_kind kind)
{
    static const char *const names[] = {
#define NAME(kind, words) words,
        TRIAGE_NEAR_MAP(NAME)
#undef NAME
    };
    return names[kind];
}

struct triage *triage_new(const struct machine_description *machine)
{
    struct triage *triage = calloc(1, sizeof *triage);
    if (!triage)
        no_memory();
    triage->machine = machine;
    return triage;
}

void triage_free(struct triage *triage)
{
    for (size_t i = 0; triage && i < triage->ngroups; i++)
        free(triage->groups[i]);
    free(triage);
}

static struct triage_group *find(const struct triage *triage,
                                 const struct triage_signature *signature)
{
    for (size_t i = 0; i < triage->ngroups; i++) {
        if (triage_is_same(&triage->groups[i]->signature, signature))
            return triage->groups[i];
    }
    return NULL;
}

/* The twin stands before the trap: is it the first of a group? */
static bool is_first(void *context, const struct trace_line *line,
                     const struct trap_verdict *verdict)
{
    struct triage *triage = context;
    struct triage_signature signature;
    triage_sign(triage->twin, line, triage_lead(&verdict->found), &signature);
    triage->is_new = triage->ngroups < TRIAGE_GROUPS && !find(triage, &signature);
    return triage->is_new;
}

void triage_begin(struct triage *triage, struct twin *twin, const char *file)
{
    triage->twin = twin;
    triage->file = file;
    triage->nrecent = 0;
    twin_want_nearest(twin, is_first, triage);
}

/* --- What follows from traps before ---------------------------------------------------------- */

/*
 * The machine goes on as the model had it then, or the model as the machine: what the record said
 * of the trap before was not what happened, or it was and the model did not know.
 */
static bool comes_of(const struct recent *recent, uint64_t subject, uint64_t model,
                     uint64_t machine)
{
    return recent->subject == subject && (recent->model == machine || recent->machine == model);
}

static const struct recent *origin_of(const struct triage *triage, const struct trace_line *line,
                                      const struct difference *difference)
{
    uint64_t model, machine;
    const uint64_t subject = triage_subject(line, difference);
    const uint64_t oldest = triage->nrecent > RECENT ? triage->nrecent - RECENT : 0;
    if (subject == 0 || !triage_values(difference, &model, &machine))
        return NULL;
    for (uint64_t i = triage->nrecent; i > oldest; i--) {
        const struct recent *recent = &triage->recent[(i - 1) % RECENT];
        if (comes_of(recent, subject, model, machine))
            return recent;
    }
    return NULL;
}

/* The word of a field; false if the effect has none of that name. */
static bool word_of(const struct trace_effect *effect, const char *key, uint64_t *word)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(fields[i].key, key) != 0 || fields[i].format == TRACE_text ||
            fields[i].format == TRACE_list)
            continue;
        *word = trace_field_word(effect, &fields[i]);
        return true;
    }
    return false;
}

/* What the model, and what the machine, left in the place that a difference is about. */
static void values_left(const struct difference *difference, uint64_t *model, uint64_t *machine)
{
    const struct trace_effect *of_model = difference->model, *of_machine = difference->machine;
    *model = difference->model_value;
    *machine = difference->machine_value;
    if (of_model)
        word_of(of_model, "new", model);
    if (of_machine)
        word_of(of_machine, "new", machine);
    /* Where one did not write, there is what was before. */
    if (of_model && !of_machine)
        word_of(of_model, "old", machine);
    if (of_machine && !of_model)
        word_of(of_machine, "old", model);
}

static void remember(struct triage *triage, const struct trace_line *line,
                     const struct differences *found)
{
    for (size_t i = 0; i < differences_listed(found); i++) {
        struct recent recent = {.subject = triage_subject(line, &found->list[i]), .seq = line->seq};
        values_left(&found->list[i], &recent.model, &recent.machine);
        if (recent.subject != 0 && recent.model != recent.machine)
            triage->recent[triage->nrecent++ % RECENT] = recent;
    }
}

/* --- Groups ---------------------------------------------------------------------------------- */

static void count_beside(struct triage *triage, struct triage_group *group,
                         const struct trace_line *line, const struct differences *found)
{
    const uint64_t followers = triage_followers(found);
    for (size_t i = 1; i < differences_listed(found); i++) {
        struct triage_signature signature;
        size_t at = 0;
        if (followers >> i & 1)
            continue;
        triage_sign(triage->twin, line, &found->list[i], &signature);
        while (at < group->nbeside && !triage_is_same(&group->beside[at].signature, &signature))
            at++;
        if (triage_is_same(&group->signature, &signature) || at == TRIAGE_BESIDE)
            continue;
        group->beside[at].signature = signature;
        group->beside[at].traps++;
        group->nbeside += at == group->nbeside;
    }
}

static struct triage_group *new_group(struct triage *triage, const struct trace_line *line,
                                      const struct trap_verdict *verdict,
                                      const struct triage_signature *signature)
{
    const struct difference *lead = triage_lead(&verdict->found);
    struct triage_group *group = calloc(1, sizeof *group);
    if (!group)
        no_memory();
    group->signature = *signature;
    snprintf(group->first, sizeof group->first, "%s#%" PRIu64, triage->file, line->seq);
    snprintf(group->stuck, sizeof group->stuck, "%s", verdict->stuck);
    snprintf(group->panic, sizeof group->panic, "%s", verdict->panic);
    if (!twin_spec_caller(triage->twin, lead, group->inside, sizeof group->inside))
        group->inside[0] = '\0';
    difference_format(lead, "model", group->difference, sizeof group->difference);
    near_find(&triage->findings, triage->machine, verdict, lead, group);
    group->number = triage->ngroups;
    triage->groups[triage->ngroups++] = group;
    return group;
}

const struct triage_group *triage_trap(struct triage *triage, const struct trace_line *line,
                                       const struct trap_verdict *verdict, uint32_t broken)
{
    struct triage_signature signature;
    if (verdict->outcome == OUTCOME_EXPLAINED)
        near_learn(&triage->findings, triage->twin, line, verdict, triage->file);
    if (verdict->outcome != OUTCOME_DIVERGED)
        return NULL;
    const struct difference *lead = triage_lead(&verdict->found);
    triage_sign(triage->twin, line, lead, &signature);
    struct triage_group *group = find(triage, &signature);
    const struct recent *origin = origin_of(triage, line, lead);
    triage->is_sorted = false;
    if (!group && triage->ngroups < TRIAGE_GROUPS)
        group = new_group(triage, line, verdict, &signature);
    if (!group) {
        triage->left_over++;
        return NULL;
    }
    group->broken |= broken;
    group->following += origin != NULL;
    if (origin && group->traps == 0)
        snprintf(group->follows, sizeof group->follows, "%s#%" PRIu64, triage->file, origin->seq);
    group->traps++;
    count_beside(triage, group, line, &verdict->found);
    remember(triage, line, &verdict->found);
    return group;
}

/* --- Their order ----------------------------------------------------------------------------- */

/* What a group may mean for the isolation of VMs: broken invariants, then a check that is gone. */
static int weight(const struct triage_group *group)
{
    const bool goes_on = group->signature.relation == TRIAGE_only_model &&
                         strncmp(group->signature.effect, "panic", 5) == 0;
    if (triage_is_follower(group))
        return 0;
    return 1 + (group->broken != 0 ? 2 : 0) + (goes_on ? 1 : 0);
}

static int by_weight(const void *a, const void *b)
{
    const struct triage_group *const *first = a, *const *second = b;
    const int by = weight(*second) - weight(*first);
    if (by != 0)
        return by;
    if ((*first)->traps != (*second)->traps)
        return (*first)->traps > (*second)->traps ? -1 : 1;
    return (*first)->number < (*second)->number ? -1 : 1;
}

const struct triage_group *triage_group_at(struct triage *triage, size_t place)
{
    if (!triage->is_sorted) {
        memcpy(triage->sorted, triage->groups, triage->ngroups * sizeof *triage->groups);
        qsort(triage->sorted, triage->ngroups, sizeof *triage->sorted, by_weight);
        triage->is_sorted = true;
    }
    return place < triage->ngroups ? triage->sorted[place] : NULL;
}

bool triage_is_new(const struct triage *triage)
{
    return triage->is_new;
}

size_t triage_ngroups(const struct triage *triage)
{
    return triage->ngroups;
}

uint64_t triage_left_over(const struct triage *triage)
{
    return triage->left_over;
}

void triage_print_broken(const struct triage_group *group, const char *lead, FILE *out)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(group->broken >> i & 1))
            continue;
        fprintf(out, "%s%s", lead, fh_invariant_at(i)->name);
        lead = ", ";
    }
    if (group->broken)
        fputc('\n', out);
}
