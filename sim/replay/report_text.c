/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/shown.h"
#include "base/text_stream.h"
#include "replay/report_record.h"
#include "replay/report_verdict.h"
#include "replay/report_words.h"
#include "replay/reports.h"
#include "twin/difference.h"

/* The summary for people, and a divergence in full. */

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, MAGENTA };

static const char *paint(const struct replay_report *report, enum colour colour)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[1;31m",
                                        "\033[32m", "\033[33m", "\033[35m"};
    return report->colour ? codes[colour] : "";
}

/* --- One divergence -------------------------------------------------------------------------- */

static void print_values(const struct difference *difference, const char *who, FILE *out)
{
    if (difference->field) {
        fprintf(out, "%s ", who);
        trace_print_field(difference->model, difference->field, out);
        fputs(", machine ", out);
        trace_print_field(difference->machine, difference->field, out);
    } else if (difference->path) {
        fprintf(out, "%s 0x%" PRIx64 ", machine 0x%" PRIx64, who, difference->model_value,
                difference->machine_value);
    } else if (!difference_subject(difference)) {
        fputs("the machine takes another one", out);
    } else if (difference->machine) {
        fputs("only the machine does this", out);
    } else {
        fprintf(out, "only the %s does this", who);
    }
}

static void print_subject(const struct difference *difference, FILE *out)
{
    const struct trace_effect *effect = difference_subject(difference);
    if (effect)
        trace_print_effect(effect, out);
    else
        fputs(difference->path ? "registers at the end" : "the course of the trap", out);
}

static void print_last_changes(const struct replay_trap *trap, const struct difference *difference,
                               FILE *out)
{
    uint64_t seqs[LAST_CHANGES];
    const size_t count = difference_last_changes(trap, difference, seqs);
    if (count > 0)
        fputs("    last changed by", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s %s#%" PRIu64, i > 0 ? "," : "", trap->file, seqs[i]);
    if (count > 0)
        fputc('\n', out);
}

/* What the numbers stand for, where they stand for something. */
static void print_words(const struct replay_trap *trap, const struct difference *difference,
                        const char *who, FILE *out)
{
    char words[256];
    const struct trace_effect *effect = difference_subject(difference);
    const bool has_both = difference->field || (!effect && difference->path);
    if (!has_both && effect && effect_account(trap, effect, words, sizeof words))
        fprintf(out, "    %s\n", words);
    if (has_both && value_account(trap, difference, false, words, sizeof words))
        fprintf(out, "    %s: %s\n", who, words);
    if (has_both && value_account(trap, difference, true, words, sizeof words))
        fprintf(out, "    machine: %s\n", words);
}

/* `who` predicted: the model of the machine, or the spec. */
static void print_difference(const struct replay_trap *trap, const struct difference *difference,
                             const char *who, FILE *out)
{
    char path[64];
    fputs("  ", out);
    print_subject(difference, out);
    fprintf(out, "\n    %s%s", difference->path ? difference->path : "",
            difference->path ? ": " : "");
    print_values(difference, who, out);
    fputc('\n', out);
    print_words(trap, difference, who, out);
    if (twin_state_path(trap->twin, difference, path, sizeof path))
        fprintf(out, "    state: %s\n", path);
    if (twin_spec_function(trap->twin, difference, path, sizeof path))
        fprintf(out, "    spec: %s\n", path);
    if (twin_spec_caller(trap->twin, difference, path, sizeof path))
        fprintf(out, "    inside: %s\n", path);
    const char *condition = twin_condition(trap->twin, difference);
    if (condition)
        fprintf(out, "    needs: %s\n", condition);
    print_last_changes(trap, difference, out);
}

static void print_one(const struct replay_trap *trap, const struct difference *difference,
                      const char *who, const char *stuck, FILE *out)
{
    if (difference_is_undefined(difference))
        fprintf(out, "  the %s is undefined here\n    %s\n", who, stuck);
    else
        print_difference(trap, difference, who, out);
}

static void print_differences(const struct replay_trap *trap, const struct differences *found,
                              const char *who, const char *stuck, FILE *out)
{
    const uint64_t followers = triage_followers(found);
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (!(followers >> i & 1))
            print_one(trap, &found->list[i], who, stuck, out);
    }
    if (followers != 0)
        fputs("  what follows from it:\n", out);
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (followers >> i & 1)
            print_one(trap, &found->list[i], who, stuck, out);
    }
    if (found->count > differences_listed(found))
        fprintf(out, "  and %zu more\n", found->count - differences_listed(found));
}

