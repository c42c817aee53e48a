/* SPDX-License-Identifier: GPL-2.0-only */
#include <fhtrace/fhtrace.h>

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/live.h"
#include "base/text_stream.h"
#include "machine/model.h"
#include "replay/replay.h"
#include "replay/report_record.h"
#include "trace/trace_fields.h"
#include "trace/trace_out.h"
#include "trace/trace_write.h"
#include "twin/difference.h"
#include "twin/order.h"
#include "twin/watch.h"

/* The library of traces: handles around the parts of fhsim, whose messages are kept in them. */

/* --- Messages --------------------------------------------------------------------------------- */

/* What was said while the handle was at work; the last of it, without a newline at its end. */
struct messages {
    struct text_stream stream;
    char *text; /* NULL: nothing */
};

/* A call of the library begins; `follows`: the end of a file is where more may come. */
static void begin(struct messages *messages, bool follows)
{
    live_enter(follows);
    diag_collect(text_stream_begin(&messages->stream));
}

static void end(struct messages *messages)
{
    live_leave();
    diag_collect(NULL);
    text_stream_end(&messages->stream);
    size_t length = messages->stream.length;
    while (length > 0 && messages->stream.text[length - 1] == '\n')
        messages->stream.text[--length] = '\0';
    if (length == 0) {
        text_stream_free(&messages->stream);
        return;
    }
    free(messages->text);
    messages->text = messages->stream.text;
}

static const char *text_of(const struct messages *messages)
{
    return messages->text ? messages->text : "";
}

static void hand_over(struct messages *messages, char *error, size_t size)
{
    if (messages->text && size > 0)
        snprintf(error, size, "%s", messages->text);
    free(messages->text);
}

/* --- Records ---------------------------------------------------------------------------------- */

static void describe(struct fht_record *record, const struct trace_line *line, const char *json,
                     size_t length)
{
    *record = (struct fht_record){
        .seq = line->seq,
        .cpu = line->cpu,
        .line = line->number,
        .kind = trace_kind_name(line->kind),
        .call = line->kind == TRACE_KIND_host_hvc ? line->hvc : NULL,
        .to = line->unfinished || !(line->has & TRACE_HAS_TO) ? NULL : trace_end_names[line->to],
        .effects = line->nfx,
        .esr = line->in.values[TRACE_REG_esr],
        .far = line->in.values[TRACE_REG_far],
        .hpfar = line->in.values[TRACE_REG_hpfar],
        .elr = line->in.values[TRACE_REG_elr],
        .spsr = line->in.values[TRACE_REG_spsr],
        .json = json,
        .json_length = length};
    memcpy(record->x, line->in.x, sizeof record->x);
}

/* --- Reading ---------------------------------------------------------------------------------- */

struct fht_trace {
    struct messages messages;
    struct trace *trace; /* NULL: it could not be opened */
};

static void *new_handle(size_t size)
{
    void *handle = calloc(1, size);
    if (!handle)
        no_memory();
    return handle;
}

struct fht_trace *fht_trace_open(const char *path)
{
    struct fht_trace *trace = new_handle(sizeof *trace);
    begin(&trace->messages, false);
    trace->trace = trace_open(path);
    end(&trace->messages);
    return trace;
}

void fht_trace_close(struct fht_trace *trace)
{
    if (!trace)
        return;
    trace_close(trace->trace);
    free(trace->messages.text);
    free(trace);
}

enum fht_step fht_trace_next(struct fht_trace *trace, struct fht_record *record)
{
    if (!trace->trace || trace_failed(trace->trace))
        return FHT_ERROR;
    begin(&trace->messages, false);
    const struct trace_line *line = trace_next(trace->trace);
    end(&trace->messages);
    if (!line)
        return trace_failed(trace->trace) ? FHT_ERROR : FHT_END;
    size_t length;
    const char *json = trace_text(trace->trace, &length);
    describe(record, line, json, length);
    return FHT_RECORD;
}

const char *fht_trace_error(const struct fht_trace *trace)
{
    return text_of(&trace->messages);
}

/* --- Writing ---------------------------------------------------------------------------------- */

struct fht_writer {
    struct trace_out *out;
    struct json_reader *reader;
    struct arena *arena;
    char *buffer; /* a record, with what the reader of JSON needs behind it */
    size_t size;
};

struct fht_writer *fht_writer_open(const char *path, char *error, size_t size)
{
    struct messages messages = {.text = NULL};
    struct trace_form form;
    struct trace_out *out = NULL;
    begin(&messages, false);
    if (trace_form_of_file(path, &form))
        out = trace_out_open(path, form);
    else
        diag_plain("%s: the form of a trace is told by its name: .jsonl, .cbor, with or without "
                   ".zst",
                   path);
    end(&messages);
    hand_over(&messages, error, size);
    if (!out)
        return NULL;
    struct fht_writer *writer = new_handle(sizeof *writer);
    *writer = (struct fht_writer){.out = out, .reader = json_reader_new(), .arena = arena_new()};
    return writer;
}

