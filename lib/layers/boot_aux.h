/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_BOOT_AUX_H
#define FH_LAYERS_BOOT_AUX_H

#include "layers/kcore.h"

FH_LAYER_BootAux(KC_PROTOTYPE)

#endif
