/* SPDX-License-Identifier: GPL-2.0-only */
#include "triage/survey.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "convert/recognise.h"
#include "twin/order.h"
#include "twin/watch.h"

/* --- Replaying some traces ------------------------------------------------------------------- */

struct run;
typedef void run_told(struct run *run, const struct trace_line *line, struct trap_verdict *verdict);

struct run {
    const struct machine_description *machine;
    struct twin *twin; /* of the trace */
    size_t file;
    const char *name; /* of the trace, in reports */
    bool is_over;     /* nothing more is wanted */
    run_told *told;
    bool (*begins)(struct run *run);
    void *context;
};

static void pass_on(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct run *run = context;
    if (!run->is_over && verdict->outcome != OUTCOME_NOT_REPLAYED)
        run->told(run, line, verdict);
}

/* "dir/01_host_only.jsonl.zst": 01_host_only */
static void name_trace(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : path);
    name[strcspn(name, ".") > 0 ? strcspn(name, ".") : strlen(name)] = '\0';
}

static bool run_records(struct run *run, struct trace *trace, const char *path)
{
    const struct trace_line *const *lines;
    size_t count;
    const struct trace_line *boot = trace_next(trace);
    if (!twin_begin(run->twin, trace, boot, path))
        return false;
    if (run->begins && !run->begins(run))
        return false;
    struct order *order = order_new(trace, boot, false);
    order_speaks(order, run->machine, twin_profile(run->twin));
    while (!run->is_over && (count = order_next(order, &lines)) > 0) {
        bool fits = true;
        for (size_t i = 0; i < count; i++)
            fits = fits && lines[i]->cpu < MODEL_CPUS;
        if (fits)
            twin_replay(run->twin, lines, count, pass_on, run);
    }
    order_free(order);
    return !trace_failed(trace);
}

static bool run_trace(struct run *run, const char *path)
{
    char name[256];
    struct trace *trace = recognise_trace(path) ? trace_open(path) : NULL;
    if (!trace)
        return false;
    name_trace(path, name, sizeof name);
    run->name = name;
    run->twin = twin_new(run->machine);
    twin_set_credit(run->twin, CREDIT_NONE);
    const bool good = run_records(run, trace, path);
    twin_free(run->twin);
    trace_close(trace);
    return good;
}

static bool run_all(struct run *run, const struct survey_traces *traces)
{
    for (run->file = 0; run->file < traces->count && !run->is_over; run->file++) {
        if (!run_trace(run, traces->paths[run->file]))
            return false;
    }
    return true;
}

/* --- A survey -------------------------------------------------------------------------------- */

static uint64_t key_of(const struct run *run, const struct trace_line *line)
{
    uint64_t key = (run->file + 1) * UINT64_C(0x9e3779b97f4a7c15);
    key = (key ^ line->seq) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ key >> 31 ^ line->cpu) * UINT64_C(0x94d049bb133111eb);
    return key != 0 ? key : 1;
}

static struct survey_trap *place_of(const struct survey *survey, uint64_t key)
{
    size_t at = (size_t)key & (survey->size - 1);
    while (survey->list[at].key != 0 && survey->list[at].key != key)
        at = (at + 1) & (survey->size - 1);
    return &survey->list[at];
}

static void grow(struct survey *survey)
{
    const struct survey old = *survey;
    survey->size = old.size > 0 ? 2 * old.size : 1024;
    survey->list = calloc(survey->size, sizeof *survey->list);
    if (!survey->list)
        no_memory();
    for (size_t i = 0; i < old.size; i++) {
        if (old.list[i].key != 0)
            *place_of(survey, old.list[i].key) = old.list[i];
    }
    free(old.list);
}

struct surveying {
    struct survey *survey;
    struct watch watch;
    struct fh_invariant_report violations;
    survey_told *told;
    void *context;
};

static bool begin_survey(struct run *run)
{
    struct surveying *surveying = run->context;
    watch_boot(&surveying->watch, run->twin, &surveying->violations);
    triage_begin(surveying->survey->triage, run->twin, run->name);
    return true;
}

static void survey_trap(struct run *run, const struct trace_line *line,
                        struct trap_verdict *verdict)
{
    struct surveying *surveying = run->context;
    struct survey *survey = surveying->survey;
    const uint32_t broken = watch_trap(&surveying->watch, run->twin, &surveying->violations);
    watch_note(&surveying->watch, broken, &surveying->violations);
    const struct triage_group *group = triage_trap(survey->triage, line, verdict, broken);
    survey->traps++;
    if (verdict->outcome != OUTCOME_DIVERGED)
        return;
    if (2 * ++survey->unexplained > survey->size)
        grow(survey);
    survey->differences += verdict->found.count;
    const uint64_t key = key_of(run, line);
    *place_of(survey, key) = (struct survey_trap){key, group ? (uint32_t)group->number : UINT32_MAX,
                                                  (uint32_t)verdict->found.count};
    if (group && surveying->told)
        surveying->told(surveying->context, group, run->twin, line, verdict);
}

