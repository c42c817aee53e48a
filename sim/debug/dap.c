/* SPDX-License-Identifier: GPL-2.0-only */
#include "debug/dap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/numbers.h"
#include "debug/dap_io.h"
#include "debug/debugger.h"
#include "debug/parts.h"
#include "replay/replay.h"

/*
 * A thread is a CPU, a line of the source a record. Frames are the trap, and inside of it the chain
 * of functions that were called; variables are the parts of the state, by their paths.
 */

/* What a reference to variables stands for, from 1 on, until the debugger moves. */
enum variables_kind { VARIABLES_TRAP, VARIABLES_EFFECTS, VARIABLES_STATE };

struct variables {
    enum variables_kind kind;
    char *path;
};

struct dap {
    struct dap_io io;
    struct debugger *debugger; /* NULL: nothing is launched */
    const struct node *request, *arguments;
    struct variables *variables;
    size_t nvariables, variables_size;
    struct text_stream said; /* what the debugger printed */
    bool lines_from_one;
    bool is_left;
};

/* --- Messages --------------------------------------------------------------------------------- */

static const char *text_of(const struct node *map, const char *key)
{
    const struct node *node = node_get(map, key);
    return node && node->kind == NODE_STRING ? node->text : NULL;
}

static bool number_of(const struct node *map, const char *key, uint64_t *value)
{
    const struct node *node = node_get(map, key);
    if (!node || node->kind != NODE_NUMBER || node->negative || node->wide)
        return false;
    *value = node->number;
    return true;
}

static struct json_out *begin_response(struct dap *dap, bool success)
{
    uint64_t seq = 0;
    struct json_out *json = dap_write(&dap->io, "response");
    const char *command = text_of(dap->request, "command");
    number_of(dap->request, "seq", &seq);
    json_number(json, "request_seq", seq);
    json_bool(json, "success", success);
    json_text(json, "command", command ? command : "");
    return json;
}

static struct json_out *begin_body(struct dap *dap)
{
    struct json_out *json = begin_response(dap, true);
    json_open_object(json, "body");
    return json;
}

static void end_body(struct dap *dap)
{
    json_close_object(&dap->io.json);
    dap_send(&dap->io);
}

static void respond(struct dap *dap)
{
    begin_response(dap, true);
    dap_send(&dap->io);
}

__attribute__((format(printf, 2, 3))) static void respond_error(struct dap *dap, const char *format,
                                                                ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct json_out *json = begin_response(dap, false);
    json_text(json, "message", text);
    json_open_object(json, "body");
    json_open_object(json, "error");
    json_number(json, "id", 1);
    json_text(json, "format", text);
    json_close_object(json);
    end_body(dap);
}

static struct json_out *begin_event(struct dap *dap, const char *event)
{
    struct json_out *json = dap_write(&dap->io, "event");
    json_text(json, "event", event);
    json_open_object(json, "body");
    return json;
}

/* --- What the debugger prints ------------------------------------------------------------------
 */

static void listen_to(struct dap *dap)
{
    dap->debugger->out = text_stream_begin(&dap->said);
}

/* The text is dap->said.text, until text_stream_free. */
static void stop_listening(struct dap *dap)
{
    text_stream_end(&dap->said);
    dap->debugger->out = stderr;
}

/* --- Moving ----------------------------------------------------------------------------------- */

static void forget_variables(struct dap *dap)
{
    while (dap->nvariables > 0)
        free(dap->variables[--dap->nvariables].path);
}

static uint64_t thread_of(const struct debugger *debugger)
{
    return debug_record(debugger)->line->cpu + 1;
}

static void send_stopped(struct dap *dap, const char *reason, const char *description)
{
    struct json_out *json = begin_event(dap, "stopped");
    json_text(json, "reason", reason);
    if (description)
        json_text(json, "description", description);
    json_number(json, "threadId", thread_of(dap->debugger));
    json_bool(json, "allThreadsStopped", true);
    end_body(dap);
}

static void send_output(struct dap *dap)
{
    if (dap->said.length == 0)
        return;
    struct json_out *json = begin_event(dap, "output");
    json_text(json, "category", "console");
    json_text(json, "output", dap->said.text);
    end_body(dap);
}

