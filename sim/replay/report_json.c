/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "replay/report_verdict.h"
#include "replay/report_words.h"
#include "replay/reports.h"

/* The summary and the record of a divergence as JSON; docs/replay-reports.md lists their keys. */

/* --- A divergence ---------------------------------------------------------------------------- */

static void put_stream(struct json_out *json, const char *key, struct text_stream *stream)
{
    text_stream_end(stream);
    json_bytes(json, key, stream->text, stream->length);
    text_stream_free(stream);
}

static void put_effect(struct json_out *json, const char *key, const struct trace_effect *effect)
{
    struct text_stream stream;
    if (!effect) {
        json_null(json, key);
        return;
    }
    trace_print_effect(effect, text_stream_begin(&stream));
    put_stream(json, key, &stream);
}

static void put_field(struct json_out *json, const char *key, const struct trace_effect *effect,
                      const struct trace_field *field)
{
    struct text_stream stream;
    trace_print_field(effect, field, text_stream_begin(&stream));
    put_stream(json, key, &stream);
}

static void put_values(struct json_out *json, const struct difference *difference)
{
    if (difference->field) {
        put_field(json, "model_value", difference->model, difference->field);
        put_field(json, "machine_value", difference->machine, difference->field);
    } else if (difference->path) {
        json_hex(json, "model_value", difference->model_value);
        json_hex(json, "machine_value", difference->machine_value);
    }
}

static void put_words(struct json_out *json, const struct replay_trap *trap,
                      const struct difference *difference)
{
    char words[256];
    if (value_account(trap, difference, false, words, sizeof words))
        json_text(json, "model_words", words);
    if (value_account(trap, difference, true, words, sizeof words))
        json_text(json, "machine_words", words);
}

static void put_last_changes(struct json_out *json, const struct replay_trap *trap,
                             const struct difference *difference)
{
    uint64_t seqs[LAST_CHANGES];
    const size_t count = difference_last_changes(trap, difference, seqs);
    if (count == 0)
        return;
    json_open_array(json, "last_changes");
    for (size_t i = 0; i < count; i++)
        json_format(json, NULL, "#%" PRIu64, seqs[i]);
    json_close_array(json);
}

/* What explains the trap: "A1 (A35), A24", or "unexplained". */
static void put_explanation(struct json_out *json, const struct replay_trap *trap)
{
    unsigned list[CATALOGUE_MAX];
    struct text_stream stream;
    FILE *out = text_stream_begin(&stream);
    explanation_print(trap, out);
    fputs(deviations_in(trap, list) == 0 ? "unexplained" : "", out);
    put_stream(json, "explanation", &stream);
}

/* `who` predicted: the model of the machine, or the spec. */
static void put_difference(struct json_out *json, const struct replay_trap *trap,
                           const struct difference *difference, const char *who, bool follows)
{
    char path[64];
    json_open_object(json, NULL);
    put_explanation(json, trap);
    json_text(json, "by", who);
    put_effect(json, "model", difference->model);
    put_effect(json, "machine", difference->machine);
    if (difference->path)
        json_text(json, "field", difference->path);
    put_values(json, difference);
    put_words(json, trap, difference);
    if (twin_state_path(trap->twin, difference, path, sizeof path))
        json_text(json, "path", path);
    if (twin_spec_function(trap->twin, difference, path, sizeof path))
        json_text(json, "spec", path);
    if (twin_spec_caller(trap->twin, difference, path, sizeof path))
        json_text(json, "inside", path);
    const char *condition = twin_condition(trap->twin, difference);
    if (condition)
        json_text(json, "condition", condition);
    put_last_changes(json, trap, difference);
    if (follows)
        json_bool(json, "follows", true);
    json_close_object(json);
}

static void put_differences(struct json_out *json, const struct replay_trap *trap, const char *key,
                            const struct differences *found, const char *who)
{
    const uint64_t followers = triage_followers(found);
    json_open_array(json, key);
    for (size_t i = 0; i < differences_listed(found); i++)
        put_difference(json, trap, &found->list[i], who, followers >> i & 1);
    json_close_array(json);
}

static void put_blamed(struct json_out *json, const struct replay_trap *trap, unsigned invariant)
{
    if (!trap->blamed)
        return;
    json_open_array(json, "by");
    for (unsigned i = 0; catalogue_at(trap->machine, i); i++) {
        if (credits_has(&trap->blamed[invariant], i))
            json_text(json, NULL, catalogue_at(trap->machine, i)->id);
    }
    json_close_array(json);
}

