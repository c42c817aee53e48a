/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/path.h>

#include "base/diag.h"
#include "base/numbers.h"
#include "base/text_stream.h"
#include "base/whole_path.h"
#include "debug/debugger.h"
#include "patch/patch.h"
#include "replay/report_record.h"
#include "replay/report_words.h"
#include "show/changes.h"
#include "show/ranges.h"
#include "show/show.h"
#include "show/trap.h"

/* --- Values ----------------------------------------------------------------------------------- */

/* What is more is cut, for people. */
enum { PATH_WORD = 300, VALUE_MAX = 8000, CHANGES_MAX = 200 };

/* A part of the state by its path, `shared.` may be left out. */
static bool find_part(const struct fh_state *state, const char *text, struct fh_found *found)
{
    char path[PATH_WORD];
    if (*text == '\0')
        return false;
    return fh_path_find(fh_state_rdata(state), fh_state_profile(state),
                        whole_path(text, path, sizeof path), found, NULL);
}

/* What a value is called decides how it is written: the last name of its path. */
static const char *name_of(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at; at++) {
        if (*at == '.' && (at[1] < '0' || at[1] > '9') && at[1] != '_')
            name = at + 1;
    }
    return name;
}

static void print_part(const struct debugger *debugger, const char *text,
                       const struct fh_found *found, FILE *out)
{
    struct text_stream stream;
    char name[PATH_WORD];
    const char *last = name_of(text);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(last, "."), last);
    value_print(fh_state_profile(debug_state(debugger)), name, found->type, found->place,
                text_stream_begin(&stream));
    text_stream_end(&stream);
    fprintf(out, "%.*s%s", VALUE_MAX, stream.text, stream.length > VALUE_MAX ? " ..." : "");
    text_stream_free(&stream);
}

static void print_number(const struct debugger *debugger, const char *text, uint64_t value,
                         FILE *out)
{
    number_print_as(fh_state_profile(debug_state(debugger)), name_of(text), value, out);
    if (value > 9)
        fprintf(out, " (%" PRIu64 ", 0x%" PRIx64 ")", value, value);
}

char *debug_evaluate(struct debugger *debugger, const char *text)
{
    struct fh_found found;
    struct text_stream stream;
    uint64_t value;
    const bool is_part = find_part(debug_state(debugger), text, &found) && found.component < 0;
    const bool has_parts = is_part && found.type->kind != FH_KIND_U64;
    if (!has_parts && !debug_value(debugger, text, &value))
        return NULL;
    FILE *out = text_stream_begin(&stream);
    if (has_parts)
        print_part(debugger, text, &found, out);
    else
        print_number(debugger, text, value, out);
    text_stream_end(&stream);
    return stream.text;
}

bool debug_print(struct debugger *debugger, const char *text)
{
    char *value = debug_evaluate(debugger, text);
    if (!value)
        return false;
    fprintf(debugger->out, "%s = %s\n", text, value);
    free(value);
    return true;
}

/* --- Changes ---------------------------------------------------------------------------------- */

struct printed {
    FILE *out;
    size_t count;
};

static void print_change(void *context, const char *text)
{
    struct printed *printed = context;
    if (printed->count++ < CHANGES_MAX)
        fprintf(printed->out, "  %s\n", text);
}

static void print_changes(const struct debugger *debugger, const struct fh_rdata *before,
                          const struct fh_rdata *after)
{
    const struct fh_profile *k = fh_state_profile(debug_state(debugger));
    struct printed printed = {debugger->out, 0};
    const size_t registers = changes_visit(k, before, after, false, print_change, &printed);
    if (printed.count > CHANGES_MAX)
        fprintf(debugger->out, "  ... and %zu more\n", printed.count - CHANGES_MAX);
    if (registers > 0)
        fprintf(debugger->out, "  and %zu registers of the CPU and of the host's context\n",
                registers);
}

static const struct fh_rdata *state_at(struct debugger *debugger, size_t index)
{
    timeline_go(debugger->timeline, index);
    const struct fh_rdata *state = fh_state_snapshot(timeline_state(debugger->timeline));
    if (!state)
        no_memory();
    return state;
}

