/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_TRAP_CASES_H
#define FH_TESTS_TRAP_CASES_H

#include "support.h"

/*
 * Situations in which KCore is entered: a machine with VMs in each state of their lives, and traps
 * of the host and of the VMs that mostly fit it, and sometimes fit nothing. Everything follows from
 * the seed.
 */
/* Hypercalls of the host in the profile `spec`, as constant expressions. */
enum {
#define CALL_NUMBER(name, value) CALL_##name = (int)((value)&0xff),
    FH_CONSTANT_MAP(CALL_NUMBER)
#undef CALL_NUMBER
};

enum trap_entry { TRAP_HOST_HVC, TRAP_HOST_NPT, TRAP_VCPU_RUN, TRAP_VM_EXIT, TRAP_ENTRIES };

/* What the oracles of data say: the next values of the VM that the trap is about, then others. */
enum { SCRIPTED = 4 };

struct trap {
    enum trap_entry entry;
    uint64_t x[6]; /* of the host: call and arguments, or the VM that is to run */
    uint64_t vmid; /* the VM that the trap is about, 0 for none */
    uint64_t vcpuid;
    bool is_odd; /* the machine has been spoiled for it, and should begin anew afterwards */
    uint64_t seed;
    uint64_t data_from, core_from; /* how many values had been read */
    uint64_t data[SCRIPTED], core[SCRIPTED];
};

/* A machine in `memory`; its environment answers for the trap that comes next, `*trap`. */
struct fh_state *new_trap_machine(struct memory *memory, uint64_t seed, struct trap *trap);

/* Change the machine a little and bring it to where the next trap comes, which goes to *trap. */
void random_trap(struct fh_state *machine, uint64_t *seed, struct trap *trap);

/* Does KCore find the image that it has mapped at `remap_addr` to be the signed one? */
bool image_is_signed(uint64_t remap_addr);

/* "host_hvc SMMU_CLEAR(0x200000, 0x1, 0x0, ...)" */
const char *trap_text(const struct trap *trap, char *buffer, size_t size);

/* The name of a hypercall of the host without HVC_; "unknown" for others. */
const char *hypercall_name(uint64_t call);

#endif
