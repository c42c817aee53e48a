/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MMIO_PT_ALLOC_H
#define FH_LAYERS_MMIO_PT_ALLOC_H

#include "layers/kcore.h"

FH_LAYER_MmioPTAlloc(KC_PROTOTYPE)

#endif
