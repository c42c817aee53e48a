/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_triage.h"
#include "replay/report_verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The summary and the record of a divergence as JSON; docs/replay-reports.md lists their keys. */

static void print_string(const char *text, FILE *out)
{
    const struct node node = {.kind = NODE_STRING, .text = text, .length = strlen(text)};
    node_print_json(&node, out);
}

static void print_member(const char *key, const char *text, FILE *out)
{
    fprintf(out, ",\"%s\":", key);
    print_string(text, out);
}

/* --- A divergence ---------------------------------------------------------------------------- */

/* A member whose text trace_print_effect writes. */
static void print_effect(const char *key, const struct trace_effect *effect, FILE *out)
{
    fprintf(out, ",\"%s\":", key);
    if (!effect) {
        fputs("null", out);
        return;
    }
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream) {
        trace_print_effect(effect, stream);
        fclose(stream);
    }
    print_string(text ? text : "", out);
    free(text);
}

static void print_values(const struct difference *difference, FILE *out)
{
    if (difference->field) {
        fputs(",\"model_value\":\"", out);
        trace_print_field(difference->model, difference->field, out);
        fputs("\",\"machine_value\":\"", out);
        trace_print_field(difference->machine, difference->field, out);
        fputc('"', out);
    } else if (difference->path) {
        fprintf(out, ",\"model_value\":\"0x%" PRIx64 "\",\"machine_value\":\"0x%" PRIx64 "\"",
                difference->model_value, difference->machine_value);
    }
}

static void print_last_changes(const struct replay_trap *trap, const struct difference *difference,
                               FILE *out)
{
    uint64_t seqs[LAST_CHANGES];
    const size_t count = difference_last_changes(trap, difference, seqs);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"#%" PRIu64 "\"", i == 0 ? ",\"last_changes\":[" : ",", seqs[i]);
    if (count > 0)
        fputc(']', out);
}

/* What explains the trap: "A15,A24", or "unexplained". */
static void print_explanation(const struct replay_trap *trap, FILE *out)
{
    unsigned list[CATALOGUE_MAX];
    const size_t count = deviations_in(trap, list);
    fputs("\"explanation\":\"", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i > 0 ? "," : "", catalogue_at(trap->machine, list[i])->id);
    fprintf(out, "%s\"", count == 0 ? "unexplained" : "");
}

/* `who` predicted: the model of the machine, or the spec. */
static void print_difference(const struct replay_trap *trap, const struct difference *difference,
                             const char *who, bool follows, FILE *out)
{
    char path[64];
    fputc('{', out);
    print_explanation(trap, out);
    fprintf(out, ",\"by\":\"%s\"", who);
    print_effect("model", difference->model, out);
    print_effect("machine", difference->machine, out);
    if (difference->path)
        print_member("field", difference->path, out);
    print_values(difference, out);
    if (twin_state_path(trap->twin, difference, path, sizeof path))
        print_member("path", path, out);
    if (twin_spec_function(trap->twin, difference, path, sizeof path))
        print_member("spec", path, out);
    const char *condition = twin_condition(trap->twin, difference);
    if (condition)
        print_member("condition", condition, out);
    print_last_changes(trap, difference, out);
    if (follows)
        fputs(",\"follows\":true", out);
    fputc('}', out);
}

static void print_broken(const struct replay_trap *trap, FILE *out)
{
    char witness[256];
    const char *separator = "";
    fputs(",\"violations\":[", out);
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(trap->broken >> i & 1))
            continue;
        fh_witness_format(fh_invariant_at(i), &trap->violations->witness[i], witness,
                          sizeof witness);
        fprintf(out, "%s{\"invariant\":\"%s\"", separator, fh_invariant_at(i)->name);
        print_member("witness", witness, out);
        fputc('}', out);
        separator = ",";
    }
    fputc(']', out);
}

static void print_denied(const struct replay_trap *trap, FILE *out)
{
    char what[32];
    struct denied_access access;
    if (!denied_access(trap->line, &access))
        return;
    fprintf(out, ",\"denied\":{\"principal\":\"host\",\"access\":\"%s\",\"pfn\":\"0x%" PRIx64 "\"",
            denied_how_name(access.how), access.pfn);
    print_member("to", denied_what(access.owner, what, sizeof what), out);
    fputc('}', out);
}

