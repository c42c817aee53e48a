/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MEM_MANAGER_H
#define FH_LAYERS_MEM_MANAGER_H

#include "layers/kcore.h"

FH_LAYER_MemManager(KC_PROTOTYPE)

#endif
