/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/functions.h>

#include "base/diag.h"
#include "base/json_out.h"
#include "triage/proposal.h"

/* A proposal as YAML with comments, and as JSON. */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static char *text_of(const struct triage_signature *signature)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        no_memory();
    triage_print_signature(signature, out);
    fclose(out);
    return text;
}

/* --- Functions to override ------------------------------------------------------------------- */

/* May an overlay override it? */
static bool is_open(const char *name)
{
    static const struct {
        const char *name, *hook;
    } functions[] = {
#define HOOK(layer, name, hook, ...) {#name, #hook},
        FH_FUNCTION_MAP(HOOK)
#undef HOOK
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, name) == 0)
            return strcmp(functions[i].hook, "fixed") != 0;
    }
    return false;
}

/* "NPTWalk.set_npt": set_npt */
static const char *name_of(const char *function)
{
    const char *dot = strchr(function, '.');
    return dot ? dot + 1 : function;
}

static bool can_be_overridden(const char *function)
{
    return is_open(name_of(function));
}

/* --- Harm ------------------------------------------------------------------------------------ */

/* What broken invariants mean at worst; a person decides. */
static const char *harm_of(const struct triage_group *group)
{
    return group->broken ? "integrity" : "none";
}

/* --- Lines ----------------------------------------------------------------------------------- */

static void print_line(const struct proposed_line *line, FILE *out)
{
    const struct trial *trial = &line->candidate.trial;
    char *text = text_of(&line->group.signature);
    fprintf(out, "  # %s\n", text);
    fprintf(out,
            "  #   support: gone in %" PRIu64 " of %" PRIu64 " trap%s, the first %s; %" PRIu64
            " agree%s whole then; no counter-example\n",
            trial->gone, line->group.traps, plural(line->group.traps), line->group.first,
            trial->explained, trial->explained == 1 ? "s" : "");
    fprintf(out, "  #   %s\n", line->group.difference);
    triage_print_broken(&line->group, "  #   breaks ", out);
    candidate_print_line(&line->candidate, out);
    free(text);
}

static void print_sections(const struct proposal *proposal, FILE *out)
{
    for (unsigned section = 0; section < CANDIDATE_SECTIONS; section++) {
        bool has_begun = false;
        for (size_t i = 0; i < proposal->nlines; i++) {
            const struct candidate *line = &proposal->lines[i].candidate;
            const bool is_not_adopted = section == CANDIDATE_adopted && line->is_adopted;
            if (line->section != section && !is_not_adopted)
                continue;
            if (!has_begun)
                fprintf(out, "\n%s:\n", candidate_section_name((enum candidate_section)section));
            has_begun = true;
            if (is_not_adopted)
                fprintf(out, "  %s: none # a constant, above\n", line->key);
            else
                print_line(&proposal->lines[i], out);
        }
    }
}

/* --- Departures ------------------------------------------------------------------------------ */

static void print_tried(const struct proposal *proposal, const struct triage_group *group,
                        FILE *out)
{
    const struct proposal_tried *tried = proposal_tried_for(proposal, &group->signature);
    for (size_t i = 0; tried && i < tried->count; i++) {
        const struct candidate *candidate = &tried->list[i];
        fprintf(out, "  #   tried in %s: %s%s%s\n  #     support %" PRIu64 " of %" PRIu64,
                candidate_section_name(candidate->section), candidate->key,
                *candidate->key ? ": " : "", candidate->value, candidate->trial.gone, group->traps);
        if (candidate->trial.spoiled > 0)
            fprintf(out, ", counter-examples %" PRIu64 "%s, the first %s", candidate->trial.spoiled,
                    candidate->trial.has_ended ? "" : " and more", candidate->trial.spoils);
        else if (candidate->hides)
            fputs("; it explains nothing, it only hides the difference", out);
        else if (candidate->trial.left > 0)
            fprintf(out, "; %" PRIu64 " of their %" PRIu64 " differences are left",
                    candidate->trial.left, candidate->trial.had);
        fputc('\n', out);
    }
}

