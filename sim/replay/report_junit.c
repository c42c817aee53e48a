/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/reports.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text_stream.h"
#include "base/xml.h"
#include "replay/report_record.h"

/*
 * JUnit: a test case for each kind of trap, which fails if one of that kind has diverged; one for
 * each deviation that was met, which passes; one for each divergence shown, which fails.
 */

struct junit_report {
    const struct replay_report *report;
    struct text_stream traps; /* test cases, held back because their number comes first */
    size_t shown, unexplained;
};

static void print_trap(const struct replay_trap *trap, FILE *out)
{
    struct text_stream stream;
    replay_trap_text(trap, text_stream_begin(&stream));
    text_stream_end(&stream);
    const bool failed = trap->verdict->outcome == OUTCOME_DIVERGED;
    const size_t count = trap->verdict->found.count;
    fputs("    <testcase classname=\"replay.divergences\" name=\"", out);
    print_xml(out, trap->file);
    fprintf(out, "#%" PRIu64 "\">\n      ", trap->line->seq);
    if (failed)
        fprintf(out, "<failure message=\"%zu difference%s\">", count, count == 1 ? "" : "s");
    else
        fputs("<system-out>", out);
    print_xml(out, stream.text);
    fprintf(out, "</%s>\n    </testcase>\n", failed ? "failure" : "system-out");
    text_stream_free(&stream);
}

static unsigned kinds_met(const struct replay_report *report)
{
    unsigned count = 0;
    for (unsigned row = 0; row < ROWS; row++)
        count += report_row_total(report, row) > 0;
    return count;
}

static unsigned kinds_diverged(const struct replay_report *report)
{
    unsigned count = 0;
    for (unsigned row = 0; row < ROWS; row++)
        count += report->counts[row][OUTCOME_DIVERGED] > 0;
    return count;
}

static unsigned deviations_met(const struct replay_report *report)
{
    unsigned count = 0;
    for (unsigned i = 0; catalogue_at(report->machine, i); i++)
        count += report->deviations[i].traps > 0;
    return count;
}

static void print_kind(const struct replay_report *report, unsigned row)
{
    const uint64_t *counts = report->counts[row];
    printf("    <testcase classname=\"replay.traps\" name=\"%s\">\n", replay_row_name(row));
    if (counts[OUTCOME_DIVERGED] > 0)
        printf("      <failure message=\"%" PRIu64 " of %" PRIu64 " diverged\"/>\n",
               counts[OUTCOME_DIVERGED], report_row_total(report, row));
    fputs("      <system-out>", stdout);
    for (unsigned i = 0; i < OUTCOMES; i++)
        printf("%s%" PRIu64 " %s", i > 0 ? ", " : "", counts[i],
               outcome_name((enum trap_outcome)i));
    fputs("</system-out>\n    </testcase>\n", stdout);
}

/* The consequence as it was computed. */
static void print_computed(const struct violation_count violations[FH_INVARIANTS])
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (violations[i].traps == 0)
            continue;
        printf("\ncomputed: %" PRIu64 " of these traps break %s, the first ", violations[i].traps,
               fh_invariant_at(i)->name);
        print_xml(stdout, violations[i].first);
        fputs("\n  ", stdout);
        print_xml(stdout, violations[i].witness);
    }
}

static void print_side(const char *side, const char *text)
{
    if (!text)
        return;
    printf("\n%s: ", side);
    print_xml(stdout, text);
}

static void print_deviation(const struct machine_entry *deviation,
                            const struct deviation_count *count)
{
    fputs("    <testcase classname=\"replay.deviations\" name=\"", stdout);
    print_xml(stdout, deviation->id);
    fputs(": ", stdout);
    print_xml(stdout, deviation->title);
    printf("\">\n      <system-out>%" PRIu64 " traps, the first ", count->traps);
    print_xml(stdout, count->first);
    if (deviation->follows)
        printf("\nfollows from %s", deviation->follows);
    print_side("spec", deviation->spec);
    print_side("machine", deviation->machine);
    fputs("\nconsequence: ", stdout);
    print_xml(stdout, machine_harm_name(deviation->harm));
    print_computed(count->violations);
    fputs("</system-out>\n    </testcase>\n", stdout);
}

static void print_cases(const struct replay_report *report, const struct junit_report *junit)
{
    for (unsigned row = 0; row < ROWS; row++) {
        if (report_row_total(report, row) > 0)
            print_kind(report, row);
    }
    for (unsigned i = 0; catalogue_at(report->machine, i); i++) {
        if (report->deviations[i].traps > 0)
            print_deviation(catalogue_at(report->machine, i), &report->deviations[i]);
    }
    triage_print_junit(report);
    fputs(junit->traps.text, stdout);
    if (report->bad_input)
        fputs("    <testcase classname=\"replay.input\" name=\"the traces can be read\">\n"
              "      <error message=\"bad input; see the standard error\"/>\n"
              "    </testcase>\n",
              stdout);
}

static void print(const struct junit_report *junit, const struct replay_report *report)
{
    const size_t ngroups = triage_ngroups(report->triage);
    uint64_t failures = kinds_diverged(report) + ngroups + junit->unexplained;
    unsigned errors = report->bad_input;
    uint64_t tests = kinds_met(report) + deviations_met(report) + ngroups + junit->shown + errors;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", stdout);
    printf("<testsuites tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\" errors=\"%u\">\n", tests,
           failures, errors);
    printf("  <testsuite name=\"replay\" tests=\"%" PRIu64 "\" failures=\"%" PRIu64
           "\" errors=\"%u\" time=\"%.3f\">\n",
           tests, failures, errors, report->seconds);
    print_cases(report, junit);
    fputs("  </testsuite>\n</testsuites>\n", stdout);
}

/* --- The report ------------------------------------------------------------------------------ */

static void *begin(const struct replay_report *report, FILE *out)
{
    struct junit_report *junit = calloc(1, sizeof *junit);
    if (!junit)
        no_memory();
    (void)out; /* standard output, as of all forms of --format */
    junit->report = report;
    text_stream_begin(&junit->traps);
    return junit;
}

static bool wants(const void *form, enum trap_outcome outcome)
{
    const struct junit_report *junit = form;
    if (junit->shown == junit->report->shown_max)
        return false;
    return outcome == OUTCOME_DIVERGED ||
           (outcome == OUTCOME_EXPLAINED && junit->report->shows_explained);
}

static void take(void *form, const struct trap_visit *visit)
{
    struct junit_report *junit = form;
    if (!wants(junit, visit->trap->verdict->outcome))
        return;
    print_trap(visit->trap, junit->traps.out);
    junit->shown++;
    junit->unexplained += visit->trap->verdict->outcome == OUTCOME_DIVERGED;
}

static void end(void *form, const struct replay_report *report)
{
    struct junit_report *junit = form;
    text_stream_end(&junit->traps);
    if (report)
        print(junit, report);
    text_stream_free(&junit->traps);
    free(junit);
}

const struct report_form replay_form_junit = {
    .name = "junit", .shown_max = 1000, .begin = begin, .wants = wants, .trap = take, .end = end};
