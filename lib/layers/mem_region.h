/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MEM_REGION_H
#define FH_LAYERS_MEM_REGION_H

#include "layers/kcore.h"

FH_LAYER_MemRegion(KC_PROTOTYPE)

#endif
