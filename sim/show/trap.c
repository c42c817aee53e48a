/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/trap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/json_out.h"
#include "base/shown.h"
#include "base/text_stream.h"
#include "convert/recognise.h"
#include "replay/replay.h"
#include "replay/report_record.h"
#include "replay/report_words.h"
#include "show/changes.h"
#include "show/subject.h"
#include "show/touches.h"
#include "twin/watch.h"

struct view {
    struct subject at;
    struct touches touches;
    struct watch watch;
    struct fh_invariant_report violations;
    const struct fh_rdata *before; /* the state as the trap began */
    bool json, is_long;
};

/* --- Effects ---------------------------------------------------------------------------------- */

static void print_touch(const struct touch *touch)
{
    if (touch->has_before)
        printf("  (before: #%" PRIu64, touch->before);
    else
        printf("  (before: nobody");
    if (touch->has_behind)
        printf(", next: #%" PRIu64 ")", touch->behind);
    else
        printf(", next: nobody)");
}

static void print_effects(const struct view *view, const struct replay_trap *trap)
{
    printf("  what it did, '!' where %s:\n", trap->verdict->outcome == OUTCOME_EXPLAINED
                                                 ? "the spec says something else"
                                                 : "the model says something else");
    for (size_t i = 0; i < trap->line->nfx; i++) {
        const struct trace_effect *effect = &trap->line->fx[i];
        const struct touch *touch = touches_of(&view->touches, effect);
        char account[256];
        fputs(trap_differs(trap->verdict, effect) ? "  ! " : "    ", stdout);
        trace_print_effect(effect, stdout);
        if (effect_account(trap, effect, account, sizeof account))
            printf(" = %s", account);
        if (touch)
            print_touch(touch);
        putchar('\n');
    }
}

static void json_effects(const struct view *view, struct json_out *out,
                         const struct replay_trap *trap)
{
    json_open_array(out, "effects");
    for (size_t i = 0; i < trap->line->nfx; i++) {
        const struct trace_effect *effect = &trap->line->fx[i];
        const struct touch *touch = touches_of(&view->touches, effect);
        struct text_stream text;
        trace_print_effect(effect, text_stream_begin(&text));
        text_stream_end(&text);
        json_open_object(out, NULL);
        json_text(out, "effect", text.text);
        json_bool(out, "differs", trap_differs(trap->verdict, effect));
        if (touch && touch->has_before)
            json_number(out, "before", touch->before);
        if (touch && touch->has_behind)
            json_number(out, "next", touch->behind);
        json_close_object(out);
        text_stream_free(&text);
    }
    json_close_array(out);
}

/* --- The state -------------------------------------------------------------------------------- */

static void print_change(void *context, const char *text)
{
    size_t *count = context;
    printf("%s    %s\n", (*count)++ == 0 ? "  what changed in the state:\n" : "", text);
}

static void put_change(void *context, const char *text)
{
    json_text(context, NULL, text);
}

/* Of the boot record none: the trace begins with its state. */
static void show_changes(const struct view *view, struct json_out *json)
{
    size_t count = 0;
    if (!view->before)
        return;
    if (json)
        json_open_array(json, "changes");
    const size_t registers = changes_visit(
        fh_state_profile(view->at.state), view->before, fh_state_rdata(view->at.state),
        view->is_long, json ? put_change : print_change, json ? (void *)json : &count);
    if (json)
        json_close_array(json);
    else if (count == 0)
        puts("  nothing changed in the state but registers");
    if (!json && registers > 0)
        printf("  and %zu registers of the CPU and of the host's context, which --long shows\n",
               registers);
}

/* --- The trap --------------------------------------------------------------------------------- */

/* A trap that differs has all of that in its report. */
static void print_trap(const struct view *view, const struct replay_trap *trap)
{
    const enum trap_outcome outcome = trap->verdict->outcome;
    if (outcome == OUTCOME_EXPLAINED || outcome == OUTCOME_DIVERGED) {
        replay_trap_text(trap, stdout);
    } else {
        const char *title = trap_title(trap);
        printf("%s#%" PRIu64 " (line %u): %s on CPU %" PRIu64 ", %s", trap->file, trap->line->seq,
               trap->line->number, replay_row_name(trap->row), trap->line->cpu,
               outcome_name(outcome));
        if (strcmp(title, replay_row_name(trap->row)) != 0) {
            fputs(", ", stdout);
            print_shown(stdout, title, strlen(title));
        }
        putchar('\n');
        inputs_print(trap, stdout);
    }
    print_effects(view, trap);
    show_changes(view, NULL);
}

static void json_trap(const struct view *view, const struct replay_trap *trap)
{
    struct json_out out;
    json_out_begin_rows(&out, stdout, 2);
    json_open_object(&out, NULL);
    json_text(&out, "outcome", outcome_name(trap->verdict->outcome));
    replay_trap_json(&out, "trap", trap);
    json_effects(view, &out, trap);
    show_changes(view, &out);
    json_close_object(&out);
    json_out_end(&out);
}

static void begin(struct view *view)
{
    watch_boot(&view->watch, view->at.twin, &view->violations);
}

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct view *view = context;
    const struct trap_verdict matched = {.outcome = OUTCOME_MATCHED};
    struct replay_trap trap = {.machine = view->at.machine,
                               .file = view->at.path,
                               .line = line,
                               .verdict = verdict ? verdict : &matched,
                               .twin = view->at.twin,
                               .violations = &view->violations,
                               .row = verdict ? ROW_KINDS + line->kind : ROW_BOOT};
    if (!verdict)
        begin(view);
    else
        trap.broken = watch_trap(&view->watch, view->at.twin, &view->violations);
    if (line->seq == view->at.point) {
        if (view->json)
            json_trap(view, &trap);
        else
            print_trap(view, &trap);
    }
    if (view->before)
        fh_snapshot_release(view->before, fh_state_allocator(view->at.state));
    view->before = fh_state_snapshot(twin_state(view->at.twin));
    if (!view->before)
        no_memory();
}

bool show_trap(const char *argument, const char *machine, bool json, bool is_long)
{
    struct view view = {.json = json, .is_long = is_long};
    bool done = subject_point(&view.at, argument);
    if (done && subject_is_scenario(&view.at)) {
        diag_plain("show: what? --stage2 VMID, --smmu N.BANK, --owner or --walk ADDRESS");
        done = false;
    } else if (done && !view.at.has_point) {
        diag_plain("show: which trap? TRACE#SEQ; or what of the end: --stage2, --smmu, --owner, "
                   "--walk");
        done = false;
    }
    done = done && recognise_trace(view.at.path);
    done = done && touches_read(&view.touches, view.at.path, view.at.point);
    done = done && subject_follow(&view.at, machine, true, told, &view);
    if (view.before)
        fh_snapshot_release(view.before, fh_state_allocator(view.at.state));
    touches_free(&view.touches);
    subject_close(&view.at);
    return done;
}
