/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_VISIT_H
#define SIM_REPORT_VISIT_H

#include "replay/replay.h"
#include "replay/report_owners.h"

/*
 * The reports of a replay that are files. They are told of each trap in turn, as the summary is;
 * a trace begins with its boot line.
 */
struct report_files;

/* NULL for a path: no such report. NULL, with a message, if one cannot be written. */
struct report_files *report_files_open(const char *perfetto, const char *html);
/* `denied`: the access that KCore denied in the trap, NULL if it did not. */
void report_files_trap(struct report_files *files, const struct replay_trap *trap,
                       const struct denied_access *denied);

/* The end of all: name the files, free everything. False, with a message, if that fails. */
bool report_files_close(struct report_files *files, const struct replay_report *report);
/* Leave no files. */
void report_files_discard(struct report_files *files, const struct replay_report *report);

/* --- What a report sees -------------------------------------------------------------------- */

/* A trap, and what it changed. */
struct trap_visit {
    const struct replay_trap *trap;
    unsigned file;                      /* which of the traces, from 0 */
    uint64_t number;                    /* which trap of the trace, from 0 */
    uint8_t principal;                  /* whom it comes from */
    uint64_t end;                       /* the number of the last event */
    const struct denied_access *denied; /* NULL: nothing was */
    const struct owners *owners;        /* after the trap */
    const struct owner_change *changes; /* in order */
    size_t nchanges;
};

/* The name of a trap for people: its hypercall, its exception class, or its kind. */
const char *trap_title(const struct replay_trap *trap);

/* Trace-event JSON. */
struct perfetto;
struct perfetto *perfetto_new(FILE *out);
void perfetto_trap(struct perfetto *perfetto, const struct trap_visit *visit);
void perfetto_end(struct perfetto *perfetto);

/* The page. */
struct html;
struct html *html_new(FILE *out);
void html_trap(struct html *html, const struct trap_visit *visit);
void html_end(struct html *html, const struct replay_report *report);

#endif
