/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BENCH_START_H
#define FH_BENCH_START_H

#include <stdbool.h>

/*
 * Run `fhsim run` on a scenario of one step on a machine of 4 GiB, from start to end: how long it
 * takes and how much memory it needs at most. False if it cannot be run.
 */
bool measure_start(const char *fhsim, double *milliseconds, double *mebibytes);

#endif
