/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BENCH_GROWTH_H
#define FH_BENCH_GROWTH_H

#include <stdint.h>

/*
 * What a page of a machine costs when it has many: prints a line of numbers with tabs between them,
 *
 *   pages; ns of a fault on a new page, on a page that was mapped before anywhere, on the next one
 *   bytes a page of who owns pages, of where they are mapped, of all that was allocated
 *   ns of a load that depends on the one before, from as much memory
 */
void print_growth(uint64_t pages);

/* Makes `calls` faults on pages that are mapped, anywhere in a machine of so many pages. */
void run_growth(uint64_t pages, unsigned calls);

#endif