/* Back where the debugger was. */
static void return_to(struct debugger *debugger, size_t index, long effect)
{
    if (effect == DEBUG_BEHIND)
        debug_go(debugger, index);
    else
        debug_enter(debugger, index, (size_t)effect);
}

static bool find_record(struct debugger *debugger, const char *word, size_t *index)
{
    uint64_t seq;
    if (!debug_number(debugger, word, &seq))
        return false;
    return timeline_find(debugger->timeline, seq, index) ||
           debug_fail(debugger, word, "there is no record #%" PRIu64, seq);
}

/* The two records of `delta A B`; without them the one at which it stands, and the one before. */
static bool read_records(struct debugger *debugger, const char *words, size_t *from, size_t *to)
{
    char first[64];
    const size_t length = strcspn(words, " ");
    *to = debugger->index;
    *from = *to - (*to > 0);
    if (length == 0)
        return true;
    snprintf(first, sizeof first, "%.*s", (int)length, words);
    const char *second = words + length + strspn(words + length, " ");
    if (!find_record(debugger, first, from)) {
        debugger->error.at = words;
        return false;
    }
    return *second == '\0' || find_record(debugger, second, to);
}

bool debug_delta(struct debugger *debugger, const char *words)
{
    size_t from, to;
    const size_t index = debugger->index;
    const long effect = debugger->effect;
    if (!read_records(debugger, words, &from, &to))
        return false;
    const struct fh_allocator *allocator = fh_state_allocator(timeline_state(debugger->timeline));
    const struct fh_rdata *before = state_at(debugger, from), *after = state_at(debugger, to);
    fprintf(debugger->out, "from #%" PRIu64 " to #%" PRIu64 ":\n",
            timeline_at(debugger->timeline, from)->line->seq,
            timeline_at(debugger->timeline, to)->line->seq);
    print_changes(debugger, before, after);
    fh_snapshot_release(before, allocator);
    fh_snapshot_release(after, allocator);
    return_to(debugger, index, effect);
    return true;
}

/* --- Tables, locks, owners -------------------------------------------------------------------- */

enum { ARGUMENTS = 16 };

bool debug_tables(struct debugger *debugger, const char *words)
{
    static char name[] = "tables", path[] = "the state";
    char *arguments[ARGUMENTS + 2] = {name}, *rest;
    char *own = strdup(words);
    int count = 1;
    if (!own)
        no_memory();
    for (char *word = strtok_r(own, " ", &rest); word && count <= ARGUMENTS;
         word = strtok_r(NULL, " ", &rest))
        arguments[count++] = word;
    const bool done = show_state(debug_state(debugger), path, count, arguments, debugger->out) ||
                      debug_fail(debugger, words,
                                 "tables of what? --stage2 VMID, --smmu N.BANK or "
                                 "--owner, with --walk ADDRESS, --long, --json");
    free(own);
    return done;
}

bool debug_locks(struct debugger *debugger, const char *words)
{
    const char *lock;
    uint64_t vmid, cpu;
    size_t count = 0;
    if (timeline_is_scenario(debugger->timeline))
        return debug_fail(debugger, words, "locks are told of traces; `effects` has a step's");
    while (twin_lock_at(timeline_twin(debugger->timeline), count, &lock, &vmid, &cpu)) {
        fprintf(debugger->out, "%s", lock);
        if (strcmp(lock, "pt") == 0 || strcmp(lock, "vm") == 0)
            fprintf(debugger->out, " %" PRIu64, vmid);
        fprintf(debugger->out, ": CPU %" PRIu64 "\n", cpu);
        count++;
    }
    if (count == 0)
        fputs("no lock is held\n", debugger->out);
    return true;
}

