/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_REALISATION_H
#define FAULTHANDLER_REALISATION_H

#include <faulthandler/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The relation between the abstract and the concrete realisation of a state that has both. What it
 * says, and where the spec's own two forms differ, is in docs/realisations.md.
 */
enum fh_boundary { FH_STAGE2_TABLES, FH_SMMU_TABLES, FH_LOCKS };

/* A place where the two disagree. */
struct fh_disagreement {
    enum fh_boundary boundary;
    const char *what; /* "mapping", "table", "word beyond the pool's pages", "holder" */
    uint64_t owner;   /* stage 2: the VM; SMMU: the bank's TTBR; locks: the lock's identifier */
    uint64_t addr;    /* the byte address that is translated, or that of the word */

    /*
     * What each form says: descriptors with their levels, 0 where there is none; for tables,
     * whether there is one; for locks 1 + the CPU that has it, 0 for a lock that is free.
     */
    uint64_t abstract_value, concrete_value;
    unsigned abstract_level, concrete_level;
};

/*
 * Hold all tables and locks of the state against each other, in the order of the boundaries, VMs
 * and addresses. FH_OK: they agree, or the machine has halted, after which the spec relates
 * nothing. FH_DISAGREE: *first (which may be NULL) is the first place where they do not.
 * FH_INVALID_ARGUMENT: the state does not have both forms.
 */
FH_API enum fh_status fh_check_realisations(const struct fh_state *state,
                                            struct fh_disagreement *first);

#ifdef __cplusplus
}
#endif

#endif
