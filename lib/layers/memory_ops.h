/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MEMORY_OPS_H
#define FH_LAYERS_MEMORY_OPS_H

#include "layers/kcore.h"

FH_LAYER_MemoryOps(KC_PROTOTYPE)

#endif
