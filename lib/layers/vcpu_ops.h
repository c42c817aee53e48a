/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_VCPU_OPS_H
#define FH_LAYERS_VCPU_OPS_H

#include "layers/kcore.h"

FH_LAYER_VCPUOps(KC_PROTOTYPE)

#endif
