/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_LOCKS_H
#define FH_LAYERS_LOCKS_H

#include "layers/kcore.h"

FH_LAYER_Locks(KC_PROTOTYPE)

#endif
