/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_LOCK_OPS_Q_H
#define FH_LAYERS_LOCK_OPS_Q_H

#include "layers/kcore.h"

FH_LAYER_LockOpsQ(KC_PROTOTYPE)

#endif