/* A command of the debugger that moves; at an end it stays, and says so. */
static void move(struct dap *dap, const char *command)
{
    respond(dap);
    forget_variables(dap);
    listen_to(dap);
    const enum debug_outcome outcome = debugger_do(dap->debugger, command);
    stop_listening(dap);
    send_output(dap);
    text_stream_free(&dap->said);
    send_stopped(dap, "step", outcome == DEBUG_BAD ? dap->debugger->error.message : NULL);
}

static const char *reason_of(const struct stop *stop)
{
    if (!stop)
        return "step";
    if (stop->kind == STOP_WATCH || stop->kind == STOP_READ)
        return "data breakpoint";
    if (stop->kind == STOP_OUTCOME || stop->kind == STOP_INVARIANT)
        return "exception";
    return stop->kind == STOP_FUNCTION ? "function breakpoint" : "breakpoint";
}

static void run_to_stop(struct dap *dap, bool back)
{
    struct json_out *json = begin_body(dap);
    json_bool(json, "allThreadsContinued", true);
    end_body(dap);
    forget_variables(dap);
    listen_to(dap);
    const struct stop *stop = stops_run(dap->debugger, back);
    debug_say(dap->debugger);
    stop_listening(dap);
    send_output(dap);
    send_stopped(dap, reason_of(stop), stop ? stop->words : back ? "the beginning" : "the end");
    text_stream_free(&dap->said);
}

static void do_next(struct dap *dap)
{
    move(dap, "next");
}

static void do_step_in(struct dap *dap)
{
    move(dap, "step");
}

/* Out of a trap is its end. */
static void do_step_out(struct dap *dap)
{
    move(dap, dap->debugger->effect == DEBUG_BEHIND ? "where" : "next");
}

/* Where it stands inside of a trap an effect back, else a record. */
static void do_step_back(struct dap *dap)
{
    move(dap, dap->debugger->effect == DEBUG_BEHIND ? "prev" : "reverse-step");
}

static void do_continue(struct dap *dap)
{
    run_to_stop(dap, false);
}

static void do_reverse_continue(struct dap *dap)
{
    run_to_stop(dap, true);
}

/* --- Beginning and end -------------------------------------------------------------------------
 */

static void put_filter(struct json_out *json, const char *filter, const char *label)
{
    json_open_object(json, NULL);
    json_text(json, "filter", filter);
    json_text(json, "label", label);
    json_bool(json, "default", false);
    json_close_object(json);
}

static void do_initialize(struct dap *dap)
{
    static const char *const can[] = {"supportsConfigurationDoneRequest",
                                      "supportsFunctionBreakpoints",
                                      "supportsStepBack",
                                      "supportsDataBreakpoints",
                                      "supportsConditionalBreakpoints",
                                      "supportsEvaluateForHovers"};
    const struct node *from_one = node_get(dap->arguments, "linesStartAt1");
    dap->lines_from_one = !from_one || from_one->kind != NODE_BOOL || from_one->boolean;
    struct json_out *json = begin_body(dap);
    for (size_t i = 0; i < sizeof can / sizeof *can; i++)
        json_bool(json, can[i], true);
    json_open_array(json, "exceptionBreakpointFilters");
    put_filter(json, "unexplained", "traps that nothing explains");
    put_filter(json, "explained", "traps that a departure of the machine explains");
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (fh_invariant_at(i)->scope == FH_SCOPE_SHARED)
            put_filter(json, fh_invariant_at(i)->name, fh_invariant_at(i)->statement);
    }
    json_close_array(json);
    end_body(dap);
}

static void do_launch(struct dap *dap)
{
    const char *program = text_of(dap->arguments, "program");
    const char *machine = text_of(dap->arguments, "machine");
    if (!program) {
        respond_error(dap, "launch: 'program' is missing: the trace");
        return;
    }
    if (dap->debugger) {
        respond_error(dap, "launch: it is launched already");
        return;
    }
    struct timeline *timeline = timeline_open(program, machine);
    if (!timeline) {
        respond_error(dap, "launch: %s cannot be read as a trace; standard error says why",
                      program);
        return;
    }
    dap->debugger = debugger_new(timeline, machine, stderr);
    respond(dap);
    begin_event(dap, "initialized");
    end_body(dap);
}

static void do_configuration_done(struct dap *dap)
{
    respond(dap);
    send_stopped(dap, "entry", NULL);
}

static void do_disconnect(struct dap *dap)
{
    respond(dap);
    dap->is_left = true;
}

/* --- Stops ------------------------------------------------------------------------------------ */

