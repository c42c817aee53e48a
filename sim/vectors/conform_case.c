/* SPDX-License-Identifier: GPL-2.0-only */
#include "vectors/conform.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "patch/script.h"

struct case_runner {
    struct results *results;
    unsigned differences_shown;
    const struct fh_allocator *allocator;
    enum fh_realisation realisation;
    enum fh_log_policy log_policy;
    struct fh_state *base;        /* cases begin with a fork of it */
    struct fh_state *base_both;   /* FH_CONCRETE: the same with both forms */
    uint8_t *called;              /* by function: did this case call it? */
    struct machine_choice choice; /* whose functions run, and what of them is always on */
};

/* One case as it runs. */
struct run {
    struct case_runner *runner;
    const char *file;
    unsigned line;
    const char *source;
    const struct node *vector;
    const char *id;
    struct script *script;
    struct fh_state *state;
    struct fh_state *maps;        /* FH_CONCRETE: the same state as maps, with its words; or NULL */
    struct fh_state *expected;    /* what the recorded changes make of the initial state */
    enum fh_realisation compared; /* in which realisation the recorded changes are looked for */
    struct form_shift shift;      /* of the counters of table pages */
    bool has_cleared_bank;        /* in words, which do otherwise than maps: docs/realisations.md */
    bool invariants_held;         /* all of them, where they were last looked at */
};

/* One step of it: the state before, and the state that should come out. */
struct step {
    struct run *run;
    long index;
    const struct node *node;
    const struct fh_function *function;
    struct fh_departures departures; /* the function alone, if its body is to run */
    const struct fh_rdata *before;
    struct fh_state *expected;
    uint64_t args[FH_MAX_ARGS];
    unsigned nargs;
};

struct case_runner *case_runner_new(struct results *results, unsigned differences_shown,
                                    enum fh_realisation realisation, enum fh_log_policy log_policy,
                                    const struct machine_choice *choice)
{
    struct case_runner *runner = calloc(1, sizeof *runner);
    if (!runner)
        return NULL;
    runner->choice = *choice;
    if (!choice->machine)
        runner->choice.machine = &fh_machine_bodies;
    struct fh_config config = {.machine = runner->choice.machine,
                               .profile = &fh_profile_spec,
                               .allocator = fh_malloc_allocator(),
                               .log_policy = log_policy,
                               .realisation = realisation,
                               .simple_locks = true};
    runner->realisation = realisation;
    runner->log_policy = log_policy;
    runner->results = results;
    runner->differences_shown = differences_shown;
    runner->allocator = config.allocator;
    runner->base = fh_state_new(&config);
    config.realisation = FH_BOTH;
    runner->base_both = fh_state_new(&config);
    runner->called = calloc(results->nfunctions + 1, 1);
    if (runner->base && runner->base_both && runner->called)
        return runner;
    case_runner_free(runner);
    return NULL;
}

void case_runner_free(struct case_runner *runner)
{
    if (!runner)
        return;
    fh_state_free(runner->base);
    fh_state_free(runner->base_both);
    free(runner->called);
    free(runner);
}

/* --- Bad input -------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static enum verdict
bad_input(const struct run *run, const struct node *at, const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const struct place place = {run->file, run->line, at ? at->column : 1};
    diag(&place, run->source, "%s", message);
    return VERDICT_BAD_INPUT;
}

static enum verdict bad_patch(const struct run *run, const struct patch_error *error)
{
    if (error->suggestion)
        return bad_input(run, error->node, "%s; did you mean '%s'?", error->message,
                         error->suggestion);
    return bad_input(run, error->node, "%s", error->message);
}

static enum verdict verdict_without_memory(const struct run *run)
{
    return bad_input(run, NULL, "out of memory");
}

/* --- Failures --------------------------------------------------------------------------------- */

/* Text that is being put together, then kept with the results. */
struct text {
    FILE *out;
    char *buffer;
    size_t size;
};

static FILE *text_begin(struct text *text)
{
    text->out = open_memstream(&text->buffer, &text->size);
    if (!text->out)
        no_memory();
    return text->out;
}

static const char *text_end(struct text *text, struct results *results)
{
    fclose(text->out);
    const char *kept = arena_strdup(results->arena, text->buffer, text->size);
    free(text->buffer);
    return kept;
}

