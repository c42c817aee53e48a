/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/options.h"
#include "base/progress.h"
#include "machine/command.h"
#include "machine/model.h"
#include "machine/read_machine.h"
#include "triage/proposal.h"

/*
 * `fhsim machine propose`: for each group of unexplained traps lines of a machine.yaml are made up
 * and tried on the traces. What explains a group and spoils no trap is taken, and what then is left
 * is looked at again. What nothing explains is a departure.
 */

static const char help[] =
    "usage: fhsim machine propose TRACE... [--machine NAME|DIR] [--time SECONDS] [--json]\n\n"
    "Replays the traces on a machine (default sekvm-4.18) and proposes lines of a machine.yaml "
    "for\n"
    "what stays unexplained: candidates are made of each group of unexplained traps and tried on\n"
    "all traces. One is proposed if it takes a group's difference away and no trap comes to "
    "differ\n"
    "that agreed before. What is left is proposed as departures of the catalogue, the most "
    "serious\n"
    "first, each with how often the same path was taken without a difference, and with the "
    "function\n"
    "that an overlay would override. All of it is to be read, and then put into a machine.yaml by\n"
    "hand (docs/machines.md).\n\n"
    "  --time SECONDS  stop trying after this time (default 300)\n"
    "  --json          one JSON object\n\n"
    "Exit status: 0 nothing is unexplained, 1 something is, 2 bad input.\n";

/* --- Candidates ------------------------------------------------------------------------------ */

static void gather(void *context, const struct triage_group *group, const struct twin *twin,
                   const struct trace_line *line, const struct trap_verdict *verdict)
{
    enum { LOOKED_AT = 3 };
    struct proposal *proposal = context;
    struct candidates **candidates = &proposal->of_groups[group->number];
    if (group->traps > LOOKED_AT)
        return;
    if (!*candidates)
        *candidates = calloc(1, sizeof **candidates);
    if (!*candidates)
        no_memory();
    candidates_of(*candidates, proposal->now, twin, line, verdict);
}

static void forget_candidates(struct proposal *proposal)
{
    for (size_t i = 0; i < TRIAGE_GROUPS; i++) {
        free(proposal->of_groups[i]);
        proposal->of_groups[i] = NULL;
    }
}

/* --- Trials ---------------------------------------------------------------------------------- */

/* The line for the same key, which the candidate's takes the place of; NULL: there is none. */
static struct proposed_line *same_key(const struct proposal *proposal,
                                      const struct candidate *candidate)
{
    for (size_t i = 0; i < proposal->nlines; i++) {
        const struct candidate *line = &proposal->lines[i].candidate;
        if (*candidate->key && line->section == candidate->section &&
            strcmp(line->key, candidate->key) == 0)
            return &proposal->lines[i];
    }
    return NULL;
}

static void print_section(const struct proposal *proposal, enum candidate_section section,
                          const struct candidate *more, FILE *out)
{
    bool has_begun = false;
    for (size_t i = 0; i <= proposal->nlines; i++) {
        const struct candidate *line = i < proposal->nlines ? &proposal->lines[i].candidate : more;
        const bool is_replaced =
            i < proposal->nlines && same_key(proposal, more) == &proposal->lines[i];
        if (line->section != section || is_replaced)
            continue;
        if (!has_begun)
            fprintf(out, "%s:\n", candidate_section_name(section));
        has_begun = true;
        candidate_print_line(line, out);
    }
}

/* The machine with what was taken and this line; NULL: it is not well-formed. */
static const struct machine_description *with(const struct proposal *proposal,
                                              const struct candidate *more)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        no_memory();
    for (unsigned section = 0; section < CANDIDATE_SECTIONS; section++) {
        if (section == CANDIDATE_adopted && more->is_adopted)
            fprintf(out, "adopted:\n  %s: none\n", more->key);
        else
            print_section(proposal, (enum candidate_section)section, more, out);
    }
    fclose(out);
    const struct machine_description *machine = machine_read_addition(proposal->base, text);
    free(text);
    return machine;
}

/* "40" and "{call: x}" are "{number: 40, call: x}". False: they do not go together. */
static bool merge(const struct candidate *line, struct candidate *candidate)
{
    char value[sizeof candidate->value];
    const char *old = line->value, *new = candidate->value;
    const size_t length = strlen(old);
    int written = -1;
    if (*new == '{' && *old == '{')
        written = snprintf(value, sizeof value, "%.*s, %s", (int)(length - 1), old, new + 1);
    else if (*new == '{')
        written = snprintf(value, sizeof value, "{number: %s, %s", old, new + 1);
    if (written < 0 || (size_t)written >= sizeof value)
        return false;
    memcpy(candidate->value, value, sizeof value);
    return true;
}

