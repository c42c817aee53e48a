/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TIMELINE_PARTS_H
#define SIM_TIMELINE_PARTS_H

#include <stdlib.h>

#include "base/diag.h"
#include "timeline/timeline.h"
#include "twin/watch.h"

/* The inside of a timeline, for its own files. */

struct timeline {
    struct subject at;
    struct watch watch;
    struct timeline_record *records;
    size_t count, size;
    struct {
        struct twin_image *image; /* before the record `first` */
        size_t first;
    } * images;
    size_t nimages, images_size;
    size_t begun; /* the first record of those that are replayed together */
    size_t now;
    /* Of timeline_judge. */
    uint64_t wanted;
    twin_told *told;
    void *context;
    /* Of a scenario: the state behind each record; NULL: it is of a trace. */
    const struct fh_rdata **states;
    size_t nstates, states_size;
    struct outcome outcome;
};

/* It stands in the middle of a record. */
#define TIMELINE_INSIDE SIZE_MAX

/* A scenario: timeline_steps.c. */
bool timeline_play(struct timeline *timeline, const char *machine);
void timeline_restore(struct timeline *timeline, size_t index);
void timeline_print_step_effect(const struct timeline *timeline,
                                const struct timeline_record *record, size_t effect, FILE *out);
void timeline_forget_steps(struct timeline *timeline);

#endif
