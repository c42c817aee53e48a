/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/play.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/effect_text.h"
#include "base/effect_words.h"
#include "base/numbers.h"
#include "base/text_stream.h"
#include "patch/number.h"

/* Whether a step did what the scenario says it must. */

enum { TEXT = 400, MESSAGE = 1000 };

void judge_fail(const struct judge *judge, const struct node *node, const char *format, ...)
{
    struct outcome *outcome = judge->outcome;
    char message[MESSAGE] = "";
    outcome->verdict = VERDICT_FAILED;
    if (outcome->nfailures == FAILURES_MAX)
        return;
    if (judge->scenario->is_beside)
        snprintf(message, sizeof message, "without %s: ", judge->scenario->shows);
    const size_t length = strlen(message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + length, sizeof message - length, format, arguments);
    va_end(arguments);
    outcome->failures[outcome->nfailures++] =
        (struct failure){.step = judge->number,
                         .line = node ? node->line : judge->step->node->line,
                         .title = judge->step->title,
                         .message = arena_strdup(judge->scenario->arena, message, strlen(message))};
}

void judge_no_memory(const struct judge *judge)
{
    struct scenario *scenario = judge->scenario;
    const struct node *node = judge->step->node;
    judge->outcome->verdict = VERDICT_INVALID;
    judge->outcome->nfailures = 0;
    source_error(&scenario->source, node->line, node->column,
                 "out of memory: the state needs more than %zu MiB in step %u (%s)",
                 scenario->budget.limit >> 20, judge->number, judge->step->title);
}

/* The expectation with this name, to point at; or the step. */
static const struct node *said_at(const struct judge *judge, const char *key)
{
    const struct node *expect = judge->step->expect.node;
    const struct node *said = expect ? node_get(expect, key) : NULL;
    return said ? said : judge->step->node;
}

/* --- Stuck, halted, returned ------------------------------------------------------------------ */

/* "map_page_host", or "MemManager.map_page_host" */
static bool is_function(const char *name, const char *layer, const char *function)
{
    char full_name[TEXT];
    snprintf(full_name, sizeof full_name, "%s.%s", layer ? layer : "", function ? function : "");
    return strcmp(name, full_name) == 0 || (function && strcmp(name, function) == 0);
}

static bool is_in_condition(const char *part, const char *condition)
{
    return condition && strstr(condition, part);
}

static bool is_where(const struct fh_error *error, const char *where)
{
    return is_function(where, error->layer, error->function) ||
           is_in_condition(where, error->condition);
}

static bool says_where(const struct expect *expect)
{
    return expect->halted_where || expect->halted_function || expect->halted_condition;
}

static bool is_panic_where(const struct fh_panic *panic, const struct expect *expect)
{
    const char *where = expect->halted_where;
    if (where && !is_function(where, panic->layer, panic->function) &&
        !is_in_condition(where, panic->condition))
        return false;
    return (!expect->halted_function ||
            is_function(expect->halted_function, panic->layer, panic->function)) &&
           (!expect->halted_condition ||
            is_in_condition(expect->halted_condition, panic->condition));
}

/* How a step may end other than well. */
struct bad_end {
    enum fh_status status;
    bool is_expected;
    const char *where; /* NULL: anywhere */
    const char *key, *missed, *elsewhere;
};
enum { BAD_ENDS = 5 };

static void list_bad_ends(const struct expect *expect, struct bad_end ends[static BAD_ENDS])
{
    const struct bad_end list[BAD_ENDS] = {
        {FH_STUCK, expect->stuck, expect->stuck_where, "stuck",
         "not stuck, though that is expected", "stuck"},
        {FH_DIED, expect->died, expect->died_where, "died",
         "EL2 lives on, though it is expected to die", "died"},
        {FH_HANGS, expect->hangs, expect->hangs_where, "hangs",
         "the step ends, though it is expected to hang", "hangs"},
        {FH_UNREPRESENTABLE, expect->unrepresentable, NULL, "unrepresentable",
         "every value has its place, though one is expected to have none", ""},
        {FH_DISAGREE, expect->disagrees, NULL, "disagrees",
         "the realisations agree, though they are expected not to", ""},
    };
    memcpy(ends, list, sizeof list);
}

