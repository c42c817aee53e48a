/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_JSON_H
#define SIM_TRACE_JSON_H

#include "trace/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads lines of ordinary traces from JSON, straight. */
struct trace_json;
struct trace_json *trace_json_new(void);
void trace_json_free(struct trace_json *reader);

/*
 * The record in a text, behind which json_padding() bytes are readable. False if it is none, or not
 * written in the way in which recorders do it: then its tree can tell. Valid until the next call.
 */
bool trace_json_line(struct trace_json *reader, const char *text, size_t length,
                     struct trace_line *line);

#ifdef __cplusplus
}
#endif

#endif
