/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_PLACES_H
#define SIM_PLACES_H

#include "reduce/reduce.h"

/* Who wrote what: each write of each record, by place (trace/trace_places.h). */
struct writes;
struct writes *writes_of(const struct reduce_records *records);
void writes_free(struct writes *writes);

/* What a record read that another one wrote. */
struct cause {
    size_t record; /* the one that wrote it, the last before the reader */
    size_t effect; /* its effect; that number of them: a vCPU's registers, or that it runs */
};

/*
 * The causes of a record, the first in the record first, one for each record that wrote something.
 * Records that overlapped count as one. Returns how many; `*causes` is from malloc.
 */
size_t writes_causes(const struct writes *writes, size_t reader, struct cause **causes);

#endif
