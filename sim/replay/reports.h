/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORTS_H
#define SIM_REPORTS_H

#include "replay/replay.h"
#include "replay/report_owners.h"

/* --- A report ------------------------------------------------------------------------------ */

/* A trap, and what it changed. */
struct trap_visit {
    const struct replay_trap *trap;
    unsigned file;                      /* which of the traces, from 0 */
    uint64_t number;                    /* which trap of the trace, from 0 */
    uint8_t principal;                  /* whom it comes from */
    uint64_t end;                       /* the number of the last event */
    const struct denied_access *denied; /* NULL: nothing was */
    const struct owners *owners;        /* after the trap; of forms that follow pages, as below */
    const struct owner_change *changes; /* in order */
    size_t nchanges;
};

/*
 * A form of report. It is begun before the first trace, told of each trap in turn (a trace begins
 * with its boot line), and ended once, which frees it.
 */
struct report_form {
    const char *name;    /* of --format, or of an option */
    size_t shown_max;    /* traps in full, unless --show says otherwise; 0: it shows none */
    bool follows_owners; /* the owners of pages are followed for it */
    void *(*begin)(const struct replay_report *report, FILE *out);
    /* Will it show a trap of this outcome, that comes next, beside what the spec says? */
    bool (*wants)(const void *form, enum trap_outcome outcome);
    void (*trap)(void *form, const struct trap_visit *visit);
    /* NULL: nothing is to be said after all. */
    void (*end)(void *form, const struct replay_report *report);
};

extern const struct report_form replay_form_text;
extern const struct report_form replay_form_json;
extern const struct report_form replay_form_junit;
extern const struct report_form replay_form_perfetto; /* trace-event JSON */
extern const struct report_form replay_form_html;     /* the page */

/* --- The reports of a run ------------------------------------------------------------------ */

struct reports;

/* The form of standard output that --format names; NULL, with a message, if there is none. */
const struct report_form *report_form_named(const char *name);

/*
 * One on standard output, and those in files whose paths are not NULL. NULL, with a message, if one
 * of them cannot be written.
 */
struct reports *reports_open(const struct replay_report *report, const struct report_form *form,
                             const char *perfetto, const char *html);
bool reports_have_files(const struct reports *reports);
bool reports_want(const struct reports *reports, enum trap_outcome outcome);
/* `denied`: the access that KCore denied in the trap, NULL if it did not. */
void reports_trap(struct reports *reports, const struct replay_trap *trap,
                  const struct denied_access *denied);

/* The end of all: print, name the files, free everything. False, with a message, if that fails. */
bool reports_end(struct reports *reports, const struct replay_report *report);
/* Nothing is printed, and there are no files. NULL is fine. */
void reports_discard(struct reports *reports);

#endif