static bool is_of(const struct stop *stop, const enum stop_kind *kinds, size_t nkinds)
{
    for (size_t i = 0; i < nkinds; i++) {
        if (stop->kind == kinds[i])
            return true;
    }
    return false;
}

/* A request for stops names all of their kind. */
static void remove_stops(struct dap *dap, const enum stop_kind *kinds, size_t nkinds)
{
    for (size_t i = dap->debugger->nstops; i-- > 0;) {
        if (is_of(&dap->debugger->stops[i], kinds, nkinds))
            stops_remove(dap->debugger, dap->debugger->stops[i].number);
    }
}

static void put_stop(struct dap *dap, const struct stop *stop)
{
    struct json_out *json = &dap->io.json;
    json_open_object(json, NULL);
    json_bool(json, "verified", stop);
    if (stop)
        json_number(json, "id", stop->number);
    else
        json_text(json, "message", dap->debugger->error.message);
    json_close_object(json);
}

typedef struct stop *add_stop(struct dap *dap, const struct node *wish);

/* With the condition that is wished for, if one is. */
static const struct stop *add_conditional(struct dap *dap, const struct node *wish, add_stop *add)
{
    struct stop *stop = add(dap, wish);
    const char *condition = wish->kind == NODE_MAP ? text_of(wish, "condition") : NULL;
    return stop && condition && *condition ? stops_only_if(dap->debugger, stop, condition) : stop;
}

/* The stops that each element of the list at `key` asks for, with `add`. */
static void set_stops(struct dap *dap, const char *key, add_stop *add)
{
    const struct node *list = node_get(dap->arguments, key);
    struct json_out *json = begin_body(dap);
    json_open_array(json, "breakpoints");
    for (size_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++)
        put_stop(dap, add_conditional(dap, &list->items[i], add));
    json_close_array(json);
    end_body(dap);
}

/* The record that begins at a line of the file, or the next one behind; the count: there is none.
 */
static size_t record_at_line(const struct timeline *timeline, uint64_t line)
{
    const size_t count = timeline_count(timeline);
    size_t found = count;
    for (size_t i = 1; i < count; i++) {
        const uint64_t number = timeline_at(timeline, i)->line->number;
        if (number >= line &&
            (found == count || number < timeline_at(timeline, found)->line->number))
            found = i;
    }
    return found;
}

/* A line of the source that is served is a record; one of the trace's own file has one. */
static struct stop *add_line(struct dap *dap, const struct node *wish)
{
    const struct timeline *timeline = dap->debugger->timeline;
    uint64_t line, reference = 0;
    size_t index = 0;
    char words[64];
    if (!number_of(wish, "line", &line)) {
        debug_fail(dap->debugger, NULL, "a line is needed");
        return NULL;
    }
    number_of(node_get(dap->arguments, "source"), "sourceReference", &reference);
    if (reference == 0)
        index = record_at_line(timeline, line + !dap->lines_from_one);
    snprintf(words, sizeof words, "record %" PRIu64,
             reference > 0 ? line - dap->lines_from_one : index);
    return stops_break(dap->debugger, words);
}

static struct stop *add_function(struct dap *dap, const struct node *wish)
{
    char words[200];
    const char *name = text_of(wish, "name");
    snprintf(words, sizeof words, "function %s", name ? name : "");
    return stops_break(dap->debugger, words);
}

static struct stop *add_data(struct dap *dap, const struct node *wish)
{
    const char *path = text_of(wish, "dataId"), *access = text_of(wish, "accessType");
    if (path && access && strcmp(access, "read") == 0)
        return stops_rwatch(dap->debugger, path);
    return stops_watch(dap->debugger, path ? path : "");
}

static void do_breakpoints(struct dap *dap)
{
    static const enum stop_kind kinds[] = {STOP_RECORD};
    remove_stops(dap, kinds, 1);
    set_stops(dap, "breakpoints", add_line);
}

static void do_function_breakpoints(struct dap *dap)
{
    static const enum stop_kind kinds[] = {STOP_FUNCTION};
    remove_stops(dap, kinds, 1);
    set_stops(dap, "breakpoints", add_function);
}

static void do_data_breakpoints(struct dap *dap)
{
    static const enum stop_kind kinds[] = {STOP_WATCH, STOP_READ};
    remove_stops(dap, kinds, 2);
    set_stops(dap, "breakpoints", add_data);
}

