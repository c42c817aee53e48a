/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_NPT_WALK_H
#define FH_LAYERS_NPT_WALK_H

#include "layers/kcore.h"

/*
 * The mapping itself, of set_npt and of TrapHandler, which knows no locks (local_mmap). *full: a
 * table pool is exhausted or a block in the way of a page, and nothing is mapped; KCore halts, or
 * has already, if the tables are words.
 */
enum fh_status map_stage2(struct fh_state *s, uint32_t vmid, wide addr, uint32_t level,
                          uint64_t pte, bool *full);

/* The entry of page `gfn`, in either realisation. */
struct fh_pt_entry stage2_entry(const struct fh_state *s, uint64_t vmid, uint64_t gfn);

FH_LAYER_NPTWalk(KC_PROTOTYPE)

#endif