static void print_known(const struct triage_group *group, FILE *out)
{
    if (*group->stuck)
        fprintf(out, "  #   the model has no answer: %s\n", group->stuck);
    if (*group->panic)
        fprintf(out, "  #   the model panics: %s\n", group->panic);
    for (size_t i = 0; i < group->nnear; i++)
        fprintf(out, "  #   nearest %s%s%s, %s\n", triage_near_name(group->near[i].kind),
                *group->near[i].id ? " " : "", group->near[i].id, group->near[i].misses);
    for (size_t i = 0; i < group->nbeside; i++) {
        char *text = text_of(&group->beside[i].signature);
        fprintf(out, "  #   beside it, in %" PRIu64 " of them: %s\n", group->beside[i].traps, text);
        free(text);
    }
}

static void print_function(const struct triage_group *group, FILE *out)
{
    const char *function = group->signature.function, *inside = group->inside;
    if (!*function)
        return;
    fprintf(out, "  #   look at %s in lib/layers", function);
    if (*inside)
        fprintf(out, ", inside %s", inside);
    if (can_be_overridden(function))
        fprintf(out, "; an overlay overrides %s\n", name_of(function));
    else if (can_be_overridden(inside))
        fprintf(out, "; an overlay overrides %s\n", name_of(inside));
    else
        fprintf(out, "; an overlay overrides one that calls it\n");
}

static void print_counter(const struct counter *counter, FILE *out)
{
    if (counter->traps == 0)
        fputs("  #   no trap of its kind agrees where it has this effect\n", out);
    else
        fprintf(out,
                "  #   counter-examples: %" PRIu64 " trap%s of its kind with this effect "
                "agree%s, the first %s\n",
                counter->traps, plural(counter->traps), counter->traps == 1 ? "s" : "",
                counter->first);
}

/* An identifier that the catalogue does not have. */
static void next_id(const struct machine_description *machine, unsigned *number, char *id,
                    size_t size)
{
    do
        snprintf(id, size, "P%u", ++*number);
    while (machine_entry_find(machine, id));
}

static void print_departure(const struct proposal *proposal, const struct triage_group *group,
                            const char *id, FILE *out)
{
    char *text = text_of(&group->signature);
    fprintf(out, "  # %s\n  #   support: %" PRIu64 " trap%s, the first %s\n  #   %s\n", text,
            group->traps, plural(group->traps), group->first, group->difference);
    triage_print_broken(group, "  #   breaks ", out);
    print_counter(&proposal->counters[group->number], out);
    print_known(group, out);
    print_function(group, out);
    print_tried(proposal, group, out);
    fprintf(out, "  %s:\n    title: ", id);
    json_write_text(out, text, strlen(text));
    fprintf(out, " # in words\n    harm: %s\n    evidence: ", harm_of(group));
    json_write_text(out, group->first, strlen(group->first));
    fputc('\n', out);
    free(text);
}

static void print_follower(const struct triage_group *group, FILE *out)
{
    char *text = text_of(&group->signature);
    fprintf(out, "# %" PRIu64 " trap%s merely follow%s, the first %s from %s: %s\n", group->traps,
            plural(group->traps), group->traps == 1 ? "s" : "", group->first, group->follows, text);
    free(text);
}

static void print_catalogue(const struct proposal *proposal, FILE *out)
{
    char id[16];
    unsigned number = 0;
    struct triage *triage = proposal->survey->triage;
    for (size_t i = 0; i < triage_ngroups(triage); i++) {
        const struct triage_group *group = triage_group_at(triage, i);
        if (triage_is_follower(group)) {
            print_follower(group, out);
            continue;
        }
        if (number == 0)
            fputs("\n# What is left, the most serious first. Each needs a switch in an overlay.\n"
                  "catalogue:\n",
                  out);
        next_id(proposal->base, &number, id, sizeof id);
        print_departure(proposal, group, id, out);
    }
}

