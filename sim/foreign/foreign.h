/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_H
#define SIM_FOREIGN_H

#include "base/progress.h"
#include "convert/import.h"
#include "foreign/foreign_checks.h"

/*
 * `fhsim replay` of foreign recordings, and of the traces made from them: what can be checked is
 * checked, and what could not be is said.
 */

/* How often the verified code would take exits in one way. */
struct exit_count {
    bool is_trap;
    uint64_t class;
    bool is_known; /* the class */
    uint64_t count;
    struct model_exit verdict;
};

enum { EXIT_COUNTS_MAX = 128 };

/* One recording. */
struct foreign_file {
    const char *name;   /* what reports call it */
    const char *format; /* "ftrace" */
    const char *detail; /* or NULL */
    uint64_t records;
    uint64_t kinds[TRACE_KINDS + 1];
    struct checker checker;
    struct exit_count exits[EXIT_COUNTS_MAX];
    size_t nexits;
    struct passed_over passed_over[PASSED_OVER_MAX];
    bool is_bad; /* bad input ended it */
};

/* All recordings of a run. */
struct foreign {
    struct progress *progress;
    bool json;
    size_t shown_max; /* divergences printed in full, of all recordings */
    size_t shown;
    uint64_t failed; /* checks */
    bool bad_input;
    bool has_begun; /* something was printed */
    FILE *details;
    char *details_text;
    size_t details_size;
    struct foreign_file *file;
};

/* Import a recording and check it. `name` is what reports call it, `symbols` may be NULL. */
void foreign_import(struct foreign *foreign, const char *path, const char *name,
                    const struct importer *importer, const struct symbols *symbols);
/* Check a trace that says where it comes from; `first` is the record that was read already. */
void foreign_trace(struct foreign *foreign, struct trace *trace, const struct trace_line *first,
                   const char *name);
/* The end of the report, and the exit status. */
int foreign_end(struct foreign *foreign);

/* --- The report ------------------------------------------------------------------------------ */

void foreign_print(struct foreign *foreign, const struct foreign_file *file);
void foreign_print_failure(struct foreign *foreign, const struct trace_line *line,
                           enum foreign_check check, const char *found);

#endif
