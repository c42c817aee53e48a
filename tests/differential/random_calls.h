/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_RANDOM_CALLS_H
#define FH_TESTS_RANDOM_CALLS_H

#include "support.h"

/*
 * Random calls of KCore on a small machine: arguments that fit together often, and some that fit
 * nothing. Everything follows from the seed.
 */
struct random_call {
    const struct fh_function *function;
    uint64_t args[FH_MAX_ARGS];
};

/*
 * A machine with three VMs, memory of the host, an SMMU whose banks have owners, and as many pages
 * for tables of the last level in each pool as `tables` says; 0: the whole pools.
 */
struct fh_state *new_machine(struct memory *memory, const struct fh_profile *profile,
                             enum fh_log_policy policy, enum fh_realisation realisation,
                             uint64_t tables);

/*
 * The next steps: a trap or a call, with the calls that prepare it in front and those that end a
 * critical section behind it. Returns their number, at most MAX_STEPS.
 */
enum { MAX_STEPS = 8 };
unsigned random_steps(const struct fh_profile *profile, uint64_t *seed,
                      struct random_call steps[MAX_STEPS]);

/* A call of this function with random arguments. */
void random_call(const struct fh_profile *profile, uint64_t *seed, const char *name,
                 struct random_call *call);

/* "map_s2pt(1, 0x2000, 3, 0x200fff)" */
const char *call_text(const struct random_call *call, char *buffer, size_t size);

/* Write the registers of a fault, random too: the same for the same seed. */
void random_registers(struct fh_state *state, uint64_t seed);

#endif
