/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_CTXT_SWITCH_H
#define FH_LAYERS_CTXT_SWITCH_H

#include "layers/kcore.h"

FH_LAYER_CtxtSwitch(KC_PROTOTYPE)

#endif
