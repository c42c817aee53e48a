/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BENCH_REPLAY_H
#define FH_BENCH_REPLAY_H

#include <stdbool.h>

/*
 * Run `fhsim replay` on a trace, read several times in a row, with further `option` if it is not
 * NULL: nanoseconds per trap, reading included, by the program's own account. False if it cannot
 * be run, or finds a divergence.
 */
bool measure_replay(const char *fhsim, const char *trace, const char *option, double *nanoseconds);

/* Run `fhsim convert`: false if it fails. */
bool convert_trace(const char *fhsim, const char *trace, const char *to);

#endif
