/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_verdict.h"

#include <inttypes.h>
#include <string.h>

/* What a replay found, in the order of consequence. */

static const char *const names[] = {
#define FINDING_NAME(name, words) #name,
    FINDING_MAP(FINDING_NAME)
#undef FINDING_NAME
};

static uint64_t broken_traps(const struct replay_report *report)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < FH_INVARIANTS; i++)
        most = report->violations[i].traps > most ? report->violations[i].traps : most;
    return most;
}

uint64_t report_found(const struct replay_report *report, enum finding finding)
{
    switch (finding) {
    case FINDING_unexplained: return report_total(report, OUTCOME_DIVERGED);
    case FINDING_invariant: return broken_traps(report);
    case FINDING_confidentiality: return report->harmed[MACHINE_HARM_confidentiality];
    case FINDING_integrity: return report->harmed[MACHINE_HARM_integrity];
    case FINDING_explained: return report_total(report, OUTCOME_EXPLAINED);
    case FINDING_denied: return denied_tally_total(&report->denied);
    default: return 0;
    }
}

static bool read_one(const char *name, size_t length, unsigned *set)
{
    for (unsigned i = 0; i < FINDINGS; i++) {
        if (strlen(names[i]) != length || strncmp(names[i], name, length) != 0)
            continue;
        *set |= 1u << i;
        return true;
    }
    diag_plain("replay: nothing is found that is called '%.*s'; there are unexplained, invariant, "
               "confidentiality, integrity, explained and denied",
               (int)length, name);
    return false;
}

bool findings_read(const char *text, unsigned *set)
{
    *set = 0;
    while (*text) {
        const size_t length = strcspn(text, ",");
        if (!read_one(text, length, set))
            return false;
        text += length + (text[length] == ',');
    }
    return true;
}

bool report_is_good(const struct replay_report *report)
{
    return !report->bad_input && report_found(report, FINDING_unexplained) == 0 &&
           report_found(report, FINDING_invariant) == 0 &&
           report_found(report, FINDING_confidentiality) == 0 &&
           report_found(report, FINDING_integrity) == 0;
}

/* --- In words -------------------------------------------------------------------------------- */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_invariants(const struct replay_report *report, FILE *out)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const uint64_t traps = report->violations[i].traps;
        if (traps > 0)
            fprintf(out, "; %" PRIu64 " trap%s break%s %s", traps, plural(traps),
                    traps == 1 ? "s" : "", fh_invariant_at(i)->name);
    }
}

/* "; 5 traps depart at the cost of integrity (A5, A12)" */
static void print_harm(const struct replay_report *report, enum machine_harm harm, FILE *out)
{
    const char *separator = " (";
    const uint64_t traps = report->harmed[harm];
    if (traps == 0)
        return;
    fprintf(out, "; %" PRIu64 " trap%s depart%s at the cost of %s", traps, plural(traps),
            traps == 1 ? "s" : "", machine_harm_name(harm));
    for (unsigned i = 0; catalogue_at(report->machine, i); i++) {
        const struct machine_entry *entry = catalogue_at(report->machine, i);
        if (entry->harm != harm || report->deviations[i].traps == 0)
            continue;
        fprintf(out, "%s%s", separator, entry->id);
        separator = ", ";
    }
    fputc(')', out);
}

bool report_compared(const struct replay_report *report)
{
    const uint64_t boots = report_row_total(report, ROW_BOOT);
    return report_traps(report) > boots + report_total(report, OUTCOME_NOT_REPLAYED);
}

void report_verdict(const struct replay_report *report, FILE *out)
{
    const uint64_t diverged = report_found(report, FINDING_unexplained);
    const uint64_t denied = report_found(report, FINDING_denied);
    const uint64_t explained = report_found(report, FINDING_explained);
    if (!report_compared(report)) {
        fprintf(out, "nothing was compared: %s",
                report->bad_input ? "the input is bad" : "no trap could be replayed");
        return;
    }
    if (diverged > 0)
        fprintf(out, "%" PRIu64 " trap%s unexplained", diverged, plural(diverged));
    else
        fputs("no trap unexplained", out);
    if (report->bad_input)
        fputs(" before the bad input", out);
    print_invariants(report, out);
    print_harm(report, MACHINE_HARM_confidentiality, out);
    print_harm(report, MACHINE_HARM_integrity, out);
    print_harm(report, MACHINE_HARM_availability, out);
    if (explained == 0 && diverged == 0)
        fputs("; all do what the spec says", out);
    if (denied > 0)
        fprintf(out, "; %" PRIu64 " access%s denied", denied, denied == 1 ? "" : "es");
}