static void print_differences(const struct replay_trap *trap, const char *key,
                              const struct differences *found, const char *who, FILE *out)
{
    const uint64_t followers = triage_followers(found);
    fprintf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (i > 0)
            fputc(',', out);
        print_difference(trap, &found->list[i], who, followers >> i & 1, out);
    }
    fputc(']', out);
}

static void print_explanations(const struct replay_trap *trap, FILE *out)
{
    unsigned list[CATALOGUE_MAX];
    const size_t count = deviations_in(trap, list);
    fputs(",\"explanations\":[", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", catalogue_at(trap->machine, list[i])->id);
    fputc(']', out);
}

void replay_trap_json(const struct replay_trap *trap, FILE *out)
{
    char id[320];
    snprintf(id, sizeof id, "%s#%" PRIu64, trap->file, trap->line->seq);
    fputs("{\"trap\":", out);
    print_string(id, out);
    fprintf(out, ",\"line\":%u,\"cpu\":%" PRIu64, trap->line->number, trap->line->cpu);
    print_member("kind", replay_row_name(trap->row), out);
    print_member("outcome", outcome_name(trap->verdict->outcome), out);
    print_explanations(trap, out);
    if (*trap->verdict->stuck)
        print_member("stuck", trap->verdict->stuck, out);
    if (trap->verdict->has_spec && *trap->verdict->spec_stuck)
        print_member("spec_stuck", trap->verdict->spec_stuck, out);
    const bool is_explained = trap->verdict->outcome == OUTCOME_EXPLAINED;
    print_differences(trap, "differences",
                      is_explained ? &trap->verdict->spec : &trap->verdict->found,
                      is_explained ? "spec" : "machine", out);
    if (!is_explained && trap->verdict->has_spec)
        print_differences(trap, "spec_differences", &trap->verdict->spec, "spec", out);
    print_broken(trap, out);
    print_denied(trap, out);
    fputc('}', out);
}

/* --- The summary ----------------------------------------------------------------------------- */

static void print_counts(const uint64_t counts[OUTCOMES], FILE *out)
{
    static const char *const keys[] = {"matched", "explained", "diverged", "not_replayed"};
    uint64_t total = 0;
    for (unsigned i = 0; i < OUTCOMES; i++)
        total += counts[i];
    fprintf(out, "\"traps\":%" PRIu64, total);
    for (unsigned i = 0; i < OUTCOMES; i++)
        fprintf(out, ",\"%s\":%" PRIu64, keys[i], counts[i]);
}

static void print_totals(const struct replay_report *report, FILE *out)
{
    uint64_t sums[OUTCOMES];
    for (unsigned i = 0; i < OUTCOMES; i++)
        sums[i] = report_total(report, (enum trap_outcome)i);
    print_counts(sums, out);
    fprintf(out, ",\"bad_input\":%s,\"seconds\":%.6f,\"traps_per_second\":%.0f",
            report->bad_input ? "true" : "false", report->seconds, report_speed(report));
}

static void print_verdict(const struct replay_report *report, FILE *out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        no_memory();
    report_verdict(report, stream);
    fclose(stream);
    print_member("machine", report->machine->name, out);
    print_member("verdict", text, out);
    fprintf(out, ",\"good\":%s", report_is_good(report) ? "true" : "false");
    free(text);
}

static void print_kinds(const struct replay_report *report, FILE *out)
{
    const char *separator = "";
    fputs(",\n\"kinds\":{", out);
    for (unsigned row = 0; row < ROWS; row++) {
        if (report_row_total(report, row) == 0)
            continue;
        fprintf(out, "%s\"%s\":{", separator, replay_row_name(row));
        print_counts(report->counts[row], out);
        fputc('}', out);
        separator = ",";
    }
    fputc('}', out);
}

static void print_files(const struct replay_report *report, FILE *out)
{
    fputs(",\n\"files\":[", out);
    for (size_t i = 0; i < report->nfiles; i++) {
        const struct file_count *file = &report->files[i];
        fputs(i > 0 ? ",{\"file\":" : "{\"file\":", out);
        print_string(file->name, out);
        fputc(',', out);
        print_counts(file->counts, out);
        fprintf(out, ",\"denied\":%" PRIu64 ",\"broken\":[", file->denied);
        const char *separator = "";
        for (unsigned j = 0; j < FH_INVARIANTS; j++) {
            if (!(file->broken >> j & 1))
                continue;
            fprintf(out, "%s\"%s\"", separator, fh_invariant_at(j)->name);
            separator = ",";
        }
        fprintf(out, "],\"unfinished\":%s,\"bad_input\":%s}", file->unfinished ? "true" : "false",
                file->bad_input ? "true" : "false");
    }
    fputc(']', out);
}

static void print_violations(const struct violation_count violations[FH_INVARIANTS], FILE *out)
{
    const char *separator = "";
    fputc('{', out);
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const struct violation_count *count = &violations[i];
        if (count->traps == 0)
            continue;
        fprintf(out, "%s\"%s\":{\"traps\":%" PRIu64, separator, fh_invariant_at(i)->name,
                count->traps);
        print_member("first", count->first, out);
        print_member("witness", count->witness, out);
        fputc('}', out);
        separator = ",";
    }
    fputc('}', out);
}