static struct stop *add_filter(struct dap *dap, const struct node *wish)
{
    char words[200];
    const bool is_text = wish->kind == NODE_STRING;
    const bool is_invariant = is_text && fh_invariant_find(wish->text);
    snprintf(words, sizeof words, "%s%s", is_invariant ? "invariant " : "",
             is_text ? wish->text : "");
    return stops_break(dap->debugger, words);
}

static void do_exception_breakpoints(struct dap *dap)
{
    static const enum stop_kind kinds[] = {STOP_OUTCOME, STOP_INVARIANT};
    remove_stops(dap, kinds, 2);
    set_stops(dap, "filters", add_filter);
}

/* --- Where it is -------------------------------------------------------------------------------
 */

enum { SOURCE = 1 };

static void do_threads(struct dap *dap)
{
    enum { CPUS = 64 };
    const struct timeline *timeline = dap->debugger->timeline;
    bool is_seen[CPUS] = {false};
    struct json_out *json = begin_body(dap);
    json_open_array(json, "threads");
    for (size_t i = 0; i < timeline_count(timeline); i++) {
        const uint64_t cpu = timeline_at(timeline, i)->line->cpu;
        if (cpu >= CPUS || is_seen[cpu])
            continue;
        is_seen[cpu] = true;
        json_open_object(json, NULL);
        json_number(json, "id", cpu + 1);
        json_format(json, "name", "CPU %" PRIu64, cpu);
        json_close_object(json);
    }
    json_close_array(json);
    end_body(dap);
}

static void put_source(struct dap *dap)
{
    struct json_out *json = &dap->io.json;
    const char *path = timeline_path(dap->debugger->timeline);
    const char *slash = strrchr(path, '/');
    json_open_object(json, "source");
    if (timeline_is_scenario(dap->debugger->timeline)) {
        json_text(json, "name", slash ? slash + 1 : path);
        json_text(json, "path", path);
    } else {
        json_format(json, "name", "%s (records)", slash ? slash + 1 : path);
        json_number(json, "sourceReference", SOURCE);
    }
    json_close_object(json);
}

static void put_frame(struct dap *dap, uint64_t id, size_t index, const char *name)
{
    struct json_out *json = &dap->io.json;
    const struct timeline *timeline = dap->debugger->timeline;
    const uint64_t line =
        timeline_is_scenario(timeline) ? timeline_at(timeline, index)->line->number - 1 : index;
    json_open_object(json, NULL);
    json_number(json, "id", id);
    json_text(json, "name", name);
    json_number(json, "line", line + dap->lines_from_one);
    json_number(json, "column", dap->lines_from_one);
    put_source(dap);
    json_close_object(json);
}

/* The functions that were called and have not returned before the effect at which it stands. */
enum { CHAIN = 64 };

struct chain {
    const char *names[CHAIN];
    size_t depth;
};

static void call(struct chain *chain, const char *name)
{
    if (chain->depth < CHAIN)
        chain->names[chain->depth++] = name;
}

/* Records tell the end of some functions alone: those in between have ended with it. */
static void end_call(struct chain *chain, const char *name)
{
    for (size_t at = chain->depth; at-- > 0;) {
        if (strcmp(chain->names[at], name) == 0) {
            chain->depth = at;
            return;
        }
    }
}

static void follow_effect(struct chain *chain, const struct timeline_record *record, size_t i)
{
    if (record->step) {
        const struct fh_effect *effect = &record->step->effects[i];
        if (effect->kind == FH_EFFECT_CALL)
            call(chain, function_of_recorded(fh_called_name(effect->values[0])));
        if (effect->kind == FH_EFFECT_RETURN)
            end_call(chain, function_of_recorded(fh_called_name(effect->values[0])));
        return;
    }
    const struct trace_effect *effect = &record->line->fx[i];
    if (effect->kind == TRACE_fn)
        call(chain, function_of_recorded(effect->fn.fn));
    if (effect->kind == TRACE_fn_ret)
        end_call(chain, function_of_recorded(effect->fn_ret.fn));
}

static void find_chain(struct chain *chain, const struct timeline_record *record, size_t neffects)
{
    chain->depth = 0;
    for (size_t i = 0; i < neffects; i++)
        follow_effect(chain, record, i);
}

