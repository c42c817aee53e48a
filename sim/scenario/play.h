/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_PLAY_H
#define SIM_PLAY_H

#include <stdio.h>

#include "scenario/scenario.h"

/* A place of the state that a step changed, as text. */
struct change_text {
    const char *path, *before, *after;
};

/* An access and what came of it. */
struct access_account {
    struct fh_access_request access;
    struct fh_access_outcome outcome;
};

/* What a step did: kept for --trace, each list up to a limit, with how many there were. */
struct step_trace {
    const struct step *step;
    struct fh_effect *effects;
    const char **panics; /* beside `effects`: why KCore panicked; NULL where it did not */
    size_t neffects, effects_seen;
    struct change_text *changes;
    size_t nchanges, changes_seen;
    struct access_account *accounts;
    size_t naccounts, accounts_seen;
    const char *stuck; /* why the call was stuck; NULL if it was not */
};

/* An expectation that did not hold. `line` is where the file has it. */
struct failure {
    unsigned step; /* from 1 */
    unsigned line;
    const char *title;
    const char *message;
};

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_INVALID };
enum { FAILURES_MAX = 12 };

/* How a scenario ended. Its texts live as long as the scenario. */
struct outcome {
    const struct scenario *scenario;
    enum verdict verdict;
    size_t played;
    struct failure failures[FAILURES_MAX];
    size_t nfailures;
    struct step_trace *traces; /* of the steps played; NULL without --trace */
};

/* Play the steps up to the first that fails. */
void play(struct scenario *scenario, bool trace, struct outcome *outcome);

/* --- Its parts -------------------------------------------------------------------------------- */

/* "shared.s2page.0x80.s2_owner", into the arena. */
const char *path_text(const struct scenario *scenario, const struct fh_path *path);
/* Of the field that ends the path, or has an entry there; of a field, or of NULL. */
const char *value_text_at(const struct scenario *scenario, const struct fh_path *path,
                          const struct fh_type *type, const void *place);
const char *value_text(const struct scenario *scenario, const char *field,
                       const struct fh_type *type, const void *place);

/* Have the state's effects noted in `trace` (NULL: no longer). */
struct recorder;
struct recorder *recorder_new(struct scenario *scenario);
void recorder_watch(struct recorder *recorder, struct step_trace *trace);
/* And let these rules see them (NULL: no longer). */
void recorder_watch_rules(struct recorder *recorder, struct fh_rules *rules);
void recorder_note_changes(const struct scenario *scenario, struct step_trace *trace,
                           const struct fh_rdata *before, const struct fh_rdata *after);

/* What a step's expectations say about the states before and after: notes failures. */
struct judge {
    struct scenario *scenario;
    struct outcome *outcome;
    const struct step *step;
    unsigned number;
};
__attribute__((format(printf, 3, 4))) void
judge_fail(const struct judge *judge, const struct node *node, const char *format, ...);
/* The step cannot be played here: that says nothing about what it expects. */
void judge_no_memory(const struct judge *judge);
void judge_status(const struct judge *judge, enum fh_status status);
void judge_result(const struct judge *judge, uint64_t result);
/* Of the first time, or of one that is repeated. */
void judge_halt(const struct judge *judge, bool is_first, bool before, bool after);
void judge_effects(const struct judge *judge, const struct step_trace *trace);
void judge_changes(const struct judge *judge, const struct fh_rdata *before,
                   const struct fh_rdata *after);
void judge_values(const struct judge *judge, const struct fh_rdata *after);

/* The rules that a step broke: rules.c */
bool judges_rules(const struct scenario *scenario, const struct step *step);
void judge_rules(const struct judge *judge, const struct fh_rules *rules);

/* The invariants: in a step that checks them, before the first step, and behind each one. */
void judge_invariants(const struct judge *judge);
void judge_invariants_at_start(struct scenario *scenario, struct outcome *outcome);
void judge_invariants_after(const struct judge *judge, const struct fh_rdata *before);

#endif