bool debug_owner(struct debugger *debugger, const char *words)
{
    const struct fh_state *state = debug_state(debugger);
    uint64_t pfn;
    if (*words == '\0' && !debug_page(debugger, &pfn))
        return debug_fail(debugger, words,
                          "owner of which page? The trap is about none, so a page frame number is "
                          "needed");
    if (*words != '\0' && !debug_value(debugger, words, &pfn))
        return false;
    if (pfn >> 52)
        return debug_fail(debugger, words, "there is no such page");
    const struct fh_s2page *page = page_at(state, pfn << 12);
    fprintf(debugger->out, "page 0x%" PRIx64 ": owner ", pfn);
    number_print_as(fh_state_profile(state), "s2_owner", page->s2_owner, debugger->out);
    fprintf(debugger->out, ", shared %" PRIu32 ", gfn 0x%" PRIx64 "\n", page->s2_count,
            page->s2_gfn);
    return true;
}

/* --- The trap --------------------------------------------------------------------------------- */

struct trap_view {
    struct debugger *debugger;
    bool is_whole; /* with all that there is to say of it, not its effects alone */
};

static void print_effects(const struct debugger *debugger, const struct replay_trap *trap)
{
    for (size_t i = 0; i < trap->line->nfx; i++) {
        char account[256];
        fprintf(debugger->out, "%s%s%3zu ", debugger->effect == (long)i ? ">" : " ",
                trap_differs(trap->verdict, &trap->line->fx[i]) ? "!" : " ", i + 1);
        trace_print_effect(&trap->line->fx[i], debugger->out);
        if (effect_account(trap, &trap->line->fx[i], account, sizeof account))
            fprintf(debugger->out, " = %s", account);
        fputc('\n', debugger->out);
    }
}

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    static const struct trap_verdict boot = {.outcome = OUTCOME_MATCHED};
    const struct trap_view *view = context;
    const struct debugger *debugger = view->debugger;
    const struct fh_invariant_report none = {0};
    const struct replay_trap trap = {.machine = timeline_machine(debugger->timeline),
                                     .file = timeline_path(debugger->timeline),
                                     .line = line,
                                     .verdict = verdict ? verdict : &boot,
                                     .twin = timeline_twin(debugger->timeline),
                                     .violations = &none,
                                     .row = verdict ? ROW_KINDS + line->kind : ROW_BOOT};
    if (view->is_whole &&
        (trap.verdict->outcome == OUTCOME_EXPLAINED || trap.verdict->outcome == OUTCOME_DIVERGED)) {
        replay_trap_text(&trap, debugger->out);
    } else if (view->is_whole) {
        debug_say_record(debugger, debugger->index);
        inputs_print(&trap, debugger->out);
    }
    print_effects(debugger, &trap);
}

static void print_step(const struct debugger *debugger, bool is_whole)
{
    if (is_whole)
        debug_say_record(debugger, debugger->index);
    for (size_t i = 0; i < timeline_effects(debugger->timeline, debugger->index); i++) {
        fprintf(debugger->out, "%s %3zu ", debugger->effect == (long)i ? ">" : " ", i + 1);
        timeline_print_effect(debugger->timeline, debugger->index, i, debugger->out);
        fputc('\n', debugger->out);
    }
}

/* Judging goes behind the trap: the debugger goes back inside if it was. */
static bool judge(struct debugger *debugger, bool is_whole)
{
    struct trap_view view = {debugger, is_whole};
    const long effect = debugger->effect;
    const struct fh_rdata *before;
    timeline_judge(debugger->timeline, debugger->index, told, &view, &before);
    if (timeline_is_scenario(debugger->timeline))
        print_step(debugger, is_whole);
    if (before && is_whole)
        print_changes(debugger, before, fh_state_rdata(timeline_state(debugger->timeline)));
    if (before)
        fh_snapshot_release(before, fh_state_allocator(timeline_state(debugger->timeline)));
    if (effect != DEBUG_BEHIND)
        debug_enter(debugger, debugger->index, (size_t)effect);
    return true;
}

bool debug_trap(struct debugger *debugger, const char *words)
{
    (void)words;
    return judge(debugger, true);
}

bool debug_effects(struct debugger *debugger, const char *words)
{
    (void)words;
    return judge(debugger, false);
}
