/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRIAGE_H
#define SIM_TRIAGE_H

#include "triage/signature.h"

/*
 * Unexplained traps, grouped by what is alike in the difference that each begins with. A group says
 * what comes nearest to explaining it, and which traps merely follow from another one before.
 */
struct triage;

enum { TRIAGE_GROUPS = 512, TRIAGE_NEAR = 3, TRIAGE_BESIDE = 8 };

/* Why nothing of what is known explains a group: X(kind, in words). */
#define TRIAGE_NEAR_MAP(X)                                                                         \
    X(departure, "departure")                                                                      \
    X(rule, "rule")                                                                                \
    X(finding, "finding")

enum triage_near_kind {
#define TRIAGE_ENUM(kind, words) TRIAGE_IS_##kind,
    TRIAGE_NEAR_MAP(TRIAGE_ENUM)
#undef TRIAGE_ENUM
};

const char *triage_near_name(enum triage_near_kind kind);

/* What is known and nearly fits, and what keeps it from fitting. */
struct triage_near {
    enum triage_near_kind kind;
    char id[40]; /* "" for a rule without one */
    char misses[512];
};

/* Other differences in the traps of a group, which do not follow from the first. */
struct triage_beside {
    struct triage_signature signature;
    uint64_t traps;
};

struct triage_group {
    size_t number; /* in the order in which they were met, from 0 */
    struct triage_signature signature;
    uint64_t traps;
    uint64_t following;   /* of them: merely follow from one before that is unexplained */
    char inside[64];      /* the function that the difference is in, "Layer.function"; or "" */
    char first[256];      /* the first trap, "file#seq" */
    char follows[256];    /* the trap that it follows from; "": none */
    char difference[512]; /* what it begins with there */
    char stuck[512];      /* why the model has no answer there; "": it has one */
    char panic[320];      /* why the model panics there; "": it does not */
    uint32_t broken;      /* the invariants that its traps break, by their bits */
    size_t nnear, nbeside;
    struct triage_near near[TRIAGE_NEAR];
    struct triage_beside beside[TRIAGE_BESIDE];
};

struct triage *triage_new(const struct machine_description *machine);
void triage_free(struct triage *triage);

/* A trace begins, and this twin replays it; `file` is what reports call it. */
void triage_begin(struct triage *triage, struct twin *twin, const char *file);

/*
 * A trap, unexplained or not, behind which the twin stands; `broken`: the invariants that it
 * breaks. Returns its group, NULL if it has none: it is explained, or there are too many groups.
 */
const struct triage_group *triage_trap(struct triage *triage, const struct trace_line *line,
                                       const struct trap_verdict *verdict, uint32_t broken);

/*
 * The groups, the most serious first: those that do not merely follow, by the invariants that
 * break, then by how many traps they have. NULL after the last.
 */
const struct triage_group *triage_group_at(struct triage *triage, size_t place);
size_t triage_ngroups(const struct triage *triage);
/* Is the trap that the twin has before it the first of a group? */
bool triage_is_new(const struct triage *triage);
/* How many unexplained traps belong to none, since there are too many groups. */
uint64_t triage_left_over(const struct triage *triage);

/* Does every trap of it merely follow from others? */
static inline bool triage_is_follower(const struct triage_group *group)
{
    return group->following == group->traps;
}

/* A line with the invariants that a group's traps break, behind `lead`; nothing if there is none.
 */
void triage_print_broken(const struct triage_group *group, const char *lead, FILE *out);

#endif
