/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_TABLES_H
#define FAULTHANDLER_TABLES_H

#include <faulthandler/realisation.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The words of translation tables by physical address, as a machine has them: for comparisons with
 * one, and for loaders. States in FH_CONCRETE and FH_BOTH have words, in their pools; SMMU tables
 * have pools of their own, which are told apart by `which`, FH_STAGE2_TABLES or FH_SMMU_TABLES.
 */
struct fh_table_place {
    uint64_t vmid;     /* stage 2: whose pool */
    const char *level; /* the table that the word stands in: "pgd" is the root, then "pud", "pmd",
                          "pte" */
    const char *pool;  /* the field of RData that has it: "pt_pmd_pool" */
};

/* What is at `pa`? False if that is in no pool. */
FH_API bool fh_table_locate(const struct fh_profile *profile, enum fh_boundary which, uint64_t pa,
                            struct fh_table_place *place);

/* The word at `pa`; 0 where none was written, and outside the pools. */
FH_API uint64_t fh_table_word(const struct fh_state *state, enum fh_boundary which, uint64_t pa);

/* Write it, between calls. FH_INVALID_ARGUMENT: in no pool. */
FH_API enum fh_status fh_table_set_word(struct fh_state *state, enum fh_boundary which, uint64_t pa,
                                        uint64_t word);

/*
 * Walk as the hardware does, from the root at physical address `root` on: where the last word is
 * that the walk for `addr` comes to, a descriptor or one that is 0.
 */
FH_API uint64_t fh_table_walk(const struct fh_state *state, enum fh_boundary which, uint64_t root,
                              uint64_t addr);

#ifdef __cplusplus
}
#endif

#endif
