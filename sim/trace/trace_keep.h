/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_KEEP_H
#define SIM_TRACE_KEEP_H

#include "trace/trace.h"

/* A record with effects and texts of its own, which outlives the reading of the next. To be freed.
 */
struct trace_line *trace_keep(const struct trace_line *line);

#endif
