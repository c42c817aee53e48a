/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_SPT_WALK_H
#define FH_LAYERS_MMIO_SPT_WALK_H

#include "layers/kcore.h"

FH_LAYER_MmioSPTWalk(KC_PROTOTYPE)

#endif