bool fht_writer_put(struct fht_writer *writer, const char *json, size_t length, char *error,
                    size_t size)
{
    const char *why;
    size_t offset;
    if (length + json_padding() > writer->size) {
        writer->size = 2 * (length + json_padding());
        free(writer->buffer);
        writer->buffer = new_handle(writer->size);
    }
    memcpy(writer->buffer, json, length);
    arena_reset(writer->arena);
    const struct node *record =
        json_parse(writer->reader, writer->arena, writer->buffer, length, 1, &why, &offset);
    if (record && record->kind == NODE_MAP) {
        trace_out_tree(writer->out, record);
        return true;
    }
    if (size > 0)
        snprintf(error, size, "column %zu: %s", record ? 1 : offset + 1,
                 record ? "a record is an object" : why);
    return false;
}

static void free_writer(struct fht_writer *writer)
{
    json_reader_free(writer->reader);
    arena_free(writer->arena);
    free(writer->buffer);
    free(writer);
}

bool fht_writer_close(struct fht_writer *writer, char *error, size_t size)
{
    struct messages messages = {.text = NULL};
    begin(&messages, false);
    const bool done = trace_out_close(writer->out);
    end(&messages);
    hand_over(&messages, error, size);
    free_writer(writer);
    return done;
}

void fht_writer_discard(struct fht_writer *writer)
{
    if (!writer)
        return;
    trace_out_discard(writer->out);
    free_writer(writer);
}

/* --- Replaying -------------------------------------------------------------------------------- */

/* A trap that was replayed, with texts of its own. */
struct ready_trap {
    struct fht_verdict verdict;
    char *record, *explanation, *difference, *json;
};

struct fht_replay {
    struct messages messages;
    struct fht_options options;
    const struct machine_description *machine;
    struct trace *trace;
    struct twin *twin;
    struct order *order;
    struct watch watch;
    struct fh_invariant_report violations;
    struct credits blamed[FH_INVARIANTS];
    struct ready_trap *traps; /* of those that overlapped */
    size_t ntraps, size, given;
    const struct trace_line *const *lines; /* of which the model is told */
    size_t nlines;
    bool is_bad, has_begun;
    char *path;
};

