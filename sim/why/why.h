/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_WHY_H
#define SIM_WHY_H

#include "base/progress.h"
#include "why/places.h"

/* Which traps made a trap what it is. docs/why.md says how that is found. */

/* What is asked about: X(kind). */
enum why_kind {
    WHY_DIFFERENCE, /* the first difference that nothing explains */
    WHY_DEVIATION,  /* a departure that shows */
    WHY_INVARIANT,  /* an invariant that comes to be broken */
    WHY_EFFECT,     /* an effect of the trap */
    WHY_COURSE,     /* the trap as it is recorded */
};

/* A trap of the answer; the first is the one that is asked about. */
struct why_trap {
    size_t record;  /* its number; of those that overlapped, the one that wrote */
    size_t reader;  /* the trap of the answer that read what it wrote */
    size_t effect;  /* which effect of it; the number of them: a vCPU's registers */
    unsigned depth; /* 1: the trap asked about read it */
    bool is_necessary;
    struct twin_image *before;
};

enum { WHY_TRAPS = 256 };

struct why {
    FILE *out;
    const char *path;
    const char *what; /* as it was asked for, or NULL */
    enum why_kind kind;
    unsigned invariant;
    size_t effect; /* EFFECT: its number in the record */
    struct reduce_goal goal;
    struct reduce_records *records;
    struct reduction reduction;
    struct writes *writes;
    struct why_trap traps[WHY_TRAPS];
    size_t ntraps, most;
    bool is_cut;    /* there are more than `most` */
    bool is_judged; /* `is_necessary` and what follows are known */
    bool is_found;  /* the replay shows it with what is in the answer */
    bool is_inevitable;
    size_t inevitable; /* the record behind which nothing else was needed; 0: the boot record */
    struct progress progress;
};

/* Does a trap, just taken, show what is asked about? A goal's `shows`. */
bool why_shows(void *context, struct twin *twin, const struct trace_line *line,
               const struct trap_verdict *verdict);

/* Add who wrote what a trap of the answer read. False if there are more than `size` traps then. */
bool why_add_causes(struct why *why, size_t reader, size_t size);

/*
 * Replay without each of the causes, and go on with the causes of those without which it does not
 * come about, until there are `most`.
 */
void why_judge(struct why *why);

/* The trap that is asked about, whose record is the last. */
const struct trace_line *why_line(const struct why *why, size_t record);

void why_print(struct why *why);
void why_print_json(struct why *why);

#endif
