/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TWIN_H
#define SIM_TWIN_H

#include <faulthandler/faulthandler.h>

#include "replay/deviations.h"

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

/* Can traps of this kind be replayed? */
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

/* The spec function behind an effect, as "Layer.function", or NULL. */
const char *twin_spec_function(const struct trace_effect *effect);

/*
 * The path in the state that a difference is about, "shared.npts.0.pt.263092.pte"; false if it is
 * about none.
 */
bool twin_state_path(const struct difference *difference, char *buffer, size_t size);

#endif
