/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ORDER_H
#define SIM_ORDER_H

#include "machine/machine.h"
#include "trace/trace.h"

/*
 * The records of a trace in the order in which things happened, not in that in which stays at EL2
 * ended: alone, or together with those that they overlapped with by their event numbers.
 */
struct order;

/* `boot`: the record that was read already, the first; `keeps_texts`: each record's text is wanted
 * too. */
struct order *order_new(struct trace *trace, const struct trace_line *boot, bool keeps_texts);
void order_free(struct order *order);

/* The records are of this machine, with these constants: they are given out in plain words. */
void order_speaks(struct order *order, const struct machine_description *machine,
                  const struct fh_profile *profile);

/*
 * The next records, in the order of their beginning: one, or several of which each overlaps with
 * another. They are valid until the next call. The number of records; 0 at the end, or on bad
 * input.
 */
size_t order_next(struct order *order, const struct trace_line *const **lines);

/* The text of the i-th record given out last, as it was read. */
const char *order_text(const struct order *order, size_t i, size_t *length);

/* The event number behind the last of a record. */
uint64_t order_end_of(const struct trace_line *line);

#endif
