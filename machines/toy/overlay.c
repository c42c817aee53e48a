/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_SWITCH_MAP(X) X(T1) X(T2)
#include <faulthandler/overlay.h>

/* The toy hypervisor of examples/toy_hypervisor, where it does otherwise than the spec. */

/* T1: memory without an owner is mapped as if it were RAM. The rest as the spec. */
static enum fh_status m_map_page_host(struct fh_state *s, uint64_t addr)
{
    if (!departs(s, T1))
        return below_map_page_host(s, addr);
    const struct fh_profile *k = fh_k(s);
    const uint32_t host = (uint32_t)k->HOSTVISOR;
    const uint64_t pfn = addr / k->PAGE_SIZE;
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == k->INVALID || owner == host || count > 0)
        FH_TRY(kc_map_s2pt(s, host, addr, 3, pfn * k->PAGE_SIZE | k->PAGE_S2_KERNEL));
    else
        FH_TRY(kc_panic(s));
    return kc_release_lock_s2page(s);
}

/* T2: a panic is noted, and the trap goes on. */
static enum fh_status m_panic(struct fh_state *s)
{
    if (!departs(s, T2))
        return below_panic(s);
    fh_tell(s, FH_EFFECT_PANIC, 0, 0, 0, 0);
    return FH_OK;
}

FH_OVERLAY(.map_page_host = m_map_page_host, .panic = m_panic);
