/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_PHYSICAL_H
#define FH_LAYERS_PHYSICAL_H

#include "layers/kcore.h"

/*
 * What memory holds and what TLBs keep: `memory` and `tlb` of the data, which the spec does not
 * have. KCore writes to memory where it scrubs a page or transforms one; it tells the TLB where it
 * takes a page from the host. All of this is empty unless somebody accesses memory (access.h), and
 * then costs nothing.
 */

/* The word at `pa`, a multiple of 8; 0 where nobody wrote one. */
uint64_t memory_word(const struct fh_state *s, uint64_t pa);
enum fh_status set_memory_word(struct fh_state *s, uint64_t pa, uint64_t word);

/* Page `pfn` holds `value` in its first word, and zeros. */
enum fh_status fill_memory_page(struct fh_state *s, uint64_t pfn, uint64_t value);

/*
 * A translation that a TLB may keep: of a VM's (or the host's) stage 2 on one CPU, or of a context
 * bank of an SMMU, which then is `owner` = its number among all banks.
 */
struct tlb_tag {
    bool is_smmu;
    uint64_t owner;
    uint64_t cpu;
};

/* The descriptor kept for `address`, with the level of its table; 0: none. */
uint64_t tlb_find(const struct fh_state *s, const struct tlb_tag *tag, uint64_t address,
                  int *level);
enum fh_status tlb_keep(struct fh_state *s, const struct tlb_tag *tag, uint64_t address, int level,
                        uint64_t descriptor);

/* TLBI IPAS2E1IS, with what goes with it: no CPU has a translation of `ipa` for `vmid` any more. */
enum fh_status tlb_invalidate(struct fh_state *s, uint64_t vmid, uint64_t ipa);

/* A write to an SMMU's register, which may be one that invalidates what a TLB has. */
FH_SELDOM enum fh_status tlb_invalidate_smmu(struct fh_state *s, uint64_t address, uint64_t value);

static inline enum fh_status tlb_smmu_written(struct fh_state *s, uint64_t address, uint64_t value)
{
    return s->adt->tlb.root ? tlb_invalidate_smmu(s, address, value) : FH_OK;
}

#endif
