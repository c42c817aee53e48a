/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_POOLS_H
#define FH_STATE_POOLS_H

#include <faulthandler/profile.h>

/*
 * The memory pools of stage-2 tables (Constants.v: pool_start ... pool_end): the host's, then one
 * for each VM, each with an area for the root, for tables of the first, second and third level.
 */
static inline uint64_t pool_start(const struct fh_profile *k, uint64_t vmid)
{
    if (vmid == k->HOSTVISOR)
        return k->PT_POOL_START;
    return k->PT_POOL_START + k->HOST_POOL_SIZE + (vmid - 1) * k->PT_POOL_PER_VM;
}

static inline uint64_t pool_end(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) + (vmid == k->HOSTVISOR ? k->HOST_POOL_SIZE : k->PT_POOL_PER_VM);
}

static inline uint64_t pgd_start(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) + (vmid == k->HOSTVISOR ? k->HOST_PGD_OFFSET : k->PGD_OFFSET);
}

static inline uint64_t pud_start(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) + (vmid == k->HOSTVISOR ? k->HOST_PUD_OFFSET : k->PUD_OFFSET);
}

static inline uint64_t pmd_start(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) + (vmid == k->HOSTVISOR ? k->HOST_PMD_OFFSET : k->PMD_OFFSET);
}

#endif
