/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_READER_H
#define SIM_TRACE_READER_H

#include "base/json.h"
#include "base/lines.h"
#include "trace/cbor_reader.h"
#include "trace/trace_fields.h"
#include "trace/trace_json.h"

/* What the parts of the reader of traces share. */

enum { TRACE_VERSION = 1 };

/* The last event of a CPU, in whose records events come one behind the other. */
struct trace_cpu {
    uint64_t cpu;
    uint64_t last;
};

struct trace {
    const char *name;
    struct lines *lines;      /* of JSON Lines */
    struct cbor_reader *cbor; /* of a CBOR sequence */
    const char *text;         /* of the line last read */
    size_t length;
    struct trace_json *json; /* reads lines straight, or */
    struct json_reader *reader;
    struct arena *arena;
    struct arena *member; /* of a list that is made in turn */
    struct trace_line line;
    char *printed;              /* a record of CBOR as JSON */
    unsigned records;           /* that were read, the origin too */
    struct trace_origin origin; /* format NULL: none */
    struct arena *origin_texts;
    struct trace_cpu *cpus;
    size_t ncpus;
    struct trace_check *check; /* of records of a recorder of its own */
    bool failed;
};

static inline bool trace_is_foreign(const struct trace *trace)
{
    return trace->origin.format;
}

/*
 * Reading ends with this message about a part of the record, or the whole of it if node is NULL;
 * returns false for its callers to return.
 */
__attribute__((format(printf, 3, 4))) bool
trace_refuse(struct trace *trace, const struct node *node, const char *format, ...);

/* Read trace->line, which is all zero but for its number, from a record's tree. */
bool trace_read_tree(struct trace *trace, const struct node *node);

/* A record may say which version of the format it has. */
bool trace_check_version(struct trace *trace, const struct node *record);

bool trace_is_origin(const struct node *node);
bool trace_read_origin(struct trace *trace, const struct node *node);

#endif
