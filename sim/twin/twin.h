/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TWIN_H
#define SIM_TWIN_H

#include "twin/catalogue.h"
#include "twin/compare.h"

/*
 * A model beside a recorded machine: it boots from the machine's boot record and runs the same
 * traps forward, and what it predicts is held against the records. Where the machine went another
 * way, or did something that is not replayed, the model's state takes over what the machine did.
 */
struct twin;

struct twin *twin_new(const struct machine_description *machine);
void twin_free(struct twin *twin);

/* Which departures the machine is run without, and which rules are none of its own. */
void twin_leave_out(struct twin *twin, const struct credits *left_out);

/* How often it is asked which departures a trap needs: once for traps that are alike, or always. */
enum credit { CREDIT_ONCE, CREDIT_ALL, CREDIT_NONE };
void twin_set_credit(struct twin *twin, enum credit credit);

/* --- The boot record ------------------------------------------------------------------------- */

/*
 * Is this the line that a trace begins with, the one that turns stage-2 translation on and
 * describes the machine?
 */
bool twin_is_boot(const struct trace_line *line);

/*
 * Begin with the state that the first record of a trace describes, NULL if it has none. False, with
 * a message, if the trace does not begin as it must or is of another machine.
 */
bool twin_begin(struct twin *twin, struct trace *trace, const struct trace_line *line,
                const char *path);

/* --- Traps ----------------------------------------------------------------------------------- */

/* Is this the record of a trap? A gap stands for some that the trace does not have. */
bool twin_can_replay(const struct trace_line *line);

/* What became of a trap: X(outcome, how reports call it). */
#define OUTCOME_MAP(X)                                                                             \
    X(MATCHED, "matched")                                                                          \
    X(EXPLAINED, "explained")                                                                      \
    X(DIVERGED, "unexplained")                                                                     \
    X(NOT_REPLAYED, "not replayed")

enum trap_outcome {
#define OUTCOME_ENUM(outcome, name) OUTCOME_##outcome,
    OUTCOME_MAP(OUTCOME_ENUM)
#undef OUTCOME_ENUM
        OUTCOMES
};

/*
 * Of an unexplained trap: the departure without which, or with which if it is left out, the model
 * is nearest to the record.
 */
struct nearest_departure {
    const char *id; /* NULL: none makes it nearer */
    bool is_left_out;
    size_t left;    /* how many differences there are then */
    char rest[320]; /* the first of them */
};

/*
 * What is to be said of a trap. Matched: the machine does what the spec says. Explained: it does
 * what the model of this machine does, by those departures without which it would not. Else it is
 * unexplained.
 */
struct trap_verdict {
    enum trap_outcome outcome;
    struct differences found; /* unexplained: against the machine's model */
    bool has_spec;            /* whether the spec's prediction was made too */
    struct differences spec;  /* against that of the spec */
    struct credits credits;   /* explained: by these, from the catalogue */
    char stuck[512];          /* why the model of the machine has no answer; empty: it has one */
    char spec_stuck[512];     /* the same of the spec */
    struct nearest_departure nearest;
    char panic[320]; /* unexplained: why the model panics, where it was asked for; empty: it does
                        not */
};

/* What is told of each trap: behind it, with the state as the machine has it then. */
typedef void twin_told(void *context, const struct trace_line *line, struct trap_verdict *verdict);

/*
 * Let the model take these traps and follow the machine: one, or several that overlapped, in the
 * order of their beginning (order.h).
 */
void twin_replay(struct twin *twin, const struct trace_line *const *lines, size_t count,
                 twin_told *told, void *context);

/*
 * Make the spec's prediction for the traps of which `wanted` says so, whatever became of them, for
 * who shows them.
 */
typedef bool twin_wanted(void *context, enum trap_outcome outcome);
void twin_want_spec(struct twin *twin, twin_wanted *wanted, void *context);

/*
 * For the unexplained traps of which `wanted` says so: look which departure is nearest, and why the
 * model panics.
 */
