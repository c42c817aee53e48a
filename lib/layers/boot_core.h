/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_BOOT_CORE_H
#define FH_LAYERS_BOOT_CORE_H

#include "layers/kcore.h"

FH_LAYER_BootCore(KC_PROTOTYPE)

#endif
