/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MAPPINGS_H
#define SIM_MAPPINGS_H

#include <stdio.h>

#include "trace/trace.h"

/*
 * Who has a page mapped, where: the descriptors of stage-2 and SMMU tables that lead to it, as the
 * records of a trace write them.
 */
#define MAPPING_NOWHERE UINT64_MAX
struct mapping {
    uint64_t pa; /* of the descriptor; MAPPING_NOWHERE: not known */
    uint64_t vmid;
    uint64_t address; /* an IPA, or of a device */
    bool is_smmu;
};

struct mappings {
    uint64_t pfn; /* the page */
    size_t count, size;
    struct mapping *list;
};

/* An effect that writes a descriptor. */
struct descriptor_store {
    struct mapping mapping;
    int level;
    uint64_t word;
};
/* False: it writes none. */
bool descriptor_store_of(const struct trace_effect *effect, struct descriptor_store *store);
/* The pages that the descriptor leads to; false: to none, it is no leaf. */
bool descriptor_leads(const struct descriptor_store *store, uint64_t *first, uint64_t *pages);

/* What a record does to them. */
void mappings_follow(struct mappings *mappings, const struct trace_line *line);

/* One more, or less: that of the same descriptor, or if it is not known of the same address. */
void mappings_add(struct mappings *mappings, const struct mapping *mapping);
void mappings_remove(struct mappings *mappings, const struct mapping *mapping);

/* Does a VM have it mapped (0: the host), or a device, or anybody? */
bool mappings_has_vm(const struct mappings *mappings, uint64_t vmid);
bool mappings_has_device(const struct mappings *mappings);

/* "host at 0x40000000, VM 1 at 0x7000"; "nobody". */
void mappings_print(const struct mappings *mappings, FILE *out);

void mappings_free(struct mappings *mappings);

#endif