static void put_broken(struct json_out *json, const struct replay_trap *trap)
{
    char witness[256];
    json_open_array(json, "violations");
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(trap->broken >> i & 1))
            continue;
        fh_witness_format(fh_invariant_at(i), &trap->violations->witness[i], witness,
                          sizeof witness);
        json_open_object(json, NULL);
        json_text(json, "invariant", fh_invariant_at(i)->name);
        json_text(json, "witness", witness);
        put_blamed(json, trap, i);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_denied(struct json_out *json, const struct replay_trap *trap)
{
    char what[32];
    struct denied_access access;
    if (!denied_access(trap->line, &access))
        return;
    json_open_object(json, "denied");
    json_text(json, "principal", "host");
    json_text(json, "access", denied_how_name(access.how));
    json_hex(json, "pfn", access.pfn);
    json_text(json, "to", denied_what(access.owner, what, sizeof what));
    json_close_object(json);
}

static void put_explanations(struct json_out *json, const struct replay_trap *trap)
{
    unsigned list[CATALOGUE_MAX];
    const size_t count = deviations_in(trap, list);
    json_open_array(json, "explanations");
    for (size_t i = 0; i < count; i++)
        json_text(json, NULL, catalogue_at(trap->machine, list[i])->id);
    json_close_array(json);
}

void replay_trap_json(struct json_out *json, const char *key, const struct replay_trap *trap)
{
    const struct trap_verdict *verdict = trap->verdict;
    const bool is_explained = verdict->outcome == OUTCOME_EXPLAINED;
    json_open_object(json, key);
    json_format(json, "trap", "%s#%" PRIu64, trap->file, trap->line->seq);
    json_number(json, "line", trap->line->number);
    json_number(json, "cpu", trap->line->cpu);
    json_text(json, "kind", replay_row_name(trap->row));
    json_text(json, "outcome", outcome_name(verdict->outcome));
    put_explanations(json, trap);
    inputs_put(json, trap);
    if (*verdict->stuck)
        json_text(json, "stuck", verdict->stuck);
    if (verdict->has_spec && *verdict->spec_stuck)
        json_text(json, "spec_stuck", verdict->spec_stuck);
    put_differences(json, trap, "differences", is_explained ? &verdict->spec : &verdict->found,
                    is_explained ? "spec" : "machine");
    if (!is_explained && verdict->has_spec)
        put_differences(json, trap, "spec_differences", &verdict->spec, "spec");
    put_broken(json, trap);
    put_denied(json, trap);
    json_close_object(json);
}

char *replay_trap_json_text(const struct replay_trap *trap, size_t *length)
{
    struct text_stream stream;
    struct json_out json;
    json_out_begin_line(&json, text_stream_begin(&stream));
    replay_trap_json(&json, NULL, trap);
    text_stream_end(&stream);
    if (length)
        *length = stream.length;
    return stream.text;
}

/* --- The summary ----------------------------------------------------------------------------- */

static void put_counts(struct json_out *json, const uint64_t counts[OUTCOMES])
{
    static const char *const keys[] = {"matched", "explained", "diverged", "not_replayed"};
    uint64_t total = 0;
    for (unsigned i = 0; i < OUTCOMES; i++)
        total += counts[i];
    json_number(json, "traps", total);
    for (unsigned i = 0; i < OUTCOMES; i++)
        json_number(json, keys[i], counts[i]);
}

static void put_totals(struct json_out *json, const struct replay_report *report)
{
    uint64_t sums[OUTCOMES];
    for (unsigned i = 0; i < OUTCOMES; i++)
        sums[i] = report_total(report, (enum trap_outcome)i);
    put_counts(json, sums);
    json_bool(json, "bad_input", report->bad_input);
    json_real(json, "seconds", report->seconds, 6);
    json_real(json, "traps_per_second", report_speed(report), 0);
}

static void put_verdict(struct json_out *json, const struct replay_report *report)
{
    struct text_stream stream;
    json_text(json, "machine", report->machine->name);
    report_verdict(report, text_stream_begin(&stream));
    put_stream(json, "verdict", &stream);
    json_bool(json, "good", report_is_good(report));
}

static void put_kinds(struct json_out *json, const struct replay_report *report)
{
    json_open_object(json, "kinds");
    for (unsigned row = 0; row < ROWS; row++) {
        if (report_row_total(report, row) == 0)
            continue;
        json_open_object(json, replay_row_name(row));
        put_counts(json, report->counts[row]);
        json_close_object(json);
    }
    json_close_object(json);
}