static void print_explanations(const struct replay_trap *trap, FILE *out)
{
    unsigned list[CATALOGUE_MAX];
    const size_t count = deviations_in(trap, list);
    for (size_t i = 0; i < count; i++) {
        const struct machine_entry *entry = catalogue_at(trap->machine, list[i]);
        if (entry->kind == MACHINE_IS_consequence)
            fprintf(out, "  %s amounts here to %s: %s\n", entry->follows, entry->id, entry->title);
        else
            fprintf(out, "  explained by %s: %s\n", entry->id, entry->title);
        machine_print_sides(entry, "    ", out);
    }
}

static void print_denied(const struct replay_trap *trap, FILE *out)
{
    char what[32];
    struct denied_access access;
    if (denied_access(trap->line, &access))
        fprintf(out, "  denied: %s of page 0x%" PRIx64 " (%s) by the host\n",
                denied_how_name(access.how), access.pfn,
                denied_what(access.owner, what, sizeof what));
}

static void print_blamed(const struct replay_trap *trap, unsigned invariant, FILE *out)
{
    const char *before = "    because of ";
    if (!trap->blamed)
        return;
    for (unsigned i = 0; catalogue_at(trap->machine, i); i++) {
        if (!credits_has(&trap->blamed[invariant], i))
            continue;
        fprintf(out, "%s%s", before, catalogue_at(trap->machine, i)->id);
        before = ", ";
    }
    fputs(before[0] == ',' ? "\n" : "    without a departure\n", out);
}

static void print_broken(const struct replay_trap *trap, FILE *out)
{
    char witness[256];
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(trap->broken >> i & 1))
            continue;
        fh_witness_format(fh_invariant_at(i), &trap->violations->witness[i], witness,
                          sizeof witness);
        fprintf(out, "  breaks %s\n", witness);
        print_blamed(trap, i, out);
    }
}

void replay_trap_text(const struct replay_trap *trap, FILE *out)
{
    fprintf(out, "%s#%" PRIu64 " (line %u): %s on CPU %" PRIu64, trap->file, trap->line->seq,
            trap->line->number, replay_row_name(trap->row), trap->line->cpu);
    const char *title = trap_title(trap);
    if (strcmp(title, replay_row_name(trap->row)) != 0) {
        fputs(", ", out);
        print_shown(out, title, strlen(title));
    }
    const struct trap_verdict *verdict = trap->verdict;
    const bool is_explained = verdict->outcome == OUTCOME_EXPLAINED;
    const struct differences *found = is_explained ? &verdict->spec : &verdict->found;
    fprintf(out, ", %zu difference%s%s\n", found->count, found->count == 1 ? "" : "s",
            is_explained ? "" : ", unexplained");
    inputs_print(trap, out);
    if (is_explained)
        print_differences(trap, found, "spec", verdict->spec_stuck, out);
    else
        print_differences(trap, found, "model", verdict->stuck, out);
    print_explanations(trap, out);
    if (!is_explained && verdict->has_spec) {
        fprintf(out, "  beside the spec: %zu difference%s\n", verdict->spec.count,
                verdict->spec.count == 1 ? "" : "s");
        print_differences(trap, &verdict->spec, "spec", verdict->spec_stuck, out);
    }
    print_denied(trap, out);
    print_broken(trap, out);
    fputc('\n', out);
}

/* --- Tables ---------------------------------------------------------------------------------- */

static enum colour colour_of(enum trap_outcome outcome, uint64_t count)
{
    static const enum colour colours[] = {GREEN, YELLOW, RED, DIM};
    return count > 0 ? colours[outcome] : PLAIN;
}

static void print_counts(const struct replay_report *report, uint64_t total,
                         const uint64_t counts[OUTCOMES])
{
    printf(" %10" PRIu64, total);
    for (unsigned i = 0; i < OUTCOMES; i++)
        printf(" %s%12" PRIu64 "%s", paint(report, colour_of((enum trap_outcome)i, counts[i])),
               counts[i], paint(report, PLAIN));
}

static void print_heading(const struct replay_report *report, int width, const char *first,
                          const char *last)
{
    printf("%s%-*s %10s", paint(report, BOLD), width, first, "traps");
    for (unsigned i = 0; i < OUTCOMES; i++)
        printf(" %12s", outcome_name((enum trap_outcome)i));
    printf("%s%s%s\n", *last ? "  " : "", last, paint(report, PLAIN));
}

/* Begin an entry of a list; `lead` stands before the first one. */
static void next_entry(size_t *count, const char *lead)
{
    fputs((*count)++ == 0 ? lead : ", ", stdout);
}

/* What is special about a trace. */
static void print_note(const struct file_count *file)
{
    static const char lead[] = "  ";
    size_t count = 0;
    if (file->bad_input) {
        next_entry(&count, lead);
        fputs("bad input: only its beginning", stdout);
    }
    if (file->unfinished) {
        next_entry(&count, lead);
        fputs("EL2 stopped in a trap", stdout);
    }
    if (file->denied > 0) {
        next_entry(&count, lead);
        printf("%" PRIu64 " access%s denied", file->denied, file->denied == 1 ? "" : "es");
    }
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(file->broken >> i & 1))
            continue;
        next_entry(&count, lead);
        printf("breaks %s", fh_invariant_at(i)->name);
    }
}