/* The record of a CPU at or before the one at which it stands. */
static bool record_of_cpu(const struct debugger *debugger, uint64_t cpu, size_t *index)
{
    for (size_t i = debugger->index + 1; i-- > 0;) {
        if (timeline_at(debugger->timeline, i)->line->cpu == cpu) {
            *index = i;
            return true;
        }
    }
    return false;
}

static void put_frames(struct dap *dap, uint64_t thread, size_t *count)
{
    const struct debugger *debugger = dap->debugger;
    struct chain chain = {.depth = 0};
    char name[200];
    size_t index = 0;
    *count = 0;
    if (thread == 0 || !record_of_cpu(debugger, thread - 1, &index))
        return;
    const struct trace_line *line = timeline_at(debugger->timeline, index)->line;
    const bool is_inside = index == debugger->index && debugger->effect != DEBUG_BEHIND;
    if (is_inside)
        find_chain(&chain, debug_record(debugger), (size_t)debugger->effect);
    for (size_t i = chain.depth; i-- > 0;)
        put_frame(dap, thread * 1000 + ++*count, index, chain.names[i]);
    snprintf(name, sizeof name, "#%" PRIu64 " %s", line->seq, debug_title(debugger, index));
    put_frame(dap, thread * 1000 + ++*count, index, name);
}

static void do_stack_trace(struct dap *dap)
{
    uint64_t thread = 0;
    size_t count;
    number_of(dap->arguments, "threadId", &thread);
    struct json_out *json = begin_body(dap);
    json_open_array(json, "stackFrames");
    put_frames(dap, thread, &count);
    json_close_array(json);
    json_number(json, "totalFrames", count);
    end_body(dap);
}

static void do_source(struct dap *dap)
{
    listen_to(dap);
    for (size_t i = 0; i < timeline_count(dap->debugger->timeline); i++)
        debug_say_record(dap->debugger, i);
    stop_listening(dap);
    struct json_out *json = begin_body(dap);
    json_text(json, "content", dap->said.text);
    json_text(json, "mimeType", "text/plain");
    end_body(dap);
    text_stream_free(&dap->said);
}

/* --- Variables -------------------------------------------------------------------------------- */

static uint64_t reference_to(struct dap *dap, enum variables_kind kind, const char *path)
{
    if (dap->nvariables == dap->variables_size) {
        dap->variables_size = dap->variables_size ? 2 * dap->variables_size : 64;
        dap->variables = realloc(dap->variables, dap->variables_size * sizeof *dap->variables);
        if (!dap->variables)
            no_memory();
    }
    struct variables *variables = &dap->variables[dap->nvariables++];
    *variables = (struct variables){kind, strdup(path)};
    if (!variables->path)
        no_memory();
    return dap->nvariables;
}

static void put_scope(struct dap *dap, const char *name, enum variables_kind kind, const char *path,
                      bool is_expensive)
{
    struct json_out *json = &dap->io.json;
    json_open_object(json, NULL);
    json_text(json, "name", name);
    json_number(json, "variablesReference", reference_to(dap, kind, path));
    json_bool(json, "expensive", is_expensive);
    json_close_object(json);
}

static void do_scopes(struct dap *dap)
{
    struct json_out *json = begin_body(dap);
    json_open_array(json, "scopes");
    put_scope(dap, "Trap", VARIABLES_TRAP, "", false);
    put_scope(dap, "Effects", VARIABLES_EFFECTS, "", false);
    put_scope(dap, "State", VARIABLES_STATE, "", false);
    put_scope(dap, "Registers", VARIABLES_STATE, "regs.ctxt_regs", true);
    json_close_array(json);
    end_body(dap);
}

static void put_variable(struct json_out *json, const char *name, const char *value,
                         uint64_t reference)
{
    json_text(json, "name", name);
    json_text(json, "value", value);
    json_number(json, "variablesReference", reference);
}

static void put_text(struct dap *dap, const char *name, const char *value)
{
    json_open_object(&dap->io.json, NULL);
    put_variable(&dap->io.json, name, value, 0);
    json_close_object(&dap->io.json);
}

static void put_number(struct dap *dap, const char *name, uint64_t value, bool is_hex)
{
    char text[32];
    snprintf(text, sizeof text, is_hex ? "0x%" PRIx64 : "%" PRIu64, value);
    put_text(dap, name, text);
}

