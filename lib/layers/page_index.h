/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_PAGE_INDEX_H
#define FH_LAYERS_PAGE_INDEX_H

#include "layers/kcore.h"

FH_LAYER_PageIndex(KC_PROTOTYPE)

#endif
