/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/expression.h"
#include "base/shown.h"
#include "debug/debugger.h"
#include "replay/replay.h"
#include "replay/report_words.h"
#include "show/ranges.h"

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

static bool page_of_effect(const struct debugger *debugger, const struct timeline_record *record,
                           size_t i, uint64_t *pfn)
{
    if (record->step) {
        *pfn = record->step->effects[i].values[0];
        return record->step->effects[i].kind == FH_EFFECT_S2_READ;
    }
    const struct trace_effect *effect = &record->line->fx[i];
    *pfn = effect->s2_read.index;
    if (effect->kind == TRACE_s2_read)
        *pfn += twin_first_pfn(timeline_twin(debugger->timeline));
    return effect->kind == TRACE_s2_read;
}

bool debug_page(const struct debugger *debugger, uint64_t *pfn)
{
    const struct timeline_record *record = debug_record(debugger);
    uint64_t ipa;
    for (size_t i = 0; i < timeline_effects(debugger->timeline, debugger->index); i++) {
        if (page_of_effect(debugger, record, i, pfn))
            return true;
    }
    if (record->step || !trap_fault(record->line, &ipa) ||
        record->line->kind != TRACE_KIND_host_npt)
        return false;
    *pfn = ipa >> 12; /* the host's addresses are physical ones */
    return true;
}

/* "owner", "count" and "gfn", of the page that the trap is about. */
static bool page_word(const struct debugger *debugger, const char *word, uint64_t *value)
{
    uint64_t pfn;
    const bool is_owner = strcmp(word, "owner") == 0, is_count = strcmp(word, "count") == 0;
    if ((!is_owner && !is_count && strcmp(word, "gfn") != 0) || !debug_page(debugger, &pfn))
        return false;
    const struct fh_s2page *page = page_at(debug_state(debugger), pfn << 12);
    *value = is_owner ? page->s2_owner : is_count ? page->s2_count : page->s2_gfn;
    return true;
}

/* Words of the trap at which the debugger stands, of its page, and the kinds of traps. */
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
        return page_word(debugger, word, value);
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
