/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_TRAP_DIFFERENCES_H
#define FH_TESTS_TRAP_DIFFERENCES_H

#include "trap_cases.h"

/*
 * One trap, handled by TrapHandlerRaw (composed of the layers below) and by TrapHandler (atomic)
 * from the same state, and the differences between the two that are the spec's own.
 */
enum trap_outcome { DONE = 1, HALTS = 2, STUCK = 4, UNREPRESENTABLE = 8, GIVES_UP = 16 };

struct trap_answer {
    enum trap_outcome outcome;
    const struct fh_rdata *after;
    struct fh_error error;
};

struct trial {
    const struct trap *trap;
    const struct fh_profile *k;
    const struct fh_rdata *before;
    struct trap_answer raw, atomic;
};

/* A place at which the two states differ. */
struct difference {
    const char *path;
    uint64_t key;         /* the last one in the path */
    const char *field;    /* the last field */
    uint64_t raw, atomic; /* the values; of a table entry the descriptors */
};

/*
 * A difference that the spec's texts have. Of outcomes: one of `raw` on the one side and of
 * `atomic` on the other, whatever the states are then. Of places: both end the same way, one of
 * `raw`, and differ at a path that fits a pattern, in which a * stands for one step. In both cases
 * only where `holds`; `difference` is NULL for outcomes.
 */
enum { PLACES = 13 };

struct trap_rule {
    const char *id;
    unsigned entries; /* bit n: entry n */
    uint64_t call;    /* of host_hvc, 0: any */
    unsigned raw, atomic;
    const char *places[PLACES]; /* none: a difference of outcomes */
    bool (*holds)(const struct trial *trial, const struct difference *difference);
};

/* All of them; behind the last one an id of NULL. */
extern const struct trap_rule trap_rules[];

/* The rule that explains a difference, NULL if none does. */
const struct trap_rule *find_trap_rule(const struct trial *trial,
                                       const struct difference *difference);

/* What a rule is about, as docs/trap-handlers.md has it: "| `id` | traps | difference | ". */
const char *rule_text(const struct trap_rule *rule, char *buffer, size_t size);

const char *outcome_name(enum trap_outcome outcome);

#endif