/* More than what is on for every step: the function's body. */
static bool is_body(const struct step *step)
{
    const struct fh_departures *always = &step->run->runner->choice.departures;
    return step->departures.bits[0] != always->bits[0] ||
           step->departures.bits[1] != always->bits[1];
}

static const char *describe_call(const struct step *step)
{
    struct text text;
    FILE *out = text_begin(&text);
    fprintf(out, "%s.%s%s(", step->function->layer, step->function->name,
            is_body(step) ? "@code" : "");
    for (unsigned i = 0; i < step->nargs; i++)
        fprintf(out, "%s%" PRIu64, i > 0 ? ", " : "", step->args[i]);
    fputc(')', out);
    return text_end(&text, step->run->runner->results);
}

static struct failure *add_failure(const struct run *run, const struct step *step,
                                   const char *reason)
{
    struct results *results = run->runner->results;
    struct failure *failure = arena_alloc(results->arena, sizeof *failure);
    failure->file = run->file;
    failure->line = run->line;
    failure->id = arena_strdup(results->arena, run->id, strlen(run->id));
    failure->step = step ? step->index : -1;
    failure->call = step ? describe_call(step) : NULL;
    failure->reason = arena_strdup(results->arena, reason, strlen(reason));
    *results->last_failure = failure;
    results->last_failure = &failure->next;
    return failure;
}

__attribute__((format(printf, 2, 3))) static enum verdict fail_step(const struct step *step,
                                                                    const char *format, ...)
{
    char reason[500];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    add_failure(step->run, step, reason);
    return VERDICT_FAILED;
}

/* --- Comparing -------------------------------------------------------------------------------- */

struct comparison {
    const struct step *step;
    const char *reason;
    struct failure *failure; /* made with the first difference */
    struct difference **last;
    unsigned count;
    const char *prefix; /* of paths within an event's object */
};

typedef void print_fn(const void *value, const struct fh_type *type, FILE *out);

static void print_value(const void *value, const struct fh_type *type, FILE *out)
{
    value_print(fh_profile_find("spec"), NULL, type, value, out);
}

static void print_event(const void *value, const struct fh_type *type, FILE *out)
{
    (void)type;
    if (value)
        event_print(value, out);
    else
        fputs("nothing", out);
}

static void add_difference(struct comparison *comparison, const char *path,
                           const struct fh_type *type, const void *expected, const void *got,
                           print_fn *print)
{
    struct case_runner *runner = comparison->step->run->runner;
    if (!comparison->failure) {
        comparison->failure =
            add_failure(comparison->step->run, comparison->step, comparison->reason);
        comparison->last = &comparison->failure->differences;
    }
    if (comparison->count++ >= runner->differences_shown) {
        comparison->failure->omitted++;
        return;
    }
    struct difference *difference = arena_alloc(runner->results->arena, sizeof *difference);
    struct text text;
    fprintf(text_begin(&text), "%s%s", comparison->prefix, path);
    difference->path = text_end(&text, runner->results);
    print(expected, type, text_begin(&text));
    difference->expected = text_end(&text, runner->results);
    print(got, type, text_begin(&text));
    difference->got = text_end(&text, runner->results);
    *comparison->last = difference;
    comparison->last = &difference->next;
}

/* The vectors leave out what events of the top layer carry. */
static bool is_left_out(const struct fh_event *event)
{
    return fh_event_family((enum fh_event_kind)event->kind) == FH_ATOMIC;
}

static bool same_head(const struct fh_event *a, const struct fh_event *b)
{
    return a->kind == b->kind && a->cpu == b->cpu && memcmp(a->args, b->args, sizeof a->args) == 0;
}

/* A change of what is compared ends the walk. */
static bool visit_compared(void *context, const struct fh_change *change)
{
    return form_leaves_out(*(const enum fh_realisation *)context, change->path);
}

static bool same_event(const struct comparison *comparison, const struct fh_event *a,
                       const struct fh_event *b)
{
    enum fh_realisation compared = comparison->step->run->compared;
    const enum fh_event_kind kind = (enum fh_event_kind)a->kind;
    if (is_left_out(a) && is_left_out(b))
        return same_head(a, b);
    if (fh_event_equal(a, b))
        return true;
    return same_head(a, b) && fh_event_object_type(kind) &&
           fh_delta_values(fh_event_object_type(kind), &a->object, &b->object, visit_compared,
                           &compared);
}