void judge_status(const struct judge *judge, enum fh_status status)
{
    const struct fh_error *error = fh_state_error(judge->scenario->state);
    struct bad_end ends[BAD_ENDS];
    char reason[TEXT / 2];
    bool is_foreseen = status == FH_OK;
    fh_error_format(error, reason, sizeof reason);
    list_bad_ends(&judge->step->expect, ends);
    for (size_t i = 0; i < BAD_ENDS; i++) {
        const struct bad_end *end = &ends[i];
        is_foreseen = is_foreseen || (end->is_expected && end->status == status);
        if (status == FH_OK && end->is_expected)
            judge_fail(judge, said_at(judge, end->key), "%s", end->missed);
        if (status == end->status && end->where && !is_where(error, end->where))
            judge_fail(judge, said_at(judge, end->key), "%s elsewhere: expected '%s', got %s",
                       end->elsewhere, end->where, reason);
    }
    if (!is_foreseen)
        judge_fail(judge, NULL, "%s", reason);
}

void judge_result(const struct judge *judge, uint64_t result)
{
    const struct expect *expect = &judge->step->expect;
    if (expect->has_result && expect->result != result)
        judge_fail(judge, said_at(judge, "result"), "result: expected %#" PRIx64 ", got %#" PRIx64,
                   expect->result, result);
}

/*
 * Of a data abort without a valid syndrome ISV is 0, and then SAS, SRT and SF mean nothing; KCore
 * does not look at ISV.
 */
static const char *note_of_syndrome(const struct judge *judge)
{
    enum { CLASS_DABT_LOW = 0x24 };
    const struct step *step = judge->step;
    const uint64_t esr = fh_state_rdata(judge->scenario->state)->regs->ctxt_regs.esr_el2;
    const bool is_fault = step->kind == STEP_TRAP && strstr(step->title, "host-npt-fault");
    return is_fault && (esr >> 26 & 0x3f) == CLASS_DABT_LOW && !(esr >> 24 & 1)
               ? " (ESR_EL2 has ISV=0: SAS, SRT and SF mean nothing)"
               : "";
}

void judge_halt(const struct judge *judge, bool is_first, bool before, bool after)
{
    const struct expect *expect = &judge->step->expect;
    const bool expected = expect->has_halted ? expect->halted : before;
    const struct fh_panic panic = fh_state_panic(judge->scenario->state);
    char reason[TEXT / 2];
    fh_panic_format(&panic, reason, sizeof reason);
    if (!after && expected)
        judge_fail(judge, said_at(judge, "halted"), "the machine goes on, but must halt");
    else if (after && !expected)
        judge_fail(judge, said_at(judge, "halted"),
                   "the machine halted, which is not expected: %s%s", reason,
                   note_of_syndrome(judge));
    else if (after && before && is_first && says_where(expect))
        judge_fail(judge, said_at(judge, "halted"), "the machine had halted before this step");
    else if (after && !before && !is_panic_where(&panic, expect))
        judge_fail(judge, said_at(judge, "halted"), "halted elsewhere: expected '%s%s%s', got %s",
                   expect->halted_where ? expect->halted_where : "",
                   expect->halted_function ? expect->halted_function : "",
                   expect->halted_condition ? expect->halted_condition : "", reason);
}

/* --- Effects ---------------------------------------------------------------------------------- */

/* Does the line begin with the text, where blanks between words count once? */
static bool begins_with(const char *line, const char *text)
{
    while (*text && *line == *text) {
        const size_t blanks = strspn(line, " ");
        line += blanks > 0 ? blanks : 1;
        text += blanks > 0 ? strspn(text, " ") : 1;
    }
    return !*text;
}

static bool is_effect(const struct judge *judge, const struct fh_effect *effect, const char *text)
{
    char *line = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&line, &length);
    if (!out)
        no_memory();
    effect_print(out, judge->scenario->profile, effect);
    fclose(out);
    const bool is_it = begins_with(line, text);
    free(line);
    return is_it;
}

/* How many of the texts the effects from `first` on are. */
static size_t matching(const struct judge *judge, const struct step_trace *trace, size_t first)
{
    const struct node *list = judge->step->expect.effects;
    size_t count = 0;
    while (count < list->count && first + count < trace->neffects &&
           is_effect(judge, &trace->effects[first + count], list->items[count].text))
        count++;
    return count;
}

