/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trace/trace.h"
#include "trace/trace_check.h"

/* A trace, JSON Lines or, with FUZZ_CBOR, behind the mark with which CBOR begins. */

static const char *file_of(const uint8_t *data, size_t size)
{
#ifdef FUZZ_CBOR
    static const uint8_t mark[] = {0xd9, 0xd9, 0xf7};
    uint8_t *marked = malloc(sizeof mark + size);
    if (!marked)
        abort();
    memcpy(marked, mark, sizeof mark);
    memcpy(marked + sizeof mark, data, size);
    const char *path = fuzz_file(marked, sizeof mark + size);
    free(marked);
    return path;
#else
    return fuzz_file(data, size);
#endif
}

static void read_records(const char *path)
{
    const struct trace_limits limits = trace_limits_of(&fh_profile_sekvm_4_18);
    struct trace *trace = trace_open(path);
    struct trace_check *check = trace_check_new(&limits);
    const struct trace_line *line;
    struct trace_fault fault;
    size_t length;
    while (trace && (line = trace_next(trace))) {
        trace_check_boot(&limits, line, &fault);
        trace_check_next(check, line, &fault);
        trace_text(trace, &length);
    }
    trace_check_free(check);
    trace_close(trace);
}

static void read_trees(const char *path)
{
    struct trace *trace = trace_open(path);
    while (trace && trace_next_tree(trace))
        ;
    trace_close(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_be_quiet();
    const char *path = file_of(data, size);
    read_records(path);
    read_trees(path);
    return 0;
}
