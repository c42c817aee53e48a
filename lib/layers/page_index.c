/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "PageIndex"
#include "layers/page_index.h"

#include "layers/abstract_machine.h"
#include "layers/mem_region.h"

/*
 * PageIndex/Spec.v: where KCore keeps the ownership record of a page.
 *
 * Context: no lock; the regions never change. Works in a halted state too.
 */

/*
 * The index of the page at `addr` (a byte address) in the array of ownership records, INVALID64
 * for memory that has none.
 * Stuck: where mem_region_search is, or a region whose first index is out of range.
 * PageIndex/Spec.v: get_s2_page_index_spec
 */
enum fh_status spec_get_s2_page_index(struct fh_state *s, uint64_t addr, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    uint32_t region;
    FH_TRY(kc_mem_region_search(s, addr, &region));
    *result = k->INVALID64;
    if (region == k->INVALID)
        return FH_OK;
    uint64_t first, base;
    FH_TRY(kc_get_mem_region_index(s, region, &first));
    if (first == k->INVALID64)
        return FH_OK;
    FH_RELY(s, is_addr(k, first), region, first);
    FH_TRY(kc_get_mem_region_base(s, region, &base));
    *result = first + (addr - base) / k->PAGE_SIZE;
    return FH_OK;
}