void judge_effects(const struct judge *judge, const struct step_trace *trace)
{
    const struct node *list = judge->step->expect.effects;
    size_t most = 0;
    if (!list || list->count == 0)
        return;
    for (size_t i = 0; i < trace->neffects && most < list->count; i++) {
        const size_t count = matching(judge, trace, i);
        most = count > most ? count : most;
    }
    if (most < list->count)
        judge_fail(judge, &list->items[most], "effects: '%s' does not come%s",
                   list->items[most].text, most > 0 ? " directly behind those before it" : "");
}

/* --- Changes ---------------------------------------------------------------------------------- */

struct comparison {
    const struct judge *judge;
    const struct node *delta;
    const struct node *node; /* what is not met */
    size_t differences;
    const char *words; /* format of a difference */
};

/* The logs of locks and of atomic events: compared where the delta has them. */
static bool is_left_out(const struct comparison *comparison, const struct fh_path *path)
{
    const char *field = path->steps[0].field;
    bool is_log = strcmp(field, "log") == 0 || strcmp(field, "slog") == 0;
    return is_log && !(comparison->delta && node_get(comparison->delta, field));
}

static bool report_difference(void *context, const struct fh_change *change)
{
    struct comparison *comparison = context;
    const struct scenario *scenario = comparison->judge->scenario;
    if (is_left_out(comparison, change->path))
        return true;
    comparison->differences++;
    const char *path = path_text(scenario, change->path);
    const char *wanted = value_text_at(scenario, change->path, change->type, change->before);
    const char *got = value_text_at(scenario, change->path, change->type, change->after);
    judge_fail(comparison->judge, comparison->node, "%s: %s: expected %s, got %s",
               comparison->words, path, wanted, got);
    return comparison->differences < FAILURES_MAX;
}

/* The state before with the delta applied, as a state of its own. */
static struct fh_state *expected_state(const struct judge *judge, const struct fh_rdata *before)
{
    struct scenario *scenario = judge->scenario;
    const struct node *delta = judge->step->expect.delta;
    struct patch_numbers numbers = number_patches(scenario->profile);
    struct patch_objects objects = {&before->shared, scenario->profile->NPT_ID,
                                    scenario->profile->INFO_ID, false, FH_LOG_FULL};
    struct patch_error error = {0};
    struct fh_state *expected = fh_state_fork(scenario->state);
    if (!expected)
        return NULL;
    fh_state_restore(expected, before);
    struct fh_rdata *adt = fh_state_edit(expected);
    if (!adt || !patch_apply_rdata(adt, fh_state_allocator(expected), delta, &objects, &numbers,
                                   NULL, &error)) {
        judge_fail(judge, delta, "delta: %s", adt ? error.message : "out of memory");
        fh_state_free(expected);
        return NULL;
    }
    return expected;
}

static void judge_delta(const struct judge *judge, const struct fh_rdata *before,
                        const struct fh_rdata *after)
{
    const struct node *delta = judge->step->expect.delta;
    struct comparison comparison = {judge, delta, delta, 0, "delta"};
    struct fh_state *expected = expected_state(judge, before);
    if (!expected)
        return;
    fh_delta(fh_state_rdata(expected), after, report_difference, &comparison);
    fh_state_free(expected);
}

void judge_changes(const struct judge *judge, const struct fh_rdata *before,
                   const struct fh_rdata *after)
{
    const struct expect *expect = &judge->step->expect;
    if (expect->delta)
        judge_delta(judge, before, after);
    if (expect->unchanged) {
        struct comparison comparison = {judge, NULL, said_at(judge, "changes"), 0, "changed"};
        fh_delta(before, after, report_difference, &comparison);
    }
}

/* --- Values ----------------------------------------------------------------------------------- */

static uint64_t number_in(const struct patch_place *place, unsigned i)
{
    if (place->component >= 0)
        return fh_tuple_get(place->type, place->place, (unsigned)place->component);
    if (place->type->kind == FH_KIND_TUPLE)
        return fh_tuple_get(place->type, place->place, i);
    return fh_scalar_get(place->type, place->place);
}

