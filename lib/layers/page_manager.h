/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_PAGE_MANAGER_H
#define FH_LAYERS_PAGE_MANAGER_H

#include "layers/kcore.h"

FH_LAYER_PageManager(KC_PROTOTYPE)

#endif