static bool is_lock_log(const struct fh_path *path)
{
    return strcmp(path->steps[0].field, "log") == 0;
}

static bool same_log(const struct comparison *comparison, const struct fh_path *path,
                     const struct fh_log *a, const struct fh_log *b)
{
    if (a->length != b->length)
        return false;
    if (is_lock_log(path) &&
        (a->lock != b->lock || a->holder != b->holder || a->budget != b->budget))
        return false;
    const struct fh_event *x = a->newest, *y = b->newest;
    for (; x && y && x != y; x = x->older, y = y->older) {
        if (!same_event(comparison, x, y))
            return false;
    }
    return x == y;
}

static bool visit_change(void *context, const struct fh_change *change);

/* The events of a log, oldest first. */
static const struct fh_event **events_of(const struct fh_log *log)
{
    const struct fh_event **events = calloc(log->length + 1, sizeof *events);
    uint64_t i = log->length;
    for (const struct fh_event *event = log->newest; events && event && i > 0; event = event->older)
        events[--i] = event;
    return events;
}

/* Show the first event that differs, and how. */
static void compare_events(struct comparison *comparison, const char *path, const struct fh_log *a,
                           const struct fh_log *b)
{
    const struct fh_event **x = events_of(a), **y = events_of(b);
    uint64_t i = 0;
    if (!x || !y)
        goto end;
    while (x[i] && y[i] && same_event(comparison, x[i], y[i]))
        i++;
    char place[280];
    snprintf(place, sizeof place, "%s[%" PRIu64 "]", path, i);
    if (!x[i] || !y[i] || !same_head(x[i], y[i])) {
        add_difference(comparison, place, NULL, x[i], y[i], print_event);
        goto end;
    }
    snprintf(place, sizeof place, "%s[%" PRIu64 "] %s ", path, i,
             fh_event_name((enum fh_event_kind)x[i]->kind));
    comparison->prefix = place;
    fh_delta_values(fh_event_object_type((enum fh_event_kind)x[i]->kind), &x[i]->object,
                    &y[i]->object, visit_change, comparison);
    comparison->prefix = "";
end:
    free(x);
    free(y);
}

static bool visit_change(void *context, const struct fh_change *change)
{
    struct comparison *comparison = context;
    char path[200];
    if (form_leaves_out(comparison->step->run->compared, change->path))
        return true;
    path_format(fh_profile_find("spec"), change->path, path, sizeof path);
    if (change->type->kind != FH_KIND_LOG) {
        add_difference(comparison, path, change->type, change->before, change->after, print_value);
        return true;
    }
    if (same_log(comparison, change->path, change->before, change->after))
        return true;
    const struct fh_log *expected = change->before, *got = change->after;
    if (expected->length != got->length)
        add_difference(comparison, path, change->type, expected, got, print_value);
    compare_events(comparison, path, expected, got);
    return true;
}

static enum verdict compare_states(const struct step *step, const struct fh_rdata *expected,
                                   const char *reason)
{
    struct comparison comparison = {.step = step, .reason = reason, .prefix = ""};
    fh_delta(expected, fh_state_rdata(step->run->state), visit_change, &comparison);
    return comparison.failure ? VERDICT_FAILED : VERDICT_PASSED;
}

/* Do the words of the state say what the maps of `expected` do? Those become run->maps. */
static enum verdict compare_words(const struct step *step, struct fh_state *expected)
{
    struct run *run = step->run;
    struct fh_disagreement first;
    if (run->compared == FH_ABSTRACT)
        return VERDICT_PASSED;
    if (run->compared == FH_CONCRETE) {
        if (!form_take_words(expected, fh_state_rdata(run->state)))
            return verdict_without_memory(run);
        const struct fh_rdata *rdata = fh_state_snapshot(expected);
        fh_state_restore(run->maps, rdata);
        fh_snapshot_release(rdata, run->runner->allocator);
    }
    const struct fh_state *both = run->compared == FH_CONCRETE ? run->maps : run->state;
    if (fh_check_realisations(both, &first) == FH_OK)
        return VERDICT_PASSED;
    return fail_step(step,
                     "the words do not say what the recorded maps do: %s of %" PRIu64
                     " at %#" PRIx64 ", maps %#" PRIx64 ", words %#" PRIx64,
                     first.what, first.owner, first.addr, first.abstract_value,
                     first.concrete_value);
}

