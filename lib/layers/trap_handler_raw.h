/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_TRAP_HANDLER_RAW_H
#define FH_LAYERS_TRAP_HANDLER_RAW_H

#include "layers/kcore.h"

FH_LAYER_TrapHandlerRaw(KC_PROTOTYPE)

#endif
