/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_POOLS_H
#define FH_STATE_POOLS_H

#include <faulthandler/profile.h>

/*
 * The memory pools of stage-2 tables (Constants.v: pool_start ... pool_end): the host's, one for
 * each VM and one for EL2 itself, each with an area for the root, for tables of the first, second
 * and third level.
 */
static inline uint64_t pool_start(const struct fh_profile *k, uint64_t vmid)
{
    if (vmid == k->HOSTVISOR)
        return k->PT_POOL_START;
    if (vmid == k->COREVISOR)
        return k->COREVISOR_POOL_START;
    return k->PT_POOL_START + k->HOST_POOL_SIZE + (vmid - 1) * k->PT_POOL_PER_VM;
}

/* That of three numbers which is about the pool of `vmid`. */
static inline uint64_t of_pool(const struct fh_profile *k, uint64_t vmid, uint64_t host,
                               uint64_t core, uint64_t vm)
{
    if (vmid == k->HOSTVISOR)
        return host;
    return vmid == k->COREVISOR ? core : vm;
}

static inline uint64_t pool_end(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) +
           of_pool(k, vmid, k->HOST_POOL_SIZE, k->COREVISOR_POOL_SIZE, k->PT_POOL_PER_VM);
}

static inline uint64_t pgd_start(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) +
           of_pool(k, vmid, k->HOST_PGD_OFFSET, k->COREVISOR_PGD_OFFSET, k->PGD_OFFSET);
}

static inline uint64_t pud_start(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) +
           of_pool(k, vmid, k->HOST_PUD_OFFSET, k->COREVISOR_PUD_OFFSET, k->PUD_OFFSET);
}

static inline uint64_t pmd_start(const struct fh_profile *k, uint64_t vmid)
{
    return pool_start(k, vmid) +
           of_pool(k, vmid, k->HOST_PMD_OFFSET, k->COREVISOR_PMD_OFFSET, k->PMD_OFFSET);
}

/* With three levels there are no puds: the root's descriptors point to pmd tables. */
static inline bool has_puds(const struct fh_profile *k, uint64_t vmid)
{
    return (vmid == k->COREVISOR ? k->COREVISOR_LEVELS : k->STAGE2_LEVELS) == 4;
}

#endif
