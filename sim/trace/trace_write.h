/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_WRITE_H
#define SIM_TRACE_WRITE_H

#include "base/json_out.h"
#include "trace/trace.h"

/* Write a line of a trace as JSON, as trace_next reads it: what its `has` says is there. */
void trace_write(const struct trace_line *line, FILE *out);
void trace_write_json(struct json_out *json, const char *key, const struct trace_line *line);

/* Write the first record of a trace that comes from a foreign recording. */
void trace_write_origin(const struct trace_origin *origin, FILE *out);

#endif
