/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H

#include "show/subject.h"
#include "twin/twin.h"

/*
 * A trace, or a scenario, through which one can walk both ways. A trace is replayed once, from its
 * beginning to its end, and kept: its records, what became of each, and images of the model from
 * time to time, which share what they have in common. From the image before it any record is a few
 * traps away.
 *
 * The records stand in the order of the replay, from 0, the boot record. The point of a record is
 * the state behind it; records that overlapped have the same one, behind the last of them.
 *
 * Of a scenario the steps are records, up to one that fails, behind record 0, what it begins with.
 * Their lines have a number, from 1, the line in the file, and the CPU, and nothing else.
 */
struct timeline;

/* What the replay found of a record. */
struct timeline_record {
    struct trace_line *line;
    const struct step_trace *step; /* of a scenario; NULL: of a trace */
    const char *failure;           /* of a step: why it did not do what is expected, or NULL */
    enum trap_outcome outcome;     /* of the boot record: matched */
    struct credits credits;        /* explained: by these */
    uint32_t broken;               /* the invariants that hold no longer, by their bits */
    size_t first;                  /* of the records that it overlapped with, itself among them, */
    size_t count;                  /* and how many they are */
};

/* NULL, with a message, if the trace cannot be read. `machine` NULL: sekvm-4.18. */
struct timeline *timeline_open(const char *path, const char *machine);
void timeline_close(struct timeline *timeline);

const char *timeline_path(const struct timeline *timeline);
const struct machine_description *timeline_machine(const struct timeline *timeline);
size_t timeline_count(const struct timeline *timeline);
const struct timeline_record *timeline_at(const struct timeline *timeline, size_t index);
/* The record with this number in the trace; false: there is none. */
bool timeline_find(const struct timeline *timeline, uint64_t seq, size_t *index);

bool timeline_is_scenario(const struct timeline *timeline);
size_t timeline_effects(const struct timeline *timeline, size_t index);
void timeline_print_effect(const struct timeline *timeline, size_t index, size_t effect, FILE *out);

/* Go to the point of a record. */
void timeline_go(struct timeline *timeline, size_t index);
/*
 * The same, and tell of the record on the way, with all that `fhsim replay` says of it; of the boot
 * record without a verdict, and of a step of a scenario not at all. `before` (NULL: not wanted)
 * gets the state before, to be released by fh_snapshot_release.
 */
void timeline_judge(struct timeline *timeline, size_t index, twin_told *told, void *context,
                    const struct fh_rdata **before);
/*
 * Go into a record: its first `count` effects have happened, and all of the records that it
 * overlapped with and that stand before it. In a step of a scenario the state is that before it.
 */
void timeline_enter(struct timeline *timeline, size_t index, size_t count);
/* The record behind which it stands; meaningless inside of one. */
size_t timeline_now(const struct timeline *timeline);
/* Of a trace. */
struct twin *timeline_twin(struct timeline *timeline);
struct fh_state *timeline_state(struct timeline *timeline);

#endif