static void put_step(struct dap *dap, const struct timeline_record *record)
{
    put_text(dap, "expectation", record->failure ? record->failure : "held");
    if (record->step->stuck)
        put_text(dap, "stuck", record->step->stuck);
}

static void put_record(struct dap *dap, const struct timeline_record *record)
{
    const struct trace_line *line = record->line;
    put_text(dap, "kind", trace_kind_name(line->kind));
    if (dap->debugger->index > 0)
        put_text(dap, "outcome", outcome_name(record->outcome));
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (line->in.present >> i & 1)
            put_number(dap, trace_register_name((enum trace_register)i), line->in.values[i], true);
    }
}

static void put_trap(struct dap *dap)
{
    const struct timeline_record *record = debug_record(dap->debugger);
    put_number(dap, "seq", record->line->seq, false);
    put_text(dap, "title", debug_title(dap->debugger, dap->debugger->index));
    put_number(dap, "cpu", record->line->cpu, false);
    if (record->step)
        put_step(dap, record);
    else
        put_record(dap, record);
}

static void put_effects(struct dap *dap)
{
    const struct debugger *debugger = dap->debugger;
    for (size_t i = 0; i < timeline_effects(debugger->timeline, debugger->index); i++) {
        struct text_stream text;
        char name[48];
        timeline_print_effect(debugger->timeline, debugger->index, i, text_stream_begin(&text));
        text_stream_end(&text);
        snprintf(name, sizeof name, "%s%zu", debugger->effect == (long)i ? "> " : "", i + 1);
        put_text(dap, name, text.text);
        text_stream_free(&text);
    }
}

static void put_part(void *context, const struct part *part)
{
    struct dap *dap = context;
    struct json_out *json = &dap->io.json;
    const struct fh_found found = {part->type, part->place, part->component};
    const uint64_t count = parts_count(&found);
    struct text_stream text;
    part_print(debug_state(dap->debugger), part, text_stream_begin(&text));
    text_stream_end(&text);
    json_open_object(json, NULL);
    put_variable(json, part->name, text.text,
                 count > 0 ? reference_to(dap, VARIABLES_STATE, part->path) : 0);
    json_text(json, "evaluateName", part->path);
    if (part->component < 0 && part->type->kind == FH_KIND_MAP)
        json_number(json, "indexedVariables", count);
    json_close_object(json);
    text_stream_free(&text);
}

/* A client that does not page gets the first of many, for it would ask for a million. */
enum { VARIABLES_MAX = 1000 };

static void do_variables(struct dap *dap)
{
    uint64_t reference = 0, first = 0, count = VARIABLES_MAX;
    number_of(dap->arguments, "variablesReference", &reference);
    number_of(dap->arguments, "start", &first);
    if (!number_of(dap->arguments, "count", &count) || count == 0 || count > VARIABLES_MAX)
        count = VARIABLES_MAX;
    if (reference == 0 || reference > dap->nvariables) {
        respond_error(dap, "there are no variables %" PRIu64 " any more", reference);
        return;
    }
    /* References are made meanwhile: the list may move, what its paths point to does not. */
    const struct variables variables = dap->variables[reference - 1];
    struct json_out *json = begin_body(dap);
    json_open_array(json, "variables");
    if (variables.kind == VARIABLES_TRAP)
        put_trap(dap);
    else if (variables.kind == VARIABLES_EFFECTS)
        put_effects(dap);
    else
        parts_visit(debug_state(dap->debugger), variables.path, first, count, put_part, dap);
    json_close_array(json);
    end_body(dap);
}

static void do_data_breakpoint_info(struct dap *dap)
{
    uint64_t reference = 0, value;
    char path[600];
    const char *name = text_of(dap->arguments, "name");
    number_of(dap->arguments, "variablesReference", &reference);
    const char *parent =
        reference > 0 && reference <= dap->nvariables ? dap->variables[reference - 1].path : "";
    snprintf(path, sizeof path, "%s%s%s", parent, *parent ? "." : "", name ? name : "");
    const bool is_good = name && debug_value(dap->debugger, path, &value);
    struct json_out *json = begin_body(dap);
    json_text(json, "dataId", is_good ? path : NULL);
    json_text(json, "description", is_good ? path : dap->debugger->error.message);
    json_open_array(json, "accessTypes");
    json_text(json, NULL, "write");
    if (strncmp(path, "shared.s2page.", 14) == 0)
        json_text(json, NULL, "read");
    json_close_array(json);
    end_body(dap);
}

