/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRIAGE_SURVEY_H
#define SIM_TRIAGE_SURVEY_H

#include "triage/triage.h"

/*
 * Which traps of some traces are unexplained, in groups; and what becomes of them if the machine is
 * described otherwise.
 */

/* The traces. */
struct survey_traces {
    char *const *paths;
    size_t count;
};

/* An unexplained trap. */
struct survey_trap {
    uint64_t key;
    uint32_t group; /* its number */
    uint32_t differences;
};

struct survey {
    const struct machine_description *machine;
    struct triage *triage;
    uint64_t traps; /* that were compared */
    uint64_t unexplained;
    uint64_t differences;     /* of all of them */
    struct survey_trap *list; /* a table of hashes */
    size_t size;
};

/* Told of each unexplained trap of a survey, with its group and the twin behind it. */
typedef void survey_told(void *context, const struct triage_group *group, const struct twin *twin,
                         const struct trace_line *line, const struct trap_verdict *verdict);

/* NULL, with a message, on bad input. */
struct survey *survey_take(const struct machine_description *machine,
                           const struct survey_traces *traces, survey_told *told, void *context);
void survey_free(struct survey *survey);

/* What a trial of another description shows. */
struct trial {
    bool has_ended;       /* false: it was not to be read, or broke off */
    uint64_t gone;        /* traps of the group in which its difference is gone */
    uint64_t differences; /* of all traps, that are left */
    uint64_t had, left;   /* differences of the group's traps alone: before, and now */
    uint64_t explained;   /* unexplained traps that are explained then, of all groups */
    uint64_t spoiled;     /* traps that agreed before and differ now */
    char spoils[256];     /* the first of them */
};

/* Run the machine on the traces, and compare with the survey. */
void trial_run(const struct survey *survey, const struct survey_traces *traces,
               const struct triage_group *group, const struct machine_description *machine,
               struct trial *trial);

/*
 * How often a group's effect stands in a trap of its kind and call that is explained: the same
 * path, and no difference.
 */
struct counter {
    uint64_t traps;
    char first[256];
};
bool survey_count(const struct survey *survey, const struct survey_traces *traces,
                  struct counter *counters /* of each group, by its number */);

#endif