static void print_deviations(const struct replay_report *report, FILE *out)
{
    const char *separator = "";
    fputs(",\n\"deviations\":{", out);
    for (unsigned i = 0; catalogue_at(report->machine, i); i++) {
        const struct deviation_count *count = &report->deviations[i];
        if (count->traps == 0)
            continue;
        fprintf(out, "%s\"%s\":{\"traps\":%" PRIu64, separator,
                catalogue_at(report->machine, i)->id, count->traps);
        print_member("first", count->first, out);
        print_member("title", catalogue_at(report->machine, i)->title, out);
        print_member("consequence", machine_harm_name(catalogue_at(report->machine, i)->harm), out);
        fputs(",\"violations\":", out);
        print_violations(count->violations, out);
        fputc('}', out);
        separator = ",\n";
    }
    fputc('}', out);
}

static void print_denials(const struct replay_report *report, FILE *out)
{
    const char *separator = "";
    fputs(",\n\"denied\":[", out);
    for (unsigned owner = 0; owner < DENIED_OWNERS; owner++) {
        char what[32];
        const struct denied_count *count = &report->denied.of[owner];
        if (count->accesses == 0)
            continue;
        fprintf(out, "%s{\"principal\":\"host\"", separator);
        print_member("to", denied_what(owner, what, sizeof what), out);
        fprintf(out, ",\"accesses\":%" PRIu64 ",\"attempts\":%" PRIu64, count->accesses,
                count->attempts);
        for (unsigned how = 0; how < DENIED_HOWS; how++)
            fprintf(out, ",\"%s\":%" PRIu64, denied_how_name((enum denied_how)how),
                    count->hows[how]);
        print_member("first", count->first, out);
        print_member("last", count->last, out);
        fputc('}', out);
        separator = ",";
    }
    fputc(']', out);
}

void json_summary(const struct replay_report *report, FILE *out)
{
    print_totals(report, out);
    print_verdict(report, out);
    print_kinds(report, out);
    print_files(report, out);
    print_deviations(report, out);
    print_denials(report, out);
    fprintf(out, ",\n\"invariants\":%s,\n\"boot_violations\":",
            report->no_invariants ? "false" : "true");
    print_violations(report->boot_violations, out);
    fputs(",\n\"violations\":", out);
    print_violations(report->violations, out);
    fputs(",\n\"unattributed_violations\":", out);
    print_violations(report->unattributed, out);
    fputs(",\n\"groups\":", out);
    triage_print_json(report, out);
}

void json_print(const struct replay_report *report)
{
    putchar('{');
    json_summary(report, stdout);
    printf(",\n\"divergences\":[%s]}\n", report->details_text);
}