/* Of a call that was unknown nothing was predicted: what is, may differ more. */
static bool is_about_the_name(const struct candidate *candidate, const struct triage_group *group)
{
    return candidate->section == CANDIDATE_hypercalls &&
           strcmp(group->signature.field, "hvc.name") == 0;
}

/*
 * Without a departure the machine may just do less, and stop before what differs: then one that
 * explains no trap whole has to take most of the differences with it.
 */
static bool does_only_less(const struct candidate *candidate)
{
    const struct trial *trial = &candidate->trial;
    return candidate->section == CANDIDATE_without && trial->explained == 0 &&
           2 * trial->left > trial->had;
}

static bool is_good(const struct survey *survey, const struct candidate *candidate,
                    const struct triage_group *group)
{
    const struct trial *trial = &candidate->trial;
    return trial->has_ended && trial->spoiled == 0 && !candidate->hides &&
           !does_only_less(candidate) && 2 * trial->gone >= group->traps &&
           (trial->differences < survey->differences || is_about_the_name(candidate, group));
}

/* The better of two, of which the first is likelier by itself. */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if ((a->trial.spoiled == 0) != (b->trial.spoiled == 0))
        return a->trial.spoiled == 0;
    if (a->hides != b->hides)
        return !a->hides;
    if (a->trial.has_ended != b->trial.has_ended)
        return a->trial.has_ended;
    if (a->trial.differences != b->trial.differences)
        return a->trial.differences < b->trial.differences;
    return a->trial.gone > b->trial.gone;
}

static void keep_tried(struct proposal_tried *tried, const struct candidate *candidate)
{
    size_t at = tried->count;
    if (candidate->trial.gone == 0)
        return;
    while (at > 0 && is_better(candidate, &tried->list[at - 1]))
        at--;
    if (at == PROPOSAL_TRIED)
        return;
    const size_t last = tried->count < PROPOSAL_TRIED ? tried->count++ : PROPOSAL_TRIED - 1;
    memmove(&tried->list[at + 1], &tried->list[at], (last - at) * sizeof *tried->list);
    tried->list[at] = *candidate;
}

/* Try what a group suggests, and keep what came of it. */
static const struct proposal_tried *try_group(struct proposal *proposal,
                                              const struct triage_group *group)
{
    struct candidates *candidates = proposal->of_groups[group->number];
    struct proposal_tried *tried = &proposal->tried[proposal->ntried++];
    *tried = (struct proposal_tried){.signature = group->signature};
    const struct machine_description *machine;
    for (size_t i = 0; candidates && i < candidates->count; i++) {
        struct candidate *candidate = &candidates->list[i];
        if (progress_clock() > proposal->until) {
            proposal->is_cut = true;
            break;
        }
        const struct proposed_line *line = same_key(proposal, candidate);
        if ((line && !merge(&line->candidate, candidate)) || !(machine = with(proposal, candidate)))
            continue;
        trial_run(proposal->survey, &proposal->traces, group, machine, &candidate->trial);
        keep_tried(tried, candidate);
    }
    return tried;
}

static bool take(struct proposal *proposal, const struct triage_group *group,
                 const struct candidate *candidate)
{
    struct proposed_line *line = same_key(proposal, candidate);
    if (!line && proposal->nlines == PROPOSAL_LINES)
        return false;
    proposal->now = with(proposal, candidate);
    *(line ? line : &proposal->lines[proposal->nlines++]) =
        (struct proposed_line){*candidate, *group};
    proposal->ntried = 0; /* what did not help before may help now */
    return true;
}

/* --- Round by round -------------------------------------------------------------------------- */

static bool survey(struct proposal *proposal)
{
    survey_free(proposal->survey);
    forget_candidates(proposal);
    proposal->survey = survey_take(proposal->now, &proposal->traces, gather, proposal);
    return proposal->survey;
}

/* How much of its group a candidate explains: the higher the surer. */
static bool is_surer(const struct trial *a, const struct triage_group *of_a, const struct trial *b,
                     const struct triage_group *of_b)
{
    return a->gone * of_b->traps > b->gone * of_a->traps;
}

