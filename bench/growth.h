/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BENCH_GROWTH_H
#define FH_BENCH_GROWTH_H

#include <stdint.h>

/*
 * What a page of a machine costs when it has many: prints one line of tab-separated numbers,
 *
 *   pages, ns of a fault on a new page, on a page that was mapped before (anywhere; next to the
 * last one), bytes a page of who owns pages, of where they are mapped, of all that was allocated
 */
void print_growth(uint64_t pages);

/* Makes `calls` faults on pages that are mapped, anywhere in a machine of so many pages. */
void run_growth(uint64_t pages, unsigned calls);

#endif
