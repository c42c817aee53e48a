/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/json_out.h"
#include "foreign/foreign_classes.h"
#include "foreign/foreign_report.h"
#include "trace/trace_write.h"

/* The report of foreign recordings for programs: one object, on standard output. */

enum { PCS_SHOWN = 100 };

static void begin_file(struct foreign_report *report)
{
    report->details = open_memstream(&report->details_text, &report->details_size);
    if (!report->details)
        no_memory();
    json_out_begin_line(&report->failures, report->details);
    json_open_array(&report->failures, NULL);
}

static void failure(struct foreign_report *report, const struct foreign_file *file,
                    const struct foreign_failure *failed)
{
    struct json_out *json = &report->failures;
    const struct trace_line *line = failed->line;
    json_open_object(json, NULL);
    json_format(json, "trap", "%s#%" PRIu64, file->name, line->seq);
    if (line->has & TRACE_HAS_EVENTS)
        json_number(json, "line", line->g0);
    json_text(json, "check", check_name(failed->check));
    json_text(json, "found", failed->found);
    trace_write_json(json, "record", line);
    json_close_object(json);
}

/* --- What was read and checked --------------------------------------------------------------- */

static void write_rest(struct json_out *json, const struct import_rest *rest)
{
    json_open_object(json, "passed_over");
    for (unsigned i = 0; i < PASSED_OVER_MAX && rest->passed_over[i].what[0]; i++)
        json_number(json, rest->passed_over[i].what, rest->passed_over[i].count);
    json_close_object(json);
    json_open_object(json, "strange_lines");
    json_number(json, "count", rest->strange);
    json_open_array(json, "shown");
    for (unsigned i = 0; i < STRANGE_SHOWN && i < rest->strange; i++) {
        json_open_object(json, NULL);
        json_number(json, "line", rest->shown[i].line);
        json_text(json, "text", rest->shown[i].text);
        json_text(json, "why", rest->shown[i].why);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

static void write_check(struct json_out *json, const char *key, const struct check_count *count)
{
    json_open_object(json, key);
    json_number(json, "checked", count->checked);
    json_number(json, "failed", count->failed);
    json_open_object(json, "open");
    for (unsigned i = 0; i < REASONS_MAX && count->open[i].reason; i++)
        json_number(json, count->open[i].reason, count->open[i].count);
    json_close_object(json);
    json_close_object(json);
}

static void write_counts(struct json_out *json, const struct foreign_file *file)
{
    json_number(json, "records", file->records);
    json_open_object(json, "kinds");
    for (unsigned i = 0; i <= TRACE_KINDS; i++) {
        if (file->kinds[i] > 0)
            json_number(json, trace_kind_name((enum trace_kind)i), file->kinds[i]);
    }
    json_close_object(json);
    write_rest(json, &file->rest);
    json_open_object(json, "checks");
    for (unsigned i = 0; i < CHECKS; i++) {
        write_check(json, check_name((enum foreign_check)i), &file->checker.counts[i]);
    }
    json_close_object(json);
}

static void write_exits(struct json_out *json, const struct foreign_file *file)
{
    json_open_array(json, "exits");
    for (size_t i = 0; i < file->nexits; i++) {
        const struct exit_count *exit = &file->exits[i];
        json_open_object(json, NULL);
        json_number(json, "count", exit->count);
        if (exit->is_known) {
            json_text(json, "class", exit->is_trap ? class_name(exit->class) : "interrupt");
            json_text(json, "handler", exit->verdict.handler ? exit->verdict.handler : "");
            json_text(json, "outcome", exit->verdict.outcome);
        }
        json_close_object(json);
    }
    json_close_array(json);
}

/* --- What the recording shows ---------------------------------------------------------------- */

static void write_vcpus(struct json_out *json, const struct summary *summary)
{
    json_open_array(json, "vcpus");
    for (size_t i = 0; i < summary->nvcpus; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", summary->vcpus[i].name);
        json_number(json, "exits", summary->vcpus[i].exits);
        if (summary->has_time) {
            json_number(json, "guest_ns", summary->vcpus[i].guest);
            json_number(json, "host_ns", summary->vcpus[i].host);
        }
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_classes(struct json_out *json, const struct summary *summary)
{
    json_open_array(json, "classes");
    for (size_t i = 0; i < summary->nclasses; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", summary->classes[i].name);
        json_number(json, "exits", summary->classes[i].exits);
        if (summary->has_time)
            json_number(json, "host_ns", summary->classes[i].host);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_pcs(struct json_out *json, const struct summary *summary)
{
    struct summary_pc top[PCS_SHOWN];
    const size_t count = summary_top_pcs(summary, PCS_SHOWN, top);
    json_open_array(json, "pcs");
    for (size_t i = 0; i < count; i++) {
        json_open_object(json, NULL);
        json_hex(json, "pc", top[i].pc);
        json_text(json, "class", top[i].class->name);
        json_number(json, "exits", top[i].exits);
        json_number(json, "first_line", top[i].first);
        json_number(json, "last_line", top[i].last);
        json_close_object(json);
    }
    json_close_array(json);
    json_number(json, "exits_at_other_pcs", summary->other_pcs);
}

static void write_loop(struct json_out *json, const struct summary_loop *loop)
{
    json_open_object(json, NULL);
    json_text(json, "kind", summary_loop_name(loop->kind));
    json_text(json, "vcpu", loop->vcpu->name);
    json_number(json, loop->period ? "rounds" : "exits", loop->rounds);
    json_number(json, "times", loop->times);
    json_number(json, "first_line", loop->first);
    json_number(json, "last_line", loop->last);
    if (loop->has_time && loop->end >= loop->begin)
        json_number(json, "ns", loop->end - loop->begin);
    json_open_array(json, "pcs");
    for (unsigned i = 0; i < loop->period; i++) {
        json_open_object(json, NULL);
        json_hex(json, "pc", loop->pcs[i]);
        json_text(json, "class", loop->classes[i]->name);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

static void write_aborts(struct json_out *json, const struct summary *summary)
{
    json_open_object(json, "aborts_without_syndrome");
    json_number(json, "count", summary->aborts);
    json_number(json, "to_user_space", summary->told);
    json_open_array(json, "shown");
    for (size_t i = 0; i < summary->naborts; i++) {
        const struct summary_abort *abort = &summary->shown[i];
        json_open_object(json, NULL);
        json_number(json, "line", abort->line);
        if (abort->has_esr) {
            json_hex(json, "esr", abort->esr);
            json_bool(json, "write", abort->esr & 0x40);
        }
        if (abort->has_pc)
            json_hex(json, "pc", abort->pc);
        if (abort->has_ipa)
            json_hex(json, "ipa", abort->ipa);
        json_bool(json, "to_user_space", abort->is_told);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

static void write_summary(struct json_out *json, const struct summary *summary)
{
    json_open_object(json, "shows");
    json_number(json, "exits", summary->exits);
    write_vcpus(json, summary);
    write_classes(json, summary);
    write_pcs(json, summary);
    json_open_array(json, "loops");
    for (size_t i = 0; i < summary->nloops; i++)
        write_loop(json, &summary->loops[i]);
    json_close_array(json);
    write_aborts(json, summary);
    json_close_object(json);
}

/* --- The report ------------------------------------------------------------------------------ */

/* The whole is begun by the first file: where there is none nothing is printed. */
static void begin_whole(struct foreign_report *report)
{
    if (report->has_begun)
        return;
    report->has_begun = true;
    json_out_begin_line(&report->json, stdout);
    json_open_object(&report->json, NULL);
    json_open_array(&report->json, "foreign");
}

static void end_file(struct foreign_report *report, const struct foreign_file *file)
{
    struct json_out *json = &report->json;
    json_close_array(&report->failures);
    if (fclose(report->details) != 0)
        no_memory();
    begin_whole(report);
    json_open_object(json, NULL);
    json_text(json, "file", file->name);
    json_text(json, "format", file->format);
    write_counts(json, file);
    write_summary(json, file->summary);
    write_exits(json, file);
    json_bool(json, "bad_input", file->is_bad);
    json_bool(json, "unchecked", file->is_unchecked);
    json_insert(json, "divergences", report->details_text, report->details_size);
    json_close_object(json);
    free(report->details_text);
    report->details_text = NULL;
}

static void end(struct foreign_report *report, uint64_t failed, size_t shown_max)
{
    (void)shown_max;
    if (!report->has_begun)
        return;
    json_close_array(&report->json);
    json_number(&report->json, "failed", failed);
    json_close_object(&report->json);
    json_out_end(&report->json);
}

const struct foreign_report foreign_report_json = {
    .begin_file = begin_file, .failure = failure, .end_file = end_file, .end = end};
