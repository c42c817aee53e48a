/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "base/node.h"
#include "trace/words.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Traces: what a hypervisor did, one record for each stay at EL2, with its effects in order.
 * docs/trace-format.md has the schema; the tables of <faulthandler/trace_tables.h> are its
 * definition, and the reader, the comparer and the reports are all made from them.
 */

/*
 * Where a trace was made from, the first record of one that comes from a foreign recording. Of such
 * a trace a record may lack everything but `seq` and `kind`, and what it lacks is unknown; of its
 * effects it has those that the recording shows.
 */
struct trace_origin {
    const char *format; /* "qemu-int", "ftrace", ...: IMPORTER_MAP */
    const char *detail; /* for people, or NULL */
};

/* What a record may leave open, as bits of `has`. */
enum trace_part {
    TRACE_HAS_CPU = 1,
    TRACE_HAS_EVENTS = 2, /* g0, g1, and the g of effects */
    TRACE_HAS_EXIT_CODE = 4,
    TRACE_HAS_FX = 8,
    TRACE_HAS_TO = 16,
    TRACE_HAS_OUT = 32,
    TRACE_HAS_TIME = 64,
    TRACE_HAS_TASK = 128,
    TRACE_HAS_IN = 256, /* not needed where it has registers */
};

/* One line: one stay at EL2. */
struct trace_line {
    unsigned number; /* in the file */
    unsigned has;    /* TRACE_HAS_...: what was said */
    enum trace_kind kind;
    enum trace_end to;
    bool unfinished; /* the machine stopped inside; `to` and `g1` say nothing */
    uint64_t seq;
    uint64_t cpu;
    uint64_t g0;
    uint64_t g1;
    uint64_t exit_code; /* guest_exit */
    const char *ec;     /* guest_exit: the name of its exception class, or NULL */
    const char *hvc;    /* host_hvc: its name */
    uint64_t hvc_number;
    struct trace_list hvc_args;
    const char *vector; /* the exception vector that was taken, "guest_sync", or NULL */
    uint64_t time;      /* in nanoseconds, on the recording's clock */
    uint64_t task;      /* the host's thread that ran the vCPU */
    struct trace_registers in;
    struct trace_registers out;
    size_t nfx;
    const struct trace_effect *fx;
};

/* A trace being read: JSON Lines or CBOR, plain or zstd, "-" for standard input. */
struct trace;

/* NULL, with a message on standard error, if it cannot be opened. */
struct trace *trace_open(const char *path);
void trace_close(struct trace *trace);

/*
 * The next line, valid until the next call; NULL at the end, or on bad input, which is reported
 * on standard error as file:line:column, or with its offset in CBOR.
 */
const struct trace_line *trace_next(struct trace *trace);

/*
 * The record last read as JSON, without a newline: as it stands in the file, if that is JSON Lines.
 * Valid as long as the line is.
 */
const char *trace_text(struct trace *trace, size_t *length);

/*
 * The next record as a tree, whatever it says, until the next call; for who passes records on. A
 * list in it that is long is made in turn (node.h). NULL at the end, or on bad input.
 */
const struct node *trace_next_tree(struct trace *trace);

/* Where the trace comes from; NULL: from a recorder of its own. Known once a record was read. */
#ifndef __cplusplus /* which has no room for two things of one name */
const struct trace_origin *trace_origin(const struct trace *trace);
#endif

/* Did reading end with bad input? */
bool trace_failed(const struct trace *trace);

/* How much has been read, 0 to 1. */
double trace_progress(const struct trace *trace);

/* The machine became known: records behind this one are of contexts that it has. */
struct trace_limits;
void trace_limit(struct trace *trace, const struct trace_limits *limits);

/* A message about the record last read, with its place. */
__attribute__((format(printf, 2, 3))) void trace_diag(const struct trace *trace, const char *format,
                                                      ...);

#ifdef __cplusplus
}
#endif

#endif