/* --- Steps ------------------------------------------------------------------------------------ */

/* A call that the spec does not define, or whose result has no place: nothing changes. */
static enum verdict check_refusal(const struct step *step, enum fh_status wanted,
                                  enum fh_status status)
{
    const struct fh_error *error = fh_state_error(step->run->state);
    char text[300];
    fh_error_format(error, text, sizeof text);
    if (status == FH_OK)
        return fail_step(step, "expected \"%s\", but the call went through",
                         fh_status_message(wanted));
    if (status != wanted)
        return fail_step(step, "expected \"%s\", got \"%s\" (%s)", fh_status_message(wanted),
                         fh_status_message(status), text);
    if (wanted == FH_STUCK && (!error->layer || !error->function || !error->condition))
        return fail_step(step,
                         "stuck as expected, but without naming layer, function and "
                         "condition: %s",
                         text);
    return compare_states(step, step->before, "a call that is not carried out changes the state");
}

static enum verdict check_result(const struct step *step, const struct node *wanted,
                                 uint64_t result)
{
    bool returns_value = fh_function_returns_value(step->function);
    if (!wanted)
        return returns_value ? bad_input(step->run, step->node, "a step without its result \"r\"")
                             : VERDICT_PASSED;
    if (wanted->kind != NODE_NUMBER)
        return bad_input(step->run, wanted, "\"r\" is not a number");
    if (!returns_value)
        return fail_step(step, "expected the result %s, but it returns no value", wanted->text);
    if (wanted->wide || wanted->negative || wanted->number != result)
        return fail_step(step, "expected the result %s, got %" PRIu64, wanted->text, result);
    return VERDICT_PASSED;
}

/* The recorded change, made to the expected state. */
static enum verdict apply_delta(const struct step *step, const struct node *delta)
{
    const struct run *run = step->run;
    const struct patch_objects objects = {&step->before->shared, fh_profile_spec.NPT_ID,
                                          fh_profile_spec.INFO_ID, step->before->cur_vcpuid < 0,
                                          run->runner->log_policy};
    struct patch_error error;
    if (run->compared != FH_ABSTRACT && !form_move_counters(step->expected, &run->shift, false))
        return verdict_without_memory(run);
    struct fh_rdata *expected = fh_state_edit(step->expected);
    if (!expected)
        return verdict_without_memory(run);
    if (!patch_apply_rdata(expected, run->runner->allocator, delta, &objects, NULL, NULL, &error))
        return bad_patch(run, &error);
    if (run->compared != FH_ABSTRACT && !form_move_counters(step->expected, &run->shift, true))
        return verdict_without_memory(run);
    return VERDICT_PASSED;
}

static enum verdict without_form(const struct run *run, const char *why)
{
    if (strcmp(why, "out of memory") == 0)
        return verdict_without_memory(run);
    results_note_formless(run->runner->results, why);
    return VERDICT_FORMLESS;
}

static const char far_page[] = "a page beyond the addresses that words know";

/* Does the step come to where the two forms are known to differ (docs/realisations.md)? */
static enum verdict check_forms(const struct step *step)
{
    const struct run *run = step->run;
    if (run->compared == FH_CONCRETE && run->has_cleared_bank)
        return without_form(run, "a bank's table is cleared, of which the words keep something");
    if (run->compared == FH_CONCRETE && fh_state_rdata(run->state)->halt &&
        fh_state_rdata(step->expected)->halt &&
        !form_same_counters(fh_state_rdata(run->state), fh_state_rdata(step->expected)))
        return without_form(run, "a pool is exhausted, and the words keep the tables above");
    if (run->compared != FH_ABSTRACT && form_has_far_page(fh_state_rdata(step->expected)))
        return without_form(run, far_page);
    return VERDICT_PASSED;
}

