/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_PT_WALK_H
#define FH_LAYERS_PT_WALK_H

#include "layers/kcore.h"

FH_LAYER_PTWalk(KC_PROTOTYPE)

#endif
