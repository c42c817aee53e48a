/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/convert.h"

/* Passes records on as they are, so that a trace keeps what no reader knows. */
static bool convert(struct conversion *conversion)
{
    const char *path = conversion->paths[0];
    const struct node *record;
    struct trace *trace = trace_open(path);
    if (!trace)
        return false;
    while ((record = trace_next_tree(trace))) {
        trace_out_tree(conversion->out, record);
        conversion_progress(conversion, path, trace_progress(trace));
    }
    const bool good = !trace_failed(trace);
    trace_close(trace);
    return good;
}

const struct source_format source_trace = {
    .name = "trace",
    .reads = "a trace, JSON Lines or CBOR",
    .files_max = 1,
    .convert = convert,
};