static char *copy_text(const char *text, size_t length)
{
    char *copy = new_handle(length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

static void forget_traps(struct fht_replay *replay)
{
    for (size_t i = 0; i < replay->ntraps; i++) {
        free(replay->traps[i].record);
        free(replay->traps[i].explanation);
        free(replay->traps[i].difference);
        free(replay->traps[i].json);
    }
    replay->ntraps = replay->given = 0;
}

static struct ready_trap *next_trap(struct fht_replay *replay)
{
    if (replay->ntraps == replay->size) {
        replay->size = replay->size > 0 ? 2 * replay->size : 8;
        replay->traps = realloc(replay->traps, replay->size * sizeof *replay->traps);
        if (!replay->traps)
            no_memory();
    }
    struct ready_trap *trap = &replay->traps[replay->ntraps++];
    *trap = (struct ready_trap){.record = NULL};
    return trap;
}

static char *explanation_of(const struct replay_trap *trap)
{
    struct text_stream stream;
    FILE *out = text_stream_begin(&stream);
    if (trap->verdict->outcome == OUTCOME_EXPLAINED)
        explanation_print(trap, out);
    text_stream_end(&stream);
    return stream.text;
}

static char *difference_of(const struct trap_verdict *verdict)
{
    char words[600] = "";
    if (verdict->found.count > 0)
        difference_format(&verdict->found.list[0], "model", words, sizeof words);
    return copy_text(words, strlen(words));
}

static const char *name_of_call(const struct replay_trap *trap)
{
    const struct fh_abi_call *call = machine_call(trap->machine->hypercalls, trap->line->in.x[0]);
    return call ? call->recorded : NULL;
}

/* Keep what is to be said of it; `text`: the record. */
static void keep_told(struct fht_replay *replay, const struct replay_trap *trap, const char *text,
                      size_t length)
{
    struct ready_trap *kept = next_trap(replay);
    kept->record = copy_text(text, length);
    kept->explanation = explanation_of(trap);
    kept->difference = difference_of(trap->verdict);
    size_t json_length;
    kept->json = replay_trap_json_text(trap, &json_length);
    kept->verdict = (struct fht_verdict){
        .outcome = trap->row == ROW_BOOT ? "boot" : outcome_name(trap->verdict->outcome),
        .explanation = kept->explanation,
        .difference = kept->difference,
        .broken = trap->broken,
        .json = kept->json,
        .json_length = json_length};
    describe(&kept->verdict.record, trap->line, kept->record, length);
    kept->verdict.record.call = NULL; /* names live as long as the record that was read */
    if (trap->line->kind == TRACE_KIND_host_hvc)
        kept->verdict.record.call = name_of_call(trap);
}

static struct replay_trap trap_of(struct fht_replay *replay, const struct trace_line *line,
                                  const struct trap_verdict *verdict)
{
    return (struct replay_trap){.machine = replay->machine,
                                .file = replay->path,
                                .line = line,
                                .verdict = verdict,
                                .twin = replay->twin,
                                .violations = &replay->violations,
                                .blamed = replay->blamed,
                                .row = ROW_KINDS + line->kind};
}

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct fht_replay *replay = context;
    struct replay_trap trap = trap_of(replay, line, verdict);
    size_t length, at = 0;
    while (at + 1 < replay->nlines && replay->lines[at] != line)
        at++;
    const char *text = order_text(replay->order, at, &length);
    if (!replay->options.no_invariants) {
        trap.broken = watch_trap(&replay->watch, replay->twin, &replay->violations);
        if (trap.broken)
            twin_blame(replay->twin, &replay->watch, trap.broken, verdict, replay->blamed);
        watch_note(&replay->watch, trap.broken, &replay->violations);
    }
    keep_told(replay, &trap, text, length);
}

static bool choose_machine(struct fht_replay *replay)
{
    struct credits left_out = {{0}};
    const char *name = replay->options.machine ? replay->options.machine : "sekvm-4.18";
    replay->machine = machine_find(name);
    if (!replay->machine || !machine_model(replay->machine, true) ||
        !catalogue_choose(replay->machine, "replay",
                          replay->options.without ? replay->options.without : "", &left_out))
        return false;
    replay->twin = twin_new(replay->machine);
    twin_leave_out(replay->twin, &left_out);
    twin_set_credit(replay->twin, replay->options.no_credits    ? CREDIT_NONE
                                  : replay->options.credits_all ? CREDIT_ALL
                                                                : CREDIT_ONCE);
    return true;
}

struct fht_replay *fht_replay_open(const char *path, const struct fht_options *options)
{
    struct fht_replay *replay = new_handle(sizeof *replay);
    if (options)
        replay->options = *options;
    replay->path = copy_text(path, strlen(path));
    begin(&replay->messages, replay->options.follows);
    replay->is_bad = !choose_machine(replay) || !(replay->trace = trace_open(path));
    end(&replay->messages);
    return replay;
}

void fht_replay_close(struct fht_replay *replay)
{
    if (!replay)
        return;
    forget_traps(replay);
    order_free(replay->order);
    twin_free(replay->twin);
    trace_close(replay->trace);
    free(replay->messages.text);
    free(replay->traps);
    free(replay->path);
    free(replay);
}

/* The boot record, with which a trace begins. */
static bool boot(struct fht_replay *replay)
{
    const struct trap_verdict matched = {.outcome = OUTCOME_MATCHED};
    const struct trace_line *line = trace_next(replay->trace);
    if (!twin_begin(replay->twin, replay->trace, line, replay->path))
        return false;
    size_t length;
    const char *text = trace_text(replay->trace, &length);
    struct replay_trap trap = trap_of(replay, line, &matched);
    trap.row = ROW_BOOT;
    trap.blamed = NULL;
    if (!replay->options.no_invariants)
        trap.broken = watch_boot(&replay->watch, replay->twin, &replay->violations);
    keep_told(replay, &trap, text, length);
    replay->order = order_new(replay->trace, line, true);
    order_speaks(replay->order, replay->machine, twin_profile(replay->twin));
    replay->has_begun = true;
    return true;
}

static bool are_known(struct fht_replay *replay, const struct trace_line *const *lines,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lines[i]->cpu < MODEL_CPUS)
            continue;
        trace_diag(replay->trace, "replay knows CPUs 0 to %d", MODEL_CPUS - 1);
        return false;
    }
    return true;
}

/* The next trap, or those that overlapped. False at the end, or on bad input. */
static bool advance(struct fht_replay *replay)
{
    forget_traps(replay);
    if (!replay->has_begun)
        return boot(replay);
    replay->nlines = order_next(replay->order, &replay->lines);
    if (replay->nlines == 0 || !are_known(replay, replay->lines, replay->nlines))
        return false;
    twin_replay(replay->twin, replay->lines, replay->nlines, told, replay);
    return true;
}

enum fht_step fht_replay_next(struct fht_replay *replay, struct fht_verdict *verdict)
{
    if (replay->is_bad)
        return FHT_ERROR;
    if (replay->given == replay->ntraps) {
        begin(&replay->messages, replay->options.follows);
        const bool is_there = advance(replay);
        end(&replay->messages);
        if (!is_there) {
            replay->is_bad = replay->messages.text != NULL;
            return replay->is_bad ? FHT_ERROR : FHT_END;
        }
    }
    *verdict = replay->traps[replay->given++].verdict;
    return FHT_RECORD;
}

enum fht_step fht_replay_run(struct fht_replay *replay, fht_told *told_of, void *context,
                             struct fht_verdict *verdict)
{
    enum fht_step step;
    while ((step = fht_replay_next(replay, verdict)) == FHT_RECORD) {
        if (told_of && !told_of(context, verdict))
            break;
        if (strcmp(verdict->outcome, outcome_name(OUTCOME_DIVERGED)) == 0)
            break;
    }
    return step;
}

const struct fh_state *fht_replay_state(const struct fht_replay *replay)
{
    return replay->has_begun ? twin_state(replay->twin) : NULL;
}

const char *fht_replay_error(const struct fht_replay *replay)
{
    return text_of(&replay->messages);
}
