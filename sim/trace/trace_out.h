/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_OUT_H
#define SIM_TRACE_OUT_H

#include "trace/trace.h"

/* Traces being written: JSON Lines or a CBOR sequence, plain or compressed by zstd. */
struct trace_out;

struct trace_form {
    bool is_cbor;
    bool is_zstd;
};

/* From "jsonl", "cbor", "jsonl.zst" or "cbor.zst"; from how a file's name ends. False: unknown. */
bool trace_form_find(const char *name, struct trace_form *form);
bool trace_form_of_file(const char *path, struct trace_form *form);

/*
 * A new trace at `path`, which appears when it is closed, or on standard output if that is NULL.
 * NULL, with a message, if it cannot be written.
 */
struct trace_out *trace_out_open(const char *path, struct trace_form form);

/* Write a record: one that was read, as trace_write does it, or any tree. */
void trace_out_line(struct trace_out *out, const struct trace_line *line);
void trace_out_origin(struct trace_out *out, const struct trace_origin *origin);
void trace_out_tree(struct trace_out *out, const struct node *record);

/* Has no record been written, but perhaps an origin? */
bool trace_out_is_empty(const struct trace_out *out);

/* Finish the trace. False, with a message, if it could not be written; then there is no file. */
bool trace_out_close(struct trace_out *out);

/* Forget what was written to a file. */
void trace_out_discard(struct trace_out *out);

#endif
