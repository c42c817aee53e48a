/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_ALL_H
#define FH_LAYERS_ALL_H

/* All layers, bottom to top: for what stands above them. */
#include "layers/kcore.h"

FH_FUNCTION_MAP(KC_PROTOTYPE)

/* Whoever panics is noted: fh_state_panic. */
#define kc_panic(s) (note_panic(s, FH_LAYER, __func__), kc_panic(s))

#endif
