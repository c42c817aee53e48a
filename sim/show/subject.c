/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/subject.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/progress.h"
#include "convert/recognise.h"
#include "machine/model.h"
#include "twin/order.h"

/* --- FILE#POINT ------------------------------------------------------------------------------- */

bool subject_number(const char *text, char end, uint64_t *value, const char **behind)
{
    char *stop;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *value = strtoull(text, &stop, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    *behind = stop + 1;
    return errno == 0 && *stop == end;
}

/* What stands behind the last '#' is a point, unless a file has the whole name. */
static bool read_argument(struct subject *subject, const char *argument)
{
    subject->path = strdup(argument);
    if (!subject->path)
        no_memory();
    char *mark = strrchr(subject->path, '#');
    if (!mark || access(argument, F_OK) == 0)
        return true;
    const char *behind;
    if (!subject_number(mark + 1, '\0', &subject->point, &behind)) {
        diag_plain("show: '%s' is no point: the number of a step or record is needed", mark + 1);
        return false;
    }
    *mark = '\0';
    subject->has_point = true;
    return true;
}

/* --- A scenario ------------------------------------------------------------------------------- */

static bool play_to(struct subject *subject)
{
    struct scenario *scenario = subject->scenario;
    struct outcome outcome;
    if (subject->has_point && subject->point > scenario->nsteps) {
        diag_plain("%s: there is no step %" PRIu64 ": it has %zu", subject->path, subject->point,
                   scenario->nsteps);
        return false;
    }
    if (subject->has_point)
        scenario->nsteps = subject->point;
    play(scenario, false, &outcome);
    for (size_t i = 0; i < outcome.nfailures; i++)
        diag(&(struct place){subject->path, outcome.failures[i].line, 0}, NULL, "step %u (%s): %s",
             outcome.failures[i].step, outcome.failures[i].title, outcome.failures[i].message);
    subject->state = scenario->state;
    return outcome.verdict == VERDICT_PASSED;
}

static bool open_scenario(struct subject *subject, const char *machine)
{
    const struct machine_wish wish = {.name = machine};
    struct machine_choice choice;
    if (!machine_choose("show", &wish, &choice))
        return false;
    subject->scenario = malloc(sizeof *subject->scenario);
    if (!subject->scenario)
        no_memory();
    return scenario_load_with_words(subject->scenario, subject->path, &choice) && play_to(subject);
}

/* --- A trace ---------------------------------------------------------------------------------- */

static void tell(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    const struct subject *subject = context;
    if (subject->told)
        subject->told(subject->context, line, verdict);
}

static bool wants_spec(void *context, enum trap_outcome outcome)
{
    (void)context;
    return outcome == OUTCOME_EXPLAINED;
}

static bool has_record(const struct trace_line *const *lines, size_t count, uint64_t seq)
{
    for (size_t i = 0; i < count; i++) {
        if (lines[i]->seq == seq)
            return true;
    }
    return false;
}

static const struct trace_line *replay_boot(struct subject *subject, struct trace *trace)
{
    const struct trace_line *boot = trace_next(trace);
    if (!twin_begin(subject->twin, trace, boot, subject->path))
        return NULL;
    subject->state = twin_state(subject->twin);
    return boot;
}

/* The model follows the machine up to the record. */
static bool replay_to(struct subject *subject, struct trace *trace,
                      const struct machine_description *machine)
{
    const struct trace_line *boot = replay_boot(subject, trace);
    if (!boot)
        return false;
    bool is_there = !subject->has_point || boot->seq == subject->point;
    tell(subject, boot, NULL);
    struct order *order = order_new(trace, boot, false);
    const struct trace_line *const *lines;
    size_t count;
    struct progress progress;
    progress_begin(&progress, &subject->path, 1);
    progress_file(&progress, subject->path, subject->path);
    order_speaks(order, machine, twin_profile(subject->twin));
    while (!(is_there && subject->has_point) && (count = order_next(order, &lines)) > 0) {
        is_there = is_there || has_record(lines, count, subject->point);
        if (subject->begins)
            subject->begins(subject->context);
        twin_replay(subject->twin, lines, count, tell, subject);
        progress_trap(&progress, trace_progress(trace));
    }
    progress_clear(&progress);
    order_free(order);
    if (!is_there && !trace_failed(trace))
        diag_plain("%s: there is no record #%" PRIu64, subject->path, subject->point);
    return is_there && !trace_failed(trace);
}

static bool open_trace(struct subject *subject, const char *name)
{
    const struct machine_description *machine = machine_find(name ? name : "sekvm-4.18");
    if (!machine || !machine_model(machine, true))
        return false;
    struct trace *trace = recognise_trace(subject->path) ? trace_open(subject->path) : NULL;
    if (!trace)
        return false;
    subject->machine = machine;
    subject->twin = twin_new(machine);
    twin_set_credit(subject->twin, subject->is_judged ? CREDIT_ONCE : CREDIT_NONE);
    if (subject->is_judged)
        twin_want_spec(subject->twin, wants_spec, NULL);
    const bool good = subject->is_beginning ? replay_boot(subject, trace) != NULL
                                            : replay_to(subject, trace, machine);
    trace_close(trace);
    return good;
}

/* --- Both ------------------------------------------------------------------------------------- */

bool subject_point(struct subject *subject, const char *argument)
{
    *subject = (struct subject){.state = NULL};
    return read_argument(subject, argument);
}

bool subject_is_scenario(const struct subject *subject)
{
    const char *dot = strrchr(subject->path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

bool subject_open(struct subject *subject, const char *argument, const char *machine)
{
    if (!subject_point(subject, argument))
        return false;
    return subject_is_scenario(subject) ? open_scenario(subject, machine)
                                        : open_trace(subject, machine);
}

bool subject_follow(struct subject *subject, const char *machine, bool is_judged, twin_told *told,
                    void *context)
{
    subject->is_judged = is_judged;
    subject->told = told;
    subject->context = context;
    if (!subject_is_scenario(subject))
        return open_trace(subject, machine);
    diag_plain("%s: a trace is needed, not a scenario", subject->path);
    return false;
}

bool subject_begin(struct subject *subject, const char *machine)
{
    subject->is_beginning = true;
    return subject_follow(subject, machine, false, NULL, NULL);
}

bool subject_walk(struct subject *subject, const char *machine, void (*begins)(void *context),
                  twin_told *told, void *context)
{
    subject->begins = begins;
    return subject_follow(subject, machine, true, told, context);
}

void subject_close(struct subject *subject)
{
    if (subject->scenario)
        scenario_free(subject->scenario);
    if (subject->twin)
        twin_free(subject->twin);
    free(subject->scenario);
    free(subject->path);
}
