/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SUBJECT_H
#define SIM_SUBJECT_H

#include "machine/machine.h"
#include "scenario/play.h"
#include "twin/twin.h"

/*
 * A state to look at: that of a scenario behind a step (FILE.yaml#3, or behind the last one), or of
 * the model beside a trace, behind a record (TRACE#SEQ, or behind the last one).
 */
struct subject {
    const struct fh_state *state;
    char *path;
    bool has_point;
    uint64_t point;
    struct scenario *scenario; /* of the two the one that it is */
    struct twin *twin;
    twin_told *told; /* NULL: nobody */
    void *context;
};

/* False, with a message, if there is no such file, step or record. `machine` NULL: as the file
 * says, and sekvm-4.18 for traces. */
bool subject_open(struct subject *subject, const char *argument, const char *machine);

/* The same of a trace, and `told` is told of each trap on the way there, the first with the state
 * that the trace begins with. */
bool subject_follow(struct subject *subject, const char *argument, const char *machine,
                    twin_told *told, void *context);
void subject_close(struct subject *subject);

#endif
