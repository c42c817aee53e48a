/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_CORE_AUX_H
#define FH_LAYERS_MMIO_CORE_AUX_H

#include "layers/kcore.h"

FH_LAYER_MmioCoreAux(KC_PROTOTYPE)

#endif