static enum verdict check_outcome(const struct step *step, enum fh_status status, uint64_t result)
{
    const struct run *run = step->run;
    const struct node *delta = node_get(step->node, "d");
    enum verdict verdict = delta ? apply_delta(step, delta) : VERDICT_PASSED;
    if (verdict == VERDICT_PASSED)
        verdict = check_forms(step);
    if (verdict != VERDICT_PASSED)
        return verdict;
    if (status != FH_OK) {
        char text[300];
        fh_error_format(fh_state_error(run->state), text, sizeof text);
        return fail_step(step, "expected the call to go through, got: %s", text);
    }
    verdict = check_result(step, node_get(step->node, "r"), result);
    if (verdict != VERDICT_PASSED)
        return verdict;
    if (!delta)
        return compare_states(step, step->before, "a function that only reads changed the state");
    verdict = compare_states(step, fh_state_rdata(step->expected),
                             "the new state is not the recorded one");
    return verdict == VERDICT_PASSED ? compare_words(step, step->expected) : verdict;
}

/* Is this the step whose result has more than 64 bits? */
static bool is_wide_step(const struct step *step)
{
    const struct node *wide = node_get(step->run->vector, "wide");
    return wide && wide->kind == NODE_NUMBER && wide->number == (uint64_t)step->index;
}

static enum verdict call_and_check(struct step *step)
{
    uint64_t result = 0;
    fh_state_depart(step->run->state, &step->departures);
    enum fh_status status =
        fh_invoke(step->run->state, step->function, step->args, step->nargs, &result);
    if (form_disagrees_far(fh_state_error(step->run->state)))
        return without_form(step->run, far_page);
    if (node_get(step->node, "s"))
        return check_refusal(step, FH_STUCK, status);
    if (is_wide_step(step))
        return check_refusal(step, FH_UNREPRESENTABLE, status);
    return check_outcome(step, status, result);
}

static enum verdict read_args(struct step *step)
{
    const struct node *args = node_get(step->node, "a");
    const struct run *run = step->run;
    if (!args || args->kind != NODE_LIST)
        return bad_input(run, step->node, "a step needs its arguments: \"a\": [...]");
    if (args->count != step->function->nargs)
        return bad_input(run, args, "%s.%s has %u arguments, not %zu", step->function->layer,
                         step->function->name, step->function->nargs, args->count);
    for (size_t i = 0; i < args->count; i++) {
        const struct node *arg = &args->items[i];
        if (arg->kind != NODE_NUMBER || arg->wide || arg->negative)
            return bad_input(run, arg, "an argument is a non-negative number of 64 bits");
        if (step->function->arg_bits[i] == 32 && arg->number > UINT32_MAX)
            return bad_input(run, arg, "the argument %s of %s has 32 bits",
                             step->function->arg_names[i], step->function->name);
        step->args[i] = arg->number;
    }
    step->nargs = (unsigned)args->count;
    return VERDICT_PASSED;
}

/* The invariants, where they are recorded: behind a step, or of the initial state (NULL). */
static enum verdict check_invariants(struct run *run, const struct step *step,
                                     const struct node *recorded)
{
    char reason[500];
    if (!recorded)
        return VERDICT_PASSED;
    if (!invariants_are_text(recorded))
        return bad_input(run, recorded, "invariants are 18 characters, each 0 or 1");
    if (invariants_agree(run->maps ? run->maps : run->state, step ? step->before : NULL,
                         &run->invariants_held, recorded->text, reason, sizeof reason))
        return VERDICT_PASSED;
    add_failure(run, step, reason);
    return VERDICT_FAILED;
}

static size_t index_of(const struct fh_function *function)
{
    return (size_t)(function - fh_function_at(0));
}

/*
 * Nobody takes a snapshot of the state that runs, which would keep it from writing in place: what
 * is expected is a state of its own. Only maps that are taken from words begin it anew.
 */
static bool begin_expected(struct run *run)
{
    if (run->expected && !run->maps)
        return true;
    fh_state_free(run->expected);
    run->expected = fh_state_fork(run->maps ? run->maps : run->state);
    return run->expected;
}

