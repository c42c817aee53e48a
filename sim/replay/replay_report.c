/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay/report_visit.h"
#include "base/xml.h"

static const char *const outcome_names[] = {
#define OUTCOME_NAME(outcome, name) name,
    OUTCOME_MAP(OUTCOME_NAME)
#undef OUTCOME_NAME
};

const char *outcome_name(enum outcome outcome)
{
    return outcome_names[outcome];
}

const char *replay_row_name(unsigned row)
{
    return row == ROW_BOOT ? "boot" : trace_kind_name((enum trace_kind)(row - ROW_KINDS));
}

uint64_t report_total(const struct replay_report *report, enum outcome outcome)
{
    uint64_t sum = 0;
    for (unsigned row = 0; row < ROWS; row++)
        sum += report->counts[row][outcome];
    return sum;
}

static uint64_t row_total(const struct replay_report *report, unsigned row)
{
    uint64_t sum = 0;
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++)
        sum += report->counts[row][outcome];
    return sum;
}

static uint64_t all_traps(const struct replay_report *report)
{
    uint64_t sum = 0;
    for (unsigned row = 0; row < ROWS; row++)
        sum += row_total(report, row);
    return sum;
}

static double traps_per_second(const struct replay_report *report)
{
    return report->seconds > 0 ? (double)all_traps(report) / report->seconds : 0;
}

void report_begin(struct replay_report *report)
{
    report->details = open_memstream(&report->details_text, &report->details_size);
    if (!report->details) {
        diag_plain("out of memory");
        exit(EXIT_BAD_INPUT);
    }
}

/* --- One divergence, as text ----------------------------------------------------------------- */

static const struct trace_effect *subject(const struct difference *difference)
{
    return difference->machine ? difference->machine : difference->model;
}

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
    } else if (!subject(difference)) {
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
    const struct trace_effect *effect = subject(difference);
    if (effect)
        trace_print_effect(effect, out);
    else
        fputs(difference->path ? "registers at the end" : "the course of the trap", out);
}

enum { LAST_CHANGES = 3 };

static size_t last_changes(const struct replay_trap *trap, const struct difference *difference,
                           uint64_t seqs[LAST_CHANGES])
{
    if (!trap->twin || difference->deviation)
        return 0;
    return twin_last_changes(trap->twin, trap->line, difference, seqs, LAST_CHANGES);
}

static void print_last_changes(const struct replay_trap *trap, const struct difference *difference,
                               FILE *out)
{
    uint64_t seqs[LAST_CHANGES];
    const size_t count = last_changes(trap, difference, seqs);
    if (count > 0)
        fputs("    last changed by", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s %s#%" PRIu64, i > 0 ? "," : "", trap->file, seqs[i]);
    if (count > 0)
        fputc('\n', out);
}

static void print_difference(const struct replay_trap *trap, const struct difference *difference,
                             FILE *out)
{
    char path[64];
    if (!subject(difference) && *trap->stuck && difference->path &&
        strcmp(difference->path, "status") == 0) {
        fprintf(out, "  the spec is undefined here\n    %s\n", trap->stuck);
    } else {
        fputs("  ", out);
        print_subject(difference, out);
        fprintf(out, "\n    %s%s", difference->path ? difference->path : "",
                difference->path ? ": " : "");
        print_values(difference, out);
        fputc('\n', out);
        if (twin_state_path(difference, path, sizeof path))
            fprintf(out, "    state: %s\n", path);
        const char *function = subject(difference) ? twin_spec_function(subject(difference)) : NULL;
        if (function)
            fprintf(out, "    spec: %s\n", function);
        print_last_changes(trap, difference, out);
    }
    if (difference->deviation)
        fprintf(out, "    explained by %s: %s\n", difference->deviation->id,
                difference->deviation->title);
    else
        fputs("    unexplained\n", out);
}

static void print_trap(const struct replay_trap *trap, FILE *out)
{
    fprintf(out, "%s#%" PRIu64 " (line %u): %s on CPU %" PRIu64 ", %zu difference%s\n", trap->file,
            trap->line->seq, trap->line->number, replay_row_name(trap->row), trap->line->cpu,
            trap->found->count, trap->found->count == 1 ? "" : "s");
    for (size_t i = 0; i < differences_listed(trap->found); i++)
        print_difference(trap, &trap->found->list[i], out);
    fputc('\n', out);
}

/* --- One divergence, as JSON ----------------------------------------------------------------- */

static void json_string(const char *text, FILE *out)
{
    const struct node node = {.kind = NODE_STRING, .text = text, .length = strlen(text)};
    node_print_json(&node, out);
}

static void json_member(const char *key, const char *text, FILE *out)
{
    fprintf(out, ",\"%s\":", key);
    json_string(text, out);
}

/* A member whose text `print` writes. */
static void json_effect(const char *key, const struct trace_effect *effect, FILE *out)
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
    json_string(text ? text : "", out);
    free(text);
}

