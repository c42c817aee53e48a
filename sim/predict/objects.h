/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_OBJECTS_H
#define SIM_OBJECTS_H

#include "predict/state_parts.h"
#include "trace/words.h"

/*
 * What locks protect, and how an effect, in the words of a trace, changes it: page ownership, a
 * stage-2 table, what is kept of a VM, the SMMU tables, their banks' owners, the core's data.
 */
enum object_kind {
    OBJECT_NONE,
    OBJECT_PAGES,
    OBJECT_TABLE,
    OBJECT_VM,
    OBJECT_SMMU_TABLES,
    OBJECT_BANKS,
    OBJECT_CORE
};

struct object_id {
    enum object_kind kind;
    uint64_t vmid; /* TABLE, VM */
};

/* The object of a lock; the object that an effect changes, NONE if it changes none. */
struct object_id object_of_lock(const struct fh_profile *k, uint64_t lock);
struct object_id object_of_effect(const struct fh_profile *k, const struct trace_effect *effect);

static inline bool objects_are_same(struct object_id a, struct object_id b)
{
    return a.kind == b.kind && a.vmid == b.vmid;
}

/* The object itself, to be written. */
union object_place {
    struct fh_map *map; /* PAGES, BANKS */
    struct fh_npt *npt;
    struct fh_vminfo *info;
    struct fh_spt *spts;
    struct fh_core_data *core;
};

/* Which page has index 0 in the ownership table, and how many there are. */
struct page_range {
    uint64_t first_pfn, count;
};

void object_apply(const struct state_parts *parts, const struct page_range *pages,
                  struct object_id id, union object_place place, const struct trace_effect *effect);

/* The same in a state, whatever the object. */
void state_apply(const struct state_parts *parts, const struct page_range *pages,
                 const struct trace_effect *effect);

#endif