static bool is_as_expected(const struct patch_place *place, const struct state_value *value)
{
    for (unsigned i = 0; i < value->count; i++) {
        if (number_in(place, i) != value->numbers[i])
            return false;
    }
    return true;
}

static const char *keep_text(const struct judge *judge, struct text_stream *stream)
{
    text_stream_end(stream);
    const char *kept = arena_strdup(judge->scenario->arena, stream->text, stream->length);
    text_stream_free(stream);
    return kept;
}

/* The field that a path is about: of "shared.vminfos.1.VS.vm_vcpu_state.0" the last one. */
static const char *field_of(const struct judge *judge, const char *path)
{
    const char *field = path;
    for (const char *at = path; at; at = strchr(at, '.')) {
        at += *at == '.';
        if (*at >= 'a' && *at <= 'z')
            field = at;
    }
    return arena_strdup(judge->scenario->arena, field, strcspn(field, "."));
}

/* What was expected, in the words that value_print has for what is there. */
static const char *expected_text(const struct judge *judge, const struct patch_place *place,
                                 const struct state_value *value)
{
    const struct fh_profile *k = judge->scenario->profile;
    const bool is_tuple = place->component < 0 && place->type->kind == FH_KIND_TUPLE;
    const bool is_number = place->component >= 0 || place->type->kind == FH_KIND_U32 ||
                           place->type->kind == FH_KIND_U64;
    struct text_stream stream;
    FILE *out = text_stream_begin(&stream);
    for (unsigned i = 0; is_tuple && i < value->count; i++) {
        fputs(i > 0 ? ", " : "[", out);
        number_print_as(k, place->type->names[i], value->numbers[i], out);
    }
    if (is_tuple)
        fputc(']', out);
    else if (is_number)
        number_print_as(k, field_of(judge, value->path), value->numbers[0], out);
    else
        fputs(value->node->text, out);
    return keep_text(judge, &stream);
}

static const char *found_text(const struct judge *judge, const struct patch_place *place,
                              const struct state_value *value)
{
    const char *field = field_of(judge, value->path);
    struct text_stream stream;
    if (place->component < 0)
        return value_text(judge->scenario, field, place->type, place->place);
    number_print_as(judge->scenario->profile, field, number_in(place, 0),
                    text_stream_begin(&stream));
    return keep_text(judge, &stream);
}

/* An entry of a map of descriptors, with the descriptor in words; others as they are. */
static const char *with_words(const struct judge *judge, const struct patch_place *place,
                              const char *text, const uint64_t *entry)
{
    enum { LEAF = 3 };
    const unsigned last = place->type->kind == FH_KIND_TUPLE ? place->type->nfields - 1 : 0;
    char words[256];
    if (place->component >= 0 || last == 0 || strcmp(place->type->names[last], "pte") != 0)
        return text;
    if (entry_words(last > 1 ? entry[1] : LEAF, entry[last], words, sizeof words) == 0)
        return text;
    struct text_stream stream;
    fprintf(text_stream_begin(&stream), "%s (%s)", text, words);
    return keep_text(judge, &stream);
}

static void fail_value(const struct judge *judge, const struct patch_place *place,
                       const struct state_value *value)
{
    uint64_t got[8];
    for (unsigned i = 0; i < value->count && i < sizeof got / sizeof *got; i++)
        got[i] = number_in(place, i);
    judge_fail(judge, value->node, "%s: expected %s, got %s", value->path,
               with_words(judge, place, expected_text(judge, place, value), value->numbers),
               with_words(judge, place, found_text(judge, place, value), got));
}

void judge_values(const struct judge *judge, const struct fh_rdata *after)
{
    const struct expect *expect = &judge->step->expect;
    struct patch_numbers numbers = number_patches(judge->scenario->profile);
    for (size_t i = 0; i < expect->nvalues; i++) {
        const struct state_value *value = &expect->values[i];
        struct patch_place place;
        struct patch_error error;
        if (!patch_find(after, value->path, &numbers, &place, &error))
            judge_fail(judge, value->node, "%s: %s", value->path, error.message);
        else if (!is_as_expected(&place, value))
            fail_value(judge, &place, value);
    }
}
