/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_RAW_H
#define FH_LAYERS_MMIO_RAW_H

#include "layers/kcore.h"

FH_LAYER_MmioRaw(KC_PROTOTYPE)

#endif
