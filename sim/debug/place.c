/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/shown.h"
#include "debug/debugger.h"
#include "replay/replay.h"
#include "base/expression.h"

bool debug_fail(struct debugger *debugger, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(debugger->error.message, sizeof debugger->error.message, format, args);
    va_end(args);
    debugger->error.at = at;
    return false;
}

const struct fh_state *debug_state(const struct debugger *debugger)
{
    return debugger->fork ? debugger->fork->state : timeline_state(debugger->timeline);
}

const struct timeline_record *debug_record(const struct debugger *debugger)
{
    return timeline_at(debugger->timeline, debugger->index);
}

void debug_go(struct debugger *debugger, size_t index)
{
    timeline_go(debugger->timeline, index);
    debugger->index = index;
    debugger->effect = DEBUG_BEHIND;
}

void debug_enter(struct debugger *debugger, size_t index, size_t effect)
{
    if (effect >= timeline_effects(debugger->timeline, index)) {
        debug_go(debugger, index);
        return;
    }
    timeline_enter(debugger->timeline, index, effect);
    debugger->index = index;
    debugger->effect = (long)effect;
}

/* --- In words --------------------------------------------------------------------------------- */

const char *debug_title(const struct debugger *debugger, size_t index)
{
    const struct timeline_record *record = timeline_at(debugger->timeline, index);
    const struct replay_trap trap = {.machine = timeline_machine(debugger->timeline),
                                     .line = record->line};
    if (record->step)
        return index == 0 ? "the beginning" : record->step->step->title;
    return index == 0 ? "boot" : trap_title(&trap);
}

/* "#3 (line 12): step trap host-npt-fault on CPU 0, as expected" */
static void say_step(const struct debugger *debugger, size_t index)
{
    const struct timeline_record *record = timeline_at(debugger->timeline, index);
    const char *title = debug_title(debugger, index);
    fprintf(debugger->out, "#%zu (line %u): ", index, record->line->number);
    print_shown(debugger->out, title, strlen(title));
    fprintf(debugger->out, " on CPU %" PRIu64, record->line->cpu);
    if (record->failure)
        fprintf(debugger->out, ", failed: %s", record->failure);
    if (record->step->stuck)
        fprintf(debugger->out, ", stuck: %s", record->step->stuck);
    fputc('\n', debugger->out);
}

static void say_explained(const struct debugger *debugger, const struct timeline_record *record)
{
    const struct machine_entry *entry;
    const char *separator = " by ";
    for (unsigned i = 0; (entry = catalogue_at(timeline_machine(debugger->timeline), i)); i++) {
        if (!credits_has(&record->credits, i))
            continue;
        fprintf(debugger->out, "%s%s", separator, entry->id);
        separator = ", ";
    }
}

static void say_broken(const struct debugger *debugger, const struct timeline_record *record)
{
    const char *separator = ", breaks ";
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(record->broken >> i & 1))
            continue;
        fprintf(debugger->out, "%s%s", separator, fh_invariant_at(i)->name);
        separator = ", ";
    }
}

void debug_say_record(const struct debugger *debugger, size_t index)
{
    const struct timeline_record *record = timeline_at(debugger->timeline, index);
    if (record->step) {
        say_step(debugger, index);
        return;
    }
    const char *title = debug_title(debugger, index);
    const char *kind = replay_row_name(index == 0 ? ROW_BOOT : ROW_KINDS + record->line->kind);
    fprintf(debugger->out, "#%" PRIu64 " (line %u): %s", record->line->seq, record->line->number,
            kind);
    if (strcmp(title, kind) != 0) {
        fputc(' ', debugger->out);
        print_shown(debugger->out, title, strlen(title));
    }
    fprintf(debugger->out, " on CPU %" PRIu64, record->line->cpu);
    if (index > 0)
        fprintf(debugger->out, ", %s", outcome_name(record->outcome));
    say_explained(debugger, record);
    say_broken(debugger, record);
    fputc('\n', debugger->out);
}

void debug_say(const struct debugger *debugger)
{
    const struct trace_line *line = debug_record(debugger)->line;
    if (debugger->effect == DEBUG_BEHIND) {
        debug_say_record(debugger, debugger->index);
        return;
    }
    fprintf(debugger->out, "#%" PRIu64 ", before effect %ld of %zu: ", line->seq,
            debugger->effect + 1, timeline_effects(debugger->timeline, debugger->index));
    timeline_print_effect(debugger->timeline, debugger->index, (size_t)debugger->effect,
                          debugger->out);
    fputc('\n', debugger->out);
}

/* --- Expressions ------------------------------------------------------------------------------ */

/* Words of the trap at which the debugger stands, and the kinds of traps. */
static bool trap_word(void *context, const char *word, uint64_t *value)
{
    const struct debugger *debugger = context;
    const struct trace_line *line = debug_record(debugger)->line;
    for (unsigned kind = 0; !debug_record(debugger)->step && kind < TRACE_KINDS; kind++) {
        if (strcmp(word, trace_kind_name((enum trace_kind)kind)) == 0)
            return *value = kind, true;
    }
    if (strcmp(word, "seq") == 0)
        *value = line->seq;
    else if (strcmp(word, "cpu") == 0)
        *value = line->cpu;
    else if (strcmp(word, "kind") == 0 && !debug_record(debugger)->step)
        *value = line->kind;
    else
        return false;
    return true;
}

bool debug_value(struct debugger *debugger, const char *text, uint64_t *value)
{
    struct expression_error error;
    if (expression_evaluate(text, debug_state(debugger), trap_word, debugger, value, &error))
        return true;
    return debug_fail(debugger, text + error.offset, "%s", error.message);
}

uint64_t debug_value_now(struct debugger *debugger, const char *text)
{
    struct expression_error error;
    uint64_t value = 0;
    expression_evaluate(text, debug_state(debugger), trap_word, debugger, &value, &error);
    return value;
}

bool debug_number(struct debugger *debugger, const char *text, uint64_t *value)
{
    const char *behind;
    const char *digits = *text == '#' ? text + 1 : text;
    if (subject_number(digits, '\0', value, &behind))
        return true;
    return debug_fail(debugger, text, "'%s' is no number", text);
}
