/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_VERDICTS_H
#define SIM_VERDICTS_H

#include "base/json_out.h"
#include "scenario/play.h"

enum verdicts_format { VERDICTS_TEXT, VERDICTS_TAP, VERDICTS_JUNIT, VERDICTS_JSON };

/* A report of scenarios on a stream, in one of the formats. */
struct verdicts {
    enum verdicts_format format;
    FILE *out;
    bool colour, trace;
    size_t scenarios, passed, failed, invalid, steps;
    /* JUnit: the cases, held back because their numbers come first. */
    FILE *cases;
    char *cases_text;
    size_t cases_length;
    struct json_out json;
};

/* "text", "tap", "junit", "json"; false if it is none. */
bool verdicts_format_named(const char *name, enum verdicts_format *format);

/* A report begins, of `count` scenarios. False if there is no memory for it. */
bool verdicts_begin(struct verdicts *verdicts, size_t count);
void verdicts_add(struct verdicts *verdicts, const struct outcome *outcome);
void verdicts_end(struct verdicts *verdicts);

/* --- Its parts -------------------------------------------------------------------------------- */

/* The trace of the steps played, for people; `prefix` begins each line. verdicts_trace.c */
void verdicts_trace_text(FILE *out, const struct outcome *outcome, const char *prefix);
/* The same as the member "trace". */
void verdicts_trace_json(struct json_out *json, const struct outcome *outcome);

#endif
