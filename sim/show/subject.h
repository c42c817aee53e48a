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
    const struct machine_description *machine; /* of a trace */
    bool is_judged;
    bool is_beginning;             /* nothing behind the boot record is read */
    twin_told *told;               /* NULL: nobody */
    void (*begins)(void *context); /* NULL: nobody */
    void *context;
};

/* False, with a message, if there is no such file, step or record. `machine` NULL: as the file
 * says, and sekvm-4.18 for traces. */
bool subject_open(struct subject *subject, const char *argument, const char *machine);

/* The number at `text`, decimal or with 0x, within 64 bits and up to the character `end`; *behind:
 * what follows that. */
bool subject_number(const char *text, char end, uint64_t *value, const char **behind);

/* The two steps of it: the argument alone; then a trace, on the way through which `told` is told of
 * each trap, first of the boot record, without a verdict. `is_judged`: verdicts have what `fhsim
 * replay` says of a trap, departures and the spec's prediction. */
bool subject_point(struct subject *subject, const char *argument);
bool subject_is_scenario(const struct subject *subject);
/* Of a trace only the boot record: the state that it begins with. */
bool subject_begin(struct subject *subject, const char *machine);
bool subject_follow(struct subject *subject, const char *machine, bool is_judged, twin_told *told,
                    void *context);

/* The same, judged, with a call of `begins` before each trap, or those that overlap. */
bool subject_walk(struct subject *subject, const char *machine, void (*begins)(void *context),
                  twin_told *told, void *context);

void subject_close(struct subject *subject);

#endif
