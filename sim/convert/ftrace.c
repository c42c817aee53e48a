/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "convert/import.h"
#include "convert/kvm_records.h"

/*
 * Linux's kvm:* events as text: the tracefs files `trace` and `trace_pipe`, `trace-cmd report`,
 * `perf script` and perf-prof, with their options. One importer reads all of them (kvm_line.h); the
 * formats are told apart for the reports.
 */

struct ftrace {
    struct kvm_records *records;
    struct import *import;
    /* The line last parsed. */
    enum { LINE_NOTHING, LINE_OTHER, LINE_STACK, LINE_FUNCTION, LINE_GAP, LINE_EVENT } is;
    uint64_t cpu;
    uint64_t count;
    struct kvm_line line;
    struct kvm_event event;
};

static bool starts_with(struct word word, const char *text)
{
    struct scan scan = {word.text, word.text + word.length};
    return scan_text(&scan, text);
}

/* Of an exit, by its name, but of no kernel that is known here. */
static bool is_of_exits(struct word name)
{
    static const char *const beginnings[] = {"kvm_exit", "kvm_entry", "kvm_guest_", "hyp_"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (starts_with(name, beginnings[i]))
            return true;
    }
    return false;
}

static bool parse_event(struct ftrace *ftrace, struct scan line)
{
    const char *at;
    if (!kvm_line_read(line, kvm_event_is_known, &ftrace->line)) {
        ftrace->is = LINE_FUNCTION;
        return kvm_line_is_function(line) ||
               import_strange(ftrace->import, line.at,
                              "expected an event, \"TASK-PID [CPU] seconds: event: ...\"");
    }
    ftrace->is = kvm_event_is_known(ftrace->line.name) ? LINE_EVENT : LINE_OTHER;
    if (ftrace->is == LINE_OTHER || kvm_event_read(&ftrace->line, &ftrace->event, &at))
        return true;
    const struct kvm_form *form = ftrace->event.form;
    if (!kvm_event_is_needed(form->kind)) {
        ftrace->is = LINE_OTHER;
        return true;
    }
    return import_torn(ftrace->import, at,
                       "%s: expected \"%s\", or what other versions of Linux print", form->name,
                       form->text);
}

static bool parse(void *state, struct scan line)
{
    struct ftrace *ftrace = state;
    struct scan start = line;
    scan_blanks(&start);
    ftrace->is = LINE_NOTHING;
    if (scan_is_at_end(&start) || *start.at == '#') {
        if (kvm_line_is_gap(line, &ftrace->cpu, &ftrace->count))
            ftrace->is = LINE_GAP;
        return true;
    }
    if (kvm_line_is_remark(line))
        return true;
    if (kvm_line_is_gap(line, &ftrace->cpu, &ftrace->count))
        ftrace->is = LINE_GAP;
    else if (kvm_line_is_stack(line))
        ftrace->is = LINE_STACK;
    else
        return parse_event(ftrace, line);
    return true;
}

/* Events that make no record; of those that look as if they should, the name. */
static void pass_over_event(struct ftrace *ftrace)
{
    const struct word name = ftrace->line.name;
    char what[PASSED_OVER_NAME];
    if (kvm_event_is_known(name) || !is_of_exits(name)) {
        import_pass_over(ftrace->import, "events that are in no record");
        return;
    }
    snprintf(what, sizeof what, "%.*s, an event that is not known here",
             (int)(name.length < 24 ? name.length : 24), name.text);
    import_pass_over(ftrace->import, what);
}

static bool act(void *state)
{
    struct ftrace *ftrace = state;
    switch (ftrace->is) {
    case LINE_NOTHING: return true;
    case LINE_OTHER: pass_over_event(ftrace); return true;
    case LINE_STACK: import_pass_over(ftrace->import, "lines of stack traces"); return true;
    case LINE_FUNCTION: import_pass_over(ftrace->import, "lines of a function tracer"); return true;
    case LINE_GAP:
        kvm_records_gap(ftrace->records, "events were lost", &ftrace->cpu, ftrace->count);
        return true;
    case LINE_EVENT: kvm_records_take(ftrace->records, &ftrace->event); return true;
    }
    return true;
}

static void tear(void *state)
{
    struct ftrace *ftrace = state;
    kvm_records_gap(ftrace->records, "a line that is not whole", NULL, 0);
}

/* An event without task and CPU. */
static bool may_be_rest(void *state)
{
    const struct ftrace *ftrace = state;
    return (ftrace->is == LINE_EVENT || ftrace->is == LINE_OTHER) && !ftrace->line.moment.has_pid;
}

static bool run(struct import *import)
{
    static const struct line_parser parser = {parse, act, tear, may_be_rest};
    struct ftrace ftrace = {.import = import, .records = kvm_records_new(import)};
    const bool good = import_lines(import, &parser, &ftrace);
    kvm_records_end(ftrace.records);
    return good;
}

/* --- The formats ----------------------------------------------------------------------------- */

bool ftrace_run(struct import *import)
{
    return run(import);
}

bool trace_cmd_run(struct import *import)
{
    return run(import);
}

bool perf_run(struct import *import)
{
    return run(import);
}

enum { SURE = 8, LIKELY = 4, POSSIBLE = 1 };

enum written_by { OF_FTRACE, OF_REPORT, OF_PERF };

/* How surely the line is an event as `of` writes it; 0 if it is none. */
static unsigned recognise(const char *text, size_t length, enum written_by of)
{
    struct kvm_line event;
    struct scan line = {text, text + length};
    if (!kvm_line_read(line, kvm_event_is_known, &event))
        return 0;
    const bool is_perf = event.system.length > 0;
    const bool is_report = !is_perf && (event.moment.machine.length > 0 ||
                                        (event.moment.has_cpu && !event.moment.has_flags));
    const unsigned sure =
        kvm_event_is_known(event.name) || is_of_exits(event.name) ? SURE : POSSIBLE;
    if (is_perf)
        return of == OF_PERF ? sure : 0;
    if (is_report)
        return of == OF_REPORT ? sure : 0;
    return of == OF_FTRACE ? sure : 0;
}

unsigned ftrace_recognises(const char *text, size_t length)
{
    struct scan scan = {text, text + length};
    return scan_text(&scan, "# tracer: ") ? SURE : recognise(text, length, OF_FTRACE);
}

unsigned trace_cmd_recognises(const char *text, size_t length)
{
    const struct scan scan = {text, text + length};
    return kvm_line_is_remark(scan) ? 10 * SURE : recognise(text, length, OF_REPORT);
}

unsigned perf_recognises(const char *text, size_t length)
{
    return recognise(text, length, OF_PERF);
}
