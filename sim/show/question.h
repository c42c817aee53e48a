/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_QUESTION_H
#define SIM_QUESTION_H

#include <faulthandler/arm.h>

#include "show/history.h"
#include "show/mappings.h"
#include "trace/trace.h"

/* What is asked of a trace: how a part of the machine was, from which record to which. */
enum question_kind {
    QUESTION_PAGE,
    QUESTION_IPA,
    QUESTION_VM,
    QUESTION_PATH,
    QUESTION_LOCK,
    QUESTION_REGISTER,
    QUESTION_WHEN, /* when a condition holds, and nothing else */
    QUESTION_KINDS
};

/* From a record to a record it was so. */
struct interval {
    uint64_t first, last;
    char *words;
};

struct question {
    enum question_kind kind;
    const char *text; /* behind the option */
    const char *when; /* NULL: always */

    /* Whose history it is. */
    struct mappings mappings; /* of the page */
    bool is_smmu;
    uint64_t vmid, vcpuid, smmu, bank, address;
    const char *path;
    char place[160];   /* of a lock or register, as a path */
    char subject[256]; /* in words */

    const struct fh_state *state;
    struct history_reader *reader; /* NULL: the trace itself is walked through */
    struct fh_arm_walk walk;       /* of an address: the one that is followed */
    bool knows_words;              /* what the condition names is followed */
    bool is_taken;                 /* a lock: by the record that it stands at, */
    uint64_t taken_by;             /* on this CPU */

    bool is_bad;  /* it was reported */
    bool is_open; /* the last interval goes on */
    struct interval *intervals;
    size_t count, size;
};

/* Read what is asked. False, with a message, if it says nothing. */
bool question_read(struct question *question, enum question_kind kind, const char *text,
                   const char *when);
/* Is there such a VM, bank or path? Asked once, with the state that the trace begins with. */
bool question_is_there(struct question *question);
void question_free(struct question *question);

/* A record, the boot record first, with the state behind it. */
void question_take(struct question *question, const struct fh_state *state,
                   const struct trace_line *line, bool is_boot);

/*
 * All of it up to a record, by an index, with the state of the boot record, which is written to.
 * False: the history does not tell it, or a message was printed (`is_bad`).
 */
bool question_look_up(struct question *question, const struct history *history,
                      struct fh_state *state, uint64_t last);

#endif
