/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_ALL_H
#define FH_LAYERS_ALL_H

/* All layers, bottom to top: for what stands above them. */
#include "layers/kcore.h"

FH_FUNCTION_MAP(KC_PROTOTYPE)

/* A panic of which a machine says no more than where it is. */
#define kc_panic(s) FH_PANIC_FOR(s, NULL)

#endif
