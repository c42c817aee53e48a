/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_MACHINE_DATA_H
#define FH_MACHINE_DATA_H

#include "layers/kcore.h"

/*
 * What machines keep beside RData, in its map `machine`: numbers by kind and two indices.
 */
enum machine_kind {
    MACHINE_THIS_CPU = 1, /* the number of the CPU that acts */
    MACHINE_CPU,          /* of a CPU that does not: a field of enum machine_cpu */
    MACHINE_CPU_LOCK,     /* a lock that it keeps */
    MACHINE_SLOT,         /* whose host context is in this slot: the CPU + 1; 0: its own */
    MACHINE_FIRST_RUN,    /* VM, vCPU: it was about to run once */
    MACHINE_WORD,         /* of memory that no table of the spec has: its address */
    MACHINE_NOTE = 128    /* of an overlay outside of the tree: its first kind */
};

static inline uint64_t machine_key(enum machine_kind kind, uint64_t a, uint64_t b)
{
    return (uint64_t)kind << 56 | (a & 0xffffff) << 32 | (b & UINT32_MAX);
}

static inline uint64_t machine_number(const struct fh_state *s, enum machine_kind kind, uint64_t a,
                                      uint64_t b)
{
    return number_at(&s->adt->machine, machine_key(kind, a, b));
}

static inline enum fh_status set_machine_number(struct fh_state *s, enum machine_kind kind,
                                                uint64_t a, uint64_t b, uint64_t value)
{
    if (machine_number(s, kind, a, b) == value)
        return FH_OK;
    return set_entry_u64(s, &s->adt->machine, machine_key(kind, a, b), value);
}

#endif