static enum verdict run_written_step(struct step *step)
{
    struct run *run = step->run;
    const struct node *stuck = node_get(step->node, "s");
    if (stuck && !node_is(stuck, "none"))
        return bad_input(run, stuck, "\"s\" can only be \"none\"");
    enum verdict verdict = read_args(step);
    if (verdict != VERDICT_PASSED)
        return verdict;
    if (!begin_expected(run))
        return verdict_without_memory(run);
    step->before = fh_state_snapshot(run->expected);
    step->expected = run->expected;
    verdict = call_and_check(step);
    if (verdict == VERDICT_PASSED)
        verdict = check_invariants(run, step, node_get(step->node, "i"));
    fh_snapshot_release(step->before, run->runner->allocator);
    if (verdict != VERDICT_BAD_INPUT)
        run->runner->called[index_of(step->function)] |= verdict == VERDICT_PASSED ? 1 : 2;
    return verdict;
}

/*
 * The function of a step, and the departures to run it with: "Layer.function", or
 * "Layer.function@code" for its body. NULL if the model has no such thing.
 */
static const struct fh_function *find_function(const struct machine_choice *choice,
                                               const char *text, struct fh_departures *departures)
{
    char name[128];
    const char *at = strchr(text, '@');
    *departures = choice->departures;
    if (!at)
        return fh_function_find(text);
    if (strcmp(at, "@code") != 0 || (size_t)(at - text) >= sizeof name)
        return NULL;
    memcpy(name, text, (size_t)(at - text));
    name[at - text] = '\0';
    const struct fh_function *function = fh_function_find(name);
    unsigned departure;
    if (!function || !fh_machine_find_departure(choice->machine, function->name, &departure))
        return NULL;
    fh_departures_add(departures, departure);
    return function;
}

static enum verdict run_step(struct run *run, size_t index, const struct node *node)
{
    const struct node *name = node_get(node, "f");
    if (!name || name->kind != NODE_STRING)
        return bad_input(run, node, "a step needs the name of a function: \"f\"");
    struct step step = {.run = run, .index = (long)index, .node = node};
    step.function = find_function(&run->runner->choice, name->text, &step.departures);
    if (step.function)
        return run_written_step(&step);
    results_note_gap(run->runner->results, name->text);
    return VERDICT_SKIPPED;
}

/* --- Cases ------------------------------------------------------------------------------------ */

static const char *const oracles[] = {"oracle", "soracle", "doracle", "core_doracle", NULL};

/* The initial state, and the environment. */
static enum verdict load(struct run *run, const struct node *init)
{
    const struct fh_allocator *allocator = run->runner->allocator;
    const struct patch_objects objects = {NULL, 0, 0, false, run->runner->log_policy};
    struct fh_state *state = run->maps ? run->maps : run->state;
    struct fh_rdata *rdata = fh_state_edit(state);
    struct patch_error error;
    if (!rdata || !run->script)
        return verdict_without_memory(run);
    bool is_wide = node_is(node_get(run->vector, "wide"), "init");
    if (!patch_apply_rdata(rdata, allocator, init, &objects, NULL, oracles, &error)) {
        /* Refused, as it should be, with the name of the field in front of the message. */
        if (is_wide && error.unrepresentable && strchr(error.message, '.'))
            return VERDICT_PASSED;
        return bad_patch(run, &error);
    }
    if (is_wide) {
        add_failure(run, NULL, "a state with a value beyond 64 bits was loaded");
        return VERDICT_FAILED;
    }
    return VERDICT_PASSED;
}

/* The environment; what other CPUs hand over is in the form of the state. */
static enum verdict load_script(struct run *run, const struct node *init)
{
    struct patch_error error;
    if (!script_load(run->script, init, fh_state_rdata(run->state), &fh_profile_spec, &error))
        return bad_patch(run, &error);
    if (run->maps)
        script_watch(run->script, FH_EFFECT_SPT_CLEAR, &run->has_cleared_bank);
    *fh_state_environment(run->state) = script_environment(run->script);
    return VERDICT_PASSED;
}

