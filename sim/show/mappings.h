/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MAPPINGS_H
#define SIM_MAPPINGS_H

#include <stdio.h>

#include "trace/trace.h"

/*
 * Who has a page mapped, where: the descriptors of stage-2 and SMMU tables that lead to it, as the
 * records of a trace write them.
 */
struct mapping {
    uint64_t pa; /* of the descriptor */
    uint64_t vmid;
    uint64_t address; /* an IPA, or of a device */
    bool is_smmu;
};

struct mappings {
    uint64_t pfn; /* the page */
    size_t count, size;
    struct mapping *list;
};

/* What a record does to them. */
void mappings_follow(struct mappings *mappings, const struct trace_line *line);

/* Does a VM have it mapped (0: the host), or a device, or anybody? */
bool mappings_has_vm(const struct mappings *mappings, uint64_t vmid);
bool mappings_has_device(const struct mappings *mappings);

/* "host at 0x40000000, VM 1 at 0x7000"; "nobody". */
void mappings_print(const struct mappings *mappings, FILE *out);

void mappings_free(struct mappings *mappings);

#endif
