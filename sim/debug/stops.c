/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/numbers.h"
#include "debug/debugger.h"
#include "replay/replay.h"

/* --- What stops ------------------------------------------------------------------------------- */

static bool looks_at_state(const struct stop *stop)
{
    return stop->kind == STOP_IF || stop->kind == STOP_WATCH;
}

/* --- Expressions ------------------------------------------------------------------------------ */

static uint64_t value_now(struct debugger *debugger, const struct stop *stop)
{
    const uint64_t value = debug_value_now(debugger, stop->words);
    return stop->kind == STOP_IF ? value != 0 : value;
}

static void note_values(struct debugger *debugger)
{
    for (size_t i = 0; i < debugger->nstops; i++) {
        if (looks_at_state(&debugger->stops[i]))
            debugger->stops[i].last = value_now(debugger, &debugger->stops[i]);
    }
}

/* Of the stop that came about by the last trap; its values are noted. */
static const struct stop *stop_in_state(struct debugger *debugger, uint64_t *before)
{
    const struct stop *found = NULL;
    for (size_t i = 0; i < debugger->nstops; i++) {
        struct stop *stop = &debugger->stops[i];
        if (!looks_at_state(stop))
            continue;
        const uint64_t value = value_now(debugger, stop);
        const bool is_met = !stop->condition || debug_value_now(debugger, stop->condition) != 0;
        if (!found && is_met && value != stop->last && (stop->kind == STOP_WATCH || value != 0)) {
            found = stop;
            *before = stop->last;
        }
        stop->last = value;
    }
    return found;
}

/* --- The list --------------------------------------------------------------------------------- */

static struct stop *add(struct debugger *debugger, enum stop_kind kind, const char *words,
                        uint64_t value)
{
    if (debugger->nstops == debugger->stops_size) {
        debugger->stops_size = debugger->stops_size ? 2 * debugger->stops_size : 8;
        debugger->stops = realloc(debugger->stops, debugger->stops_size * sizeof *debugger->stops);
        if (!debugger->stops)
            no_memory();
    }
    struct stop *stop = &debugger->stops[debugger->nstops++];
    *stop = (struct stop){
        .number = ++debugger->numbers, .kind = kind, .words = strdup(words), .value = value};
    if (!stop->words)
        no_memory();
    return stop;
}

/* An expression that can be evaluated here. */
static struct stop *add_expression(struct debugger *debugger, enum stop_kind kind,
                                   const char *words)
{
    uint64_t value;
    return debug_value(debugger, words, &value) ? add(debugger, kind, words, 0) : NULL;
}

/* What only a recording has. */
static bool is_trace(struct debugger *debugger, const char *words)
{
    return !timeline_is_scenario(debugger->timeline) ||
           debug_fail(debugger, words, "that is told of traces, and this is a scenario");
}

static struct stop *break_at_kind(struct debugger *debugger, const char *words)
{
    if (!is_trace(debugger, words))
        return NULL;
    for (unsigned kind = 0; kind < TRACE_KINDS; kind++) {
        if (strcmp(words, trace_kind_name((enum trace_kind)kind)) == 0)
            return add(debugger, STOP_KIND, words, kind);
    }
    debug_fail(debugger, words,
               "'%s' is no kind of trap: host_npt, host_hvc, guest_exit, "
               "el2_exception or gap",
               words);
    return NULL;
}

/* In the order of the replay. */
static struct stop *break_at_record(struct debugger *debugger, const char *words)
{
    const size_t count = timeline_count(debugger->timeline);
    uint64_t index;
    if (!debug_number(debugger, words, &index))
        return NULL;
    if (index < count)
        return add(debugger, STOP_RECORD, words, index);
    debug_fail(debugger, words, "there are %zu records, from 0 on", count);
    return NULL;
}

static struct stop *break_at_page(struct debugger *debugger, const char *words)
{
    uint64_t value;
    return debug_value(debugger, words, &value) ? add(debugger, STOP_PAGE, words, value) : NULL;
}

static struct stop *break_at_vm(struct debugger *debugger, const char *words)
{
    uint64_t value;
    return debug_value(debugger, words, &value) ? add(debugger, STOP_VM, words, value) : NULL;
}

/* A name that neither the spec nor the trace has is a mistake. */
static bool is_function(const struct debugger *debugger, const char *words)
{
    const struct stop wanted = {.kind = STOP_FUNCTION, .words = (char *)(uintptr_t)words};
    if (fh_function_find(words))
        return true;
    for (size_t i = 0; i < timeline_count(debugger->timeline); i++) {
        if (stop_meets(debugger, &wanted, i))
            return true;
    }
    return false;
}

static struct stop *break_at_function(struct debugger *debugger, const char *words)
{
    if (is_function(debugger, words))
        return add(debugger, STOP_FUNCTION, words, 0);
    debug_fail(debugger, words, "'%s' is no function of the spec, nor of the trace", words);
    return NULL;
}

