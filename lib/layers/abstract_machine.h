/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_ABSTRACT_MACHINE_H
#define FH_LAYERS_ABSTRACT_MACHINE_H

#include "layers/kcore.h"

FH_LAYER_AbstractMachine(KC_PROTOTYPE)

#endif
