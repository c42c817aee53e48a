/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/replay.h"

#include <inttypes.h>
#include <string.h>

#include "replay/report_visit.h"

/* The summary for people, and a divergence in full. */

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, MAGENTA };

static const char *paint(const struct replay_report *report, enum colour colour)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[1;31m",
                                        "\033[32m", "\033[33m", "\033[35m"};
    return report->colour ? codes[colour] : "";
}

/* --- One divergence -------------------------------------------------------------------------- */

static void print_values(const struct difference *difference, FILE *out)
{
    if (difference->field) {
        fputs("model ", out);
        trace_print_field(difference->model, difference->field, out);
        fputs(", machine ", out);
        trace_print_field(difference->machine, difference->field, out);
    } else if (difference->path) {
        fprintf(out, "model 0x%" PRIx64 ", machine 0x%" PRIx64, difference->model_value,
                difference->machine_value);
    } else if (!difference_subject(difference)) {
        fputs("the machine takes another one", out);
    } else if (difference->machine && difference->deviation) {
        fputs("the machine goes another way here", out);
    } else if (difference->machine) {
        fputs("only the machine does this", out);
    } else {
        fputs("only the model does this", out);
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

static bool is_undefined(const struct replay_trap *trap, const struct difference *difference)
{
    return !difference_subject(difference) && *trap->stuck && difference->path &&
           strcmp(difference->path, "status") == 0;
}

static void print_explanation(const struct difference *difference, FILE *out)
{
    const struct deviation *deviation = difference->deviation;
    if (!deviation) {
        fputs("    unexplained\n", out);
        return;
    }
    fprintf(out, "    explained by %s: %s\n", deviation->id, deviation->title);
    fprintf(out, "      spec: %s\n      machine: %s\n", deviation->spec, deviation->machine);
}

static void print_difference(const struct replay_trap *trap, const struct difference *difference,
                             FILE *out)
{
    char path[64];
    if (is_undefined(trap, difference)) {
        fprintf(out, "  the spec is undefined here\n    %s\n", trap->stuck);
        print_explanation(difference, out);
        return;
    }
    fputs("  ", out);
    print_subject(difference, out);
    fprintf(out, "\n    %s%s", difference->path ? difference->path : "",
            difference->path ? ": " : "");
    print_values(difference, out);
    fputc('\n', out);
    if (twin_state_path(trap->twin, difference, path, sizeof path))
        fprintf(out, "    state: %s\n", path);
    if (twin_spec_function(trap->twin, difference, path, sizeof path))
        fprintf(out, "    spec: %s\n", path);
    print_last_changes(trap, difference, out);
    print_explanation(difference, out);
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

static void print_broken(const struct replay_trap *trap, FILE *out)
{
    char witness[256];
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(trap->broken >> i & 1))
            continue;
        fh_witness_format(fh_invariant_at(i), &trap->violations->witness[i], witness,
                          sizeof witness);
        fprintf(out, "  breaks %s\n", witness);
    }
}

void replay_trap_text(const struct replay_trap *trap, FILE *out)
{
    fprintf(out, "%s#%" PRIu64 " (line %u): %s on CPU %" PRIu64, trap->file, trap->line->seq,
            trap->line->number, replay_row_name(trap->row), trap->line->cpu);
    const char *title = trap_title(trap);
    if (strcmp(title, replay_row_name(trap->row)) != 0)
        fprintf(out, ", %s", title);
    fprintf(out, ", %zu difference%s\n", trap->found->count, trap->found->count == 1 ? "" : "s");
    for (size_t i = 0; i < differences_listed(trap->found); i++)
        print_difference(trap, &trap->found->list[i], out);
    if (trap->found->count > differences_listed(trap->found))
        fprintf(out, "  and %zu more\n", trap->found->count - differences_listed(trap->found));
    print_denied(trap, out);
    print_broken(trap, out);
    fputc('\n', out);
}

/* --- Tables ---------------------------------------------------------------------------------- */

static enum colour colour_of(enum outcome outcome, uint64_t count)
{
    static const enum colour colours[] = {GREEN, YELLOW, RED, DIM};
    return count > 0 ? colours[outcome] : PLAIN;
}

static void print_counts(const struct replay_report *report, uint64_t total,
                         const uint64_t counts[OUTCOMES])
{
    printf(" %10" PRIu64, total);
    for (unsigned i = 0; i < OUTCOMES; i++)
        printf(" %s%12" PRIu64 "%s", paint(report, colour_of((enum outcome)i, counts[i])),
               counts[i], paint(report, PLAIN));
}

static void print_heading(const struct replay_report *report, int width, const char *first,
                          const char *last)
{
    printf("%s%-*s %10s", paint(report, BOLD), width, first, "traps");
    for (unsigned i = 0; i < OUTCOMES; i++)
        printf(" %12s", outcome_name((enum outcome)i));
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
        sums[i] = report_total(report, (enum outcome)i);
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
    const char *consequence = deviation_at(deviation)->consequence;
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
    for (unsigned i = 0; deviation_at(i); i++) {
        const struct deviation_count *count = &report->deviations[i];
        if (count->traps == 0)
            continue;
        const struct deviation *deviation = deviation_at(i);
        printf("\n%s%s, %s:%s %" PRIu64 " trap%s, the first %s\n", paint(report, BOLD),
               deviation->id, deviation->title, paint(report, PLAIN), count->traps,
               plural(count->traps), count->first);
        printf("  spec: %s\n  machine: %s\n", deviation->spec, deviation->machine);
        print_consequence(report, i);
    }
}

/* In traps with which deviations: "A12 (33), A16 (1)". */
static void print_attribution(const struct replay_report *report, unsigned invariant)
{
    static const char lead[] = "  in traps with ";
    size_t count = 0;
    for (unsigned i = 0; deviation_at(i); i++) {
        const uint64_t traps = report->deviations[i].violations[invariant].traps;
        if (traps == 0)
            continue;
        next_entry(&count, lead);
        printf("%s (%" PRIu64 ")", deviation_at(i)->id, traps);
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

static void print_verdict(const struct replay_report *report)
{
    const uint64_t diverged = report_total(report, OUTCOME_DIVERGED);
    if (diverged > 0)
        printf("%s%" PRIu64 " divergence%s%s", paint(report, RED), diverged, plural(diverged),
               paint(report, PLAIN));
    else
        printf("%s%s%s", paint(report, report->bad_input ? RED : GREEN),
               report->bad_input ? "no divergence before the bad input" : "no divergence",
               paint(report, PLAIN));
    if (report->shown == 0)
        putchar('\n');
    else if (report->shows_explained)
        printf("; %zu trap%s with differences:\n\n", report->shown, plural(report->shown));
    else
        puts(report->shown < diverged ? ", the first of them:\n" : ":\n");
    fputs(report->details_text, stdout);
}

void text_print(const struct replay_report *report)
{
    if (report->nfiles > 1)
        print_files(report);
    print_kinds(report);
    print_denials(report);
    print_deviations(report);
    print_violations(report);
    printf("\n%.3f s, %.0f traps per second\n", report->seconds, report_speed(report));
    print_verdict(report);
}
