/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_NPT_WALK_WORDS_H
#define FH_LAYERS_NPT_WALK_WORDS_H

#include "layers/kcore.h"

/*
 * The concrete realisation of NPTWalk: the bodies that its spec was proved against, on the words of
 * the tables in the pools. Context: as for get_npt_level, walk_npt and set_npt, in a state that has
 * not halted.
 */
enum fh_status get_npt_level_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                      uint32_t *result);
enum fh_status walk_npt_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                 uint64_t *result);
enum fh_status set_npt_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
                                uint64_t pte);

/*
 * set_npt_in_words for a caller that need not hold the table's lock, TrapHandler; tstate stays as
 * it is. *full: a pool is exhausted or a block in the way, and the state has halted.
 */
enum fh_status map_in_words(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t level,
                            uint64_t pte, bool *full);

/*
 * What the words say of page `gfn`, as an entry of `pt`: (0, 0, 0) where no descriptor maps it.
 * Reads the pools as they are, whatever is in them.
 */
struct fh_pt_entry entry_in_words(const struct fh_state *s, uint64_t vmid, uint64_t gfn);

#endif
