/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_PT_WALK_H
#define FH_LAYERS_MMIO_PT_WALK_H

#include "layers/kcore.h"

FH_LAYER_MmioPTWalk(KC_PROTOTYPE)

#endif
