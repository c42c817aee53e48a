/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_OWNERS_H
#define SIM_REPORT_OWNERS_H

#include "trace/trace.h"

/* Whom pages belong to: the host 0, VM n, KCore, or nobody. */
enum { OWNER_HOST = 0, OWNER_KCORE = 65, OWNER_NOBODY = 66, OWNERS = 67 };

/*
 * The owner of each page as the machine recorded it, for reports. Pages are counted from the start
 * of memory, like the `index` of effects; those beyond OWNED_PAGES_MAX are passed over.
 */
enum { OWNED_PAGES_MAX = 1 << 26 };

struct owners {
    size_t npages;
    uint8_t *pages;
    uint64_t counts[OWNERS];
};

struct owner_change {
    uint64_t g; /* the event */
    uint64_t page;
    uint8_t owner;
};

/* Begin with what the boot line says. False if there is no memory. */
bool owners_boot(struct owners *owners, const struct trace_line *line);
void owners_free(struct owners *owners);

/* Follow an effect. True if a page has another owner now. */
bool owners_follow(struct owners *owners, const struct trace_effect *effect,
                   struct owner_change *change);

/* OWNER_HOST ... OWNER_NOBODY of an owner in a trace. */
uint8_t owner_number(uint64_t owner);

/* The principal that a trap comes from: the host, a VM, or KCore. */
uint8_t trap_principal(const struct trace_line *line);

/* "host", "VM 3", "KCore", "nobody" */
const char *owner_name(uint8_t owner, char *buffer, size_t size);

#endif