void proposal_print(const struct proposal *proposal, FILE *out)
{
    const struct survey *survey = proposal->survey;
    fprintf(out,
            "# SPDX-License-Identifier: GPL-2.0-only\n"
            "# Proposed by `fhsim machine propose` for %s: of %" PRIu64 " traps %" PRIu64
            " %s unexplained,\n# %" PRIu64 " with what stands here. To be read, and then put into "
            "its machine.yaml.\n",
            proposal->base->name, survey->traps, proposal->unexplained,
            proposal->unexplained == 1 ? "is" : "are", survey->unexplained);
    if (proposal->is_cut)
        fputs("# There was no time to try everything: --time.\n", out);
    print_sections(proposal, out);
    print_catalogue(proposal, out);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void add_trial(struct json_out *out, const struct candidate *candidate)
{
    json_text(out, "section", candidate_section_name(candidate->section));
    if (*candidate->key)
        json_text(out, "key", candidate->key);
    json_text(out, "value", candidate->value);
    json_number(out, "support", candidate->trial.gone);
    json_number(out, "agree_then", candidate->trial.explained);
    json_number(out, "counter_examples", candidate->trial.spoiled);
    if (candidate->trial.spoiled > 0)
        json_text(out, "first_counter_example", candidate->trial.spoils);
    json_bool(out, "hides", candidate->hides);
}

static void add_group(struct json_out *out, const struct triage_group *group)
{
    char *text = text_of(&group->signature);
    json_text(out, "group", text);
    json_number(out, "traps", group->traps);
    json_number(out, "following", group->following);
    json_text(out, "first", group->first);
    json_text(out, "difference", group->difference);
    json_open_array(out, "violations");
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (group->broken >> i & 1)
            json_text(out, NULL, fh_invariant_at(i)->name);
    }
    json_close_array(out);
    free(text);
}

static void add_departure(struct json_out *out, const struct proposal *proposal,
                          const struct triage_group *group)
{
    const struct counter *counter = &proposal->counters[group->number];
    const struct proposal_tried *tried = proposal_tried_for(proposal, &group->signature);
    json_open_object(out, NULL);
    add_group(out, group);
    json_text(out, "function", group->signature.function);
    json_bool(out, "can_be_overridden", can_be_overridden(group->signature.function));
    if (*group->inside)
        json_text(out, "inside", group->inside);
    json_text(out, "harm", harm_of(group));
    json_number(out, "counter_examples", counter->traps);
    if (counter->traps > 0)
        json_text(out, "first_counter_example", counter->first);
    json_open_array(out, "tried");
    for (size_t i = 0; tried && i < tried->count; i++) {
        json_open_object(out, NULL);
        add_trial(out, &tried->list[i]);
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
}

void proposal_print_json(const struct proposal *proposal, FILE *file)
{
    struct json_out out;
    struct triage *triage = proposal->survey->triage;
    json_out_begin(&out, file);
    json_open_object(&out, NULL);
    json_text(&out, "machine", proposal->base->name);
    json_number(&out, "traps", proposal->survey->traps);
    json_number(&out, "unexplained", proposal->unexplained);
    json_number(&out, "left", proposal->survey->unexplained);
    json_bool(&out, "cut", proposal->is_cut);
    json_open_array(&out, "lines");
    for (size_t i = 0; i < proposal->nlines; i++) {
        json_open_object(&out, NULL);
        add_group(&out, &proposal->lines[i].group);
        add_trial(&out, &proposal->lines[i].candidate);
        json_close_object(&out);
    }
    json_close_array(&out);
    json_open_array(&out, "departures");
    for (size_t i = 0; i < triage_ngroups(triage); i++)
        add_departure(&out, proposal, triage_group_at(triage, i));
    json_close_array(&out);
    json_close_object(&out);
    json_out_end(&out);
}
