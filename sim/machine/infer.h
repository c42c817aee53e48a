/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MACHINE_INFER_H
#define SIM_MACHINE_INFER_H

#include "machine/machine.h"

/* What `fhsim machine infer` collects from a trace, and writes. */

enum { SEEN_CALLS = 256, SEEN_REGISTERS = 512 };

struct seen_call {
    uint64_t number;
    uint64_t count;
    char name[48]; /* as recorded */
    bool runs;     /* one of them ended in a VM */
};

struct seen_register {
    uint64_t number;
    char name[32]; /* "": never said */
};

enum seen_level { SEEN_pgd, SEEN_pud, SEEN_pmd, SEEN_pte, SEEN_OTHER_LEVEL };

/* Pools of the host's and of VMs' tables: pgd, pud, pmd of each. */
enum { SEEN_PLACES = 6, SEEN_VMS = 256 };

struct seen {
    uint64_t pools[SEEN_VMS];      /* where the pools of each table begin */
    uint64_t offsets[SEEN_PLACES]; /* of pools that are counted, from there; 0: not seen */
    unsigned taken;                /* the pool of which a page was taken last; SEEN_PLACES: none */
    uint64_t taken_index;
    /* of the boot record */
    uint64_t own_vmid; /* EL2's own table */
    uint64_t lowest_pool;
    uint64_t kernel_page; /* PAGE_S2_KERNEL, or 0 */
    /* of all records */
    uint64_t lines, cpus;
    uint64_t traps[TRACE_KINDS + 1];
    uint64_t kinds[TRACE_EFFECT_KINDS];
    size_t ncalls, nregisters;
    struct seen_call calls[SEEN_CALLS];
    struct seen_register registers[SEEN_REGISTERS];
    unsigned levels, own_levels; /* as bits */
    uint64_t nexts, steps_of_1, steps_of_page, beyond_pools;
    bool has_marks;
    uint64_t marks; /* of a leaf */
};

/* The machine of the tree that the boot record contradicts least. */
const struct machine_description *machine_infer_base(const struct trace_line *boot);

/* On standard output: what the boot record tells, what the rest does. */
void machine_infer_boot(const struct trace_line *boot, const struct machine_description *base,
                        const char *path);
void machine_infer_rest(const struct seen *seen, const struct machine_description *base);

#endif
