/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_DEBUGGER_H
#define SIM_DEBUGGER_H

#include <stdio.h>

#include "timeline/timeline.h"

/*
 * A debugger of a recorded trace that goes both ways. It stands behind a record, or inside of it,
 * before one of its effects. In a fork it stands in a copy of the state, in which traps are tried
 * that were not recorded.
 */

/* Where it is to stop: X(NAME, in words). */
#define STOP_KIND_MAP(X)                                                                           \
    X(RECORD, "break record")       /* the n-th, from 0 */                                         \
    X(KIND, "break kind")           /* traps of this kind */                                       \
    X(FUNCTION, "break function")   /* that call this function */                                  \
    X(PAGE, "break page")           /* that look at a page, or write its record or a descriptor */ \
    X(VM, "break vm")               /* that come from a VM, or change what is kept of it */        \
    X(DEVIATION, "break deviation") /* that this entry of the catalogue explains */                \
    X(INVARIANT, "break invariant") /* that break it */                                            \
    X(OUTCOME, "break")             /* of this outcome */                                          \
    X(READ, "rwatch")               /* that read the record of a page */                           \
    X(IF, "break if")               /* behind which an expression is true, and before was not */   \
    X(WATCH, "watch")               /* that change the value of an expression */

enum stop_kind {
#define STOP_ENUM(name, words) STOP_##name,
    STOP_KIND_MAP(STOP_ENUM)
#undef STOP_ENUM
};

struct stop {
    unsigned number; /* from 1 */
    enum stop_kind kind;
    char *words;     /* as it was asked for */
    char *condition; /* an expression that is true behind the record; NULL: whatever it is */
    uint64_t value;  /* a kind, page, VM, entry, invariant, outcome */
    uint64_t last;   /* IF, WATCH: the value before */
};

/* Traps tried beside the recording. */
struct fork {
    struct fh_state *state;
    const struct fh_rdata **befores; /* the state before each step, for `undo` */
    size_t count, size;
};

enum { DEBUG_BEHIND = -1 };

struct debugger {
    struct timeline *timeline;
    const char *machine; /* its name, as it was asked for */
    size_t index;        /* the record at which it stands */
    long effect;         /* inside of it: the next effect; DEBUG_BEHIND: behind it */
    struct stop *stops;
    size_t nstops, stops_size;
    unsigned numbers;
    struct fork *fork; /* NULL: it is in the recording */
    FILE *out;
    struct {
        char message[500];
        const char *at; /* in the line; NULL: nowhere */
    } error;
};

struct debugger *debugger_new(struct timeline *timeline, const char *machine, FILE *out);
void debugger_free(struct debugger *debugger);

/* What became of a command. */
enum debug_outcome { DEBUG_DONE, DEBUG_BAD, DEBUG_QUIT };

/*
 * A command, in a line. What it says goes to `out`. DEBUG_BAD: it is none, `error` says why and
 * where in the line, and nothing has changed.
 */
enum debug_outcome debugger_do(struct debugger *debugger, const char *line);
/* The n-th command's name; NULL after the last. */
const char *debugger_command(size_t n);

/* --- Where it is: place.c --------------------------------------------------------------------- */

/* The command is wrong at this place of its line. Returns false, for its callers to return. */
__attribute__((format(printf, 3, 4))) bool debug_fail(struct debugger *debugger, const char *at,
                                                      const char *format, ...);

/* The state that is looked at: the recording's, or the fork's. */
const struct fh_state *debug_state(const struct debugger *debugger);
const struct timeline_record *debug_record(const struct debugger *debugger);

/* Go behind a record, or before an effect of it. */
void debug_go(struct debugger *debugger, size_t index);
void debug_enter(struct debugger *debugger, size_t index, size_t effect);

/* "host_npt", or the hypercall's name, or the exception class of a record. */
const char *debug_title(const struct debugger *debugger, size_t index);
/* A record in a line; and where the debugger is. */
void debug_say_record(const struct debugger *debugger, size_t index);
void debug_say(const struct debugger *debugger);

/* The page that the trap is about: that of the first owner looked at, or of the fault. */
bool debug_page(const struct debugger *debugger, uint64_t *pfn);
/* The value of an expression, where the debugger stands. */
bool debug_value(struct debugger *debugger, const char *text, uint64_t *value);
/* The same of one that was good once; 0 where it names nothing now. */
uint64_t debug_value_now(struct debugger *debugger, const char *text);
/* A number alone. */
bool debug_number(struct debugger *debugger, const char *text, uint64_t *value);

/* --- To look at: look.c ----------------------------------------------------------------------- */

/* A part of the state, or an expression, in text of its own, to be freed; NULL: it is neither. */
char *debug_evaluate(struct debugger *debugger, const char *text);
bool debug_print(struct debugger *debugger, const char *text);
bool debug_delta(struct debugger *debugger, const char *words);
bool debug_tables(struct debugger *debugger, const char *words);
bool debug_locks(struct debugger *debugger, const char *words);
bool debug_owner(struct debugger *debugger, const char *words);
bool debug_trap(struct debugger *debugger, const char *words);
bool debug_effects(struct debugger *debugger, const char *words);

/* Does a record stop, whatever the state is? (meets.c) */
bool stop_meets(const struct debugger *debugger, const struct stop *stop, size_t index);

/* --- Stops: stops.c --------------------------------------------------------------------------- */

/* A new one, from the words behind `break`, `watch` and `rwatch`; NULL: they say none. */
struct stop *stops_break(struct debugger *debugger, const char *words);
struct stop *stops_watch(struct debugger *debugger, const char *words);
struct stop *stops_rwatch(struct debugger *debugger, const char *words);
/* It stops only where the expression is true; NULL: that is none, and there is no such stop. */
struct stop *stops_only_if(struct debugger *debugger, struct stop *stop, const char *condition);
bool stops_remove(struct debugger *debugger, unsigned number);
void stops_print(const struct debugger *debugger);
/* As it was asked for: "break kind gap if cpu == 1". */
void stops_say(const struct debugger *debugger, const struct stop *stop);
/*
 * Go on to the next record at which one of them stops, or back to the last one; to the end, or the
 * beginning, if there is none: NULL then.
 */
const struct stop *stops_run(struct debugger *debugger, bool back);
/* The last record, up to here, that changed the value of an expression; false: none did. */
bool stops_last_change(struct debugger *debugger, const char *words, size_t *index,
                       uint64_t *before, uint64_t *after);

/* --- What was not recorded: fork.c ------------------------------------------------------------ */

bool fork_begin(struct debugger *debugger);
void fork_end(struct debugger *debugger);
/* A step as scenarios have it: "trap: host-npt-fault, ipa: 0x40000000". */
bool fork_try(struct debugger *debugger, const char *words);
bool fork_undo(struct debugger *debugger);

#endif
