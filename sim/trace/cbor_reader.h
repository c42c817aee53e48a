/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CBOR_READER_H
#define SIM_CBOR_READER_H

#include "base/bytes.h"
#include "trace/trace.h"

/* Reads a trace that is a CBOR sequence, record by record. */
struct cbor_reader;

/* Does a trace of this encoding begin here? */
bool cbor_begins(struct bytes *bytes);

/* The bytes are the reader's from now on. */
struct cbor_reader *cbor_reader_new(struct bytes *bytes);
void cbor_reader_free(struct cbor_reader *reader);

/* Go to the next record. False at the end, or on bad input, which cbor_error has. */
bool cbor_next(struct cbor_reader *reader);

/*
 * The record as a line of a trace, straight. False if it is none, or not in the way in which lines
 * are written: then its tree can tell. Valid until the next call.
 */
bool cbor_line(struct cbor_reader *reader, struct trace_line *line);

/*
 * The record as a tree; NULL on bad input. Good while the arena keeps it and until cbor_next. A
 * long list of it is made in turn (node.h) where there is an arena for that, `member`, or else at
 * once.
 */
const struct node *cbor_tree(struct cbor_reader *reader, struct arena *arena, struct arena *member);

/* What is wrong, or NULL; and where: the byte where the record or the bad item begins. */
const char *cbor_error(const struct cbor_reader *reader);
uint64_t cbor_offset(const struct cbor_reader *reader);

double cbor_progress(const struct cbor_reader *reader);

#endif
