/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_CORE_H
#define FH_LAYERS_MMIO_CORE_H

#include "layers/kcore.h"

FH_LAYER_MmioCore(KC_PROTOTYPE)

#endif
