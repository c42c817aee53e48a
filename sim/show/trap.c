/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/trap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/words.h>

#include "base/diag.h"
#include "base/json_out.h"
#include "base/shown.h"
#include "base/text_stream.h"
#include "convert/recognise.h"
#include "patch/patch.h"
#include "replay/replay.h"
#include "replay/report_record.h"
#include "replay/report_words.h"
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

/* Does the record say something else here than was predicted? */
static bool differs(const struct differences *found, const struct trace_effect *effect)
{
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (found->list[i].machine == effect)
            return true;
    }
    return false;
}

/* Against the machine's model if the trap is unexplained, else against the spec. */
static const struct differences *differences_of(const struct trap_verdict *verdict)
{
    return verdict->outcome == OUTCOME_EXPLAINED ? &verdict->spec : &verdict->found;
}

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
    const struct differences *found = differences_of(trap->verdict);
    printf("  what it did, '!' where %s:\n", trap->verdict->outcome == OUTCOME_EXPLAINED
                                                 ? "the spec says something else"
                                                 : "the model says something else");
    for (size_t i = 0; i < trap->line->nfx; i++) {
        const struct trace_effect *effect = &trap->line->fx[i];
        const struct touch *touch = touches_of(&view->touches, effect);
        char account[256];
        fputs(differs(found, effect) ? "  ! " : "    ", stdout);
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
    const struct differences *found = differences_of(trap->verdict);
    json_open_array(out, "effects");
    for (size_t i = 0; i < trap->line->nfx; i++) {
        const struct trace_effect *effect = &trap->line->fx[i];
        const struct touch *touch = touches_of(&view->touches, effect);
        struct text_stream text;
        trace_print_effect(effect, text_stream_begin(&text));
        text_stream_end(&text);
        json_open_object(out, NULL);
        json_text(out, "effect", text.text);
        json_bool(out, "differs", differs(found, effect));
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

struct changes {
    const struct view *view;
    struct json_out *json; /* NULL: text */
    size_t count, registers;
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What CPUs that do not act wait with is no news, nor is how often an oracle was asked. */
static bool is_bookkeeping(const char *text)
{
    return starts_with(text, "machine") || starts_with(text, "tlb") ||
           starts_with(text, "data_log") || starts_with(text, "core_data_log");
}

/* A register that the trap came with: the CPU's, or what is kept of the host. */
static bool is_input(const struct view *view, const char *text)
{
    static const char contexts[] = "shadow_ctxts.";
    const uint64_t vcpus = fh_state_profile(view->at.state)->VCPU_PER_VM;
    if (starts_with(text, contexts))
        return strtoull(text + strlen(contexts), NULL, 0) < vcpus;
    return starts_with(text, "regs.");
}

static bool show_change(void *context, const struct fh_change *change)
{
    struct changes *changes = context;
    char text[600];
    if (change->type->kind == FH_KIND_LOG)
        return true;
    fh_change_format(change, text, sizeof text);
    if (is_bookkeeping(text))
        return true;
    if (!changes->view->is_long && is_input(changes->view, text)) {
        changes->registers++;
        return true;
    }
    struct text_stream stream;
    FILE *out = text_stream_begin(&stream);
    path_print(fh_state_profile(changes->view->at.state), change->path, out);
    fputs(strstr(text, ": "), out);
    text_stream_end(&stream);
    if (changes->json)
        json_text(changes->json, NULL, stream.text);
    else
        printf("%s    %s\n", changes->count == 0 ? "  what changed in the state:\n" : "",
               stream.text);
    text_stream_free(&stream);
    changes->count++;
    return true;
}

static void show_changes(const struct view *view, struct json_out *json)
{
    struct changes changes = {.view = view, .json = json};
    if (!view->before)
        return; /* of the boot record: the trace begins with its state */
    if (json)
        json_open_array(json, "changes");
    if (!fh_delta(view->before, fh_state_rdata(view->at.state), show_change, &changes))
        no_memory();
    if (json)
        json_close_array(json);
    else if (changes.count == 0)
        puts("  nothing changed in the state but registers");
    if (!json && changes.registers > 0)
        printf("  and %zu registers of the CPU and of the host's context, which --long shows\n",
               changes.registers);
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
