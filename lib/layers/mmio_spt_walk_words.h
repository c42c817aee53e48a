/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_SPT_WALK_WORDS_H
#define FH_LAYERS_MMIO_SPT_WALK_WORDS_H

#include "layers/kcore.h"

/*
 * The concrete realisation of MmioSPTWalk: the bodies that its spec was proved against, on the
 * words of the tables in the pools. Context: as for clear_smmu_pt, walk_smmu_pt and set_smmu_pt, in
 * a state that has not halted.
 */
enum fh_status clear_smmu_pt_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index);
enum fh_status walk_smmu_pt_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                     uint64_t addr, uint64_t *result);
enum fh_status set_smmu_pt_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                    uint64_t addr, uint64_t pte);

/*
 * The same for a caller that need not hold SPT_ID, TrapHandler; tstate stays as it is. *full: a
 * pool is exhausted, and the state has halted.
 */
enum fh_status map_smmu_page_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                      uint64_t addr, uint64_t pte, bool *full);
enum fh_status empty_smmu_table_in_words(struct fh_state *s, uint32_t cbndx, uint32_t index);

/*
 * What the words say of page `gfn` of the bank whose root table is at `ttbr`, as an entry of its
 * map in spt_pt: (0, 0) where no descriptor maps it. Reads the pools as they are.
 */
struct fh_spt_entry spt_entry_in_words(const struct fh_state *s, uint64_t ttbr, uint64_t gfn);

/* The address of the root table's word for page `gfn`, and whether it outlived a clearing: the body
 * clears the first word of a root table only, the spec all. */
uint64_t smmu_root_word(const struct fh_profile *k, uint64_t ttbr, uint64_t gfn);
bool is_outlived(const struct fh_state *s, uint64_t ttbr, uint64_t gfn);

#endif
