/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BENCH_CASES_H
#define FH_BENCH_CASES_H

#include "machine.h"

/*
 * The calls whose costs are followed: in instructions, counted by bench/count, and in time.
 *
 * `prepare` and `call` are told of the number of the call, from 0; only `call` is measured. On one
 * machine at most `most` calls can be made.
 */
struct bench_case {
    const char *name;
    const char *what;
    const char *unit; /* of times: "ns" or "us" */
    unsigned most;
    struct fh_state *(*machine)(void);
    void (*prepare)(struct fh_state *state, unsigned n);
    void (*call)(struct fh_state *state, unsigned n);
};

/* The cases in order; NULL behind the last one. */
const struct bench_case *case_at(unsigned index);
const struct bench_case *case_named(const char *name);

/* Make `calls` calls on one machine. */
void run_case(const struct bench_case *bench, unsigned calls);

/* Nanoseconds of a call, the mean of as many calls as a machine allows. */
double time_case(const struct bench_case *bench);

double now(void);
void check(enum fh_status status, const struct fh_state *state);

/* A fault of the host: the registers are written and the call is made. */
void fault(struct fh_state *state, uint64_t addr, uint64_t esr);

#endif
