/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_VM_POWER_H
#define FH_LAYERS_VM_POWER_H

#include "layers/kcore.h"

FH_LAYER_VMPower(KC_PROTOTYPE)

#endif
