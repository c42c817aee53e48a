/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BENCH_REPORT_H
#define FH_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* What was measured, again and again, and what it should not exceed. */
enum { SAMPLES_MAX = 101 };

struct row {
    const char *name; /* for programs */
    const char *what; /* for people */
    const char *unit;
    double goal; /* 0: none */
    double samples[SAMPLES_MAX];
    unsigned count;
};

void report_begin(bool json);
void report_row(struct row *row);

/* Returns the number of rows whose median is over their goal. */
unsigned report_end(void);

#endif
