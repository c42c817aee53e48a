/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_LOCK_OPS_H_H
#define FH_LAYERS_LOCK_OPS_H_H

#include "layers/kcore.h"

FH_LAYER_LockOpsH(KC_PROTOTYPE)

#endif
