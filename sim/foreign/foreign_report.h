/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_REPORT_H
#define SIM_FOREIGN_REPORT_H

#include "base/json_out.h"
#include "convert/import.h"
#include "foreign/foreign_checker.h"
#include "foreign/summary.h"

/* How often the verified code would take exits in one way. */
struct exit_count {
    bool is_trap;
    uint64_t class;
    bool is_known; /* the class */
    uint64_t count;
    struct model_exit verdict;
};

enum { EXIT_COUNTS_MAX = 128 };

/* One recording, and what was found in it. */
struct foreign_file {
    const char *name;   /* what reports call it */
    const char *format; /* "ftrace" */
    const char *detail; /* or NULL */
    uint64_t records;
    uint64_t kinds[TRACE_KINDS + 1];
    struct checker checker;
    struct exit_count exits[EXIT_COUNTS_MAX];
    size_t nexits;
    struct import_rest rest;
    struct summary *summary;
    bool is_bad;       /* bad input ended it */
    bool is_unchecked; /* nothing of it could be checked */
};

/* A failed check. */
struct foreign_failure {
    const struct trace_line *line;
    enum foreign_check check;
    const char *found;
};

/*
 * A report: it is told of failures while a file is read, of the file at its end, and of the end of
 * all. Failures beyond those that are to be shown are not told.
 */
struct foreign_report {
    void (*begin_file)(struct foreign_report *report);
    void (*failure)(struct foreign_report *report, const struct foreign_file *file,
                    const struct foreign_failure *failure);
    void (*end_file)(struct foreign_report *report, const struct foreign_file *file);
    /* `failed` checks in all, of which at most `shown_max` were told. */
    void (*end)(struct foreign_report *report, uint64_t failed, size_t shown_max);
    bool has_begun; /* a file was reported */
    FILE *details;  /* of the file's failures, which come behind its summary */
    char *details_text;
    size_t details_size;
    struct json_out json, failures; /* of the whole, and of the details */
};

extern const struct foreign_report foreign_report_text;
extern const struct foreign_report foreign_report_json;

#endif