/*
 * Take one more line, of all groups that which explains most of its own: one that explains a group
 * whole is taken at once. False: there is none.
 */
static bool improve(struct proposal *proposal)
{
    struct triage *triage = proposal->survey->triage;
    const struct triage_group *best = NULL;
    struct candidate surest;
    for (size_t i = 0; i < triage_ngroups(triage) && !proposal->is_cut; i++) {
        const struct triage_group *group = triage_group_at(triage, i);
        const struct proposal_tried *tried = try_group(proposal, group);
        if (tried->count == 0 || !is_good(proposal->survey, &tried->list[0], group) ||
            (best && !is_surer(&tried->list[0].trial, group, &surest.trial, best)))
            continue;
        best = group;
        surest = tried->list[0];
        if (surest.trial.gone == group->traps)
            break;
    }
    return best && take(proposal, best, &surest);
}

static bool propose(struct proposal *proposal)
{
    if (!survey(proposal))
        return false;
    proposal->unexplained = proposal->survey->unexplained;
    while (improve(proposal)) {
        if (!survey(proposal))
            return false;
    }
    proposal->counters = calloc(TRIAGE_GROUPS, sizeof *proposal->counters);
    if (!proposal->counters)
        no_memory();
    return proposal->survey->unexplained == 0 ||
           survey_count(proposal->survey, &proposal->traces, proposal->counters);
}

/* --- The command ----------------------------------------------------------------------------- */

static void free_all(struct proposal *proposal)
{
    survey_free(proposal->survey);
    forget_candidates(proposal);
    free(proposal->counters);
    free(proposal->lines);
    free(proposal->tried);
    free(proposal);
}

static struct proposal *begin(const char *machine, double seconds, char **paths, int npaths)
{
    struct proposal *proposal = calloc(1, sizeof *proposal);
    if (!proposal)
        no_memory();
    proposal->lines = calloc(PROPOSAL_LINES, sizeof *proposal->lines);
    proposal->tried = calloc(TRIAGE_GROUPS, sizeof *proposal->tried);
    if (!proposal->lines || !proposal->tried)
        no_memory();
    proposal->base = proposal->now = machine_find(machine);
    proposal->traces = (struct survey_traces){paths, (size_t)npaths};
    proposal->until = progress_clock() + seconds;
    if (proposal->base && machine_model(proposal->base, true))
        return proposal;
    free_all(proposal);
    return NULL;
}

static bool read_seconds(const char *text, double *seconds)
{
    char *end;
    *seconds = strtod(text, &end);
    if (*end || end == text || !(*seconds > 0)) {
        diag_plain("machine propose: --time wants a number of seconds, not '%s'", text);
        return false;
    }
    return true;
}

static bool can_be_read_again(char **paths, int npaths)
{
    for (int i = 0; i < npaths; i++) {
        if (strcmp(paths[i], "-") != 0)
            continue;
        diag_plain(
            "machine propose: traces are read several times, which standard input cannot be");
        return false;
    }
    return true;
}

static int run(const char *machine, double seconds, bool json, char **paths, int npaths)
{
    struct proposal *proposal = begin(machine, seconds, paths, npaths);
    if (!proposal)
        return EXIT_BAD_INPUT;
    int status = EXIT_BAD_INPUT;
    if (propose(proposal)) {
        if (json)
            proposal_print_json(proposal, stdout);
        else
            proposal_print(proposal, stdout);
        status = proposal->unexplained > 0 ? EXIT_DIFFERENT : EXIT_EXPECTED;
    }
    free_all(proposal);
    return status;
}

int machine_propose(int argc, char **argv)
{
    const char *machine = "sekvm-4.18", *time = "300";
    bool json = false;
    double seconds;
    const struct option_spec options[] = {
        {"--machine", NULL, &machine}, {"--time", NULL, &time}, {"--json", &json, NULL}};
    int npaths;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &npaths)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_GOOD: break;
    default: return EXIT_BAD_INPUT;
    }
    if (npaths == 0) {
        diag_plain("machine propose: which traces? (usage: fhsim machine propose TRACE...)");
        return EXIT_BAD_INPUT;
    }
    if (!read_seconds(time, &seconds) || !can_be_read_again(argv, npaths))
        return EXIT_BAD_INPUT;
    return run(machine, seconds, json, argv, npaths);
}
