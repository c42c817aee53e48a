/* SPDX-License-Identifier: GPL-2.0-only */
#include "growth.h"

#include <stdio.h>
#include <stdlib.h>

#include "cases.h"

static const struct fh_profile *const sekvm = &fh_profile_sekvm_4_18;

enum { FIRST_PFN = 0x40000, FAULTS = 4096, ROUNDS = 101 };

struct line {
    uint64_t next;
    char rest[56];
};

/* A prime, larger than what a cache holds of neighbours. */
static uint64_t scattered(uint64_t i, uint64_t pages)
{
    return FIRST_PFN + i * 514229 % pages;
}

static uint64_t in_order(uint64_t i, uint64_t pages)
{
    return FIRST_PFN + i % pages;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Nanoseconds of a fault, the median of rounds that go on where the last one ended. */
static double time_again(struct fh_state *state, uint64_t pages,
                         uint64_t (*pfn_of_fault)(uint64_t i, uint64_t pages))
{
    double samples[ROUNDS];
    uint64_t done = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const double begin = now();
        for (unsigned i = 0; i < FAULTS; i++)
            fault(state, pfn_of_fault(done++, pages) * sekvm->PAGE_SIZE, 0);
        samples[round] = (now() - begin) / FAULTS;
    }
    qsort(samples, ROUNDS, sizeof *samples, compare);
    return samples[ROUNDS / 2];
}

static double time_new(struct fh_state *state, uint64_t pages)
{
    const double begin = now();
    for (uint64_t i = 0; i < pages; i++)
        fault(state, in_order(i, pages) * sekvm->PAGE_SIZE, 0);
    return (now() - begin) / (double)pages;
}

/* A ring through all lines of so many bytes, in an order that nothing foresees (Sattolo). */
static struct line *new_ring(uint64_t bytes)
{
    const uint64_t lines = bytes / sizeof(struct line);
    struct line *ring = calloc(lines, sizeof *ring);
    uint64_t random = 1;
    if (!ring)
        give_up("out of memory");
    for (uint64_t i = 0; i < lines; i++)
        ring[i].next = i;
    for (uint64_t i = lines - 1; i > 0; i--) {
        random = random * UINT64_C(6364136223846793005) + 1;
        const uint64_t other = (random >> 33) % i, next = ring[i].next;
        ring[i].next = ring[other].next;
        ring[other].next = next;
    }
    return ring;
}

static double time_load(uint64_t bytes)
{
    struct line *ring = new_ring(bytes);
    double samples[ROUNDS];
    volatile uint64_t at = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const double begin = now();
        uint64_t line = at;
        for (unsigned i = 0; i < FAULTS; i++)
            line = ring[line].next;
        at = line;
        samples[round] = (now() - begin) / FAULTS;
    }
    free(ring);
    qsort(samples, ROUNDS, sizeof *samples, compare);
    return samples[ROUNDS / 2];
}

static double bytes_a_page(const struct fh_map *map, const struct fh_map_type *type, uint64_t pages)
{
    return (double)fh_map_bytes(map, type) / (double)pages;
}

void print_growth(uint64_t pages)
{
    const uint64_t before = bytes_out;
    struct fh_state *state = machine_new(sekvm, FH_LOG_SUMMARY, FIRST_PFN, pages);
    const double new_page = time_new(state, pages);
    const double anywhere = time_again(state, pages, scattered);
    const double next = time_again(state, pages, in_order);
    const struct fh_shared *shared = &fh_state_rdata(state)->shared;
    const struct fh_npt *npt =
        *(struct fh_npt *const *)fh_map_get(&shared->npts, TABLES, sekvm->HOSTVISOR);
    const uint64_t all = bytes_out - before;
    printf("%llu\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t", (unsigned long long)pages, new_page,
           anywhere, next, bytes_a_page(&shared->s2page, OWNERS, pages),
           bytes_a_page(&npt->pt, MAPPINGS, pages), (double)all / (double)pages);
    fh_state_free(state);
    printf("%.1f\n", time_load(all));
}

/* Not inlined: bench/growth.py collects between entering and leaving this. */
__attribute__((noinline)) static void measured_call_of_growth(struct fh_state *state, uint64_t pfn)
{
    fault(state, pfn * sekvm->PAGE_SIZE, 0);
}

void run_growth(uint64_t pages, unsigned calls)
{
    struct fh_state *state = machine_new(sekvm, FH_LOG_SUMMARY, FIRST_PFN, pages);
    for (unsigned i = 0; i < calls; i++) /* what follows are pages that were mapped */
        fault(state, scattered(i, pages) * sekvm->PAGE_SIZE, 0);
    for (unsigned i = 0; i < calls; i++)
        measured_call_of_growth(state, scattered(i, pages));
    fh_state_free(state);
}
