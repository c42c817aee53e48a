/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_CHECK_H
#define SIM_TRACE_CHECK_H

#include <faulthandler/profile.h>

#include "trace/trace.h"

/*
 * Can these records be? A record that has all its keys may still say what no machine does: a CPU
 * that is in two places, events that happen twice, memory that overlaps. Whoever follows a trace
 * asks here first, since every one of these would be compared as something else.
 */

/* What a machine has at most. */
struct trace_limits {
    uint64_t cpus;
    uint64_t regions;       /* of memory */
    uint64_t vms;           /* numbers of VMs, the host's and EL2's own among them */
    uint64_t vcpus;         /* of a VM */
    uint64_t banks;         /* context banks of all SMMUs */
    uint64_t page_size;     /* a power of two */
    uint64_t phys_size;     /* addresses of memory are below */
    bool pools_are_offsets; /* where the pools of a level begin is no address */
};

/* As the profile has them; of CPUs as many as TRACE_CPUS_MAX. */
enum { TRACE_CPUS_MAX = 64 };
struct trace_limits trace_limits_of(const struct fh_profile *k);

/* What is wrong, in words, and at which of the record's effects; NO_EFFECT: not in an effect. */
struct trace_fault {
    char text[200];
    size_t effect;
};
enum { TRACE_NO_EFFECT = -1 };

struct trace_check;
struct trace_check *trace_check_new(const struct trace_limits *limits);
void trace_check_free(struct trace_check *check);
/* Which machine it is became known: VMs and vCPUs are those that it has. */
void trace_check_limit(struct trace_check *check, const struct trace_limits *limits);

/*
 * The next record of the file, which tells of one stay. False: it cannot be, *fault says why, and
 * the check stays as it was. What a foreign recording leaves open is not checked.
 */
bool trace_check_next(struct trace_check *check, const struct trace_line *line,
                      struct trace_fault *fault);

/* The effects of a record that describes the machine as it begins. Needs no record before it. */
bool trace_check_boot(const struct trace_limits *limits, const struct trace_line *line,
                      struct trace_fault *fault);

#endif
