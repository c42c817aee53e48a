/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_BOOT_OPS_H
#define FH_LAYERS_BOOT_OPS_H

#include "layers/kcore.h"

FH_LAYER_BootOps(KC_PROTOTYPE)

#endif
