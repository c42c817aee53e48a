/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_TRAP_DISPATCHER_H
#define FH_LAYERS_TRAP_DISPATCHER_H

#include "layers/kcore.h"

FH_LAYER_TrapDispatcher(KC_PROTOTYPE)

#endif
