/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_PLACES_H
#define SIM_TRACE_PLACES_H

#include "trace/trace.h"

/*
 * Which places of the state a record reads and writes: fields of pages, words of tables and the
 * tables that they are in, addresses of a VM, fields of VMs, contexts of vCPUs, banks, globals.
 */

/*
 * Told of a place, as a number that no other place is likely to have, and of the effect that reads
 * or writes it: nfx of them is the entry into a trap or the exit from it.
 */
typedef void trace_on_place(void *context, uint64_t place, size_t effect);

struct trace_place_visit {
    const struct trace_line *line;
    trace_on_place *writes, *reads;
    trace_on_place *reads_of; /* of all parts of a VM, or of TRACE_SMMUS, as far as they matter */
    void *context;            /* of all three; one that is NULL is not told */
};

/* What is read of all SMMUs, beside VMs. */
#define TRACE_SMMUS UINT64_MAX

void trace_visit_places(const struct trace_place_visit *visit);

/* A part of what a trap may read because of the VM, or the SMMUs, that it is about. */
struct trace_part_place {
    uint64_t owner, place; /* a VM, or TRACE_SMMUS */
};
/* Does the effect write one? */
bool trace_part_of(const struct trace_effect *effect, struct trace_part_place *part);

#endif