static void json_values(const struct difference *difference, FILE *out)
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

static void json_last_changes(const struct replay_trap *trap, const struct difference *difference,
                              FILE *out)
{
    uint64_t seqs[LAST_CHANGES];
    const size_t count = last_changes(trap, difference, seqs);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"#%" PRIu64 "\"", i == 0 ? ",\"last_changes\":[" : ",", seqs[i]);
    if (count > 0)
        fputc(']', out);
}

static void json_difference(const struct replay_trap *trap, const struct difference *difference,
                            FILE *out)
{
    char path[64];
    fputs("{\"explanation\":", out);
    json_string(difference->deviation ? difference->deviation->id : "unexplained", out);
    json_effect("model", difference->model, out);
    json_effect("machine", difference->machine, out);
    if (difference->path)
        json_member("field", difference->path, out);
    json_values(difference, out);
    if (twin_state_path(difference, path, sizeof path))
        json_member("path", path, out);
    const char *function = subject(difference) ? twin_spec_function(subject(difference)) : NULL;
    if (function)
        json_member("spec", function, out);
    json_last_changes(trap, difference, out);
    fputc('}', out);
}

void replay_trap_json(const struct replay_trap *trap, FILE *out)
{
    char id[320];
    snprintf(id, sizeof id, "%s#%" PRIu64, trap->file, trap->line->seq);
    fputs("{\"trap\":", out);
    json_string(id, out);
    fprintf(out, ",\"line\":%u,\"cpu\":%" PRIu64, trap->line->number, trap->line->cpu);
    json_member("kind", replay_row_name(trap->row), out);
    if (*trap->stuck)
        json_member("stuck", trap->stuck, out);
    fputs(",\"differences\":[", out);
    for (size_t i = 0; i < differences_listed(trap->found); i++) {
        if (i > 0)
            fputc(',', out);
        json_difference(trap, &trap->found->list[i], out);
    }
    fputs("]}", out);
}

/* --- Counting -------------------------------------------------------------------------------- */

static void count_deviations(struct replay_report *report, const struct replay_trap *trap)
{
    bool seen[DEVIATIONS_MAX] = {false};
    for (size_t i = 0; i < differences_listed(trap->found); i++) {
        const struct deviation *deviation = trap->found->list[i].deviation;
        if (!deviation)
            continue;
        struct deviation_count *count = &report->deviations[deviation_index(deviation)];
        count->differences++;
        if (seen[deviation_index(deviation)])
            continue;
        seen[deviation_index(deviation)] = true;
        if (count->traps++ == 0)
            snprintf(count->first, sizeof count->first, "%s#%" PRIu64, trap->file, trap->line->seq);
    }
}

/* A test case that failed. */
static void junit_trap(const struct replay_trap *trap, FILE *out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        return;
    print_trap(trap, stream);
    fclose(stream);
    fputs("    <testcase classname=\"replay.divergences\" name=\"", out);
    print_xml(out, trap->file);
    fprintf(out, "#%" PRIu64 "\">\n      <failure message=\"%zu difference%s\">", trap->line->seq,
            trap->found->count, trap->found->count == 1 ? "" : "s");
    print_xml(out, text);
    fputs("</failure>\n    </testcase>\n", out);
    free(text);
}

void report_trap(struct replay_report *report, const struct replay_trap *trap)
{
    if (report->files)
        report_files_trap(report->files, trap);
    report->counts[trap->row][trap->outcome]++;
    if (trap->found->count == 0)
        return;
    count_deviations(report, trap);
    if (trap->outcome != OUTCOME_DIVERGED || report->shown == report->shown_max)
        return;
    if (report->json && report->shown > 0)
        fputc(',', report->details);
    if (report->json)
        replay_trap_json(trap, report->details);
    else if (report->junit)
        junit_trap(trap, report->details);
    else
        print_trap(trap, report->details);
    report->shown++;
}

/* --- The end --------------------------------------------------------------------------------- */

static void print_row(const char *name, uint64_t total, const uint64_t counts[OUTCOMES])
{
    printf("%-14s %10" PRIu64, name, total);
    for (unsigned i = 0; i < OUTCOMES; i++)
        printf(" %12" PRIu64, counts[i]);
    putchar('\n');
}

