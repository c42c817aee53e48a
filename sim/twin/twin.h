/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TWIN_H
#define SIM_TWIN_H

#include <faulthandler/faulthandler.h>

#include "twin/deviations.h"

/*
 * The model beside a recorded machine: it boots from the machine's boot records, runs the same
 * traps, and says what it did in the words of a trace. Where the machine went another way, or did
 * something that is not replayed, the model's state takes over what the machine did.
 */
struct twin;

struct twin *twin_new(const struct fh_profile *profile);
void twin_free(struct twin *twin);

/*
 * Is this the line that a trace begins with, the one that turns stage-2 translation on and
 * describes the machine?
 */
bool twin_is_boot(const struct trace_line *line);

/*
 * Make the state that the boot line describes. Where the machine is laid out in another way than
 * the profile says, that is a difference. NULL, or what the line lacks.
 */
const char *twin_boot(struct twin *twin, const struct trace_line *line, struct differences *found);

/*
 * The same for a trace of which `line` is the first record, NULL if it has none. False, with a
 * message, if the trace does not begin as it must.
 */
bool twin_begin(struct twin *twin, struct trace *trace, const struct trace_line *line,
                const char *path, struct differences *found);

/* Is this the record of a trap? A gap stands for some that the trace does not have. */
bool twin_can_replay(const struct trace_line *line);

/*
 * Let the model take the same trap, and compare; `ledger` says which deviations may change its
 * course, and gets the differences. `stuck` gets the reason where the spec is undefined, else it is
 * empty. The line must live as long as the differences are used.
 */
void twin_replay(struct twin *twin, const struct trace_line *line, struct ledger *ledger,
                 char *stuck, size_t size);

/* Is the state after twin_replay not the machine's? */
bool twin_needs_take_over(const struct twin *twin, const struct differences *found);

/*
 * Bring the state to where the machine is after the line, by its recorded effects on page
 * ownership, stage-2 tables, VM information and SMMU configuration. `ran`: the model took the trap
 * too, and what it did is undone first.
 */
void twin_take_over(struct twin *twin, const struct trace_line *line, bool ran);

/*
 * The last traps before this line that changed the page or VM that a difference is about, the
 * latest first; returns how many, up to `max`.
 */
size_t twin_last_changes(const struct twin *twin, const struct trace_line *line,
                         const struct difference *difference, uint64_t *seqs, size_t max);

/*
 * Which of the security invariants that look at the shared state does the state break at places
 * that changed since the last call? A set of bits as in struct fh_invariant_report. The first call
 * begins the watch and finds nothing.
 */
uint32_t twin_new_violations(struct twin *twin, struct fh_invariant_report *report);

/* Which of them does the state that a trace begins with break? */
uint32_t twin_boot_violations(const struct twin *twin, struct fh_invariant_report *report);

/*
 * From now on keep the maps of the abstract form beside the tables' words, for those who look at
 * them: call it behind the boot line. twin_new_violations does so.
 */
void twin_watch(struct twin *twin);

/*
 * The spec function that decided what the model did where it differs, as "Layer.function": that
 * which has the effect, for a panic the one that it came in, for a call that is undefined the one
 * that says so. False if there is none. The differences are those of the last trap.
 */
bool twin_spec_function(const struct twin *twin, const struct difference *difference, char *buffer,
                        size_t size);

/* The condition that did not hold, where the spec is undefined; NULL elsewhere. */
const char *twin_condition(const struct twin *twin, const struct difference *difference);

/*
 * The path in the state that a difference is about, "shared.npts.0.pt_pmd_pool.0x50fc17e8"; false
 * if it is about none.
 */
bool twin_state_path(const struct twin *twin, const struct difference *difference, char *buffer,
                     size_t size);

#endif