static struct stop *break_at_deviation(struct debugger *debugger, const char *words)
{
    if (!is_trace(debugger, words))
        return NULL;
    const struct machine_description *machine = timeline_machine(debugger->timeline);
    unsigned entry;
    if (catalogue_find(machine, words, &entry))
        return add(debugger, STOP_DEVIATION, words, entry);
    debug_fail(debugger, words, "'%s' is not in the catalogue of %s", words, machine->name);
    return NULL;
}

static struct stop *break_at_invariant(struct debugger *debugger, const char *words)
{
    if (!is_trace(debugger, words))
        return NULL;
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (strcmp(words, fh_invariant_at(i)->name) == 0)
            return add(debugger, STOP_INVARIANT, words, i);
    }
    debug_fail(debugger, words, "'%s' is no invariant", words);
    return NULL;
}

static struct stop *break_if(struct debugger *debugger, const char *words)
{
    return add_expression(debugger, STOP_IF, words);
}

static bool begins(const char *words, const char *word, const char **behind)
{
    const size_t length = strlen(word);
    if (strncmp(words, word, length) != 0 || words[length] != ' ')
        return false;
    *behind = words + length + strspn(words + length, " ");
    return true;
}

static struct stop *break_at(struct debugger *debugger, const char *words)
{
    static const struct {
        const char *word;
        struct stop *(*add)(struct debugger *debugger, const char *words);
    } forms[] = {{"record", break_at_record},
                 {"kind", break_at_kind},
                 {"function", break_at_function},
                 {"page", break_at_page},
                 {"vm", break_at_vm},
                 {"deviation", break_at_deviation},
                 {"invariant", break_at_invariant},
                 {"if", break_if}};
    const char *rest;
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
        if (strcmp(words, outcome_name((enum trap_outcome)outcome)) == 0)
            return is_trace(debugger, words) ? add(debugger, STOP_OUTCOME, words, outcome) : NULL;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (begins(words, forms[i].word, &rest))
            return forms[i].add(debugger, rest);
    }
    debug_fail(debugger, words,
               "break where? kind KIND, function NAME, page PFN, vm VMID, "
               "deviation ID, invariant NAME, if EXPRESSION, matched, explained, "
               "unexplained or not replayed");
    return NULL;
}

/* What stands before " if ", and the condition behind it. */
struct stop *stops_break(struct debugger *debugger, const char *words)
{
    const char *condition = strncmp(words, "if ", 3) == 0 ? NULL : strstr(words, " if ");
    if (!condition)
        return break_at(debugger, words);
    char *where = strndup(words, (size_t)(condition - words));
    if (!where)
        no_memory();
    struct stop *stop = break_at(debugger, where);
    if (!stop && debugger->error.at)
        debugger->error.at = words + (debugger->error.at - where);
    free(where);
    return stop ? stops_only_if(debugger, stop, condition + strlen(" if ")) : NULL;
}

struct stop *stops_only_if(struct debugger *debugger, struct stop *stop, const char *condition)
{
    uint64_t value;
    if (!debug_value(debugger, condition, &value)) {
        stops_remove(debugger, stop->number);
        return NULL;
    }
    stop->condition = strdup(condition);
    if (!stop->condition)
        no_memory();
    return stop;
}

struct stop *stops_watch(struct debugger *debugger, const char *words)
{
    return add_expression(debugger, STOP_WATCH, words);
}

/* Of a page's record it is told who reads it: its frame, or a path to it. */
struct stop *stops_rwatch(struct debugger *debugger, const char *words)
{
    static const char *const prefixes[] = {"shared.s2page.", "s2page."};
    const char *number = words;
    char frame[64];
    uint64_t pfn;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(words, prefixes[i], strlen(prefixes[i])) == 0)
            number = words + strlen(prefixes[i]);
    }
    snprintf(frame, sizeof frame, "%.*s", (int)strcspn(number, "."), number);
    if (debug_number(debugger, frame, &pfn))
        return add(debugger, STOP_READ, words, pfn);
    debug_fail(debugger, words,
               "reads are told of a page's record: a page frame number is needed, "
               "or s2page.PFN");
    return NULL;
}

bool stops_remove(struct debugger *debugger, unsigned number)
{
    for (size_t i = 0; i < debugger->nstops; i++) {
        if (debugger->stops[i].number != number)
            continue;
        free(debugger->stops[i].words);
        free(debugger->stops[i].condition);
        debugger->nstops--;
        memmove(&debugger->stops[i], &debugger->stops[i + 1],
                (debugger->nstops - i) * sizeof *debugger->stops);
        return true;
    }
    return false;
}

