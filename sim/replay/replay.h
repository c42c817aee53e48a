/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "triage/triage.h"
#include "twin/twin.h"
#include "replay/report_denied.h"

/* Rows of the summary: the boot line, then the kinds of traps. */
enum { ROW_BOOT, ROW_KINDS, ROWS = ROW_KINDS + TRACE_KINDS };

const char *outcome_name(enum trap_outcome outcome);
/* "boot", "host_npt" */
const char *replay_row_name(unsigned row);

/* How often an invariant broke, and where first. */
struct violation_count {
    uint64_t traps;
    char first[256];   /* the first trap, "file#seq" */
    char witness[256]; /* what it broke there */
};

/* How often a deviation explained a trap. */
struct deviation_count {
    uint64_t traps;
    char first[256]; /* the first trap, "file#seq" */
    /* What the machine's state broke in these traps: the consequence as it was computed. */
    struct violation_count violations[FH_INVARIANTS];
};

/* One of the traces. */
struct file_count {
    char name[256];
    uint64_t counts[OUTCOMES];
    uint64_t denied; /* accesses */
    uint32_t broken; /* invariants, by their bits */
    bool unfinished; /* the machine stopped inside a trap */
    bool bad_input;
};

/* The results of a replay. */
struct replay_report {
    const struct machine_description *machine;
    bool colour;
    bool no_invariants;   /* do not look at which security invariants the machine breaks */
    bool shows_explained; /* divergences in full are those that are explained too */
    /* By the state that a trace begins with, and by traps since; the former are not counted on. */
    struct violation_count boot_violations[FH_INVARIANTS];
    struct violation_count violations[FH_INVARIANTS];
    struct violation_count unattributed[FH_INVARIANTS]; /* that the spec breaks too */
    uint64_t harmed[MACHINE_HARMS]; /* explained traps, by the worst that they amount to */
    struct denied_tally denied;
    struct file_count *files;
    size_t nfiles;
    size_t shown_max; /* traps in full */
    uint64_t counts[ROWS][OUTCOMES];
    struct deviation_count deviations[CATALOGUE_MAX];
    double seconds;
    bool bad_input;
    struct triage *triage;
};

/* The trap that a report is about. */
struct replay_trap {
    const struct machine_description *machine;
    const char *file;
    const struct trace_line *line;
    const struct trap_verdict *verdict;
    const struct twin *twin; /* behind the trap; NULL: not known */
    unsigned row;
    uint32_t broken; /* the invariants that the machine's state breaks since, by their bits */
    const struct fh_invariant_report *violations; /* with their witnesses */
    const struct credits *blamed;     /* broken: by which entries each; NULL: at the boot */
    const struct triage_group *group; /* unexplained: with what it is alike; NULL: with none */
};

/* A trace begins; `file` is what reports call it. */
void report_file(struct replay_report *report, const char *file);
/* The trace was bad input from here on. */
void report_file_is_bad(struct replay_report *report);
/* Count a trap. True if it is an access that KCore denied, which is in *denied. */
bool report_count(struct replay_report *report, const struct replay_trap *trap,
                  struct denied_access *denied);

uint64_t report_total(const struct replay_report *report, enum trap_outcome outcome);
uint64_t report_row_total(const struct replay_report *report, unsigned row);
uint64_t report_traps(const struct replay_report *report);
double report_speed(const struct replay_report *report); /* traps per second */

/* The entries of the catalogue that explain a trap, by their places in it; their number. */
size_t deviations_in(const struct replay_trap *trap, unsigned list[CATALOGUE_MAX]);
/* In a line: "A1 (A35), A30", departures with the consequences that show. */
void explanation_print(const struct replay_trap *trap, FILE *out);
/* The name of a trap for people: its hypercall, its exception class, or its kind. */
const char *trap_title(const struct replay_trap *trap);

/* --- What records say of a difference ------------------------------------------------------- */

enum { LAST_CHANGES = 3 };

/*
 * Does the effect of the record differ from what was predicted: by the machine's model if the trap
 * is unexplained, else by the spec?
 */
bool trap_differs(const struct trap_verdict *verdict, const struct trace_effect *effect);
/* The effect that it is about, the machine's if there are two; NULL: registers, or the course. */
const struct trace_effect *difference_subject(const struct difference *difference);
/* The last traps that changed the page or VM; their number. */
size_t difference_last_changes(const struct replay_trap *trap, const struct difference *difference,
                               uint64_t seqs[LAST_CHANGES]);

#endif
