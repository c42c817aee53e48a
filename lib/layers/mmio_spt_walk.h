/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_SPT_WALK_H
#define FH_LAYERS_MMIO_SPT_WALK_H

#include "layers/kcore.h"

/*
 * The steps themselves, of this layer and of TrapHandler, which knows no locks (local_spt_map).
 * *full: a table pool is exhausted, and nothing is mapped.
 */
enum fh_status map_smmu_page(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t addr,
                             uint64_t pte, bool *full);
enum fh_status empty_smmu_table(struct fh_state *s, uint32_t cbndx, uint32_t index);
struct fh_spt_entry smmu_entry(const struct fh_state *s, uint32_t cbndx, uint32_t index,
                               uint64_t gfn);

FH_LAYER_MmioSPTWalk(KC_PROTOTYPE)

#endif