/* The state that the case begins in, in the realisation that was asked for. */
static enum verdict take_form(struct run *run, const struct node *init, const struct node *steps)
{
    const struct form_calls calls = form_calls_of(steps);
    const enum fh_realisation realisation = run->runner->realisation;
    if (realisation == FH_ABSTRACT)
        return VERDICT_PASSED;
    if (calls.words && (realisation == FH_BOTH || !calls.below))
        return without_form(run, "a step writes to words alone");
    if (calls.tickets && realisation == FH_BOTH)
        return without_form(run, "a step draws tickets alone");
    if (calls.words) { /* they are the same in each realisation */
        const struct fh_rdata *rdata = fh_state_snapshot(run->maps);
        fh_state_restore(run->state, rdata);
        fh_snapshot_release(rdata, run->runner->allocator);
        run->compared = FH_ABSTRACT;
        fh_state_free(run->maps);
        run->maps = NULL;
        return VERDICT_PASSED;
    }
    const char *why = form_make_words(run->maps ? run->maps : run->state, init, &run->shift);
    if (why)
        return without_form(run, why);
    if (!run->maps)
        return VERDICT_PASSED;
    const struct fh_rdata *rdata = fh_state_snapshot(run->maps);
    fh_state_restore(run->state, rdata);
    fh_snapshot_release(rdata, run->runner->allocator);
    return form_empty_maps(run->state) ? VERDICT_PASSED : verdict_without_memory(run);
}

static enum verdict run_steps(struct run *run, const struct node *steps)
{
    if (!steps || steps->kind != NODE_LIST || steps->count == 0)
        return bad_input(run, run->vector, "a case needs its steps: \"steps\": [...]");
    for (size_t i = 0; i < steps->count; i++) {
        enum verdict verdict = run_step(run, i, &steps->items[i]);
        if (verdict != VERDICT_PASSED)
            return verdict;
    }
    return VERDICT_PASSED;
}

static enum verdict run_case(struct run *run)
{
    const struct node *init = node_get(run->vector, "init");
    if (!init || init->kind != NODE_MAP)
        return bad_input(run, run->vector, "a case needs an initial state: \"init\": {...}");
    enum verdict verdict = load(run, init);
    if (verdict != VERDICT_PASSED || node_is(node_get(run->vector, "wide"), "init"))
        return verdict;
    verdict = take_form(run, init, node_get(run->vector, "steps"));
    if (verdict == VERDICT_PASSED)
        verdict = load_script(run, init);
    if (verdict == VERDICT_PASSED)
        verdict = check_invariants(run, NULL, node_get(run->vector, "i0"));
    return verdict == VERDICT_PASSED ? run_steps(run, node_get(run->vector, "steps")) : verdict;
}

static void count_functions(struct case_runner *runner)
{
    struct results *results = runner->results;
    for (size_t i = 0; i < results->nfunctions; i++) {
        if (runner->called[i] & 2)
            results->functions[i].failed++;
        else if (runner->called[i])
            results->functions[i].passed++;
    }
}

static bool needs_maps(const struct case_runner *runner)
{
    return runner->realisation == FH_CONCRETE;
}

enum verdict case_run(struct case_runner *runner, const char *file, unsigned line,
                      const char *source, const struct node *vector)
{
    struct run run = {
        .runner = runner, .file = file, .line = line, .source = source, .vector = vector};
    const struct node *id = node_get(vector, "id");
    if (!id || id->kind != NODE_STRING)
        return bad_input(&run, vector, "a case needs an \"id\"");
    run.id = id->text;
    memset(runner->called, 0, runner->results->nfunctions);
    run.script = script_new(runner->allocator, true);
    run.state = fh_state_fork(runner->base);
    run.compared = runner->realisation;
    if (needs_maps(runner))
        run.maps = fh_state_fork(runner->base_both);
    const bool has_memory = run.script && run.state && (run.maps || !needs_maps(runner));
    enum verdict verdict = has_memory ? run_case(&run) : verdict_without_memory(&run);
    fh_state_free(run.state);
    fh_state_free(run.maps);
    fh_state_free(run.expected);
    script_free(run.script);
    count_functions(runner);
    return verdict;
}

bool case_calls(const struct node *vector, const struct fh_function *function)
{
    const struct node *steps = node_get(vector, "steps");
    for (size_t i = 0; steps && steps->kind == NODE_LIST && i < steps->count; i++) {
        struct fh_departures departures;
        const struct machine_choice any = {.machine = &fh_machine_bodies};
        const struct node *name = node_get(&steps->items[i], "f");
        if (name && name->kind == NODE_STRING &&
            find_function(&any, name->text, &departures) == function)
            return true;
    }
    return false;
}
