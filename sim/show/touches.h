/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TOUCHES_H
#define SIM_TOUCHES_H

#include "trace/trace.h"

/*
 * Who wrote, before a record and behind it, the places that it writes: words of tables, fields of
 * pages, of VMs, of vCPUs, of banks.
 */
struct touch {
    uint64_t place;          /* as a number */
    uint64_t before, behind; /* the records */
    bool has_before, has_behind;
};

struct touches {
    size_t count, size;
    struct touch *list;
};

/* Read a trace for the places of its record `seq`. False if it cannot be read. */
bool touches_read(struct touches *touches, const char *path, uint64_t seq);
void touches_free(struct touches *touches);

/* Of the place that an effect writes; NULL: it writes none. */
const struct touch *touches_of(const struct touches *touches, const struct trace_effect *effect);

#endif