/* --- Evaluation --------------------------------------------------------------------------------
 */

/* Of the console a line is a command; one that is none may be an expression. */
static bool do_console(struct dap *dap, const char *text)
{
    const size_t index = dap->debugger->index;
    const long effect = dap->debugger->effect;
    listen_to(dap);
    const enum debug_outcome outcome = debugger_do(dap->debugger, text);
    stop_listening(dap);
    if (outcome != DEBUG_BAD) {
        struct json_out *json = begin_body(dap);
        json_text(json, "result", dap->said.text);
        json_number(json, "variablesReference", 0);
        end_body(dap);
    }
    text_stream_free(&dap->said);
    if (index != dap->debugger->index || effect != dap->debugger->effect) {
        forget_variables(dap);
        send_stopped(dap, "goto", NULL);
    }
    dap->is_left = dap->is_left || outcome == DEBUG_QUIT;
    return outcome != DEBUG_BAD;
}

static void do_evaluate(struct dap *dap)
{
    const char *text = text_of(dap->arguments, "expression");
    const char *context = text_of(dap->arguments, "context");
    struct fh_found found;
    if (!text) {
        respond_error(dap, "evaluate: 'expression' is missing");
        return;
    }
    const struct fh_state *state = debug_state(dap->debugger);
    char *value = debug_evaluate(dap->debugger, text);
    if (!value && context && strcmp(context, "repl") == 0 && do_console(dap, text))
        return;
    if (!value) {
        respond_error(dap, "%s", dap->debugger->error.message);
        return;
    }
    const bool has_parts =
        fh_path_find(fh_state_rdata(state), fh_state_profile(state), text, &found, NULL) &&
        parts_count(&found) > 0;
    struct json_out *json = begin_body(dap);
    json_text(json, "result", value);
    json_number(json, "variablesReference",
                has_parts ? reference_to(dap, VARIABLES_STATE, text) : 0);
    end_body(dap);
    free(value);
}

/* --- Requests --------------------------------------------------------------------------------- */

static const struct {
    const char *command;
    bool needs_launch;
    void (*run)(struct dap *dap);
} requests[] = {
    {"initialize", false, do_initialize},
    {"launch", false, do_launch},
    {"configurationDone", true, do_configuration_done},
    {"disconnect", false, do_disconnect},
    {"setBreakpoints", true, do_breakpoints},
    {"setFunctionBreakpoints", true, do_function_breakpoints},
    {"setDataBreakpoints", true, do_data_breakpoints},
    {"setExceptionBreakpoints", true, do_exception_breakpoints},
    {"dataBreakpointInfo", true, do_data_breakpoint_info},
    {"threads", true, do_threads},
    {"stackTrace", true, do_stack_trace},
    {"source", true, do_source},
    {"scopes", true, do_scopes},
    {"variables", true, do_variables},
    {"evaluate", true, do_evaluate},
    {"next", true, do_next},
    {"stepIn", true, do_step_in},
    {"stepOut", true, do_step_out},
    {"stepBack", true, do_step_back},
    {"continue", true, do_continue},
    {"reverseContinue", true, do_reverse_continue},
};

static void serve(struct dap *dap)
{
    const char *command = text_of(dap->request, "command");
    dap->arguments = node_get(dap->request, "arguments");
    for (size_t i = 0; command && i < sizeof requests / sizeof *requests; i++) {
        if (strcmp(requests[i].command, command) != 0)
            continue;
        if (requests[i].needs_launch && !dap->debugger)
            respond_error(dap, "%s: nothing is launched", command);
        else
            requests[i].run(dap);
        return;
    }
    respond_error(dap, "there is no request '%.100s'", command ? command : "");
}

bool dap_serve(FILE *in, FILE *out)
{
    struct dap dap = {.lines_from_one = true};
    bool failed = false;
    dap_io_begin(&dap.io, in, out);
    while (!dap.is_left && (dap.request = dap_read(&dap.io, &failed))) {
        const char *type = text_of(dap.request, "type");
        if (type && strcmp(type, "request") == 0)
            serve(&dap);
    }
    forget_variables(&dap);
    free(dap.variables);
    if (dap.debugger) {
        struct timeline *timeline = dap.debugger->timeline;
        debugger_free(dap.debugger);
        timeline_close(timeline);
    }
    dap_io_end(&dap.io);
    return !failed;
}
