/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "replay/deviations.h"
#include "replay/twin.h"

/* What became of a trap: X(outcome, how reports call it). */
#define OUTCOME_MAP(X)                                                                             \
    X(MATCHED, "matched")                                                                          \
    X(EXPLAINED, "explained")                                                                      \
    X(DIVERGED, "diverged")                                                                        \
    X(NOT_REPLAYED, "not replayed")

enum outcome {
#define OUTCOME_ENUM(outcome, name) OUTCOME_##outcome,
    OUTCOME_MAP(OUTCOME_ENUM)
#undef OUTCOME_ENUM
        OUTCOMES
};

/* Rows of the summary: the boot line, then the kinds of traps. */
enum { ROW_BOOT, ROW_KINDS, ROWS = ROW_KINDS + TRACE_KINDS };

const char *outcome_name(enum outcome outcome);
/* "boot", "host_npt" */
const char *replay_row_name(unsigned row);

/* How often a deviation explained something. */
struct deviation_count {
    uint64_t traps;
    uint64_t differences;
    char first[256]; /* the first trap, "file#seq" */
};

/* The results of a replay. */
struct replay_report {
    bool json;
    bool junit;
    bool invariants; /* also say which security invariants the machine breaks */
    struct violation_count {
        uint64_t traps;
        char first[256];   /* the first trap, "file#seq" */
        char witness[256]; /* what it broke there */
    } violations[FH_INVARIANTS];
    struct report_files *files; /* report_visit.h; NULL: none */
    size_t shown_max;
    size_t shown;
    FILE *details; /* the first divergences in full, printed after the summary */
    char *details_text;
    size_t details_size;
    uint64_t counts[ROWS][OUTCOMES];
    struct deviation_count deviations[DEVIATIONS_MAX];
    double seconds;
    bool bad_input;
};

/* The trap that a report is about. */
struct replay_trap {
    const char *file;
    const struct trace_line *line;
    const struct differences *found;
    const char *stuck;       /* empty: the spec is defined */
    const struct twin *twin; /* behind the trap; NULL: not known */
    unsigned row;
    enum outcome outcome;
};

void report_begin(struct replay_report *report);
void report_trap(struct replay_report *report, const struct replay_trap *trap);
void report_end(struct replay_report *report);
/* The record of a trap with its differences, as JSON. */
void replay_trap_json(const struct replay_trap *trap, FILE *out);
uint64_t report_total(const struct replay_report *report, enum outcome outcome);

#endif