static void put_files(struct json_out *json, const struct replay_report *report)
{
    json_open_array(json, "files");
    for (size_t i = 0; i < report->nfiles; i++) {
        const struct file_count *file = &report->files[i];
        json_open_object(json, NULL);
        json_text(json, "file", file->name);
        put_counts(json, file->counts);
        json_number(json, "denied", file->denied);
        json_open_array(json, "broken");
        for (unsigned j = 0; j < FH_INVARIANTS; j++) {
            if (file->broken >> j & 1)
                json_text(json, NULL, fh_invariant_at(j)->name);
        }
        json_close_array(json);
        json_bool(json, "unfinished", file->unfinished);
        json_bool(json, "bad_input", file->bad_input);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_violations(struct json_out *json, const char *key,
                           const struct violation_count violations[FH_INVARIANTS])
{
    json_open_object(json, key);
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const struct violation_count *count = &violations[i];
        if (count->traps == 0)
            continue;
        json_open_object(json, fh_invariant_at(i)->name);
        json_number(json, "traps", count->traps);
        json_text(json, "first", count->first);
        json_text(json, "witness", count->witness);
        json_close_object(json);
    }
    json_close_object(json);
}

static void put_deviations(struct json_out *json, const struct replay_report *report)
{
    json_open_object(json, "deviations");
    for (unsigned i = 0; catalogue_at(report->machine, i); i++) {
        const struct deviation_count *count = &report->deviations[i];
        const struct machine_entry *entry = catalogue_at(report->machine, i);
        if (count->traps == 0)
            continue;
        json_open_object(json, entry->id);
        json_number(json, "traps", count->traps);
        json_text(json, "first", count->first);
        json_text(json, "title", entry->title);
        json_text(json, "consequence", machine_harm_name(entry->harm));
        if (entry->follows)
            json_text(json, "follows", entry->follows);
        put_violations(json, "violations", count->violations);
        json_close_object(json);
    }
    json_close_object(json);
}

static void put_denials(struct json_out *json, const struct replay_report *report)
{
    json_open_array(json, "denied");
    for (unsigned owner = 0; owner < DENIED_OWNERS; owner++) {
        char what[32];
        const struct denied_count *count = &report->denied.of[owner];
        if (count->accesses == 0)
            continue;
        json_open_object(json, NULL);
        json_text(json, "principal", "host");
        json_text(json, "to", denied_what(owner, what, sizeof what));
        json_number(json, "accesses", count->accesses);
        json_number(json, "attempts", count->attempts);
        for (unsigned how = 0; how < DENIED_HOWS; how++)
            json_number(json, denied_how_name((enum denied_how)how), count->hows[how]);
        json_text(json, "first", count->first);
        json_text(json, "last", count->last);
        json_close_object(json);
    }
    json_close_array(json);
}

void json_summary(struct json_out *json, const struct replay_report *report,
                  const struct kept_traps *kept)
{
    put_totals(json, report);
    put_verdict(json, report);
    put_kinds(json, report);
    put_files(json, report);
    put_deviations(json, report);
    put_denials(json, report);
    json_bool(json, "invariants", !report->no_invariants);
    put_violations(json, "boot_violations", report->boot_violations);
    put_violations(json, "violations", report->violations);
    put_violations(json, "unattributed_violations", report->unattributed);
    triage_print_json(json, report, kept);
}

/* --- The report ------------------------------------------------------------------------------ */

struct json_report {
    const struct replay_report *report;
    FILE *out;
    struct text_stream stream; /* the first divergences, which come behind the summary */
    struct json_out divergences;
    size_t shown;
    struct kept_traps kept;
};

static void *begin(const struct replay_report *report, FILE *out)
{
    struct json_report *json = calloc(1, sizeof *json);
    if (!json)
        no_memory();
    json->report = report;
    json->out = out;
    json_out_begin_rows(&json->divergences, text_stream_begin(&json->stream), 1);
    json_open_array(&json->divergences, NULL);
    return json;
}

static bool shows(const struct json_report *json, enum trap_outcome outcome)
{
    if (json->shown == json->report->shown_max)
        return false;
    return outcome == OUTCOME_DIVERGED ||
           (outcome == OUTCOME_EXPLAINED && json->report->shows_explained);
}

static bool wants(const void *form, enum trap_outcome outcome)
{
    const struct json_report *json = form;
    return shows(json, outcome) || (outcome == OUTCOME_DIVERGED && json->report->shown_max > 0 &&
                                    triage_is_new(json->report->triage));
}

static void take(void *form, const struct trap_visit *visit)
{
    struct json_report *json = form;
    const struct replay_trap *trap = visit->trap;
    const enum trap_outcome outcome = trap->verdict->outcome;
    if (outcome == OUTCOME_DIVERGED && json->report->shown_max > 0 && is_first_of_group(trap))
        keep_trap(&json->kept, trap, replay_trap_json_text(trap, NULL));
    if (!shows(json, outcome))
        return;
    replay_trap_json(&json->divergences, NULL, trap);
    json->shown++;
}

static void print(struct json_report *json, const struct replay_report *report)
{
    struct json_out out;
    json_out_begin_rows(&out, json->out, 2);
    json_open_object(&out, NULL);
    json_summary(&out, report, &json->kept);
    json_insert(&out, "divergences", json->stream.text, json->stream.length);
    json_close_object(&out);
    json_out_end(&out);
}

static void end(void *form, const struct replay_report *report)
{
    struct json_report *json = form;
    json_close_array(&json->divergences);
    text_stream_end(&json->stream);
    if (report)
        print(json, report);
    text_stream_free(&json->stream);
    kept_traps_free(&json->kept);
    free(json);
}

const struct report_form replay_form_json = {
    .name = "json", .shown_max = 5, .begin = begin, .wants = wants, .trap = take, .end = end};
