/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MemRegion"
#include "layers/mem_region.h"

#include "layers/abstract_machine.h"

/*
 * MemRegion/Spec.v: which of the machine's memory regions an address lies in.
 *
 * Context: no lock; the regions never change. Works in a halted state too.
 */

/*
 * The index of the last region that holds `addr` (a byte address), INVALID if none does.
 * Stuck: more regions than MAX_MEMBLOCK_NUM - 1, addr out of range, a region that does not lie
 * within the address space. MemRegion/Spec.v: mem_region_search_spec
 */
enum fh_status spec_mem_region_search(struct fh_state *s, uint64_t addr, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_memblock(k, s->adt->region_cnt), s->adt->region_cnt);
    FH_RELY(s, is_addr(k, addr), addr);
    uint32_t count;
    FH_TRY(kc_get_mem_region_cnt(s, &count));
    *result = (uint32_t)k->INVALID;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t base, size;
        FH_TRY(kc_get_mem_region_base(s, i, &base));
        FH_RELY(s, is_addr(k, base), i, base);
        FH_TRY(kc_get_mem_region_size(s, i, &size));
        FH_RELY(s, is_addr_sum(k, base, size), i, base, size);
        if (base <= addr && addr < base + size)
            *result = i;
    }
    return FH_OK;
}
