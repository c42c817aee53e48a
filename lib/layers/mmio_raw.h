/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_RAW_H
#define FH_LAYERS_MMIO_RAW_H

#include "layers/kcore.h"

/*
 * MmioRaw/Spec.v: where the context banks begin in an SMMU's registers, and the binary logarithm of
 * a bank's size. They are no constants of Constants.v, and the same in every profile.
 */
enum { SMMU_GLOBAL_BASE = 0x8000, ARM_SMMU_PGSHIFT = 12 };

FH_LAYER_MmioRaw(KC_PROTOTYPE)

#endif
