/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CONFORM_H
#define SIM_CONFORM_H

#include <faulthandler/faulthandler.h>

#include "machine/choose.h"

#include "base/node.h"

/* Checking the model against recorded vectors: what the parts of the command share. */

enum verdict {
    VERDICT_PASSED,
    VERDICT_FAILED,
    VERDICT_SKIPPED,  /* it calls a function that the model does not have */
    VERDICT_FORMLESS, /* its state does not exist in the realisation that was asked for */
    VERDICT_BAD_INPUT
};

/* A place whose value is not the recorded one. */
struct difference {
    struct difference *next;
    const char *path;
    const char *expected;
    const char *got;
};

/* The first step of a case that went wrong; step -1 is the loading of the initial state. */
struct failure {
    struct failure *next;
    const char *file;
    unsigned line;
    const char *id;
    long step;
    const char *call; /* "MemManager.map_page_host(4096)" */
    const char *reason;
    struct difference *differences;
    unsigned omitted; /* differences beyond those listed */
};

/* What vectors use that the model does not have, or why a state has no concrete form; and in how
 * many cases. */
struct gap {
    struct gap *next;
    const char *name;
    unsigned cases;
};

struct tally {
    unsigned passed;
    unsigned failed;
    unsigned skipped;
    unsigned formless;
};

/* Results, in the memory of `arena`. */
struct results {
    struct arena *arena;
    struct tally total;
    struct tally *functions; /* by their index in the registry: cases that call them */
    size_t nfunctions;
    struct failure *failures; /* in order */
    struct failure **last_failure;
    struct gap *gaps;
    struct gap *formless; /* reasons */
};

struct results *results_new(void);
void results_free(struct results *results);

/* One more case uses `name`, which the model does not have. */
void results_note_gap(struct results *results, const char *name);

/* One more case has a state without a concrete form. */
void results_note_formless(struct results *results, const char *why);

/* Runs cases; keeps what they have in common. */
struct case_runner;
struct case_runner *case_runner_new(struct results *results, unsigned differences_shown,
                                    enum fh_realisation realisation, enum fh_log_policy log_policy,
                                    const struct machine_choice *choice);
void case_runner_free(struct case_runner *runner);

/* Run one case. `source` is its text, for messages about bad input. */
enum verdict case_run(struct case_runner *runner, const char *file, unsigned line,
                      const char *source, const struct node *vector);

/* Does a step of the case call this function? */
bool case_calls(const struct node *vector, const struct fh_function *function);

/*
 * Invariants as the vectors have them: 18 characters, 1 where one holds. Compare those of `state`,
 * and if all held before (*held, which then says whether they hold now) the two ways to evaluate
 * them after a step from `before`. False with the reason written to `reason`.
 */
bool invariants_are_text(const struct node *recorded);
bool invariants_agree(const struct fh_state *state, const struct fh_rdata *before, bool *held,
                      const char *recorded, char *reason, size_t size);

/*
 * Vectors describe tables by their maps. For the concrete realisation (with the locks of the
 * abstract one) and for both, form_make_words gives a state of FH_BOTH the words that say the same;
 * it returns why there are none, or NULL. In the concrete realisation the maps are then emptied.
 *
 * Vectors often have more tables than their counters of table pages say. The counters of the state
 * then begin higher by what is missing, and what is recorded of them is raised as well.
 */
enum { FORM_COUNTERS = 17 * 3 + 2 };
struct form_shift {
    uint64_t bytes[FORM_COUNTERS];
};
const char *form_make_words(struct fh_state *state, const struct node *init,
                            struct form_shift *shift);
bool form_empty_maps(struct fh_state *state);

/* Apply a recorded change to a state whose counters are raised: lower them, patch, raise. */
bool form_move_counters(struct fh_state *state, const struct form_shift *shift, bool up);

bool form_same_counters(const struct fh_rdata *a, const struct fh_rdata *b);

/* Does a map have a page beyond the addresses that words know? */
bool form_has_far_page(const struct fh_rdata *rdata);

/* Did a call end because it mapped such a page? */
bool form_disagrees_far(const struct fh_error *error);

/* The words of `from` in place of those of `state`. False: out of memory. */
bool form_take_words(struct fh_state *state, const struct fh_rdata *from);

/* Is this place one that the recorded state does not tell of in this realisation? */
bool form_leaves_out(enum fh_realisation realisation, const struct fh_path *path);

/* What the steps of a case are about. */
struct form_calls {
    bool words;   /* a function that works on words */
    bool tickets; /* one that works on the tickets of a lock */
    bool below;   /* no function that works on tables as such */
};
struct form_calls form_calls_of(const struct node *steps);

/* The results of one file, or of all. */
struct file_tally {
    const char *file;
    bool is_cut; /* bad input: not read to its end */
    struct tally tally;
};

void report_text(const struct results *results, const struct file_tally *files, size_t nfiles,
                 bool quiet, bool show_all);
void report_json(const struct results *results, const struct file_tally *files, size_t nfiles);

#endif
