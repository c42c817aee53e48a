/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/text_stream.h"
#include "debug/debugger.h"
#include "scenario/cpus.h"
#include "scenario/verdicts.h"

/*
 * A fork is a copy of the model's state, which shares its structure. Each step that is tried on it
 * is a scenario of one step, whose machine is that state.
 */

static void release_last(struct fork *fork)
{
    fh_snapshot_release(fork->befores[--fork->count], fh_state_allocator(fork->state));
}

bool fork_begin(struct debugger *debugger)
{
    struct fork *fork = calloc(1, sizeof *fork);
    if (!fork || !(fork->state = fh_state_fork(timeline_state(debugger->timeline))))
        no_memory();
    debugger->fork = fork;
    return true;
}

void fork_end(struct debugger *debugger)
{
    struct fork *fork = debugger->fork;
    while (fork->count > 0)
        release_last(fork);
    fh_state_free(fork->state);
    free(fork->befores);
    free(fork);
    debugger->fork = NULL;
}

static void keep_before(struct fork *fork)
{
    if (fork->count == fork->size) {
        fork->size = fork->size ? 2 * fork->size : 16;
        fork->befores = realloc(fork->befores, fork->size * sizeof *fork->befores);
        if (!fork->befores)
            no_memory();
    }
    fork->befores[fork->count] = fh_state_snapshot(fork->state);
    if (!fork->befores[fork->count++])
        no_memory();
}

bool fork_undo(struct debugger *debugger)
{
    struct fork *fork = debugger->fork;
    if (fork->count == 0)
        return false;
    if (fh_state_restore(fork->state, fork->befores[fork->count - 1]) != FH_OK)
        no_memory();
    release_last(fork);
    return true;
}

/* --- A step ----------------------------------------------------------------------------------- */

/* "{trap: ...}" and "trap: ..." are one. */
static char *scenario_of(const char *words, size_t *column)
{
    struct text_stream text;
    FILE *out = text_stream_begin(&text);
    const char *brace = *words == '{' ? "" : "{";
    fprintf(out, "description: a step of a fork\nsteps:\n- %s", brace);
    *column = 2 + strlen(brace);
    fprintf(out, "%s%s\n", words, *brace ? "}" : "");
    text_stream_end(&text);
    return text.text;
}

/* "3:17: message": the third line of the text is the step. */
static void fail_at(struct debugger *debugger, const char *words, const char *error, size_t column)
{
    unsigned line = 0, at = 0;
    int behind = 0;
    const bool has_place = sscanf(error, "%u:%u: %n", &line, &at, &behind) == 2;
    const size_t offset = line == 3 && at > column ? at - column - 1 : 0;
    debug_fail(debugger, words + (offset < strlen(words) ? offset : 0), "%s",
               has_place ? error + behind : error);
}

static void print_end(const struct debugger *debugger, const struct outcome *outcome)
{
    const struct fh_rdata *state = fh_state_rdata(debugger->fork->state);
    for (size_t i = 0; i < outcome->nfailures; i++)
        fprintf(debugger->out, "%s\n", outcome->failures[i].message);
    if (state->halt)
        fputs("KCore has halted\n", debugger->out);
}

static void play_on(struct debugger *debugger, struct scenario *scenario)
{
    struct fork *fork = debugger->fork;
    struct fh_state *own = scenario->state;
    const struct fh_allocator own_allocator = scenario->allocator;
    const struct fh_profile *k = fh_state_profile(fork->state);
    struct outcome outcome;
    keep_before(fork);
    *fh_state_environment(fork->state) = *fh_state_environment(own);
    scenario->state = fork->state;
    scenario->allocator = *fh_state_allocator(fork->state);
    scenario->profile = k;
    scenario->cpu = fh_state_rdata(fork->state)->curid;
    scenario->host_vcpuid = cpus_host_vcpuid(k, scenario->cpu);
    play(scenario, true, &outcome);
    verdicts_trace_text(debugger->out, &outcome, "  ");
    print_end(debugger, &outcome);
    *fh_state_environment(fork->state) = (struct fh_environment){0};
    scenario->state = own;
    scenario->allocator = own_allocator;
}

bool fork_try(struct debugger *debugger, const char *words)
{
    const struct fh_state *state = debugger->fork->state;
    const struct machine_choice choice = {fh_state_machine(state), fh_state_departures(state)};
    struct scenario scenario;
    size_t column;
    char *text = scenario_of(words, &column);
    diag_hush(true);
    const bool good = scenario_load_text_for(&scenario, "try", text, &choice);
    diag_hush(false);
    if (good)
        play_on(debugger, &scenario);
    else
        fail_at(debugger, words, scenario.source.error, column);
    scenario_free(&scenario);
    free(text);
    return good;
}
