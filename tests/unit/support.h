/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_SUPPORT_H
#define FH_TESTS_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <faulthandler/faulthandler.h>

/* Memory that counts what is out, checks sizes on return, and fails when told to. */
struct memory {
    struct fh_allocator allocator;
    size_t blocks;      /* out now */
    size_t bytes;       /* out now */
    size_t allocations; /* since the last memory_fail_at */
    size_t fail_at;     /* the allocation of this number fails, from 1; 0: none does */
    bool fail_for_good; /* so do all that follow */
};

void memory_init(struct memory *memory);
void memory_fail_at(struct memory *memory, size_t n, bool for_good);

/* Random numbers that depend on the seed alone (splitmix64). */
uint64_t random_u64(uint64_t *seed);

/* A state in `memory`, in the base state of the profile; NULL: that of the spec. */
struct fh_state *new_state(struct memory *memory, const struct fh_profile *profile,
                           enum fh_log_policy policy);

/*
 * The same with what the host has: one memory region of `pages` pages at `base`, owned by the host.
 */
struct fh_state *new_host_state(struct memory *memory, enum fh_log_policy policy, uint64_t base,
                                uint64_t pages);

/* The number of places that differ; the path of the first one, if wanted. */
unsigned count_changes(const struct fh_rdata *before, const struct fh_rdata *after, char *first,
                       size_t size);

#define assert_same_data(before, after)                                                            \
    do {                                                                                           \
        char path_[160] = "";                                                                      \
        unsigned changes_ = count_changes(before, after, path_, sizeof path_);                     \
        ck_assert_msg(changes_ == 0, "%u places differ, first %s", changes_, path_);               \
    } while (0)

/* Run the tests of a file; the value is main's. `add` adds them to the case. */
int run_tests(const char *name, void (*add)(TCase *tests));

#endif
