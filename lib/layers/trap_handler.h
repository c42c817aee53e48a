/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_TRAP_HANDLER_H
#define FH_LAYERS_TRAP_HANDLER_H

#include "layers/kcore.h"

FH_LAYER_TrapHandler(KC_PROTOTYPE)

#endif