static void print_files(const struct replay_report *report)
{
    int width = 14;
    for (size_t i = 0; i < report->nfiles; i++) {
        const int length = (int)strlen(report->files[i].name);
        width = length > width ? length : width;
    }
    print_heading(report, width, "", "note");
    for (size_t i = 0; i < report->nfiles; i++) {
        const struct file_count *file = &report->files[i];
        uint64_t total = 0;
        for (unsigned outcome = 0; outcome < OUTCOMES; outcome++)
            total += file->counts[outcome];
        printf("%-*s", width, file->name);
        print_counts(report, total, file->counts);
        print_note(file);
        putchar('\n');
    }
    putchar('\n');
}

static void print_kinds(const struct replay_report *report)
{
    uint64_t sums[OUTCOMES];
    print_heading(report, 14, "", "");
    for (unsigned i = 0; i < OUTCOMES; i++)
        sums[i] = report_total(report, (enum trap_outcome)i);
    for (unsigned row = 0; row < ROWS; row++) {
        if (report_row_total(report, row) == 0)
            continue;
        printf("%-14s", replay_row_name(row));
        print_counts(report, report_row_total(report, row), report->counts[row]);
        putchar('\n');
    }
    printf("%-14s", "all");
    print_counts(report, report_traps(report), sums);
    putchar('\n');
}

/* --- Below the tables ------------------------------------------------------------------------ */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* "863 reads, 1 fetch" */
static void print_hows(const struct denied_count *count)
{
    static const char *const ends[] = {"s", "s", "es"};
    size_t printed = 0;
    for (unsigned how = 0; how < DENIED_HOWS; how++) {
        const uint64_t number = count->hows[how];
        if (number == 0)
            continue;
        next_entry(&printed, "");
        printf("%" PRIu64 " %s%s", number, denied_how_name((enum denied_how)how),
               number == 1 ? "" : ends[how]);
    }
}

static void print_denials(const struct replay_report *report)
{
    const uint64_t total = denied_tally_total(&report->denied);
    if (total == 0)
        return;
    printf("\n%s%" PRIu64 " access%s of the host denied%s\n", paint(report, BOLD), total,
           total == 1 ? "" : "es", paint(report, PLAIN));
    for (unsigned owner = 0; owner < DENIED_OWNERS; owner++) {
        char what[32];
        const struct denied_count *count = &report->denied.of[owner];
        if (count->accesses == 0)
            continue;
        printf("  to %s: %" PRIu64 " (", denied_what(owner, what, sizeof what), count->accesses);
        print_hows(count);
        printf("; %" PRIu64 " attempt%s), from %s to %s\n", count->attempts,
               plural(count->attempts), count->first, count->last);
    }
}

/* The consequence: as the catalogue quotes it, and as it was computed. */
static void print_consequence(const struct replay_report *report, unsigned deviation)
{
    const struct violation_count *violations = report->deviations[deviation].violations;
    const char *consequence = machine_harm_name(catalogue_at(report->machine, deviation)->harm);
    if (strcmp(consequence, "none") != 0)
        printf("  consequence: %s%s%s\n", paint(report, MAGENTA), consequence,
               paint(report, PLAIN));
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (violations[i].traps > 0)
            printf("  computed: %s%" PRIu64 " of these traps break%s %s%s, the first %s\n    %s\n",
                   paint(report, MAGENTA), violations[i].traps, violations[i].traps == 1 ? "s" : "",
                   fh_invariant_at(i)->name, paint(report, PLAIN), violations[i].first,
                   violations[i].witness);
    }
}

static void print_deviations(const struct replay_report *report)
{
    for (unsigned i = 0; catalogue_at(report->machine, i); i++) {
        const struct deviation_count *count = &report->deviations[i];
        if (count->traps == 0)
            continue;
        const struct machine_entry *deviation = catalogue_at(report->machine, i);
        printf("\n%s%s, %s:%s %" PRIu64 " trap%s, the first %s\n", paint(report, BOLD),
               deviation->id, deviation->title, paint(report, PLAIN), count->traps,
               plural(count->traps), count->first);
        if (deviation->follows)
            printf("  follows from %s\n", deviation->follows);
        machine_print_sides(deviation, "  ", stdout);
        print_consequence(report, i);
    }
}

