/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CPUS_H
#define SIM_CPUS_H

#include <faulthandler/faulthandler.h>

#include "base/node.h"

/*
 * Several CPUs on one machine. RData is the machine as one CPU has it: its registers, who runs on
 * it, which locks it holds, beside what all share. The CPUs that do not act wait here.
 */
struct cpus;

struct cpus *cpus_new(struct arena *arena);
void cpus_free(struct cpus *cpus, const struct fh_allocator *allocator);

/* From here on `cpu` acts. False when memory runs out. */
bool cpus_switch(struct cpus *cpus, struct fh_state *state, uint64_t cpu);

/* The number of the context in which KCore keeps the registers of the host of this CPU. */
uint64_t cpus_host_vcpuid(const struct fh_profile *k, uint64_t cpu);

#endif