static const char *stops_words(enum stop_kind kind)
{
    static const char *const words[] = {
#define STOP_WORDS(name, words) [STOP_##name] = words,
        STOP_KIND_MAP(STOP_WORDS)
#undef STOP_WORDS
    };
    return words[kind];
}

void stops_say(const struct debugger *debugger, const struct stop *stop)
{
    fprintf(debugger->out, "%s %s", stops_words(stop->kind), stop->words);
    if (stop->condition)
        fprintf(debugger->out, " if %s", stop->condition);
}

void stops_print(const struct debugger *debugger)
{
    if (debugger->nstops == 0)
        fputs("nothing stops\n", debugger->out);
    for (size_t i = 0; i < debugger->nstops; i++) {
        fprintf(debugger->out, "%u  ", debugger->stops[i].number);
        stops_say(debugger, &debugger->stops[i]);
        fputc('\n', debugger->out);
    }
}

/* --- Running ---------------------------------------------------------------------------------- */

/* A place to stop, with what changed. */
struct found {
    const struct stop *stop;
    size_t index;
    uint64_t before, after;
};

static void say_stop(const struct debugger *debugger, const struct found *found)
{
    fprintf(debugger->out, "stop %u, ", found->stop->number);
    stops_say(debugger, found->stop);
    if (found->stop->kind == STOP_WATCH)
        fprintf(debugger->out, ": 0x%" PRIx64 " -> 0x%" PRIx64, found->before, found->after);
    fputc('\n', debugger->out);
}

/* For a condition it goes behind the record. */
static const struct stop *stop_of_record(struct debugger *debugger, size_t index)
{
    for (size_t i = 0; i < debugger->nstops; i++) {
        const struct stop *stop = &debugger->stops[i];
        if (!stop_meets(debugger, stop, index))
            continue;
        if (stop->condition)
            debug_go(debugger, index);
        if (!stop->condition || debug_value_now(debugger, stop->condition) != 0)
            return stop;
    }
    return NULL;
}

static bool any_looks_at_state(const struct debugger *debugger)
{
    for (size_t i = 0; i < debugger->nstops; i++) {
        if (looks_at_state(&debugger->stops[i]))
            return true;
    }
    return false;
}

/*
 * From behind the record `from` on up to `to`: the first place to stop, or the last one. Where no
 * stop looks at the state it does not move.
 */
static struct found search(struct debugger *debugger, size_t from, size_t to, bool is_last)
{
    struct found found = {NULL, 0, 0, 0};
    const bool moves = any_looks_at_state(debugger);
    if (moves) {
        debug_go(debugger, from);
        note_values(debugger);
    }
    for (size_t i = from + 1; i <= to && (is_last || !found.stop); i++) {
        uint64_t before = 0;
        const struct stop *stop = stop_of_record(debugger, i);
        if (moves) {
            debug_go(debugger, i);
            const struct stop *in_state = stop_in_state(debugger, &before);
            stop = in_state ? in_state : stop;
        }
        if (stop)
            found = (struct found){stop, i, before, stop->last};
    }
    return found;
}

/* Backwards a stretch at a time, up to `to`: each is gone through from its beginning. */
static struct found search_back(struct debugger *debugger, size_t to)
{
    enum { STRETCH = 256 };
    struct found found = {NULL, 0, 0, 0};
    while (to > 0 && !found.stop) {
        const size_t from = to > STRETCH ? to - STRETCH : 0;
        found = search(debugger, from, to, true);
        to = from;
    }
    return found;
}

/* Inside of a record what stops at it lies before, for who goes on. */
const struct stop *stops_run(struct debugger *debugger, bool back)
{
    const size_t end = timeline_count(debugger->timeline) - 1;
    const bool is_inside = debugger->effect != DEBUG_BEHIND;
    const size_t index = debugger->index - (is_inside && debugger->index > 0 && !back);
    const struct found found =
        back ? search_back(debugger, index - (index > 0)) : search(debugger, index, end, false);
    if (!found.stop) {
        fprintf(debugger->out, "nothing stopped it before the %s\n", back ? "beginning" : "end");
        debug_go(debugger, back ? 0 : end);
        return NULL;
    }
    say_stop(debugger, &found);
    debug_go(debugger, found.index);
    return found.stop;
}

bool stops_last_change(struct debugger *debugger, const char *words, size_t *index,
                       uint64_t *before, uint64_t *after)
{
    struct debugger alone = *debugger;
    struct stop stop = {.kind = STOP_WATCH, .words = (char *)(uintptr_t)words};
    alone.stops = &stop;
    alone.nstops = 1;
    const struct found found = search_back(&alone, debugger->index);
    const long effect = debugger->effect;
    if (effect == DEBUG_BEHIND)
        debug_go(debugger, debugger->index);
    else
        debug_enter(debugger, debugger->index, (size_t)effect);
    *index = found.index;
    *before = found.before;
    *after = found.after;
    return found.stop;
}