static void print_table(const struct replay_report *report)
{
    uint64_t sums[OUTCOMES];
    printf("%-14s %10s", "", "traps");
    for (unsigned i = 0; i < OUTCOMES; i++) {
        printf(" %12s", outcome_names[i]);
        sums[i] = report_total(report, (enum outcome)i);
    }
    putchar('\n');
    for (unsigned row = 0; row < ROWS; row++) {
        if (row_total(report, row) > 0)
            print_row(replay_row_name(row), row_total(report, row), report->counts[row]);
    }
    print_row("all", all_traps(report), sums);
}

static void print_deviations(const struct replay_report *report)
{
    for (unsigned i = 0; deviation_at(i); i++) {
        const struct deviation_count *count = &report->deviations[i];
        if (count->traps == 0)
            continue;
        const struct deviation *deviation = deviation_at(i);
        printf("\n%s, %s: %" PRIu64 " traps, the first %s\n", deviation->id, deviation->title,
               count->traps, count->first);
        printf("  spec: %s\n  machine: %s\n", deviation->spec, deviation->machine);
    }
}

static void print_violations(const struct replay_report *report)
{
    for (unsigned i = 0; fh_invariant_at(i); i++) {
        const struct violation_count *count = &report->violations[i];
        if (count->traps > 0)
            printf("\n%" PRIu64 " traps break an invariant, the first %s\n  %s\n", count->traps,
                   count->first, count->witness);
    }
}

static void print_json_violations(const struct replay_report *report)
{
    bool first = true;
    for (unsigned i = 0; fh_invariant_at(i); i++) {
        const struct violation_count *count = &report->violations[i];
        if (count->traps == 0)
            continue;
        printf("%s\"%s\":{\"traps\":%" PRIu64 ",\"first\":", first ? "" : ",",
               fh_invariant_at(i)->name, count->traps);
        json_string(count->first, stdout);
        json_member("witness", count->witness, stdout);
        putchar('}');
        first = false;
    }
}

static void print_text(const struct replay_report *report)
{
    print_table(report);
    print_deviations(report);
    print_violations(report);
    printf("\n%.3f s, %.0f traps per second\n", report->seconds, traps_per_second(report));
    const uint64_t diverged = report_total(report, OUTCOME_DIVERGED);
    if (diverged == 0)
        puts(report->bad_input ? "no divergence before the bad input" : "no divergence");
    else
        printf("%" PRIu64 " divergence%s%s\n\n%s", diverged, diverged == 1 ? "" : "s",
               report->shown == 0         ? ""
               : report->shown < diverged ? ", the first of them:"
                                          : ":",
               report->details_text);
}

static void print_json_counts(const uint64_t counts[OUTCOMES])
{
    static const char *const keys[] = {"matched", "explained", "diverged", "not_replayed"};
    for (unsigned i = 0; i < OUTCOMES; i++)
        printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "", keys[i], counts[i]);
}

static void print_json(const struct replay_report *report)
{
    uint64_t sums[OUTCOMES];
    for (unsigned i = 0; i < OUTCOMES; i++)
        sums[i] = report_total(report, (enum outcome)i);
    printf("{\"traps\":%" PRIu64 ",", all_traps(report));
    print_json_counts(sums);
    printf(",\"bad_input\":%s,\"seconds\":%.6f,\"traps_per_second\":%.0f,\"kinds\":{",
           report->bad_input ? "true" : "false", report->seconds, traps_per_second(report));
    bool first = true;
    for (unsigned row = 0; row < ROWS; row++) {
        if (row_total(report, row) == 0)
            continue;
        printf("%s\"%s\":{\"traps\":%" PRIu64 ",", first ? "" : ",", replay_row_name(row),
               row_total(report, row));
        print_json_counts(report->counts[row]);
        putchar('}');
        first = false;
    }
    fputs("},\"deviations\":{", stdout);
    first = true;
    for (unsigned i = 0; deviation_at(i); i++) {
        const struct deviation_count *count = &report->deviations[i];
        if (count->traps == 0)
            continue;
        printf("%s\"%s\":{\"traps\":%" PRIu64 ",\"differences\":%" PRIu64 ",\"first\":",
               first ? "" : ",", deviation_at(i)->id, count->traps, count->differences);
        json_string(count->first, stdout);
        putchar('}');
        first = false;
    }
    fputs("},\"violations\":{", stdout);
    print_json_violations(report);
    printf("},\"divergences\":[%s]}\n", report->details_text);
}

void report_end(struct replay_report *report)
{
    fclose(report->details);
    if (report->json)
        print_json(report);
    else if (report->junit)
        junit_print(report);
    else
        print_text(report);
    free(report->details_text);
}
