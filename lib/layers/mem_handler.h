/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_MEM_HANDLER_H
#define FH_LAYERS_MEM_HANDLER_H

#include "layers/kcore.h"

FH_LAYER_MemHandler(KC_PROTOTYPE)

#endif