struct survey *survey_take(const struct machine_description *machine,
                           const struct survey_traces *traces, survey_told *told, void *context)
{
    struct survey *survey = calloc(1, sizeof *survey);
    struct surveying *surveying = calloc(1, sizeof *surveying);
    if (!survey || !surveying)
        no_memory();
    survey->machine = machine;
    survey->triage = triage_new(machine);
    grow(survey);
    surveying->survey = survey;
    surveying->told = told;
    surveying->context = context;
    struct run run = {
        .machine = machine, .told = survey_trap, .begins = begin_survey, .context = surveying};
    const bool good = run_all(&run, traces);
    free(surveying);
    if (good)
        return survey;
    survey_free(survey);
    return NULL;
}

void survey_free(struct survey *survey)
{
    if (!survey)
        return;
    triage_free(survey->triage);
    free(survey->list);
    free(survey);
}

/* --- A trial --------------------------------------------------------------------------------- */

struct trying {
    const struct survey *survey;
    const struct triage_group *group;
    struct trial *trial;
    uint64_t seen; /* traps of the group */
};

static bool still_differs(const struct run *run, const struct trace_line *line,
                          const struct trap_verdict *verdict, const struct triage_group *group)
{
    struct triage_signature signature;
    triage_sign(run->twin, line, triage_lead(&verdict->found), &signature);
    return triage_is_same(&signature, &group->signature);
}

static void spoil(const struct run *run, const struct trace_line *line, struct trial *trial)
{
    if (trial->spoiled++ == 0)
        snprintf(trial->spoils, sizeof trial->spoils, "%s#%" PRIu64, run->name, line->seq);
}

static void try_trap(struct run *run, const struct trace_line *line, struct trap_verdict *verdict)
{
    enum { ENOUGH = 50, HOPELESS = 3 };
    struct trying *trying = run->context;
    struct trial *trial = trying->trial;
    const struct survey_trap *before = place_of(trying->survey, key_of(run, line));
    const bool differed = before->key != 0, differs = verdict->outcome == OUTCOME_DIVERGED;
    const bool is_of_group = differed && before->group == trying->group->number;
    if (!differed && !differs)
        return;
    if (differs)
        trial->differences += verdict->found.count;
    if (differs && !differed)
        spoil(run, line, trial);
    else if (is_of_group && (!differs || !still_differs(run, line, verdict, trying->group)))
        trial->gone++;
    trial->explained += differed && !differs;
    if (is_of_group) {
        trial->had += before->differences;
        trial->left += differs ? verdict->found.count : 0;
    }
    trying->seen += is_of_group;
    run->is_over = (trial->spoiled > ENOUGH && trial->spoiled > trial->gone) ||
                   (trial->gone == 0 && trying->seen == HOPELESS);
}

void trial_run(const struct survey *survey, const struct survey_traces *traces,
               const struct triage_group *group, const struct machine_description *machine,
               struct trial *trial)
{
    struct trying trying = {survey, group, trial, 0};
    struct run run = {.machine = machine, .told = try_trap, .context = &trying};
    *trial = (struct trial){0};
    diag_hush(true);
    trial->has_ended = run_all(&run, traces) && !run.is_over;
    diag_hush(false);
}

/* --- The same effect without a difference ---------------------------------------------------- */

struct counting {
    const struct survey *survey;
    struct counter *counters;
};

static bool has_effect(const struct trace_line *line, const char *name)
{
    char text[64];
    if (!*name)
        return true;
    for (size_t i = 0; i < line->nfx; i++) {
        triage_name_effect(&line->fx[i], text, sizeof text);
        if (strcmp(text, name) == 0)
            return true;
    }
    return false;
}

static void count_trap(struct run *run, const struct trace_line *line, struct trap_verdict *verdict)
{
    enum { LOOKED_AT = 32 };
    char call[40];
    struct counting *counting = run->context;
    struct triage *triage = counting->survey->triage;
    if (verdict->outcome == OUTCOME_DIVERGED)
        return;
    triage_name_call(line, call, sizeof call);
    for (size_t i = 0; i < triage_ngroups(triage) && i < LOOKED_AT; i++) {
        const struct triage_group *group = triage_group_at(triage, i);
        struct counter *counter = &counting->counters[group->number];
        if (group->signature.kind != line->kind || strcmp(group->signature.call, call) != 0 ||
            !has_effect(line, group->signature.effect))
            continue;
        if (counter->traps++ == 0)
            snprintf(counter->first, sizeof counter->first, "%s#%" PRIu64, run->name, line->seq);
    }
}

bool survey_count(const struct survey *survey, const struct survey_traces *traces,
                  struct counter *counters)
{
    struct counting counting = {survey, counters};
    struct run run = {.machine = survey->machine, .told = count_trap, .context = &counting};
    return run_all(&run, traces);
}