/* Because of which deviations: "A12 (33), A16 (1)". */
static void print_attribution(const struct replay_report *report, unsigned invariant)
{
    static const char lead[] = "  because of ";
    size_t count = 0;
    for (unsigned i = 0; catalogue_at(report->machine, i); i++) {
        const uint64_t traps = report->deviations[i].violations[invariant].traps;
        if (traps == 0)
            continue;
        next_entry(&count, lead);
        printf("%s (%" PRIu64 ")", catalogue_at(report->machine, i)->id, traps);
    }
    const uint64_t alone = report->unattributed[invariant].traps;
    if (alone > 0) {
        next_entry(&count, lead);
        printf("no deviation (%" PRIu64 ")", alone);
    }
    putchar('\n');
}

static void print_violations(const struct replay_report *report)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const struct violation_count *boot = &report->boot_violations[i];
        const char *found = strstr(boot->witness, "; but ");
        if (boot->traps > 0)
            printf("\n%s does not hold from the boot on in %" PRIu64
                   " trace%s, and is left out there: %s\n",
                   fh_invariant_at(i)->name, boot->traps, plural(boot->traps),
                   found ? found + strlen("; but ") : boot->witness);
    }
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const struct violation_count *count = &report->violations[i];
        if (count->traps == 0)
            continue;
        printf("\n%s%" PRIu64 " trap%s break%s %s%s, the first %s\n  %s\n", paint(report, MAGENTA),
               count->traps, plural(count->traps), count->traps == 1 ? "s" : "",
               fh_invariant_at(i)->name, paint(report, PLAIN), count->first, count->witness);
        print_attribution(report, i);
    }
}

static void print_limits(const struct replay_report *report)
{
    if (report->machine->nlimits == 0)
        return;
    puts("\nwhat traces of this machine cannot show:");
    for (size_t i = 0; i < report->machine->nlimits; i++)
        printf("  %s\n", report->machine->limits[i]);
}

static void print_verdict(const struct replay_report *report)
{
    const bool is_bad = report->bad_input || report_found(report, FINDING_unexplained) > 0;
    fputs(paint(report, is_bad ? RED : report_is_good(report) ? GREEN : MAGENTA), stdout);
    report_verdict(report, stdout);
    puts(paint(report, PLAIN));
}

/* --- The report ------------------------------------------------------------------------------ */

/* With --explained all traps with differences stand in their order, else by groups. */
struct text_report {
    const struct replay_report *report;
    struct text_stream explained; /* the first of all, behind the summary */
    size_t shown;
    struct kept_traps kept;
};

static void *begin(const struct replay_report *report, FILE *out)
{
    struct text_report *text = calloc(1, sizeof *text);
    if (!text)
        no_memory();
    (void)out; /* standard output, as of all forms of --format */
    text->report = report;
    text_stream_begin(&text->explained);
    return text;
}

static bool wants(const void *form, enum trap_outcome outcome)
{
    const struct text_report *text = form;
    if (text->report->shows_explained && text->shown < text->report->shown_max)
        return outcome == OUTCOME_DIVERGED || outcome == OUTCOME_EXPLAINED;
    return outcome == OUTCOME_DIVERGED && text->report->shown_max > 0;
}

static void keep(struct text_report *text, const struct replay_trap *trap)
{
    struct text_stream stream;
    const bool has_room = text->kept.count < text->report->shown_max;
    if (text->report->shown_max == 0 || (!is_first_of_group(trap) && !has_room))
        return;
    replay_trap_text(trap, text_stream_begin(&stream));
    text_stream_end(&stream);
    keep_trap(&text->kept, trap, stream.text);
}

static void take(void *form, const struct trap_visit *visit)
{
    struct text_report *text = form;
    const enum trap_outcome outcome = visit->trap->verdict->outcome;
    if (!wants(text, outcome))
        return;
    if (!text->report->shows_explained) {
        keep(text, visit->trap);
    } else if (text->shown < text->report->shown_max) {
        replay_trap_text(visit->trap, text->explained.out);
        text->shown++;
    }
}

static void print(const struct text_report *text, const struct replay_report *report)
{
    if (report->nfiles > 1)
        print_files(report);
    if (report_traps(report) > 0)
        print_kinds(report);
    print_denials(report);
    print_deviations(report);
    print_violations(report);
    if (report_compared(report))
        print_limits(report);
    if (report_compared(report))
        printf("\n%.3f s, %.0f traps per second\n", report->seconds, report_speed(report));
    triage_print_text(report, &text->kept);
    if (text->shown > 0)
        printf("\n%zu trap%s with differences:\n\n%s", text->shown, plural(text->shown),
               text->explained.text);
    print_verdict(report);
}

static void end(void *form, const struct replay_report *report)
{
    struct text_report *text = form;
    text_stream_end(&text->explained);
    if (report)
        print(text, report);
    text_stream_free(&text->explained);
    kept_traps_free(&text->kept);
    free(text);
}

const struct report_form replay_form_text = {
    .name = "text", .shown_max = 5, .begin = begin, .wants = wants, .trap = take, .end = end};
