/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "PageManager"
#include "layers/page_manager.h"

/*
 * PageManager/Spec.v: who owns a page, with how many others it is shared, and at which guest page
 * its owner has it. Records are found by page frame number; a page without one belongs to INVALID
 * (it is a device's), and writes to it go nowhere.
 *
 * Context: the caller holds the lock of page ownership (S2PAGE_ID). In a halted state reads give 0
 * and writes are the identity. Stuck: pfn beyond the guest-page space, lock not held.
 */

/* Fields as effects number them. */
enum field { OWNER, COUNT, GFN };

static bool holds_lock(const struct fh_state *s)
{
    return lock_status(s, s->profile->S2PAGE_ID) == FH_LOCK_OWN;
}

/* The record of `pfn`, to be written; NULL where there is none. */
static enum fh_status edit_page(struct fh_state *s, uint64_t pfn, struct fh_s2page **page)
{
    *page = NULL;
    if (s2page_of(s, pfn)->s2_owner == s->profile->INVALID)
        return FH_OK;
    return edit_s2page(s, pfn, page);
}

/* The VM that owns page `pfn`; HOSTVISOR, COREVISOR, or INVALID for a page without a record.
 * PageManager/Spec.v: get_pfn_owner_spec */
enum fh_status spec_get_pfn_owner(struct fh_state *s, uint64_t pfn, uint32_t *result)
{
    FH_RELY(s, is_gfn(s->profile, pfn), pfn);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, holds_lock(s), pfn);
    *result = s2page_of(s, pfn)->s2_owner;
    observe(s, FH_EFFECT_S2_READ, pfn, OWNER, *result, 0);
    return FH_OK;
}

/* Give page `pfn` to `vmid`. Stuck also if vmid is out of range.
 * PageManager/Spec.v: set_pfn_owner_spec */
enum fh_status spec_set_pfn_owner(struct fh_state *s, uint64_t pfn, uint32_t vmid)
{
    FH_RELY(s, is_gfn(s->profile, pfn), pfn);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, holds_lock(s), pfn);
    struct fh_s2page *page;
    FH_TRY(edit_page(s, pfn, &page));
    if (!page)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), pfn, vmid);
    observe(s, FH_EFFECT_S2_SET, pfn, OWNER, page->s2_owner, vmid);
    page->s2_owner = vmid;
    return FH_OK;
}

/* How often page `pfn` is shared with the host. PageManager/Spec.v: get_pfn_count_spec */
enum fh_status spec_get_pfn_count(struct fh_state *s, uint64_t pfn, uint32_t *result)
{
    FH_RELY(s, is_gfn(s->profile, pfn), pfn);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, holds_lock(s), pfn);
    *result = s2page_of(s, pfn)->s2_count;
    observe(s, FH_EFFECT_S2_READ, pfn, COUNT, *result, 0);
    return FH_OK;
}

/* PageManager/Spec.v: set_pfn_count_spec */
enum fh_status spec_set_pfn_count(struct fh_state *s, uint64_t pfn, uint32_t count)
{
    FH_RELY(s, is_gfn(s->profile, pfn), pfn);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, holds_lock(s), pfn);
    struct fh_s2page *page;
    FH_TRY(edit_page(s, pfn, &page));
    if (!page)
        return FH_OK;
    observe(s, FH_EFFECT_S2_SET, pfn, COUNT, page->s2_count, count);
    page->s2_count = count;
    return FH_OK;
}

/* The guest page at which the owner of `pfn` has it, INVALID64 if nowhere yet.
 * PageManager/Spec.v: get_pfn_map_spec */
enum fh_status spec_get_pfn_map(struct fh_state *s, uint64_t pfn, uint64_t *result)
{
    FH_RELY(s, is_gfn(s->profile, pfn), pfn);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, holds_lock(s), pfn);
    *result = s2page_of(s, pfn)->s2_gfn;
    observe(s, FH_EFFECT_S2_READ, pfn, GFN, *result, 0);
    return FH_OK;
}

/* PageManager/Spec.v: set_pfn_map_spec */
enum fh_status spec_set_pfn_map(struct fh_state *s, uint64_t pfn, uint64_t gfn)
{
    FH_RELY(s, is_gfn(s->profile, pfn), pfn);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, holds_lock(s), pfn);
    struct fh_s2page *page;
    FH_TRY(edit_page(s, pfn, &page));
    if (!page)
        return FH_OK;
    observe(s, FH_EFFECT_S2_SET, pfn, GFN, page->s2_gfn, gfn);
    page->s2_gfn = gfn;
    return FH_OK;
}