typedef bool twin_wants_nearest(void *context, const struct trace_line *line,
                                const struct trap_verdict *verdict);
void twin_want_nearest(struct twin *twin, twin_wants_nearest *wanted, void *context);

/* Take over a record as it is, whatever the model would have done. */
void twin_take_over(struct twin *twin, const struct trace_line *line);
/* The same of its first `count` effects alone: the machine is in the middle of the trap then. */
void twin_take_part(struct twin *twin, const struct trace_line *line, size_t count);

/* --- Going back ------------------------------------------------------------------------------ */

/* A point of a replay, to which one can go back any number of times. */
struct twin_image;
struct twin_image *twin_image_new(void);
void twin_image_free(struct twin_image *image, struct twin *twin);
void twin_image_save(struct twin_image *image, struct twin *twin);
void twin_image_load(const struct twin_image *image, struct twin *twin);

/* The state, and what runs on a CPU, to look at. */
struct fh_state *twin_state(struct twin *twin);
const struct fh_profile *twin_profile(const struct twin *twin);
void twin_running(const struct twin *twin, uint64_t cpu, uint64_t *vmid, uint64_t *vcpuid);
/* The page frame whose record has the index 0 in what recorders tell. */
uint64_t twin_first_pfn(const struct twin *twin);
/* The n-th lock that is held, as recorders call it, of whose table or VM, and by which CPU. */
bool twin_lock_at(const struct twin *twin, size_t n, const char **lock, uint64_t *vmid,
                  uint64_t *cpu);

/* --- Invariants ------------------------------------------------------------------------------ */

/*
 * Which of the security invariants that look at the shared state does the state break at places
 * that changed since the last call? A set of bits as in struct fh_invariant_report. The first call
 * begins the watch and finds nothing. While another CPU is in a critical section nothing is found:
 * what holds outside of it does not within, and the places are looked at later.
 */
uint32_t twin_new_violations(struct twin *twin, struct fh_invariant_report *report);

/*
 * Of the last trap, which broke these: for each the departures without which it would hold, with
 * their consequences that show. None: the spec breaks it too. Traps that overlapped cannot be taken
 * again: what explains one is blamed as a whole.
 */
struct watch;
void twin_blame(struct twin *twin, const struct watch *watch, uint32_t broken,
                const struct trap_verdict *verdict, struct credits blamed[FH_INVARIANTS]);

/* Which of them does the state that a trace begins with break? */
uint32_t twin_boot_violations(const struct twin *twin, struct fh_invariant_report *report);

/* --- For reports ----------------------------------------------------------------------------- */

/*
 * The last traps before this line that changed the page or VM that a difference is about, the
 * latest first; returns how many, up to `max`.
 */
size_t twin_last_changes(const struct twin *twin, const struct trace_line *line,
                         const struct difference *difference, uint64_t *seqs, size_t max);

/*
 * The spec function that decided what the model did where it differs, as "Layer.function": that
 * which has the effect, for a panic the one that it came in, for a call that is undefined the one
 * that says so. False if there is none. The differences are those of the last trap.
 */
bool twin_spec_function(const struct twin *twin, const struct difference *difference, char *buffer,
                        size_t size);

/*
 * The function in which that one was called, as far as records tell: the last one that was entered,
 * or that which the trap begins with. False where the function says enough by itself.
 */
bool twin_spec_caller(const struct twin *twin, const struct difference *difference, char *buffer,
                      size_t size);

/* The spec function that records call so; NULL: there is none. */
const struct fh_function *twin_function_recorded(const char *recorded);

/* The condition that did not hold, where the model has no answer or panics; NULL elsewhere. */
const char *twin_condition(const struct twin *twin, const struct difference *difference);

/*
 * The path in the state that a difference is about, "shared.npts.0.pt_pmd_pool.0x50fc17e8"; false
 * if it is about none.
 */
bool twin_state_path(const struct twin *twin, const struct difference *difference, char *buffer,
                     size_t size);

#endif
