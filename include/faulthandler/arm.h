/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ARM_H
#define FAULTHANDLER_ARM_H

/*
 * Facts of the architecture, each once: words of fields, system registers, exception syndromes,
 * stage 2 descriptors, registers of the SMMU. None of this knows of KCore; docs/arm.md tells how to
 * use it.
 */
#include <faulthandler/arm_field.h>
#include <faulthandler/arm_registers.h>
#include <faulthandler/arm_smmu.h>
#include <faulthandler/arm_stage2.h>
#include <faulthandler/arm_syndrome.h>
#include <faulthandler/arm_walk.h>

#endif
